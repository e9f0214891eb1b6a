package incidents

import (
	"encoding/json"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/runbooks/lint"
)

// Evidence is what a post-mortem is written from, beside the incident itself.
type Evidence struct {
	Events    []Event             // all of the incident, in order
	Books     []*runbooks.Runbook // those that were opened, to name their steps
	Findings  []lint.Finding      // what the linter says of them
	Signals   []Series            // measured from before it began until after it ended
	Unknown   string              // why there are none, or why some are missing
	WrittenAt time.Time
	Clean     func(string) string // makes text from outside fit to be shown, and hides secrets in it
}

// Series is what a signal measured over the incident.
type Series struct {
	Name     string   `json:"name"`
	Title    string   `json:"title"`
	Unit     string   `json:"unit,omitempty"`
	Warn     float64  `json:"warn,omitempty"`     // 0 for none
	Critical float64  `json:"critical,omitempty"` // 0 for none
	Below    bool     `json:"below,omitempty"`    // low values are the bad ones
	Points   []Sample `json:"points"`             // oldest first
}

// Sample is one measurement. Where there was none there is no sample.
type Sample struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// beyond is the threshold that makes a value bad, and whether there is one.
func (s Series) beyond() (threshold float64, ok bool) {
	if s.Critical != 0 {
		return s.Critical, true
	}
	return s.Warn, s.Warn != 0
}

// bad tells whether a value is beyond a threshold.
func (s Series) bad(value, threshold float64) bool {
	if s.Below {
		return value < threshold
	}
	return value > threshold
}

// PostMortem is everything that a document about an incident says, in the order
// in which it says it.
type PostMortem struct {
	WrittenAt time.Time      `json:"written_at"`
	Summary   Summary        `json:"summary"`
	Figures   Figures        `json:"figures"`
	Impact    []Impact       `json:"impact"`
	Unknown   string         `json:"unknown,omitempty"` // why signals are missing
	Timeline  []Entry        `json:"timeline"`
	Commands  []Command      `json:"commands"`
	Excluded  []Left         `json:"ruled_out"`
	Skipped   []Left         `json:"skipped"`
	Failed    []Left         `json:"failed"` // steps whose latest run failed, was stopped or interrupted
	Gates     []GateCourse   `json:"gates"`
	Charts    []Chart        `json:"charts"`
	Findings  []lint.Finding `json:"lint"`
	Tasks     []ToDoItem     `json:"tasks"`
}

// Summary is what happened, in a few lines.
type Summary struct {
	ID           string    `json:"id"`
	Type         Type      `json:"type"`
	Title        string    `json:"title"`
	Severity     string    `json:"severity,omitempty"`
	Alerts       []string  `json:"alerts,omitempty"`
	Runbook      string    `json:"runbook,omitempty"`
	Began        time.Time `json:"began"`
	Opened       time.Time `json:"opened"`
	OpenedBy     string    `json:"opened_by"`
	Acknowledged time.Time `json:"acknowledged,omitzero"`
	Mitigated    time.Time `json:"mitigated,omitzero"`
	MitigatedBy  string    `json:"mitigated_by,omitempty"` // the step
	Resolved     time.Time `json:"resolved,omitzero"`
	Outcome      string    `json:"outcome,omitempty"`
	Reopened     int       `json:"reopened,omitempty"`
	People       []string  `json:"people"`
	Roles        []string  `json:"roles,omitempty"` // "incident commander: ann"
}

// ToDoItem is something that is to be done after the incident.
type ToDoItem struct {
	Title string    `json:"title"`
	Due   time.Time `json:"due,omitzero"`
	Done  time.Time `json:"done,omitzero"`
	By    string    `json:"by,omitempty"` // who has done it
	Note  string    `json:"note,omitempty"`
}

// Took is how long something took, as JSON in seconds; a negative one says that
// it did not come to that, as JSON null.
type Took time.Duration

// MarshalJSON writes seconds.
func (t Took) MarshalJSON() ([]byte, error) {
	if t < 0 {
		return []byte("null"), nil
	}
	return json.Marshal(time.Duration(t).Seconds())
}

// String writes it in seconds, minutes and hours: 1h5m0s.
func (t Took) String() string {
	if t < 0 {
		return "–"
	}
	return time.Duration(t).Round(time.Second).String()
}

// Figures are the incident's times; see the methods of Incident.
type Figures struct {
	Duration    Took `json:"duration"`
	Acknowledge Took `json:"time_to_acknowledge"`
	Mitigate    Took `json:"time_to_mitigate"`
	Recover     Took `json:"time_to_recover"`
}

// Impact is what a signal went through.
type Impact struct {
	Title     string    `json:"title"`
	Unit      string    `json:"unit,omitempty"`
	Before    *float64  `json:"before,omitempty"` // median before the incident began
	Worst     float64   `json:"worst"`
	WorstAt   time.Time `json:"worst_at"`
	After     float64   `json:"after"`               // the last value
	Threshold *float64  `json:"threshold,omitempty"` // critical, or warning where there is none
	Beyond    Took      `json:"beyond"`              // how long it was beyond the threshold
}

// Entry is a line of the timeline.
type Entry struct {
	Seq  int64     `json:"seq"`
	At   time.Time `json:"at"` // when it happened
	By   string    `json:"by"`
	Kind string    `json:"kind"`
	Text string    `json:"text"`
}

// Command is a run of a command.
type Command struct {
	Step      string        `json:"step"`
	Script    string        `json:"script"`
	Risk      runbooks.Risk `json:"risk"`
	Where     string        `json:"where"` // context and namespace
	At        time.Time     `json:"at"`
	By        string        `json:"by"`
	Confirmed string        `json:"confirmed,omitempty"`
	Approved  []string      `json:"approved,omitempty"`
	Verdict   string        `json:"verdict"`
	OK        bool          `json:"ok"`
	Output    string        `json:"output,omitempty"` // its beginning
	Tail      string        `json:"tail,omitempty"`   // its end, where there is more
	Bytes     int64         `json:"bytes"`
	SHA256    string        `json:"sha256,omitempty"`
	Effects   []Effect      `json:"effects,omitempty"`
	run       string
}

// Effect is what a signal measured before and after a run.
type Effect struct {
	Signal string `json:"signal"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Left is a step that was not worked to its end, and why.
type Left struct {
	Step   string    `json:"step"`
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// GateCourse is how a gate stood over the incident.
type GateCourse struct {
	Title    string   `json:"title"`
	Rollback bool     `json:"rollback,omitempty"`
	Last     string   `json:"last"` // value, or that there was none
	Breached bool     `json:"breached,omitempty"`
	Breaches []Breach `json:"breaches,omitempty"`
}

// Breach is a time during which a gate did not hold.
type Breach struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to,omitzero"` // zero when it never held again
}

// Chart is a signal's course with what was done marked on it.
type Chart struct {
	Series
	Marks []Mark `json:"marks"`
}

// Mark is something that was done, on a chart.
type Mark struct {
	Number int       `json:"number"` // as in the chart's legend, from 1
	At     time.Time `json:"at"`
	Text   string    `json:"text"`
}
