// Package loopback finds ports of 127.0.0.1 for servers that cannot choose one
// themselves.
package loopback

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are taken from below the range that Linux gives to outgoing
// connections (32768 and up), so that a server that is down for a moment finds
// its port free when it comes back.
const (
	lowestPort  = 18000
	highestPort = 32000
)

var (
	mu       sync.Mutex
	reserved = map[int]bool{}
)

// FreePort returns a loopback port that nobody listens on and that this
// process has not handed out before.
func FreePort() (int, error) {
	mu.Lock()
	defer mu.Unlock()
	for range 200 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if reserved[port] {
			continue
		}
		listener, err := net.Listen("tcp", Addr(port))
		if err != nil {
			continue
		}
		_ = listener.Close()
		reserved[port] = true
		return port, nil
	}
	return 0, errors.New("no free port on loopback after 200 tries")
}

// Addr writes a port of 127.0.0.1 as host:port.
func Addr(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
