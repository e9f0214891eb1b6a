package runbooks

import "sync"

// changes tells whoever asked that a library holds something else now.
type changes struct {
	mu    sync.Mutex
	heard map[chan struct{}]bool
}

// Changes returns a channel that holds at most one token, to be received from
// when the library was read anew; stop ends it. Runbooks that were taken from the
// library before stay as they are: ask for them again by name.
func (l *Library) Changes() (changed <-chan struct{}, stop func()) {
	c := make(chan struct{}, 1)
	l.changes.mu.Lock()
	defer l.changes.mu.Unlock()
	if l.changes.heard == nil {
		l.changes.heard = map[chan struct{}]bool{}
	}
	l.changes.heard[c] = true
	return c, func() {
		l.changes.mu.Lock()
		defer l.changes.mu.Unlock()
		delete(l.changes.heard, c)
	}
}

// tell wakes everyone who listens and has not been woken yet.
func (c *changes) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for waiting := range c.heard {
		select {
		case waiting <- struct{}{}:
		default:
		}
	}
}
