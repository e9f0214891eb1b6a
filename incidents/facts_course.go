package incidents

import "time"

// The facts of an incident's course: how it begins, who answers for it, how it
// ends, and what is left to do.
type (
	// Opened begins an incident.
	Opened struct {
		Title    string            `json:"title"`
		Type     Type              `json:"type,omitempty"` // empty: FromAlert when it has an Alert, ByHand otherwise
		Alert    string            `json:"alert,omitempty"`
		Severity string            `json:"severity,omitempty"`
		Key      string            `json:"key,omitempty"` // identifies the alert instance; empty for one opened by hand
		Labels   map[string]string `json:"labels,omitempty"`
		Since    time.Time         `json:"since,omitzero"` // when the alert began to fire; zero where that is not known
	}
	// AlertAttached says that another alert that fires belongs to the incident.
	AlertAttached struct {
		Alert    string            `json:"alert"`
		Severity string            `json:"severity,omitempty"`
		Key      string            `json:"key"` // as in Opened
		Labels   map[string]string `json:"labels,omitempty"`
		Since    time.Time         `json:"since,omitzero"`
	}
	// Acknowledged says that somebody has seen it and takes care of it.
	Acknowledged struct {
		Note string `json:"note,omitempty"`
	}
	// SeverityChanged sets how bad it is.
	SeverityChanged struct {
		Severity string `json:"severity"`
		Reason   string `json:"reason,omitempty"`
	}
	// RoleTaken says that the actor has a role in the incident from now on.
	RoleTaken struct {
		Role string `json:"role"` // "incident commander"
	}
	// RoleHandedOver gives a role to somebody else.
	RoleHandedOver struct {
		Role string `json:"role"`
		To   Actor  `json:"to"`
	}
	// NoteTaken is free text.
	NoteTaken struct {
		Text string `json:"text"`
	}
	// MessageSent is a message that left the cockpit.
	MessageSent struct {
		Title string     `json:"title"`        // of the template
		Text  string     `json:"text"`         // as it was sent
		To    string     `json:"to"`           // "clipboard", or the name of a webhook
		Ref   CommandRef `json:"ref,omitzero"` // the step whose message it is; zero for one's own
	}
	// Resolved ends an incident.
	Resolved struct {
		Reason string `json:"reason,omitempty"`
	}
	// Reopened says that it was not over.
	Reopened struct {
		Reason string `json:"reason,omitempty"`
	}
	// TaskAdded is something to do after the incident.
	TaskAdded struct {
		Task  string     `json:"task"` // identifies it within the incident
		Title string     `json:"title"`
		Due   time.Time  `json:"due,omitzero"`
		Ref   CommandRef `json:"ref,omitzero"` // the book's step that asks for it; zero for one's own
	}
	// TaskDone says that it was.
	TaskDone struct {
		Task string `json:"task"`
		Note string `json:"note,omitempty"`
	}
	// TaskReopened takes that back.
	TaskReopened struct {
		Task string `json:"task"`
	}
)

// Type is what an incident is about.
type Type string

// The types of incident.
const (
	FromAlert Type = "alert"
	ByHand    Type = "manual"
	Deploy    Type = "deploy"
	Rollback  Type = "rollback"
)

func (Opened) kind() string          { return "opened" }
func (AlertAttached) kind() string   { return "alert attached" }
func (Acknowledged) kind() string    { return "acknowledged" }
func (SeverityChanged) kind() string { return "severity changed" }
func (RoleTaken) kind() string       { return "role taken" }
func (RoleHandedOver) kind() string  { return "role handed over" }
func (NoteTaken) kind() string       { return "note" }
func (MessageSent) kind() string     { return "message sent" }
func (Resolved) kind() string        { return "resolved" }
func (Reopened) kind() string        { return "reopened" }
func (TaskAdded) kind() string       { return "task added" }
func (TaskDone) kind() string        { return "task done" }
func (TaskReopened) kind() string    { return "task reopened" }
