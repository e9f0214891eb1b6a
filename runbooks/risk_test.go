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
