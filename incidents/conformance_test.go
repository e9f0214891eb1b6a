package incidents

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/erpgo/flightdeck/runbooks"
)

var (
	ann = Actor{Name: "ann", Host: "bastion-1"}
	bob = Actor{Name: "bob", Host: "bastion-2"}
)

// everyFact is one of each kind with every field set.
func everyFact() []Fact {
	ref := CommandRef{Runbook: "high-error-rate", Step: "investigation-3", Command: 1}
	return []Fact{
		Opened{
			Title: "HighErrorRate", Type: FromAlert, Alert: "HighErrorRate", Severity: "critical", Key: "k",
			Labels: map[string]string{"b": "2", "a": "1"}, Since: noon,
		},
		AlertAttached{Alert: "HighLatency", Severity: "warning", Key: "l", Labels: map[string]string{"a": "1"}, Since: noon},
		Acknowledged{Note: "mine"},
		SeverityChanged{Severity: "warning", Reason: "few users"},
		RoleTaken{Role: "incident commander"},
		RoleHandedOver{Role: "incident commander", To: bob},
		RunbookOpened{Runbook: "high-error-rate"},
		NoteTaken{Text: "a \x1b[31mred\x1b[0m note, 日本 \u202e"},
		StepStarted{Run: "R", Ref: ref, Script: "echo <&>", Values: map[string]string{"pod": "x"}, Risk: runbooks.Changes, Context: "prod", Namespace: "erpgo", Confirmed: "erpgo-api", Approved: []Actor{bob}, Session: "S"},
		StepOutput{Run: "R", Ref: ref, Bytes: 3, Head: "h", Tail: "t"},
		StepFinished{
			Run: "R", Ref: ref, Exit: 1, Stages: []runbooks.Stage{{Name: "echo", Exit: 0}, {Name: "grep", Exit: 1}}, Signal: "SIGINT",
			Cancelled: true, Interrupted: true, OK: true, Note: "grep found nothing", Error: "e", Duration: time.Second, Bytes: 9, SHA256: "ff", Head: "h", Tail: "t",
		},
		StepRefused{Ref: ref, Script: "rm", Reason: "read-only"},
		StepApproved{Ref: ref, Script: "echo", Risk: runbooks.Destroys, Typed: "erpgo-api"},
		VariablesExported{Run: "R", Ref: ref, Values: map[string]string{"POD": "x"}, Withheld: []string{"TOKEN"}},
		SignalsMarked{Phase: Before, Run: "R", Ref: ref, Signals: []SignalValue{{Name: "error_rate", Value: number64(0.062), Unit: "ratio"}, {Name: "none"}}},
		Ticked{Ref: ref, Note: "seen"},
		Unticked{Ref: ref},
		RuledOut{Ref: ref, Reason: "no deploy"},
		StepSkipped{Ref: ref, Reason: "no time"},
		GateMeasured{
			Gate: "rb:1", Title: "error rate < 1%", Signal: "error_rate", Value: number64(0.02), Op: "<", Threshold: 0.01, Unit: "ratio",
			Breached: true, Since: noon, Rollback: true,
		},
		ClockStarted{Clock: "rb:9", Kind: runbooks.ClockWait, Title: "Monitor for 10 minutes", Deadline: noon, Ref: ref, Line: 9},
		ClockAcknowledged{Clock: "rb:9", Note: "calm"},
		ClockExpired{Clock: "rb:9"},
		SilenceMade{Silence: "s", Matchers: []string{`alertname="HighErrorRate"`}, Until: noon, Comment: "INC-1"},
		SilenceExpired{Silence: "s"},
		MessageSent{Title: "Rollback", Text: "rolled back", To: "clipboard", Ref: ref},
		TaskAdded{Task: "t", Title: "post-mortem", Due: noon, Ref: ref},
		TaskDone{Task: "t", Note: "done"},
		TaskReopened{Task: "t"},
		Resolved{Reason: "rolled back"},
		Reopened{Reason: "it is back"},
		Pruned{Incidents: []string{"INC-9"}, Events: 3, Digest: Hash{1}},
	}
}

func number64(v float64) *float64 { return &v }

// journalConforms is what every journal must do. open returns a journal that is
// empty.
func journalConforms(t *testing.T, open func(*testing.T) Journal) {
	t.Run("gives back what was appended", func(t *testing.T) {
		j := open(t)
		before := time.Now().UTC()
		var appended []Event
		for i, fact := range everyFact() {
			e, err := j.Append(t.Context(), "INC-1", ann, fact)
			if err != nil {
				t.Fatal(err)
			}
			if e.Seq != int64(i+1) || e.Incident != "INC-1" || e.Actor != ann {
				t.Errorf("event %+v, want number %d of INC-1 by ann", e, i+1)
			}
			if diff := cmp.Diff(fact, e.Fact); diff != "" {
				t.Error(diff)
			}
			appended = append(appended, e)
		}
		events, err := j.Events(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(appended, events); diff != "" {
			t.Error(diff)
		}
		for i, e := range events {
			if e.At.Before(before) || e.At.Location() != time.UTC || i > 0 && e.At.Before(events[i-1].At) {
				t.Errorf("event %d is of %v, the one before of %v, the test of %v", e.Seq, e.At, events[max(0, i-1)].At, before)
			}
		}
		last := events[len(events)-1]
		if head, err := j.Verify(t.Context()); err != nil || head != (Head{last.Seq, last.Hash}) {
			t.Errorf("verify: %+v, %v; the last event is %d %v", head, err, last.Seq, last.Hash)
		}
	})

	t.Run("selects by incident and number", func(t *testing.T) {
		j := open(t)
		for i := range 10 {
			if _, err := j.Append(t.Context(), fmt.Sprintf("INC-%d", i%2), ann, NoteTaken{Text: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, tc := range []struct {
			incident string
			after    int64
			want     []int64
		}{
			{"", 0, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
			{"INC-1", 0, []int64{2, 4, 6, 8, 10}},
			{"INC-1", 4, []int64{6, 8, 10}},
			{"", 9, []int64{10}},
			{"", 10, nil},
			{"", 99, nil},
			{"INC-7", 0, nil},
			{"", -1, []int64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		} {
			events, err := j.Events(t.Context(), tc.incident, tc.after)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, e := range events {
				got = append(got, e.Seq)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("of %q after %d: %s", tc.incident, tc.after, diff)
			}
		}
	})

	t.Run("gives the last ones", func(t *testing.T) {
		j := open(t)
		for i := range 10 {
			if _, err := j.Append(t.Context(), fmt.Sprintf("INC-%d", i%2), ann, NoteTaken{Text: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		for _, tc := range []struct {
			incident string
			before   int64
			limit    int
			want     []int64
		}{
			{"", math.MaxInt64, 3, []int64{8, 9, 10}},
			{"", 4, 2, []int64{2, 3}},
			{"", 3, 9, []int64{1, 2}},
			{"", 1, 9, nil},
			{"", 99, 0, nil},
			{"INC-1", math.MaxInt64, 2, []int64{8, 10}},
			{"INC-1", 8, 2, []int64{4, 6}},
			{"INC-7", 8, 2, nil},
		} {
			events, err := j.Latest(t.Context(), tc.incident, tc.before, tc.limit)
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, e := range events {
				got = append(got, e.Seq)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%d of %q before %d: %s", tc.limit, tc.incident, tc.before, diff)
			}
		}
	})

	t.Run("appends on condition", func(t *testing.T) {
		j := open(t)
		if _, err := j.AppendIf(t.Context(), 1, "INC-1", ann, NoteTaken{}); !errors.Is(err, ErrMoved) {
			t.Errorf("on an empty journal after 1: %v, want ErrMoved", err)
		}
		if _, err := j.AppendIf(t.Context(), 0, "INC-1", ann, NoteTaken{}); err != nil {
			t.Error(err)
		}
		if _, err := j.AppendIf(t.Context(), 0, "INC-1", ann, NoteTaken{}); !errors.Is(err, ErrMoved) {
			t.Errorf("after 0 again: %v, want ErrMoved", err)
		}
		if events, _ := j.Events(t.Context(), "", 0); len(events) != 1 {
			t.Errorf("%d events, want the one that was accepted", len(events))
		}
	})

	t.Run("lets one of many win", func(t *testing.T) {
		j := open(t)
		var won sync.Map
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if _, err := j.AppendIf(t.Context(), 0, "INC-1", ann, NoteTaken{}); err == nil {
					won.Store(i, true)
				} else if !errors.Is(err, ErrMoved) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		won.Range(func(any, any) bool { n++; return true })
		if n != 1 {
			t.Errorf("%d of 8 appended as the first", n)
		}
	})

	t.Run("keeps the order of many writers", func(t *testing.T) {
		j := open(t)
		const writers, each = 4, 50
		var wg sync.WaitGroup
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					if _, err := j.Append(t.Context(), fmt.Sprintf("INC-%d", w), ann, NoteTaken{Text: fmt.Sprint(i)}); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		wg.Wait()
		events, err := j.Events(t.Context(), "", 0)
		if err != nil || len(events) != writers*each {
			t.Fatalf("%d events, %v; want %d", len(events), err, writers*each)
		}
		last := events[len(events)-1]
		if head, err := j.Verify(t.Context()); err != nil || head != (Head{last.Seq, last.Hash}) {
			t.Errorf("verify: %+v, %v; the last event is %d %v", head, err, last.Seq, last.Hash)
		}
		next := map[string]int{}
		for _, e := range events {
			if want := fmt.Sprint(next[e.Incident]); e.Fact.(NoteTaken).Text != want {
				t.Fatalf("%s has %v where %s was written", e.Incident, e.Fact, want)
			}
			next[e.Incident]++
		}
	})

	t.Run("tells watchers once", func(t *testing.T) {
		j := open(t)
		changed, stop := j.Watch()
		for range 5 {
			if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
				t.Fatal(err)
			}
		}
		receive(t, changed)
		stop()
		drain(changed)
		if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-changed:
			t.Error("told after stop")
		default:
		}
	})

	t.Run("verifies when it is empty", func(t *testing.T) {
		if head, err := open(t).Verify(t.Context()); err != nil || head != (Head{}) {
			t.Errorf("%+v, %v", head, err)
		}
	})

	t.Run("knows who has it open", func(t *testing.T) {
		j := open(t)
		if s := j.Session(); s == "" || !j.Alive(s) {
			t.Errorf("its own session %q is not alive", s)
		}
		for _, s := range []string{"", "nobody", "..", "../journal.db", "/"} {
			if j.Alive(s) {
				t.Errorf("session %q is alive", s)
			}
		}
	})

	t.Run("does nothing for a caller who has left", func(t *testing.T) {
		j := open(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := j.Append(ctx, "INC-1", ann, NoteTaken{}); !errors.Is(err, context.Canceled) {
			t.Errorf("append: %v", err)
		}
		if _, err := j.Events(ctx, "", 0); !errors.Is(err, context.Canceled) {
			t.Errorf("events: %v", err)
		}
		if events, _ := j.Events(t.Context(), "", 0); len(events) != 0 {
			t.Errorf("%d events were written", len(events))
		}
	})

	t.Run("keeps its events from its callers", func(t *testing.T) {
		j := open(t)
		labels := map[string]string{"a": "1"}
		if _, err := j.Append(t.Context(), "INC-1", ann, Opened{Labels: labels}); err != nil {
			t.Fatal(err)
		}
		labels["a"] = "changed"
		events, err := j.Events(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		if got := events[0].Fact.(Opened).Labels["a"]; got != "1" {
			t.Errorf("label %q after the caller changed its map", got)
		}
	})
}

// receive waits for a token.
func receive(t *testing.T, changed <-chan struct{}) {
	t.Helper()
	select {
	case <-changed:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was told")
	}
}

func drain(changed <-chan struct{}) {
	select {
	case <-changed:
	default:
	}
}

func TestMemoryConforms(t *testing.T) {
	journalConforms(t, func(*testing.T) Journal { return NewMemory() })
}

// shownTries is how many events shownSoon appends.
const shownTries = 9

// shownSoon appends to one journal and fails when most events are told to who
// watches the other later than after 200 ms.
func shownSoon(t *testing.T, a, b Journal) {
	t.Helper()
	changed, stop := b.Watch()
	defer stop()
	late := 0
	for range shownTries {
		drain(changed)
		if _, err := a.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
			t.Fatal(err)
		}
		acknowledged := time.Now()
		receive(t, changed)
		if took := time.Since(acknowledged); took > 200*time.Millisecond {
			late++
			t.Logf("seen after %v", took)
		}
	}
	if late > shownTries/2 {
		t.Errorf("%d of %d appends were seen later than after 200 ms", late, shownTries)
	}
}
