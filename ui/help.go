package ui

import (
	tea "charm.land/bubbletea/v2"
)

// KeyGroup is the bindings of one part of the screen, under a heading.
type KeyGroup struct {
	Title    string
	Bindings []Binding
}

// Help is the dialog that lists every key that works here, made from the
// bindings themselves. What is refused now is dim, with the reason.
type Help struct {
	groups []KeyGroup
	offset int
}

// NewHelp returns the help for some groups of bindings.
func NewHelp(groups []KeyGroup) *Help { return &Help{groups: groups} }

// Title implements Dialog.
func (h *Help) Title() string { return "keys" }

// Keys implements Dialog.
func (h *Help) Keys() []Binding {
	return []Binding{{Keys: []string{"esc"}, Does: "close"}, {Keys: []string{"j"}, Show: "j k", Does: "scroll"}}
}

// Update implements Dialog.
func (h *Help) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch key.String() {
	case "esc", "q", "?", "enter":
		return nil, true
	case "down", "j":
		h.offset++
	case "up", "k":
		h.offset = max(0, h.offset-1)
	}
	return nil, false
}

// Lines implements Dialog.
func (h *Help) Lines(theme Theme, width, height int) []string {
	var lines []string
	for _, g := range h.groups {
		if len(g.Bindings) == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, theme.Strong.Render(g.Title))
		for _, b := range g.Bindings {
			if b.Why != "" {
				lines = append(lines, theme.Dim.Render(Fit(b.Name(), 12)+b.Does+": "+b.Why))
				continue
			}
			lines = append(lines, theme.Accent.Render(Fit(b.Name(), 12))+b.Does)
		}
	}
	h.offset = max(0, min(h.offset, len(lines)-height))
	return lines[h.offset:min(len(lines), h.offset+max(height, 1))]
}
