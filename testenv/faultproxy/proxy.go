// Package faultproxy stands between a client and a server and makes the
// server's faults: it refuses, hangs, answers garbage, or resets, at the
// moment a test says so and for connections that are open already.
package faultproxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"github.com/erpgo/flightdeck/testenv/loopback"
)

// Mode is what the proxy does with connections.
type Mode int

const (
	// Pass forwards bytes both ways. Connections that hung go on where they
	// stood, as after a network partition.
	Pass Mode = iota
	// Refuse closes the listener, so that new connections are refused, and
	// resets those that are open.
	Refuse
	// Hang accepts connections and forwards nothing, neither on new ones nor
	// on those that are open.
	Hang
	// Garbage answers whatever a client sends with bytes of no protocol.
	// Connections that got some are closed when the mode changes.
	Garbage
	// Reset resets every connection: those that are open now, new ones after
	// they were accepted.
	Reset
)

// String names the mode as tests print it.
func (m Mode) String() string {
	return [...]string{"pass", "refuse", "hang", "garbage", "reset"}[m]
}

// Proxy forwards TCP connections to one address.
type Proxy struct {
	// Addr is where clients connect: host:port on loopback. It stays the same
	// through every mode.
	Addr string

	upstream string
	done     sync.WaitGroup

	mu       sync.Mutex
	mode     Mode
	changed  chan struct{} // closed and replaced when the mode changes
	listener net.Listener
	open     map[*pair]struct{}
	accepted int
	closed   bool
}

// New listens on a free loopback port and passes connections to upstream,
// host:port.
func New(upstream string) (*Proxy, error) {
	port, err := loopback.FreePort()
	if err != nil {
		return nil, fmt.Errorf("fault proxy: %w", err)
	}
	listener, err := net.Listen("tcp", loopback.Addr(port))
	if err != nil {
		return nil, fmt.Errorf("fault proxy: %w", err)
	}
	p := &Proxy{
		Addr:     listener.Addr().String(),
		upstream: upstream,
		changed:  make(chan struct{}),
		open:     map[*pair]struct{}{},
	}
	p.serve(listener)
	return p, nil
}

// Set changes the mode, for connections that are open too. It fails only where
// the port cannot be listened on again after Refuse.
func (p *Proxy) Set(mode Mode) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errors.New("fault proxy: it is closed")
	}
	if mode == p.mode {
		return nil
	}
	if mode == Refuse {
		_ = p.listener.Close()
		p.listener = nil
	} else if p.listener == nil {
		listener, err := net.Listen("tcp", p.Addr)
		if err != nil {
			return fmt.Errorf("fault proxy: listen again: %w", err)
		}
		p.serve(listener)
	}
	for conns := range p.open {
		if mode == Refuse || mode == Reset || p.mode == Garbage {
			conns.reset()
		}
	}
	p.mode = mode
	close(p.changed)
	p.changed = make(chan struct{})
	return nil
}

// Accepted counts the connections that clients have made so far, in every mode
// but Refuse.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.accepted
}

// Close resets all connections and waits until nothing runs any more.
func (p *Proxy) Close() {
	p.mu.Lock()
	if !p.closed {
		p.closed = true
		if p.listener != nil {
			_ = p.listener.Close()
		}
		for conns := range p.open {
			conns.reset()
		}
		close(p.changed)
		p.changed = make(chan struct{})
	}
	p.mu.Unlock()
	p.done.Wait()
}

func (p *Proxy) state() (Mode, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mode, p.changed
}

// serve accepts connections until the listener is closed. The caller holds mu,
// or nobody else knows the proxy yet.
func (p *Proxy) serve(listener net.Listener) {
	p.listener = listener
	p.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.accepted++
			refused := p.closed || p.mode == Refuse || p.mode == Reset
			conns := &pair{client: client, gone: make(chan struct{})}
			if refused {
				conns.reset()
			} else {
				p.open[conns] = struct{}{}
				p.done.Go(func() { p.handle(conns) })
			}
			p.mu.Unlock()
		}
	})
}

func (p *Proxy) handle(conns *pair) {
	defer func() {
		conns.close()
		p.mu.Lock()
		delete(p.open, conns)
		p.mu.Unlock()
	}()
	// A server that is down must not be met while the proxy hangs.
	if mode, ok := p.wait(conns); !ok {
		return
	} else if mode == Garbage {
		p.copy(conns, io.Discard, conns.client)
		return
	}
	server, err := net.Dial("tcp", p.upstream)
	if err != nil {
		conns.reset()
		return
	}
	if !conns.join(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.copy(conns, conns.server, conns.client) })
	both.Go(func() { p.copy(conns, conns.client, conns.server) })
	both.Wait()
}

// wait blocks while the proxy hangs. It returns the mode to act on, or false
// when the connection is gone.
func (p *Proxy) wait(conns *pair) (Mode, bool) {
	for {
		mode, changed := p.state()
		if mode != Hang {
			return mode, mode == Pass || mode == Garbage
		}
		select {
		case <-changed:
		case <-conns.gone:
			return mode, false
		}
	}
}

// copy forwards one direction. Bytes that were read before the proxy hung are
// kept and written when it passes again.
func (p *Proxy) copy(conns *pair, to io.Writer, from net.Conn) {
	buffer := make([]byte, 32<<10)
	for {
		n, readErr := from.Read(buffer)
		mode, ok := p.wait(conns)
		switch {
		case !ok:
			conns.close()
			return
		case mode == Garbage && from == conns.client && n > 0:
			_, _ = conns.client.Write(nonsense)
			continue
		case mode == Garbage && n > 0:
			continue // the server's true answer is swallowed
		}
		if n > 0 {
			if _, err := to.Write(buffer[:n]); err != nil {
				conns.close()
				return
			}
		}
		if readErr != nil {
			// A half-closed connection still has its other half.
			if half, ok := to.(interface{ CloseWrite() error }); ok && errors.Is(readErr, io.EOF) {
				_ = half.CloseWrite()
				return
			}
			conns.close()
			return
		}
	}
}

// nonsense is an answer in no protocol: no length prefix of it is small, no
// line of it is a status line, and it holds what a terminal would act on.
var nonsense = []byte("\xff\xfe\xfd\xfc\x00\x1b]0;garbage\x07\x1b[2J\xc3\x28 nonsense \x80\x81\x82\r\n\r\n")
