package views

import (
	"errors"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// bindForm asks for the values that a command still needs, one at a time.
type bindForm struct {
	c       *Cockpit
	command runbooks.Command
	missing []string
	values  map[string]string
	prompt  *ui.Prompt
	done    func(values map[string]string) tea.Cmd
	wrong   error
}

func newBindForm(c *Cockpit, cmd runbooks.Command, missing []string, known map[string]string, done func(map[string]string) tea.Cmd) *bindForm {
	return &bindForm{c: c, command: cmd, missing: missing, values: known, prompt: ui.NewPrompt(c.theme, "", "", nil), done: done}
}

// Title implements ui.Dialog.
func (d *bindForm) Title() string { return "what is " + d.missing[0] + "?" }

// Keys implements ui.Dialog.
func (d *bindForm) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"enter"}, Does: "take it"}, {Keys: []string{"esc"}, Does: "leave it"}}
}

// Update implements ui.Dialog.
func (d *bindForm) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		if paste, ok := msg.(tea.PasteMsg); ok {
			return d.prompt.Update(paste), false
		}
		return nil, false
	}
	switch key.String() {
	case "esc":
		return nil, true
	case "enter":
		return d.take()
	}
	d.wrong = nil
	return d.prompt.Update(key), false
}

func (d *bindForm) take() (tea.Cmd, bool) {
	text := d.prompt.Text()
	if text == "" {
		d.wrong = errors.New("a value is needed")
		return nil, false
	}
	d.values[d.missing[0]] = text
	d.missing = d.missing[1:]
	if len(d.missing) > 0 {
		d.prompt = ui.NewPrompt(d.c.theme, "", "", nil)
		return nil, false
	}
	return d.done(d.values), true
}

// Lines implements ui.Dialog.
func (d *bindForm) Lines(theme ui.Theme, width, _ int) []string {
	lines := []string{""}
	for _, line := range ui.CleanLines(d.command.Text) {
		lines = append(lines, ui.Cut(line, width))
	}
	label := theme.Accent.Render(ui.Clean(d.missing[0])) + "  "
	lines = append(lines, "", label+d.prompt.Render(theme, max(8, width-ui.Width(label))))
	if d.wrong != nil {
		return append(lines, theme.Warn.Render(d.wrong.Error()))
	}
	return append(lines, "")
}
