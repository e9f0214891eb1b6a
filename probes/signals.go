package probes

import (
	"time"

	"github.com/erpgo/flightdeck/config"
)

// Signals is the strip of gauges, in the order of the configuration.
type Signals struct {
	Signals []Signal
}

// Signal is one configured gauge with an hour of history.
type Signal struct {
	config.Signal
	Points   []Point  // oldest first, one each 15 s and the newest, at most an hour; empty when Prometheus has no such series
	Warnings []string // what Prometheus warned of when it evaluated the query
	Err      error    // why this signal alone could not be read (a bad query); nil when it was
}

// Point is a sample: NaN where the expression had no value at that time.
type Point struct {
	At    time.Time
	Value float64
}

// Latest returns the newest value; ok is false where there is none.
func (s Signal) Latest() (p Point, ok bool) {
	if len(s.Points) == 0 {
		return Point{}, false
	}
	p = s.Points[len(s.Points)-1]
	return p, p.Value == p.Value
}

// Level is how bad a value is against its thresholds.
type Level int

// The levels, from calm to bad.
const (
	Calm Level = iota
	Warn
	Critical
)

// Level compares the newest value with the signal's thresholds.
func (s Signal) Level() Level {
	p, ok := s.Latest()
	if !ok {
		return Calm
	}
	beyond := func(threshold float64) bool {
		if threshold == 0 {
			return false
		}
		if s.Below {
			return p.Value < threshold
		}
		return p.Value > threshold
	}
	switch {
	case beyond(s.Critical):
		return Critical
	case beyond(s.Warn):
		return Warn
	}
	return Calm
}
