// Package incidents answers one question: what has been done, by whom? People's
// actions become events in an append-only journal, every view of an incident is
// a fold over its events, and the runner is the one gate through which the
// world is changed.
package incidents

import (
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// Event is one thing that happened in an incident. It is never changed after it
// was appended.
type Event struct {
	Seq      int64     // position in the journal, consecutive from 1; given by the journal
	Incident string    // "INC-42"
	At       time.Time // UTC; given by the journal, never before the event before it
	Actor    Actor
	Fact     Fact
	Prev     Hash // of the event before it; zero for the first
	Hash     Hash // of everything above, as encoded
}

// Actor is who did it.
type Actor struct {
	Name string // user name, or the name that a key belongs to
	Host string
}

// Fact is what happened: one of the types below. A new kind of fact is a new
// type here, a case in the fold, and nothing else.
type Fact interface{ kind() string }

// The facts of an incident.
type (
	// Opened begins an incident.
	Opened struct {
		Title    string            `json:"title"`
		Alert    string            `json:"alert,omitempty"`
		Severity string            `json:"severity,omitempty"`
		Key      string            `json:"key,omitempty"` // identifies the alert instance; empty for one opened by hand
		Labels   map[string]string `json:"labels,omitempty"`
	}
	// RunbookOpened makes a runbook the incident's checklist.
	RunbookOpened struct {
		Runbook string `json:"runbook"`
	}
	// NoteTaken is free text.
	NoteTaken struct {
		Text string `json:"text"`
	}
	// StepStarted is written before a command runs.
	StepStarted struct {
		Run       string            `json:"run"` // identifies this run of the command
		Ref       CommandRef        `json:"ref"`
		Script    string            `json:"script"` // exactly as run
		Values    map[string]string `json:"values,omitempty"`
		Risk      runbooks.Risk     `json:"risk"`
		Context   string            `json:"context"`
		Namespace string            `json:"namespace"`
		Confirmed string            `json:"confirmed,omitempty"` // what was typed to confirm it
		Session   string            `json:"session"`             // of the journal, in the process that runs it
	}
	// StepOutput is written from time to time while a command runs, so that its
	// output outlives a crash of the cockpit.
	StepOutput struct {
		Run   string     `json:"run"`
		Ref   CommandRef `json:"ref"`
		Bytes int64      `json:"bytes"`          // so far
		Head  string     `json:"head,omitempty"` // as in StepFinished
		Tail  string     `json:"tail,omitempty"`
	}
	// StepFinished is written when the command has ended, or when it is found
	// that the cockpit which ran it has.
	StepFinished struct {
		Run         string           `json:"run"`
		Ref         CommandRef       `json:"ref"`
		Exit        int              `json:"exit"`
		Stages      []runbooks.Stage `json:"stages,omitempty"`
		Signal      string           `json:"signal,omitempty"`
		Cancelled   bool             `json:"cancelled,omitempty"`
		Interrupted bool             `json:"interrupted,omitempty"` // the cockpit that ran it is gone: how it ended is not known
		OK          bool             `json:"ok"`
		Note        string           `json:"note,omitempty"`
		Error       string           `json:"error,omitempty"`
		Duration    time.Duration    `json:"duration"`
		Bytes       int64            `json:"bytes"`
		SHA256      string           `json:"sha256,omitempty"`
		Head        string           `json:"head,omitempty"` // first output, at most 4 KiB
		Tail        string           `json:"tail,omitempty"` // last output, at most 4 KiB, empty when Head has it all
	}
	// StepRefused is written when the runner did not run a command.
	StepRefused struct {
		Ref    CommandRef `json:"ref"`
		Script string     `json:"script"`
		Reason string     `json:"reason"`
	}
	// Ticked marks a manual check as done.
	Ticked struct {
		Ref  CommandRef `json:"ref"`
		Note string     `json:"note,omitempty"`
	}
	// Unticked takes a tick, a skip or a ruling out back.
	Unticked struct {
		Ref CommandRef `json:"ref"`
	}
	// RuledOut says that a branch does not apply.
	RuledOut struct {
		Ref    CommandRef `json:"ref"`
		Reason string     `json:"reason,omitempty"`
	}
	// Resolved ends an incident.
	Resolved struct {
		Reason string `json:"reason,omitempty"`
	}
)

// CommandRef names a step of a runbook, or one command of a step.
type CommandRef struct {
	Runbook string `json:"runbook"`
	Step    string `json:"step"`
	Command int    `json:"command"` // index into Step.Commands; -1 for the step as a whole
}

func (Opened) kind() string        { return "opened" }
func (RunbookOpened) kind() string { return "runbook opened" }
func (NoteTaken) kind() string     { return "note" }
func (StepStarted) kind() string   { return "step started" }
func (StepOutput) kind() string    { return "step output" }
func (StepFinished) kind() string  { return "step finished" }
func (StepRefused) kind() string   { return "step refused" }
func (Ticked) kind() string        { return "ticked" }
func (Unticked) kind() string      { return "unticked" }
func (RuledOut) kind() string      { return "ruled out" }
func (Resolved) kind() string      { return "resolved" }
