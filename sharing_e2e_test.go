//go:build unix

package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/ui/screentest"
)

// TestTwoPeopleWorkOneIncident is an incident as two people on one bastion see
// it, on real servers: one acknowledges the alert, the other works the runbook
// and rolls back as the books' criteria say, and the journal has all of it.
func TestTwoPeopleWorkOneIncident(t *testing.T) {
	env := testenv.Shared(t).Exclusive(t)
	before := deployedImage(t, env)
	program, home := binary(t), t.TempDir()
	run := func(args ...string) *exec.Cmd {
		cmd := exec.Command(program, args...)
		cmd.Env = append(env.Environ(), "HOME="+home, "TERM=xterm-256color", "COLORTERM=truecolor")
		return cmd
	}
	aboard := func() *screentest.Terminal {
		term := screentest.Exec(t, run(), 120, 40)
		term.Deadline = 90 * time.Second
		term.WaitForText("erpgo-api 3/3")
		return term
	}
	first, second := aboard(), aboard()
	env.BadRelease()
	first.WaitFor(firing("HighErrorRate"), "HighErrorRate fires")
	second.WaitFor(firing("HighErrorRate"), "HighErrorRate fires for the second one too")

	first.Send("a")
	first.WaitForText("type ack to do it")
	answerWhenQuiet(first, "ack")
	first.WaitForText("notifies nobody until")
	second.WaitFor(func(s *screentest.Screen) bool {
		for row := range strings.Lines(s.Text()) {
			if strings.Contains(row, "silenced  HighErrorRate") && !strings.Contains(row, "–") {
				return true
			}
		}
		return false
	}, "the second one sees that it is silenced, and by whom")

	for _, term := range []*screentest.Terminal{first, second} {
		term.Send("1", "enter")
		term.WaitForText("INC-1 HighErrorRate")
		term.WaitForText("ROLL BACK IF   ▲ error rate")
	}
	second.Send("space")
	second.WaitForText("done, with a note")
	second.Type("nothing in them")
	second.Send("enter")
	first.WaitForText("✓ 1 What do the logs say?")

	second.Send("R")
	second.WaitForText("$ kubectl rollout undo deployment/erpgo-api")
	second.Send("enter")
	second.WaitForText("to run it")
	answerWhenQuiet(second, "erpgo-api")
	second.WaitForText("exit 0")
	if after := deployedImage(t, env); after != before {
		t.Errorf("after the rollback the Deployment runs %s, want %s again", after, before)
	}
	first.Send("T")
	first.WaitForText("ran kubectl rollout undo deployment/erpgo-api")
	second.Send("D")
	second.WaitForText("resolved because")
	second.Type("rolled back")
	second.Send("enter")
	second.WaitForText("after the incident")
	first.WaitForText("resolved: rolled back")

	if out, err := run("incidents", "verify").CombinedOutput(); err != nil {
		t.Errorf("incidents verify: %v\n%s", err, out)
	}
	out, err := run("incidents", "export", "INC-1").Output()
	if err != nil {
		t.Fatalf("incidents export: %v", err)
	}
	for _, want := range []string{"HighErrorRate", "kubectl rollout undo deployment/erpgo-api", "nothing in them", "rolled back", "silenced"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the post-mortem does not have %q:\n%s", want, out)
		}
	}
}
