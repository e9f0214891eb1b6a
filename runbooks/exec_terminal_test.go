//go:build linux

package runbooks

import (
	"bufio"
	"context"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
)

// attached runs a script in a pseudo-terminal; lines is what it shows, a line at
// a time.
func attached(ctx context.Context, t *testing.T, script string, env ...string) (keys *os.File, lines <-chan string, ended <-chan Result) {
	t.Helper()
	keys, screen, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = keys.Close(), screen.Close() })
	shown, done := make(chan string, 100), make(chan Result, 1)
	go func() {
		defer close(shown)
		for in := bufio.NewScanner(keys); in.Scan(); {
			shown <- strings.TrimRight(in.Text(), "\r")
		}
	}()
	go func() {
		done <- BashExecutor{}.Attach(ctx, Bound{Script: script, Env: env}, Target{}, Terminal{screen, screen, screen})
	}()
	return keys, shown, done
}

const terminalDeadline = 30 * time.Second

func awaitLine(t *testing.T, lines <-chan string, want string) {
	t.Helper()
	late := time.After(terminalDeadline)
	for {
		select {
		case line, ok := <-lines:
			if strings.Contains(line, want) {
				return
			}
			if !ok {
				t.Fatalf("the terminal was closed before %q", want)
			}
		case <-late:
			t.Fatalf("the terminal does not show %q", want)
		}
	}
}

func awaitResult(t *testing.T, ended <-chan Result) Result {
	t.Helper()
	select {
	case result := <-ended:
		return result
	case <-time.After(terminalDeadline):
		t.Fatal("it does not end")
		return Result{}
	}
}

func TestAttach(t *testing.T) {
	keys, lines, ended := attached(t.Context(), t, `test -t 0 && test -t 1 && test -t 2 && echo ready && read name && echo "$GREETING $name" && export ANSWER=$name && (exit 3)`, "GREETING=hello")
	awaitLine(t, lines, "ready")
	if _, err := io.WriteString(keys, "operator\n"); err != nil {
		t.Fatal(err)
	}
	awaitLine(t, lines, "hello operator")
	got := awaitResult(t, ended)
	if got.Err != nil || got.Exit != 3 || got.Cancelled || got.Bytes != 0 || got.SHA256 != "" || got.Duration <= 0 {
		t.Errorf("ended with %+v", got)
	}
	if diff := cmp.Diff(map[string]string{"ANSWER": "operator"}, got.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// TestAttachIsCancelled: a command that ignores what asks it to end is killed,
// with what it started.
func TestAttachIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	mark := newMark(t)
	_, lines, ended := attached(ctx, t, `trap '' INT TERM HUP; sleep 300 & echo ready; wait; wait`, mark)
	awaitLine(t, lines, "ready")
	cancel()
	if got := awaitResult(t, ended); !got.Cancelled || got.OK() || got.Exit != -1 {
		t.Errorf("ended with %+v", got)
	}
	if left := processesWith(t, mark); len(left) > 0 {
		t.Errorf("processes %v are still there", left)
	}
}
