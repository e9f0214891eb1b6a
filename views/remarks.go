package views

import (
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// remarks are what a step says beside its commands: notes, what should hold,
// how long to wait, and a message to send.
func (p *stepPanel) remarks(inc incidents.Incident, now time.Time, width int) []part {
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
		parts = append(parts, part{a.Line, -1, p.assertion(inc, a, width)})
	}
	for _, clock := range p.current.Clocks {
		parts = append(parts, part{clock.Line, -1, p.clock(inc, clock, now, width)})
	}
	if m := p.current.Message; m != nil {
		parts = append(parts, part{m.Line, -1, p.message(inc, *m, now, width)})
	}
	return parts
}

// nested are the steps inside the step: its checks, or the options of a choice.
func (p *stepPanel) nested(inc incidents.Incident, width int) []string {
	if len(p.current.Steps) == 0 {
		return nil
	}
	theme := p.c.theme
	var lines []string
	if p.current.Kind == runbooks.StepChoice {
		lines = append(lines, " "+theme.Dim.Render("one of these is worked, and the other ruled out:"))
	}
	for i := range p.current.Steps {
		step := &p.current.Steps[i]
		state := inc.Step(p.screen.runbook.Name, *step).State
		glyph, style := stateGlyph(theme, state, step)
		title := ui.Clean(strings.TrimSpace(step.Number + "  " + step.Title))
		if n := len(step.Commands); n > 0 {
			title += theme.Dim.Render("   " + count(n, "command"))
		}
		lines = append(lines, ui.Cut(" "+style.Render(glyph+" "+title), width))
	}
	return lines
}

// enterNested moves on to the first step inside the step.
func (p *stepPanel) enterNested() tea.Cmd {
	if p.screen.list.choose(p.current.Steps[0].ID) {
		p.shown(p.screen.list.selected())
	}
	return nil
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
