package views

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
)

// gate is a line that the books draw: what should hold, or what is a reason to
// roll back.
type gate struct {
	id       string
	about    runbooks.Assertion
	rollback bool // it says when to roll back, and is breached when it is true
}

// standing is how a gate stands now.
type standing struct {
	gate
	signal   probes.Signal
	known    bool    // a signal is about it
	measured bool    // and has a value
	value    float64 // in the signal's unit
	limit    float64 // in the signal's unit
	breached bool
	since    time.Time // when the breach began, as far as the signal's history goes
}

// gatesOf are the criteria of the procedures for rolling back, and what the
// steps of a runbook say should hold.
func (c *Cockpit) gatesOf(rb *runbooks.Runbook) []gate {
	var gates []gate
	seen := make(map[string]bool)
	add := func(name string, all []runbooks.Assertion, rollback bool) {
		for i, a := range all {
			id := fmt.Sprintf("%s:%d", name, a.Line)
			if i > 0 && all[i-1].Line == a.Line {
				id += fmt.Sprintf(":%d", i) // a line may name several
			}
			if !seen[id] {
				seen[id] = true
				gates = append(gates, gate{id: id, about: a, rollback: rollback})
			}
		}
	}
	for _, head := range c.deps.Library.For(runbooks.RollingBack) {
		if whole, ok := c.deps.Library.ByName(head.Name); ok {
			add(whole.Name, whole.Criteria, true)
		}
	}
	add(rb.Name, rb.Criteria, true)
	var steps func([]runbooks.Step)
	steps = func(all []runbooks.Step) {
		for _, step := range all {
			for _, a := range step.Assertions {
				if a.Measurable() && a.Signal != "" {
					add(rb.Name, []runbooks.Assertion{a}, false)
				}
			}
			steps(step.Steps)
		}
	}
	for _, section := range rb.Sections {
		steps(section.Steps)
	}
	return gates
}

// standings are how the gates of the incident stand. Gates that nothing measures
// are among them: people answer those.
func (s *incidentScreen) standings() []standing {
	r := s.c.deps.Board.Signals.Load()
	if s.stood != nil && s.stoodAt == r.Seq {
		return s.stood
	}
	s.stood, s.stoodAt = make([]standing, 0, len(s.gates)), r.Seq
	for _, g := range s.gates {
		s.stood = append(s.stood, s.stands(g))
	}
	return s.stood
}

func (s *incidentScreen) stands(g gate) standing {
	st := standing{gate: g}
	if !g.about.Measurable() {
		return st
	}
	st.signal, st.known = s.step.signal(g.about)
	if !st.known {
		return st
	}
	st.limit = inUnit(g.about, st.signal)
	latest, ok := st.signal.Latest()
	if !ok {
		return st
	}
	st.measured, st.value = true, latest.Value
	breaks := func(v float64) bool { return holds(g.about.Op, v, st.limit) == g.rollback }
	if st.breached = breaks(latest.Value); !st.breached {
		return st
	}
	points := st.signal.Points
	st.since = latest.At
	for i := len(points) - 1; i >= 0 && breaks(points[i].Value); i-- {
		st.since = points[i].At
	}
	return st
}

// fact is the standing as the journal takes it.
func (st standing) fact() incidents.GateMeasured {
	f := incidents.GateMeasured{
		Gate: st.id, Title: st.about.Text, Signal: st.signal.Name, Op: st.about.Op, Threshold: st.limit,
		Unit: string(st.signal.Unit), Breached: st.breached, Since: st.since, Rollback: st.rollback,
	}
	if st.rollback {
		f.Op = opposite[st.about.Op] // what should hold is that there is no reason
	}
	if st.measured {
		f.Value = &st.value
	}
	return f
}

var opposite = map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!="}

// breachOf are the rollback criteria that are met now.
func (s *incidentScreen) breaches() (breached []standing) {
	for _, st := range s.standings() {
		if st.rollback && st.breached {
			breached = append(breached, st)
		}
	}
	return breached
}

// measureGates writes down how the gates stand. The runner records what is news
// or a minute old, whoever measured it first.
func (s *incidentScreen) measureGates() tea.Cmd {
	if s.measuring || !s.incident().Open() {
		return nil
	}
	var facts []incidents.GateMeasured
	for _, st := range s.standings() {
		if st.known {
			facts = append(facts, st.fact())
		}
	}
	if len(facts) == 0 {
		return nil
	}
	s.measuring = true
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		for _, fact := range facts {
			if _, err := s.c.deps.Runner.MeasureGate(ctx, s.id, fact); err != nil {
				break // the first line says that the journal cannot be written
			}
		}
		return gatesMeasured{s}
	}
}

// gatesMeasured says that how the gates stood was written down.
type gatesMeasured struct{ screen *incidentScreen }
