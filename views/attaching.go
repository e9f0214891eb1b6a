package views

import (
	"context"
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// attach adds the alert under the cursor to an incident that is open already.
func (h *home) attach() tea.Cmd {
	alert, _ := h.alerts.selected()
	var open []incidents.Incident
	for _, inc := range h.c.deps.Runner.Incidents() {
		if inc.Open() {
			open = append(open, inc)
		}
	}
	h.c.dialogs.Open(&attaching{c: h.c, alert: alert, open: open})
	return nil
}

// unattachable is why the alert under the cursor can belong to no other incident.
func (h *home) unattachable() string {
	alert, ok := h.alerts.selected()
	if !ok {
		return "no alert is selected"
	}
	if inc, ok := h.c.deps.Runner.OpenFor(alert.Key()); ok {
		return "it belongs to " + inc.ID
	}
	for _, inc := range h.c.deps.Runner.Incidents() {
		if inc.Open() {
			return ""
		}
	}
	return "no incident is open"
}

// attaching asks which incident an alert belongs to.
type attaching struct {
	c      *Cockpit
	alert  probes.Alert
	open   []incidents.Incident
	scroll ui.Scroll
}

// Title implements ui.Dialog.
func (d *attaching) Title() string {
	return ui.Clean(d.alert.Name) + " belongs to which incident?"
}

// Keys implements ui.Dialog.
func (d *attaching) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"enter"}, Does: "attach"}, {Keys: []string{"j"}, Show: "j k", Does: "choose"}, {Keys: []string{"esc"}, Does: "leave it"}}
}

// Update implements ui.Dialog.
func (d *attaching) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch key.String() {
	case "esc", "q":
		return nil, true
	case "j", "down":
		d.scroll.Move(1, len(d.open))
	case "k", "up":
		d.scroll.Move(-1, len(d.open))
	case "enter":
		return d.attach(d.open[d.scroll.Cursor]), true
	}
	return nil, false
}

func (d *attaching) attach(inc incidents.Incident) tea.Cmd {
	runner, who, a := d.c.deps.Runner, d.c.deps.Operator, d.alert
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		_, err := runner.Attach(ctx, who, inc.ID, incidents.AlertAttached{Alert: a.Name, Severity: a.Severity, Key: a.Key(), Labels: a.Labels, Since: a.Since})
		if err != nil {
			return failed(fmt.Errorf("attach %s to %s: %w", a.Name, inc.ID, err))
		}
		return told(a.Name + " belongs to " + inc.ID)
	}
}

// Lines implements ui.Dialog.
func (d *attaching) Lines(theme ui.Theme, width, height int) []string {
	lines := []string{""}
	from, to := d.scroll.Window(len(d.open), max(1, height-2))
	for i := from; i < to; i++ {
		mark, style := " ", theme.Plain
		if i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		inc := d.open[i]
		right := theme.Dim.Render(ui.Clean(ownerOf(inc))+"  ") + ui.Duration(inc.Duration(d.c.now))
		lines = append(lines, ui.Spread(mark+" "+style.Render(ui.Clean(inc.ID+"  "+inc.Title)), right, width))
	}
	return append(lines, "")
}
