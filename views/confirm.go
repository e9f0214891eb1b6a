package views

import (
	"context"
	"errors"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// confirm shows exactly what would run and where, and takes it only when the
// name of what it changes is typed.
type confirm struct {
	c      *Cockpit
	plan   incidents.Plan
	prompt *ui.Prompt
	quiet  ui.Quiet
	run    func(typed string) tea.Cmd
	wrong  string

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
	return &confirm{c: c, plan: plan, prompt: ui.NewPrompt(c.theme, "", "", nil), quiet: ui.NewQuiet(c.now), run: run}
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
	if d.plan.Bound.Command.Language == runbooks.SQL {
		return "changes the database"
	}
	return "changes the cluster"
}

// Keys implements ui.Dialog.
func (d *confirm) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"enter"}, Does: "run it"}, {Keys: []string{"esc"}, Does: "leave it"}}
}

// Update implements ui.Dialog.
func (d *confirm) Update(msg tea.Msg) (tea.Cmd, bool) {
	if read, ok := msg.(previewRead); ok && read.dialog == d {
		d.preview, d.previewed, d.obstacles = &read.preview, read.err, read.obstacles
		return nil, false
	}
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	if key.String() == "esc" {
		return nil, true
	}
	if !d.quiet.Over(time.Now()) {
		return nil, false
	}
	if key.String() != "enter" {
		d.wrong = ""
		return d.prompt.Update(key), false
	}
	if d.prompt.Text() != d.plan.Confirm {
		d.wrong = fmt.Sprintf("that is not %s", d.plan.Confirm)
		return nil, false
	}
	return d.run(d.prompt.Text()), true
}

// facts are where the command runs, and what is now and would be after it.
func (d *confirm) facts(theme ui.Theme, width int) []string {
	lines := []string{"", "where    " + ui.Clean(d.plan.Context+" / "+d.plan.Namespace)}
	add := func(label string, style lipgloss.Style, texts ...string) {
		for _, text := range texts {
			for _, part := range ui.Wrap(ui.Clean(text), max(8, width-9)) {
				lines = append(lines, fmt.Sprintf("%-9s", label)+style.Render(part))
				label = ""
			}
		}
	}
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
		for _, part := range ui.Wrap(line, width) {
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
	label := "type " + theme.Strong.Render(ui.Clean(d.plan.Confirm)) + " to run it  "
	lines = append(lines, "", label+d.prompt.Render(theme, max(8, width-ui.Width(label))))
	if d.wrong != "" {
		return append(lines, theme.Warn.Render(ui.Clean(d.wrong)))
	}
	return append(lines, "")
}
