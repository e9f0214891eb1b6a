//go:build linux

package runbooks

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// newMark returns a variable that a test's processes can be found by, and ends
// at the end of the test whoever still carries it.
func newMark(t *testing.T) string {
	mark := "FLIGHTDECK_TEST=" + rand.Text()
	t.Cleanup(func() {
		for _, pid := range processesWith(t, mark) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	return mark
}

// processesWith lists who is alive and has the variable in its environment.
func processesWith(t *testing.T, mark string) []int {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, file := range files {
		env, err := os.ReadFile(file) // a zombie's is empty
		if err == nil && bytes.Contains(env, []byte(mark)) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// The fixtures of promise 4: what was started in every way that a process can
// be hard to end is gone within a second of the cancel.
func TestBashCancelLeavesNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		script    string
		processes int // alive before the cancel
	}{
		"one command":                  {"echo ready; sleep 300", 2},
		"background children":          {"sleep 300 & sleep 301 & echo ready; sleep 302", 4},
		"only background children":     {"sleep 300 & sleep 301 & echo ready", 2},
		"another session":              {"setsid sleep 300 & echo ready; wait", 2},
		"a daemon":                     {"setsid -f sleep 300; echo ready; sleep 301", 3},
		"a daemon that is silent":      {"setsid -f sleep 300 >/dev/null 2>&1 </dev/null; echo ready; sleep 301", 3},
		"a shell in another session":   {"setsid bash -c 'sleep 300 & sleep 301 & wait' & echo ready; wait", 4},
		"another process group":        {"set -m; sleep 300 & echo ready; wait", 2},
		"an ignored TERM and INT":      {"trap '' TERM INT; bash -c \"trap '' TERM INT HUP; echo ready; while :; do sleep 0.1; done\"", 2},
		"a flood":                      {"echo ready; yes", 2},
		"a flood into a stuck reader":  {"echo ready; yes | sleep 300", 3},
		"a held pipe":                  {"(trap '' TERM INT; sleep 300) & echo ready; exit 0", 1},
		"a stopped child":              {"sleep 300 & kill -STOP $!; echo ready; wait", 2},
		"somebody who forks all along": {"echo ready; f() { trap '' TERM INT; while :; do sleep 300 & sleep 0.01; done; }; f", 2},
	} {
		t.Run(name, func(t *testing.T) {
			mark := newMark(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ready := make(chan struct{})
			var seen bytes.Buffer
			done := make(chan Result, 1)
			go func() {
				done <- BashExecutor{}.Execute(ctx, Bound{Script: tc.script, Env: []string{mark}}, Target{}, func(c Chunk) {
					if seen.Len() < 64 {
						seen.Write(c.Data)
						if bytes.Contains(seen.Bytes(), []byte("ready")) {
							seen.Write(make([]byte, 64))
							close(ready)
						}
					}
				})
			}()
			select {
			case <-ready:
			case result := <-done:
				t.Fatalf("it ended before it was cancelled: %+v", result)
			case <-time.After(20 * time.Second):
				t.Fatal("it never began")
			}
			tick := time.NewTicker(10 * time.Millisecond)
			defer tick.Stop()
			for deadline := time.Now().Add(10 * time.Second); len(processesWith(t, mark)) < tc.processes; <-tick.C {
				if time.Now().After(deadline) {
					t.Fatalf("only %d of %d processes came up", len(processesWith(t, mark)), tc.processes)
				}
			}

			cancelled := time.Now()
			cancel()
			result := <-done
			took := time.Since(cancelled)
			if left := processesWith(t, mark); len(left) > 0 {
				t.Errorf("%v are alive after the cancel", left)
			}
			if !result.Cancelled || result.OK() || result.Err != nil {
				t.Errorf("result %+v, want a cancelled one", result)
			}
			if took > time.Second {
				t.Errorf("the cancel took %v, want at most 1 s", took)
			}
		})
	}
}

// An interrupt comes first, so a command may tidy up.
func TestBashCancelAsksFirst(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var c captured
	result := BashExecutor{}.Execute(ctx, Bound{
		Script: "trap 'echo tidied up; exit 3' INT; echo ready; while :; do sleep 0.05; done",
	}, Target{}, func(chunk Chunk) {
		c.take(chunk)
		if bytes.Contains(chunk.Data, []byte("ready")) {
			cancel()
		}
	})
	if !bytes.Contains(c.stdout.Bytes(), []byte("tidied up")) || result.Exit != 3 || !result.Cancelled {
		t.Errorf("output %q, result %+v", c.stdout.String(), result)
	}
}

func TestBashNamesTheSignal(t *testing.T) {
	result, _ := run(t, "kill -KILL $$")
	if result.Signal != "SIGKILL" || result.Exit != -1 || result.Cancelled || result.OK() {
		t.Errorf("%+v", result)
	}
}

func TestBashCancelledBeforeItBegan(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	file := filepath.Join(t.TempDir(), "touched")
	result := BashExecutor{}.Execute(ctx, Bound{Script: "touch " + file}, Target{}, func(Chunk) {})
	if _, err := os.Stat(file); err == nil || !result.Cancelled {
		t.Errorf("it ran: %+v", result)
	}
}

// A child that was sent elsewhere is the operator's, as in a terminal.
func TestBashLeavesASilentChildAlone(t *testing.T) {
	mark := newMark(t)
	result, _ := run(t, "sleep 60 >/dev/null 2>&1 & disown", mark)
	if !result.OK() || result.Duration > 5*time.Second {
		t.Fatalf("%+v", result)
	}
	if left := processesWith(t, mark); len(left) != 1 {
		t.Errorf("%v are left, want the one that was sent away", left)
	}
}
