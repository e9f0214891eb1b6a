package incidents

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/erpgo/flightdeck/runbooks"
)

var (
	driver   = Operator{Actor: ann, Role: Driver}
	observer = Operator{Actor: bob, Role: Observer}
	first0   = CommandRef{Runbook: "rb", Step: "investigation-1", Command: 0}
)

// newRunner returns a runner with bash, a journal in memory unless there is
// one, and no cluster unless there is one.
func newRunner(t *testing.T, o Options) *Runner {
	t.Helper()
	if o.Journal == nil {
		o.Journal = NewMemory()
	}
	if o.Executors == nil {
		o.Executors = map[runbooks.Language]runbooks.Executor{runbooks.Bash: runbooks.BashExecutor{}}
	}
	r := NewRunner(o)
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return r
}

// opened returns the ID of a new incident.
func opened(t *testing.T, r *Runner) string {
	t.Helper()
	inc, _, err := r.Open(t.Context(), driver, Opened{Title: "test"}, "rb")
	if err != nil {
		t.Fatal(err)
	}
	return inc.ID
}

// start plans and starts a command, typing what it asks for.
func start(t *testing.T, r *Runner, incident string, bound runbooks.Bound) *Run {
	t.Helper()
	p := r.Plan(driver, incident, bound, first0)
	run, err := r.Start(t.Context(), p, driver, p.Confirm)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func ended(t *testing.T, run *Run) runbooks.Result {
	t.Helper()
	select {
	case <-run.Done():
	case <-time.After(20 * time.Second):
		t.Fatal("the run does not end")
	}
	result, ok := run.Result()
	if !ok {
		t.Fatal("an ended run has no result")
	}
	return result
}

// eventually waits for a condition.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
		<-tick.C
	}
}

// history is the facts of a journal.
func history(t *testing.T, r *Runner) []Fact {
	t.Helper()
	events, err := r.Events(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	facts := make([]Fact, len(events))
	for i, e := range events {
		facts[i] = e.Fact
	}
	return facts
}

func TestRunIsRecordedAndShown(t *testing.T) {
	r := newRunner(t, Options{Target: pinned})
	id := opened(t, r)
	changed, stop := r.Watch()
	defer stop()
	bound := bash("echo INFO | grep ERROR", runbooks.Reads)
	bound.Values = map[string]string{"pod": "p-1"}
	run := start(t, r, id, bound)
	if inc, _ := r.Incident(id); inc.Item(first0).State != Running && !run.ended() {
		t.Errorf("while it runs the item is %+v", inc.Item(first0))
	}
	result := ended(t, run)
	receive(t, changed)
	if run.Err() != nil || !result.OK() {
		t.Errorf("result %+v, %v", result, run.Err())
	}

	want := []Fact{
		Opened{Title: "test"},
		RunbookOpened{Runbook: "rb"},
		StepStarted{
			Run: run.ID, Ref: first0, Script: bound.Script, Values: bound.Values, Risk: runbooks.Reads, Context: "prod-eu", Namespace: "erpgo",
			Session: "memory",
		},
		StepFinished{
			Run: run.ID, Ref: first0, Exit: 1, OK: true, Note: "grep found nothing",
			Stages: []runbooks.Stage{{Name: "echo", Exit: 0}, {Name: "grep", Exit: 1}}, SHA256: result.SHA256, Duration: result.Duration,
		},
	}
	if diff := cmp.Diff(want, history(t, r)); diff != "" {
		t.Error(diff)
	}
	inc, _ := r.Incident(id)
	if item := inc.Item(first0); item.State != Done || item.By != ann || item.Result.Exit != 1 {
		t.Errorf("item %+v", item)
	}
	if inc.Values["pod"] != "p-1" {
		t.Errorf("values %v are not remembered", inc.Values)
	}
	if last, ok := r.LastRun(id, first0); !ok || last != run {
		t.Errorf("the last run is %v", last)
	}
}

func TestRunOutputIsThereAsItComes(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	fifo := filepath.Join(t.TempDir(), "go-on")
	run := start(t, r, id, bash("mkfifo "+fifo+"; echo one; cat "+fifo+" >&2; echo three", runbooks.Reads))
	texts := func() string {
		lines, _ := run.Output().Since(0)
		var all []string
		for _, l := range lines {
			all = append(all, l.Text)
		}
		return strings.Join(all, " ")
	}
	eventually(t, "the first line while it runs", func() bool { return texts() == "one" })
	if running := r.Running(); len(running) != 1 || running[0] != run {
		t.Errorf("running: %v", running)
	}
	if _, ok := run.Result(); ok {
		t.Error("a run that goes on has a result")
	}
	if err := os.WriteFile(fifo, []byte("two\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ended(t, run)
	if texts() != "one two three" {
		t.Errorf("output %q", texts())
	}
	if running := r.Running(); len(running) != 0 {
		t.Errorf("running: %v", running)
	}
}

func TestSecretsNeverReachTheJournal(t *testing.T) {
	r := newRunner(t, Options{Target: pinned, Secrets: []string{"cockpits-own"}})
	id := opened(t, r)
	bound := bash(`echo "pw=hunter2 $PW"; echo cockpits-own >&2; exit 3`, runbooks.Changes)
	bound.Values = map[string]string{"password": "hunter2", "pod": "p-1"}
	bound.Env = []string{"PW=hunter2"}
	bound.Secrets = []string{"hunter2"}
	run := start(t, r, id, bound)
	ended(t, run)
	if _, err := r.Note(t.Context(), driver, id, "it is cockpits-own"); err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%+v", history(t, r))
	if strings.Contains(all, "hunter2") || strings.Contains(all, "cockpits-own") {
		t.Errorf("the journal holds a secret: %s", all)
	}
	if !strings.Contains(all, "pw="+Mask+" "+Mask) {
		t.Errorf("the journal lacks the masked output: %s", all)
	}
	lines, _ := run.Output().Since(0)
	if shown := fmt.Sprint(lines); strings.Contains(shown, "hunter2") || strings.Contains(shown, "cockpits-own") {
		t.Errorf("the screen shows a secret: %s", shown)
	}
	inc, _ := r.Incident(id)
	if diff := cmp.Diff(map[string]string{"pod": "p-1"}, inc.Values); diff != "" {
		t.Errorf("remembered values: %s", diff)
	}
}

func TestStoppingWhatDoesNotEndIsNoFailure(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	bound := bash("while :; do date; sleep 0.05; done", runbooks.Reads)
	bound.Command.Endless = true
	run := start(t, r, id, bound)
	eventually(t, "output", func() bool { return run.Output().Stats().Lines > 0 })
	run.cancel()
	ended(t, run)
	if inc, _ := r.Incident(id); inc.Item(first0).State != Done || !inc.Item(first0).Result.Cancelled {
		t.Errorf("%+v", inc.Item(first0))
	}
}

func TestAFloodIsBounded(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	run := start(t, r, id, bash("yes", runbooks.Reads))
	eventually(t, "much output", func() bool { return run.Output().Stats().Bytes > 4<<20 })
	run.cancel()
	result := ended(t, run)
	stats := run.Output().Stats()
	lines, _ := run.Output().Since(0)
	if stats.DroppedLines == 0 || int64(len(lines))+stats.DroppedLines != stats.Lines || stats.Bytes != result.Bytes {
		t.Errorf("%d lines kept, %+v, %d bytes by the executor", len(lines), stats, result.Bytes)
	}
	facts := history(t, r)
	if finished := facts[len(facts)-1].(StepFinished); len(finished.Head) > journalBytes || len(finished.Tail) > journalBytes || finished.Tail == "" {
		t.Errorf("head of %d and tail of %d bytes in the journal", len(finished.Head), len(finished.Tail))
	}
}

func TestCloseEndsAndRecordsWhatRuns(t *testing.T) {
	journal := NewMemory()
	r := NewRunner(Options{
		Journal: journal, Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: runbooks.BashExecutor{}},
	})
	id := opened(t, r)
	run := start(t, r, id, bash("echo ready; trap '' INT TERM; while :; do sleep 0.1; done", runbooks.Reads))
	eventually(t, "it runs", func() bool { return run.Output().Stats().Lines > 0 })
	began := time.Now()
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > closeTime {
		t.Errorf("it took %v", took)
	}
	events, _ := journal.Events(t.Context(), id, 0)
	finished, ok := events[len(events)-1].Fact.(StepFinished)
	if !ok || !finished.Cancelled {
		t.Errorf("the last fact is %+v", events[len(events)-1].Fact)
	}
	p := r.Plan(driver, id, bash("true", runbooks.Reads), check)
	if _, err := r.Start(t.Context(), p, driver, ""); err == nil {
		t.Error("a closed runner runs")
	}
}

func TestRunsAreBounded(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	for i := range maxRunning + 1 {
		p := r.Plan(driver, id, bash("sleep 60", runbooks.Reads), CommandRef{Step: fmt.Sprint(i)})
		_, err := r.Start(t.Context(), p, driver, "")
		if full := i == maxRunning; full != errors.Is(err, ErrBusy) || !full && err != nil {
			t.Errorf("run %d: %v", i+1, err)
		}
	}
	for _, run := range r.Running() {
		run.cancel()
	}
	eventually(t, "all end", func() bool { return len(r.Running()) == 0 })
	for i := range maxEnded + 5 {
		p := r.Plan(driver, id, bash("true", runbooks.Reads), CommandRef{Step: fmt.Sprint(i)})
		run, err := r.Start(t.Context(), p, driver, "")
		if err != nil {
			t.Fatal(err)
		}
		ended(t, run)
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if n := len(r.runs); n > maxEnded+1 || n != len(r.order) {
		t.Errorf("%d runs are kept (%d in order), bound %d", n, len(r.order), maxEnded+1)
	}
}
