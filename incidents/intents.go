package incidents

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrNoIncident is wrapped by the error of an action on an incident that the
// journal does not have.
var ErrNoIncident = errors.New("no such incident")

// may checks authority for an action on an incident.
func (r *Runner) may(op Operator, action Action, incident string) error {
	if err := (Authority{Role: op.Role, ReadOnly: r.readOnly}).Check(action); err != nil {
		return err
	}
	if _, ok := r.Incident(incident); !ok {
		return fmt.Errorf("%w: %q", ErrNoIncident, incident)
	}
	return nil
}

// record appends a fact to an existing incident and returns the incident as it
// is then.
func (r *Runner) record(ctx context.Context, op Operator, action Action, incident string, fact Fact) (Incident, error) {
	if err := r.may(op, action, incident); err != nil {
		return Incident{}, err
	}
	if _, err := r.append(ctx, incident, op.Actor, fact); err != nil {
		return Incident{}, err
	}
	after, _ := r.Incident(incident)
	return after, nil
}

// recordIf appends the fact that follows from the incident as it is at that
// moment, whoever else changes it. A nil fact records nothing.
func (r *Runner) recordIf(ctx context.Context, op Operator, action Action, incident string, next func(Incident) (Fact, error)) (Incident, error) {
	if err := r.may(op, action, incident); err != nil {
		return Incident{}, err
	}
	return r.decideOn(ctx, op.Actor, incident, next)
}

// decideOn is recordIf for what no person asked for.
func (r *Runner) decideOn(ctx context.Context, actor Actor, incident string, next func(Incident) (Fact, error)) (Incident, error) {
	_, err := r.decide(ctx, actor, func() (string, Fact, error) {
		now, ok := r.Incident(incident)
		if !ok {
			return "", nil, fmt.Errorf("%w: %q", ErrNoIncident, incident)
		}
		fact, err := next(now)
		return incident, fact, err
	})
	if err != nil {
		return Incident{}, err
	}
	after, _ := r.Incident(incident)
	return after, nil
}

// Open begins an incident, or joins the one that is open for the same alert
// instance (opened.Key; an incident without one is always a new one), and makes
// a runbook its checklist; an empty name leaves it as it is. Of several who
// open the same alert at once, one begins the incident and the others join it.
func (r *Runner) Open(ctx context.Context, op Operator, opened Opened, runbook string) (incident Incident, joined bool, err error) {
	if err := (Authority{Role: op.Role, ReadOnly: r.readOnly}).Check(ActOpen); err != nil {
		return Incident{}, false, err
	}
	var id string
	_, err = r.decide(ctx, op.Actor, func() (string, Fact, error) {
		if open, ok := r.OpenFor(opened.Key); ok {
			id, joined = open.ID, true
			return "", nil, nil
		}
		last := 0
		for _, i := range r.Incidents() {
			last = max(last, number(i.ID))
		}
		id, joined = idPrefix+strconv.Itoa(last+1), false
		if _, away := r.Unsent(); away != nil { // somebody else may take that number meanwhile
			id += "-" + strings.ToLower(rand.Text()[:4])
		}
		return id, opened, nil
	})
	if err != nil {
		return Incident{}, false, err
	}
	incident, _ = r.Incident(id)
	if runbook != "" && incident.Runbook != runbook {
		incident, err = r.OpenRunbook(ctx, op, id, runbook)
	}
	return incident, joined, err
}

// OpenRunbook makes a runbook the incident's checklist. What was done on
// another one stays known.
func (r *Runner) OpenRunbook(ctx context.Context, op Operator, incident, runbook string) (Incident, error) {
	return r.record(ctx, op, ActOpenRunbook, incident, RunbookOpened{Runbook: runbook})
}

// Note writes free text into the incident; known secrets in it are masked.
func (r *Runner) Note(ctx context.Context, op Operator, incident, text string) (Incident, error) {
	return r.record(ctx, op, ActNote, incident, NoteTaken{Text: r.clean(text)})
}

// Tick marks a manual check as done.
func (r *Runner) Tick(ctx context.Context, op Operator, incident string, ref CommandRef, note string) (Incident, error) {
	return r.record(ctx, op, ActTick, incident, Ticked{Ref: ref, Note: r.clean(note)})
}

// Untick takes a tick or a ruling out back.
func (r *Runner) Untick(ctx context.Context, op Operator, incident string, ref CommandRef) (Incident, error) {
	return r.record(ctx, op, ActUntick, incident, Unticked{Ref: ref})
}

// RuleOut says that a step does not apply.
func (r *Runner) RuleOut(ctx context.Context, op Operator, incident string, ref CommandRef, reason string) (Incident, error) {
	return r.record(ctx, op, ActRuleOut, incident, RuledOut{Ref: ref, Reason: r.clean(reason)})
}

// Skip says that a step applies and is left out all the same; the post-mortem
// asks why.
func (r *Runner) Skip(ctx context.Context, op Operator, incident string, ref CommandRef, reason string) (Incident, error) {
	return r.record(ctx, op, ActSkip, incident, StepSkipped{Ref: ref, Reason: r.clean(reason)})
}

// Approve says that the operator agrees to what a plan would run. It counts for
// that very text, and for somebody else who runs it.
func (r *Runner) Approve(ctx context.Context, op Operator, p Plan, typed string) (Incident, error) {
	return r.record(ctx, op, ActApprove, p.Incident, StepApproved{
		Ref: p.Ref, Script: p.Script, Risk: p.Risk, Typed: r.masker(p.Bound).text(typed),
	})
}

// clean hides what the cockpit itself knows to be secret, and what looks like
// it.
func (r *Runner) clean(text string) string { return Redact(text, r.secrets...) }
