// Package probes answers one question: what does the world look like now? Each
// probe takes readings of one source at its own pace and publishes them to a
// Board that all viewers share. Probes never draw and never wait for a viewer.
package probes

import (
	"errors"
	"fmt"
	"time"
)

// Reading is what a probe saw, once. It is never modified after it is
// published, so any number of viewers may hold it.
type Reading[T any] struct {
	Value    T             // the last good value; zero before the first
	TakenAt  time.Time     // when Value was taken; zero before the first
	Err      error         // the last attempt's error, nil when it succeeded
	ErrSince time.Time     // when the current run of failures began; zero when Err is nil
	Every    time.Duration // how often a new one is due; zero for a watch, which is pushed
	Seq      uint64        // counts up with each publication, failures too: two readings of a cell with the same Seq are the same
}

// State is how far a reading can be trusted now.
type State int

// The states of a source, from best to worst.
const (
	Fresh         State = iota // the last attempt succeeded and is recent
	Waiting                    // nothing has been read yet and nothing has failed
	Stale                      // there is a value, but the last attempt failed or a new one is overdue
	Down                       // attempts fail and there is no value
	NotConfigured              // nobody said where the source is
)

// ErrNotConfigured is wrapped by the Err of a source that was never set up.
var ErrNotConfigured = errors.New("not configured")

// notConfigured is the reading of a source that was never set up; set names the
// setting and the variable that would.
func notConfigured(set string) error {
	return fmt.Errorf("%w: set %s", ErrNotConfigured, set)
}

// State tells how far the reading can be trusted at now. A polled reading is
// overdue after three intervals.
func (r Reading[T]) State(now time.Time) State {
	switch {
	case errors.Is(r.Err, ErrNotConfigured):
		return NotConfigured
	case r.Err != nil && r.TakenAt.IsZero():
		return Down
	case r.Err != nil:
		return Stale
	case r.TakenAt.IsZero():
		return Waiting
	case r.Every > 0 && now.Sub(r.TakenAt) > 3*r.Every:
		return Stale
	}
	return Fresh
}

// Age is how old the value is at now; zero before the first value.
func (r Reading[T]) Age(now time.Time) time.Duration {
	if r.TakenAt.IsZero() {
		return 0
	}
	return max(0, now.Sub(r.TakenAt))
}
