package views

import (
	"fmt"
	"strings"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// remarks are what a step says beside its commands: notes, what should hold,
// how long to wait, and a message to send.
func (p *stepPanel) remarks(width int) []part {
	theme := p.c.theme
	var parts []part
	for _, note := range p.current.Notes {
		text := ui.Clean(note.Text)
		if note.Or {
			text = "or: " + text
		}
		parts = append(parts, part{note.Line, -1, indent(theme.Dim, text, width)})
	}
	for _, a := range p.current.Assertions {
		parts = append(parts, part{a.Line, -1, []string{ui.Cut(" "+p.assertion(a), width)}})
	}
	for _, clock := range p.current.Clocks {
		parts = append(parts, part{clock.Line, -1, []string{ui.Cut(" "+theme.Accent.Render(ui.Duration(clock.After))+"  "+ui.Clean(clock.Title), width)}})
	}
	if m := p.current.Message; m != nil {
		var lines []string
		for _, line := range ui.CleanLines(m.Text) {
			lines = append(lines, indent(theme.Plain, line, width)...)
		}
		if len(m.Slots) > 0 {
			lines = append(lines, indent(theme.Dim, "to fill: "+ui.Clean(strings.Join(m.Slots, ", ")), width)...)
		}
		parts = append(parts, part{m.Line, -1, lines})
	}
	return parts
}

// assertion is what the book says should hold, measured where it names a signal.
func (p *stepPanel) assertion(a runbooks.Assertion) string {
	theme := p.c.theme
	text := ui.Clean(a.Text)
	sig, ok := p.signal(a)
	if !ok {
		return theme.Dim.Render("check  ") + text
	}
	latest, ok := sig.Latest()
	if !ok {
		return theme.Dim.Render("check  "+text) + "  " + theme.Dim.Render("no value of "+ui.Clean(sig.Title)+" now")
	}
	now := "now " + measure(sig.Unit, latest.Value)
	if holds(a.Op, latest.Value, inUnit(a, sig)) {
		return theme.Good.Render("holds  ") + text + "  " + theme.Dim.Render(now)
	}
	return theme.Warn.Render("does not hold  ") + text + "  " + theme.Warn.Render(now)
}

// signal is the configured signal that an assertion is about: the one whose
// every word of title or name stands in what the book measures.
func (p *stepPanel) signal(a runbooks.Assertion) (probes.Signal, bool) {
	if !a.Measurable() || a.Signal == "" {
		return probes.Signal{}, false
	}
	for _, s := range p.c.deps.Board.Signals.Load().Value.Signals {
		for _, name := range []string{s.Title, strings.ReplaceAll(s.Name, "_", " ")} {
			if name != "" && containsFold(name, a.Signal) {
				return s, true
			}
		}
	}
	return probes.Signal{}, false
}

// inUnit is an assertion's value in the unit of a signal: books write both 5 %
// and 0.05.
func inUnit(a runbooks.Assertion, s probes.Signal) float64 {
	switch {
	case a.Unit == "ratio" && s.Unit == "percent":
		return a.Value * 100
	case a.Unit == "" && s.Unit == "ratio" && a.Value > 1:
		return a.Value / 100
	}
	return a.Value
}

func holds(op string, value, limit float64) bool {
	switch op {
	case "<":
		return value < limit
	case "<=":
		return value <= limit
	case ">":
		return value > limit
	case ">=":
		return value >= limit
	}
	return value == limit
}

// alternative is the line that parts the alternatives of a step, and the reason
// why one is no longer open.
func (p *stepPanel) alternative(i int) []string {
	cmd := p.current.Commands[i]
	if cmd.Alternative == 0 || (i > 0 && sameOption(p.current.Commands[i-1], cmd)) {
		return nil
	}
	text := fmt.Sprintf(" option %d", cmd.Option)
	if cmd.Option > 1 {
		text = fmt.Sprintf(" or, option %d", cmd.Option)
	}
	if other := p.otherDone(i); other > 0 {
		text += fmt.Sprintf(": closed, option %d was run", other)
	}
	return []string{p.c.theme.Dim.Render(text)}
}

func sameOption(a, b runbooks.Command) bool {
	return a.Alternative == b.Alternative && a.Option == b.Option
}

// otherDone is the option that was run in place of the i-th command's, 0 when
// none was. A choice is of one: run both, a rollback would undo itself.
func (p *stepPanel) otherDone(i int) int {
	cmd := p.current.Commands[i]
	if cmd.Alternative == 0 {
		return 0
	}
	inc := p.screen.incident()
	for j, other := range p.current.Commands {
		if other.Alternative != cmd.Alternative || other.Option == cmd.Option || other.Risk == runbooks.Reads {
			continue
		}
		ref := incidents.CommandRef{Runbook: p.screen.runbook.Name, Step: p.current.ID, Command: j}
		if state := inc.Item(ref).State; state == incidents.Done || state == incidents.Running {
			return other.Option
		}
	}
	return 0
}
