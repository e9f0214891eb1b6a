package incidents

import (
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/erpgo/flightdeck/runbooks"
)

func TestACommandRunsOnceAtATime(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	p := r.Plan(driver, id, bash("sleep 60", runbooks.Reads), first0)
	var started atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			switch _, err := r.Start(t.Context(), p, driver, ""); {
			case err == nil:
				started.Add(1)
			case !errors.Is(err, ErrBusy):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if started.Load() != 1 || len(r.Running()) != 1 {
		t.Errorf("%d were started, %d run", started.Load(), len(r.Running()))
	}
	if _, err := r.RuleOut(t.Context(), driver, id, first0, "it takes too long"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Start(t.Context(), p, driver, ""); !errors.Is(err, ErrBusy) {
		t.Errorf("ruled out while it runs, it starts again: %v", err)
	}
	if _, err := r.Untick(t.Context(), driver, id, first0); err != nil {
		t.Fatal(err)
	}
	if err := r.Cancel(driver, r.Running()[0].ID); err != nil {
		t.Fatal(err)
	}
	run, _ := r.LastRun(id, first0)
	ended(t, run)
	if inc, _ := r.Incident(id); inc.Item(first0).State != Cancelled {
		t.Errorf("%+v", inc.Item(first0))
	}
	if again, err := r.Start(t.Context(), p, driver, ""); err != nil {
		t.Errorf("after it was cancelled: %v", err)
	} else {
		again.cancel()
		ended(t, again)
	}
}

// Two cockpits on one journal are one incident room.
func TestTwoRunnersShareAJournal(t *testing.T) {
	journal := NewMemory()
	a, b := newRunner(t, Options{Journal: journal}), newRunner(t, Options{Journal: journal})
	alert := Opened{Title: "HighErrorRate", Alert: "HighErrorRate", Key: "HighErrorRate{}"}
	var ids sync.Map
	var joins atomic.Int32
	var wg sync.WaitGroup
	for i := range 10 {
		r := a
		if i%2 == 1 {
			r = b
		}
		wg.Go(func() {
			inc, joined, err := r.Open(t.Context(), driver, alert, "rb")
			if err != nil {
				t.Error(err)
			}
			if joined {
				joins.Add(1)
			}
			ids.Store(inc.ID, true)
		})
	}
	wg.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 || joins.Load() != 9 {
		t.Errorf("%d incidents were opened, %d joined", n, joins.Load())
	}
	if _, ok := ids.Load("INC-1"); !ok {
		t.Error("the first incident is not INC-1")
	}
	if _, err := a.Tick(t.Context(), driver, "INC-1", check, "seen"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other one's tick", func() bool {
		inc, _ := b.Incident("INC-1")
		return inc.Item(check).State == Done
	})

	run := start(t, a, "INC-1", bash("sleep 60", runbooks.Reads))
	p := b.Plan(driver, "INC-1", bash("sleep 60", runbooks.Reads), first0)
	if _, err := b.Start(t.Context(), p, driver, ""); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), "ann started it") {
		t.Errorf("the same command on the other one: %v", err)
	}
	run.cancel()
	ended(t, run)
}

func TestIncidentsAreNumberedAndJoined(t *testing.T) {
	r := newRunner(t, Options{})
	open := func(key, runbook string) (string, bool) {
		t.Helper()
		inc, joined, err := r.Open(t.Context(), driver, Opened{Title: "t", Key: key}, runbook)
		if err != nil {
			t.Fatal(err)
		}
		if runbook != "" && inc.Runbook != runbook {
			t.Errorf("%s is on %q, want %q", inc.ID, inc.Runbook, runbook)
		}
		return inc.ID, joined
	}
	for _, step := range []struct {
		key, runbook, id string
		joined           bool
	}{
		{"a", "rb", "INC-1", false},
		{"b", "rb", "INC-2", false},
		{"a", "rb", "INC-1", true},
		{"a", "other", "INC-1", true},
		{"", "", "INC-3", false},
		{"", "", "INC-4", false},
	} {
		if id, joined := open(step.key, step.runbook); id != step.id || joined != step.joined {
			t.Errorf("%q gave %s, joined %v; want %s, %v", step.key, id, joined, step.id, step.joined)
		}
	}
	if _, err := r.Resolve(t.Context(), driver, "INC-1", "done"); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.OpenFor("a"); ok {
		t.Error("a resolved incident is found as open")
	}
	if id, joined := open("a", "rb"); id != "INC-5" || joined {
		t.Errorf("after it was resolved: %s, joined %v", id, joined)
	}
	var ids []string
	for _, inc := range r.Incidents() {
		ids = append(ids, inc.ID)
	}
	if diff := cmp.Diff([]string{"INC-5", "INC-4", "INC-3", "INC-2", "INC-1"}, ids); diff != "" {
		t.Error(diff)
	}
	if _, err := r.Note(t.Context(), driver, "INC-9", "x"); !errors.Is(err, ErrNoIncident) {
		t.Errorf("a note on INC-9: %v", err)
	}
}

func TestFoldsFollowTheJournal(t *testing.T) {
	journal := NewMemory()
	for _, fact := range everyFact() {
		if _, err := journal.Append(t.Context(), "INC-1", ann, fact); err != nil {
			t.Fatal(err)
		}
	}
	r := newRunner(t, Options{Journal: journal})
	eventually(t, "what was there before", func() bool {
		inc, ok := r.Incident("INC-1")
		return ok && inc.Events == len(everyFact())
	})
	events, _ := journal.Events(t.Context(), "", 0)
	got, _ := r.Incident("INC-1")
	if diff := cmp.Diff(FoldAll(events)["INC-1"], got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}
