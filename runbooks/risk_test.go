package runbooks

import (
	"bufio"
	"os"
	"strings"
	"testing"
)

// riskTable reads lines of class, tab, command.
func riskTable(t testing.TB, file string) [][2]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var rows [][2]string
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := s.Text(); !strings.HasPrefix(line, "# ") && line != "" {
			class, command, ok := strings.Cut(line, "\t")
			if !ok {
				t.Fatalf("%s: no tab in %q", file, line)
			}
			rows = append(rows, [2]string{class, command})
		}
	}
	return rows
}

func TestRiskOfCommands(t *testing.T) {
	rows := riskTable(t, "testdata/risk.tsv")
	if len(rows) < 300 {
		t.Errorf("only %d commands", len(rows))
	}
	for _, row := range rows {
		want, command := Risk(row[0]), strings.ReplaceAll(row[1], "⏎", "\n")
		got := Judge(Bash, command)
		if got.Risk != want {
			t.Errorf("%s: judged %s, want %s (%v)", command, got.Risk, want, got.Findings)
		}
		if want != Reads && got.Risk == Reads {
			t.Errorf("%s: judged as reading, and it is not", command)
		}
		if got.Risk != Reads && len(got.Findings) == 0 {
			t.Errorf("%s: %s without a reason", command, got.Risk)
		}
	}
}

func TestRiskOfSQL(t *testing.T) {
	for _, row := range riskTable(t, "testdata/risk_sql.tsv") {
		want, sql := Risk(row[0]), strings.ReplaceAll(row[1], `\n`, "\n")
		if got := Judge(SQL, sql); got.Risk != want {
			t.Errorf("%s: judged %s, want %s (%v)", sql, got.Risk, want, got.Findings)
		}
	}
}

// wrappers put a command into another: whatever it does, it still does it.
var wrappers = []string{
	"sudo %s", "sudo -u root %s", "nohup %s &", "timeout 5 %s", "env A=b %s", "nice %s", "time %s", "command %s", "exec %s",
	"sh -c '%s'", "bash -euo pipefail -c '%s'", "sudo sh -c '%s'", "watch '%s'", "watch -n 5 %s", "ssh host '%s'", "ssh host %s", "eval '%s'", "trap '%s' EXIT",
	"kubectl exec pod -- %s", "kubectl exec -it pod -c c -- sh -c '%s'", "docker exec c %s", "docker compose exec db %s", "su - postgres -c '%s'",
	"echo $(%s)", "echo \"$(%s)\"", "x=$(%s)", "echo `%s`", "cat <(%s)", "cat < <(%s)", "tee >(%s) < f", "[[ -n $(%s) ]]", "(( $(%s) ))", "echo ${x:-$(%s)}", "a=($(%s))",
	"ls; %s", "ls && %s", "ls || %s", "ls | %s", "%s | cat", "( %s )", "{ %s; }", "! %s", "if true; then %s; fi", "if %s; then ls; fi", "for i in 1; do %s; done",
	"while %s; do ls; done", "case x in x) %s;; esac", "f() { %s; }", "find . -exec %s ';'", "ls | xargs %s", "ls | xargs -I{} %s", "cat <<EOF\n$(%s)\nEOF", "coproc %s", "select x in a; do %s; done",
	"LC_ALL=C %s", "%s &", "%s > /dev/null 2>&1", "export X=$(%s)", "local x=$(%s)", "until %s; do :; done",
}

func TestRiskSeesThroughWrappers(t *testing.T) {
	judged := 0
	for _, row := range riskTable(t, "testdata/risk.tsv") {
		command := row[1]
		if Risk(row[0]) == Reads || strings.ContainsAny(command, "⏎") {
			continue
		}
		for _, outer := range wrappers {
			for _, inner := range []string{"%s", "sh -c '%s'", "sudo %s", "kubectl exec pod -- %s", "echo $(%s)", "ls; %s"} {
				script := strings.ReplaceAll(inner, "%s", command)
				if strings.Contains(outer, "'%s'") && strings.Contains(script, "'") || strings.Contains(inner, "'%s'") && strings.Contains(command, "'") ||
					strings.Contains(outer, "`") && strings.Contains(script, "`") {
					continue // it would need other quotes
				}
				if (outer == "watch -n 5 %s" || outer == "ssh host %s") && strings.ContainsAny(script, `'"`) {
					continue // these join their words and drop the quotes: another command then
				}
				if starts := strings.Contains(outer, " %s") && !strings.Contains(outer, "; %s") && !strings.Contains(outer, "& %s") && !strings.Contains(outer, "| %s"); starts && strings.ContainsAny(command, ";&|(){}<>=[]\n") {
					continue // only its beginning would be wrapped, or it is no simple command
				}
				script = strings.ReplaceAll(outer, "%s", script)
				if _, err := parseShell(mask(script, findPlaceholders(script))); err != nil {
					continue
				}
				judged++
				if got := Judge(Bash, script); got.Risk == Reads {
					t.Fatalf("%s: judged as reading (%s inside)", script, command)
				}
			}
		}
	}
	if judged < 20000 {
		t.Errorf("only %d scripts were judged", judged)
	}
}

// FuzzRisk looks for a command that hides what is known to destroy.
func FuzzRisk(f *testing.F) {
	for _, row := range riskTable(f, "testdata/risk.tsv") {
		f.Add(row[1])
	}
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 4096 {
			return
		}
		before := Judge(Bash, script)
		if _, err := parseShell(mask(script, findPlaceholders(script))); err != nil {
			if before.Risk != Unknown {
				t.Fatalf("%q does not parse and is %s", script, before.Risk)
			}
			return
		}
		after := Judge(Bash, script+"\n\nrm -rf /")
		if _, err := parseShell(mask(script+"\n\nrm -rf /", nil)); err == nil && after.Risk == Reads && !strings.Contains(script, "<<") {
			t.Fatalf("%q: a command after it is not seen", script)
		}
		if after.Risk.worse(before.Risk) != after.Risk {
			t.Fatalf("%q: %s, and %s with more after it", script, before.Risk, after.Risk)
		}
	})
}
