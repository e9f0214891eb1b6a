package incidents

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/erpgo/flightdeck/runbooks"
)

// TerminalRun is a run that has the operator's own terminal: a shell in a pod,
// psql, an editor. Whoever holds the terminal lends it by the Set methods and
// calls Run, as a bubbletea program does with its ExecCommand.
//
// Its start and its end are in the journal as any run's; what is typed and shown
// in between is not, and StepStarted.Terminal says so.
type TerminalRun struct {
	Recorded *Run // in the runner's list until its end is recorded; it has no output

	runner   *Runner
	attacher runbooks.Attacher
	ctx      context.Context
	mask     *masker
	terminal runbooks.Terminal
	taken    atomic.Bool // by Run, or by the end of ctx before that
}

// StartTerminal is Start for a command that gets the operator's terminal. Nothing
// runs before the returned value's Run is called; until then Cancel and Close
// end it as cancelled. Only bash has a terminal: a statement for the configured
// database has none.
func (r *Runner) StartTerminal(ctx context.Context, p Plan, op Operator, typed string) (*TerminalRun, error) {
	attacher, ok := r.executors[p.Bound.Command.Language].(runbooks.Attacher)
	if !ok {
		return nil, fmt.Errorf("%w: what is written in %s has no terminal; run it as it is", ErrNotAllowed, p.Bound.Command.Language)
	}
	run, mask, runCtx, err := r.launch(ctx, p, op, typed, true)
	if err != nil {
		return nil, err
	}
	t := &TerminalRun{Recorded: run, runner: r, attacher: attacher, ctx: runCtx, mask: mask}
	context.AfterFunc(runCtx, func() {
		if t.taken.CompareAndSwap(false, true) {
			t.end(runbooks.Result{Started: run.Started, Exit: -1, Cancelled: true})
		}
	})
	return t, nil
}

// SetStdin lends the keys.
func (t *TerminalRun) SetStdin(r io.Reader) { t.terminal.In = r }

// SetStdout lends the screen.
func (t *TerminalRun) SetStdout(w io.Writer) { t.terminal.Out = w }

// SetStderr lends the screen for errors.
func (t *TerminalRun) SetStderr(w io.Writer) { t.terminal.Err = w }

// Run executes the command in the terminal that was lent, and returns when its
// end is recorded. The error is why it could not be started, or why its end is
// not in the journal; an exit status is none.
func (t *TerminalRun) Run() error {
	if !t.taken.CompareAndSwap(false, true) {
		return errors.New("the run was cancelled before it began, or has begun already")
	}
	result := t.attacher.Attach(t.ctx, t.Recorded.Plan.Bound, t.runner.target, t.terminal)
	t.end(result)
	return errors.Join(result.Err, t.Recorded.Err())
}

func (t *TerminalRun) end(result runbooks.Result) {
	defer t.runner.running.Done()
	defer t.Recorded.cancel()
	t.runner.ended(t.Recorded, result, t.mask)
}
