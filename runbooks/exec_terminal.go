package runbooks

import (
	"context"
	"errors"
	"fmt"
	"time"
)

var _ Attacher = BashExecutor{}

// leaveGrace is how long an ended command's terminal may be read from on its
// behalf: of a terminal that is no file of this machine (over SSH), a key is
// read ahead.
const leaveGrace = 250 * time.Millisecond

// Attach runs the bound script with the operator's terminal as its own: it stays
// in the cockpit's session and process group, so that psql, a shell or an editor
// can use it, and gets what the keys send (^C) as it would from a shell.
// Everything else is as Execute has it: the environment, the pinned cluster,
// pipefail, the stages, the variables.
func (BashExecutor) Attach(ctx context.Context, cmd Bound, target Target, terminal Terminal) Result {
	result := Result{Started: time.Now(), Exit: -1}
	err := attachBash(ctx, cmd, target, terminal, &result)
	result.Duration = time.Since(result.Started)
	if err != nil {
		result.Err = fmt.Errorf("run with bash in a terminal: %w", err)
	}
	return result
}

func attachBash(ctx context.Context, cmd Bound, target Target, terminal Terminal, result *Result) error {
	c, err := newBashRun(cmd, target, "")
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		result.Cancelled = true
		return nil
	}
	c.Stdin, c.Stdout, c.Stderr = terminal.In, terminal.Out, terminal.Err
	c.WaitDelay = leaveGrace
	pipes := &pipes{}
	if err := pipes.openStatus(c.Cmd); err != nil {
		return err
	}
	defer pipes.close()
	family, err := startInTerminal(c.Cmd, c.mark)
	if err != nil {
		return err
	}
	defer family.release()
	pipes.started()
	pipes.listen()

	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // the status is read from ProcessState
	}()
	select {
	case <-ended:
	case <-ctx.Done():
		result.Cancelled = true
		family.end(time.Now().Add(endGrace))
		_ = c.Process.Kill() // where its family cannot be told from the cockpit's
		select {
		case <-ended:
		case <-time.After(reapGrace):
			return errors.New("it did not end after it was killed")
		}
	}
	c.outcome(cmd.Script, pipes.report(), result)
	return nil
}
