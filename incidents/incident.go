package incidents

import (
	"maps"
	"slices"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// Incident is the state of an incident: a fold over its events and nothing
// else. It is a value; applying an event returns a new one, so a viewer may
// hold it for as long as it likes.
type Incident struct {
	ID       string            `json:"id"`
	Type     Type              `json:"type"`
	Title    string            `json:"title"`
	Alert    string            `json:"alert,omitempty"`
	Severity string            `json:"severity,omitempty"`
	Key      string            `json:"key,omitempty"` // identifies the alert instance; empty for an incident opened by hand
	Labels   map[string]string `json:"labels,omitempty"`
	Alerts   []AlertAttached   `json:"alerts,omitempty"`  // that fire together with the first
	Runbook  string            `json:"runbook,omitempty"` // the current one; empty before one was opened

	OpenedAt       time.Time  `json:"opened_at,omitzero"`
	OpenedBy       Actor      `json:"opened_by,omitzero"`
	Began          time.Time  `json:"began,omitzero"`        // when the alert began to fire; OpenedAt where that is not known
	Acknowledged   time.Time  `json:"acknowledged,omitzero"` // zero until somebody did
	AcknowledgedBy Actor      `json:"acknowledged_by,omitzero"`
	Worked         time.Time  `json:"worked,omitzero"`     // of the first thing that shows that somebody is on it; zero before
	Mitigation     Mitigation `json:"mitigation,omitzero"` // what ended the harm, as far as the journal tells
	Resolved       time.Time  `json:"resolved,omitzero"`   // zero while it is open
	ResolvedBy     Actor      `json:"resolved_by,omitzero"`
	Outcome        string     `json:"outcome,omitempty"`  // the reason that was given on resolving
	Reopened       int        `json:"reopened,omitempty"` // how often

	Events   int                 `json:"events"`
	Last     time.Time           `json:"last,omitzero"`      // of the latest event
	Items    map[CommandRef]Item `json:"items,omitempty"`    // what is known of each step and command; absent means to do
	Values   map[string]string   `json:"values,omitempty"`   // bindings and exported variables remembered for the incident, secrets excepted
	Roles    map[string]Actor    `json:"roles,omitempty"`    // who has which role
	Gates    map[string]Gate     `json:"gates,omitempty"`    // as last recorded, by their ID
	Clocks   map[string]Clock    `json:"clocks,omitempty"`   // by their ID
	Silences map[string]Silence  `json:"silences,omitempty"` // by their ID in Alertmanager
	Tasks    []Task              `json:"tasks,omitempty"`    // in the order in which they were added
	Notes    []Event             `json:"notes,omitempty"`
	Messages []Event             `json:"messages,omitempty"`
}

// ItemState is how far an item of the checklist has come.
type ItemState string

// The states of an item.
const (
	ToDo        ItemState = ""
	Running     ItemState = "running"
	Done        ItemState = "done"
	Failed      ItemState = "failed"
	Excluded    ItemState = "ruled out" // it does not apply
	Skipped     ItemState = "skipped"   // it applies and was left out
	Cancelled   ItemState = "cancelled"
	Interrupted ItemState = "interrupted" // the cockpit that ran it is gone
)

// Settled tells whether nothing is left to do about an item.
func (s ItemState) Settled() bool { return s == Done || s == Excluded || s == Skipped }

// Item is what the journal says of a step or a command.
type Item struct {
	State     ItemState      `json:"state,omitempty"`
	Run       string         `json:"run,omitempty"`     // the latest run
	Session   string         `json:"session,omitempty"` // of the journal, where it runs
	Risk      runbooks.Risk  `json:"risk,omitempty"`    // of the latest run
	At        time.Time      `json:"at,omitzero"`
	By        Actor          `json:"by,omitzero"`
	Reason    string         `json:"reason,omitempty"`    // why it was ruled out or skipped, or the note of a tick
	Approvals []Approval     `json:"approvals,omitempty"` // since the latest run started
	Output    *StepOutput    `json:"output,omitempty"`    // of the latest run, as last recorded; nil before
	Result    *StepFinished  `json:"result,omitempty"`    // of the latest run that ended; nil before
	Before    *SignalsMarked `json:"before,omitempty"`    // before the latest run; nil where they were not marked
	After     *SignalsMarked `json:"after,omitempty"`     // after it
}

// Approval is one person's agreement to a command.
type Approval struct {
	StepApproved
	At time.Time `json:"at,omitzero"`
	By Actor     `json:"by,omitzero"`
}

// Gate is a line that the book draws, as last recorded.
type Gate struct {
	GateMeasured
	At time.Time `json:"at,omitzero"` // of the record
}

// Clock is a countdown.
type Clock struct {
	ClockStarted
	At             time.Time `json:"at,omitzero"` // when it was started
	By             Actor     `json:"by,omitzero"`
	Expired        time.Time `json:"expired,omitzero"`      // when that was recorded; zero before
	Acknowledged   time.Time `json:"acknowledged,omitzero"` // zero before; a clock that was has done its service
	AcknowledgedBy Actor     `json:"acknowledged_by,omitzero"`
}

// Left is how much time a clock has at now; negative once it is over.
func (c Clock) Left(now time.Time) time.Duration { return c.Deadline.Sub(now) }

// Silence is a silence in Alertmanager, as far as the incident knows.
type Silence struct {
	SilenceMade
	At      time.Time `json:"at,omitzero"`
	By      Actor     `json:"by,omitzero"`
	Expired time.Time `json:"expired,omitzero"` // when somebody ended it; zero before
}

// Active tells whether it is in force at now.
func (s Silence) Active(now time.Time) bool { return s.Expired.IsZero() && now.Before(s.Until) }

// Task is something to do after the incident.
type Task struct {
	TaskAdded
	At     time.Time `json:"at,omitzero"`
	By     Actor     `json:"by,omitzero"`
	Done   time.Time `json:"done,omitzero"` // zero until it is
	DoneBy Actor     `json:"done_by,omitzero"`
	Note   string    `json:"note,omitempty"`
}

// Open tells whether the incident has not been resolved.
func (i Incident) Open() bool { return i.Resolved.IsZero() }

// Has tells whether an alert instance belongs to the incident. The empty key
// belongs to none.
func (i Incident) Has(key string) bool {
	return key != "" && (i.Key == key || slices.ContainsFunc(i.Alerts, func(a AlertAttached) bool { return a.Key == key }))
}

// Breached returns the gates that are breached, rollback criteria first, then
// those that have been for longest.
func (i Incident) Breached() []Gate {
	var breached []Gate
	for _, g := range i.Gates {
		if g.Breached {
			breached = append(breached, g)
		}
	}
	slices.SortFunc(breached, func(a, b Gate) int {
		switch {
		case a.Rollback != b.Rollback && a.Rollback:
			return -1
		case a.Rollback != b.Rollback:
			return 1
		}
		return a.Since.Compare(b.Since)
	})
	return breached
}

// clone returns a copy that may be changed in place.
func (i Incident) clone() Incident {
	i.Items = copied(i.Items)
	i.Values = copied(i.Values)
	i.Roles = copied(i.Roles)
	i.Gates = copied(i.Gates)
	i.Clocks = copied(i.Clocks)
	i.Silences = copied(i.Silences)
	i.Alerts = slices.Clone(i.Alerts)
	i.Tasks = slices.Clone(i.Tasks)
	i.Notes = slices.Clone(i.Notes)
	i.Messages = slices.Clone(i.Messages)
	return i
}

// copied returns a copy of a map that can be written to.
func copied[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}
