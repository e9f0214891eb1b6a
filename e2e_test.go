//go:build unix

package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/ui/screentest"
)

// image is where the screen is drawn while the release burns: what README.md
// shows is made from the real screen.
var image = flag.String("image", "", "write the screen of the end-to-end test to this SVG `file`")

// binary builds the program as it is released, once for all tests.
func binary(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flightdeck")
	if out, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// TestABadReleaseIsRolledBack is the whole mission in one test, on real
// servers: a release goes wrong, its alert fires, the runbook is opened from
// the alert, its rollback step is confirmed and run, the Deployment goes back on
// the API server, and the alert resolves on the screen.
func TestABadReleaseIsRolledBack(t *testing.T) {
	env := testenv.Shared(t).Exclusive(t)
	before := deployedImage(t, env)

	cmd := exec.Command(binary(t))
	cmd.Env = append(env.Environ(), "HOME="+t.TempDir(), "TERM=xterm-256color", "COLORTERM=truecolor")
	term := screentest.Exec(t, cmd, 120, 40)
	term.Deadline = 90 * time.Second
	term.WaitFor(func(s *screentest.Screen) bool { return s.Contains("erpgo-api 3/3") && s.Contains("following") }, "the panes are filled")
	filled := term.Since()
	t.Logf("first byte after %v, all panes after %v", term.FirstByte(), filled)

	env.BadRelease()
	term.WaitFor(firing("HighErrorRate"), "HighErrorRate fires")
	if *image != "" {
		draw(t, term.Screen(), *image)
	}

	term.Send("1")
	moveTo(t, term, "HighErrorRate")
	term.Send("enter")
	term.WaitFor(func(s *screentest.Screen) bool { return s.Contains("INC-1 HighErrorRate") && s.Contains("Checklist") }, "the runbook is open")
	moveTo(t, term, "If a release began it")
	term.WaitForText("$ kubectl rollout undo deployment/erpgo-api")
	term.Send("enter")
	term.WaitForText("to run it")
	answerWhenQuiet(term, "erpgo-api")
	term.WaitFor(func(s *screentest.Screen) bool { return s.Contains("exit 0") }, "the rollback ran")

	after := deployedImage(t, env)
	if after != before {
		t.Errorf("after the rollback the Deployment runs %s, want %s again", after, before)
	}
	term.WaitFor(func(s *screentest.Screen) bool { return s.Contains("alert resolved") }, "the alert resolves on the screen of its incident")
	term.Send("esc")
	term.WaitFor(func(s *screentest.Screen) bool { return !strings.Contains(s.Text(), "HighErrorRate") }, "the alert is gone from the home screen")
	term.Send("q")
	if err := term.Wait(); err != nil {
		t.Errorf("q did not leave cleanly: %v", err)
	}
}

// deployedImage is the image of the Deployment, asked of the API server by kubectl.
func deployedImage(t *testing.T, env *testenv.World) string {
	t.Helper()
	kubectl := exec.Command(env.Kubectl(), "get", "deployment", "erpgo-api", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	kubectl.Env = env.Environ()
	out, err := kubectl.Output()
	if err != nil {
		t.Fatalf("kubectl get deployment: %v", err)
	}
	return string(out)
}

// firing tells whether an alert is on the screen as critical or warning.
func firing(alert string) func(*screentest.Screen) bool {
	return func(s *screentest.Screen) bool {
		for row := range strings.Lines(s.Text()) {
			if strings.Contains(row, alert) && (strings.Contains(row, "critical") || strings.Contains(row, "warning")) {
				return true
			}
		}
		return false
	}
}

// moveTo moves the cursor down until its row holds text.
func moveTo(t *testing.T, term *screentest.Terminal, text string) {
	t.Helper()
	on := func(s *screentest.Screen) bool {
		for row := range strings.Lines(s.Text()) {
			if i := strings.Index(row, "▌"); i >= 0 && strings.Contains(row[i:], text) {
				return true
			}
		}
		return false
	}
	for range 30 {
		if on(term.Screen()) {
			return
		}
		was := cursorRow(term.Screen())
		term.Send("j")
		term.WaitFor(func(s *screentest.Screen) bool { return on(s) || cursorRow(s) != was }, "the cursor moves towards "+text)
	}
	t.Fatalf("the cursor never reached %q:\n%s", text, term.Screen().Text())
}

func cursorRow(s *screentest.Screen) string {
	for row := range strings.Lines(s.Text()) {
		if strings.Contains(row, "▌") {
			return row
		}
	}
	return ""
}

// answerWhenQuiet types an answer into a dialog after its quiet time: what is
// waited for is the time itself.
func answerWhenQuiet(term *screentest.Terminal, answer string) {
	<-time.After(500 * time.Millisecond)
	term.Type(answer)
	term.Send("enter")
}

func draw(t *testing.T, screen *screentest.Screen, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if err := screen.SVG(f); err != nil {
		t.Fatal(err)
	}
}
