package views

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// index is the list of all runbooks. It opens by a command, and for an alert
// that has none.
type index struct {
	c      *Cockpit
	alert  incidentAlert // what the chosen runbook is opened for
	query  string
	scroll ui.Scroll
	page   int
	// nearest are offered first, and not assumed.
	nearest []*runbooks.Runbook
}

func newIndex(c *Cockpit, query string) *index { return &index{c: c, query: query} }

// newIndexFor offers every runbook for an alert that has none, the nearest
// names first.
func newIndexFor(c *Cockpit, alert incidentAlert, nearest []*runbooks.Runbook) *index {
	return &index{c: c, alert: alert, nearest: nearest}
}

func (x *index) visible() []*runbooks.Runbook {
	var out []*runbooks.Runbook
	for _, rb := range slices.Concat(x.nearest, x.c.deps.Library.All()) {
		if slices.Contains(out, rb) {
			continue
		}
		if containsFold(x.query, rb.Name, rb.Title, rb.Alert, rb.Severity, rb.File) {
			out = append(out, rb)
		}
	}
	return out
}

func (x *index) update(tea.Msg) tea.Cmd   { return nil }
func (x *index) close()                   {}
func (x *index) filterable() filterable   { return x }
func (x *index) filter(text string) error { x.query = text; return nil }
func (x *index) filtered() string         { return x.query }

func (x *index) keys() []ui.Binding {
	none := ""
	if len(x.visible()) == 0 {
		none = "no runbook is selected"
	}
	return append([]ui.Binding{{Keys: []string{"enter"}, Does: "open", Why: none, Action: x.open}},
		rows(&x.scroll, func() int { return len(x.visible()) }, max(1, x.page), func() {})...)
}

func (x *index) open() tea.Cmd {
	all := x.visible()
	x.scroll.To(x.scroll.Cursor, len(all))
	name := all[x.scroll.Cursor].Name
	rb, ok := x.c.deps.Library.ByName(name) // the list has heads only
	if !ok {
		return func() tea.Msg { return failed(fmt.Errorf("runbook %s is gone: its file changed", name)) }
	}
	return x.c.openRunbook(rb, x.alert)
}

func (x *index) render(now time.Time, width, height int) []string {
	theme := x.c.theme
	lines := []string{header(theme, x.c.where(), sources(x.c.deps.Board, now), now, width)}
	all := x.visible()
	rule := ui.Rule{Title: "Runbooks", Detail: filterDetail(theme, x.query), Focused: true, Answer: count(len(all), "runbook")}
	if x.alert.known() {
		lines = append(lines, x.unmatched(width)...)
	}
	problems := x.problems(theme, width)
	if n := len(x.c.deps.Library.Problems()); n > 0 {
		rule.Answer += "   " + theme.Warn.Render(count(n, "problem"))
	}
	lines = append(lines, rule.Render(theme, width))
	room := max(1, height-len(lines)-1-len(problems))
	x.page = max(1, room)
	from, to := x.scroll.Window(len(all), room)
	columns := []ui.Column{ui.MarkColumn, {Title: "RUNBOOK"}, {Title: "ALERT", Width: 32, Ends: true}, {Title: "SEVERITY", Width: 8}}
	if width >= 120 {
		columns = append(columns, ui.Column{Title: "FILE", Width: 40, Ends: true})
	}
	rows := make([][]ui.Cell, 0, to-from)
	for i, rb := range all[from:to] {
		mark, style := ui.Cell{}, theme.Plain
		if slices.Contains(x.nearest, rb) {
			mark = ui.Cell{Text: nearMark, Style: theme.Dim}
		}
		if from+i == x.scroll.Cursor {
			mark, style = ui.Cell{Text: ui.GlyphCursor, Style: theme.Accent}, theme.Selected
		}
		rows = append(rows, []ui.Cell{
			mark,
			{Text: ui.Clean(rb.Title), Style: style},
			{Text: ui.Clean(rb.Alert), Style: theme.Plain},
			{Text: ui.Clean(rb.Severity), Style: severityStyle(theme, rb.Severity)},
			{Text: ui.Clean(fmt.Sprintf("%s:%d", rb.File, rb.Line)), Style: theme.Dim},
		})
	}
	lines = append(lines, ui.Block(ui.Table(theme, columns, true, rows, width), width, room+1)...)
	return append(lines, problems...)
}

// nearMark marks a runbook that is offered for its name.
const nearMark = "≈"

// unmatched says that nothing certain was found for the alert, and what is
// offered.
func (x *index) unmatched(width int) []string {
	theme := x.c.theme
	lines := indent(theme.Warn, "no runbook belongs to "+ui.Clean(x.alert.Name), width)
	advice := "choose one, or name it in the rule's runbook_url annotation"
	if len(x.nearest) > 0 {
		advice = nearMark + " has a name like it, which proves nothing; " + advice
	}
	return append(lines, indent(theme.Dim, advice, width)...)
}

// problems are what the library has to say of its files, in a few lines.
func (x *index) problems(theme ui.Theme, width int) []string {
	const shown = 3
	all := x.c.deps.Library.Problems()
	// A file that cannot be read any more comes before what is odd in one.
	slices.SortStableFunc(all, func(a, b runbooks.FileProblem) int {
		switch {
		case a.LastGood == b.LastGood:
			return 0
		case a.LastGood:
			return -1
		}
		return 1
	})
	var lines []string
	for _, problem := range all[:min(len(all), shown)] {
		text := fmt.Sprintf("%s %s:%d  %s", ui.GlyphWrong, ui.Clean(problem.File), problem.Line, ui.Clean(problem.Message))
		lines = append(lines, ui.Cut(" "+theme.Warn.Render(text), width))
	}
	if more := len(all) - shown; more > 0 {
		lines = append(lines, theme.Dim.Render(fmt.Sprintf("   %d more: flightdeck lint", more)))
	}
	return lines
}
