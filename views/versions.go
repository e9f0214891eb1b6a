package views

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// versionRead brings a runbook to show in the place of the one that is shown:
// another one for the same alert, or the same after its file changed.
type versionRead struct {
	screen  *incidentScreen
	runbook *runbooks.Runbook
	says    string
}

// use makes a runbook the one that is worked. The cursor stays on the step that
// it was on where the runbook has it.
func (s *incidentScreen) use(rb *runbooks.Runbook) {
	step := ""
	if s.step.current != nil {
		step = s.step.current.ID
	}
	s.runbook = rb
	s.gates, s.stood = s.c.gatesOf(rb), nil
	if !slices.Contains(s.opened, rb.Name) {
		s.opened = append(s.opened, rb.Name)
	}
	s.list = newChecklist(s.c.theme, rb)
	s.list.choose(step)
	s.step.shown(s.list.selected())
}

// versions are the names of the runbooks for this alert and of those that were
// opened in the incident, the shown one among them, in the library's order.
func (s *incidentScreen) versions() []string {
	names := slices.Concat(s.opened, s.runbook.Versions)
	var ordered []string
	for _, rb := range s.c.deps.Library.All() {
		if slices.Contains(names, rb.Name) {
			ordered = append(ordered, rb.Name)
		}
	}
	return ordered
}

// onlyVersion is why there is no other version to go to.
func (s *incidentScreen) onlyVersion() string {
	if len(s.runbook.Versions) == 0 && len(s.opened) < 2 {
		return "no other runbook is for this alert"
	}
	return ""
}

// otherVersion goes on to the next runbook for the same alert. It becomes the
// incident's checklist; what was done on the other one stays known.
func (s *incidentScreen) otherVersion() tea.Cmd {
	names := s.versions()
	at := (slices.Index(names, s.runbook.Name) + 1) % len(names)
	library, runner, who, id := s.c.deps.Library, s.c.deps.Runner, s.c.deps.Operator, s.id
	return func() tea.Msg {
		rb, ok := library.ByName(names[at])
		if !ok {
			return failed(fmt.Errorf("runbook %s is gone: its file changed", names[at]))
		}
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		if _, err := runner.OpenRunbook(ctx, who, id, rb.Name); err != nil {
			return failed(fmt.Errorf("open the other version: %w", err))
		}
		return versionRead{s, rb, fmt.Sprintf("version %d of %d: %s, %s:%d", at+1, len(names), ui.Clean(rb.Title), ui.Clean(rb.File), rb.Line)}
	}
}

// reread looks whether the runbook's file has changed. It is the library that
// reads the file; here it is only asked what it has now.
func (s *incidentScreen) reread() tea.Cmd {
	library, shown := s.c.deps.Library, s.runbook
	return func() tea.Msg {
		rb, ok := library.ByName(shown.Name)
		if !ok || rb == shown || reflect.DeepEqual(rb, shown) {
			return nil
		}
		return versionRead{s, rb, "the runbook was read anew: its file changed"}
	}
}

// troubleOf is what the library says of a runbook's file that must be known
// while it is worked; empty for nothing.
func troubleOf(library *runbooks.Library, file string) string {
	for _, problem := range library.Problems() {
		if problem.File == file && problem.LastGood {
			return filepath.Base(file) + " " + problem.Message
		}
	}
	return ""
}
