package views

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui/screentest"
)

// text is the screen as it is now.
func text(t *testing.T, c *Cockpit) string {
	t.Helper()
	return screentest.Render(t, c.draw(), c.width, c.height).Text()
}

func because(t *testing.T, c *Cockpit, key, said string) {
	t.Helper()
	press(c, key)
	if c.prompt == nil {
		t.Fatalf("%s asks nothing", key)
	}
	c.Update(tea.PasteMsg{Content: said})
	pump(t, c, press(c, "enter"))
}

func TestAStepIsLeftOutOnlyWithAReason(t *testing.T) {
	c, s := workedCockpit(t, 120, 40)
	s.moveTo(t, "Warm the cache")
	state := func() incidents.Item { return s.step.stepItem() }
	for key, want := range map[string]incidents.ItemState{"s": incidents.Skipped, "x": incidents.Excluded} {
		because(t, c, key, "  ")
		if got := state(); got.State != incidents.ToDo {
			t.Errorf("%s without a reason made the step %q", key, got.State)
		}
		because(t, c, key, "it is warm")
		if got := state(); got.State != want || got.Reason != "it is warm" {
			t.Errorf("%s made the step %q because %q", key, got.State, got.Reason)
		}
		if !strings.Contains(text(t, c), string(want)+": it is warm") {
			t.Errorf("the step does not say why it is %s:\n%s", want, text(t, c))
		}
		pump(t, c, press(c, key))
		if got := state(); got.State != incidents.ToDo {
			t.Errorf("%s again left the step %q", key, got.State)
		}
	}
	because(t, c, "space", "")
	if got := state(); got.State != incidents.Done || got.Reason != "" {
		t.Errorf("a tick without a note made the step %q with %q", got.State, got.Reason)
	}
}

func TestAnAnswerIsSeenByEverybody(t *testing.T) {
	c, s := workedCockpit(t, 120, 40)
	s.moveTo(t, "Verify the rollback")
	for answer, want := range map[string]string{"n": "does not hold, says op1", "y": "holds, says op1"} {
		press(c, "a")
		dialog, ok := c.dialogs.Top().(*questions)
		if !ok || len(dialog.open) != 1 {
			t.Fatalf("a does not ask for the one thing that nothing measures: %T", c.dialogs.Top())
		}
		dialog.quiet = quietIsOver
		pump(t, c, press(c, answer))
		if !strings.Contains(text(t, c), want) {
			t.Errorf("after %s the step does not say %q:\n%s", answer, want, text(t, c))
		}
	}
	if notes := s.incident().Notes; len(notes) != 2 {
		t.Errorf("%d answers are in the journal, want 2", len(notes))
	}
}

func TestARepairIsEvaluatedOnlyWhenItWasTaken(t *testing.T) {
	c, s := workedCockpit(t, 120, 40)
	var asked []string
	c.deps.Chart = func(_ context.Context, query string, _, _ time.Time, _ time.Duration) (probes.Chart, error) {
		asked = append(asked, query)
		return endpoints(), nil
	}
	s.moveTo(t, "Identify slow endpoints")
	pump(t, c, press(c, "enter"))
	press(c, "u")
	pump(t, c, press(c, "esc"))
	if len(asked) > 0 {
		t.Fatalf("%q was evaluated unasked", asked)
	}
	press(c, "u")
	pump(t, c, press(c, "enter"))
	if want := s.step.current.Queries[0].Repair; !slices.Equal(asked, []string{want}) {
		t.Errorf("evaluated %q, want %q", asked, want)
	}
}

func TestAMessageIsFilledReadAndCopied(t *testing.T) {
	c, s := workedCockpit(t, 120, 40)
	pods := c.deps.Board.Pods.Load().Value
	pods.Deployments = slices.Clone(pods.Deployments)
	pods.Deployments[0].Images, pods.Deployments[0].RolledOut = []string{"erpgo/api:1.4.1"}, noon.Add(time.Minute)
	c.deps.Board.Pods.Publish(pods, noon, 0)
	s.moveTo(t, "Notify the team")
	press(c, "enter")
	editor, ok := c.dialogs.Top().(*messageEditor)
	if !ok {
		t.Fatal("enter does not open the message")
	}
	if editor.at != "description of user impact" {
		t.Fatalf("the first gap is %q", editor.at)
	}
	pump(t, c, press(c, "ctrl+y"))
	if s.step.stepItem().State == incidents.Done || c.dialogs.Top() == nil {
		t.Error("a message with gaps counts as sent")
	}
	press(c, "n", "o", "n", "e", "tab")
	if editor.at != "investigation plan" {
		t.Fatalf("tab goes to %q", editor.at)
	}
	c.Update(tea.PasteMsg{Content: "look at\x1b[2J the release"})
	pump(t, c, press(c, "ctrl+y"))
	messages := s.incident().Messages
	sent := messages[len(messages)-1].Fact.(incidents.MessageSent).Text
	for _, want := range []string{
		"- Reason: 6.2 % of requests fail\n", "- Action: Rolled back to v1.4.1\n", "- Status: In Progress\n",
		"- Impact: none\n", "- Next Steps: look at^[[2J the release",
	} {
		if !strings.Contains(sent, want) {
			t.Errorf("the message lacks %q:\n%s", want, sent)
		}
	}
	if s.step.stepItem().State != incidents.Done || c.dialogs.Top() != nil {
		t.Error("the copied message does not count as sent")
	}
}

func TestWhatIsTypedIsNotTakenForALongerNumber(t *testing.T) {
	c, s := workedCockpit(t, 120, 40)
	s.moveTo(t, "If caused by recent deployment")
	press(c, "]")
	for _, try := range []struct {
		keys []string
		want string
	}{
		{[]string{"enter"}, "--to-revision=41"},
		{[]string{"4", "enter"}, "--to-revision=4"},
		{[]string{"4", "down", "enter"}, "--to-revision=41"},
	} {
		press(c, "enter")
		if _, ok := c.dialogs.Top().(*bindForm); !ok {
			t.Fatal("the revision is not asked for")
		}
		press(c, try.keys...)
		dialog, ok := c.dialogs.Top().(*confirm)
		if !ok {
			t.Fatalf("%v: nothing asks for a confirmation", try.keys)
		}
		if !strings.HasSuffix(dialog.plan.Script, try.want) {
			t.Errorf("%v runs %q, want …%s", try.keys, dialog.plan.Script, try.want)
		}
		press(c, "esc")
	}
}

func TestAnotherVersionIsOneKeyAway(t *testing.T) {
	c, s := workedCockpit(t, 80, 24)
	first := s.runbook.Name
	pump(t, c, press(c, "v"))
	if s.runbook.Name == first || s.incident().Runbook != s.runbook.Name {
		t.Fatalf("v shows %s, the incident has %s", s.runbook.Name, s.incident().Runbook)
	}
	if screen := text(t, c); !strings.Contains(screen, "version 2 of 2") || !strings.Contains(screen, "Look at the logs") {
		t.Errorf("the screen does not say which version it shows:\n%s", screen)
	}
	pump(t, c, press(c, "v"))
	if s.runbook.Name != first {
		t.Errorf("v goes on to %s and not back to %s", s.runbook.Name, first)
	}
}

func TestABrokenBookKeepsItsLastGoodVersionAndSaysSo(t *testing.T) {
	c, s := workedCockpit(t, 120, 40)
	if err := os.WriteFile(s.runbook.File, []byte("\x00"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.deps.Library.Reload(nil)
	pump(t, c, s.update(second(noon)))
	if screen := text(t, c); !strings.Contains(screen, "its last good") || !strings.Contains(screen, "Warm the cache") {
		t.Errorf("the incident does not say that its book broke:\n%s", screen)
	}
	pump(t, c, c.openByName(""))
	if screen := text(t, c); !strings.Contains(screen, "1 problem") || !strings.Contains(screen, "is not a text file") {
		t.Errorf("the index does not say that a book broke:\n%s", screen)
	}
}

// TestHelpHasEveryKey scrolls through the help of every kind of step on the
// smallest screen.
func TestHelpHasEveryKey(t *testing.T) {
	c, s := workedCockpit(t, 80, 24)
	for _, item := range s.list.items {
		if item.step == nil {
			continue
		}
		s.list.choose(item.step.ID)
		s.step.shown(item.step)
		press(c, "?")
		seen := text(t, c)
		for range 6 {
			press(c, strings.Split(strings.Repeat("j", 10), "")...) // fewer than the lines of a page
			seen += text(t, c)
		}
		press(c, "esc")
		for _, b := range append(s.keys(), c.keys()...) {
			if !strings.Contains(seen, b.Does) {
				t.Errorf("on %q the help does not have %q", item.step.Title, b.Does)
			}
		}
	}
}

func TestAStepInATerminalNeedsAnExecutorWithOne(t *testing.T) {
	c, s := workedCockpit(t, 120, 40)
	s.moveTo(t, "Check the error logs")
	pump(t, c, press(c, "i"))
	if screen := text(t, c); !strings.Contains(screen, "has no terminal") {
		t.Errorf("nothing says why there is no terminal:\n%s", screen)
	}
	if run, ok := c.deps.Runner.LastRun(s.id, s.step.ref()); ok {
		t.Errorf("%q was run all the same", run.Plan.Script)
	}
}

func TestExportedVariablesAreRemembered(t *testing.T) {
	t.Setenv("QUEUE", "")
	c := cockpitOf(t, burning(t), "# Book\n\n## High Error Rate\n\n### Steps\n\n1. **Name it:**\n   ```bash\n   export QUEUE=orders\n   ```\n\n"+
		"2. **Use it:**\n   ```bash\n   echo $QUEUE <text>\n   ```\n", incidents.Options{
		Journal: incidents.NewMemory(), Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: runbooks.BashExecutor{}},
	})
	c.width, c.height = 120, 40
	pump(t, c, press(c, "enter"))
	s := c.top().(*incidentScreen)
	s.moveTo(t, "Name it")
	pump(t, c, press(c, "enter"))
	if dialog, ok := c.dialogs.Top().(*confirm); ok { // bash alone knows what it sets
		dialog.quiet = quietIsOver
		for _, r := range dialog.plan.Confirm {
			press(c, string(r))
		}
		pump(t, c, press(c, "enter"))
	}
	s.moveTo(t, "Use it")
	press(c, "enter")
	if screen := text(t, c); !strings.Contains(screen, "QUEUE  orders  remembered from an earlier step") {
		t.Errorf("the form does not show what a step has exported:\n%s", screen)
	}
}
