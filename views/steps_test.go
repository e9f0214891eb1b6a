package views

import (
	"context"
	"fmt"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui/screentest"
)

// stepScreens are the screens of every kind of step, and what an operator does
// to see them.
var stepScreens = []struct {
	name  string
	sizes [][2]int
	see   func(t *testing.T, c *Cockpit, s *incidentScreen)
}{
	{"reads-failed", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Check the error logs")
		pump(t, c, press(c, "enter"))
	}},
	{"query-range", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Check the cache hit rate")
		c.deps.Chart = func(context.Context, string, time.Time, time.Time, time.Duration) (probes.Chart, error) {
			return hitRates(), nil
		}
		c.now = noon
		pump(t, c, s.step.ask())
	}},
	{"query-repair", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Identify slow endpoints")
		pump(t, c, press(c, "u"))
	}},
	{"query-instant", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Identify slow endpoints")
		c.deps.Chart = func(context.Context, string, time.Time, time.Time, time.Duration) (probes.Chart, error) {
			return endpoints(), nil
		}
		press(c, "u")
		pump(t, c, press(c, "enter"))
	}},
	{"manual", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Check external dependencies")
		press(c, "space")
		c.prompt.Update(tea.PasteMsg{Content: "status page is green"})
		pump(t, c, press(c, "enter"))
	}},
	{"sql-table", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Find long-running queries")
		pump(t, c, press(c, "enter"))
	}},
	{"sql-explain", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Find long-running queries")
		pump(t, c, press(c, "e"))
	}},
	{"compose-folded", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Check the database container")
		pump(t, c, press(c, "enter"))
	}},
	{"preflight", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, _ *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Warm the cache")
		s.step.obstacles = map[int][]runbooks.Obstacle{0: {{
			What: "./scripts/warm-cache.sh", Why: "is not there in /home/op1",
			Do: "start the cockpit in the folder that the runbook's files belong to, or skip the step",
		}}}
	}},
	{"skip-reason", [][2]int{{80, 24}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Warm the cache")
		press(c, "s")
		c.prompt.Update(tea.PasteMsg{Content: "the script is on the other bastion"})
	}},
	{"bind-form", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		t.Setenv("DB_USER", "erpgo")
		s.moveTo(t, "Look who is in")
		press(c, "enter")
	}},
	{"secret-form", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Log in as the administrator")
		press(c, "enter", "h", "u", "n", "t", "e", "r", "2")
	}},
	{"secret-shown", [][2]int{{80, 24}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Log in as the administrator")
		pump(t, c, press(c, "enter", "h", "u", "n", "t", "e", "r", "2", "enter"))
	}},
	{"change", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "If caused by recent deployment")
		confirmAs(t, c, "erpgo-api")
		settle(t, c, s)
	}},
	{"choice", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, _ *Cockpit, s *incidentScreen) {
		s.moveTo(t, "If caused by recent deployment")
		s.part = partStep
	}},
	{"options", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, _ *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Release again")
	}},
	{"destroys", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "If the database is corrupted")
		c.deps.Preview = func(context.Context, runbooks.Bound) (runbooks.Preview, error) {
			return runbooks.Preview{
				Now: []string{"persistentvolumeclaim data-postgres-0   Bound   20Gi   41d"}, After: []string{"it is gone, and its volume with it"},
				Checked: []string{"dry run on the server"}, Warnings: []string{"not owned by anything: it will not come back"},
			}, nil
		}
		pump(t, c, press(c, "enter"))
	}},
	{"refused", [][2]int{{80, 24}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		c.deps.Operator.Role = incidents.Observer
		s.moveTo(t, "If the database is corrupted")
		pump(t, c, press(c, "enter"))
	}},
	{"live", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Monitor for 10 minutes")
		pump(t, c, press(c, "enter"))
		c.draw() // moves on to the next command
		pump(t, c, press(c, "enter"))
		runs := s.live.runs()
		waitFor(t, func() bool {
			return len(runs) == 2 && runs[0].Output().Stats().Lines == 2 && runs[1].Output().Stats().Lines == 5
		}, "both print")
		s.part = partLive
	}},
	{"live-list", [][2]int{{80, 24}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Monitor for 10 minutes")
		pump(t, c, press(c, "enter"))
		waitFor(t, func() bool { return s.live.runs()[0].Output().Stats().Lines == 2 }, "it prints")
		press(c, "w")
	}},
	{"assertions", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Verify the rollback")
	}},
	{"question", [][2]int{{80, 24}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Verify the rollback")
		press(c, "a")
	}},
	{"wait", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Wait until it settles")
	}},
	{"message", [][2]int{{80, 24}, {120, 40}}, func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Notify the team")
	}},
	{"message-editor", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		s.moveTo(t, "Notify the team")
		press(c, "enter")
	}},
	{"states", sizes(), func(t *testing.T, c *Cockpit, s *incidentScreen) {
		mark := func(title, key, reason string) {
			s.moveTo(t, title)
			press(c, key)
			c.prompt.Update(tea.PasteMsg{Content: reason})
			pump(t, c, press(c, "enter"))
		}
		mark("Check external dependencies", "space", "all green")
		mark("Identify slow endpoints", "s", "the error is in one endpoint only")
		mark("If the database is corrupted", "x", "it answers")
		s.moveTo(t, "Check the error logs")
		pump(t, c, press(c, "enter"))
		s.moveTo(t, "Monitor for 10 minutes")
		pump(t, c, press(c, "enter"))
		waitFor(t, func() bool { return s.live.runs()[0].Output().Stats().Lines == 2 }, "it prints")
		s.moveTo(t, "Identify slow endpoints")
	}},
}

func TestStepScreens(t *testing.T) {
	t.Setenv("TZ", "UTC")
	for _, screen := range stepScreens {
		for _, s := range screen.sizes {
			t.Run(screen.name+"-"+size(s), func(t *testing.T) {
				c, incident := workedCockpit(t, s[0], s[1])
				pump(t, c, incident.update(second(noon)))
				screen.see(t, c, incident)
				c.now = noon
				screentest.Golden(t, "steps/"+screen.name+"-"+size(s), screentest.Render(t, c.draw(), s[0], s[1]))
			})
		}
	}
}

// confirmAs runs the selected command and types its confirmation after the
// dialog's quiet time.
func confirmAs(t *testing.T, c *Cockpit, typed string) {
	t.Helper()
	pump(t, c, press(c, "enter"))
	dialog, ok := c.dialogs.Top().(*confirm)
	if !ok {
		t.Fatal("nothing asked for a confirmation")
	}
	dialog.quiet = quietIsOver
	for _, r := range typed {
		press(c, string(r))
	}
	pump(t, c, press(c, "enter"))
}

// settle marks the signals of the last change as they are once it has worked.
func settle(t *testing.T, c *Cockpit, s *incidentScreen) {
	t.Helper()
	calm := signals(func(int) float64 { return 0.2 })
	c.deps.Board.Signals.Publish(probes.Signals{Signals: calm}, noon, time.Second)
	for ref, item := range s.incident().Items {
		if item.Before == nil {
			continue
		}
		marks := incidents.SignalsMarked{Phase: incidents.After, Run: item.Run, Ref: ref, Signals: values(s.watched())}
		if _, err := c.deps.Runner.MarkSignals(t.Context(), s.id, marks); err != nil {
			t.Fatal(err)
		}
	}
}

func waitFor(t *testing.T, done func() bool, what string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !done() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
		<-time.After(time.Millisecond)
	}
}

// hitRates are two caches over an hour, one of which fell below its threshold.
func hitRates() probes.Chart {
	c := probes.Chart{Expr: "cache_hit_rate"}
	for i, name := range []string{"sessions", "products"} {
		s := probes.Series{Labels: map[string]string{"cache": name}}
		for j := range 240 {
			v := 0.95 - 0.02*float64(i)
			if i == 0 && j > 150 {
				v -= float64(j-150) * 0.004
			}
			s.Points = append(s.Points, probes.Point{At: noon.Add(time.Duration(j-239) * 15 * time.Second), Value: v})
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// endpoints are series that have one value each.
func endpoints() probes.Chart {
	c := probes.Chart{}
	for i := range 12 {
		c.Series = append(c.Series, probes.Series{
			Labels: map[string]string{"endpoint": fmt.Sprintf("/api/v1/resource-%02d", i)},
			Points: []probes.Point{{At: noon, Value: 2.4 - 0.19*float64(i)}},
		})
	}
	return c
}
