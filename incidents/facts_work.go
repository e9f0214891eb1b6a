package incidents

import (
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// The facts of working a checklist.
type (
	// RunbookOpened makes a runbook the incident's checklist.
	RunbookOpened struct {
		Runbook string `json:"runbook"`
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
		Approved  []Actor           `json:"approved,omitempty"`  // who else had agreed to it
		Session   string            `json:"session"`             // of the journal, in the process that runs it
		Terminal  bool              `json:"terminal,omitempty"`  // it had the operator's terminal: what was typed and shown there is nowhere recorded
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
	// StepApproved says that somebody beside the one who will run it agrees to a
	// command, exactly as it reads.
	StepApproved struct {
		Ref    CommandRef    `json:"ref"`
		Script string        `json:"script"` // what was agreed to, as in StepStarted
		Risk   runbooks.Risk `json:"risk"`
		Typed  string        `json:"typed,omitempty"` // what was typed to confirm it
	}
	// VariablesExported holds what a command left in its shell, for the commands
	// after it.
	VariablesExported struct {
		Run      string            `json:"run"`
		Ref      CommandRef        `json:"ref"`
		Values   map[string]string `json:"values,omitempty"`
		Withheld []string          `json:"withheld,omitempty"` // names whose values are secret and nowhere recorded
	}
	// SignalsMarked holds what the signals measured before or after a run.
	SignalsMarked struct {
		Phase   MarkPhase     `json:"phase"`
		Run     string        `json:"run"`
		Ref     CommandRef    `json:"ref"`
		Signals []SignalValue `json:"signals"`
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
	// StepSkipped says that a step applies and is left out all the same.
	StepSkipped struct {
		Ref    CommandRef `json:"ref"`
		Reason string     `json:"reason"`
	}
)

// CommandRef names a step of a runbook, or one command of a step.
type CommandRef struct {
	Runbook string `json:"runbook"`
	Step    string `json:"step"`
	Command int    `json:"command"` // index into Step.Commands; -1 for the step as a whole
}

// MarkPhase tells which side of a run signals were marked on.
type MarkPhase string

// The phases.
const (
	Before MarkPhase = "before"
	After  MarkPhase = "after"
)

// SignalValue is what a signal measured at the time of its event.
type SignalValue struct {
	Name  string   `json:"name"`            // as in the configuration
	Value *float64 `json:"value,omitempty"` // in Unit; nil where there was no sample
	Unit  string   `json:"unit,omitempty"`  // "ratio", "seconds", … as in the configuration
}

func (RunbookOpened) kind() string     { return "runbook opened" }
func (StepStarted) kind() string       { return "step started" }
func (StepOutput) kind() string        { return "step output" }
func (StepFinished) kind() string      { return "step finished" }
func (StepRefused) kind() string       { return "step refused" }
func (StepApproved) kind() string      { return "step approved" }
func (VariablesExported) kind() string { return "variables exported" }
func (SignalsMarked) kind() string     { return "signals marked" }
func (Ticked) kind() string            { return "ticked" }
func (Unticked) kind() string          { return "unticked" }
func (RuledOut) kind() string          { return "ruled out" }
func (StepSkipped) kind() string       { return "step skipped" }
