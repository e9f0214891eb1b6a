package views

import (
	"errors"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// bindForm asks for the values that a command still needs, one at a time: typed,
// or picked from what is alive now. The command is shown as it will be.
type bindForm struct {
	c       *Cockpit
	command runbooks.Command
	missing []string
	values  map[string]string
	done    func(values map[string]string) tea.Cmd

	placeholder runbooks.Placeholder
	prompt      *ui.Prompt
	scroll      ui.Scroll // over the candidates that match what is typed; -1 none
	picking     bool      // the cursor is in the list
	wrong       error
}

func newBindForm(c *Cockpit, cmd runbooks.Command, missing []string, known map[string]string, done func(map[string]string) tea.Cmd) *bindForm {
	d := &bindForm{c: c, command: cmd, missing: missing, values: known, done: done}
	d.next()
	return d
}

// next asks for the first value that is missing.
func (d *bindForm) next() {
	d.placeholder = runbooks.Describe(d.missing[0])
	d.prompt = ui.NewPrompt(d.c.theme, "", "", nil)
	if d.placeholder.Secret {
		d.prompt.Hide()
	}
	d.scroll, d.wrong = ui.Scroll{}, nil
	d.picking = len(d.candidates()) > 0
}

// candidates are the live values that match what is typed.
func (d *bindForm) candidates() []runbooks.Candidate {
	var out []runbooks.Candidate
	for _, c := range d.c.live().Candidates(d.placeholder) {
		if containsFold(d.prompt.Text(), c.Value, c.Detail) {
			out = append(out, c)
		}
	}
	return out
}

// Title implements ui.Dialog.
func (d *bindForm) Title() string { return "which " + string(d.placeholder.Kind) + "?" }

// Keys implements ui.Dialog.
func (d *bindForm) Keys() []ui.Binding {
	return []ui.Binding{
		{Keys: []string{"enter"}, Does: "take it"},
		{Keys: []string{"down"}, Show: "↓ ↑", Does: "choose"},
		{Keys: []string{"esc"}, Does: "leave it"},
	}
}

// Update implements ui.Dialog.
func (d *bindForm) Update(msg tea.Msg) (tea.Cmd, bool) {
	if paste, ok := msg.(tea.PasteMsg); ok {
		return d.prompt.Update(paste), false
	}
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	found := d.candidates()
	switch key.String() {
	case "esc":
		return nil, true
	case "enter":
		return d.take(found)
	case "down", "ctrl+n", "tab":
		d.scroll.Move(1, len(found))
		return nil, false
	case "up", "ctrl+p", "shift+tab":
		d.scroll.Move(-1, len(found))
		return nil, false
	}
	d.wrong = nil
	cmd := d.prompt.Update(key)
	d.scroll = ui.Scroll{}
	d.picking = len(d.candidates()) > 0
	return cmd, false
}

// take uses the candidate under the cursor, or what was typed where none
// matches.
func (d *bindForm) take(found []runbooks.Candidate) (tea.Cmd, bool) {
	value := d.prompt.Text()
	if d.picking && d.scroll.Cursor < len(found) {
		value = found[d.scroll.Cursor].Value
	}
	if value == "" {
		d.wrong = errors.New("a value is needed")
		return nil, false
	}
	d.values[d.missing[0]] = value
	// Bind knows what may not stand there; only what is missing still is no
	// reason to ask again.
	var unbound *runbooks.UnboundError
	if _, err := runbooks.Bind(d.command, d.values); err != nil && !errors.As(err, &unbound) {
		delete(d.values, d.missing[0])
		d.wrong = err
		return nil, false
	}
	d.missing = d.missing[1:]
	if len(d.missing) > 0 {
		d.next()
		return nil, false
	}
	return d.done(d.values), true
}

// Lines implements ui.Dialog.
func (d *bindForm) Lines(theme ui.Theme, width, height int) []string {
	lines := []string{""}
	const shown = 8 // lines of the command that give it enough context
	for _, line := range ui.CleanLines(d.command.Text) {
		if len(lines) == shown {
			lines = append(lines, theme.Dim.Render(ui.Ellipsis))
			break
		}
		lines = append(lines, ui.Cut(line, width))
	}
	label := theme.Accent.Render(ui.Clean(d.missing[0])) + "  "
	lines = append(lines, "", label+d.prompt.Render(theme, max(8, width-ui.Width(label))))
	if d.wrong != nil {
		lines = append(lines, indent(theme.Warn, ui.Clean(d.wrong.Error()), width)...)
	}
	found := d.candidates()
	from, to := d.scroll.Window(len(found), max(1, min(8, height-len(lines)-1)))
	for i := from; i < to; i++ {
		mark, style := " ", theme.Plain
		if i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		lines = append(lines, ui.Cut(mark+" "+style.Render(ui.Clean(found[i].Value))+"  "+theme.Dim.Render(ui.Clean(found[i].Detail)), width))
	}
	if to < len(found) {
		lines = append(lines, theme.Dim.Render(fmt.Sprintf("  %d more: type to narrow", len(found)-to)))
	}
	return append(lines, "")
}
