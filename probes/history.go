package probes

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/sync/errgroup"

	"github.com/erpgo/flightdeck/config"
)

const (
	historySpan = time.Hour        // how far back a signal is shown
	historyStep = 15 * time.Second // between its points: 241 in an hour, more than a strip has cells

	// signalQueries bounds the queries that run at the same time. Prometheus
	// runs 20 by default, and dashboards want them too.
	signalQueries = 4
)

// SignalsProbe evaluates the configured signals, one query each an interval.
type SignalsProbe struct {
	prom      *Prom
	cell      *Cell[Signals]
	histories []*history
}

// NewSignals returns the probe of board.Signals.
func NewSignals(prom *Prom, signals []config.Signal, board *Board) *SignalsProbe {
	p := &SignalsProbe{prom: prom, cell: &board.Signals}
	for _, s := range signals {
		p.histories = append(p.histories, &history{signal: s, span: historySpan, step: historyStep})
	}
	return p
}

// Name is the source as the header shows it.
func (p *SignalsProbe) Name() string { return "signals" }

// Run reads until ctx ends.
func (p *SignalsProbe) Run(ctx context.Context) error {
	if p.prom.err != nil {
		p.cell.fail(p.prom.err, time.Now())
		return nil
	}
	poll(ctx, p.cell, p.prom.pace, p.take)
	return nil
}

// take brings every history up to now. A query that Prometheus refuses, or that
// it answers too late while it answers others, is the trouble of that signal;
// the reading fails when Prometheus answered none.
func (p *SignalsProbe) take(ctx context.Context) (Signals, error) {
	now := time.Now()
	errs := make([]error, len(p.histories))
	var queries errgroup.Group
	queries.SetLimit(signalQueries)
	for i, h := range p.histories {
		queries.Go(func() error {
			_, errs[i] = guarded(ctx, func(ctx context.Context) (struct{}, error) {
				return struct{}{}, h.advance(ctx, p.prom, now)
			})
			return nil
		})
	}
	_ = queries.Wait()

	answered := len(errs) == 0
	for _, err := range errs {
		var answer *queryError
		answered = answered || err == nil || errors.As(err, &answer)
	}
	if !answered {
		return Signals{}, errs[0]
	}
	signals := make([]Signal, len(p.histories))
	for i, h := range p.histories {
		signals[i] = h.read(errs[i])
	}
	return Signals{Signals: signals}, nil
}

// history is the last hour of one signal: a point at each multiple of the step,
// and, while the next of them is not yet due, the newest value.
type history struct {
	signal   config.Signal
	span     time.Duration
	step     time.Duration
	grid     []Point
	newest   []Point   // none or one, later than the grid
	next     time.Time // of the grid, the first that was not read yet
	warnings []string
}

// advance reads what is new since the last time with one query: a whole hour at
// first, later a step or two or the newest value alone, and after an outage all
// of what was missed.
func (h *history) advance(ctx context.Context, prom *Prom, now time.Time) error {
	now = now.Truncate(time.Millisecond)
	oldest := now.Add(-h.span)
	if h.next.After(now.Add(h.step)) { // the clock was set back
		h.grid, h.next = nil, time.Time{}
	}
	if h.next.Before(oldest) {
		h.next = oldest.Truncate(h.step).Add(h.step)
	}
	start, due := h.next, true
	if start.After(now) {
		start, due = now, false
	}
	matrix, warnings, err := prom.matrix(ctx, h.signal.Query, start, now, h.step)
	h.warnings = warnings
	if err != nil {
		return err
	}
	if len(matrix) > 1 {
		return &queryError{
			what:   fmt.Sprintf("the query gives %d series and a signal is one", len(matrix)),
			detail: "aggregate them, for instance with sum()",
		}
	}
	var samples []model.SamplePair
	if len(matrix) == 1 {
		samples = matrix[0].Values
	}
	points := onGrid(samples, start, now, h.step)
	if due {
		h.grid, h.newest = append(h.grid, points...), nil
		h.next = points[len(points)-1].At.Add(h.step)
	} else {
		h.newest = points
	}
	h.grid = slices.DeleteFunc(h.grid, func(p Point) bool { return p.At.Before(oldest) })
	return nil
}

// read copies the history as the reading of a signal, from its first sample on.
func (h *history) read(err error) Signal {
	points := slices.Concat(h.grid, h.newest)
	first := slices.IndexFunc(points, func(p Point) bool { return !math.IsNaN(p.Value) })
	if first < 0 {
		first = len(points)
	}
	return Signal{Signal: h.signal, Points: points[first:], Warnings: h.warnings, Err: err}
}
