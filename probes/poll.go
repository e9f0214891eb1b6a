package probes

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/erpgo/flightdeck/config"
)

const (
	// firstRetry is how soon a failed attempt is repeated, so that a restarted
	// backend is back on the screen within a second or two.
	firstRetry = 500 * time.Millisecond
	// lastRetry bounds the wait between attempts on a source that stays away.
	lastRetry = 30 * time.Second
	// overrun is how long past its deadline an attempt may still hand in its own
	// error, which says more than ours would.
	overrun = 250 * time.Millisecond
	// fastest is the shortest interval, whatever the configuration says: a
	// cockpit never hammers a source that is already in trouble.
	fastest = 50 * time.Millisecond
)

// poll takes a reading at once and then every interval, and publishes each to
// cell, until ctx ends. It is the one loop of all probes that ask; those that
// are told (a watch, a log stream) have their own.
//
// At most one attempt runs at any time, each with a context that ends after
// pace.Timeout. An attempt that ignores its context is reported as failed when
// its time is up, and the next begins only once it has really ended. A panic of
// take is an error of the reading. After an error the next attempt comes soon
// and then ever later with jitter, up to twice the interval or 30 s, whichever
// is less; the interval itself varies by a tenth so that probes do not beat
// together. An attempt longer than the interval delays the next one; attempts
// never pile up.
//
// When ctx ends, poll waits for the running attempt no longer than overrun and
// records no failure for it.
func poll[T any](ctx context.Context, cell *Cell[T], pace config.Pace, take func(context.Context) (T, error)) {
	interval := max(pace.Interval, fastest)
	timeout := pace.Timeout
	if timeout <= 0 {
		timeout = interval
	}
	retry := retries(interval)
	for {
		begun := time.Now()
		last := attempt(ctx, timeout, take)
		if ctx.Err() != nil {
			return
		}
		var pause time.Duration
		if last.err == nil {
			cell.publish(last.value, begun, interval)
			retry.Reset()
			// A slow source still gets a rest between attempts.
			pause = max(jitter(interval)-time.Since(begun), interval/4)
		} else {
			cell.fail(last.err, time.Now())
			pause = min(retry.NextBackOff(), lastRetry)
		}
		if last.running != nil {
			select {
			case <-last.running:
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// outcome is how one attempt went. Where it did not even end, running is closed
// once it does.
type outcome[T any] struct {
	value   T
	err     error
	running <-chan struct{}
}

// attempt runs take once, for at most timeout.
func attempt[T any](ctx context.Context, timeout time.Duration, take func(context.Context) (T, error)) outcome[T] {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	result := make(chan outcome[T], 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer cancel()
		var o outcome[T]
		o.value, o.err = guarded(ctx, take)
		result <- o
	}()
	select {
	case o := <-result:
		return o
	case <-ctx.Done():
	}
	select {
	case o := <-result:
		return o
	case <-time.After(overrun):
		return outcome[T]{err: noAnswer{within: timeout}, running: ended}
	}
}

// guarded calls take and turns its panic into an error: a defect in one probe
// takes down neither the others nor the screen.
func guarded[T any](ctx context.Context, take func(context.Context) (T, error)) (value T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("defect in flightdeck, please report it: panic at %s: %v", panicSite(), p)
		}
	}()
	return take(ctx)
}

// panicSite is the file and line that panicked. It is called by the deferred
// function that recovered.
func panicSite() string {
	pcs := make([]uintptr, 16)
	// Skip Callers, panicSite and the deferred function.
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

// retries is the wait between failed attempts on a source that is otherwise
// read every interval.
func retries(interval time.Duration) *backoff.ExponentialBackOff {
	b := backoff.NewExponentialBackOff()
	b.InitialInterval = min(firstRetry, interval)
	b.Multiplier = 2
	b.MaxInterval = min(2*interval, lastRetry)
	return b
}

// jitter varies d by up to a tenth either way.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}
