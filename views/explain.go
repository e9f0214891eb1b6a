package views

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// unexplained is why there is no plan to ask the database for.
func (p *stepPanel) unexplained() string {
	cmd := p.selected()
	switch {
	case cmd == nil:
		return "the step has no command"
	case cmd.Problem != "":
		return "it does not parse: " + cmd.Problem
	case cmd.Language != runbooks.SQL && !strings.Contains(cmd.Text, "psql"):
		return "it is not SQL"
	}
	return ""
}

// explain asks the database how it would execute the selected statement, before
// it does.
func (p *stepPanel) explain() tea.Cmd {
	cmd := *p.selected()
	return p.bind(cmd, p.known(cmd), func(bound runbooks.Bound) tea.Cmd {
		d := &planDialog{panel: p, bound: bound}
		p.c.dialogs.Open(d)
		return d.read
	})
}

// planDialog shows PostgreSQL's plan of a statement. Nothing of the statement is
// executed for it.
type planDialog struct {
	panel  *stepPanel
	bound  runbooks.Bound
	lines  []string
	err    error
	done   bool
	offset int
}

// planRead brings a plan.
type planRead struct {
	dialog *planDialog
	lines  []string
	err    error
}

func (d *planDialog) read() tea.Msg {
	ctx, cancel := context.WithTimeout(context.Background(), operation)
	defer cancel()
	lines, err := d.panel.c.deps.Explain(ctx, d.bound)
	return planRead{d, lines, err}
}

// Title implements ui.Dialog.
func (d *planDialog) Title() string { return "how it would be executed" }

// Keys implements ui.Dialog.
func (d *planDialog) Keys() []ui.Binding {
	return []ui.Binding{
		{Keys: []string{"enter"}, Does: "run it"},
		{Keys: []string{"j"}, Show: "j k", Does: "scroll"},
		{Keys: []string{"y"}, Does: "copy the plan"},
		{Keys: []string{"esc"}, Does: "leave it"},
	}
}

// Update implements ui.Dialog.
func (d *planDialog) Update(msg tea.Msg) (tea.Cmd, bool) {
	if read, ok := msg.(planRead); ok && read.dialog == d {
		d.lines, d.err, d.done = read.lines, read.err, true
		return nil, false
	}
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch key.String() {
	case "esc", "q":
		return nil, true
	case "enter":
		if d.done {
			return d.panel.captured(d.bound), true
		}
	case "y":
		return d.panel.c.copyText(strings.Join(d.lines, "\n")), false
	case "j", "down":
		d.offset++
	case "k", "up":
		d.offset = max(0, d.offset-1)
	}
	return nil, false
}

// Lines implements ui.Dialog.
func (d *planDialog) Lines(theme ui.Theme, width, height int) []string {
	lines := []string{""}
	for _, line := range ui.CleanLines(strings.TrimRight(d.bound.Script, "\n")) {
		lines = append(lines, theme.Strong.Render(line))
	}
	const most = 6 // of the statement, so that the plan is in sight
	if len(lines) > most {
		lines = append(lines[:most], theme.Dim.Render(ui.Ellipsis))
	}
	lines = append(lines, "")
	switch {
	case !d.done:
		return append(lines, theme.Dim.Render("asking the database for its plan"), "")
	case d.err != nil:
		for _, part := range ui.Wrap(ui.Clean(d.err.Error()), width) {
			lines = append(lines, theme.Warn.Render(part))
		}
		return append(lines, "")
	}
	room := max(1, height-len(lines)-1)
	d.offset = max(0, min(d.offset, len(d.lines)-room))
	for _, line := range d.lines[d.offset:min(len(d.lines), d.offset+room)] {
		lines = append(lines, ui.Cut(ui.Clean(line), width))
	}
	return append(lines, "")
}
