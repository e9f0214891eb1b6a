package views

import (
	"context"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// askNote asks for a note at the bottom of the screen.
func (s *incidentScreen) askNote() tea.Cmd {
	s.c.prompt = &prompt{Prompt: ui.NewPrompt(s.c.theme, " note: ", "", nil), enter: func(text string) tea.Cmd {
		return s.c.note(s.id, text)
	}}
	return nil
}

// noteOf is the incident that a note from the home screen belongs to: that of
// the alert under the cursor, or else the newest that is open.
func (h *home) noteOf() (incidents.Incident, bool) {
	if alert, ok := h.alerts.selected(); ok && h.focus == paneAlerts {
		if inc, ok := h.c.deps.Runner.OpenFor(alert.Key()); ok {
			return inc, true
		}
	}
	for _, inc := range h.c.deps.Runner.Incidents() {
		if inc.Open() {
			return inc, true
		}
	}
	return incidents.Incident{}, false
}

// noteless is why there is nothing to write a note for.
func (h *home) noteless() string {
	if _, ok := h.noteOf(); !ok {
		return "no incident is open"
	}
	return ""
}

func (h *home) note() tea.Cmd {
	inc, _ := h.noteOf()
	h.c.prompt = &prompt{Prompt: ui.NewPrompt(h.c.theme, " note for "+ui.Clean(inc.ID)+": ", "", nil), enter: func(text string) tea.Cmd {
		return h.c.note(inc.ID, text)
	}}
	return nil
}

// note writes a note down.
func (c *Cockpit) note(incident, text string) tea.Cmd {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		if _, err := c.deps.Runner.Note(ctx, c.deps.Operator, incident, text); err != nil {
			return failed(fmt.Errorf("note: %w", err))
		}
		return told("noted in " + incident)
	}
}
