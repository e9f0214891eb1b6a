//go:build unix

package runbooks

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestVariablesThatAScriptLeaves(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         map[string]string
		withheld     []string
	}{
		{"export", "export POD=$(echo pod/a | cut -d/ -f2)", map[string]string{"POD": "a"}, nil},
		{"assigned and exported later", "A=1; export A; B=2", map[string]string{"A": "1", "B": "2"}, nil},
		{"declare, readonly", "declare -x A=1; readonly B=2", map[string]string{"A": "1", "B": "2"}, nil},
		{"the last value counts", "A=1; A=$((A+1))", map[string]string{"A": "2"}, nil},
		{"set inside a condition that held", "true && A=yes || A=no", map[string]string{"A": "yes"}, nil},
		{"nothing found", "A=$(echo x | grep y)", map[string]string{"A": ""}, nil},
		{"every character", `A=$'a\'b"$c\n\t=é'`, map[string]string{"A": "a'b\"$c\n\t=é"}, nil},
		{"failed", "A=1; false", map[string]string{"A": "1"}, nil},
		{"ended early", "A=1; exit 3; B=2", map[string]string{"A": "1"}, nil},
		{"nounset and errexit", "set -eu; A=1; false; B=2", map[string]string{"A": "1"}, nil},
		{"unset again", "A=1; unset A", nil, nil},
		{"for one command only", "A=1 true", nil, nil},
		{"in a subshell", "(A=1)", nil, nil},
		{"an array is its first element", "A=(x y)", map[string]string{"A": "x"}, nil},
		{"too long", "A=$(head -c 1025 /dev/zero | tr '\\0' x); B=1", map[string]string{"B": "1"}, nil},
		{"as long as may be", "A=$(head -c 1024 /dev/zero | tr '\\0' x)", map[string]string{"A": strings.Repeat("x", 1024)}, nil},
		{"secret by its name", "export DB_PASSWORD=hunter2 HOST=db", map[string]string{"HOST": "db"}, []string{"DB_PASSWORD"}},
		{"secret by where it comes from", "X=$(true kubectl; sh -c 'kubectl get secrets/x' 2>/dev/null)", nil, []string{"X"}},
		{"what decides what runs", "PATH=/nowhere:$PATH; LD_PRELOAD=; KUBECONFIG=x; A=1", map[string]string{"A": "1"}, nil},
		{"none", "echo A=1", nil, nil},
		{"written to the descriptor by hand", "A=1; printf '\\0A=2\\0B=3' >&97", map[string]string{"A": "1"}, nil},
		{"a trap of its own", "trap 'true' EXIT; A=1", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			result, out := run(t, tc.script)
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			if diff := cmp.Diff(tc.want, result.Variables); diff != "" {
				t.Errorf("%s (-want +got):\n%s%s", tc.script, diff, out.all.String())
			}
			if diff := cmp.Diff(tc.withheld, result.Withheld); diff != "" {
				t.Errorf("%s: withheld (-want +got):\n%s", tc.script, diff)
			}
		})
	}
}

// TestManyVariables: what bash reports is more than a pipe holds, and it does
// not wait for anybody.
func TestManyVariables(t *testing.T) {
	script, want := "", map[string]string{}
	for i := range 40 {
		name, value := "A"+itoa(i), strings.Repeat("é", maxKeptValue)
		script += name + "='" + value + "'\n"
		if i < maxKeptVariables {
			want[name] = value
		}
	}
	result, _ := run(t, "export LC_ALL=C.UTF-8\n"+script)
	if diff := cmp.Diff(want, result.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

// TestVariablesReachTheNextCommand: what one command of a block sets is bound
// where the next one reads it.
func TestVariablesReachTheNextCommand(t *testing.T) {
	book, err := Parse("b.md", []byte("# X\n## Steps\n1. Find it\n   ```bash\n   export WHO=$(echo \"a b\")\n   printf '%s.' \"$WHO\"\n   ```\n"))
	if err != nil {
		t.Fatal(err)
	}
	commands := book.Runbooks[0].Sections[0].Steps[0].Commands
	if diff := cmp.Diff([]string{"WHO"}, commands[1].Variables); len(commands) != 2 || diff != "" {
		t.Fatalf("%d commands; variables (-want +got):\n%s", len(commands), diff)
	}
	first, err := Bind(commands[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	left, _ := run(t, first.Script)
	second, err := Bind(commands[1], left.Variables)
	if err != nil {
		t.Fatal(err)
	}
	if _, out := run(t, second.Script, second.Env...); out.stdout.String() != "a b." {
		t.Errorf("printed %q", out.stdout.String())
	}
}

// TestVariableWithType: "kubectl get -o name" prints the type before the name,
// and kubectl takes both together.
func TestVariableWithType(t *testing.T) {
	logs := Command{Text: "kubectl logs $POD", Language: Bash}
	describeShell(&logs)
	for value, ok := range map[string]bool{
		"pod/erpgo-api-1": true, "erpgo-api-1": true, "deployment.apps/erpgo-api": true,
		"pod/": false, "pod/a b": false, "-n/x": false, "a/b/c": false,
	} {
		if _, err := Bind(logs, map[string]string{"POD": value}); (err == nil) != ok {
			t.Errorf("%q: %v", value, err)
		}
	}
}
