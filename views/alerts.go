package views

import (
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// owner is who works on an alert, and since when.
type owner struct {
	name  string
	since time.Time
}

// alertsPane lists what is burning, worst first.
type alertsPane struct {
	theme  ui.Theme
	cell   *probes.Cell[probes.Alerts]
	owners func() (byAlert map[string]owner, version int64)
	unit   func(alert string) config.Unit // of an alert's value
	scroll ui.Scroll
	chosen string // key of the alert under the cursor, kept when the order changes
	query  string
	page   int
	cache  drawn[struct {
		canvas
		owners int64
	}]
}

func (p *alertsPane) visible() []probes.Alert {
	return p.matching(p.cell.Load().Value.Alerts)
}

func (p *alertsPane) matching(all []probes.Alert) []probes.Alert {
	if p.query == "" {
		return all
	}
	var out []probes.Alert
	for _, a := range all {
		if containsFold(p.query, a.Name, a.Severity, string(a.State), labelText(a.Labels)) {
			out = append(out, a)
		}
	}
	return out
}

// selected is the alert under the cursor; ok is false where there is none.
func (p *alertsPane) selected() (probes.Alert, bool) {
	alerts := p.visible()
	p.follow(alerts)
	if p.scroll.Cursor >= len(alerts) {
		return probes.Alert{}, false
	}
	return alerts[p.scroll.Cursor], true
}

// follow keeps the cursor on the alert that it was on when the order changes.
func (p *alertsPane) follow(alerts []probes.Alert) {
	for i, a := range alerts {
		if a.Key() == p.chosen {
			p.scroll.To(i, len(alerts))
			return
		}
	}
	p.scroll.To(p.scroll.Cursor, len(alerts))
	if p.scroll.Cursor < len(alerts) {
		p.chosen = alerts[p.scroll.Cursor].Key()
	}
}

func (p *alertsPane) moved() {
	if alerts := p.visible(); p.scroll.Cursor < len(alerts) {
		p.chosen = alerts[p.scroll.Cursor].Key()
	}
}

func (p *alertsPane) keys() []ui.Binding {
	return rows(&p.scroll, func() int { return len(p.visible()) }, max(1, p.page), p.moved)
}

func (p *alertsPane) filter(text string) error { p.query = text; return nil }
func (p *alertsPane) filtered() string         { return p.query }
func (p *alertsPane) wants(int) int            { return len(p.visible()) + 2 }

func (p *alertsPane) rule(now time.Time) ui.Rule {
	r := p.cell.Load()
	rule := ui.Rule{Key: "1", Title: "Alerts", Detail: filterDetail(p.theme, p.query)}
	if t := trouble(p.theme, r.State(now), r.Err, r.Age(now)); t != "" {
		rule.Answer = t
		if len(r.Value.Alerts) > 0 {
			rule.Answer = p.tally(r.Value.Alerts) + "  " + t
		}
		return rule
	}
	if r.TakenAt.IsZero() {
		return rule
	}
	rule.Answer = p.tally(r.Value.Alerts)
	return rule
}

// tally counts the alerts by what an operator would ask first.
func (p *alertsPane) tally(alerts []probes.Alert) string {
	var critical, warning, other, pending, quiet int
	for _, a := range alerts {
		switch {
		case a.State == probes.Silenced || a.State == probes.Suppressed:
			quiet++
		case a.State == probes.Pending:
			pending++
		case strings.EqualFold(a.Severity, "critical"):
			critical++
		case strings.EqualFold(a.Severity, "warning"):
			warning++
		default:
			other++
		}
	}
	var parts []string
	add := func(n int, word string, style lipgloss.Style) {
		if n > 0 {
			parts = append(parts, style.Render(fmt.Sprintf("%d %s", n, word)))
		}
	}
	add(critical, "critical", p.theme.Critical)
	add(warning, "warning", p.theme.Warn)
	add(other, "firing", p.theme.Plain)
	add(pending, "pending", p.theme.Plain)
	add(quiet, "silenced", p.theme.Dim)
	if len(parts) == 0 {
		return p.theme.Dim.Render("none firing")
	}
	return strings.Join(parts, "  ")
}

func (p *alertsPane) render(now time.Time, width, height int, full, focused bool) []string {
	r := p.cell.Load()
	owners, version := p.owners()
	key := p.cache.of
	key.canvas = canvas{r.Seq, now.Unix(), width, height, full, focused, p.scroll, p.query + "\x00" + p.chosen}
	key.owners = version
	return p.cache.get(key, func() []string { return p.draw(r, owners, now, width, height, focused) })
}

func (p *alertsPane) draw(r probes.Reading[probes.Alerts], owners map[string]owner, now time.Time, width, height int, focused bool) []string {
	alerts := p.matching(r.Value.Alerts)
	if len(alerts) == 0 {
		lines := explain(p.theme, r.State(now), r.Err, width)
		if lines == nil {
			calm := fmt.Sprintf(" nothing fires   %s watched", count(len(r.Value.Rules), "rule"))
			if p.query != "" {
				calm = " no alert matches " + ui.Clean(p.query)
			}
			lines = []string{p.theme.Dim.Render(calm)}
		}
		return ui.Block(lines, width, height)
	}
	p.follow(alerts)
	header := height > len(alerts) || height > 6
	room := height
	if header {
		room--
	}
	p.page = room
	from, to := p.scroll.Window(len(alerts), room)
	columns := []ui.Column{
		ui.MarkColumn,
		{Title: "SEVERITY", Width: 8},
		{Title: "ALERT", Ends: true},
		{Title: "SINCE", Width: 5, Right: true},
		{Title: "VALUE", Width: 7, Right: true},
		{Title: "OWNER", Width: 8},
	}
	if width >= 100 {
		columns[5].Width = 16
	}
	table := make([][]ui.Cell, 0, to-from)
	for i, a := range alerts[from:to] {
		mark, name := ui.Cell{}, p.theme.Plain
		if from+i == p.scroll.Cursor {
			mark = ui.Cell{Text: ui.GlyphCursor, Style: p.theme.Accent}
			if focused {
				name = p.theme.Selected
			}
		}
		severity := ui.Cell{Text: ui.Clean(a.Severity), Style: severityStyle(p.theme, a.Severity)}
		switch a.State {
		case probes.Pending:
			severity = ui.Cell{Text: "pending", Style: p.theme.Plain}
		case probes.Silenced, probes.Suppressed:
			severity = ui.Cell{Text: string(a.State), Style: p.theme.Dim}
		}
		own := ui.Cell{Text: "–", Style: p.theme.Dim}
		if o, ok := owners[a.Key()]; ok {
			own = ui.Cell{Text: ui.Clean(o.name) + " " + ui.Age(now.Sub(o.since)), Style: p.theme.Plain}
		} else if a.Silence != nil {
			own = ui.Cell{Text: ui.Clean(a.Silence.CreatedBy), Style: p.theme.Dim}
		}
		table = append(table, []ui.Cell{
			mark, severity,
			{Text: ui.Clean(p.name(a, alerts)), Style: name},
			{Text: ui.Duration(now.Sub(a.Since)), Style: p.theme.Plain},
			{Text: measure(p.unit(a.Name), a.Value), Style: p.theme.Plain},
			own,
		})
	}
	return ui.Block(ui.Table(p.theme, columns, header, table, width), width, height)
}

// name tells alerts of one rule apart by the labels in which they differ.
func (p *alertsPane) name(a probes.Alert, all []probes.Alert) string {
	name := a.Name
	for _, k := range sortedKeys(a.Labels) {
		if k == "alertname" || k == "severity" {
			continue
		}
		for _, b := range all {
			if b.Name == a.Name && b.Labels[k] != a.Labels[k] {
				name += " " + k + "=" + a.Labels[k]
				break
			}
		}
	}
	return name
}
