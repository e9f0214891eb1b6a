// Package runbooks answers one question: what is there to do? It turns any
// team's Markdown into runbooks with steps, indexes them by alert, binds
// placeholders, judges the risk of each command, and executes a bound command.
// It knows no person and no journal.
package runbooks

import "time"

// Book is one Markdown file as it was understood. Whatever was not understood
// is in it as text: nothing of the file is lost.
type Book struct {
	File       string
	Title      string // its first heading of level 1, or the front matter's title
	Text       string // Markdown that belongs to no runbook: introduction, tables, contents
	Meta       map[string]string
	Runbooks   []Runbook
	References []Reference    // rows of its quick-reference tables
	Anchors    map[string]int // anchor of every heading, as GitHub makes it, to its line
	Links      []Link         // of the whole file, contents and tables too, in order
	Problems   []Problem
}

// Reference is a row of a quick-reference table: an alert and where its runbook
// stands.
type Reference struct {
	Alert    string // the alerting rule's name
	Severity string // lower case
	URL      string // the row's link, mostly "#anchor"
	Line     int
}

// Problem is something about the file itself that its owner would want to know.
type Problem struct {
	Line    int
	Message string
}

// Runbook is one procedure of a book: what to do when an alert fires, or a
// procedure without an alert such as a deployment.
type Runbook struct {
	Name        string    // unique in its library: the slug of its heading, made unique with the file's name
	Title       string    // its heading
	Anchor      string    // of its heading, as in "#high-error-rate"
	Alert       string    // the alerting rule that it is for; empty for a procedure
	Severity    string    // lower case; empty where the book does not say
	Threshold   string    // as the book words it: "Error rate > 5% for 5 minutes"
	File        string    // as given to the library
	Line        int       // of the heading, from 1
	EndLine     int       // last line that belongs to it
	Description string    // Markdown of what stands before the first section
	Sections    []Section // in the book's order
	Criteria    []Assertion
	Links       []Link
	Versions    []string // names of the other runbooks for the same alert; set by the library

	escalates bool // an escalation path stands in it
}

// Section is a heading inside a runbook and what stands under it.
type Section struct {
	Kind   SectionKind
	Title  string
	Line   int
	Text   string // Markdown of everything in it that is not a step; nothing of the book is lost
	Steps  []Step
	Clocks []Clock // of an escalation path
}

// SectionKind is what a section is for.
type SectionKind string

// The kinds of section; what is not recognised is Other and keeps its title.
const (
	Symptoms      SectionKind = "symptoms"
	Investigation SectionKind = "investigation"
	Resolution    SectionKind = "resolution"
	Prevention    SectionKind = "prevention"
	Related       SectionKind = "related"
	Procedure     SectionKind = "procedure"  // deployment steps, checklists, post-incident actions
	Escalation    SectionKind = "escalation" // who is called, and when
	Criteria      SectionKind = "criteria"   // when to roll back
	Other         SectionKind = "other"
)

// Step is one item of the checklist.
type Step struct {
	ID         string // stable while the book's headings stay: section slug and number, "investigation-3"
	Number     string // as the book counts it: "3", "Option A", empty for a checkbox
	Line       int
	Title      string // without the number and the trailing colon
	Group      string // the bold label that it stands under: "1 Hour Before Deployment"
	Kind       StepKind
	If         string // the condition of a branch ("caused by recent deployment"); empty for a step that always applies
	Text       string // Markdown of the prose in it
	Commands   []Command
	Queries    []Query
	Notes      []Note // what comments say that belongs to no command, in the book's order
	Assertions []Assertion
	Clocks     []Clock
	Message    *Message
	Steps      []Step // nested steps, or the options of a choice

	or bool // while it is read: the next block is an alternative to the one above
}

// StepKind is how a step is worked.
type StepKind string

// The kinds of step.
const (
	StepCommand StepKind = "command" // it has at least one command to run
	StepQuery   StepKind = "query"   // it has PromQL to evaluate and no command
	StepManual  StepKind = "manual"  // a person checks it and ticks it
	StepChoice  StepKind = "choice"  // exactly one of its nested steps is worked
	StepMessage StepKind = "message" // a message template
	StepWait    StepKind = "wait"    // a clock and nothing to run: wait for 10 minutes
)

// Language is what a command is written in.
type Language string

// The languages that can be executed.
const (
	Bash Language = "bash"
	SQL  Language = "sql"
)

// Command is one thing to run: one shell command line (with its pipe and its
// heredoc), or one SQL statement.
type Command struct {
	Text          string // exactly as in the book, the list's indent stripped
	Caption       string // the comment above it, without the marker; empty where there is none
	Language      Language
	Line          int
	Risk          Risk
	If            string   // the condition in its caption ("migration rollback fails", "if needed"); empty for always
	Placeholders  []string // names as written, without the angle brackets, in order of first use
	Variables     []string // shell variables that it reads and does not set
	Sets          []string // shell variables that it leaves set for the commands after it
	Substitutions []string // command substitutions in it, as written: shown before they are expanded
	Endless       bool     // it does not end by itself: watch, logs -f
	Interactive   bool     // it wants a terminal
	TTY           bool     // it asks for a terminal (-t, -it), which is dropped when its output is captured
	Files         []string // local files it reads or runs: ./scripts/…, k8s/….yaml
	Writes        []string // local files it writes
	Programs      []string // local programs it needs on PATH, in order of first use
	Platform      Platform // where it makes sense; empty anywhere
	Through       string   // SQL: the line above it that opens a session (kubectl exec … psql), which can carry it
	Output        string   // what the book shows as its output
	Problem       string   // why it does not parse; such a command is never run
	Alternative   int      // commands of a step with the same number above 0 are alternatives: one of them is run
	Option        int      // which alternative, from 1: commands with the same Alternative and Option belong together
}

// Platform is the environment that a command is for.
type Platform string

// The platforms that a step can be folded for.
const (
	Kubernetes Platform = "kubernetes"
	Compose    Platform = "compose"
)

// Query is PromQL that a step wants looked at.
type Query struct {
	Original string // as written in the book
	Caption  string // the comment above it
	Line     int
	Parses   bool
	Repair   string   // a proposal that parses, empty when Parses or when there is none; never used unseen
	Repairs  []string // Repair and its alternatives where the author's intent is open (sum or avg)
}

// Note is a remark of the book inside a block, which may be a manual check.
type Note struct {
	Text string
	Line int
	If   string // as in Command
	Or   bool   // it is an alternative to what stands above it
}

// Assertion is what the book says should hold. A measurable one has an Op; a
// vague one is put to the operator.
type Assertion struct {
	Text   string // as written
	Line   int
	Signal string  // what is measured, as written ("p99 latency"); empty for the output of the command above
	Op     string  // "<", "<=", ">", ">=", "==" or empty
	Value  float64 // in Unit
	Unit   string  // "seconds", "ratio" (5% is 0.05), "bytes", or empty for a plain number
}

// Measurable tells whether it compares something with a number.
func (a Assertion) Measurable() bool { return a.Op != "" }

// Clock is a time that the book names and that begins to run with the incident.
type Clock struct {
	Kind  ClockKind
	Title string // what the book says: "Monitor for 10 minutes", "Team Lead"
	After time.Duration
	Line  int
}

// ClockKind is what happens when a clock has run.
type ClockKind string

// The kinds of clock.
const (
	ClockWait     ClockKind = "wait"     // go on after it
	ClockEscalate ClockKind = "escalate" // call Title
	ClockDeadline ClockKind = "deadline" // be done by then
)

// Message is a text to send, with slots to fill. It is never executed.
type Message struct {
	Text  string
	Line  int
	Slots []string // names as written, without the brackets, in order of first use
}

// Link is where the book points.
type Link struct {
	Text string
	URL  string
	Line int
}

// Risk is what a command can do to the world, judged from what it parses to.
type Risk string

// The classes of risk, and Unknown for what cannot be told from the text, which
// is treated like Changes.
const (
	Reads    Risk = "reads"
	Changes  Risk = "changes"
	Destroys Risk = "destroys" // data, or the thing itself, is likely gone afterwards
	Unknown  Risk = "unknown"
)

// NeedsConfirmation tells whether a command of this risk may run unasked.
func (r Risk) NeedsConfirmation() bool { return r != Reads }

// worse orders the classes: what is certain to destroy outweighs what cannot be
// told, and that outweighs what is certain to change.
func (r Risk) worse(other Risk) Risk {
	if rank(other) > rank(r) {
		return other
	}
	return r
}

func rank(r Risk) int {
	switch r {
	case Reads:
		return 0
	case Changes:
		return 1
	case Destroys:
		return 3
	}
	return 2
}
