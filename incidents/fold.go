package incidents

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Incident is the state of an incident: a fold over its events and nothing
// else. It is a value; applying an event returns a new one, so a viewer may
// hold it for as long as it likes.
type Incident struct {
	ID         string
	Title      string
	Alert      string
	Severity   string
	Key        string // identifies the alert instance; empty for an incident opened by hand
	Labels     map[string]string
	Runbook    string // the current one; empty before one was opened
	OpenedAt   time.Time
	OpenedBy   Actor
	Resolved   time.Time // zero while it is open
	ResolvedBy Actor
	Outcome    string // the reason that was given on resolving
	Events     int
	Last       time.Time           // of the latest event
	Items      map[CommandRef]Item // what is known of each step and command; absent means to do
	Values     map[string]string   // bindings remembered for the incident, secrets excepted
	Notes      []Event
}

// ItemState is how far an item of the checklist has come.
type ItemState string

// The states of an item.
const (
	ToDo        ItemState = ""
	Running     ItemState = "running"
	Done        ItemState = "done"
	Failed      ItemState = "failed"
	Skipped     ItemState = "ruled out"
	Cancelled   ItemState = "cancelled"
	Interrupted ItemState = "interrupted" // the cockpit that ran it is gone
)

// Item is what the journal says of a step or a command.
type Item struct {
	State   ItemState
	Run     string // the latest run
	Session string // of the journal, where it runs
	At      time.Time
	By      Actor
	Reason  string        // why it was ruled out, or the note of a tick
	Output  *StepOutput   // of the latest run, as last recorded; nil before
	Result  *StepFinished // of the latest run that ended; nil before
}

// Apply returns the incident after an event. The incident that was given is not
// changed.
func Apply(incident Incident, event Event) Incident {
	after := incident.clone()
	after.apply(event)
	return after
}

// FoldAll returns all incidents by their ID after the events of a journal.
func FoldAll(events []Event) map[string]Incident {
	folds := map[string]*Incident{}
	for _, e := range events {
		f := folds[e.Incident]
		if f == nil {
			f = new(Incident)
			*f = f.clone()
			folds[e.Incident] = f
		}
		f.apply(e)
	}
	incidents := make(map[string]Incident, len(folds))
	for id, f := range folds {
		incidents[id] = *f
	}
	return incidents
}

// clone returns a copy that may be changed in place.
func (i Incident) clone() Incident {
	i.Items = maps.Clone(i.Items)
	if i.Items == nil {
		i.Items = map[CommandRef]Item{}
	}
	i.Values = maps.Clone(i.Values)
	if i.Values == nil {
		i.Values = map[string]string{}
	}
	i.Notes = slices.Clone(i.Notes)
	return i
}

// apply changes an incident that nobody else holds.
func (i *Incident) apply(e Event) {
	i.ID = e.Incident
	i.Events++
	i.Last = e.At
	switch f := e.Fact.(type) {
	case Opened:
		i.Title, i.Alert, i.Severity, i.Key, i.Labels = f.Title, f.Alert, f.Severity, f.Key, f.Labels
		i.OpenedAt, i.OpenedBy = e.At, e.Actor
	case RunbookOpened:
		i.Runbook = f.Runbook
	case NoteTaken:
		i.Notes = append(i.Notes, e)
	case StepStarted:
		item := i.Items[f.Ref]
		i.Items[f.Ref] = Item{State: Running, Run: f.Run, Session: f.Session, At: e.At, By: e.Actor, Result: item.Result}
		for name, value := range f.Values {
			if !strings.Contains(value, Mask) {
				i.Values[name] = value
			}
		}
	case StepOutput:
		if item := i.Items[f.Ref]; item.Run == f.Run {
			item.Output = &f
			i.Items[f.Ref] = item
		}
	case StepFinished:
		i.finish(e, f)
	case StepRefused, Unrecognised:
		// It is in the timeline; the checklist is as it was.
	case Ticked:
		i.mark(f.Ref, Done, e, f.Note)
	case Unticked:
		i.unmark(f.Ref)
	case RuledOut:
		i.mark(f.Ref, Skipped, e, f.Reason)
	case Resolved:
		i.Resolved, i.ResolvedBy, i.Outcome = e.At, e.Actor, f.Reason
	}
}

// finish ends the latest run of an item; the end of an earlier one changes
// nothing. An item that was ticked or ruled out meanwhile stays so.
func (i *Incident) finish(e Event, f StepFinished) {
	item, ok := i.Items[f.Ref]
	if !ok || item.Run != f.Run {
		return
	}
	item.Result = &f
	if item.State == Running {
		item.At, item.State = e.At, f.state()
	}
	i.Items[f.Ref] = item
}

// state is that of an item whose latest run ended so.
func (f StepFinished) state() ItemState {
	switch {
	case f.OK:
		return Done
	case f.Interrupted:
		return Interrupted
	case f.Cancelled:
		return Cancelled
	}
	return Failed
}

// mark sets an item by hand and keeps what its last run brought.
func (i *Incident) mark(ref CommandRef, state ItemState, e Event, reason string) {
	item := i.Items[ref]
	item.State, item.At, item.By, item.Reason = state, e.At, e.Actor, reason
	i.Items[ref] = item
}

// unmark takes back what was set by hand: what its last run brought counts
// again.
func (i *Incident) unmark(ref CommandRef) {
	item := i.Items[ref]
	if item.Run == "" {
		delete(i.Items, ref)
		return
	}
	item.State, item.Reason = Running, ""
	if item.Result != nil && item.Result.Run == item.Run {
		item.State = item.Result.state()
	}
	i.Items[ref] = item
}

// Open tells whether the incident has not been resolved.
func (i Incident) Open() bool { return i.Resolved.IsZero() }

// Duration is how long the incident has lasted at now, or lasted in all.
func (i Incident) Duration(now time.Time) time.Duration {
	end := now
	if !i.Open() {
		end = i.Resolved
	}
	return max(0, end.Sub(i.OpenedAt))
}
