package lint

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write RULES.md anew")

const originalBook = "../../../shared/erpgo/RUNBOOKS.md"

func lintPaths(t *testing.T, o Options, paths ...string) []Finding {
	t.Helper()
	findings, err := Lint(context.Background(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// lintText lints one file with the text, and returns "rule line" of each
// finding.
func lintText(t *testing.T, text string, o Options) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "test.md")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range lintPaths(t, o, file) {
		out = append(out, fmt.Sprintf("%s %d", f.Rule, f.Line))
	}
	return out
}

func TestOriginalBook(t *testing.T) {
	if _, err := os.Stat(originalBook); err != nil {
		t.Skipf("the operators' book is not here: %v", err)
	}
	lines := map[string][]int{}
	for _, f := range lintPaths(t, Options{}, originalBook) {
		lines[f.Rule] = append(lines[f.Rule], f.Line)
	}
	for rule, want := range map[string][]int{
		"promql":          {55, 295, 828, 984, 985},
		"incomplete-call": {552, 783},
		"impossible":      {1206},
		"scale-to-zero":   {1203},
		"explain-analyze": {377},
		"redis-blocking":  {498},
		"secret-output":   {623},
		"caption":         {953},
		"selector-logs":   {430, 537, 540, 620, 693, 909, 923, 929, 1001},
		"duplicate-alert": {735, 808, 890},
		"not-in-contents": {735, 808, 890, 1390},
		"bash":            nil,
		"sql":             nil,
		"markdown":        nil,
		"placeholder":     nil,
		"dead-anchor":     nil,
	} {
		if !slices.Equal(lines[rule], want) {
			t.Errorf("%s: lines %v, want %v", rule, lines[rule], want)
		}
	}
	if got := len(lines["missing-file"]); got < 10 {
		t.Errorf("only %d missing files", got)
	}
	if got := len(lines["dead-file"]); got != 14 {
		t.Errorf("%d dead links, want 14", got)
	}
}

func TestShippedBooksAreClean(t *testing.T) {
	for _, f := range lintPaths(t, Options{}, "../erpgo") {
		if f.Severity != Note {
			t.Errorf("%s:%d: %s [%s]", f.File, f.Line, f.Message, f.Rule)
		}
	}
}

func TestRules(t *testing.T) {
	step := func(block string) string { return "# X\n## Steps\n1. do\n" + block }
	bash := func(lines string) string {
		return step("   ```bash\n   " + strings.ReplaceAll(lines, "\n", "\n   ") + "\n   ```\n")
	}
	for _, tt := range []struct{ name, text, want string }{
		{"promql", bash("# Query Prometheus:\n# rate(x_total[5m]) by (a)"), "promql 6"},
		{"promql that parses", bash("# Query Prometheus:\n# sum by (a) (rate(x_total[5m]))"), ""},
		{"bash", bash("echo 'a"), "bash 5"},
		{"sql", step("   ```sql\n   SELECT 'a\n   ```\n"), "sql 5"},
		{"sql that begins no statement", step("   ```sql\n   SELEC 1;\n   SELECT 1;\n   ```\n"), "sql 5"},
		{"sql in psql", bash("psql -c 'SELEC 1' -c 'SELECT 1'\nkubectl exec -it pod -- psql --command=\"SELECT '1\"\npsql -c '\\dt'\npsql -c \"$QUERY\"\npsql -c '<query>'"), "sql 5 sql 6"},
		{"unclosed fence", "# X\n## Diagnosis\n```bash\nls\n\n## Mitigation\n\nText.\n", "markdown 3"},
		{"placeholder in backquotes", bash("echo `ls <dir>`"), "placeholder 5"},
		{"placeholder in a heredoc's end", bash("cat <<'<end>'\nx\n<end>"), ""},
		{"placeholder that can be bound", bash("kubectl logs <pod> --tail=5"), ""},
		{"dead anchor", "# X\n## Steps\n1. See [y](#nowhere) and [x](#x)\n", "dead-anchor 3"},
		{"dead anchor in the contents", "# X\n\nSee [y](#nowhere), [z](#here).\n\n<a id=\"here\"></a>\n\n## Steps\n1. x\n", "dead-anchor 3"},
		{"dead anchor in a table", "# X\n\n| Alert | Runbook |\n| --- | --- |\n| A | [x](#nowhere) |\n\n## Steps\n1. x\n", "dead-anchor 5"},
		{"dead file", "# X\n## Steps\n1. See [y](nowhere.md) and [z](https://example.com/nowhere.md)\n", "dead-file 3"},
		{"missing file", bash("./scripts/nowhere.sh\n./scripts/nowhere.sh --again"), "missing-file 5"},
		{"no file of its own", bash("kubectl apply -f - <<EOF\nx\nEOF\n# Way back: delete it"), ""},
		{"contents", "# Book\n\n## Table of Contents\n\n- [A](#a)\n\n## A\n### Steps\n1. x\n\n## B\n### Steps\n1. x\n", "not-in-contents 11"},
		{"duplicate alert", "# Book\n## A\n**Alert name:** `Down`\n### Steps\n1. x\n## B\n**Alert name:** `Down`\n### Steps\n1. x\n", "duplicate-alert 6"},
		{"rename", bash("# Way back\nkubectl patch deploy x -p '{\"metadata\":{\"name\":\"y\"}}'"), "impossible 6"},
		{"label", bash("# Way back\nkubectl patch deploy x -p '{\"metadata\":{\"labels\":{\"name\":\"y\"}}}'"), ""},
		{"missing argument", bash("# There is no way back\npg_archivecleanup /wal"), "incomplete-call 6"},
		{"whole call", bash("# There is no way back\npg_archivecleanup /wal <oldest-wal>"), ""},
		{"missing option", bash("# Way back\nkubectl scale deploy/x"), "incomplete-call 6"},
		{"captions that contradict", bash("# Tighten limits; revert later\nkubectl set env deploy/x A=3\n\n# Increase limits\nkubectl set env deploy/x A=3"), "caption 9"},
		{"captions that agree", bash("# Tighten limits; revert later\nkubectl set env deploy/x A=3\n\n# Increase limits\nkubectl set env deploy/x A=30"), ""},
		{"explain analyze", step("   ```sql\n   EXPLAIN (BUFFERS, ANALYZE) SELECT 1;\n   EXPLAIN SELECT 1;\n   ```\n"), "explain-analyze 5"},
		{"explain analyze in psql", bash("psql -c 'EXPLAIN ANALYZE SELECT 1'"), "explain-analyze 5"},
		{"keys", bash("kubectl exec r -- redis-cli -n 2 KEYS '*'\nredis-cli --scan\nredis-cli GET keys"), "redis-blocking 5"},
		{"flushall async", bash("# There is no way back\nredis-cli FLUSHALL ASYNC"), ""},
		{"logs", bash("kubectl logs -l a=b | wc -l\nkubectl logs -l a=b --tail=9\nkubectl logs -l a=b --since=1h\nkubectl logs -l a=b -f\nkubectl logs pod/x"), "selector-logs 5"},
		{"logs inside a watch", bash("watch 'kubectl logs -l a=b | wc -l'"), "selector-logs 5"},
		{"secret", bash("kubectl get secret x -o yaml\nkubectl get secrets/x -o jsonpath='{.data.a}'\nkubectl get secret\nkubectl get secret x -o name\nkubectl get secret x -o go-template='{{.data.a | base64decode | len}}'"), "secret-output 5 secret-output 6"},
		{"scale to zero", bash("# Faster\nkubectl scale deploy/x --replicas=0\n# Stop it\nkubectl scale deploy/y --replicas=0\n# Way back\nkubectl scale deploy/y --replicas=3"), "scale-to-zero 6"},
		{"no way back", bash("kubectl set env deploy/x A=1"), "no-way-back 5"},
		{"a way back", bash("kubectl set env deploy/x A=1\n# Way back\nkubectl rollout undo deploy/x"), ""},
		{"nothing to take back", bash("kubectl rollout restart deploy/x\nkubectl delete pod x\nkubectl get pods"), ""},
		{"destroyed without a way back", bash("kubectl delete pvc data"), "no-way-back 5"},
		{"rows without a way back", step("   ```sql\n   DELETE FROM sessions;\n   ```\n"), "no-way-back 5"},
		{"sql without a way back", step("   ```sql\n   ALTER SYSTEM SET x = 1;\n   ANALYZE;\n   ```\n"), "no-way-back 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(lintText(t, tt.text, Options{}), " "); got != tt.want {
				t.Errorf("%q, want %q in\n%s", got, tt.want, tt.text)
			}
		})
	}
}

func TestSuppression(t *testing.T) {
	block := "1. do\n   ```bash\n   redis-cli KEYS '*'\n   kubectl logs -l a=b\n   ```\n"
	for _, tt := range []struct{ name, text, want string }{
		{"none", "# X\n## Steps\n" + block, "redis-blocking 5 selector-logs 6"},
		{"one rule in the file", "<!-- flightdeck-lint-disable redis-blocking -->\n# X\n## Steps\n" + block, "selector-logs 7"},
		{"two rules", "<!-- flightdeck-lint-disable redis-blocking, selector-logs -->\n# X\n## Steps\n" + block, ""},
		{"everything", "<!-- flightdeck-lint-disable -->\n# X\n## Steps\n" + block, ""},
		{"on again", "<!-- flightdeck-lint-disable redis-blocking -->\n# X\n<!-- flightdeck-lint-enable redis-blocking -->\n## Steps\n" + block, "redis-blocking 7 selector-logs 8"},
		{"the next block", "# X\n## Steps\n\n<!-- flightdeck-lint-disable-next-line redis-blocking -->\n```bash\nls\nredis-cli KEYS '*'\n```\n\n```bash\nredis-cli KEYS '*'\n```\n", "redis-blocking 11"},
		{"another rule", "<!-- flightdeck-lint-disable promql -->\n# X\n## Steps\n" + block, "redis-blocking 6 selector-logs 7"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := strings.Join(lintText(t, tt.text, Options{}), " "); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestAlertRules(t *testing.T) {
	dir := t.TempDir()
	rulesFile := filepath.Join(dir, "rules.yml")
	if err := os.WriteFile(rulesFile, []byte("groups:\n- name: a\n  rules:\n  - record: x\n    expr: up\n  - alert: Known\n    expr: up == 0\n    labels: {severity: critical}\n    annotations:\n      runbook_url: https://x/book.md#known\n  - alert: ByURL\n    expr: up == 0\n    annotations: {runbook_url: 'https://x/book.md#other'}\n  - alert: Lost\n    expr: up == 0\n  - alert: Dead\n    expr: up == 0\n    annotations: {runbook_url: 'https://x/book.md#nope'}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	book := filepath.Join(dir, "book.md")
	if err := os.WriteFile(book, []byte("# Book\n## Known\n**Alert name:** `Known`\n### Steps\n1. x\n## Other\n### Steps\n1. x\n## Old\n**Alert name:** `Gone`\n### Steps\n1. x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	rules, err := ReadRules(rulesFile)
	if err != nil || len(rules) != 4 || rules[0].Severity != "critical" || rules[2].Line != 14 {
		t.Fatalf("%+v %v", rules, err)
	}
	var got []string
	for _, f := range lintPaths(t, Options{Rules: rules}, book) {
		got = append(got, fmt.Sprintf("%s %s:%d", f.Rule, filepath.Base(f.File), f.Line))
		if f.Line == 16 && !strings.Contains(f.Message, "its runbook_url https://x/book.md#nope leads to none") {
			t.Errorf("the dead link is not named: %s", f.Message)
		}
	}
	if diff := cmp.Diff([]string{"runbook-without-alert book.md:9", "alert-without-runbook rules.yml:14", "alert-without-runbook rules.yml:16"}, got); diff != "" {
		t.Error(diff)
	}
	for _, bad := range []string{"", "groups: [", "groups: []", "a: b"} {
		if err := os.WriteFile(rulesFile, []byte(bad), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadRules(rulesFile); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func TestSelectors(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) > 0.05`: `http_requests_total{status=~"5.."} http_requests_total`,
		`up offset 5m == 0 and up @ end() == 0`:                                                         `up`,
		`vector(1)`:                                                                                     ``,
		`not promql(`:                                                                                   ``,
	} {
		if got := strings.Join(selectors(expr), " "); got != want {
			t.Errorf("%s: %q, want %q", expr, got, want)
		}
	}
}

func TestOutput(t *testing.T) {
	findings := []Finding{{"a b.md", 3, "promql", Error, `x <y> "z"`}, {"b.md", 1, "no-way-back", Warning, "w"}}
	var text, js, sarif bytes.Buffer
	for _, err := range []error{WriteText(&text, findings), WriteJSON(&js, findings), WriteSARIF(&sarif, findings, "1.2.3")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if want := "a b.md:3: error: x <y> \"z\" [promql]\nb.md:1: warning: w [no-way-back]\n"; text.String() != want {
		t.Errorf("%q, want %q", text.String(), want)
	}
	var decoded []map[string]any
	if err := json.Unmarshal(js.Bytes(), &decoded); err != nil || len(decoded) != 2 {
		t.Fatalf("%v %s", err, js.String())
	}
	want := map[string]any{"file": "a b.md", "line": 3.0, "rule": "promql", "severity": "error", "message": `x <y> "z"`}
	if diff := cmp.Diff(want, decoded[0]); diff != "" {
		t.Error(diff)
	}
	var log sarifLog
	if err := json.Unmarshal(sarif.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	run := log.Runs[0]
	if log.Version != "2.1.0" || len(run.Results) != 2 || run.Results[0].Level != "error" || run.Tool.Driver.Rules[run.Results[1].RuleIndex].ID != "no-way-back" ||
		run.Results[0].Locations[0].PhysicalLocation.ArtifactLocation.URI != "a%20b.md" || run.Results[0].Locations[0].PhysicalLocation.Region.StartLine != 3 {
		t.Errorf("%s", sarif.String())
	}
	js.Reset()
	if err := WriteJSON(&js, nil); err != nil || strings.TrimSpace(js.String()) != "[]" {
		t.Errorf("no findings are %q", js.String())
	}
	if Failed(findings[1:]) || !Failed(findings) {
		t.Error("only an error fails")
	}
}

func TestLintErrors(t *testing.T) {
	if _, err := Lint(context.Background(), []string{"/nonexistent"}, Options{}); err == nil || !strings.Contains(err.Error(), "/nonexistent") {
		t.Errorf("%v", err)
	}
}

// TestEveryRuleIsDocumented: the reference lists each rule as it is.
func TestEveryRuleIsDocumented(t *testing.T) {
	var b strings.Builder
	if err := WriteReference(&b); err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range Rules() {
		if names[r.Name] || r.Title == "" || len(r.Doc) < 40 || r.Severity == "" || (r.file == nil) == (r.all == nil) {
			t.Errorf("rule %+v", r)
		}
		names[r.Name] = true
	}
	if *update {
		if err := os.WriteFile("RULES.md", []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(have)); diff != "" {
		t.Errorf("RULES.md is not what WriteReference writes; run this test with -update (-want +have)\n%s", diff)
	}
}
