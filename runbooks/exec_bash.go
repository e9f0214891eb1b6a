package runbooks

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// MaxChunk is the most bytes that one Chunk holds.
const MaxChunk = 32 << 10

// How a run is ended: asked at once, told after interruptGrace, killed after
// terminateGrace more, all within the second that Executor promises. Who still
// holds its output at endGrace is beyond reach, and is let go of.
const (
	interruptGrace = 250 * time.Millisecond
	terminateGrace = 250 * time.Millisecond
	endGrace       = 900 * time.Millisecond
	reapGrace      = 5 * time.Second // for the system to say that a killed process has ended
)

// BashExecutor runs a command with bash, with pipefail, in a session of its
// own: no terminal, nothing on standard input, and kubectl pinned to the
// target.
//
// A run lasts until bash has ended and nothing holds its output any more, so a
// "kubectl port-forward … &" is a run that goes on and can be cancelled, while
// a child that was sent elsewhere (">/dev/null &") outlives its step as it
// would in a terminal.
//
// Cancelling ends bash's process group, its session, all descendants, and on
// Linux every process that still carries the run's mark in its environment,
// which setsid and daemons keep. What is left out is a process of another user
// (sudo), and a daemon that also dropped its environment.
type BashExecutor struct{}

var _ Executor = BashExecutor{}

// Execute runs the bound script. The slice in each Chunk is the receiver's to
// keep. Execute does not return before a call to out that is under way has.
func (BashExecutor) Execute(ctx context.Context, cmd Bound, target Target, out func(Chunk)) Result {
	result := Result{Started: time.Now(), Exit: -1}
	sum := output{hash: sha256.New(), out: out}
	err := runBash(ctx, cmd, target, &sum, &result)
	result.Duration = time.Since(result.Started)
	result.Bytes = sum.bytes
	result.SHA256 = hex.EncodeToString(sum.hash.Sum(nil))
	if err != nil {
		result.Err = fmt.Errorf("run with bash: %w", err)
	}
	return result
}

// runBash runs the script and fills in how it ended.
func runBash(ctx context.Context, cmd Bound, target Target, sum *output, result *Result) error {
	before := ""
	if callsWatch(cmd.Script) {
		before = watchFunction
	}
	c, err := newBashRun(cmd, target, before)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		result.Cancelled = true
		return nil
	}
	pipes, err := openPipes(c.Cmd)
	if err != nil {
		return err
	}
	defer pipes.close()
	family, err := startFamily(c.Cmd, c.mark)
	if err != nil {
		return err
	}
	defer family.release()
	pipes.started()
	pipes.listen()

	drained := make(chan struct{})
	go func() {
		defer close(drained)
		var readers sync.WaitGroup
		readers.Go(func() { sum.copy(Stdout, pipes.stdout) })
		readers.Go(func() { sum.copy(Stderr, pipes.stderr) })
		readers.Wait()
	}()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait() // the status is read from ProcessState
	}()

	select {
	case <-both(ended, drained):
	case <-ctx.Done():
		result.Cancelled = true
		deadline := time.Now().Add(endGrace)
		family.end(deadline)
		letGo := time.AfterFunc(time.Until(deadline), pipes.closeOutput)
		<-drained
		letGo.Stop()
		select {
		case <-ended:
		case <-time.After(reapGrace):
			return errors.New("it did not end after it was killed")
		}
	}
	c.outcome(cmd.Script, pipes.report(), result)
	return nil
}

// bashRun is bash with a bound script that is about to start.
type bashRun struct {
	*exec.Cmd
	kept     []string // names of the variables that it reports
	withheld []string // names of those that it does not, as they may be secret
	mark     string   // what its processes are known by
}

// newBashRun prepares bash; before is shell that stands before the script, on one
// line.
func newBashRun(cmd Bound, target Target, before string) (*bashRun, error) {
	r := &bashRun{mark: runVariable + "=" + rand.Text()}
	r.kept, r.withheld = keptVariables(cmd.Script)
	script, err := wrap(cmd.Script, before, r.kept)
	if err != nil {
		return nil, err
	}
	bash, err := exec.LookPath("bash")
	if err != nil {
		return nil, fmt.Errorf("%w: install bash, or put it on PATH", err)
	}
	r.Cmd = exec.Command(bash, "--noprofile", "--norc", "-o", "pipefail", "-c", script, "bash")
	r.Env = environment(os.Environ(), cmd.Env, target, r.mark)
	return r, nil
}

// outcome explains how the script ended, with what bash said of it.
func (r *bashRun) outcome(script, said string, result *Result) {
	result.Exit = r.ProcessState.ExitCode()
	result.Signal = signalName(r.ProcessState)
	report := readReport(said, r.kept)
	result.Stages = stages(script, report.statuses, result.Exit)
	result.Note = note(result.Stages)
	result.Variables, result.Withheld = report.variables, r.withheld
}

// both is closed when a and b are.
func both(a, b <-chan struct{}) <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-a
		<-b
	}()
	return done
}

// wrap puts a script into what reports the exit status of each stage of its
// last pipeline, and the named variables, on statusFD. Measured with bash 5.2:
//
//   - after eval, PIPESTATUS holds eval's own status and no stages; a trap on
//     EXIT in the same shell sees those of the script's last pipeline, also
//     after "exit 3", inside if and for, and under set -e;
//   - braces make bash parse the whole script before it runs any of it, so a
//     script that is cut off in its middle runs nothing;
//   - all of it stands before the script's first line, so bash counts lines as
//     the reader does.
//
// A script that sets its own trap on EXIT or replaces the shell by exec reports
// nothing, and only its exit status is known.
func wrap(script, before string, names []string) (string, error) {
	if strings.TrimSpace(script) == "" {
		return "", errors.New("nothing to run: the script is empty")
	}
	if strings.ContainsRune(script, 0) {
		return "", errors.New("the script holds a NUL byte, which no command line can")
	}
	return wrapHead(names) + before + "{ " + script + "\n}", nil
}

// output counts, hashes and hands on what both streams bring, one chunk at a
// time.
type output struct {
	mu    sync.Mutex
	hash  hash.Hash
	bytes int64
	out   func(Chunk)
}

// copy hands on everything that is read from a stream until its end.
func (o *output) copy(stream Stream, from *os.File) {
	buf := make([]byte, MaxChunk)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			o.write(stream, append([]byte(nil), buf[:n]...))
		}
		if err != nil {
			return // the end, or a pipe that was closed on a child we gave up on
		}
	}
}

func (o *output) write(stream Stream, data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hash.Write(data)
	o.bytes += int64(len(data))
	o.out(Chunk{Stream: stream, At: time.Now(), Data: data})
}
