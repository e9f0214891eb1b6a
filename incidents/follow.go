package incidents

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"time"
)

// follow keeps the folds up with what anybody appends, and looks after the runs
// of those who are gone.
func (r *Runner) follow(changed <-chan struct{}) {
	retry := time.NewTicker(time.Second)
	defer retry.Stop()
	abandoned := time.NewTicker(interruptEvery)
	defer abandoned.Stop()
	keep := time.NewTicker(snapshotEvery)
	defer keep.Stop()
	err := errors.Join(r.refresh(r.ctx), r.interrupt(r.ctx))
	for {
		select {
		case <-changed:
			err = r.refresh(r.ctx)
		case <-retry.C:
			if err != nil {
				err = r.refresh(r.ctx)
			}
		case <-abandoned.C:
			_ = r.interrupt(r.ctx) // it is tried again, and JournalErr says why
		case <-keep.C:
			r.keep()
		case <-r.ctx.Done():
			r.keep()
			return
		}
	}
}

// keep writes a snapshot when much has come since the last. One that cannot be
// written is only missed at the next start.
func (r *Runner) keep() {
	r.mu.RLock()
	head, worth := r.head, r.snapshot != "" && r.proven && r.head.Seq-r.kept > r.head.Seq/snapshotShare
	folds := maps.Clone(r.arrived)
	r.mu.RUnlock()
	if !worth || writeSnapshot(r.snapshot, head, folds) != nil {
		return
	}
	r.mu.Lock()
	r.kept = head.Seq
	r.mu.Unlock()
}

// restore begins with the snapshot, if there is one.
func (r *Runner) restore() {
	if r.snapshot == "" {
		return
	}
	head, folds, err := readSnapshot(r.snapshot)
	if err != nil {
		return // everything is read
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.head, r.kept, r.arrived, r.folds = head, head.Seq, folds, folds
}

// prove throws the snapshot away unless the journal bears it out. While the
// journal is away that cannot be told, and what is known is shown.
func (r *Runner) prove(ctx context.Context) error {
	r.mu.RLock()
	head, proven := r.head, r.proven
	r.mu.RUnlock()
	if proven {
		return nil
	}
	borne := true // nothing needs no bearing out
	if head.Seq > 0 {
		var err error
		if borne, err = bears(ctx, r.journal, head); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proven = true
	if !borne {
		r.head, r.kept, r.arrived = Head{}, 0, map[string]*Incident{}
	}
	return nil
}

// refresh folds what was appended since the last time.
func (r *Runner) refresh(ctx context.Context) error {
	r.refreshing.Lock()
	defer r.refreshing.Unlock()
	ctx, cancel := context.WithTimeout(ctx, journalTime)
	defer cancel()
	r.restored.Do(r.restore)
	events, waiting, away, err := r.catchUp(ctx)
	if errors.Is(err, ErrAway) {
		away, err = cmp.Or(away, err), nil
	}

	r.mu.Lock()
	changed := len(events) > 0 || len(waiting) != len(r.unsent) || (err == nil) != (r.readErr == nil) || (away == nil) != (r.away == nil)
	r.readErr, r.away, r.unsent = err, away, waiting
	r.arrived = applied(r.arrived, events, true)
	if n := len(events); n > 0 {
		r.head = Head{events[n-1].Seq, events[n-1].Hash}
	}
	r.folds = applied(r.arrived, waiting, false)
	r.mu.Unlock()
	if changed {
		r.watchers.notify()
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
}

// catchUp reads the events that are not folded yet, and what waits on this
// machine until it can be sent, and why. An event that is sent at this moment is
// in one of them.
func (r *Runner) catchUp(ctx context.Context) (events, waiting []Event, why, err error) {
	if err := r.prove(ctx); err != nil && !errors.Is(err, ErrAway) {
		return nil, nil, nil, err
	}
	r.mu.RLock()
	last, proven := r.head.Seq, r.proven
	r.mu.RUnlock()
	queue, queues := r.journal.(interface {
		Unsent(last int64) (waiting []Event, behind bool, why error)
	})
	for behind := true; behind; {
		var more []Event
		if proven { // otherwise it is away
			if more, err = r.journal.Events(ctx, "", last); err != nil && !errors.Is(err, ErrAway) {
				return events, waiting, nil, err
			}
		}
		events = append(events, more...)
		if n := len(more); n > 0 {
			last = more[n-1].Seq
		}
		behind = false
		if queues {
			waiting, behind, why = queue.Unsent(last)
		}
		behind = behind && proven && err == nil
	}
	return events, waiting, why, err
}

// applied returns folds after more events: in the same map where it may be
// changed. A fold that somebody may hold is replaced and not changed.
func applied(folds map[string]*Incident, events []Event, inPlace bool) map[string]*Incident {
	fresh := map[string]*Incident{} // this round's copies, which nobody else holds yet
	for _, e := range events {
		if e.Incident == "" { // it is about the journal itself
			if pruned, ok := e.Fact.(Pruned); ok && inPlace {
				for _, id := range pruned.Incidents {
					delete(folds, id)
					delete(fresh, id)
				}
			}
			continue
		}
		f := fresh[e.Incident]
		if f == nil {
			var old Incident
			if published := folds[e.Incident]; published != nil {
				old = *published
			}
			f = new(Incident)
			*f = old.clone()
			fresh[e.Incident] = f
		}
		f.apply(e)
	}
	if len(fresh) == 0 {
		return folds
	}
	if !inPlace {
		folds = maps.Clone(folds)
	}
	maps.Copy(folds, fresh)
	return folds
}
