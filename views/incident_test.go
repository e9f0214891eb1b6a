package views

import (
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/ui/screentest"
)

func press(c *Cockpit, names ...string) tea.Cmd {
	var cmd tea.Cmd
	for _, name := range names {
		key := tea.KeyPressMsg{Code: []rune(name)[0], Text: name}
		switch name {
		case "enter":
			key = tea.KeyPressMsg{Code: tea.KeyEnter}
		case "esc":
			key = tea.KeyPressMsg{Code: tea.KeyEscape}
		case "tab":
			key = tea.KeyPressMsg{Code: tea.KeyTab}
		case "space":
			key = tea.KeyPressMsg{Code: tea.KeySpace, Text: " "}
		case "down":
			key = tea.KeyPressMsg{Code: tea.KeyDown}
		case "ctrl+y":
			key = tea.KeyPressMsg{Code: 'y', Mod: tea.ModCtrl}
		case "ctrl+s":
			key = tea.KeyPressMsg{Code: 's', Mod: tea.ModCtrl}
		}
		_, cmd = c.Update(key)
	}
	return cmd
}

func TestIncidentScreens(t *testing.T) {
	t.Setenv("TZ", "UTC")
	for _, s := range sizes() {
		t.Run(size(s), func(t *testing.T) {
			c := testCockpit(t, burning(t))
			c.width, c.height = s[0], s[1]
			c.Update(press(c, "enter")())
			screen := c.top().(*incidentScreen)
			pump(t, c, screen.update(second(noon)))
			c.now = noon
			screentest.Golden(t, "incident-"+size(s), screentest.Render(t, c.draw(), s[0], s[1]))
			press(c, "j")
			c.now = noon
			screentest.Golden(t, "step-"+size(s), screentest.Render(t, c.draw(), s[0], s[1]))
			c.Update(press(c, "j", "j", "enter")())
			c.now = noon
			screentest.Golden(t, "confirm-"+size(s), screentest.Render(t, c.draw(), s[0], s[1]))
		})
	}
}
