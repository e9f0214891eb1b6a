package views

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// runningList is the dialog with everything that runs: the one under the cursor
// can be stopped, or looked at where it stands in the checklist.
type runningList struct {
	c      *Cockpit
	screen *incidentScreen
	scroll ui.Scroll
	quiet  ui.Quiet
}

func newRunningList(c *Cockpit, s *incidentScreen) *runningList {
	return &runningList{c: c, screen: s, quiet: ui.NewQuiet(c.now)}
}

// Title implements ui.Dialog.
func (d *runningList) Title() string {
	return count(len(d.c.deps.Runner.Running()), "command") + " running"
}

// Keys implements ui.Dialog.
func (d *runningList) Keys() []ui.Binding {
	return []ui.Binding{
		{Keys: []string{"enter"}, Does: "go to it"},
		{Keys: []string{"c"}, Does: "stop it"},
		{Keys: []string{"j"}, Show: "j k", Does: "choose"},
		{Keys: []string{"esc"}, Does: "close"},
	}
}

// Update implements ui.Dialog.
func (d *runningList) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	runs := d.c.deps.Runner.Running()
	switch key.String() {
	case "esc", "q", "w":
		return nil, true
	case "j", "down":
		d.scroll.Move(1, len(runs))
	case "k", "up":
		d.scroll.Move(-1, len(runs))
	case "c", "enter":
		if len(runs) == 0 || !d.quiet.Over(time.Now()) {
			return nil, false
		}
		run := runs[min(d.scroll.Cursor, len(runs)-1)]
		if key.String() == "c" {
			return d.c.stopRun(run), false
		}
		return d.screen.goTo(run), true
	}
	return nil, false
}

// Lines implements ui.Dialog.
func (d *runningList) Lines(theme ui.Theme, width, height int) []string {
	runs := d.c.deps.Runner.Running()
	if len(runs) == 0 {
		return []string{"", theme.Dim.Render("nothing runs any more"), ""}
	}
	lines := []string{""}
	from, to := d.scroll.Window(len(runs), max(1, height-2))
	for i := from; i < to; i++ {
		mark, style := " ", theme.Plain
		if i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		right := theme.Dim.Render(ui.Clean(runs[i].Incident)+"  "+ui.Clean(runs[i].By.Name)+"  ") + ui.Duration(d.c.now.Sub(runs[i].Started))
		left := mark + " " + style.Render(ui.Clean(oneLine(runs[i].Plan.Script)))
		lines = append(lines, ui.Spread(ui.Cut(left, width-ui.Width(right)-2)+"  ", right, width))
	}
	return append(lines, "")
}

// goTo shows the step of a run of this incident, and gives its live pane the
// keys where it has one.
func (s *incidentScreen) goTo(run *incidents.Run) tea.Cmd {
	switch {
	case run.Incident != s.id:
		return func() tea.Msg {
			return told("it belongs to " + run.Incident + ": leave this incident and open that one")
		}
	case run.Ref.Runbook != s.runbook.Name:
		return func() tea.Msg { return told("it belongs to the runbook " + ui.Clean(run.Ref.Runbook)) }
	}
	if s.list.choose(run.Ref.Step) {
		s.step.shown(s.list.selected())
		s.step.command = max(0, run.Ref.Command)
	}
	if run.Plan.Bound.Command.Endless {
		s.live.chosen, s.live.offset, s.part = run.ID, 0, partLive
	}
	return nil
}
