//go:build unix

package runbooks

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/erpgo/flightdeck/testenv/server"
)

// sqlCommand is a statement as it stands in a book, with the line that carries it.
func sqlCommand(through, text string) Command {
	c := Command{Text: text, Language: SQL, Through: through}
	describeSQL(&c)
	return c
}

func TestThroughSession(t *testing.T) {
	line := "kubectl exec -it <postgres-pod> -- psql -U $DB_USER -d erpgo"
	c, ok := sqlCommand(line, "SELECT 'it''s' FROM t WHERE pid = <pid>; -- why\n").ThroughSession()
	want := line + ` -X -q -v ON_ERROR_STOP=1 -P pager=off \
  -c 'BEGIN READ ONLY' \
  -c 'SET LOCAL statement_timeout = 30000' \
  -c 'DECLARE flightdeck CURSOR FOR SELECT '\''it'\'''\''s'\'' FROM t WHERE pid = <pid>; -- why
' \
  -c 'FETCH 1000 FROM flightdeck'`
	if diff := cmp.Diff(want, c.Text); !ok || diff != "" {
		t.Errorf("%v (-want +got):\n%s", ok, diff)
	}
	if c.Risk != Reads || c.Interactive || c.Endless || c.Language != Bash {
		t.Errorf("risk %s, interactive %v, endless %v", c.Risk, c.Interactive, c.Endless)
	}
	if diff := cmp.Diff([]string{"postgres-pod", "pid"}, c.Placeholders); diff != "" {
		t.Errorf("placeholders (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"DB_USER"}, c.Variables); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	bound, err := Bind(c, map[string]string{"postgres-pod": "postgres-0", "pid": "12", "DB_USER": "me"})
	if err != nil || !strings.Contains(bound.Script, "pid = 12") || bound.Command.Risk != Reads {
		t.Errorf("%v: %s\n%s", err, bound.Command.Risk, bound.Script)
	}
	if _, err := Bind(c, map[string]string{"postgres-pod": "postgres-0", "pid": "1; DROP TABLE t", "DB_USER": "me"}); err == nil {
		t.Error("a hostile value was bound")
	}

	for text, want := range map[string]struct {
		risk      Risk
		statement string
	}{
		"SELECT pg_terminate_backend(pid) FROM pg_stat_activity": {Changes, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"},
		"CREATE INDEX CONCURRENTLY i ON t (a);":                  {Changes, "CREATE INDEX CONCURRENTLY i ON t (a)"},
		"DELETE FROM t":                                          {Destroys, "DELETE FROM t"},
	} {
		c, ok := sqlCommand(line, text).ThroughSession()
		if !ok || c.Risk.worse(want.risk) != c.Risk || strings.Contains(c.Text, "BEGIN") || !strings.Contains(c.Text, "-c 'SET lock_timeout = 5000'") {
			t.Errorf("%s: %v %s\n%s", text, ok, c.Risk, c.Text)
		}
		if got, ok := psqlStatement(mask(c.Text, findPlaceholders(c.Text))); !ok || got != want.statement {
			t.Errorf("%s: previewed is %q, %v", text, got, ok)
		}
	}
	if got, ok := psqlStatement(mask(c.Text, findPlaceholders(c.Text))); !ok || !strings.Contains(got, "SELECT 'it''s'") || strings.Contains(got, "CURSOR") {
		t.Errorf("explained is %q, %v", got, ok)
	}
	for _, line := range []string{
		"", "kubectl exec -it pod -- bash", "kubectl exec -it pod -- sh -c 'psql -U x'", "psql -f x.sql", "psql | cat", "psql > f", "psql &", "ssh db",
		"psql -c 'SELECT 1'", "psql; psql", "kubectl exec pod -- psql 'a",
	} {
		if c, ok := sqlCommand(line, "SELECT 1").ThroughSession(); ok {
			t.Errorf("%q carries a statement: %s", line, c.Text)
		}
	}
	if _, ok := sqlCommand(line, `\dt`).ThroughSession(); ok {
		t.Error("a command of psql is carried")
	}
}

// TestStepCarriesStatements: a session that a step opens in one block carries
// the statements of the next.
func TestStepCarriesStatements(t *testing.T) {
	book, err := Parse("b.md", []byte("# X\n## Steps\n1. Look\n   ```bash\n   kubectl exec -it pg-0 -- psql -U me\n   ```\n   ```sql\n   SELECT 1;\n   ```\n2. Other\n   ```sql\n   SELECT 2;\n   ```\n"))
	if err != nil {
		t.Fatal(err)
	}
	steps := book.Runbooks[0].Sections[0].Steps
	if got := steps[0].Commands[1].Through; got != "kubectl exec -it pg-0 -- psql -U me" {
		t.Errorf("carried through %q", got)
	}
	if got := steps[1].Commands[0].Through; got != "" {
		t.Errorf("another step's statement is carried through %q", got)
	}
}

// TestThroughSessionRuns sends statements through a real psql.
func TestThroughSessionRuns(t *testing.T) {
	f := newSQLFixture(t, nil)
	psql, err := server.Find("psql")
	if err != nil {
		t.Fatal(err)
	}
	path := "PATH=" + filepath.Dir(psql) + string(os.PathListSeparator) + os.Getenv("PATH")
	through := func(text string) (Result, *captured) {
		t.Helper()
		c, ok := sqlCommand("psql '"+f.pg.URL()+"'", text).ThroughSession()
		if !ok {
			t.Fatalf("%s is not carried", text)
		}
		bound, err := Bind(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		return run(t, bound.Script, path)
	}
	result, out := through("SELECT id FROM users ORDER BY id -- all of them")
	lines := strings.Split(strings.TrimSpace(out.stdout.String()), "\n")
	if !result.OK() || len(lines) != 1003 || lines[1002] != "(1000 rows)" {
		t.Errorf("%+v, %d lines\n%s", result, len(lines), out.stderr.String())
	}
	if result, out := through("UPDATE users SET note = 'it''s' WHERE id <= 3;"); !result.OK() || f.ask("SELECT count(*)::text FROM users WHERE note = 'it''s'") != "3" {
		t.Errorf("%+v\n%s", result, out.all.String())
	}
	if result, out := through("CREATE INDEX CONCURRENTLY users_note ON users (note)"); !result.OK() {
		t.Errorf("%+v\n%s", result, out.all.String())
	}
	if result, out := through("SELECT nothing FROM users"); result.OK() || result.Exit == 0 || !strings.Contains(out.stderr.String(), "nothing") {
		t.Errorf("%+v\n%s", result, out.all.String())
	}
}

func TestExplain(t *testing.T) {
	f := newSQLFixture(t, nil)
	explain := func(lang Language, script string) ([]string, error) {
		return f.exec.Explain(t.Context(), Bound{Script: script, Command: Command{Language: lang}, Secrets: []string{"hunter2"}})
	}
	for script, want := range map[string]string{
		"SELECT * FROM users WHERE id = 3;":                            "on users",
		"SELECT pg_sleep(3600) FROM users":                             "Seq Scan on users",
		"WITH u AS (SELECT 1) SELECT * FROM u":                         "Result",
		"DELETE FROM users WHERE note = 'hunter2' -- nobody sees it\n": "note = '••••••'",
	} {
		plan, err := explain(SQL, script)
		if text := strings.Join(plan, "\n"); err != nil || !strings.Contains(text, want) || strings.Contains(text, "hunter2") {
			t.Errorf("%s: %v\n%s", script, err, text)
		}
	}
	if plan, err := explain(Bash, `kubectl exec pg-0 -- psql -c "SELECT * FROM users"`); err != nil || !strings.Contains(strings.Join(plan, "\n"), "Seq Scan") {
		t.Errorf("through psql: %v %q", err, plan)
	}
	for lang, scripts := range map[Language][]string{SQL: {"VACUUM", "SELECT 1; SELECT 2", "EXPLAIN SELECT 1"}, Bash: {"kubectl get pods", "psql"}} {
		for _, script := range scripts {
			if plan, err := explain(lang, script); err == nil {
				t.Errorf("%s has the plan %q", script, plan)
			}
		}
	}
	if _, err := explain(SQL, "SELECT nothing FROM users"); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("what the database says: %v", err)
	}
	if got := f.ask("SELECT count(*)::text FROM users"); got != "2500" {
		t.Errorf("%s rows are left", got)
	}
	p, err := f.preview("UPDATE users SET note = 'x' WHERE id = 1")
	if err != nil || !strings.Contains(strings.Join(p.Plan, "\n"), "Update on users") {
		t.Errorf("the preview's plan: %v %q", err, p.Plan)
	}
}
