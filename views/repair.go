package views

import (
	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// repairs are what could be meant by a query that does not parse.
func repairs(q runbooks.Query) []string {
	switch {
	case q.Parses:
		return nil
	case len(q.Repairs) > 0:
		return q.Repairs
	case q.Repair != "":
		return []string{q.Repair}
	}
	return nil
}

// broken are the queries of the step that do not parse and can be repaired.
func (p *stepPanel) broken() []runbooks.Query {
	if p.current == nil {
		return nil
	}
	var out []runbooks.Query
	for _, q := range p.current.Queries {
		if len(repairs(q)) > 0 {
			out = append(out, q)
		}
	}
	return out
}

// unbroken is why there is no repair to take.
func (p *stepPanel) unbroken() string {
	if len(p.broken()) == 0 {
		return "no query of the step needs one"
	}
	return ""
}

func (p *stepPanel) repair() tea.Cmd {
	p.c.dialogs.Open(&repairDialog{panel: p, queries: p.broken()})
	return nil
}

// repairDialog shows what a query that does not parse could have meant. Nothing
// of it is evaluated before the operator takes it, and the book stays as it is.
type repairDialog struct {
	panel   *stepPanel
	queries []runbooks.Query
	scroll  ui.Scroll // over the repairs of the first query
}

// Title implements ui.Dialog.
func (d *repairDialog) Title() string { return "the query does not parse" }

// Keys implements ui.Dialog.
func (d *repairDialog) Keys() []ui.Binding {
	keys := []ui.Binding{{Keys: []string{"enter"}, Does: "evaluate this"}}
	if len(repairs(d.queries[0])) > 1 {
		keys = append(keys, ui.Binding{Keys: []string{"j"}, Show: "j k", Does: "choose"})
	}
	return append(keys,
		ui.Binding{Keys: []string{"y"}, Does: "copy it"},
		ui.Binding{Keys: []string{"esc"}, Does: "leave it as it is"})
}

// Update implements ui.Dialog.
func (d *repairDialog) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	all := repairs(d.queries[0])
	switch key.String() {
	case "esc":
		return nil, true
	case "j", "down":
		d.scroll.Move(1, len(all))
	case "k", "up":
		d.scroll.Move(-1, len(all))
	case "y":
		return d.panel.c.copyText(all[d.scroll.Cursor]), false
	case "enter":
		d.panel.accepted[d.queries[0].Original] = all[d.scroll.Cursor]
		d.queries, d.scroll = d.queries[1:], ui.Scroll{}
		if len(d.queries) == 0 {
			return d.panel.ask(), true
		}
	}
	return nil, false
}

// Lines implements ui.Dialog.
func (d *repairDialog) Lines(theme ui.Theme, width, height int) []string {
	q := d.queries[0]
	lines := []string{"", theme.Dim.Render("the book has")}
	lines = append(lines, expression(theme, " ", q.Original, width)...)
	lines = append(lines, "", theme.Dim.Render("it may mean"))
	for i, repair := range repairs(q) {
		mark, style := " ", theme.Plain
		if i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		lines = append(lines, hanging(mark+" ", style, ui.Clean(oneLine(repair)), width)...)
	}
	if more := len(d.queries) - 1; more > 0 {
		lines = append(lines, "", theme.Dim.Render("then the next one that does not parse"))
	}
	return append(lines[:min(len(lines), max(1, height-1))], "")
}
