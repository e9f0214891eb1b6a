package incidents

import "time"

// Mitigation is the run that ended the harm, as far as the journal tells; the
// zero Mitigation where none did.
//
// It is a change that succeeded. A gate that is measured as breached, or a
// reopening, says that what was done until then had not helped, and discards
// it. When all gates are measured as holding, the change before that is kept,
// whatever is changed later. Where no gate was measured a later change that
// succeeds takes its place: as long as somebody still changes things, nothing
// says that it was over. The time to mitigate is rather too long than too short.
type Mitigation struct {
	At   time.Time  `json:"at,omitzero"` // when the run had ended
	By   Actor      `json:"by,omitzero"`
	Run  string     `json:"run,omitempty"`
	Ref  CommandRef `json:"ref,omitempty"`
	Held bool       `json:"held,omitempty"` // gates were measured as holding after it
}

// changed takes that a change succeeded.
func (m *Mitigation) changed(e Event, f StepFinished) {
	if !m.Held {
		*m = Mitigation{At: e.At, By: e.Actor, Run: f.Run, Ref: f.Ref}
	}
}

// measured takes how the gates stand now.
func (m *Mitigation) measured(breached bool) {
	switch {
	case breached:
		*m = Mitigation{}
	case !m.At.IsZero():
		m.Held = true
	}
}

// Duration is how long the incident has lasted at now, or lasted in all.
func (i Incident) Duration(now time.Time) time.Duration {
	end := now
	if !i.Open() {
		end = i.Resolved
	}
	return max(0, end.Sub(i.OpenedAt))
}

// TimeToAcknowledge is how long it took from when the alert began to fire (or
// the incident was opened) until somebody acknowledged it, or showed by working
// on it that it was seen: ran or ticked something, or took a role.
func (i Incident) TimeToAcknowledge() (time.Duration, bool) {
	seen := i.Acknowledged
	if seen.IsZero() || !i.Worked.IsZero() && i.Worked.Before(seen) {
		seen = i.Worked
	}
	return i.since(seen)
}

// TimeToMitigate is how long it took from when the alert began to fire until
// the change that ended the harm; see Mitigation.
func (i Incident) TimeToMitigate() (time.Duration, bool) { return i.since(i.Mitigation.At) }

// TimeToRecover is how long it took from when the alert began to fire until it
// was resolved for the last time.
func (i Incident) TimeToRecover() (time.Duration, bool) { return i.since(i.Resolved) }

// since is the time from the beginning to a moment that may not have come.
func (i Incident) since(moment time.Time) (time.Duration, bool) {
	if moment.IsZero() {
		return 0, false
	}
	return max(0, moment.Sub(i.Began)), true
}
