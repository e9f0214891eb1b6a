package probes

import (
	"sync"
	"sync/atomic"
	"time"
)

// Board holds the latest reading of every source. Probes publish to it, any
// number of viewers read from it, and neither waits for the other: reading is
// an atomic load, and a viewer that is told of a change and has not looked yet
// is not told again.
type Board struct {
	Alerts   Cell[Alerts]
	Signals  Cell[Signals]
	Pods     Cell[Pods]
	Database Cell[Database]
	Cache    Cell[Cache]
	Logins   Cell[Logins]
	Logs     *Tail

	viewers viewers
}

// NewBoard returns a board on which nothing has been read yet. logLines bounds
// the tail of log lines that it keeps.
func NewBoard(logLines int) *Board {
	b := &Board{}
	b.Alerts.viewers = &b.viewers
	b.Signals.viewers = &b.viewers
	b.Pods.viewers = &b.viewers
	b.Database.viewers = &b.viewers
	b.Cache.viewers = &b.viewers
	b.Logins.viewers = &b.viewers
	b.Logs = newTail(logLines, &b.viewers)
	return b
}

// NewTail returns another tail of at most n lines, whose news reach the board's
// viewers.
func (b *Board) NewTail(n int) *Tail { return newTail(n, &b.viewers) }

// Watch returns a channel that holds at most one token: it can be received from
// when something was published since the last receive. Call stop to end it.
func (b *Board) Watch() (changed <-chan struct{}, stop func()) { return b.viewers.add() }

// Cell is one source's place on the board.
type Cell[T any] struct {
	latest  atomic.Pointer[Reading[T]]
	viewers *viewers
}

// Load returns the latest reading; the zero Reading before the first attempt.
func (c *Cell[T]) Load() Reading[T] {
	if r := c.latest.Load(); r != nil {
		return *r
	}
	return Reading[T]{}
}

// publish replaces the reading by a good one. Only the probe that owns the cell
// calls it.
func (c *Cell[T]) publish(value T, takenAt time.Time, every time.Duration) {
	c.put(Reading[T]{Value: value, TakenAt: takenAt, Every: every})
}

// fail keeps the last good value and says why there is no newer one.
func (c *Cell[T]) fail(err error, at time.Time) {
	r := c.Load()
	if r.Err == nil {
		r.ErrSince = at
	}
	r.Err = err
	c.put(r)
}

// put makes r the latest reading, the next after the one before.
func (c *Cell[T]) put(r Reading[T]) {
	r.Seq = c.Load().Seq + 1
	c.latest.Store(&r)
	c.viewers.notify()
}

// Publish puts a reading on the board that was not taken by a probe: a replay's,
// or a test's.
func (c *Cell[T]) Publish(value T, takenAt time.Time, every time.Duration) {
	c.publish(value, takenAt, every)
}

// Fail keeps the last good value and says why there is no newer one, as a probe
// does whose attempt failed.
func (c *Cell[T]) Fail(err error, at time.Time) { c.fail(err, at) }

// Answered tells whether every source has said something by now: a value, an
// error, or that it is not configured.
func (b *Board) Answered(now time.Time) bool {
	for _, state := range []State{
		b.Alerts.Load().State(now), b.Signals.Load().State(now), b.Pods.Load().State(now),
		b.Database.Load().State(now), b.Cache.Load().State(now), b.Logins.Load().State(now),
	} {
		if state == Waiting {
			return false
		}
	}
	return true
}

// viewers is the set of those who want to know that something changed.
type viewers struct {
	mu  sync.Mutex
	set map[chan struct{}]struct{}
}

func (v *viewers) add() (<-chan struct{}, func()) {
	ch := make(chan struct{}, 1)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.set == nil {
		v.set = make(map[chan struct{}]struct{})
	}
	v.set[ch] = struct{}{}
	return ch, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.set, ch)
	}
}

func (v *viewers) notify() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for ch := range v.set {
		select {
		case ch <- struct{}{}:
		default: // it has a token already
		}
	}
}
