package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const someBook = "# Book\n\n## Down\n\n**Alert name:** `Down`\n\n**Severity:** Critical\n\n### Steps\n\n1. Look\n\n   ```bash\n   # See it\n   kubectl logs -f <pod>\n   # rate(x_total[5m]) by (a)\n   ```\n\n   ```\n   Subject: Down since [Time]\n   ```\n"

func TestRunbookList(t *testing.T) {
	file := writeFile(t, "book.md", someBook)
	out, err := command(t, "runbook", "list", "--json", "--runbooks", file)
	var list []map[string]any
	if decode := json.Unmarshal([]byte(out), &list); err != nil || decode != nil {
		t.Fatalf("%v %v\n%s", err, decode, out)
	}
	want := []map[string]any{{"name": "down", "alert": "Down", "severity": "critical", "file": file, "line": 3.0}}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Errorf("listed (-want +got):\n%s", diff)
	}
	if out, err := command(t, "runbook", "list"); err != nil || !strings.Contains(out, "high-error-rate") {
		t.Errorf("the books that are built in: %v\n%s", err, out)
	}
}

// TestRunbookShowJSON: the keys that others rely on are there.
func TestRunbookShowJSON(t *testing.T) {
	out, err := command(t, "runbook", "show", "down", "--json", "--runbooks", writeFile(t, "book.md", someBook))
	var shown struct {
		Steps []struct {
			Kind     string
			Commands []map[string]any
			Queries  []map[string]any
		}
	}
	if decode := json.Unmarshal([]byte(out), &shown); err != nil || decode != nil || len(shown.Steps) != 1 {
		t.Fatalf("%v %v\n%s", err, decode, out)
	}
	step := shown.Steps[0]
	if step.Kind != "command" || len(step.Commands) != 1 || len(step.Queries) != 1 {
		t.Fatalf("%+v", step)
	}
	cmd := step.Commands[0]
	for key, want := range map[string]any{
		"text": "kubectl logs -f <pod>", "caption": "See it", "language": "bash", "line": 15.0, "risk": "reads", "endless": true, "interactive": false,
		"placeholders": []any{"pod"}, "variables": []any{}, "files": []any{},
	} {
		if diff := cmp.Diff(want, cmd[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	query := step.Queries[0]
	for key, want := range map[string]any{"original": "rate(x_total[5m]) by (a)", "line": 16.0, "parses": false, "repair": "sum by (a) (rate(x_total[5m]))"} {
		if query[key] != want {
			t.Errorf("%s of the query is %v, want %v", key, query[key], want)
		}
	}
}

func TestRunbookShow(t *testing.T) {
	file := writeFile(t, "book.md", someBook)
	out, err := command(t, "runbook", "show", "down", "--runbooks", file)
	want := "Down  Down  " + file + `:3

Steps
  1 Look  [command]
      reads     kubectl logs -f <pod>
      promql    rate(x_total[5m]) by (a)
                does not parse; meant is sum by (a) (rate(x_total[5m]))
      message   Subject: Down since [Time]
`
	if diff := cmp.Diff(want, out); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if _, err := command(t, "runbook", "show", "up", "--runbooks", file); exits(err) != 2 || !strings.Contains(err.Error(), "flightdeck runbook list") {
		t.Errorf("an unknown name: %v", err)
	}
}
