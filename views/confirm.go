package views

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// confirm shows exactly what would run and where, and takes it only when the
// name of what it changes is typed.
type confirm struct {
	typedWord
	c    *Cockpit
	plan incidents.Plan
	does string // what the word does, once it is typed
	run  func(typed string) tea.Cmd

	preview   *runbooks.Preview // nil while it is being worked out
	previewed error             // why there is none
	obstacles []runbooks.Obstacle
}

// previewRead brings what a command would change.
type previewRead struct {
	dialog    *confirm
	preview   runbooks.Preview
	err       error
	obstacles []runbooks.Obstacle
}

func newConfirm(c *Cockpit, plan incidents.Plan, run func(string) tea.Cmd) *confirm {
	return &confirm{typedWord: newTypedWord(c, plan.Confirm), c: c, plan: plan, does: "run it", run: run}
}

// look works the preview out, away from the screen.
func (d *confirm) look() tea.Msg {
	ctx, cancel := context.WithTimeout(context.Background(), operation)
	defer cancel()
	read := previewRead{dialog: d}
	read.preview, read.err = d.c.deps.Preview(ctx, d.plan.Bound)
	read.obstacles = d.c.deps.Permissions(ctx, d.plan.Bound)
	return read
}

// Title implements ui.Dialog.
func (d *confirm) Title() string {
	switch d.plan.Risk {
	case runbooks.Destroys:
		return "destroys"
	case runbooks.Unknown:
		return "what this does cannot be told from its text"
	}
	switch cmd := d.plan.Bound.Command; {
	case cmd.Language == runbooks.SQL:
		return "changes the database"
	case inCluster(cmd):
		return "changes the cluster"
	}
	return "changes something"
}

// inCluster tells whether a command acts on the pinned cluster.
func inCluster(cmd runbooks.Command) bool { return slices.Contains(cmd.Programs, "kubectl") }

// where is what the command acts on. What the programs of other clouds reach
// from here is for them to say.
func (d *confirm) where() string {
	pinned := d.plan.Context + " / " + d.plan.Namespace
	cmd := d.plan.Bound.Command
	switch {
	case cmd.Language == runbooks.SQL && d.preview != nil && d.preview.Where != "":
		return d.preview.Where
	case cmd.Language == runbooks.SQL:
		return "the configured database"
	case inCluster(cmd):
		return pinned
	case len(cmd.Programs) > 0:
		return strings.Join(cmd.Programs, ", ") + " on this machine; kubectl is pinned to " + pinned
	}
	return "this machine; kubectl is pinned to " + pinned
}

// Keys implements ui.Dialog.
func (d *confirm) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"enter"}, Does: d.does}, {Keys: []string{"esc"}, Does: "leave it"}}
}

// Update implements ui.Dialog.
func (d *confirm) Update(msg tea.Msg) (tea.Cmd, bool) {
	if read, ok := msg.(previewRead); ok && read.dialog == d {
		d.preview, d.previewed, d.obstacles = &read.preview, read.err, read.obstacles
		return nil, false
	}
	cmd, typed, left := d.update(msg)
	if typed {
		return d.run(d.word), true
	}
	return cmd, left
}

// facts are where the command runs, and what is now and would be after it.
func (d *confirm) facts(theme ui.Theme, width int) []string {
	lines := []string{""}
	add := func(label string, style lipgloss.Style, texts ...string) {
		for _, text := range texts {
			for _, part := range ui.WrapCode(ui.Clean(text), max(8, width-9)) {
				lines = append(lines, fmt.Sprintf("%-9s", label)+style.Render(part))
				label = ""
			}
		}
	}
	add("where", theme.Plain, d.where())
	for _, other := range d.plan.Elsewhere {
		add("but", theme.Warn, "the text itself names "+other)
	}
	switch {
	case d.preview == nil:
		add("after", theme.Dim, "asking the server what would change")
	case errors.Is(d.previewed, runbooks.ErrNoPreview):
		add("after", theme.Dim, "what it would change cannot be told before it runs")
	case d.previewed != nil:
		add("after", theme.Warn, d.previewed.Error())
	default:
		add("now", theme.Plain, d.preview.Now...)
		add("after", theme.Plain, d.preview.After...)
		for _, line := range d.preview.Diff {
			lines = append(lines, ui.Cut("         "+ui.Clean(line), width))
		}
		add("checked", theme.Dim, d.preview.Checked...)
		add("beware", theme.Warn, d.preview.Warnings...)
		const most = 6 // lines of a plan, of which the first ones tell; all of it is a key away
		add("plan", theme.Dim, d.preview.Plan[:min(len(d.preview.Plan), most)]...)
	}
	for _, o := range d.obstacles {
		add("but", theme.Warn, o.What+" "+o.Why+": "+o.Do)
	}
	return lines
}

// Lines implements ui.Dialog.
func (d *confirm) Lines(theme ui.Theme, width, height int) []string {
	lines := []string{""}
	for _, line := range ui.CleanLines(d.plan.Script) {
		for _, part := range ui.WrapCode(line, width) {
			lines = append(lines, theme.Strong.Render(part))
		}
	}
	facts := d.facts(theme, width)
	// The script is what is confirmed: it keeps at least half of the dialog, and
	// the line to type on is always in sight.
	const below = 4
	room := max(2, height-below-len(facts))
	if least := (height - below) / 2; room < least {
		facts = facts[:max(0, height-below-least)]
		room = least
	}
	if len(lines) > room {
		lines = append(lines[:room-1], theme.Warn.Render(fmt.Sprintf("… %d more lines: esc, and y copies them all", len(lines)-room+1)))
	}
	lines = append(lines, facts...)
	lines = append(lines, "")
	return append(lines, d.typedWord.lines(theme, "to "+d.does, width)...)
}
