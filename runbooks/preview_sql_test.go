//go:build unix

package runbooks

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

func (f *sqlFixture) preview(script string, secrets ...string) (Preview, error) {
	f.t.Helper()
	began := time.Now()
	p, err := PreviewOf(f.t.Context(), Bound{Script: script, Command: Command{Language: SQL}, Secrets: secrets}, Target{}, f.exec)
	if took := time.Since(began); took > previewLimit+time.Second {
		f.t.Errorf("%s: the preview took %v", script, took)
	}
	return p, err
}

func contains(t *testing.T, what string, lines []string, want string) {
	t.Helper()
	if !strings.Contains(strings.Join(lines, "\n"), want) {
		t.Errorf("%s is %q, want it to hold %q", what, lines, want)
	}
}

func TestPreviewCountsRows(t *testing.T) {
	f := newSQLFixture(t, nil)
	for script, want := range map[string]struct{ now, after, warning string }{
		"UPDATE users SET note = 'x' WHERE id <= 12;":                                          {"12 rows of users match", "12 rows are overwritten: note = 'x'", ""},
		"UPDATE users SET note = 'x' -- every one\n":                                           {"2500 rows of users match", "2500 rows", "it has no WHERE"},
		"DELETE FROM users u WHERE u.note IS NULL RETURNING id":                                {"1250 rows of users u match", "1250 rows are removed", ""},
		"DELETE FROM users WHERE id IN (SELECT id FROM users WHERE id > 2490) -- the new ones": {"10 rows of users match", "10 rows are removed", ""},
		"UPDATE users SET note = v.n FROM (VALUES (1, 'a'), (1, 'b')) AS v(i, n) WHERE id=v.i": {"1 rows of users match", "1 rows", ""},
		"DELETE FROM public.users USING users o WHERE users.id = o.id AND o.id < 3":            {"2 rows of public.users match", "2 rows are removed", ""},
		"UPDATE users SET note = 'x' WHERE note IS DISTINCT FROM 'even'":                       {"1250 rows of users match", "1250 rows", ""},
	} {
		p, err := f.preview(script)
		if err != nil {
			t.Errorf("%s: %v", script, err)
			continue
		}
		contains(t, "Now", p.Now, want.now)
		contains(t, "After", p.After, want.after)
		contains(t, "Warnings", p.Warnings, want.warning)
		contains(t, "Checked", p.Checked, "rows of the same condition, read only")
		if !strings.Contains(p.Where, "database shop at 127.0.0.1:") || !strings.HasSuffix(p.Where, " as flightdeck") {
			t.Errorf("Where is %q", p.Where)
		}
	}
	// Nothing of it happened.
	if got := f.ask("SELECT count(*) || ' ' || count(note) FROM users"); got != "2500 1250" {
		t.Errorf("the rows are %s now", got)
	}
}

func TestPreviewEstimates(t *testing.T) {
	f := newSQLFixture(t, nil)
	if result, _ := f.run("ANALYZE users"); !result.OK() {
		t.Fatal(result)
	}
	// The condition takes minutes, so that counting runs into its limit.
	p, err := f.preview("DELETE FROM users WHERE id < 0 OR pg_sleep(0.05) IS NULL OR note = 'even'")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "Now", p.Now, "about 12")
	contains(t, "Checked", p.Checked, "the planner's estimate")
	contains(t, "Warnings", p.Warnings, "estimate")

	// A condition that may have an effect is never evaluated.
	if result, c := f.run("CREATE SEQUENCE tickets"); !result.OK() {
		t.Fatal(c.all.String())
	}
	p, err = f.preview("DELETE FROM users WHERE id = nextval('tickets')")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "Checked", p.Checked, "the planner's estimate")
	if got := f.ask("SELECT is_called::text FROM tickets"); got != "false" {
		t.Error("the preview took a number of the sequence")
	}

	// The error is what running it would bring.
	_, err = f.preview("UPDATE users SET nome = 'x' WHERE nome = 's3cret'", "s3cret")
	if err == nil || errors.Is(err, ErrNoPreview) || !strings.Contains(err.Error(), `column "nome" does not exist`) {
		t.Errorf("%v", err)
	}
}

func TestPreviewListsSessions(t *testing.T) {
	f := newSQLFixture(t, nil)
	idle, err := pgx.Connect(t.Context(), f.pg.URL()+"&application_name=shop-worker")
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close(context.WithoutCancel(t.Context()))
	if _, err := idle.Exec(t.Context(), "BEGIN; UPDATE users SET note = 'held' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	f.until("SELECT state FROM pg_stat_activity WHERE application_name = 'shop-worker'", "idle in transaction")
	pid := f.ask("SELECT pid::text FROM pg_stat_activity WHERE application_name = 'shop-worker'")

	one := "SELECT pg_terminate_backend(" + pid + ", 1000)"
	for script, after := range map[string]string{
		"SELECT pg_terminate_backend(pid)\nFROM pg_stat_activity\nWHERE state = 'idle in transaction' AND state_change < now() + interval '1 minute';": "1 session ended",
		"SELECT pid, pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'shop-worker' -- it":                                        "the statements of 1 session are cancelled",
		one: "1 session ended",
	} {
		p, err := f.preview(script)
		if err != nil {
			t.Errorf("%s: %v", script, err)
			continue
		}
		contains(t, "Now", p.Now, "pid "+pid+"  flightdeck  idle in transaction for 00:00:")
		contains(t, "Now", p.Now, "UPDATE users SET note = 'held'")
		contains(t, "After", p.After, after)
	}
	p, err := f.preview("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nobody'")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "After", p.After, "nobody is hit")
	if err := idle.Ping(t.Context()); err != nil {
		t.Errorf("the preview ended the session: %v", err)
	}
}

func TestPreviewKnowsWhatItCannotTell(t *testing.T) {
	f := newSQLFixture(t, nil)
	for _, script := range []string{
		"INSERT INTO users VALUES (9999)",
		"TRUNCATE users",
		"WITH gone AS (DELETE FROM users RETURNING *) SELECT * FROM gone",
		"SELECT pg_terminate_backend(pid), pg_cancel_backend(pid) FROM pg_stat_activity",
		"SELECT 1 WHERE pg_terminate_backend(1)",
		"SELECT pg_terminate_backend(nextval('tickets')::int)",
		"SELECT pg_reload_conf()",
		"DELETE FROM users WHERE CURRENT OF c",
		"SELECT 1; DELETE FROM users",
	} {
		if p, err := f.preview(script); !errors.Is(err, ErrNoPreview) {
			t.Errorf("%s: %+v, %v", script, p, err)
		}
	}
	p, err := f.preview("ALTER SYSTEM SET max_connections = 200;")
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "Now", p.Now, "max_connections: ")
	contains(t, "After", p.After, "max_connections: 200, only after the server has been restarted")
	if _, err := PreviewOf(t.Context(), Bound{Script: "DELETE FROM users", Command: Command{Language: SQL}}, Target{}, nil); !errors.Is(err, ErrNoPreview) {
		t.Errorf("without a database: %v", err)
	}

	// psql in a pod is asked of the configured database, and says so.
	script := "kubectl exec -it postgres-0 -- psql -U app -d shop -c \\\n \"UPDATE users\n SET note = 'x' WHERE id < 3;\""
	p, err = PreviewOf(t.Context(), Bound{Script: script, Command: Command{Language: Bash}}, Target{}, f.exec)
	if err != nil {
		t.Fatal(err)
	}
	contains(t, "Now", p.Now, "2 rows of users match")
	contains(t, "Warnings", p.Warnings, "asked of the configured database")
}
