package views

import (
	"errors"
	"fmt"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// bindForm asks for the values that a command still needs, one at a time: typed,
// or picked from what is alive now. The command is shown as it will be.
type bindForm struct {
	panel   *stepPanel
	command runbooks.Command
	missing []string
	values  map[string]string
	from    map[string]string // where the values that were at hand come from
	done    func(values map[string]string) tea.Cmd

	placeholder runbooks.Placeholder
	prompt      *ui.Prompt
	scroll      ui.Scroll // over the candidates that match what is typed; -1 none
	picking     bool      // the cursor is in the list
	wrong       error

	services []runbooks.Candidate // read when the form opened; nil until they are there
	unlisted error                // why there are none
}

func newBindForm(p *stepPanel, cmd runbooks.Command, missing []string, values map[string]string, done func(map[string]string) tea.Cmd) *bindForm {
	d := &bindForm{panel: p, command: cmd, missing: missing, values: values, from: p.sources(cmd, values), done: done}
	d.next()
	return d
}

// next asks for the first value that is missing.
func (d *bindForm) next() {
	d.placeholder = runbooks.Describe(d.missing[0])
	at := d.values[d.missing[0]]
	if d.placeholder.Secret {
		at = ""
	}
	d.prompt = ui.NewPrompt(d.panel.c.theme, "", at, nil)
	if d.placeholder.Secret {
		d.prompt.Hide()
	}
	d.scroll, d.wrong = ui.Scroll{}, nil
	d.picking = at == "" && len(d.candidates()) > 0
}

// candidates are the live values that match what is typed.
func (d *bindForm) candidates() []runbooks.Candidate {
	offered := d.panel.c.live().Candidates(d.placeholder)
	if d.placeholder.Kind == runbooks.KindService {
		offered = d.services
	}
	var out []runbooks.Candidate
	for _, c := range offered {
		if containsFold(d.prompt.Text(), c.Value, c.Detail) {
			out = append(out, c)
		}
	}
	return out
}

// Title implements ui.Dialog.
func (d *bindForm) Title() string {
	switch {
	case d.placeholder.Secret:
		return "a secret: typed unseen, masked wherever it would show"
	case d.placeholder.Kind == runbooks.KindText:
		return "which value?"
	}
	return "which " + string(d.placeholder.Kind) + "?"
}

// Keys implements ui.Dialog.
func (d *bindForm) Keys() []ui.Binding {
	takes := "take what you typed"
	if found := d.candidates(); d.picking && d.scroll.Cursor < len(found) {
		takes = "take " + ui.CutMiddle(ui.Clean(found[d.scroll.Cursor].Value), 32)
	}
	keys := []ui.Binding{{Keys: []string{"enter"}, Does: takes}}
	if len(d.candidates()) > 0 {
		keys = append(keys, ui.Binding{Keys: []string{"down"}, Show: "↓ ↑", Does: "choose"})
	}
	return append(keys, ui.Binding{Keys: []string{"esc"}, Does: "leave it"})
}

// Update implements ui.Dialog.
func (d *bindForm) Update(msg tea.Msg) (tea.Cmd, bool) {
	if paste, ok := msg.(tea.PasteMsg); ok {
		return d.prompt.Update(paste), false
	}
	if read, ok := msg.(servicesRead); ok && read.form == d {
		// The cursor stays out of the list: enter must not take what was not
		// there when it was pressed.
		d.services, d.unlisted = serviceCandidates(read.services, d.panel.c.now), read.err
		return nil, false
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
		if d.picking {
			d.scroll.Move(1, len(found))
		}
		d.picking = len(found) > 0
		return nil, false
	case "up", "ctrl+p", "shift+tab":
		d.scroll.Move(-1, len(found))
		return nil, false
	}
	d.wrong = nil
	cmd := d.prompt.Update(key)
	d.scroll = ui.Scroll{}
	d.picking = named[d.placeholder.Kind] && len(d.candidates()) > 0
	return cmd, false
}

// named are the kinds of value that exist under a name: what is typed narrows the
// list down to one of them. Of any other kind what is typed is the value, and
// 4 does not mean 41.
var named = map[runbooks.Kind]bool{
	runbooks.KindPod: true, runbooks.KindDeployment: true, runbooks.KindService: true, runbooks.KindNode: true, runbooks.KindNamespace: true,
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
	lines = append(lines, d.remembered(theme, width)...)
	label := theme.Accent.Render(ui.Clean(d.missing[0])) + "  "
	lines = append(lines, "", label+d.prompt.Render(theme, max(8, width-ui.Width(label))))
	if d.wrong != nil {
		lines = append(lines, indent(theme.Warn, ui.Clean(d.wrong.Error()), width)...)
	}
	if d.unlisted != nil && d.placeholder.Kind == runbooks.KindService {
		lines = append(lines, indent(theme.Dim, "none can be offered: "+ui.Clean(d.unlisted.Error()), width)...)
	}
	found := d.candidates()
	from, to := d.scroll.Window(len(found), max(1, min(8, height-len(lines)-1)))
	for i := from; i < to; i++ {
		mark, style := " ", theme.Plain
		if d.picking && i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		lines = append(lines, ui.Cut(mark+" "+style.Render(ui.Clean(found[i].Value))+"  "+theme.Dim.Render(ui.Clean(found[i].Detail)), width))
	}
	if to < len(found) {
		lines = append(lines, theme.Dim.Render(fmt.Sprintf("  %d more: type to narrow", len(found)-to)))
	}
	return append(lines, "")
}

// remembered are the values that the command has already, and where each comes
// from.
func (d *bindForm) remembered(theme ui.Theme, width int) []string {
	var lines []string
	for _, name := range slices.Concat(d.command.Placeholders, d.command.Variables) {
		value, ok := d.values[name]
		if !ok || slices.Contains(d.missing, name) {
			continue
		}
		if runbooks.Describe(name).Secret {
			value = incidents.Mask
		}
		from := d.from[name]
		if from == "" {
			from = "you, just now"
		}
		lines = append(lines, ui.Cut(theme.Dim.Render(ui.Clean(name))+"  "+ui.Clean(value)+"  "+theme.Dim.Render(from), width))
	}
	if len(lines) > 0 {
		return append([]string{""}, lines...)
	}
	return nil
}

// sources tell where the values at hand come from.
func (p *stepPanel) sources(cmd runbooks.Command, values map[string]string) map[string]string {
	said := p.screen.incident().Values
	from := make(map[string]string)
	for _, name := range slices.Concat(cmd.Placeholders, cmd.Variables) {
		value, ok := values[name]
		if !ok {
			continue
		}
		label, inLabels := runbooks.FromLabels(name, p.screen.alert.Labels)
		fixed, inConfig := p.configured(name)
		switch {
		case said[name] == value:
			from[name] = "remembered from an earlier step"
		case inLabels && label == value:
			from[name] = "from the alert's labels"
		case inConfig && fixed == value:
			from[name] = "from the configuration"
		default:
			from[name] = "from the cockpit's environment"
		}
	}
	return from
}
