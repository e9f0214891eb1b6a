package incidents

import (
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// The facts of what is watched while an incident goes on: gates, clocks and
// silences.
type (
	// GateMeasured says how a number stands that the book draws a line for.
	GateMeasured struct {
		Gate      string    `json:"gate"`            // identifies it within the incident: runbook and line
		Title     string    `json:"title"`           // what the book says
		Signal    string    `json:"signal"`          // what was measured
		Value     *float64  `json:"value,omitempty"` // in Unit; nil where there was no sample
		Op        string    `json:"op"`              // "<", "<=", ">", ">=", "==": of what should hold
		Threshold float64   `json:"threshold"`
		Unit      string    `json:"unit,omitempty"`
		Breached  bool      `json:"breached,omitempty"`
		Since     time.Time `json:"since,omitzero"`     // when the breach began; zero while there is none
		Rollback  bool      `json:"rollback,omitempty"` // a criterion for rolling back
	}
	// ClockStarted begins a countdown that the book asks for.
	ClockStarted struct {
		Clock    string             `json:"clock"` // identifies it within the incident: runbook and line
		Kind     runbooks.ClockKind `json:"kind"`
		Title    string             `json:"title"` // what the book says
		Deadline time.Time          `json:"deadline"`
		Ref      CommandRef         `json:"ref,omitzero"` // the step that started it; zero for one of the incident itself
		Line     int                `json:"line,omitempty"`
	}
	// ClockAcknowledged says that somebody has done what the clock is for.
	ClockAcknowledged struct {
		Clock string `json:"clock"`
		Note  string `json:"note,omitempty"`
	}
	// ClockExpired says that its time has come and nobody had.
	ClockExpired struct {
		Clock string `json:"clock"`
	}
	// SilenceMade says that Alertmanager keeps quiet about some alerts.
	SilenceMade struct {
		Silence  string    `json:"silence"`  // its ID in Alertmanager
		Matchers []string  `json:"matchers"` // as Alertmanager writes them: alertname="HighErrorRate"
		Until    time.Time `json:"until"`
		Comment  string    `json:"comment,omitempty"`
	}
	// SilenceExpired ends a silence before its time.
	SilenceExpired struct {
		Silence string `json:"silence"`
	}
)

func (GateMeasured) kind() string      { return "gate measured" }
func (ClockStarted) kind() string      { return "clock started" }
func (ClockAcknowledged) kind() string { return "clock acknowledged" }
func (ClockExpired) kind() string      { return "clock expired" }
func (SilenceMade) kind() string       { return "silence made" }
func (SilenceExpired) kind() string    { return "silence expired" }
