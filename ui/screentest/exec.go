//go:build unix

package screentest

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

var _ Driver = (*Terminal)(nil)

// Terminal is a pseudo-terminal in which a program runs.
type Terminal struct {
	driver
	cmd   *exec.Cmd
	pty   *os.File
	first atomic.Int64 // FirstByte, in nanoseconds
}

// Exec starts cmd in a pseudo-terminal of the given size in cells, as the leader
// of a process group of its own. Queries of the program are answered as by a
// current terminal. Without an environment of its own the command gets this
// process's, less the variables that tell about its terminal, and a TERM with
// true colour. It is ended with the test if it has not ended by then.
func Exec(t testing.TB, cmd *exec.Cmd, width, height int) *Terminal {
	t.Helper()
	if cmd.Env == nil {
		cmd.Env = environment()
	}
	term := &Terminal{driver: newDriver(t, width, height), cmd: cmd}
	var err error
	if term.pty, err = pty.StartWithSize(cmd, winsize(width, height)); err != nil {
		term.close()
		t.Fatalf("start %s in a pseudo-terminal: %v", cmd.Path, err)
	}
	go func() { _, _ = io.Copy(term.pty, term.replies) }()
	drawn := make(chan struct{})
	go func() {
		defer close(drawn)
		_, _ = io.Copy(term, term.pty) // until nobody holds the other side
	}()
	go func() {
		err := cmd.Wait()
		<-drawn
		term.end(err)
	}()
	t.Cleanup(func() {
		term.End()
		term.close()
		_ = term.pty.Close()
	})
	return term
}

// Write shows what the program wrote.
func (term *Terminal) Write(p []byte) (int, error) {
	term.first.CompareAndSwap(0, int64(term.Since()))
	term.draw(p)
	return len(p), nil
}

// FirstByte is the time from the start of the program to the first byte that it
// wrote; 0 as long as it has written none.
func (term *Terminal) FirstByte() time.Duration { return time.Duration(term.first.Load()) }

// Pid is the process id of the program, and the id of its process group.
func (term *Terminal) Pid() int { return term.cmd.Process.Pid }

// Resize implements [Driver].
func (term *Terminal) Resize(width, height int) {
	term.t.Helper()
	term.change(func() { term.vt.Resize(width, height) })
	if err := pty.Setsize(term.pty, winsize(width, height)); err != nil {
		term.t.Fatalf("resize the pseudo-terminal to %d×%d: %v", width, height, err)
	}
}

// Wait waits until the program has ended and all that it wrote is shown, and
// returns its result as [exec.Cmd.Wait] does. Processes that the program leaves
// behind in its terminal make Wait fail the test after the deadline.
func (term *Terminal) Wait() error {
	term.t.Helper()
	term.waitEnd()
	return term.err
}

// End kills the program's process group, if it has not ended, and waits for its
// end.
func (term *Terminal) End() {
	term.t.Helper()
	if isClosed(term.ended) {
		return
	}
	// Fails only when the group has no process any more.
	_ = syscall.Kill(-term.Pid(), syscall.SIGKILL)
	term.waitEnd()
}

func winsize(width, height int) *pty.Winsize {
	return &pty.Winsize{Cols: uint16(width), Rows: uint16(height)}
}

// environment is this process's, as if it ran in a plain terminal.
func environment() []string {
	about := []string{
		"TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "WT_SESSION",
		"TMUX", "STY", "SSH_TTY", "SSH_CLIENT", "SSH_CONNECTION",
		"NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "LINES",
	}
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(variable, "=")
		return slices.Contains(about, name)
	})
	return append(env, "TERM=xterm-256color", "COLORTERM=truecolor")
}
