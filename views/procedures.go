package views

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
)

// noRollback is why there is no procedure to go to.
func (s *incidentScreen) noRollback() string {
	all := s.c.deps.Library.For(runbooks.RollingBack)
	switch {
	case len(all) == 0:
		return "the books have no procedure for rolling back"
	case s.runbook.Name == all[0].Name:
		return "it is open already"
	}
	return ""
}

// rollBack makes the procedure for rolling back the checklist of this incident.
// What was done on the other one stays known, and v goes back to it.
func (s *incidentScreen) rollBack() tea.Cmd {
	name := s.c.deps.Library.For(runbooks.RollingBack)[0].Name
	if t, ok := s.c.top().(*timeline); ok && t.s == s {
		_ = s.c.back()
	}
	return s.turnTo(name, "rolling back: what was done until now stays in the timeline")
}

// turnTo makes another runbook the incident's checklist.
func (s *incidentScreen) turnTo(name, says string) tea.Cmd {
	return func() tea.Msg {
		rb, ok := s.c.deps.Library.ByName(name)
		if !ok {
			return failed(fmt.Errorf("runbook %s is gone: its file changed", name))
		}
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		if _, err := s.c.deps.Runner.OpenRunbook(ctx, s.c.deps.Operator, s.id, rb.Name); err != nil {
			return failed(fmt.Errorf("open %s: %w", rb.Title, err))
		}
		return versionRead{s, rb, says}
	}
}

// openProcedure opens what the books have for a purpose, as an incident of its
// own kind; where they have several the operator chooses.
func (c *Cockpit) openProcedure(purpose runbooks.Purpose) tea.Cmd {
	all := c.deps.Library.For(purpose)
	if len(all) != 1 {
		if len(all) == 0 {
			return func() tea.Msg { return failed(fmt.Errorf("the books have no procedure for %s", purpose)) }
		}
		return func() tea.Msg { return push{newIndexFor(c, incidentAlert{}, all)} }
	}
	return c.openByName(all[0].Name)
}

// typeOf is what an incident is about that is opened with a runbook.
func (c *Cockpit) typeOf(rb *runbooks.Runbook, alert incidentAlert) incidents.Type {
	if alert.known() {
		return incidents.FromAlert
	}
	for purpose, kind := range map[runbooks.Purpose]incidents.Type{runbooks.RollingBack: incidents.Rollback, runbooks.Deploying: incidents.Deploy} {
		for _, head := range c.deps.Library.For(purpose) {
			if head.Name == rb.Name {
				return kind
			}
		}
	}
	return incidents.ByHand
}
