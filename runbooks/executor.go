package runbooks

import (
	"context"
	"io"
	"time"
)

// Target is the cluster that commands run against. It is pinned at start and
// shown wherever a command is.
type Target struct {
	Kubeconfig string // path of a private kubeconfig that holds this one context and nothing else
	Context    string
	Namespace  string
}

// Bound is a command whose placeholders all have values: what is shown is what
// runs.
type Bound struct {
	Command Command
	Script  string            // the text that is executed
	Values  map[string]string // placeholder or variable name to value, as bound
	Env     []string          // KEY=value, added to the environment of a bash command
	Secrets []string          // values to mask wherever output is shown or kept
}

// Stream is where a piece of output came from.
type Stream int

// The streams of a command.
const (
	Stdout Stream = iota + 1
	Stderr
)

// Chunk is a piece of output as it came.
type Chunk struct {
	Stream Stream
	At     time.Time
	Data   []byte // raw; never drawn without ui.Clean
}

// Result is how a command ended.
type Result struct {
	Started   time.Time
	Duration  time.Duration
	Exit      int               // exit status of the whole; -1 when it was ended by a signal or never started
	Stages    []Stage           // one a stage of the last pipeline, left to right; nil where not even that is known
	Signal    string            // the signal that ended it, such as SIGKILL; empty otherwise
	Cancelled bool              // it was ended by a person or a deadline
	Bytes     int64             // of output in all
	SHA256    string            // of all output, in hex
	Note      string            // why an exit status that is not 0 is no failure: "grep found nothing"
	Variables map[string]string // shell variables that it left set, for the commands after it
	Withheld  []string          // names of those that hold, or may hold, a secret
	Err       error             // why it could not be started or observed
}

// Stage is the exit status of one stage of a pipeline.
type Stage struct {
	Name string `json:"name"` // the command's first word; empty where the text does not tell
	Exit int    `json:"exit"`
}

// OK tells whether the command did what it was asked: exit status 0, or a
// non-zero status that only says "no match".
func (r Result) OK() bool {
	return r.Err == nil && !r.Cancelled && (r.Exit == 0 || r.Note != "")
}

// Executor runs a bound command until it ends or ctx does. Output goes to out,
// in order, from one goroutine at a time; out must not block for long. When ctx
// ends the command and everything it started are ended: interrupted first,
// killed after a grace of at most a second.
type Executor interface {
	Execute(ctx context.Context, cmd Bound, target Target, out func(Chunk)) Result
}

// Terminal is the operator's own, lent to a command.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
}

// Attacher runs a bound command in a terminal until it ends or ctx does. What
// is typed and shown there is not captured: the Result has no Bytes and no
// SHA256.
type Attacher interface {
	Attach(ctx context.Context, cmd Bound, target Target, terminal Terminal) Result
}
