package views

import (
	"context"
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
)

// startEscalation starts the clocks of the books' escalation path for an
// incident that has begun. Who is called at once is the one who opened it.
func (c *Cockpit) startEscalation(ctx context.Context, inc incidents.Incident) error {
	if inc.Type != incidents.FromAlert {
		return nil
	}
	for _, clock := range c.deps.Library.Escalation().Clocks {
		id := fmt.Sprintf("escalation:%d", clock.Line)
		if _, known := inc.Clocks[id]; known || clock.After == 0 {
			continue
		}
		_, err := c.deps.Runner.StartClock(ctx, c.deps.Operator, inc.ID, incidents.ClockStarted{
			Clock: id, Kind: clock.Kind, Title: clock.Title, Deadline: inc.OpenedAt.Add(clock.After), Line: clock.Line,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// runningClocks are the clocks of an incident that nobody has acknowledged, the
// nearest first. Once it is resolved nobody is called any more.
func runningClocks(inc incidents.Incident) []incidents.Clock {
	var clocks []incidents.Clock
	for _, clock := range inc.Clocks {
		if clock.Acknowledged.IsZero() && (inc.Open() || clock.Kind != runbooks.ClockEscalate) {
			clocks = append(clocks, clock)
		}
	}
	slices.SortFunc(clocks, func(a, b incidents.Clock) int {
		if n := a.Deadline.Compare(b.Deadline); n != 0 {
			return n
		}
		return a.Line - b.Line
	})
	return clocks
}

// expireClocks writes down that clocks have run out. Of several cockpits that
// notice it one does.
func (s *incidentScreen) expireClocks(now time.Time) tea.Cmd {
	var over []string
	for _, clock := range runningClocks(s.incident()) {
		if clock.Expired.IsZero() && clock.Left(now) <= 0 {
			over = append(over, clock.Clock)
		}
	}
	if len(over) == 0 || s.expiring {
		return nil
	}
	s.expiring = true
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		for _, clock := range over {
			if _, err := s.c.deps.Runner.ExpireClock(ctx, s.id, clock); err != nil {
				break
			}
		}
		return clocksExpired{s}
	}
}

// clocksExpired says that what ran out was written down.
type clocksExpired struct{ screen *incidentScreen }

// acknowledgeClock says that what a clock is for was done.
func (s *incidentScreen) acknowledgeClock(clock incidents.Clock) tea.Cmd {
	return s.intend("acknowledge the clock", "", func(ctx context.Context) error {
		_, err := s.c.deps.Runner.AcknowledgeClock(ctx, s.c.deps.Operator, s.id, clock.Clock, "")
		return err
	})
}
