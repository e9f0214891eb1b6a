package views

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

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
}

func newConfirm(c *Cockpit, plan incidents.Plan, run func(string) tea.Cmd) *confirm {
	return &confirm{c: c, plan: plan, prompt: ui.NewPrompt(c.theme, "", "", nil), quiet: ui.NewQuiet(c.now), run: run}
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

// Lines implements ui.Dialog.
func (d *confirm) Lines(theme ui.Theme, width, height int) []string {
	lines := []string{""}
	for _, line := range ui.CleanLines(d.plan.Script) {
		for _, part := range ui.Wrap(line, width) {
			lines = append(lines, theme.Strong.Render(part))
		}
	}
	const after = 6 // the lines below the script must stay in sight
	if over := len(lines) - (height - after); over > 0 && height > after+2 {
		lines = append(lines[:height-after-1], theme.Warn.Render(fmt.Sprintf("… %d more lines: copy the command with y to read them", over+1)))
	}
	where := d.plan.Context + " / " + d.plan.Namespace
	lines = append(lines, "", "where    "+ui.Clean(where))
	for _, other := range d.plan.Elsewhere {
		lines = append(lines, theme.Warn.Render("but      the text itself names "+ui.Clean(other)))
	}
	label := "type " + theme.Strong.Render(ui.Clean(d.plan.Confirm)) + " to run it  "
	lines = append(lines, "", label+d.prompt.Render(theme, max(8, width-ui.Width(label))))
	if d.wrong != "" {
		return append(lines, theme.Warn.Render(ui.Clean(d.wrong)))
	}
	return append(lines, "")
}
