package incidents

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// Bounds of a runner.
const (
	maxRunning  = 32               // runs at a time; more are refused
	maxEnded    = 32               // ended runs whose output is still at hand
	journalTime = 10 * time.Second // for one read or append that nobody waits for
	closeTime   = 2 * time.Second  // for everything to end when the cockpit does
)

// Options are what a runner is made of.
type Options struct {
	Journal   Journal
	Executors map[runbooks.Language]runbooks.Executor
	Target    runbooks.Target
	ReadOnly  bool     // only commands that read are run
	OnRecord  bool     // commands that change something are run only while the journal outlives the process
	Secrets   []string // what the cockpit itself knows and nobody is to see, beside a command's own
	Snapshot  string   // file that keeps the folds from one start to the next; empty for none
}

// Runner is the one gate between people and the world: it checks who asks and
// what was confirmed, records, executes, and records again. It also keeps the
// folds of all incidents at hand, so that a view never waits for the journal.
type Runner struct {
	journal   Journal
	executors map[runbooks.Language]runbooks.Executor
	target    runbooks.Target
	readOnly  bool
	onRecord  bool
	secrets   []string
	snapshot  string
	watchers  watchers

	ctx      context.Context // ends with the runner
	cancel   context.CancelFunc
	follower sync.WaitGroup // the goroutine that follows the journal
	runsCtx  context.Context
	stopRuns context.CancelFunc
	running  sync.WaitGroup // runs from before their start is recorded until their end is

	refreshing sync.Mutex // one reads the journal at a time, in order
	restored   sync.Once

	mu         sync.RWMutex
	arrived    map[string]*Incident // what the journal has; a fold in it is never changed
	folds      map[string]*Incident // and with what waits to be sent; the same map where nothing does
	unsent     []Event              // that wait
	away       error                // why they do; nil while the journal can be reached
	head       Head                 // the last event that has arrived
	kept       int64                // the last event in the snapshot
	proven     bool                 // the journal bears out what the snapshot began with
	readErr    error                // why the journal could not be read
	writeErr   error                // why it could not be written
	unrecorded int                  // ends of runs that wait to be recorded
	runs       map[string]*Run
	order      []string // run IDs, oldest first
	starting   int      // runs whose start is being recorded
	closed     bool
}

// NewRunner returns a runner that follows the journal until it is closed.
func NewRunner(o Options) *Runner {
	ctx, cancel := context.WithCancel(context.Background())
	runsCtx, stopRuns := context.WithCancel(ctx)
	r := &Runner{
		journal: o.Journal, executors: o.Executors, target: o.Target, readOnly: o.ReadOnly, onRecord: o.OnRecord, secrets: o.Secrets, snapshot: o.Snapshot,
		ctx: ctx, cancel: cancel, runsCtx: runsCtx, stopRuns: stopRuns,
		arrived: map[string]*Incident{}, runs: map[string]*Run{},
	}
	r.folds = r.arrived
	changed, stop := o.Journal.Watch()
	r.follower.Go(func() {
		defer stop()
		r.follow(changed)
	})
	return r
}

// Watch returns a channel that holds at most one token, to be received from
// when an incident, a run or its output has changed; stop ends it.
func (r *Runner) Watch() (changed <-chan struct{}, stop func()) { return r.watchers.add() }

// ReadOnly tells whether only commands that read are run.
func (r *Runner) ReadOnly() bool { return r.readOnly }

// Target is where commands run.
func (r *Runner) Target() runbooks.Target { return r.target }

// Durable tells whether the journal outlives the process.
func (r *Runner) Durable() bool { return r.journal.Durable() }

// JournalErr is why the journal cannot be read or written now, nil when it can.
func (r *Runner) JournalErr() error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.writeErr != nil {
		return r.writeErr
	}
	return r.readErr
}

// Unsent returns the events that wait on this machine's disk for a journal that
// is away, and why they wait; both nil while it is not. Their Seq is where they
// stand now and may not be theirs in the end.
func (r *Runner) Unsent() ([]Event, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.unsent, r.away
}

// Incident returns an incident as the journal has it, with what waits to be
// sent.
func (r *Runner) Incident(id string) (Incident, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	f, ok := r.folds[id]
	if !ok {
		return Incident{}, false
	}
	return *f, true
}

// Incidents returns all incidents, newest first.
func (r *Runner) Incidents() []Incident {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return newestFirst(r.folds)
}

func newestFirst(folds map[string]*Incident) []Incident {
	all := make([]Incident, 0, len(folds))
	for _, f := range folds {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Incident) int { return cmp.Or(number(b.ID)-number(a.ID), strings.Compare(a.ID, b.ID)) })
	return all
}

// OpenFor returns the open incident that an alert instance belongs to. The empty
// key belongs to none.
func (r *Runner) OpenFor(key string) (Incident, bool) {
	for _, i := range r.Incidents() {
		if i.Open() && i.Has(key) {
			return i, true
		}
	}
	return Incident{}, false
}

// Latest reads the last events of an incident with a Seq below before, at most
// limit: a page of its timeline.
func (r *Runner) Latest(ctx context.Context, incident string, before int64, limit int) ([]Event, error) {
	return r.journal.Latest(ctx, incident, before, limit)
}

// Events reads an incident's events with a Seq above after.
func (r *Runner) Events(ctx context.Context, incident string, after int64) ([]Event, error) {
	return r.journal.Events(ctx, incident, after)
}

// idPrefix is what the number of an incident stands behind.
const idPrefix = "INC-"

// number is the number in an incident's ID, 0 where there is none.
func number(id string) int {
	digits, _, _ := strings.Cut(strings.TrimPrefix(id, idPrefix), "-")
	n, _ := strconv.Atoi(digits)
	return n
}

// append records a fact and folds it, so that who asked sees it at once.
func (r *Runner) append(ctx context.Context, incident string, actor Actor, fact Fact) (Event, error) {
	e, err := r.journal.Append(ctx, incident, actor, fact)
	return e, r.appended(ctx, err)
}

// decide records a fact that follows from the state of all incidents. When
// somebody else was faster it decides again on the new state. A nil fact
// records nothing.
func (r *Runner) decide(ctx context.Context, actor Actor, next func() (incident string, fact Fact, err error)) (Event, error) {
	for tried := int64(-1); ; {
		if err := r.refresh(ctx); err != nil {
			return Event{}, err
		}
		r.mu.RLock()
		head, away := r.head.Seq+int64(len(r.unsent)), r.away
		r.mu.RUnlock()
		incident, fact, err := next()
		if err != nil || fact == nil {
			return Event{}, err
		}
		e, err := r.journal.AppendIf(ctx, head, incident, actor, fact)
		if errors.Is(err, ErrMoved) && (away == nil || head != tried) {
			tried = head
			continue
		}
		return e, r.appended(ctx, err)
	}
}

// appended takes note of how an append went. An event that is in the journal is
// there even if it could not be read back yet.
func (r *Runner) appended(ctx context.Context, err error) error {
	if err != nil {
		err = fmt.Errorf("write the journal: %w", err)
	}
	r.mu.Lock()
	if !errors.Is(err, context.Canceled) { // that was the caller's wish
		r.writeErr = err
	}
	r.mu.Unlock()
	if err != nil {
		r.watchers.notify()
		return err
	}
	_ = r.refresh(context.WithoutCancel(ctx))
	return nil
}

// masker hides the cockpit's secrets and a command's own.
func (r *Runner) masker(bound runbooks.Bound) *masker {
	return newMasker(slices.Concat(r.secrets, bound.Secrets)...)
}

// Close cancels what runs and waits for its end to be recorded, at most
// closeTime.
func (r *Runner) Close() error {
	defer r.follower.Wait()
	defer r.cancel()
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stopRuns()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.running.Wait()
	}()
	select {
	case <-ended:
		return nil
	case <-time.After(closeTime):
		return fmt.Errorf("not every run had ended and was recorded %v after it was cancelled", closeTime)
	}
}
