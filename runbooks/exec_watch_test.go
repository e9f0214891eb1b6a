//go:build unix

package runbooks

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestWatchIsReadable: a captured watch is lines, round after round, whatever
// its options and wherever it stands.
func TestWatchIsReadable(t *testing.T) {
	for script, round := range map[string]string{
		"watch -n 0.05 'echo a | tr a b'":         "b",
		"watch -n0.05 -d echo two words":          "two words",
		"watch --interval=0.05 -t -- echo -n x":   "x",
		"watch -x -n 0.05 printf '%s.\\n' 'a  b'": "a  b.",
		"set -eu; watch -n 0.05 'echo c; false'":  "c",
		"echo before; watch -n 0.05 echo d":       "d",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		var text strings.Builder
		rounds := regexp.MustCompile(`── \d\d:\d\d:\d\d\n` + regexp.QuoteMeta(round))
		result := BashExecutor{}.Execute(ctx, Bound{Script: script, Env: []string{"TERM=xterm"}}, Target{}, func(c Chunk) {
			text.Write(c.Data)
			if len(rounds.FindAllString(text.String(), -1)) >= 3 {
				cancel()
			}
		})
		if len(rounds.FindAllString(text.String(), -1)) < 3 || strings.Contains(text.String(), "\x1b") || !result.Cancelled {
			t.Errorf("%s: %+v\n%q", script, result, text.String())
		}
		cancel()
	}
	if result, out := run(t, "watch"); result.Exit != 1 || !strings.Contains(out.stderr.String(), "nothing to run") {
		t.Errorf("watch of nothing: %+v %q", result, out.all.String())
	}
	if result, out := run(t, `echo "watch me"`); result.Exit != 0 || out.stdout.String() != "watch me\n" {
		t.Errorf("no watch at all: %+v %q", result, out.all.String())
	}
}
