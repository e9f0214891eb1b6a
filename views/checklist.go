package views

import (
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// checklist is a runbook's steps as a list with their state.
type checklist struct {
	theme   ui.Theme
	runbook *runbooks.Runbook
	items   []checklistItem
	scroll  ui.Scroll // over items; the cursor is never on a heading
	page    int
}

// checklistItem is a step of the list, or the heading of a section.
type checklistItem struct {
	heading string
	step    *runbooks.Step
	depth   int
}

func newChecklist(theme ui.Theme, rb *runbooks.Runbook) *checklist {
	l := &checklist{theme: theme, runbook: rb}
	for i := range rb.Sections {
		section := &rb.Sections[i]
		if len(section.Steps) == 0 {
			continue
		}
		l.items = append(l.items, checklistItem{heading: section.Title})
		l.addSteps(section.Steps, 0)
	}
	l.move(0)
	return l
}

func (l *checklist) addSteps(steps []runbooks.Step, depth int) {
	for i := range steps {
		l.items = append(l.items, checklistItem{step: &steps[i], depth: depth})
		l.addSteps(steps[i].Steps, depth+1)
	}
}

// selected is the step under the cursor; nil in a runbook without steps.
func (l *checklist) selected() *runbooks.Step {
	if l.scroll.Cursor >= len(l.items) {
		return nil
	}
	return l.items[l.scroll.Cursor].step
}

// choose moves the cursor to the step with an ID; false where there is none.
func (l *checklist) choose(id string) bool {
	for i, item := range l.items {
		if item.step != nil && item.step.ID == id {
			l.scroll.To(i, len(l.items))
			return true
		}
	}
	return false
}

// move moves the cursor by n rows, over headings.
func (l *checklist) move(n int) {
	l.scroll.Move(n, len(l.items))
	way := 1
	if n < 0 {
		way = -1
	}
	for i := l.scroll.Cursor; i >= 0 && i < len(l.items); i += way {
		if l.items[i].step != nil {
			l.scroll.Cursor = i
			return
		}
	}
	if way < 0 { // above the first step there is only its heading
		l.move(1)
	}
}

func (l *checklist) keys(moved func()) []ui.Binding {
	move := func(n int) func() tea.Cmd {
		return func() tea.Cmd { l.move(n); moved(); return nil }
	}
	page := max(1, l.page-1)
	return []ui.Binding{
		{Keys: []string{"j", "down"}, Show: "j ↓", Does: "next step", Quiet: true, Action: move(1)},
		{Keys: []string{"k", "up"}, Show: "k ↑", Does: "previous step", Quiet: true, Action: move(-1)},
		{Keys: []string{"ctrl+f", "pgdown"}, Does: "page down", Quiet: true, Action: move(page)},
		{Keys: []string{"ctrl+b", "pgup"}, Does: "page up", Quiet: true, Action: move(-page)},
		{Keys: []string{"g", "home"}, Does: "first step", Quiet: true, Action: move(-len(l.items))},
		{Keys: []string{"G", "end"}, Does: "last step", Quiet: true, Action: move(len(l.items))},
	}
}

// block is the checklist with its rule, height lines in all. trouble is what has
// to be known of its file.
func (l *checklist) block(inc incidents.Incident, trouble string, width, height int, focused bool) []string {
	done, total := inc.Progress(*l.runbook)
	rule := ui.Rule{Title: "Checklist", Focused: focused, Answer: fmt.Sprintf("%d of %d", done, total)}
	lines := []string{rule.Render(l.theme, width)}
	if len(l.items) == 0 {
		return append(lines, ui.Block([]string{l.theme.Dim.Render(" no steps: B reads it")}, width, height-1)...)
	}
	if trouble != "" {
		warning := indent(l.theme.Warn, ui.Clean(trouble), width)
		lines = append(lines, ui.Block(warning, width, min(len(warning), 3))...)
	}
	room := max(1, height-len(lines))
	l.page = room
	from, to := l.scroll.Window(len(l.items), room)
	rows := make([]string, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, l.row(inc, i, width, focused))
	}
	return append(lines, ui.Block(rows, width, room)...)
}

func (l *checklist) row(inc incidents.Incident, i, width int, focused bool) string {
	item := l.items[i]
	if item.step == nil {
		return " " + l.theme.Dim.Render(ui.Clean(item.heading))
	}
	state := inc.Step(l.runbook.Name, *item.step)
	glyph, style := stateGlyph(l.theme, state.State, item.step)
	title := ui.Clean(item.step.Title)
	if item.step.Number != "" {
		title = ui.Clean(item.step.Number) + " " + title
	}
	mark := " "
	if i == l.scroll.Cursor {
		mark = l.theme.Accent.Render(ui.GlyphCursor)
		if focused && state.State == incidents.ToDo {
			style = l.theme.Selected
		}
	}
	left := mark + strings.Repeat("  ", item.depth) + style.Render(glyph+" "+title)
	right := ""
	switch state.State {
	case incidents.ToDo, incidents.Done:
	default:
		right = " " + style.Render(string(state.State)) + " "
	}
	return ui.Spread(left, right, width)
}

// stateGlyph is how a state is shown, in a glyph and a style.
func stateGlyph(theme ui.Theme, state incidents.ItemState, step *runbooks.Step) (string, lipgloss.Style) {
	switch state {
	case incidents.Running:
		return ui.GlyphRunning, theme.Accent
	case incidents.Done:
		return ui.GlyphDone, theme.Good
	case incidents.Failed:
		return ui.GlyphFailed, theme.Warn
	case incidents.Cancelled:
		return ui.GlyphFailed, theme.Dim
	case incidents.Interrupted:
		return ui.GlyphWrong, theme.Warn
	case incidents.Skipped:
		return ui.GlyphSkipped, theme.Dim
	case incidents.Excluded:
		return ui.GlyphRuledOut, theme.Dim
	}
	if step != nil && (step.If != "" || step.Kind == runbooks.StepChoice) {
		return ui.GlyphBranch, theme.Plain
	}
	return ui.GlyphToDo, theme.Plain
}
