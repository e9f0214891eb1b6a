package incidents

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/erpgo/flightdeck/runbooks"
)

// change is a run of the rollback that changes something, and how it ended.
func change(run string, ok bool) []Fact {
	return []Fact{
		StepStarted{Run: run, Ref: rollback, Risk: runbooks.Changes},
		StepFinished{Run: run, Ref: rollback, OK: ok},
	}
}

func gate(breached bool) Fact {
	return GateMeasured{Gate: "g", Value: number64(1), Breached: breached}
}

func TestFoldOfTheCourse(t *testing.T) {
	events := story(ann,
		Opened{Title: "t", Alert: "A", Severity: "warning", Key: "a", Since: noon.Add(-5 * time.Minute)},
		AlertAttached{Alert: "B", Key: "b"},
		AlertAttached{Alert: "B", Key: "b"},
		Acknowledged{},
		Acknowledged{Note: "again"},
		SeverityChanged{Severity: "critical"},
		RoleTaken{Role: "scribe"},
		RoleHandedOver{Role: "scribe", To: bob},
		MessageSent{Title: "m", To: "clipboard"},
		TaskAdded{Task: "1", Title: "one"},
		TaskAdded{Task: "2", Title: "two"},
		TaskDone{Task: "1", Note: "n"},
		TaskDone{Task: "2"},
		TaskReopened{Task: "2"},
		TaskDone{Task: "9"},
		Resolved{Reason: "r"},
		Reopened{Reason: "back"},
	)
	at := func(n int) time.Time { return events[n].At }
	got := FoldAll(events)["INC-1"]
	want := Incident{
		ID: "INC-1", Type: FromAlert, Title: "t", Alert: "A", Severity: "critical", Key: "a", Alerts: []AlertAttached{{Alert: "B", Key: "b"}},
		OpenedAt: noon, OpenedBy: ann, Began: noon.Add(-5 * time.Minute), Acknowledged: at(3), AcknowledgedBy: ann, Worked: at(6),
		Reopened: 1, Events: 17, Last: at(16), Roles: map[string]Actor{"scribe": bob}, Messages: []Event{events[8]},
		Tasks: []Task{
			{TaskAdded: TaskAdded{Task: "1", Title: "one"}, At: at(9), By: ann, Done: at(11), DoneBy: ann, Note: "n"},
			{TaskAdded: TaskAdded{Task: "2", Title: "two"}, At: at(10), By: ann},
		},
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	for key, has := range map[string]bool{"a": true, "b": true, "c": false, "": false} {
		if got.Has(key) != has {
			t.Errorf("it has alert %q: %v", key, !has)
		}
	}
}

func TestFoldOfWhatIsWatched(t *testing.T) {
	until := noon.Add(time.Hour)
	events := story(ann,
		Opened{},
		GateMeasured{Gate: "calm", Value: number64(1)},
		GateMeasured{Gate: "late", Breached: true, Since: noon.Add(2)},
		GateMeasured{Gate: "early", Breached: true, Since: noon.Add(1)},
		GateMeasured{Gate: "rollback", Breached: true, Since: noon.Add(3), Rollback: true},
		ClockStarted{Clock: "a", Deadline: until},
		ClockAcknowledged{Clock: "a"},
		ClockStarted{Clock: "b", Deadline: until},
		ClockExpired{Clock: "b"},
		SilenceMade{Silence: "s", Until: until},
		SilenceMade{Silence: "z", Until: until},
		SilenceExpired{Silence: "z"},
		ClockExpired{Clock: "unknown"}, ClockAcknowledged{Clock: "unknown"}, SilenceExpired{Silence: "unknown"},
	)
	got := FoldAll(events)["INC-1"]
	var breached []string
	for _, g := range got.Breached() {
		breached = append(breached, g.Gate)
	}
	if diff := cmp.Diff([]string{"rollback", "early", "late"}, breached); diff != "" {
		t.Errorf("breached: %s", diff)
	}
	wantClocks := map[string]Clock{
		"a": {ClockStarted: ClockStarted{Clock: "a", Deadline: until}, At: events[5].At, By: ann, Acknowledged: events[6].At, AcknowledgedBy: ann},
		"b": {ClockStarted: ClockStarted{Clock: "b", Deadline: until}, At: events[7].At, By: ann, Expired: events[8].At},
	}
	if diff := cmp.Diff(wantClocks, got.Clocks); diff != "" {
		t.Error(diff)
	}
	if left := got.Clocks["b"].Left(noon); left != time.Hour {
		t.Errorf("left: %v", left)
	}
	for _, tc := range []struct {
		silence string
		at      time.Time
		want    bool
	}{{"s", noon, true}, {"s", until, false}, {"z", noon, false}} {
		if got.Silences[tc.silence].Active(tc.at) != tc.want || len(got.Silences) != 2 {
			t.Errorf("silence %s is active at %v: %v", tc.silence, tc.at, !tc.want)
		}
	}
}

func TestFoldOfWhatARunLeaves(t *testing.T) {
	mark := func(run string, phase MarkPhase) SignalsMarked {
		return SignalsMarked{Phase: phase, Run: run, Ref: rollback, Signals: []SignalValue{{Name: run}}}
	}
	inc := FoldAll(story(ann,
		Opened{},
		StepApproved{Ref: rollback, Script: "x"},
		StepStarted{Run: "1", Ref: rollback},
		mark("1", Before),
		StepApproved{Ref: rollback, Script: "y"},
		VariablesExported{Run: "1", Ref: rollback, Values: map[string]string{"POD": "p", "PW": Mask}},
		StepFinished{Run: "1", Ref: rollback},
		mark("0", After),
	))["INC-1"]
	item := inc.Item(rollback)
	if item.Before == nil || item.Before.Run != "1" || item.After != nil {
		t.Errorf("marks before %v, after %v", item.Before, item.After)
	}
	if len(item.Approvals) != 1 || item.Approvals[0].Script != "y" || item.Approvals[0].By != ann {
		t.Errorf("approvals %+v; those before the run are spent", item.Approvals)
	}
	if diff := cmp.Diff(map[string]string{"POD": "p"}, inc.Values); diff != "" {
		t.Errorf("values: %s", diff)
	}
}

func TestFigures(t *testing.T) {
	const none = -1
	for name, tc := range map[string]struct {
		facts                          []Fact // a minute apart, the first a minute after it was opened
		acknowledge, mitigate, recover int    // minutes after the alert began, two before it was opened
	}{
		"nothing happened":              {nil, none, none, none},
		"acknowledged":                  {[]Fact{NoteTaken{}, Acknowledged{}}, 4, none, none},
		"worked on before that":         {[]Fact{Ticked{Ref: check}, Acknowledged{}}, 3, none, none},
		"a role was taken":              {[]Fact{RoleTaken{}}, 3, none, none},
		"resolved":                      {[]Fact{Resolved{}}, none, none, 3},
		"resolved twice":                {[]Fact{Resolved{}, Reopened{}, Resolved{}}, none, none, 5},
		"open again":                    {[]Fact{Resolved{}, Reopened{}}, none, none, none},
		"one change":                    {change("1", true), 3, 4, none},
		"a change that failed":          {change("1", false), 3, none, none},
		"a look":                        {[]Fact{StepStarted{Run: "1", Ref: rollback, Risk: runbooks.Reads}, StepFinished{Run: "1", Ref: rollback, OK: true}}, 3, none, none},
		"two changes, nothing measured": {append(change("1", true), change("2", true)...), 3, 6, none},
		"the first one helped":          {append(append(change("1", true), gate(false)), change("2", true)...), 3, 4, none},
		"the first one did not":         {append(append(change("1", true), gate(true)), change("2", true)...), 3, 7, none},
		"it helped for a while":         {append(change("1", true), gate(false), gate(true)), 3, none, none},
		"not measured":                  {append(append(change("1", true), GateMeasured{Gate: "g"}), change("2", true)...), 3, 7, none},
		"calm before":                   {append([]Fact{gate(false)}, append(change("1", true), change("2", true)...)...), 4, 7, none},
		"reopened":                      {append(change("1", true), Resolved{}, Reopened{}, Resolved{}), 3, none, 7},
	} {
		facts := append([]Fact{Opened{Since: noon.Add(-2 * time.Minute)}}, tc.facts...)
		inc := FoldAll(story(ann, facts...))["INC-1"]
		for figure, f := range map[string]struct {
			of   func() (time.Duration, bool)
			want int
		}{
			"acknowledge": {inc.TimeToAcknowledge, tc.acknowledge},
			"mitigate":    {inc.TimeToMitigate, tc.mitigate},
			"recover":     {inc.TimeToRecover, tc.recover},
		} {
			took, ok := f.of()
			if ok != (f.want != none) || ok && took != time.Duration(f.want)*time.Minute {
				t.Errorf("%s: time to %s %v, %v; want %d min", name, figure, took, ok, f.want)
			}
		}
	}
}

// What is decided on the newest state is recorded once, whoever asks how often.
func TestIntentsThatAreRecordedOnce(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	clock := ClockStarted{Clock: "c", Deadline: time.Now().Add(-time.Second)}
	later := ClockStarted{Clock: "later", Deadline: time.Now().Add(time.Hour)}
	breach := GateMeasured{Gate: "g", Value: number64(2), Breached: true, Since: noon}
	ctx := t.Context()
	for _, tc := range []struct {
		what string
		do   func() (Incident, error)
		want int
	}{
		{"attach", func() (Incident, error) { return r.Attach(ctx, driver, id, AlertAttached{Alert: "A", Key: "a"}) }, 1},
		{"attach again", func() (Incident, error) { return r.Attach(ctx, driver, id, AlertAttached{Alert: "A", Key: "a"}) }, 0},
		{"expire a clock that there is not", func() (Incident, error) { return r.ExpireClock(ctx, id, "c") }, 0},
		{"start a clock", func() (Incident, error) { return r.StartClock(ctx, driver, id, clock) }, 1},
		{"start it again", func() (Incident, error) { return r.StartClock(ctx, driver, id, clock) }, 0},
		{"expire it", func() (Incident, error) { return r.ExpireClock(ctx, id, "c") }, 1},
		{"expire it again", func() (Incident, error) { return r.ExpireClock(ctx, id, "c") }, 0},
		{"acknowledge it", func() (Incident, error) { return r.AcknowledgeClock(ctx, driver, id, "c", "") }, 1},
		{"acknowledge it again", func() (Incident, error) { return r.AcknowledgeClock(ctx, driver, id, "c", "") }, 0},
		{"start it anew", func() (Incident, error) { return r.StartClock(ctx, driver, id, clock) }, 1},
		{"start one with time left", func() (Incident, error) { return r.StartClock(ctx, driver, id, later) }, 1},
		{"expire that", func() (Incident, error) { return r.ExpireClock(ctx, id, "later") }, 0},
		{"measure", func() (Incident, error) { return r.MeasureGate(ctx, id, GateMeasured{Gate: "g", Value: number64(1)}) }, 1},
		{"measure the same", func() (Incident, error) { return r.MeasureGate(ctx, id, GateMeasured{Gate: "g", Value: number64(1.1)}) }, 0},
		{"measure a breach", func() (Incident, error) { return r.MeasureGate(ctx, id, breach) }, 1},
		{"measure it again", func() (Incident, error) { return r.MeasureGate(ctx, id, breach) }, 0},
		{"reopen what is open", func() (Incident, error) { return r.Reopen(ctx, driver, id, "") }, 0},
		{"add a task", func() (Incident, error) { return r.AddTask(ctx, driver, id, TaskAdded{Title: "t", Ref: check}) }, 1},
		{"add the same step's", func() (Incident, error) { return r.AddTask(ctx, driver, id, TaskAdded{Title: "t", Ref: check}) }, 0},
	} {
		before := len(history(t, r))
		if _, err := tc.do(); err != nil {
			t.Errorf("%s: %v", tc.what, err)
		}
		if got := len(history(t, r)) - before; got != tc.want {
			t.Errorf("%s: %d events, want %d", tc.what, got, tc.want)
		}
	}
	if open, ok := r.OpenFor("a"); !ok || open.ID != id {
		t.Errorf("the open incident of the attached alert is %v", open.ID)
	}
	for what, err := range map[string]error{
		"a clock": second(r.AcknowledgeClock(ctx, driver, id, "none", "")),
		"a task":  second(r.FinishTask(ctx, driver, id, "none", "")),
	} {
		if err == nil || !strings.Contains(err.Error(), `"none"`) {
			t.Errorf("%s that there is not: %v", what, err)
		}
	}
}

func second(_ Incident, err error) error { return err }

// An alert belongs to one open incident.
func TestAnAlertBelongsToOneIncident(t *testing.T) {
	r := newRunner(t, Options{})
	open := func(key string) string {
		inc, _, err := r.Open(t.Context(), driver, Opened{Title: "t", Key: key}, "")
		if err != nil {
			t.Fatal(err)
		}
		return inc.ID
	}
	first, other := open("a"), open("b")
	if _, err := r.Attach(t.Context(), driver, first, AlertAttached{Alert: "B", Key: "b"}); err == nil || !strings.Contains(err.Error(), other) {
		t.Errorf("another incident's alert: %v", err)
	}
	if _, err := r.Resolve(t.Context(), driver, first, ""); err != nil {
		t.Fatal(err)
	}
	again := open("a")
	if _, err := r.Reopen(t.Context(), driver, first, ""); err == nil || !strings.Contains(err.Error(), again) {
		t.Errorf("reopened beside %s: %v", again, err)
	}
	if _, err := r.Resolve(t.Context(), driver, again, ""); err != nil {
		t.Fatal(err)
	}
	if inc, err := r.Reopen(t.Context(), driver, first, "back"); err != nil || !inc.Open() || inc.Reopened != 1 {
		t.Errorf("%+v, %v", inc, err)
	}
}

func TestApprovalCountsForTheTextAndForAnother(t *testing.T) {
	r := newRunner(t, Options{Target: pinned})
	id := opened(t, r)
	text, other := bash("true", runbooks.Changes), bash("true # else", runbooks.Changes)
	approve := func(op Operator, bound runbooks.Bound) {
		t.Helper()
		if _, err := r.Approve(t.Context(), op, r.Plan(op, id, bound, first0), "erpgo"); err != nil {
			t.Fatal(err)
		}
	}
	started := func(bound runbooks.Bound) []Actor {
		t.Helper()
		ended(t, start(t, r, id, bound))
		var approved []Actor
		for _, f := range history(t, r) {
			if s, ok := f.(StepStarted); ok {
				approved = s.Approved
			}
		}
		return approved
	}
	second := Operator{Actor: bob, Role: Driver}
	approve(second, text)
	approve(second, text)
	approve(driver, text)
	if diff := cmp.Diff([]Actor{bob}, started(text)); diff != "" {
		t.Error(diff)
	}
	if got := started(text); got != nil {
		t.Errorf("it is spent, and the next run has %v", got)
	}
	approve(second, other)
	if got := started(text); got != nil {
		t.Errorf("another text was approved, and it has %v", got)
	}
}

// What changes something outside is not done while it cannot be recorded, and
// is not recorded when it was not done.
func TestOutsideAndJournalAgree(t *testing.T) {
	journal := &faulty{Memory: NewMemory()}
	r := newRunner(t, Options{Journal: journal})
	id := opened(t, r)
	done := 0
	silence := func(fail error) error {
		_, err := r.Silence(t.Context(), driver, id, SilenceMade{Comment: "c"}, func(context.Context) (string, error) {
			if fail == nil {
				done++
			}
			return "s", fail
		})
		return err
	}
	before := len(history(t, r))
	refused := errors.New("alertmanager says no")
	if err := silence(refused); !errors.Is(err, refused) || len(history(t, r)) != before {
		t.Errorf("%v, %d events", err, len(history(t, r))-before)
	}
	if err := silence(nil); err != nil || done != 1 {
		t.Errorf("%v, done %d times", err, done)
	}
	if inc, _ := r.Incident(id); inc.Silences["s"].Comment != "c" || inc.Silences["s"].By != ann {
		t.Errorf("%+v", inc.Silences)
	}
	journal.broken.Store(true)
	if err := silence(nil); !errors.Is(err, errDiskFull) || !strings.Contains(err.Error(), "it was done and is not recorded") {
		t.Errorf("the journal broke meanwhile: %v", err)
	}
	if err := silence(nil); !errors.Is(err, errDiskFull) || !strings.Contains(err.Error(), "nothing was done") || done != 2 {
		t.Errorf("the journal is known to be broken: %v, done %d times", err, done)
	}

	lasting := newRunner(t, Options{OnRecord: true})
	id = opened(t, lasting)
	_, err := lasting.Send(t.Context(), driver, id, MessageSent{}, func(context.Context, string) error { t.Error("it was sent"); return nil })
	if !errors.Is(err, ErrNotAllowed) {
		t.Errorf("without a lasting journal: %v", err)
	}
}
