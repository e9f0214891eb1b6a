package incidents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/erpgo/flightdeck/runbooks"
)

func TestChangeNeedsItsWord(t *testing.T) {
	r := newRunner(t, Options{Target: pinned})
	id := opened(t, r)
	file := filepath.Join(t.TempDir(), "touched")
	p := r.Plan(driver, id, bash("touch "+file, runbooks.Changes), first0)
	before := len(history(t, r))
	for _, typed := range []string{"", "y", "ERPGO", "erpgo "} {
		if _, err := r.Start(t.Context(), p, driver, typed); !errors.Is(err, ErrConfirmation) || !strings.Contains(err.Error(), "type erpgo") {
			t.Errorf("typed %q: %v", typed, err)
		}
	}
	// What was drawn is not what decides.
	forged := p
	forged.Confirm, forged.Risk, forged.Refused = "", runbooks.Reads, ""
	if _, err := r.Start(t.Context(), forged, driver, ""); !errors.Is(err, ErrConfirmation) {
		t.Errorf("a forged plan: %v", err)
	}
	if _, err := os.Stat(file); err == nil || len(history(t, r)) != before {
		t.Error("something was run or recorded")
	}
	run, err := r.Start(t.Context(), p, driver, "erpgo")
	if err != nil {
		t.Fatal(err)
	}
	ended(t, run)
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
	started := history(t, r)[before].(StepStarted)
	if started.Confirmed != "erpgo" || started.Risk != runbooks.Changes {
		t.Errorf("%+v", started)
	}
}

// Every action there is, through the runner, for each role and both ways of
// starting the cockpit.
func TestAuthority(t *testing.T) {
	attempts := map[Action]func(t *testing.T, r *Runner, op Operator, id string) error{
		ActOpen: func(t *testing.T, r *Runner, op Operator, _ string) error {
			_, _, err := r.Open(t.Context(), op, Opened{Title: "x"}, "")
			return err
		},
		ActOpenRunbook: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.OpenRunbook(t.Context(), op, id, "other")
			return err
		},
		ActNote: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Note(t.Context(), op, id, "x")
			return err
		},
		ActTick: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Tick(t.Context(), op, id, check, "")
			return err
		},
		ActUntick: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Untick(t.Context(), op, id, check)
			return err
		},
		ActRuleOut: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.RuleOut(t.Context(), op, id, check, "")
			return err
		},
		ActAttach: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Attach(t.Context(), op, id, AlertAttached{Alert: "A", Key: "a"})
			return err
		},
		ActAcknowledge: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Acknowledge(t.Context(), op, id, "")
			return err
		},
		ActSeverity: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.SetSeverity(t.Context(), op, id, "critical", "")
			return err
		},
		ActRole: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, taken := r.TakeRole(t.Context(), op, id, "scribe")
			_, over := r.HandOver(t.Context(), op, id, "scribe", bob)
			return bothOrNeither(t, taken, over)
		},
		ActSkip: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Skip(t.Context(), op, id, check, "")
			return err
		},
		ActApprove: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Approve(t.Context(), op, r.Plan(op, id, bash("true", runbooks.Changes), first0), "")
			return err
		},
		ActClock: func(t *testing.T, r *Runner, op Operator, id string) error {
			if _, err := r.StartClock(t.Context(), driver, id, ClockStarted{Clock: "other"}); err != nil {
				t.Fatal(err)
			}
			_, started := r.StartClock(t.Context(), op, id, ClockStarted{Clock: "c"})
			_, acknowledged := r.AcknowledgeClock(t.Context(), op, id, "other", "")
			return bothOrNeither(t, started, acknowledged)
		},
		ActCopy: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Copied(t.Context(), op, id, MessageSent{Title: "m"})
			return err
		},
		ActSend: func(t *testing.T, r *Runner, op Operator, id string) error {
			sent := false
			_, err := r.Send(t.Context(), op, id, MessageSent{Title: "m"}, func(context.Context, string) error {
				sent = true
				return nil
			})
			if sent != (err == nil) {
				t.Errorf("sent %v, %v", sent, err)
			}
			return err
		},
		ActSilence: func(t *testing.T, r *Runner, op Operator, id string) error {
			done := 0
			_, made := r.Silence(t.Context(), op, id, SilenceMade{}, func(context.Context) (string, error) { done++; return "s", nil })
			_, expired := r.ExpireSilence(t.Context(), op, id, "s", func(context.Context) error { done++; return nil })
			err := bothOrNeither(t, made, expired)
			if (err == nil) != (done == 2) {
				t.Errorf("%d of 2 were done, %v", done, err)
			}
			return err
		},
		ActReopen: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Reopen(t.Context(), op, id, "")
			return err
		},
		ActTask: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, added := r.AddTask(t.Context(), op, id, TaskAdded{Task: "t", Title: "t"})
			if added == nil {
				_, done := r.FinishTask(t.Context(), op, id, "t", "")
				_, again := r.ReopenTask(t.Context(), op, id, "t")
				return errors.Join(done, again)
			}
			return added
		},
		ActResolve: func(t *testing.T, r *Runner, op Operator, id string) error {
			_, err := r.Resolve(t.Context(), op, id, "")
			return err
		},
		ActRead: func(t *testing.T, r *Runner, op Operator, id string) error {
			return tryRun(t, r, op, id, runbooks.Reads)
		},
		ActChange: func(t *testing.T, r *Runner, op Operator, id string) error {
			return tryRun(t, r, op, id, runbooks.Unknown)
		},
		ActCancel: func(t *testing.T, r *Runner, op Operator, id string) error {
			run := start(t, r, id, bash("sleep 60", runbooks.Reads))
			err := r.Cancel(op, run.ID)
			if err != nil && run.ended() {
				t.Error("the refused cancel ended it")
			}
			run.cancel()
			if result := ended(t, run); !result.Cancelled {
				t.Errorf("%+v", result)
			}
			return err
		},
	}
	for _, action := range Actions() {
		if attempts[action] == nil {
			t.Errorf("%s is not tested", action)
		}
	}
	if len(attempts) != len(Actions()) {
		t.Errorf("%d actions are tested of %d", len(attempts), len(Actions()))
	}
	for action, attempt := range attempts {
		for _, op := range []Operator{driver, observer} {
			for _, readOnly := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%v/read-only %v", action, op.Role, readOnly), func(t *testing.T) {
					r := newRunner(t, Options{ReadOnly: readOnly})
					id := opened(t, r)
					allowed := op.Role == Driver && (!readOnly || !action.outside())
					before := len(history(t, r))
					err := attempt(t, r, op, id)
					if allowed != (err == nil) || err != nil && !errors.Is(err, ErrNotAllowed) {
						t.Errorf("%v, want allowed %v", err, allowed)
					}
					if action == ActCancel || action == ActClock {
						return // the driver has started what is to be ended
					}
					written := len(history(t, r)) - before
					if op.Role == Observer && written != 0 {
						t.Errorf("an observer wrote %d events", written)
					}
				})
			}
		}
	}
}

// bothOrNeither is the error of two ways to do one action, of which none may be
// allowed alone.
func bothOrNeither(t *testing.T, a, b error) error {
	t.Helper()
	if (a == nil) != (b == nil) {
		t.Errorf("one is allowed alone: %v, %v", a, b)
	}
	return errors.Join(a, b)
}

// tryRun starts a command that leaves a file, and checks that the file is there
// exactly if it was allowed.
func tryRun(t *testing.T, r *Runner, op Operator, id string, risk runbooks.Risk) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "touched")
	p := r.Plan(op, id, bash("touch "+file, risk), first0)
	run, err := r.Start(t.Context(), p, op, p.Confirm)
	if (p.Refused == "") != (err == nil) {
		t.Errorf("the plan says %q, the start %v", p.Refused, err)
	}
	if err == nil {
		ended(t, run)
	}
	if _, statErr := os.Stat(file); (statErr == nil) != (err == nil) {
		t.Errorf("start: %v, the file: %v", err, statErr)
	}
	return err
}

func TestReadOnlyRecordsWhatItRefused(t *testing.T) {
	r := newRunner(t, Options{ReadOnly: true, Target: pinned})
	id := opened(t, r)
	err := tryRun(t, r, driver, id, runbooks.Changes)
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Error(err)
	}
	facts := history(t, r)
	refused, ok := facts[len(facts)-1].(StepRefused)
	if !ok || refused.Ref != first0 || !strings.Contains(refused.Script, "touch") || !strings.Contains(refused.Reason, "read-only") {
		t.Errorf("the last fact is %+v", facts[len(facts)-1])
	}
}

func TestChangesNeedARecordThatLasts(t *testing.T) {
	for _, tc := range []struct {
		journal func() Journal
		risk    runbooks.Risk
		allowed bool
	}{
		{func() Journal { return NewMemory() }, runbooks.Reads, true},
		{func() Journal { return NewMemory() }, runbooks.Changes, false},
		{func() Journal { return openJournal(t, newPath(t)) }, runbooks.Changes, true},
	} {
		r := newRunner(t, Options{Journal: tc.journal(), OnRecord: true})
		err := tryRun(t, r, driver, opened(t, r), tc.risk)
		if (err == nil) != tc.allowed || err != nil && !strings.Contains(err.Error(), "--journal memory") {
			t.Errorf("%s on %T: %v", tc.risk, tc.journal(), err)
		}
	}
}
