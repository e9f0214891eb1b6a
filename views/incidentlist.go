package views

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// incidentList is the screen of all incidents: those that are open, one's own
// first, then those that were.
type incidentList struct {
	c      *Cockpit
	query  string
	scroll ui.Scroll
	page   int
}

func newIncidentList(c *Cockpit, query string) *incidentList {
	return &incidentList{c: c, query: query}
}

func (l *incidentList) update(tea.Msg) tea.Cmd   { return nil }
func (l *incidentList) close()                   {}
func (l *incidentList) filterable() filterable   { return l }
func (l *incidentList) filter(text string) error { l.query = text; return nil }
func (l *incidentList) filtered() string         { return l.query }

// The groups of the list, in their order.
const (
	groupMine = iota
	groupOpen
	groupRecent
)

// group is where an incident stands in the list.
func (l *incidentList) group(inc incidents.Incident) int {
	switch {
	case !inc.Open():
		return groupRecent
	case l.mine(inc):
		return groupMine
	}
	return groupOpen
}

// mine tells whether the operator opened it, acknowledged it, or has a role in
// it.
func (l *incidentList) mine(inc incidents.Incident) bool {
	me := l.c.deps.Operator.Actor.Name
	if inc.OpenedBy.Name == me || inc.AcknowledgedBy.Name == me {
		return true
	}
	for _, holder := range inc.Roles {
		if holder.Name == me {
			return true
		}
	}
	return false
}

func (l *incidentList) visible() []incidents.Incident {
	var out []incidents.Incident
	for _, inc := range l.c.deps.Runner.Incidents() {
		if containsFold(l.query, inc.ID, inc.Title, inc.Severity, inc.OpenedBy.Name, string(inc.Type), state(inc)) {
			out = append(out, inc)
		}
	}
	slices.SortStableFunc(out, func(a, b incidents.Incident) int { // the newest first already
		return cmp.Compare(l.group(a), l.group(b))
	})
	return out
}

func state(inc incidents.Incident) string {
	if inc.Open() {
		return "open"
	}
	return "resolved"
}

func (l *incidentList) keys() []ui.Binding {
	none := ""
	if len(l.visible()) == 0 {
		none = "no incident is selected"
	}
	return append([]ui.Binding{{Keys: []string{"enter"}, Does: "open", Why: none, Action: l.open}},
		rows(&l.scroll, func() int { return len(l.visible()) }, max(1, l.page), func() {})...)
}

func (l *incidentList) open() tea.Cmd {
	all := l.visible()
	l.scroll.To(l.scroll.Cursor, len(all))
	return l.c.openIncident(all[l.scroll.Cursor])
}

// listIncidents opens the list of all incidents.
func (c *Cockpit) listIncidents(query string) tea.Cmd {
	return func() tea.Msg { return push{newIncidentList(c, query)} }
}

// openIncident opens an incident that the journal has, with the runbook that it
// was worked with.
func (c *Cockpit) openIncident(inc incidents.Incident) tea.Cmd {
	alert := c.alertOf(inc)
	if inc.Runbook == "" {
		return func() tea.Msg { return push{newIndexFor(c, alert, nil)} }
	}
	rb, ok := c.deps.Library.ByName(inc.Runbook)
	if !ok {
		err := fmt.Errorf("%s was worked with runbook %s, which the library does not have: start with --runbooks and the books it was opened with", inc.ID, inc.Runbook)
		return func() tea.Msg { return failed(err) }
	}
	return func() tea.Msg { return push{newIncidentScreen(c, inc.ID, rb, alert)} }
}

// alertOf is the alert of an incident as it is now, or as it was where it is
// gone; the zero value for an incident without one.
func (c *Cockpit) alertOf(inc incidents.Incident) incidentAlert {
	if inc.Alert == "" {
		return incidentAlert{}
	}
	r := c.deps.Board.Alerts.Load().Value
	for _, a := range r.Alerts {
		if a.Key() == inc.Key {
			return incidentAlert{a}
		}
	}
	gone := probes.Alert{Name: inc.Alert, Severity: inc.Severity, Labels: inc.Labels, Since: inc.Began}
	for _, rule := range r.Rules {
		if rule.Name == inc.Alert {
			gone.Rule = rule
		}
	}
	return incidentAlert{gone}
}

func (l *incidentList) render(now time.Time, width, height int) []string {
	theme := l.c.theme
	lines := []string{header(theme, l.c.where(), sources(l.c.deps.Board, now), now, width)}
	all := l.visible()
	open, mine := 0, 0
	for _, inc := range all {
		switch l.group(inc) {
		case groupMine:
			mine++
			open++
		case groupOpen:
			open++
		}
	}
	rule := ui.Rule{
		Title: "Incidents", Detail: filterDetail(theme, l.query), Focused: true,
		Answer: fmt.Sprintf("%d open   %d mine   %d recent", open, mine, len(all)-open),
	}
	lines = append(lines, rule.Render(theme, width))
	if len(all) == 0 {
		none := " no incident yet: opening an alert's runbook begins one"
		if l.query != "" {
			none = " no incident matches " + ui.Clean(l.query)
		}
		return append(lines, ui.Block([]string{theme.Dim.Render(none)}, width, height-len(lines))...)
	}
	room := max(1, height-len(lines)-1)
	l.page = room
	from, to := l.scroll.Window(len(all), room)
	columns := []ui.Column{ui.MarkColumn, {Title: "ID", Width: 7}, {Title: "SEVERITY", Width: 8}, {Title: "TITLE", Ends: true}, {Title: "STATE", Width: 16}, {Title: "WHO", Width: 12}}
	if width >= 110 {
		columns = append(columns, ui.Column{Title: "OPENED", Width: 16}, ui.Column{Title: "EVENTS", Width: 6, Right: true})
	}
	rows := make([][]ui.Cell, 0, to-from)
	for i, inc := range all[from:to] {
		rows = append(rows, l.row(inc, from+i == l.scroll.Cursor, now))
	}
	return append(lines, ui.Block(ui.Table(theme, columns, true, rows, width), width, room+1)...)
}

func (l *incidentList) row(inc incidents.Incident, chosen bool, now time.Time) []ui.Cell {
	theme := l.c.theme
	mark, style, severity := ui.Cell{}, theme.Plain, severityStyle(theme, inc.Severity)
	stood := "open " + ui.Duration(inc.Duration(now))
	switch {
	case !inc.Open():
		style, severity = theme.Dim, theme.Dim
		stood = ui.GlyphDone + " after " + ui.Duration(inc.Duration(now))
	case l.group(inc) == groupMine:
		style = theme.Strong
	}
	if chosen {
		mark, style = ui.Cell{Text: ui.GlyphCursor, Style: theme.Accent}, theme.Selected
	}
	return []ui.Cell{
		mark,
		{Text: ui.Clean(inc.ID), Style: style},
		{Text: ui.Clean(inc.Severity), Style: severity},
		{Text: ui.Clean(inc.Title), Style: style},
		{Text: stood, Style: theme.Plain},
		{Text: ui.Clean(ownerOf(inc)), Style: theme.Plain},
		{Text: inc.OpenedAt.Local().Format("2006-01-02 15:04"), Style: theme.Dim},
		{Text: ui.Number(float64(inc.Events)), Style: theme.Dim},
	}
}

// ownerOf is who answers for an incident: who commands it, who acknowledged it,
// or who opened it.
func ownerOf(inc incidents.Incident) string {
	for _, role := range sortedKeys(inc.Roles) {
		if strings.Contains(role, "command") {
			return inc.Roles[role].Name
		}
	}
	if inc.AcknowledgedBy.Name != "" {
		return inc.AcknowledgedBy.Name
	}
	return inc.OpenedBy.Name
}
