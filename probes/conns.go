package probes

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// conns dials connections and knows of each when something was last heard on
// it. HTTP/2 multiplexes all watches and log streams over one connection; when
// the network swallows it nobody gets an error for minutes.
type conns struct {
	dialer net.Dialer

	mu   sync.Mutex
	open map[*conn]struct{}
}

func newConns() *conns {
	return &conns{
		dialer: net.Dialer{
			Timeout: 5 * time.Second,
			// A peer that is gone, rather than silent, is noticed in 15 s even
			// where a proxy makes every stream a connection of its own.
			KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 2},
		},
		open: make(map[*conn]struct{}),
	}
}

func (s *conns) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialled, err := s.dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: dialled, set: s}
	c.heard.Store(time.Now().UnixNano())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c] = struct{}{}
	return c, nil
}

// closeSilent closes every connection on which nothing was heard since t, so
// that what waits on it gets an error and begins again on a new one. A server
// that is only slow is still heard and keeps its connections.
func (s *conns) closeSilent(t time.Time) {
	s.mu.Lock()
	var silent []*conn
	for c := range s.open {
		if c.heard.Load() < t.UnixNano() {
			silent = append(silent, c)
		}
	}
	s.mu.Unlock()
	for _, c := range silent {
		_ = c.Close()
	}
}

// conn is a connection that remembers when it was last heard.
type conn struct {
	net.Conn
	set   *conns
	heard atomic.Int64 // Unix nanoseconds
}

// Read reads from the connection.
func (c *conn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.heard.Store(time.Now().UnixNano())
	}
	return n, err
}

// Close closes the connection and forgets it.
func (c *conn) Close() error {
	c.set.mu.Lock()
	delete(c.set.open, c)
	c.set.mu.Unlock()
	return c.Conn.Close()
}
