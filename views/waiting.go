package views

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// clockID identifies a clock of a book within an incident.
func clockID(runbook string, line int) string { return fmt.Sprintf("%s:%d", runbook, line) }

// clock is a time that the book names: how long it is, or how much of it is left
// once it runs.
func (p *stepPanel) clock(inc incidents.Incident, clock runbooks.Clock, now time.Time, width int) []string {
	theme := p.c.theme
	running, ok := inc.Clocks[clockID(p.screen.runbook.Name, clock.Line)]
	var head string
	switch {
	case !ok:
		head = theme.Accent.Render(ui.Duration(clock.After)) + theme.Dim.Render(" not started")
	case !running.Acknowledged.IsZero():
		head = theme.Good.Render(ui.GlyphDone+" over") + theme.Dim.Render("   "+ui.Clean(running.AcknowledgedBy.Name)+"   "+running.Acknowledged.Local().Format("15:04:05"))
	case running.Left(now) > 0:
		head = theme.Accent.Render(ui.GlyphRunning+" "+ui.Duration(running.Left(now))+" left") + theme.Dim.Render("   until "+running.Deadline.Local().Format("15:04:05"))
	default:
		head = theme.Warn.Render(ui.GlyphOver + " over since " + ui.Duration(-running.Left(now)))
	}
	line := ui.Cut(" "+head, width)
	if containsFold(clock.Title, p.current.Text, p.current.Title) {
		return []string{line} // the step says already what the time is for
	}
	return append(indent(theme.Plain, ui.Clean(clock.Title), width), line)
}

// nextClock is the clock of the step that enter starts, or acknowledges once it
// is over; ok is false where the step has none left.
func (p *stepPanel) nextClock(inc incidents.Incident) (clock runbooks.Clock, running, ok bool) {
	if p.current == nil {
		return runbooks.Clock{}, false, false
	}
	for _, c := range p.current.Clocks {
		known, started := inc.Clocks[clockID(p.screen.runbook.Name, c.Line)]
		if !started || known.Acknowledged.IsZero() {
			return c, started, true
		}
	}
	return runbooks.Clock{}, false, false
}

// startClock begins the countdown of the step's next clock, or says that what it
// is for was done.
func (p *stepPanel) startClock() tea.Cmd {
	clock, running, ok := p.nextClock(p.screen.incident())
	if !ok {
		return nil
	}
	runner, who, inc := p.c.deps.Runner, p.c.deps.Operator, p.screen.id
	id, ref := clockID(p.screen.runbook.Name, clock.Line), p.whole()
	if running {
		return p.screen.intend("end the clock", "", func(ctx context.Context) error {
			_, err := runner.AcknowledgeClock(ctx, who, inc, id, "")
			return err
		})
	}
	return p.screen.intend("start the clock", "", func(ctx context.Context) error {
		_, err := runner.StartClock(ctx, who, inc, incidents.ClockStarted{
			Clock: id, Kind: clock.Kind, Title: clock.Title, Deadline: time.Now().Add(clock.After), Ref: ref, Line: clock.Line,
		})
		return err
	})
}
