// Package incidents answers one question: what has been done, by whom? People's
// actions become events in an append-only journal, every view of an incident is
// a fold over its events, and the runner is the one gate through which the
// world is changed.
package incidents

import "time"

// Event is one thing that happened in an incident. It is never changed after it
// was appended.
type Event struct {
	Seq      int64     // position in the journal, consecutive from 1; given by the journal
	Incident string    // "INC-42"
	At       time.Time // UTC; given by the journal, never before the event before it
	Happened time.Time // when it was made, where the journal could not be reached then; zero otherwise
	Actor    Actor
	Fact     Fact
	Prev     Hash // of the event before it; zero for the first
	Hash     Hash // of everything above, as encoded
	Unsent   bool // it is on this machine's disk and waits for the journal: Seq, Prev and Hash are not its own yet
}

// When is when it happened: At, or before that where the journal was away.
func (e Event) When() time.Time {
	if !e.Happened.IsZero() {
		return e.Happened
	}
	return e.At
}

// Actor is who did it.
type Actor struct {
	Name string `json:"name"` // user name, or the name that a key belongs to
	Host string `json:"host,omitempty"`
}

// Fact is what happened: one of the types in facts_*.go. A new kind of fact is
// a new type there, a case in the fold, and nothing else.
type Fact interface{ kind() string }

// Kind is what a fact is called in the journal and in a timeline: "note", "step
// started".
func Kind(f Fact) string { return f.kind() }
