package incidents

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// gateEvery is how often a gate is recorded that stands as it stood: its course
// is Prometheus's to keep.
const gateEvery = time.Minute

// MeasureGate records how a gate stands: when it is first measured, when it
// begins or ceases to be breached, and otherwise once a minute, so that all
// cockpits together record it no more often than one would.
func (r *Runner) MeasureGate(ctx context.Context, incident string, gate GateMeasured) (Incident, error) {
	return r.decideOn(ctx, self(), incident, func(now Incident) (Fact, error) {
		last, known := now.Gates[gate.Gate]
		if known && last.Breached == gate.Breached && (last.Value == nil) == (gate.Value == nil) && time.Since(last.At) < gateEvery {
			return nil, nil
		}
		if gate.Breached && known && last.Breached {
			gate.Since = last.Since // a breach begins once
		}
		return gate, nil
	})
}

// MarkSignals records what the signals measure before or after a run.
func (r *Runner) MarkSignals(ctx context.Context, incident string, marks SignalsMarked) (Incident, error) {
	return r.decideOn(ctx, self(), incident, func(Incident) (Fact, error) { return marks, nil })
}

// StartClock begins a countdown. One of the same ID that still runs is left as
// it is.
func (r *Runner) StartClock(ctx context.Context, op Operator, incident string, clock ClockStarted) (Incident, error) {
	return r.recordIf(ctx, op, ActClock, incident, func(now Incident) (Fact, error) {
		if c, ok := now.Clocks[clock.Clock]; ok && c.Acknowledged.IsZero() {
			return nil, nil
		}
		return clock, nil
	})
}

// AcknowledgeClock says that what the clock is for was done.
func (r *Runner) AcknowledgeClock(ctx context.Context, op Operator, incident, clock, note string) (Incident, error) {
	return r.recordIf(ctx, op, ActClock, incident, func(now Incident) (Fact, error) {
		c, ok := now.Clocks[clock]
		if !ok {
			return nil, fmt.Errorf("%s has no clock %q", incident, clock)
		}
		if !c.Acknowledged.IsZero() {
			return nil, nil
		}
		return ClockAcknowledged{Clock: clock, Note: r.clean(note)}, nil
	})
}

// ExpireClock records that a clock's time has come. Of several cockpits that
// notice it one records it; a clock that was acknowledged or has time left is
// left as it is.
func (r *Runner) ExpireClock(ctx context.Context, incident, clock string) (Incident, error) {
	return r.decideOn(ctx, self(), incident, func(now Incident) (Fact, error) {
		c, ok := now.Clocks[clock]
		if !ok || !c.Acknowledged.IsZero() || !c.Expired.IsZero() || c.Left(time.Now()) > 0 {
			return nil, nil
		}
		return ClockExpired{Clock: clock}, nil
	})
}

// Copied records a message that was put on the clipboard.
func (r *Runner) Copied(ctx context.Context, op Operator, incident string, message MessageSent) (Incident, error) {
	message.Text, message.To = r.clean(message.Text), "clipboard"
	return r.record(ctx, op, ActCopy, incident, message)
}

// Send sends a message and records that. The text that send is given is the one
// that is recorded, with known secrets masked.
func (r *Runner) Send(ctx context.Context, op Operator, incident string, message MessageSent, send func(ctx context.Context, text string) error) (Incident, error) {
	message.Text = r.clean(message.Text)
	return r.outside(ctx, op, ActSend, incident, func() (Fact, error) { return message, send(ctx, message.Text) })
}

// Silence makes a silence in Alertmanager and records it; create returns its
// ID.
func (r *Runner) Silence(ctx context.Context, op Operator, incident string, silence SilenceMade, create func(context.Context) (id string, err error)) (Incident, error) {
	silence.Comment = r.clean(silence.Comment)
	return r.outside(ctx, op, ActSilence, incident, func() (Fact, error) {
		id, err := create(ctx)
		silence.Silence = id
		return silence, err
	})
}

// ExpireSilence ends a silence in Alertmanager and records that.
func (r *Runner) ExpireSilence(ctx context.Context, op Operator, incident, silence string, expire func(context.Context) error) (Incident, error) {
	return r.outside(ctx, op, ActSilence, incident, func() (Fact, error) {
		return SilenceExpired{Silence: silence}, expire(ctx)
	})
}

// outside does what changes something outside the journal, and records that it
// was done. It is not done while the journal is known not to take it.
func (r *Runner) outside(ctx context.Context, op Operator, action Action, incident string, do func() (Fact, error)) (Incident, error) {
	if err := r.may(op, action, incident); err != nil {
		return Incident{}, err
	}
	if err := r.lasting(action); err != nil {
		return Incident{}, err
	}
	if err := r.JournalErr(); err != nil {
		return Incident{}, fmt.Errorf("nothing was done: %w", err)
	}
	fact, err := do()
	if err != nil {
		return Incident{}, err
	}
	after, err := r.record(ctx, op, action, incident, fact)
	if err != nil {
		return after, errors.Join(fmt.Errorf("%s: it was done and is not recorded", action), err)
	}
	return after, nil
}
