package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// command runs the program's command line in this process.
func command(t *testing.T, args ...string) (stdout string, err error) {
	t.Helper()
	for _, name := range []string{"XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"} {
		t.Setenv(name, t.TempDir())
	}
	var out bytes.Buffer
	root := rootCommand()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&out)
	err = root.ExecuteContext(t.Context())
	return out.String(), err
}

// exits is the exit status that an error leads to.
func exits(err error) int {
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	return 2
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const badBook = "# Book\n\n## Down\n\n**Alert name:** `Down`\n\n### Steps\n\n1. Look\n\n   ```bash\n   redis-cli KEYS '*'\n   echo 'a\n   ```\n"

func TestLintText(t *testing.T) {
	book := writeFile(t, "bo\x1b[31mok.md", badBook)
	out, err := command(t, "lint", book)
	shown := strings.ReplaceAll(book, "\x1b", "^[")
	want := shown + ":12: warning: redis-cli KEYS '*': KEYS blocks Redis; use redis-cli --scan --pattern [redis-blocking]\n"
	if lines := strings.SplitAfterN(out, "\n", 2); exits(err) != 1 || lines[0] != want || !strings.HasPrefix(lines[1], shown+":13: error: echo 'a: ") || strings.Count(out, "\n") != 2 {
		t.Errorf("exit %d (%v)\n%q\nwant first %q", exits(err), err, out, want)
	}
	calm := writeFile(t, "calm.md", "# X\n\n## Steps\n\n1. Look\n\n   ```bash\n   # a <!-- comment -->\n   redis-cli KEYS '*'\n   ```\n")
	if out, err := command(t, "lint", calm); exits(err) != 0 || !strings.Contains(out, "[redis-blocking]") {
		t.Errorf("a warning alone: exit %d\n%s", exits(err), out)
	}
}

func TestLintJSON(t *testing.T) {
	book := writeFile(t, "book.md", badBook)
	out, err := command(t, "lint", "--format", "json", book)
	var findings []map[string]any
	if decode := json.Unmarshal([]byte(out), &findings); decode != nil || exits(err) != 1 || len(findings) != 2 {
		t.Fatalf("exit %d, %v\n%s", exits(err), decode, out)
	}
	want := map[string]any{"file": book, "line": 12.0, "rule": "redis-blocking", "severity": "warning", "message": "redis-cli KEYS '*': KEYS blocks Redis; use redis-cli --scan --pattern"}
	if diff := cmp.Diff(want, findings[0]); diff != "" {
		t.Errorf("first finding (-want +got):\n%s", diff)
	}
	if out, err := command(t, "lint", "--format", "json", writeFile(t, "none.md", "# X\n")); err != nil || strings.TrimSpace(out) != "[]" {
		t.Errorf("nothing found: %v\n%s", err, out)
	}
}

func TestLintSARIF(t *testing.T) {
	out, err := command(t, "lint", "--format=sarif", writeFile(t, "book.md", badBook))
	var log struct {
		Version string
		Runs    []struct {
			Results []struct {
				RuleID string `json:"ruleId"`
			}
		}
	}
	if decode := json.Unmarshal([]byte(out), &log); decode != nil || exits(err) != 1 || log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != 2 || log.Runs[0].Results[1].RuleID != "bash" {
		t.Errorf("exit %d, %v\n%s", exits(err), decode, out)
	}
}

func TestLintRules(t *testing.T) {
	rules := writeFile(t, "rules.yml", "groups:\n- name: a\n  rules:\n  - alert: Lost\n    expr: up == 0\n")
	out, err := command(t, "lint", "--rules", rules, writeFile(t, "book.md", badBook))
	for _, want := range []string{
		rules + ":4: error: no runbook belongs to the alert Lost",
		"book.md:3: warning: there is no alerting rule Down [runbook-without-alert]",
	} {
		if !strings.Contains(out, want) || exits(err) != 1 {
			t.Errorf("exit %d, want %q in\n%s", exits(err), want, out)
		}
	}
}

// TestLintSwitchedOff: a comment in the file switches a rule off, and with it
// the exit status.
func TestLintSwitchedOff(t *testing.T) {
	book := writeFile(t, "book.md", "<!-- flightdeck-lint-disable bash, redis-blocking -->\n"+badBook)
	if out, err := command(t, "lint", book); err != nil || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestLintReference(t *testing.T) {
	have, err := os.ReadFile("runbooks/lint/RULES.md")
	if err != nil {
		t.Fatal(err)
	}
	out, err := command(t, "lint", "--reference")
	if diff := cmp.Diff(string(have), out); err != nil || diff != "" {
		t.Errorf("%v (-RULES.md +printed)\n%s", err, diff)
	}
}

// TestLintFails: what cannot be done is neither success nor a finding.
func TestLintFails(t *testing.T) {
	book := writeFile(t, "book.md", badBook)
	for want, args := range map[string][]string{
		"nothing to lint":       {"lint"},
		"/nonexistent":          {"lint", "/nonexistent"},
		"text, json or sarif":   {"lint", "--format", "xml", book},
		"read alerting rules":   {"lint", "--rules", "/nonexistent.yml", book},
		"expected an http":      {"lint", "--prometheus", "nowhere", book},
		"ask prometheus for it": {"lint", "--prometheus", "http://127.0.0.1:1", book},
	} {
		if out, err := command(t, args...); exits(err) != 2 || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%v: exit %d, %v\n%s", args, exits(err), err, out)
		}
	}
}

// TestShippedBooks: what is built in has no error, and every warning is meant.
func TestShippedBooks(t *testing.T) {
	out, err := command(t, "lint", "--format", "json", "runbooks/erpgo")
	if err != nil || strings.Contains(out, `"warning"`) {
		t.Errorf("exit %d\n%s", exits(err), out)
	}
}

// TestMappedAlert: the configuration names the runbook of an alert, and says so
// with where it stands.
func TestMappedAlert(t *testing.T) {
	file := writeFile(t, "config.yaml", "alert_runbooks:\n  CheckoutBroken: high-error-rate\n")
	out, err := command(t, "config", "show", "--config", file)
	if want := "alert_runbooks.CheckoutBroken"; err != nil || !strings.Contains(out, want) || !strings.Contains(out, "config.yaml:2") {
		t.Errorf("%v, want %s in\n%s", err, want, out)
	}
}
