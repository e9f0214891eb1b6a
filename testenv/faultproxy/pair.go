package faultproxy

import (
	"net"
	"sync"
)

// pair is a client's connection and the one to the server that belongs to it.
type pair struct {
	client net.Conn
	gone   chan struct{} // closed when both are closed

	mu     sync.Mutex
	server net.Conn // nil until it is dialled
	closed bool
}

// join adds the server's side. It reports whether the pair is still open.
func (c *pair) join(server net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = server.Close()
		return false
	}
	c.server = server
	return true
}

// close ends both sides in the ordinary way.
func (c *pair) close() { c.end(false) }

// reset ends both sides, and has the client see "connection reset by peer".
func (c *pair) reset() { c.end(true) }

func (c *pair) end(abruptly bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	if tcp, ok := c.client.(*net.TCPConn); ok && abruptly {
		_ = tcp.SetLinger(0) // close then sends RST
	}
	_ = c.client.Close()
	if c.server != nil {
		_ = c.server.Close()
	}
	close(c.gone)
}
