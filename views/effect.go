package views

import (
	"context"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// runBegan says that a run of this viewer has begun.
type runBegan struct {
	screen *incidentScreen
	run    *incidents.Run
}

// settling is how long after the end of a change its signals are marked again:
// rates over a minute or more need a while to show what it did.
const settling = time.Minute

// watched are the signals that a change of this incident is about: those of its
// alerts, or every one with a threshold where no signal is.
func (s *incidentScreen) watched() []probes.Signal {
	inc := s.incident()
	var about, other []probes.Signal
	for _, sig := range s.c.deps.Board.Signals.Load().Value.Signals {
		switch {
		case slices.Contains(sig.Alerts, inc.Alert) || slices.ContainsFunc(inc.Alerts, func(a incidents.AlertAttached) bool { return slices.Contains(sig.Alerts, a.Alert) }):
			about = append(about, sig)
		case sig.Warn != 0 || sig.Critical != 0:
			other = append(other, sig)
		}
	}
	if len(about) > 0 {
		return about
	}
	return other
}

// values are what signals measure now, as the journal takes them.
func values(signals []probes.Signal) []incidents.SignalValue {
	out := make([]incidents.SignalValue, 0, len(signals))
	for _, sig := range signals {
		v := incidents.SignalValue{Name: sig.Name, Unit: string(sig.Unit)}
		if latest, ok := sig.Latest(); ok {
			v.Value = &latest.Value
		}
		out = append(out, v)
	}
	return out
}

// mark writes down what the signals measure as a change begins, and again when
// it has ended and had time to show.
func (s *incidentScreen) mark(run *incidents.Run) tea.Cmd {
	if !run.Plan.Risk.NeedsConfirmation() {
		return nil
	}
	record := func(phase incidents.MarkPhase) error {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		_, err := s.c.deps.Runner.MarkSignals(ctx, s.id, incidents.SignalsMarked{
			Phase: phase, Run: run.ID, Ref: run.Ref, Signals: values(s.watched()),
		})
		return err
	}
	say := func(err error) tea.Msg {
		if err != nil {
			return failed(err)
		}
		return nil
	}
	before := func() tea.Msg { return say(record(incidents.Before)) }
	after := func() tea.Msg {
		<-run.Done()
		settled := time.NewTimer(settling)
		defer settled.Stop()
		select {
		case <-settled.C:
			return say(record(incidents.After))
		case <-s.c.left: // what it was before stays known
			return nil
		}
	}
	return tea.Batch(before, after)
}

// effect is what the signals were before the latest run of a command, and what
// they are since.
func (p *stepPanel) effect(item incidents.Item, width int) []string {
	if item.Before == nil {
		return nil
	}
	theme := p.c.theme
	now := make(map[string]probes.Signal)
	for _, sig := range p.c.deps.Board.Signals.Load().Value.Signals {
		now[sig.Name] = sig
	}
	after := make(map[string]*float64)
	when := "now"
	if item.After != nil {
		when = "after"
		for _, v := range item.After.Signals {
			after[v.Name] = v.Value
		}
	}
	var lines []string
	for _, v := range item.Before.Signals {
		sig, known := now[v.Name]
		if !known {
			continue // it is not configured any more
		}
		value := after[v.Name]
		if item.After == nil {
			if latest, ok := sig.Latest(); ok {
				value = &latest.Value
			}
		}
		then, since := p.marked(sig, v.Value), p.marked(sig, value)
		text := ui.Fit(ui.Clean(sig.Title), 16) + " " + then + theme.Dim.Render(" → ") + since
		if limit, _, _ := threshold(sig); limit != "" {
			text += theme.Dim.Render("   limit " + limit)
		}
		lines = append(lines, ui.Cut("   "+theme.Dim.Render("│")+" "+text, width))
	}
	if len(lines) == 0 {
		return nil
	}
	return append([]string{ui.Cut("   "+theme.Dim.Render("before → "+when), width)}, lines...)
}

// marked is a value that a signal had, with how bad it was.
func (p *stepPanel) marked(sig probes.Signal, value *float64) string {
	if value == nil {
		return p.c.theme.Dim.Render("–")
	}
	sig.Points = []probes.Point{{Value: *value}}
	text := measure(sig.Unit, *value)
	if sig.Level() != probes.Calm {
		text += " " + arrow(sig)
	}
	return levelStyle(p.c.theme, sig.Level()).Render(text)
}

// moments are what the incident's chart marks: releases, and the changes that
// were made here.
func (s *incidentScreen) moments(inc incidents.Incident) []ui.Mark {
	var marks []ui.Mark
	for _, d := range s.c.deps.Board.Pods.Load().Value.Deployments {
		if d.Name == s.c.deps.Config.Service.Deployment && !d.RolledOut.IsZero() {
			marks = append(marks, ui.Mark{At: d.RolledOut, Label: "rev " + ui.Number(float64(d.Revision))})
		}
	}
	for ref, item := range inc.Items {
		if item.Before == nil || item.Result == nil {
			continue
		}
		label := "change"
		if step := s.stepOf(ref); step != "" {
			label = "step " + step
		}
		marks = append(marks, ui.Mark{At: item.At.Add(-item.Result.Duration), Label: label})
	}
	slices.SortFunc(marks, func(a, b ui.Mark) int { return b.At.Compare(a.At) })
	return marks
}

// stepOf is the number of the step of a ref in the runbook that is worked.
func (s *incidentScreen) stepOf(ref incidents.CommandRef) string {
	if ref.Runbook != s.runbook.Name {
		return ""
	}
	for _, item := range s.list.items {
		if item.step != nil && item.step.ID == ref.Step {
			return ui.Clean(item.step.Number)
		}
	}
	return ""
}
