package incidents

import (
	"slices"
	"strings"
	"time"
)

// Apply returns the incident after an event. The incident that was given is not
// changed.
func Apply(incident Incident, event Event) Incident {
	after := incident.clone()
	after.apply(event)
	return after
}

// FoldAll returns all incidents by their ID after the events of a journal.
func FoldAll(events []Event) map[string]Incident {
	folds := applied(map[string]*Incident{}, events, true)
	incidents := make(map[string]Incident, len(folds))
	for id, f := range folds {
		incidents[id] = *f
	}
	return incidents
}

// apply changes an incident that nobody else holds. A fact that changes nothing
// but the timeline has no case.
func (i *Incident) apply(e Event) {
	i.ID = e.Incident
	i.Events++
	i.Last = e.At
	switch f := e.Fact.(type) {
	case Opened:
		i.open(e, f)
	case AlertAttached:
		if !i.Has(f.Key) {
			i.Alerts = append(i.Alerts, f)
		}
	case Acknowledged:
		if i.Acknowledged.IsZero() {
			i.Acknowledged, i.AcknowledgedBy = e.At, e.Actor
		}
	case SeverityChanged:
		i.Severity = f.Severity
	case RoleTaken:
		i.Roles[f.Role] = e.Actor
		i.worked(e)
	case RoleHandedOver:
		i.Roles[f.Role] = f.To
	case NoteTaken:
		i.Notes = append(i.Notes, e)
	case MessageSent:
		i.Messages = append(i.Messages, e)
	case Resolved:
		i.Resolved, i.ResolvedBy, i.Outcome = e.At, e.Actor, f.Reason
	case Reopened:
		i.Resolved, i.ResolvedBy, i.Outcome = time.Time{}, Actor{}, ""
		i.Mitigation = Mitigation{}
		i.Reopened++
	case TaskAdded:
		i.Tasks = append(i.Tasks, Task{TaskAdded: f, At: e.At, By: e.Actor})
	case TaskDone:
		i.task(f.Task, func(t *Task) { t.Done, t.DoneBy, t.Note = e.At, e.Actor, f.Note })
	case TaskReopened:
		i.task(f.Task, func(t *Task) { t.Done, t.DoneBy, t.Note = time.Time{}, Actor{}, "" })
	default:
		i.work(e)
		i.watch(e)
	}
}

// open takes how it begins.
func (i *Incident) open(e Event, f Opened) {
	i.Type, i.Title, i.Alert, i.Severity, i.Key, i.Labels = f.Type, f.Title, f.Alert, f.Severity, f.Key, f.Labels
	if i.Type == "" {
		i.Type = ByHand
		if f.Alert != "" {
			i.Type = FromAlert
		}
	}
	i.OpenedAt, i.OpenedBy, i.Began = e.At, e.Actor, e.At
	if !f.Since.IsZero() && f.Since.Before(e.At) {
		i.Began = f.Since
	}
}

// worked takes that somebody is on it.
func (i *Incident) worked(e Event) {
	if i.Worked.IsZero() {
		i.Worked = e.At
	}
}

// task changes one task.
func (i *Incident) task(id string, change func(*Task)) {
	if at := slices.IndexFunc(i.Tasks, func(t Task) bool { return t.TaskAdded.Task == id }); at >= 0 {
		change(&i.Tasks[at])
	}
}

// work applies the facts of working a checklist.
func (i *Incident) work(e Event) {
	switch f := e.Fact.(type) {
	case RunbookOpened:
		i.Runbook = f.Runbook
	case StepStarted:
		item := i.Items[f.Ref]
		i.Items[f.Ref] = Item{State: Running, Run: f.Run, Session: f.Session, Risk: f.Risk, At: e.At, By: e.Actor, Result: item.Result}
		i.remember(f.Values)
		i.worked(e)
	case StepOutput:
		i.run(f.Ref, f.Run, func(item *Item) { item.Output = &f })
	case StepFinished:
		i.run(f.Ref, f.Run, func(item *Item) { i.finish(e, f, item) })
	case StepApproved:
		item := i.Items[f.Ref]
		item.Approvals = append(slices.Clip(item.Approvals), Approval{f, e.At, e.Actor})
		i.Items[f.Ref] = item
	case VariablesExported:
		i.remember(f.Values)
	case SignalsMarked:
		i.run(f.Ref, f.Run, func(item *Item) {
			if f.Phase == Before {
				item.Before = &f
			} else {
				item.After = &f
			}
		})
	case Ticked:
		i.mark(f.Ref, Done, e, f.Note)
		i.worked(e)
	case Unticked:
		i.unmark(f.Ref)
	case RuledOut:
		i.mark(f.Ref, Excluded, e, f.Reason)
	case StepSkipped:
		i.mark(f.Ref, Skipped, e, f.Reason)
	}
}

// remember keeps values for the commands to come. One with a secret in it is
// of no use any more.
func (i *Incident) remember(values map[string]string) {
	for name, value := range values {
		if !strings.Contains(value, Mask) {
			i.Values[name] = value
		}
	}
}

// run changes an item if a run is its latest: the end of an earlier one changes
// nothing.
func (i *Incident) run(ref CommandRef, run string, change func(*Item)) {
	if item, ok := i.Items[ref]; ok && item.Run == run {
		change(&item)
		i.Items[ref] = item
	}
}

// finish ends the latest run of an item. One that was ticked or ruled out
// meanwhile stays so.
func (i *Incident) finish(e Event, f StepFinished, item *Item) {
	item.Result = &f
	if item.State == Running || item.State == Interrupted { // one that was cut off from the journal was not gone
		item.At, item.State = e.At, f.state()
	}
	if f.OK && item.Risk.NeedsConfirmation() {
		i.Mitigation.changed(e, f)
	}
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
		if len(item.Approvals) > 0 {
			i.Items[ref] = Item{Approvals: item.Approvals}
		}
		return
	}
	item.State, item.Reason = Running, ""
	if item.Result != nil && item.Result.Run == item.Run {
		item.State = item.Result.state()
	}
	i.Items[ref] = item
}

// watch applies the facts of gates, clocks and silences.
func (i *Incident) watch(e Event) {
	switch f := e.Fact.(type) {
	case GateMeasured:
		i.Gates[f.Gate] = Gate{f, e.At}
		if f.Value != nil { // what could not be measured says nothing
			i.Mitigation.measured(len(i.Breached()) > 0)
		}
	case ClockStarted:
		i.Clocks[f.Clock] = Clock{ClockStarted: f, At: e.At, By: e.Actor}
	case ClockAcknowledged:
		if c, ok := i.Clocks[f.Clock]; ok {
			c.Acknowledged, c.AcknowledgedBy = e.At, e.Actor
			i.Clocks[f.Clock] = c
		}
	case ClockExpired:
		if c, ok := i.Clocks[f.Clock]; ok {
			c.Expired = e.At
			i.Clocks[f.Clock] = c
		}
	case SilenceMade:
		i.Silences[f.Silence] = Silence{SilenceMade: f, At: e.At, By: e.Actor}
	case SilenceExpired:
		if s, ok := i.Silences[f.Silence]; ok {
			s.Expired = e.At
			i.Silences[f.Silence] = s
		}
	}
}
