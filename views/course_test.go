package views

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui/screentest"
)

// courseBook has what an incident is watched by: criteria for rolling back, an
// escalation path, and what is to do afterwards.
const courseBook = book + `
## Emergency Rollback

**When to Rollback:**
- Error rate > 5%
- p99 latency > 2 seconds
- Data corruption detected

### Rollback Steps

1. **Roll back:**
   ` + "```bash" + `
   kubectl rollout undo deployment/erpgo-api
   ` + "```" + `

## Deployment Procedures

### Deployment Steps

1. **Deploy:**
   ` + "```bash" + `
   kubectl rollout status deployment/erpgo-api
   ` + "```" + `

## General Troubleshooting

### Emergency Contacts
- On-call Engineer: the pager
- Database Team: db-team@example.com

### Escalation Path
1. On-call Engineer (immediate)
2. Team Lead (15 minutes)
3. CTO (1 hour)

## Post-Incident Actions

1. **Document the incident**
   - Create a report within 24 hours
2. **Conduct a post-mortem**
   - Schedule within 48 hours
3. **Update runbooks**
`

// atNoon runs a test when the fixtures are read: what is written down then has
// the same times whenever the test runs.
func atNoon(t *testing.T, test func(*testing.T)) {
	t.Setenv("TZ", "UTC")
	synctest.Test(t, func(t *testing.T) {
		pass(time.Until(noon))
		test(t)
	})
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// courseCockpit is a cockpit over the book of a whole incident. No command runs.
func courseCockpit(t *testing.T, size [2]int) *Cockpit {
	t.Helper()
	c := cockpitOf(t, burning(t), courseBook, incidents.Options{
		Journal:   incidents.NewMemory(),
		Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: runbooks.BashExecutor{}},
		Target:    runbooks.Target{Kubeconfig: "/nowhere", Context: "prod-eu", Namespace: "erpgo"},
	})
	c.width, c.height = size[0], size[1]
	return c
}

// after lets time pass, and the clock of the screen tick.
func after(t *testing.T, c *Cockpit, d time.Duration) {
	t.Helper()
	pass(d)
	tick(t, c)
}

// tick lets the screen do what it does every second, without the next tick.
func tick(t *testing.T, c *Cockpit) {
	t.Helper()
	c.now, c.dirty = time.Now(), true
	pump(t, c, c.top().update(second(time.Now())))
}

// typeIn types a text into whatever has the keys.
func typeIn(c *Cockpit, text string) tea.Cmd {
	var cmd tea.Cmd
	for _, r := range text {
		cmd = press(c, string(r))
	}
	return cmd
}

// worked is an incident that was opened, noted, acknowledged and gave reason to
// roll back.
func worked(t *testing.T, c *Cockpit) *incidentScreen {
	t.Helper()
	pump(t, c, press(c, "enter"))
	s, ok := c.top().(*incidentScreen)
	if !ok {
		t.Fatalf("the top screen is %T", c.top())
	}
	tick(t, c)
	after(t, c, 90*time.Second)
	pump(t, c, press(c, "A"))
	press(c, "n")
	typeIn(c, "the new release cannot read order_tax")
	pump(t, c, press(c, "enter"))
	press(c, ":")
	typeIn(c, "role commander")
	pump(t, c, press(c, "enter"))
	c.flash = flash{}
	after(t, c, time.Minute)
	return s
}

func TestCourseScreens(t *testing.T) {
	for _, s := range sizes() {
		t.Run(size(s), func(t *testing.T) {
			atNoon(t, func(t *testing.T) {
				c := courseCockpit(t, s)
				golden := func(name string) {
					t.Helper()
					c.now, c.dirty = time.Now(), true
					screentest.Golden(t, "course/"+name+"-"+size(s), screentest.Render(t, c.draw(), s[0], s[1]))
				}
				incident := worked(t, c)
				golden("incident")
				press(c, "W")
				golden("watched")
				press(c, "esc")
				pump(t, c, press(c, "T"))
				golden("timeline")
				c.dialogs.Open(&eventDetails{event: incidents.Event{
					Seq: 12, At: noon, Actor: incidents.Actor{Name: "op1", Host: "bastion"},
					Fact: incidents.StepStarted{Run: "r1", Script: "kubectl get pods |\n  grep -v Running", Risk: runbooks.Reads, Context: "prod-eu", Namespace: "erpgo"},
				}})
				golden("event")
				press(c, "esc")
				press(c, "/")
				typeIn(c, "note")
				press(c, "enter")
				golden("timeline-filtered")
				press(c, "esc")
				press(c, "esc")
				pump(t, c, press(c, "R"))
				if incident.runbook.Title != "Emergency Rollback" {
					t.Fatalf("R opened %s", incident.runbook.Title)
				}
				golden("rollback")
				after(t, c, 15*time.Minute)
				golden("overdue")
				press(c, "D")
				typeIn(c, "rolled back to 1.4.1")
				pump(t, c, press(c, "enter"))
				golden("resolved")
				press(c, "esc")
				press(c, "esc")
				pump(t, c, press(c, "I"))
				golden("incidents")
			})
		})
	}
}

func TestSilenceScreens(t *testing.T) {
	for _, s := range sizes() {
		t.Run(size(s), func(t *testing.T) {
			atNoon(t, func(t *testing.T) {
				board := burning(t)
				all := board.Alerts.Load().Value
				all.Alerts[1].State = probes.Silenced
				all.Alerts[1].Silence = &probes.Silence{ID: "1", CreatedBy: "op2", Comment: "known since Monday", EndsAt: noon.Add(time.Hour)}
				board.Alerts.Publish(all, noon, 5*time.Second)
				c := cockpitOf(t, board, courseBook, incidents.Options{Journal: incidents.NewMemory()})
				c.width, c.height = s[0], s[1]
				golden := func(name string) {
					t.Helper()
					c.now, c.dirty = noon, true
					screentest.Golden(t, "silence/"+name+"-"+size(s), screentest.Render(t, c.draw(), s[0], s[1]))
				}
				press(c, "a")
				golden("acknowledge")
				pass(time.Second)
				pump(t, c, typeIn(c, "ack"))
				pump(t, c, press(c, "enter"))
				golden("acknowledged")
				inc, ok := c.deps.Runner.OpenFor(all.Alerts[0].Key())
				if !ok || inc.AcknowledgedBy.Name != "op1" {
					t.Errorf("the incident is %+v, %v", inc, ok)
				}
				press(c, "j", "A")
				golden("attach")
				pump(t, c, press(c, "enter"))
				if inc, _ = c.deps.Runner.Incident(inc.ID); !inc.Has(all.Alerts[1].Key()) {
					t.Error("the alert was not attached")
				}
				c.dialogs.Open(newSilenceForm(c, all.Alerts[1], wordSilence, time.Hour, ""))
				golden("silence")
				press(c, "esc")
				press(c, "S")
				golden("expire")
			})
		})
	}
}

func TestSilenceFormChecksWhatWasTyped(t *testing.T) {
	c := courseCockpit(t, [2]int{80, 24})
	alert := c.deps.Board.Alerts.Load().Value.Alerts[0]
	for _, wrong := range []struct {
		field int
		text  string
		says  string
	}{
		{fieldMatchers, `team!="a"`, "every alert"},
		{fieldMatchers, `nonsense`, "write them like"},
		{fieldFor, "an hour", "write 15m"},
		{fieldFor, "-1h", "write 15m"},
		{fieldComment, "", "say why"},
		{fieldWord, "silense", "that is not silence"},
	} {
		form := newSilenceForm(c, alert, wordSilence, time.Hour, "known")
		form.quiet = quietIsOver
		form.fields[fieldWord].prompt.Update(tea.PasteMsg{Content: wordSilence})
		form.at = wrong.field
		form.Update(tea.KeyPressMsg{Code: 'u', Mod: tea.ModCtrl}) // empties the field
		form.Update(tea.PasteMsg{Content: wrong.text})
		form.parse()
		form.at = fieldWord
		cmd, done := form.Update(tea.KeyPressMsg{Code: tea.KeyEnter})
		if cmd != nil || done || form.wrong == nil || !strings.Contains(form.wrong.Error(), wrong.says) {
			t.Errorf("%q: done %v, %v; want an error that says %q", wrong.text, done, form.wrong, wrong.says)
		}
	}
}

func TestProceduresAreIncidentsOfTheirOwnKind(t *testing.T) {
	for line, want := range map[string]incidents.Type{
		"deploy": incidents.Deploy, "rollback": incidents.Rollback, "runbook general-troubleshooting": incidents.ByHand,
	} {
		c := courseCockpit(t, [2]int{120, 40})
		press(c, ":")
		typeIn(c, line)
		pump(t, c, press(c, "enter"))
		s, ok := c.top().(*incidentScreen)
		if !ok {
			t.Errorf("%s opened %T: %s", line, c.top(), c.flash.text)
			continue
		}
		if inc := s.incident(); inc.Type != want || len(inc.Clocks) != 0 {
			t.Errorf("%s is an incident of type %q with %d clocks, want %q and none", line, inc.Type, len(inc.Clocks), want)
		}
	}
}

// One person agrees to a change, another one runs it.
func TestAChangeIsApprovedForSomebodyElse(t *testing.T) {
	c := courseCockpit(t, [2]int{120, 40})
	pump(t, c, press(c, "enter"))
	pump(t, c, press(c, "P"))
	if !strings.Contains(c.flash.text, "it changes nothing") {
		t.Errorf("approving what only reads says %q", c.flash.text)
	}
	press(c, "G")
	pump(t, c, press(c, "P"))
	dialog, ok := c.dialogs.Top().(*confirm)
	if !ok {
		t.Fatalf("P opened %T: %s", c.dialogs.Top(), c.flash.text)
	}
	if text := strings.Join(dialog.Lines(c.theme, 76, 30), "\n"); !strings.Contains(text, "to approve it") {
		t.Errorf("the dialog is\n%s", text)
	}
	dialog.quiet = quietIsOver
	typeIn(c, dialog.word)
	pump(t, c, press(c, "enter"))
	if got := screentest.Render(t, c.draw(), 120, 40).Text(); !strings.Contains(got, "✓ approved by op1") {
		t.Errorf("nothing tells that it was approved:\n%s", got)
	}
	if runs := c.deps.Runner.Running(); len(runs) > 0 {
		t.Errorf("approving ran %v", runs)
	}
}

// What is watched is written down once, however many look and for how long.
func TestGatesAndClocksAreRecordedOnce(t *testing.T) {
	atNoon(t, func(t *testing.T) {
		c := courseCockpit(t, [2]int{120, 40})
		s := worked(t, c)
		for range 30 {
			after(t, c, time.Second)
		}
		count := func() map[string]int {
			events, err := c.deps.Runner.Events(t.Context(), s.id, 0)
			if err != nil {
				t.Fatal(err)
			}
			kinds := make(map[string]int)
			for _, e := range events {
				kinds[incidents.Kind(e.Fact)]++
			}
			return kinds
		}
		// Two gates have a signal. They were recorded at the start, a minute and
		// a half later and a minute after that.
		if kinds := count(); kinds["gate measured"] != 6 || kinds["clock started"] != 2 || kinds["clock expired"] != 0 {
			t.Errorf("recorded were %v", kinds)
		}
		inc := s.incident()
		if breached := inc.Breached(); len(breached) != 2 || !breached[0].Rollback || breached[0].Op != "<=" {
			t.Errorf("breached are %+v", breached)
		}
		after(t, c, 15*time.Minute)
		after(t, c, time.Second)
		if kinds := count(); kinds["clock expired"] != 1 {
			t.Errorf("after a quarter of an hour %d clocks are over, want 1", kinds["clock expired"])
		}
		press(c, "W")
		pass(time.Second)
		pump(t, c, press(c, "enter"))
		if clocks := runningClocks(s.incident()); len(clocks) != 1 || clocks[0].Title != "CTO" {
			t.Errorf("after one was acknowledged these run: %+v", clocks)
		}
	})
}

func TestReplayScreens(t *testing.T) {
	for _, s := range sizes() {
		t.Run(size(s), func(t *testing.T) {
			atNoon(t, func(t *testing.T) {
				r := NewReplay(evidence(t))
				r.width, r.height = s[0], s[1]
				for _, at := range []int{0, 5, len(r.events) - 1} {
					r.move(at - r.at)()
					screentest.Golden(t, fmt.Sprintf("replay/event%d-%s", at, size(s)), screentest.Render(t, r.draw(), s[0], s[1]))
				}
			})
		})
	}
}

// Whatever way the replay comes to an event, it shows the same.
func TestReplayGoesBackToWhatItShowed(t *testing.T) {
	atNoon(t, func(t *testing.T) {
		from := evidence(t)
		for i := range 3 * foldEvery {
			note := from.Events[len(from.Events)-1]
			note.Seq++
			note.At = note.At.Add(time.Second)
			note.Fact = incidents.NoteTaken{Text: fmt.Sprint(i)}
			from.Events = append(from.Events, note)
		}
		r := NewReplay(from)
		r.width, r.height = 120, 40
		var shown []string
		for range r.events {
			shown = append(shown, r.draw())
			r.move(1)()
		}
		for i := len(r.events) - 1; i >= 0; i-- {
			r.move(i - r.at)()
			if got := r.draw(); got != shown[i] {
				t.Fatalf("going back, event %d looks different", i)
			}
		}
	})
}

// evidence is what a replay is made of: an incident as a runner recorded it.
func evidence(t *testing.T) incidents.Evidence {
	t.Helper()
	c := courseCockpit(t, [2]int{120, 40})
	s := worked(t, c)
	ref := incidents.CommandRef{Runbook: s.runbook.Name, Step: s.list.selected().ID, Command: incidents.WholeStep}
	if _, err := c.deps.Runner.Tick(t.Context(), c.deps.Operator, s.id, ref, "nothing there"); err != nil {
		t.Fatal(err)
	}
	pass(time.Minute)
	if _, err := c.deps.Runner.Resolve(t.Context(), c.deps.Operator, s.id, "rolled back"); err != nil {
		t.Fatal(err)
	}
	events, err := c.deps.Runner.Events(t.Context(), s.id, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := incidents.Evidence{Events: events, Books: []*runbooks.Runbook{s.runbook}}
	for _, sig := range c.deps.Board.Signals.Load().Value.Signals[:3] {
		series := incidents.Series{Name: sig.Name, Title: sig.Title, Unit: string(sig.Unit), Warn: sig.Warn, Critical: sig.Critical, Below: sig.Below}
		for i := range 40 {
			series.Points = append(series.Points, incidents.Sample{At: noon.Add(time.Duration(i-20) * 15 * time.Second), Value: sig.Critical * float64(i) / 20})
		}
		out.Signals = append(out.Signals, series)
	}
	return out
}

// What a cockpit ran that is gone is not said to have ended in any way.
func TestAnInterruptedRunHasNoExitStatus(t *testing.T) {
	c := courseCockpit(t, [2]int{120, 40})
	pump(t, c, press(c, "enter"))
	s := c.top().(*incidentScreen)
	got := s.step.verdict(incidents.Item{State: incidents.Interrupted, At: noon, Result: &incidents.StepFinished{Exit: -1, Interrupted: true}})
	if !strings.Contains(got, "how it ended is not known") || strings.Contains(got, "exit") {
		t.Errorf("it is said to be %q", got)
	}
}

// A message leaves for the chat only when nothing is left to fill in, and once.
func TestAMessageIsSentWhole(t *testing.T) {
	c := courseCockpit(t, [2]int{120, 40})
	var sent []string
	c.deps.Webhook = "#incidents"
	c.deps.Send = func(_ context.Context, text string) error {
		sent = append(sent, text)
		return nil
	}
	pump(t, c, press(c, "enter"))
	s := c.top().(*incidentScreen)
	editor := newMessageEditor(s, "status", incidents.CommandRef{}, []string{"reason"}, "Why: [reason]")
	c.dialogs.Open(editor)
	pump(t, c, press(c, "ctrl+s"))
	if len(sent) > 0 || c.dialogs.Top() == nil || !strings.Contains(c.flash.text, "1 gap left") {
		t.Errorf("with a gap %q was sent; the cockpit says %q", sent, c.flash.text)
	}
	press(c, "tab")
	typeIn(c, "a bad release")
	pump(t, c, press(c, "ctrl+s"))
	if len(sent) != 1 || sent[0] != "Why: a bad release" || c.dialogs.Top() != nil {
		t.Errorf("sent was %q, and the editor is %T", sent, c.dialogs.Top())
	}
	messages := s.incident().Messages
	if len(messages) != 1 || messages[0].Fact.(incidents.MessageSent).To != "#incidents" {
		t.Errorf("recorded was %+v", messages)
	}
}
