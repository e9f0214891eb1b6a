package runbooks

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// captured is what a run has put out.
type captured struct {
	stdout, stderr, all bytes.Buffer
	largest             int
}

func (c *captured) take(chunk Chunk) {
	c.largest = max(c.largest, len(chunk.Data))
	c.all.Write(chunk.Data)
	if chunk.Stream == Stderr {
		c.stderr.Write(chunk.Data)
		return
	}
	c.stdout.Write(chunk.Data)
}

// run executes a script without a cluster.
func run(t *testing.T, script string, env ...string) (Result, *captured) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var c captured
	result := BashExecutor{}.Execute(ctx, Bound{Script: script, Env: env}, Target{}, c.take)
	if result.Cancelled {
		t.Fatalf("%q did not end within 30 s", script)
	}
	return result, &c
}

func TestBashReportsEveryStage(t *testing.T) {
	for _, tc := range []struct {
		script string
		exit   int
		stages []Stage
		note   string
		ok     bool
	}{
		{"true", 0, []Stage{{"true", 0}}, "", true},
		{"false | true | false", 1, []Stage{{"false", 1}, {"true", 0}, {"false", 1}}, "", false},
		{"echo INFO | grep ERROR", 1, []Stage{{"echo", 0}, {"grep", 1}}, "grep found nothing", true},
		{"echo INFO | grep ERROR | wc -l", 1, []Stage{{"echo", 0}, {"grep", 1}, {"wc", 0}}, "grep found nothing", true},
		// grep refuses before it reads: what writes to it would race with its end.
		{"true | grep -E '('", 2, []Stage{{"true", 0}, {"grep", 2}}, "", false},
		{"false | grep ERROR", 1, []Stage{{"false", 1}, {"grep", 1}}, "", false},
		{"yes | head -1", 141, []Stage{{"yes", 141}, {"head", 0}}, "yes was stopped early, as what it wrote was no longer read", true},
		{"true; exit 3", 3, []Stage{{"exit", 3}}, "", false},
		{"true && echo a | grep b", 1, []Stage{{"echo", 0}, {"grep", 1}}, "grep found nothing", true},
		{"true | sort || false | sort", 0, []Stage{{"", 0}, {"", 0}}, "", true},
		{"set -euo pipefail; IFS=,; false | true", 1, []Stage{{"false", 1}, {"true", 0}}, "", false},
		{"if true; then false | true | true; fi", 1, []Stage{{"", 1}, {"", 0}, {"", 0}}, "", false},
		{"exec sh -c 'exit 7'", 7, []Stage{{"exec", 7}}, "", false},
		{"trap 'echo bye' EXIT; false | true", 1, []Stage{{"", 1}}, "", false},
		{"exec 3>/dev/null; false | true", 1, []Stage{{"false", 1}, {"true", 0}}, "", false},
		{"nosuchcommand | cat", 127, []Stage{{"nosuchcommand", 127}, {"cat", 0}}, "", false},
		{"false | true # a comment at the end", 1, []Stage{{"false", 1}, {"true", 0}}, "", false},
		{"cat <<EOF | grep b\na\nEOF", 1, []Stage{{"cat", 0}, {"grep", 1}}, "grep found nothing", true},
	} {
		t.Run(tc.script, func(t *testing.T) {
			result, out := run(t, tc.script)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			if result.Exit != tc.exit || !slices.Equal(result.Stages, tc.stages) || result.Note != tc.note || result.OK() != tc.ok {
				t.Errorf("exit %d, stages %v, note %q, ok %v\nwant %d, %v, %q, %v\noutput %s", result.Exit, result.Stages, result.Note,
					result.OK(), tc.exit, tc.stages, tc.note, tc.ok, out.all.String())
			}
		})
	}
}

func TestBashStagesAreExplained(t *testing.T) {
	for stage, want := range map[Stage]string{
		{"grep", 1}:    "grep found nothing",
		{"kubectl", 1}: "",
		{"psql", 127}:  "psql: command not found",
		{"", 126}:      "the command cannot be executed",
		{"sleep", 137}: "sleep was ended by signal 9",
	} {
		if got := stage.Meaning(); got != want {
			t.Errorf("%+v means %q, want %q", stage, got, want)
		}
	}
}

func TestBashRunsNothingOfAScriptThatDoesNotParse(t *testing.T) {
	for _, script := range []string{"touch %s\nif", "touch %s\necho '", "touch %s\ncat <<EOF\nno end"} {
		file := filepath.Join(t.TempDir(), "touched")
		result, out := run(t, strings.ReplaceAll(script, "%s", file))
		if result.OK() {
			t.Errorf("%q ended well: %s", script, out.all.String())
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%q was run in part", script)
		}
	}
}

func TestBashCountsLinesAsTheReaderDoes(t *testing.T) {
	_, out := run(t, "true\nnosuchcommand\n")
	if got := out.stderr.String(); !strings.Contains(got, "line 2: nosuchcommand") {
		t.Errorf("stderr %q does not name line 2", got)
	}
}

func TestBashRefusesWhatCannotBeRun(t *testing.T) {
	for _, script := range []string{"", " \n\t", "echo a\x00b"} {
		if result, _ := run(t, script); result.Err == nil || result.OK() || result.Exit != -1 {
			t.Errorf("%q gave %+v, want an error", script, result)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if result, _ := run(t, "true"); result.Err == nil || !strings.Contains(result.Err.Error(), "install bash") {
		t.Errorf("without bash: %v", result.Err)
	}
}

func TestBashSeparatesStreamsAndHashesAll(t *testing.T) {
	result, out := run(t, "echo out; echo err >&2; printf 'no newline \\xff'")
	if got := out.stdout.String(); got != "out\nno newline \xff" {
		t.Errorf("stdout %q", got)
	}
	if got := out.stderr.String(); got != "err\n" {
		t.Errorf("stderr %q", got)
	}
	sum := sha256.Sum256(out.all.Bytes())
	if result.SHA256 != hex.EncodeToString(sum[:]) || result.Bytes != int64(out.all.Len()) {
		t.Errorf("hash %s of %d bytes, want %x of %d", result.SHA256, result.Bytes, sum, out.all.Len())
	}
}

func TestBashBoundsChunks(t *testing.T) {
	result, out := run(t, "head -c 3000000 /dev/zero")
	if out.largest > MaxChunk || result.Bytes != 3_000_000 {
		t.Errorf("largest chunk %d of at most %d, %d bytes in all", out.largest, MaxChunk, result.Bytes)
	}
}

func TestBashHasNoTerminalAndNoInput(t *testing.T) {
	_, out := run(t, `cat; (: </dev/tty) 2>&1 && echo has a terminal; [ -t 1 ] && echo stdout is one; echo "end"`)
	if got := out.stdout.String(); strings.Contains(got, "terminal") || strings.Contains(got, "is one") || !strings.HasSuffix(got, "end\n") {
		t.Errorf("stdout %q", got)
	}
}

// A run goes on while something that it started can still write.
func TestBashWaitsForWhoHoldsTheOutput(t *testing.T) {
	_, out := run(t, "(sleep 0.3; echo late) &")
	if got := out.stdout.String(); got != "late\n" {
		t.Errorf("stdout %q, want what the child wrote after bash had ended", got)
	}
}

func TestBashEnvironment(t *testing.T) {
	t.Setenv("OPERATORS_OWN", "kept")
	t.Setenv("KUBECONFIG", "/home/op/.kube/config")
	t.Setenv("KUBE_CONTEXT", "other")
	t.Setenv("HELM_KUBECONTEXT", "other")
	t.Setenv("HELM_NAMESPACE", "other")
	t.Setenv("BASH_FUNC_kubectl%%", "() { echo hijacked; }")
	init := filepath.Join(t.TempDir(), "init")
	if err := os.WriteFile(init, []byte("echo hijacked"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BASH_ENV", init)

	var c captured
	target := Target{Kubeconfig: "/run/pinned", Context: "prod-eu", Namespace: "erpgo"}
	BashExecutor{}.Execute(t.Context(), Bound{
		Script: `type -t kubectl; env; bash -c 'echo inner'`,
		Env:    []string{"DB_USER=erp go", "KUBECONFIG=/tmp/bound"},
	}, target, c.take)
	got := strings.Split(c.stdout.String(), "\n")
	for _, want := range []string{"OPERATORS_OWN=kept", "KUBECONFIG=/run/pinned", "DB_USER=erp go", "KUBERC=off", "inner"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, line := range got {
		if strings.Contains(line, "hijacked") || strings.Contains(line, "other") || strings.Contains(line, "/tmp/bound") || line == "function" {
			t.Errorf("%q came through", line)
		}
	}
}

func TestBashWithoutAClusterReachesNone(t *testing.T) {
	t.Setenv("KUBECONFIG", "/home/op/.kube/config")
	t.Setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
	_, out := run(t, `echo "$KUBECONFIG $KUBERNETES_MASTER$KUBERNETES_SERVICE_HOST"`)
	if got, want := out.stdout.String(), "/dev/null "+noCluster+"\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
