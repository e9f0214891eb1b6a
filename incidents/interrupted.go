package incidents

import (
	"context"
	"os"
	"sync"
	"time"
)

// Output of a run is recorded for the case of a crash after the first of these,
// and then at twice the time each, up to the second.
const (
	firstOutput = time.Second
	mostOutput  = time.Minute
)

// interruptEvery is how often runs are looked for whose cockpit is gone.
const interruptEvery = 5 * time.Second

// keepOutput records the output of a run while it goes on, if there is any that
// is new. stop ends it and waits until it has ended.
func (r *Runner) keepOutput(run *Run) (stop func()) {
	ctx, cancel := context.WithCancel(r.ctx)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		kept := int64(0)
		for wait := firstOutput; ; wait = min(2*wait, mostOutput) {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			bytes := run.output.Stats().Bytes
			if bytes == kept {
				continue
			}
			head, tail := run.output.excerpt()
			fact := StepOutput{Run: run.ID, Ref: run.Ref, Bytes: bytes, Head: redact(head), Tail: redact(tail)}
			if _, err := r.append(ctx, run.Incident, run.By, fact); err == nil {
				kept = bytes
			}
		}
	})
	return func() {
		cancel()
		keeper.Wait()
	}
}

// interrupt records the end of runs whose cockpit is gone: it crashed, was
// killed, or lost its machine. How they ended is not known; their output is, as
// far as it was recorded.
func (r *Runner) interrupt(ctx context.Context) error {
	for {
		if _, _, _, found := r.abandoned(); !found {
			return nil
		}
		_, err := r.decide(ctx, self(), func() (string, Fact, error) {
			id, item, ref, ok := r.abandoned()
			if !ok {
				return "", nil, nil // somebody else was faster
			}
			fact := StepFinished{Run: item.Run, Ref: ref, Exit: -1, Interrupted: true}
			if item.Output != nil {
				fact.Bytes, fact.Head, fact.Tail = item.Output.Bytes, item.Output.Head, item.Output.Tail
			}
			return id, fact, nil
		})
		if err != nil {
			return err
		}
	}
}

// self is the actor of what nobody asked for: the cockpit itself.
func self() Actor {
	host, _ := os.Hostname()
	return Actor{Name: "flightdeck", Host: host}
}

// abandoned finds a run that goes on according to the journal, in a process
// that does not have the journal open any more.
func (r *Runner) abandoned() (incident string, item Item, ref CommandRef, found bool) {
	for _, i := range r.Incidents() {
		for ref, item := range i.Items {
			if item.State == Running && !r.journal.Alive(item.Session) {
				return i.ID, item, ref, true
			}
		}
	}
	return "", Item{}, CommandRef{}, false
}
