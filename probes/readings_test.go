package probes

import (
	"context"
	"testing"
	"time"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// awaitReading waits until the cell holds a reading that ok accepts.
func awaitReading[T any](t *testing.T, cell *Cell[T], what string, ok func(Reading[T]) bool) Reading[T] {
	t.Helper()
	changed, stop := cell.viewers.add()
	defer stop()
	deadline := time.After(patience)
	for {
		r := cell.Load()
		if ok(r) {
			return r
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("waited %v for %s; the last reading is %+v", patience, what, r)
		}
	}
}

// awaitGood waits for a reading without an error that was taken after since.
func awaitGood[T any](t *testing.T, cell *Cell[T], since time.Time) Reading[T] {
	t.Helper()
	return awaitReading(t, cell, "a good reading", func(r Reading[T]) bool {
		return r.Err == nil && r.TakenAt.After(since)
	})
}

// runProbe runs a probe until the test ends, and then waits for it.
func runProbe(t *testing.T, p Probe) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("probe %s: %v", p.Name(), err)
			}
		case <-time.After(patience):
			t.Errorf("probe %s did not end", p.Name())
		}
	})
}

// await polls until ok is true.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	awaitFor(t, patience, what, ok)
}

// awaitFor is await with a patience of its own.
func awaitFor(t *testing.T, patience time.Duration, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
