package views

import (
	"fmt"
	"strings"
	"time"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// loginsPane shows who fails to log in, and whether it looks like an attack.
type loginsPane struct {
	theme  ui.Theme
	cell   *probes.Cell[probes.Logins]
	scroll ui.Scroll
	page   int
	cache  drawn[canvas]
}

func (p *loginsPane) keys() []ui.Binding {
	total := func() int {
		l := p.cell.Load().Value
		return max(len(l.ByAddress), len(l.ByUser))
	}
	return rows(&p.scroll, total, max(1, p.page), func() {})
}
func (p *loginsPane) filter(string) error { return errNoFilter }
func (p *loginsPane) filtered() string    { return "" }
func (p *loginsPane) wants(width int) int {
	if width >= 72 {
		return 1
	}
	l := p.cell.Load().Value
	return max(2, len(l.ByAddress), len(l.ByUser))
}

func (p *loginsPane) rule(now time.Time) ui.Rule {
	r := p.cell.Load()
	rule := ui.Rule{Key: "5", Title: "Failed logins"}
	if !r.TakenAt.IsZero() {
		l := r.Value
		style := p.theme.Plain
		if l.Threshold > 0 && l.PerMinute > l.Threshold {
			style = p.theme.Warn
		}
		rule.Answer = style.Render(fmt.Sprintf("%s of %s", measure(config.UnitPerMinute, l.PerMinute), ui.Number(l.Threshold))) + "  " + p.pattern(l)
	}
	if t := trouble(p.theme, r.State(now), r.Err, r.Age(now)); t != "" {
		rule.Answer = strings.TrimSpace(rule.Answer + "  " + t)
	}
	return rule
}

func (p *loginsPane) pattern(l probes.Logins) string {
	if l.Pattern == probes.NoPattern || l.Pattern == "" {
		return p.theme.Dim.Render(string(probes.NoPattern))
	}
	return p.theme.Warn.Render(ui.Clean(string(l.Pattern)))
}

func (p *loginsPane) render(now time.Time, width, height int, full, focused bool) []string {
	r := p.cell.Load()
	key := canvas{r.Seq, now.Unix(), width, height, full, focused, p.scroll, ""}
	return p.cache.get(key, func() []string {
		if r.TakenAt.IsZero() {
			return ui.Block(explain(p.theme, r.State(now), r.Err, width), width, height)
		}
		if full {
			return ui.Block(p.everything(r.Value, now, width, height), width, height)
		}
		return ui.Block(p.tallies(r.Value, width, height), width, height)
	})
}

// tallies is the pane among others: the worst addresses beside the worst users.
func (p *loginsPane) tallies(l probes.Logins, width, height int) []string {
	if l.Total == 0 {
		return []string{p.theme.Dim.Render(" none in the last " + ui.Age(l.Window))}
	}
	if height == 1 {
		half := width / 2
		return []string{ui.Fit(" "+inline(l.ByAddress, half-2), half) + inline(l.ByUser, width-half-1)}
	}
	lines := make([]string, 0, height)
	for i := range height {
		lines = append(lines, pair(at(l.ByAddress, i), at(l.ByUser, i), width))
	}
	return lines
}

// inline writes tallies one after another, as many as fit whole.
func inline(tallies []probes.Tally, width int) string {
	var b strings.Builder
	used := 0
	for _, t := range tallies {
		text := ui.Clean(t.Name) + " ×" + fmt.Sprint(t.Count)
		if used > 0 {
			text = "   " + text
		}
		if w := ui.Width(text); used+w <= width {
			b.WriteString(text)
			used += w
			continue
		}
		break
	}
	return b.String()
}

func at(tallies []probes.Tally, i int) probes.Tally {
	if i < len(tallies) {
		return tallies[i]
	}
	return probes.Tally{}
}

// pair writes an address and a user side by side.
func pair(address, user probes.Tally, width int) string {
	half := min((width-1)/2, 30)
	return " " + talliedCell(address, half) + talliedCell(user, half)
}

func talliedCell(t probes.Tally, width int) string {
	if t.Name == "" {
		return strings.Repeat(" ", width)
	}
	return ui.Fit(ui.CutMiddle(ui.Clean(t.Name), width-8), width-7) + fmt.Sprintf("%5d  ", t.Count)
}

// everything is the full-screen view.
func (p *loginsPane) everything(l probes.Logins, now time.Time, width, height int) []string {
	lines := []string{
		fmt.Sprintf(" %s in the last %s, from %s, for %s", count(l.Total, "failed login"), ui.Age(l.Window), addresses(l.Addresses), count(l.Users, "user")),
		" " + p.pattern(l) + "  " + p.theme.Dim.Render(ui.Clean(l.Why)),
	}
	for _, s := range l.Sources {
		state := p.theme.Dim.Render("read")
		if s.Err != nil {
			state = p.theme.Warn.Render(ui.Clean(s.Err.Error()))
			if notConfigured(s.Err) {
				state = p.theme.Dim.Render(ui.Clean(s.Err.Error()))
			}
		}
		lines = append(lines, fmt.Sprintf(" %-8s", ui.Clean(s.Name))+state)
	}
	columns := []ui.Column{
		ui.MarkColumn,
		{Title: "ADDRESS", Width: 39, Ends: true},
		{Title: "FAILED", Width: 6, Right: true},
		{Title: "LAST", Width: 4, Right: true},
		{Title: "USER", Ends: true},
		{Title: "FAILED", Width: 6, Right: true},
		{Title: "LAST", Width: 4, Right: true},
	}
	if width < 100 {
		columns[1].Width = 17
	}
	total := max(len(l.ByAddress), len(l.ByUser))
	room := max(1, height-len(lines)-2)
	p.page = room
	p.scroll.To(p.scroll.Cursor, total)
	from := min(p.scroll.Cursor, max(0, total-room))
	var table [][]ui.Cell
	for i := from; i < min(total, from+room); i++ {
		row := append([]ui.Cell{{}}, p.cells(at(l.ByAddress, i), now)...)
		table = append(table, append(row, p.cells(at(l.ByUser, i), now)...))
	}
	return append(append(lines, ""), ui.Table(p.theme, columns, true, table, width)...)
}

func (p *loginsPane) cells(t probes.Tally, now time.Time) []ui.Cell {
	if t.Name == "" {
		return []ui.Cell{{}, {}, {}}
	}
	return []ui.Cell{
		{Text: ui.Clean(t.Name), Style: p.theme.Plain},
		{Text: fmt.Sprint(t.Count), Style: p.theme.Plain},
		{Text: ui.Age(now.Sub(t.Last)), Style: p.theme.Dim},
	}
}

func addresses(n int) string {
	if n == 1 {
		return "1 address"
	}
	return fmt.Sprintf("%d addresses", n)
}
