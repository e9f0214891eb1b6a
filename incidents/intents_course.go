package incidents

import (
	"context"
	"crypto/rand"
	"fmt"
)

// Attach adds an alert that fires together with the first. One that belongs to
// the incident already is not added again; one that belongs to another open
// incident is refused.
func (r *Runner) Attach(ctx context.Context, op Operator, incident string, alert AlertAttached) (Incident, error) {
	return r.recordIf(ctx, op, ActAttach, incident, func(now Incident) (Fact, error) {
		switch other, found := r.OpenFor(alert.Key); {
		case now.Has(alert.Key):
			return nil, nil
		case found:
			return nil, fmt.Errorf("%s belongs to %s already; resolve that first", alert.Alert, other.ID)
		}
		return alert, nil
	})
}

// Acknowledge says that the operator takes care of it. Only the first time
// counts; later ones are in the timeline.
func (r *Runner) Acknowledge(ctx context.Context, op Operator, incident, note string) (Incident, error) {
	return r.record(ctx, op, ActAcknowledge, incident, Acknowledged{Note: r.clean(note)})
}

// SetSeverity changes how bad it is.
func (r *Runner) SetSeverity(ctx context.Context, op Operator, incident, severity, reason string) (Incident, error) {
	return r.record(ctx, op, ActSeverity, incident, SeverityChanged{Severity: severity, Reason: r.clean(reason)})
}

// TakeRole gives a role to the operator, whoever had it.
func (r *Runner) TakeRole(ctx context.Context, op Operator, incident, role string) (Incident, error) {
	return r.record(ctx, op, ActRole, incident, RoleTaken{Role: role})
}

// HandOver gives a role to somebody else.
func (r *Runner) HandOver(ctx context.Context, op Operator, incident, role string, to Actor) (Incident, error) {
	return r.record(ctx, op, ActRole, incident, RoleHandedOver{Role: role, To: to})
}

// Resolve ends the incident.
func (r *Runner) Resolve(ctx context.Context, op Operator, incident, reason string) (Incident, error) {
	return r.record(ctx, op, ActResolve, incident, Resolved{Reason: r.clean(reason)})
}

// Reopen says that it was not over. An incident whose alert has opened another
// one meanwhile stays resolved.
func (r *Runner) Reopen(ctx context.Context, op Operator, incident, reason string) (Incident, error) {
	return r.recordIf(ctx, op, ActReopen, incident, func(now Incident) (Fact, error) {
		if now.Open() {
			return nil, nil
		}
		if other, found := r.OpenFor(now.Key); found {
			return nil, fmt.Errorf("%s has been opened for the same alert; go on there", other.ID)
		}
		return Reopened{Reason: r.clean(reason)}, nil
	})
}

// AddTask adds something to do after the incident. A task of a step
// (task.Ref) is added once; task.Task is given by the runner where it is empty.
func (r *Runner) AddTask(ctx context.Context, op Operator, incident string, task TaskAdded) (Incident, error) {
	if task.Task == "" {
		task.Task = rand.Text()[:12]
	}
	task.Title = r.clean(task.Title)
	return r.recordIf(ctx, op, ActTask, incident, func(now Incident) (Fact, error) {
		for _, t := range now.Tasks {
			if t.TaskAdded.Task == task.Task || task.Ref != (CommandRef{}) && t.Ref == task.Ref {
				return nil, nil
			}
		}
		return task, nil
	})
}

// FinishTask marks a task as done.
func (r *Runner) FinishTask(ctx context.Context, op Operator, incident, task, note string) (Incident, error) {
	return r.recordIf(ctx, op, ActTask, incident, func(now Incident) (Fact, error) {
		t, err := now.taskOf(task)
		if err != nil || !t.Done.IsZero() {
			return nil, err
		}
		return TaskDone{Task: task, Note: r.clean(note)}, nil
	})
}

// ReopenTask takes that back.
func (r *Runner) ReopenTask(ctx context.Context, op Operator, incident, task string) (Incident, error) {
	return r.recordIf(ctx, op, ActTask, incident, func(now Incident) (Fact, error) {
		t, err := now.taskOf(task)
		if err != nil || t.Done.IsZero() {
			return nil, err
		}
		return TaskReopened{Task: task}, nil
	})
}

// taskOf finds a task.
func (i Incident) taskOf(id string) (Task, error) {
	for _, t := range i.Tasks {
		if t.TaskAdded.Task == id {
			return t, nil
		}
	}
	return Task{}, fmt.Errorf("%s has no task %q", i.ID, id)
}
