//go:build linux

package incidents

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/erpgo/flightdeck/runbooks"
)

// begun is the fact with which a run began.
func begun(t *testing.T, r *Runner, incident, run string) StepStarted {
	t.Helper()
	events, err := r.Events(t.Context(), incident, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		if f, ok := e.Fact.(StepStarted); ok && f.Run == run {
			return f
		}
	}
	t.Fatalf("no start of run %s is recorded", run)
	return StepStarted{}
}

func TestTerminalRunIsRecorded(t *testing.T) {
	r := newRunner(t, Options{Secrets: []string{"hunter2"}})
	id := opened(t, r)
	bound := runbooks.Bound{Script: "read line; echo \"got $line\"; export WHO=$line TOKEN=x OTHER=hunter2; exit 4", Command: runbooks.Command{Language: runbooks.Bash, Risk: runbooks.Reads}}
	run, err := r.StartTerminal(t.Context(), r.Plan(driver, id, bound, first0), driver, "")
	if err != nil {
		t.Fatal(err)
	}
	if item := mustIncident(t, r, id).Item(first0); item.State != Running || !begun(t, r, id, run.Recorded.ID).Terminal {
		t.Errorf("before it begins: %+v", item)
	}
	if _, err := r.StartTerminal(t.Context(), r.Plan(driver, id, bound, first0), driver, ""); !errors.Is(err, ErrBusy) {
		t.Errorf("a second one at the same time: %v", err)
	}
	var screen strings.Builder
	run.SetStdin(strings.NewReader("hello\n"))
	run.SetStdout(&screen)
	run.SetStderr(&screen)
	if err := run.Run(); err != nil {
		t.Fatal(err)
	}
	if screen.String() != "got hello\n" {
		t.Errorf("it showed %q", screen.String())
	}
	result := ended(t, run.Recorded)
	inc := mustIncident(t, r, id)
	item := inc.Item(first0)
	if result.Exit != 4 || item.State != Failed || item.Result == nil || item.Result.Exit != 4 || item.Result.Head != "" {
		t.Errorf("result %+v, item %+v", result, item)
	}
	if diff := cmp.Diff(map[string]string{"WHO": "hello"}, inc.Values); diff != "" {
		t.Errorf("values for the next commands (-want +got):\n%s", diff)
	}
	if err := run.Run(); err == nil {
		t.Error("it ran twice")
	}
}

func mustIncident(t *testing.T, r *Runner, id string) Incident {
	t.Helper()
	inc, ok := r.Incident(id)
	if !ok {
		t.Fatalf("no incident %s", id)
	}
	return inc
}

func TestTerminalRunIsGuarded(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	change := runbooks.Bound{Script: "touch /nowhere/x", Command: runbooks.Command{Language: runbooks.Bash, Risk: runbooks.Changes}}
	if _, err := r.StartTerminal(t.Context(), r.Plan(observer, id, change, first0), observer, "run"); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("an observer: %v", err)
	}
	if _, err := r.StartTerminal(t.Context(), r.Plan(driver, id, change, first0), driver, ""); !errors.Is(err, ErrConfirmation) {
		t.Errorf("unconfirmed: %v", err)
	}
	query := runbooks.Bound{Script: "SELECT 1", Command: runbooks.Command{Language: runbooks.SQL, Risk: runbooks.Reads}}
	if _, err := r.StartTerminal(t.Context(), r.Plan(driver, id, query, first0), driver, ""); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("SQL: %v", err)
	}
}

// TestTerminalRunThatNeverBegins: the terminal was not lent before the run was
// cancelled, or the cockpit closed.
func TestTerminalRunThatNeverBegins(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	bound := runbooks.Bound{Script: "echo never", Command: runbooks.Command{Language: runbooks.Bash, Risk: runbooks.Reads}}
	run, err := r.StartTerminal(t.Context(), r.Plan(driver, id, bound, first0), driver, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Cancel(driver, run.Recorded.ID); err != nil {
		t.Fatal(err)
	}
	if result := ended(t, run.Recorded); !result.Cancelled {
		t.Errorf("ended with %+v", result)
	}
	if err := run.Run(); err == nil {
		t.Error("it ran after it was cancelled")
	}
	if item := mustIncident(t, r, id).Item(first0); item.State != Cancelled {
		t.Errorf("its item: %+v", item)
	}

	again, err := r.StartTerminal(t.Context(), r.Plan(driver, id, bound, first0), driver, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if result := ended(t, again.Recorded); !result.Cancelled {
		t.Errorf("ended with %+v", result)
	}
}

// TestVariablesOfACommand: what a command exports is remembered for the next
// ones, and forgotten when it is left empty.
func TestVariablesOfACommand(t *testing.T) {
	r := newRunner(t, Options{Secrets: []string{"hunter2"}})
	id := opened(t, r)
	for _, tc := range []struct {
		script string
		want   map[string]string
	}{
		{"export POD=api-1 X=has-hunter2-in-it", map[string]string{"POD": "api-1"}},
		{"true", map[string]string{"POD": "api-1"}},
		{"POD=api-2; A_TOKEN=abc", map[string]string{"POD": "api-2"}},
		{"POD=$(true)", map[string]string{"POD": ""}},
	} {
		ended(t, start(t, r, id, runbooks.Bound{Script: tc.script, Command: runbooks.Command{Language: runbooks.Bash, Risk: runbooks.Reads}}))
		if diff := cmp.Diff(tc.want, mustIncident(t, r, id).Values); diff != "" {
			t.Errorf("%s: values (-want +got):\n%s", tc.script, diff)
		}
	}
	events, err := r.Events(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	var withheld []string
	for _, e := range events {
		if f, ok := e.Fact.(VariablesExported); ok {
			withheld = append(withheld, f.Withheld...)
			if strings.Contains(strings.Join(withheld, " "), "hunter2") {
				t.Errorf("a secret is recorded: %+v", f)
			}
		}
	}
	if diff := cmp.Diff([]string{"X", "A_TOKEN"}, withheld); diff != "" {
		t.Errorf("withheld (-want +got):\n%s", diff)
	}
}
