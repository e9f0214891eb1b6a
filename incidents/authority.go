package incidents

import (
	"errors"
	"fmt"

	"github.com/erpgo/flightdeck/runbooks"
)

// Role is what a person aboard may do.
type Role int

// The roles. The zero Role is the one that may do least.
const (
	Observer Role = iota // sees everything and changes nothing
	Driver               // works the checklist and runs its commands
)

func (r Role) String() string {
	if r == Driver {
		return "driver"
	}
	return "observer"
}

// Operator is the person who asks the runner for something.
type Operator struct {
	Actor Actor
	Role  Role
}

// Action is something that can be asked of the runner.
type Action string

// All actions. Everything that the runner does for a person is one of them.
const (
	ActOpen        Action = "open an incident"
	ActAttach      Action = "attach an alert"
	ActAcknowledge Action = "acknowledge an incident"
	ActSeverity    Action = "change the severity"
	ActRole        Action = "take or hand over a role"
	ActOpenRunbook Action = "open a runbook"
	ActNote        Action = "write a note"
	ActTick        Action = "tick a check"
	ActUntick      Action = "take a tick back"
	ActRuleOut     Action = "rule a step out"
	ActSkip        Action = "skip a step"
	ActApprove     Action = "approve a command"
	ActRead        Action = "run a command that reads"
	ActChange      Action = "run a command that changes something"
	ActCancel      Action = "cancel a run"
	ActClock       Action = "start or acknowledge a clock"
	ActCopy        Action = "copy a message"
	ActSend        Action = "send a message"
	ActSilence     Action = "make or end a silence"
	ActResolve     Action = "resolve an incident"
	ActReopen      Action = "reopen an incident"
	ActTask        Action = "change a task"
)

// Actions returns every action there is.
func Actions() []Action {
	return []Action{
		ActOpen, ActAttach, ActAcknowledge, ActSeverity, ActRole, ActOpenRunbook, ActNote, ActTick, ActUntick,
		ActRuleOut, ActSkip, ActApprove, ActRead, ActChange, ActCancel, ActClock, ActCopy, ActSend, ActSilence,
		ActResolve, ActReopen, ActTask,
	}
}

// outside tells whether an action changes the world beyond the journal.
func (a Action) outside() bool { return a == ActChange || a == ActSilence || a == ActSend }

// running is the action of running a command of a risk. What cannot be told is
// treated as a change.
func running(risk runbooks.Risk) Action {
	if risk.NeedsConfirmation() {
		return ActChange
	}
	return ActRead
}

// ErrNotAllowed is wrapped by the error of an action that was refused for who
// asked or for how the cockpit was started.
var ErrNotAllowed = errors.New("not allowed")

// Authority is what decides: who asks, and how the cockpit was started.
type Authority struct {
	Role     Role
	ReadOnly bool // the world outside is left as it is; the journal may be written
}

// Check returns nil when the action is allowed, otherwise why it is not.
func (a Authority) Check(action Action) error {
	switch {
	case a.Role != Driver:
		return fmt.Errorf("%w: observers cannot %s; ask the driver for the controls", ErrNotAllowed, action)
	case a.ReadOnly && action.outside():
		return fmt.Errorf("%w: the cockpit is read-only and cannot %s; start it without --read-only", ErrNotAllowed, action)
	}
	return nil
}
