package views

import (
	"strings"
	"testing"

	"github.com/erpgo/flightdeck/ui/screentest"
)

func TestHomeScreens(t *testing.T) {
	t.Setenv("TZ", "UTC")
	for _, s := range sizes() {
		t.Run(size(s), func(t *testing.T) {
			c := testCockpit(t, burning(t))
			c.width, c.height = s[0], s[1]
			screentest.Golden(t, "home-"+size(s), screentest.Render(t, c.draw(), s[0], s[1]))
		})
	}
}

func TestSmallTerminalsSayWhatTheyNeed(t *testing.T) {
	for _, s := range [][2]int{{79, 24}, {60, 20}, {40, 10}, {20, 5}} {
		c := testCockpit(t, burning(t))
		c.width, c.height = s[0], s[1]
		screen := screentest.Render(t, c.draw(), s[0], s[1])
		if !strings.HasPrefix(screen.Text(), "flightdeck needs 80") {
			t.Errorf("%s does not say what it needs:\n%s", size(s), screen.Text())
		}
		if s[0] >= leastWidth && !screen.Contains("1 critical") {
			t.Errorf("%s does not say that something is critical:\n%s", size(s), screen.Text())
		}
	}
}
