package incidents

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/erpgo/flightdeck/runbooks"
)

// Why Start did not start anything, beside ErrNotAllowed, ErrNoIncident and an
// error of the journal.
var (
	// ErrConfirmation says that what was typed is not what had to be.
	ErrConfirmation = errors.New("not confirmed")
	// ErrBusy says that this command already runs, or too many do.
	ErrBusy = errors.New("already running")
)

// Run is one execution of a command.
type Run struct {
	ID       string
	Incident string
	Ref      CommandRef
	Plan     Plan
	By       Actor
	Started  time.Time

	output *Output
	cancel context.CancelFunc
	done   chan struct{}

	mu     sync.Mutex
	result *runbooks.Result
	err    error
}

// Output is what the run has put out so far.
func (r *Run) Output() *Output { return r.output }

// Done is closed when the run has ended and its end was recorded, or could not
// be (Err).
func (r *Run) Done() <-chan struct{} { return r.done }

// Result is how the run ended; ok is false while it runs.
func (r *Run) Result() (result runbooks.Result, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.result == nil {
		return runbooks.Result{}, false
	}
	return *r.result, true
}

// Err is why the end of the run is not in the journal yet; nil once it is.
func (r *Run) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

func (r *Run) ended() bool {
	select {
	case <-r.done:
		return true
	default:
		return false
	}
}

// Start runs what was planned. Who asks, the confirmation and the plan itself
// are checked here and now, whatever was drawn before. Nothing runs unless its
// start is in the journal. ctx bounds Start alone: the run goes on until it
// ends, is cancelled, or the runner is closed.
func (r *Runner) Start(ctx context.Context, p Plan, op Operator, typed string) (*Run, error) {
	run, mask, runCtx, err := r.launch(ctx, p, op, typed, false)
	if err != nil {
		return nil, err
	}
	go func() {
		defer r.running.Done()
		defer run.cancel()
		r.execute(runCtx, run, mask)
	}()
	return run, nil
}

// launch checks and records a run that is about to begin. Who executes it calls
// r.running.Done when its end is recorded.
func (r *Runner) launch(ctx context.Context, p Plan, op Operator, typed string, terminal bool) (*Run, *masker, context.Context, error) {
	p = r.Plan(op, p.Incident, p.Bound, p.Ref)
	if err := r.admit(ctx, p, op, typed); err != nil {
		return nil, nil, nil, err
	}
	if err := r.reserve(p); err != nil {
		return nil, nil, nil, err
	}
	run, mask, err := r.begin(ctx, p, op, typed, terminal)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starting--
	if err != nil {
		r.running.Done()
		return nil, nil, nil, fmt.Errorf("nothing was run: %w", err)
	}
	runCtx, cancel := context.WithCancel(r.runsCtx)
	run.cancel = cancel
	r.runs[run.ID] = run
	r.order = append(r.order, run.ID)
	r.forget()
	return run, mask, runCtx, nil
}

// reserve takes a place among the runs that go on.
func (r *Runner) reserve(p Plan) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return errors.New("the cockpit is closing")
	case p.Risk.NeedsConfirmation() && r.unrecorded > 0:
		return fmt.Errorf("the journal does not take how %d runs ended, so nothing that changes anything is run", r.unrecorded)
	case r.active()+r.starting >= maxRunning:
		return fmt.Errorf("%w: %d commands; cancel one", ErrBusy, maxRunning)
	}
	r.starting++
	r.running.Add(1)
	return nil
}

// begin records the start of a run.
func (r *Runner) begin(ctx context.Context, p Plan, op Operator, typed string, terminal bool) (*Run, *masker, error) {
	mask := r.masker(p.Bound)
	started := StepStarted{
		Run: rand.Text()[:12], Ref: p.Ref, Script: p.Script, Values: maps.Clone(p.Bound.Values), Risk: p.Risk,
		Context: p.Context, Namespace: p.Namespace, Confirmed: mask.text(typed),
		Approved: r.approvers(p, op), Session: r.journal.Session(), Terminal: terminal,
	}
	for name, value := range started.Values {
		started.Values[name] = mask.text(value)
	}
	event, err := r.decide(ctx, op.Actor, func() (string, Fact, error) { return p.Incident, started, r.idle(p) })
	if err != nil {
		return nil, nil, err
	}
	return &Run{
		ID: started.Run, Incident: p.Incident, Ref: p.Ref, Plan: p, By: op.Actor, Started: event.At,
		output: newOutput(mask), done: make(chan struct{}),
	}, mask, nil
}

// approvers are those who agreed to exactly what is run, beside who runs it.
func (r *Runner) approvers(p Plan, op Operator) []Actor {
	incident, _ := r.Incident(p.Incident)
	var approvers []Actor
	for _, a := range incident.Item(p.Ref).Approvals {
		if a.Script == p.Script && a.By != op.Actor && !slices.Contains(approvers, a.By) {
			approvers = append(approvers, a.By)
		}
	}
	return approvers
}

// admit checks everything that can be checked before the journal is asked.
func (r *Runner) admit(ctx context.Context, p Plan, op Operator, typed string) error {
	if _, ok := r.Incident(p.Incident); !ok {
		return fmt.Errorf("%w: %q", ErrNoIncident, p.Incident)
	}
	if err := r.refusal(op, p, shellOf(p.Bound)); err != nil {
		if op.Role == Driver { // an observer does not write either
			_, recordErr := r.append(ctx, p.Incident, op.Actor, StepRefused{Ref: p.Ref, Script: p.Script, Reason: err.Error()})
			err = errors.Join(err, recordErr)
		}
		return err
	}
	if p.Confirm != "" && typed != p.Confirm {
		return fmt.Errorf("%w: type %s to run it", ErrConfirmation, p.Confirm)
	}
	return nil
}

// idle checks that nobody runs the command at this moment: a key that was
// pressed twice must not roll back twice.
func (r *Runner) idle(p Plan) error {
	incident, _ := r.Incident(p.Incident)
	if item := incident.Item(p.Ref); item.State == Running {
		return fmt.Errorf("%w: %s started it at %s", ErrBusy, item.By.Name, item.At.Format(time.TimeOnly))
	}
	// Its item may have been ticked or ruled out while it runs.
	if run, ok := r.LastRun(p.Incident, p.Ref); ok && !run.ended() {
		return fmt.Errorf("%w: %s started it at %s", ErrBusy, run.By.Name, run.Started.Format(time.TimeOnly))
	}
	return nil
}

// execute runs the command and records its end.
func (r *Runner) execute(ctx context.Context, run *Run, mask *masker) {
	stop := r.keepOutput(run)
	executor := r.executors[run.Plan.Bound.Command.Language]
	result := executor.Execute(ctx, run.Plan.Bound, r.target, func(c runbooks.Chunk) {
		run.output.write(c)
		r.watchers.notify()
	})
	stop()
	r.ended(run, result, mask)
}

// ended records how a run ended, and what it left for the commands after it.
func (r *Runner) ended(run *Run, result runbooks.Result, mask *masker) {
	run.output.end(time.Now())
	head, tail := run.output.excerpt()
	finished := StepFinished{
		Run: run.ID, Ref: run.Ref, Exit: result.Exit, Stages: result.Stages, Signal: result.Signal,
		Cancelled: result.Cancelled, OK: result.OK() || stopped(run.Plan.Bound.Command, result),
		Note: result.Note, Duration: result.Duration, Bytes: result.Bytes, SHA256: result.SHA256,
		Head: redact(head), Tail: redact(tail),
	}
	if result.Err != nil {
		finished.Error = redact(mask.text(result.Err.Error()))
	}
	run.mu.Lock()
	run.result = &result
	run.mu.Unlock()
	r.export(run, result, mask)
	r.finish(run, finished)
}

// export records the variables that a run left set. Without a journal the
// operator is asked for them again.
func (r *Runner) export(run *Run, result runbooks.Result, mask *masker) {
	if len(result.Variables)+len(result.Withheld) == 0 {
		return
	}
	fact := VariablesExported{Run: run.ID, Ref: run.Ref, Withheld: slices.Clone(result.Withheld)}
	for name, value := range result.Variables {
		if assigned := name + "=" + value; redact(mask.text(assigned)) != assigned {
			fact.Withheld = append(fact.Withheld, name)
			continue
		}
		if fact.Values == nil {
			fact.Values = map[string]string{}
		}
		fact.Values[name] = value
	}
	slices.Sort(fact.Withheld)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), journalTime)
	defer cancel()
	_, _ = r.append(ctx, run.Incident, run.By, fact) // JournalErr says why
}

// stopped tells whether a command that does not end by itself was stopped, as
// it is meant to be.
func stopped(c runbooks.Command, result runbooks.Result) bool {
	return c.Endless && result.Cancelled && result.Err == nil
}

// finish records the end of a run, again and again until the journal takes it.
// Until then nothing that changes anything is started.
func (r *Runner) finish(run *Run, fact StepFinished) {
	defer r.watchers.notify()
	record := func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), journalTime)
		defer cancel()
		_, err := r.append(ctx, run.Incident, run.By, fact)
		run.mu.Lock()
		run.err = err
		run.mu.Unlock()
		return err
	}
	err := record()
	if err == nil {
		close(run.done)
		return
	}
	r.mu.Lock()
	r.unrecorded++
	r.mu.Unlock()
	close(run.done)
	_, err = backoff.Retry(r.ctx, func() (struct{}, error) { return struct{}{}, record() },
		backoff.WithMaxElapsedTime(0))
	if err != nil {
		return // the cockpit is closing: the run stays without an end
	}
	r.mu.Lock()
	r.unrecorded--
	r.mu.Unlock()
}

// Cancel ends a run: interrupted first, killed within a second. It returns at
// once; the run's Done tells when it is over.
func (r *Runner) Cancel(op Operator, id string) error {
	if err := (Authority{Role: op.Role, ReadOnly: r.readOnly}).Check(ActCancel); err != nil {
		return err
	}
	run, ok := r.Run(id)
	if !ok {
		return fmt.Errorf("no run %q in this cockpit", id)
	}
	run.cancel()
	return nil
}

// Run returns a run of this process that goes on or was among the last to end.
func (r *Runner) Run(id string) (*Run, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	run, ok := r.runs[id]
	return run, ok
}

// Running returns the runs that go on, oldest first.
func (r *Runner) Running() []*Run {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var running []*Run
	for _, id := range r.order {
		if run := r.runs[id]; !run.ended() {
			running = append(running, run)
		}
	}
	return running
}

// LastRun returns the newest run of a command in an incident.
func (r *Runner) LastRun(incident string, ref CommandRef) (*Run, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for i := len(r.order) - 1; i >= 0; i-- {
		if run := r.runs[r.order[i]]; run.Incident == incident && run.Ref == ref {
			return run, true
		}
	}
	return nil, false
}

// active counts the runs that go on. The caller holds mu.
func (r *Runner) active() int {
	n := 0
	for _, run := range r.runs {
		if !run.ended() {
			n++
		}
	}
	return n
}

// forget lets go of the oldest ended runs beyond maxEnded. The caller holds mu.
func (r *Runner) forget() {
	ended := len(r.runs) - r.active()
	kept := r.order[:0]
	for _, id := range r.order {
		if ended > maxEnded && r.runs[id].ended() {
			delete(r.runs, id)
			ended--
			continue
		}
		kept = append(kept, id)
	}
	r.order = kept
}
