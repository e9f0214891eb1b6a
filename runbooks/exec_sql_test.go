//go:build unix

package runbooks

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

const shopSQL = `CREATE TABLE users (id int PRIMARY KEY, email text, note text);
INSERT INTO users SELECT i, 'user' || i || '@example.org', CASE WHEN i % 2 = 0 THEN 'even' END FROM generate_series(1, 2500) i;
GRANT ALL ON users TO flightdeck; GRANT CREATE ON SCHEMA public TO flightdeck; ALTER TABLE users OWNER TO flightdeck;`

// sqlFixture is an executor on a server of its own, and a second way to look.
type sqlFixture struct {
	t    *testing.T
	pg   *testenv.Postgres
	exec *SQLExecutor
}

func newSQLFixture(t *testing.T, settings map[string]string) *sqlFixture {
	t.Helper()
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: shopSQL, Settings: settings})
	exec := NewSQLExecutor(config.Secret(pg.URL()))
	t.Cleanup(exec.Close)
	return &sqlFixture{t: t, pg: pg, exec: exec}
}

// run executes a statement as the binder would hand it over.
func (f *sqlFixture) run(script string) (Result, *captured) {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(f.t.Context(), 60*time.Second)
	defer cancel()
	return f.runIn(ctx, script, Judge(SQL, script).Risk)
}

func (f *sqlFixture) runIn(ctx context.Context, script string, risk Risk) (Result, *captured) {
	f.t.Helper()
	var c captured
	result := f.exec.Execute(ctx, Bound{Script: script, Command: Command{Language: SQL, Risk: risk}}, Target{}, c.take)
	return result, &c
}

// ask reads one value over the administrator's own connection.
func (f *sqlFixture) ask(query string) string {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.pg.AdminURL())
	if err != nil {
		f.t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(f.t.Context()))
	var value string
	if err := conn.QueryRow(f.t.Context(), query).Scan(&value); err != nil {
		f.t.Fatal(err)
	}
	return value
}

// until waits for a query of ask's to answer a value.
func (f *sqlFixture) until(query, want string) {
	f.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(15 * time.Second)
	for got := f.ask(query); got != want; got = f.ask(query) {
		if time.Now().After(deadline) {
			f.t.Fatalf("%s\nanswers %s, want %s", query, got, want)
		}
		<-tick.C
	}
}

func TestSQLShowsATable(t *testing.T) {
	f := newSQLFixture(t, nil)
	result, c := f.run("-- who\nSELECT id, note, email AS \"e-mail\" FROM users WHERE id IN (1, 2, 1000) ORDER BY id;")
	want := `   id | note | e-mail
------+------+----------------------
    1 | ∅    | user1@example.org
    2 | even | user2@example.org
 1000 | even | user1000@example.org
(3 rows)
`
	if got := c.stdout.String(); got != want || !result.OK() || result.Exit != 0 {
		t.Errorf("got %+v\n%s\nwant\n%s", result, got, want)
	}
	if result.Bytes != int64(len(want)) || len(result.SHA256) != 64 || result.Duration <= 0 {
		t.Errorf("result %+v", result)
	}

	for script, want := range map[string]string{
		"UPDATE users SET note = 'x' WHERE id <= 12":             "UPDATE 12\n",
		"DELETE FROM users WHERE id = 2500 RETURNING id":         "   id\n------\n 2500\n(1 row)\nDELETE 1\n",
		"CREATE TABLE notes (t text)":                            "CREATE TABLE\n",
		"SELECT 1 WHERE false":                                   " ?column?\n----------\n(0 rows)\n",
		"SELECT E'a\\nb\\tc' AS x":                               " x\n-------\n a↵b c\n(1 row)\n",
		"SELECT 'näher' AS x, '火' AS y UNION ALL SELECT 'b','c'": " x     | y\n-------+----\n näher | 火\n b     | c\n(2 rows)\n",
	} {
		result, c := f.run(script)
		if got := c.all.String(); got != want || !result.OK() {
			t.Errorf("%s\ngot %+v\n%s\nwant\n%s", script, result, got, want)
		}
	}
	if got := f.ask("SELECT count(*)::text FROM users WHERE note = 'x'"); got != "12" {
		t.Errorf("%s rows were changed, want 12", got)
	}
	if got := f.ask("SELECT string_agg(DISTINCT application_name, ',') FROM pg_stat_activity WHERE usename = 'flightdeck'"); got != "flightdeck-step" {
		t.Errorf("the connections say they are %q", got)
	}
}

func TestSQLBoundsWhatItShows(t *testing.T) {
	f := newSQLFixture(t, nil)
	// A reading statement is stopped: all of these rows would take minutes.
	began := time.Now()
	result, c := f.run("SELECT generate_series(1, 2000000000)")
	lines := strings.Split(strings.TrimSpace(c.stdout.String()), "\n")
	if !result.OK() || len(lines) != 1004 || lines[1002] != "(1000 rows)" || lines[1003] != "more rows were left out" {
		t.Errorf("%+v with %d lines, the last %q; %s", result, len(lines), lines[len(lines)-1], c.stderr.String())
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
	// What changes is heard out.
	result, c = f.run("UPDATE users SET note = 'y' RETURNING id")
	if !result.OK() || !strings.HasSuffix(c.stdout.String(), "(1000 rows)\nmore rows were left out\nUPDATE 2500\n") {
		t.Errorf("%+v", result)
	}
	if got := f.ask("SELECT count(*)::text FROM users WHERE note = 'y'"); got != "2500" {
		t.Errorf("%s rows were changed, want 2500", got)
	}
	result, c = f.run("SELECT repeat('w', 1000000) AS wide")
	if !result.OK() || result.Bytes > 1000 || !strings.Contains(c.stdout.String(), strings.Repeat("w", 199)+"…\n") {
		t.Errorf("%+v", result)
	}
	result, c = f.run("SELECT repeat('w', 300), repeat('x', 3000) FROM generate_series(1, 900) a, generate_series(1, 30) b")
	if !result.OK() || result.Bytes > 2<<20 {
		t.Errorf("%+v %s", result, c.stderr.String())
	}
}

func TestSQLWordsErrorsAsPsqlDoes(t *testing.T) {
	f := newSQLFixture(t, nil)
	for script, want := range map[string]string{
		"SELECT id,\n\tnome FROM users": "ERROR:  42703: column \"nome\" does not exist\nLINE 2:  nome FROM users\n         ^\nHINT:  Perhaps you meant to reference the column \"users.note\".\n",
		"INSERT INTO users VALUES (1)":  "ERROR:  23505: duplicate key value violates unique constraint \"users_pkey\"\nDETAIL:  Key (id)=(1) already exists.\n",
		"SELECT '" + strings.Repeat("a", 200) + "' FROM nowhere, users WHERE '" + strings.Repeat("b", 200) + "' = email": "" +
			"ERROR:  42P01: relation \"nowhere\" does not exist\nLINE 1: …" + strings.Repeat("a", 53) + "' FROM nowhere, users WHERE '" + strings.Repeat("b", 38) + "…\n" +
			strings.Repeat(" ", 69) + "^\n",
	} {
		result, c := f.run(script)
		if got := c.stderr.String(); got != want || result.Exit != 1 || result.OK() || result.Err != nil || c.stdout.Len() > 0 {
			t.Errorf("%s\ngot %+v\n%s\nwant\n%s", script, result, got, want)
		}
	}
	result, c := f.run("DO $$ BEGIN RAISE NOTICE 'half way'; END $$")
	if !result.OK() || c.stderr.String() != "NOTICE:  half way\n" || c.stdout.String() != "DO\n" {
		t.Errorf("%+v\n%s", result, c.all.String())
	}
}

// What fails at the commit is not shown as done.
func TestSQLShowsWhatIsCommitted(t *testing.T) {
	f := newSQLFixture(t, nil)
	if result, c := f.run("CREATE TABLE orders (buyer int REFERENCES users (id) DEFERRABLE INITIALLY DEFERRED)"); !result.OK() {
		t.Fatal(c.all.String())
	}
	result, c := f.run("INSERT INTO orders VALUES (99999) RETURNING buyer")
	if result.Exit != 1 || c.stdout.Len() > 0 || !strings.Contains(c.stderr.String(), "23503") {
		t.Errorf("%+v\n%s", result, c.all.String())
	}
}

// The second statement of an injected text is refused by us, and by the
// protocol where it was not seen.
func TestSQLRunsOneStatement(t *testing.T) {
	f := newSQLFixture(t, nil)
	for _, script := range []string{
		"SELECT 1; DELETE FROM users",
		"SELECT 1; COMMIT; BEGIN READ WRITE; DELETE FROM users; --",
		"SELECT 1 -- x\n; DELETE FROM users",
		`\! touch /tmp/x`,
		"BEGIN", "COMMIT", "SET default_transaction_read_only = off", "COPY users TO STDOUT", "", "-- nothing", "SELECT 'a",
	} {
		result, c := f.run(script)
		if result.Err == nil || result.OK() || c.all.Len() > 0 {
			t.Errorf("%q ran: %+v", script, result)
		}
	}
	conn, err := f.exec.acquire(t.Context(), connectLimit)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	run := sqlRun{pg: conn.Conn().PgConn(), script: "SELECT 1; DELETE FROM users", mode: sqlOwn}
	_, err = run.execute(t.Context())
	if err == nil || !strings.Contains(err.Error(), "cannot insert multiple commands") {
		t.Errorf("the protocol took two statements: %v", err)
	}
	if got := f.ask("SELECT count(*)::text FROM users"); got != "2500" {
		t.Errorf("%s rows are left of 2500", got)
	}
}

func TestSQLRefusesBackslashStrings(t *testing.T) {
	f := newSQLFixture(t, map[string]string{"standard_conforming_strings": "off"})
	result, _ := f.run(`SELECT 'a'`)
	if result.Err == nil || !strings.Contains(result.Err.Error(), "standard_conforming_strings") {
		t.Errorf("%+v", result)
	}
}

// A step that was judged to read cannot write, whatever is in it.
func TestSQLReadsReadOnly(t *testing.T) {
	f := newSQLFixture(t, nil)
	result, c := f.runIn(t.Context(), "DELETE FROM users", Reads)
	if result.Exit != 1 || !strings.HasPrefix(c.stderr.String(), "ERROR:  25006: cannot execute DELETE in a read-only transaction\n") {
		t.Errorf("%+v %s", result, c.all.String())
	}
	if got := f.ask("SELECT count(*)::text FROM users"); got != "2500" {
		t.Errorf("%s rows are left of 2500", got)
	}
	for setting, want := range map[string]string{"statement_timeout": "30s", "lock_timeout": "5s", "transaction_read_only": "on"} {
		if _, c := f.run("SHOW " + setting); !strings.Contains(c.stdout.String(), " "+want+"\n") {
			t.Errorf("%s:\n%s", setting, c.stdout.String())
		}
	}
}

// What PostgreSQL refuses inside a transaction block runs outside of one.
func TestSQLRunsOutsideATransaction(t *testing.T) {
	f := newSQLFixture(t, nil)
	for _, script := range []string{
		"CREATE INDEX CONCURRENTLY idx_users_email ON users(email);",
		"REINDEX INDEX CONCURRENTLY idx_users_email",
		"VACUUM (ANALYZE) users",
		"DROP INDEX CONCURRENTLY idx_users_email",
		"DO $$ BEGIN COMMIT; END $$",
	} {
		if result, c := f.run(script); !result.OK() {
			t.Errorf("%s\n%+v %s", script, result, c.all.String())
		}
	}
	// An executor of its own connects as who may.
	admin := NewSQLExecutor(config.Secret(f.pg.AdminURL()))
	defer admin.Close()
	var c captured
	script := "ALTER SYSTEM SET max_connections = 200;"
	result := admin.Execute(t.Context(), Bound{Script: script, Command: Command{Risk: Judge(SQL, script).Risk}}, Target{}, c.take)
	if !result.OK() || c.stdout.String() != "ALTER SYSTEM\n" {
		t.Errorf("%+v %s", result, c.all.String())
	}
	_, c2 := f.run("CREATE UNIQUE INDEX CONCURRENTLY broken ON users((id % 2))")
	if !strings.Contains(c2.stderr.String(), "left behind invalid") {
		t.Errorf("an invalid index is not told of:\n%s", c2.stderr.String())
	}
}

// A statement waits for a lock only so long, and what it leaves in its session
// is gone after it.
func TestSQLHoldsNothing(t *testing.T) {
	f := newSQLFixture(t, nil)
	if result, _ := f.run("SELECT pg_advisory_lock(7)"); !result.OK() {
		t.Fatalf("%+v", result)
	}
	f.until("SELECT count(*)::text FROM pg_locks WHERE locktype = 'advisory'", "0")

	holder, err := pgx.Connect(t.Context(), f.pg.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close(context.WithoutCancel(t.Context()))
	if _, err := holder.Exec(t.Context(), "BEGIN; LOCK TABLE users"); err != nil {
		t.Fatal(err)
	}
	result, c := f.run("UPDATE users SET note = ''")
	if result.Exit != 1 || !strings.Contains(c.stderr.String(), "55P03") || result.Duration > 15*time.Second {
		t.Errorf("%+v %s", result, c.all.String())
	}
}

func TestSQLCancel(t *testing.T) {
	f := newSQLFixture(t, nil)
	sleeping := "SELECT count(*)::text FROM pg_stat_activity WHERE application_name = 'flightdeck-step' AND state = 'active'"
	for _, risk := range []Risk{Reads, Unknown} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan Result, 1)
		var c captured
		go func() {
			done <- f.exec.Execute(ctx, Bound{Script: "SELECT pg_sleep(600)", Command: Command{Risk: risk}}, Target{}, c.take)
		}()
		f.until(sleeping, "1")
		cancelled := time.Now()
		cancel()
		result := <-done
		if took := time.Since(cancelled); took > time.Second {
			t.Errorf("the cancel took %v, want at most 1 s", took)
		}
		if !result.Cancelled || result.OK() || result.Err != nil || !strings.Contains(c.stderr.String(), "57014: canceling statement due to user request") {
			t.Errorf("%+v %s", result, c.all.String())
		}
		f.until(sleeping, "0")
	}
	// The connection was kept, and serves the next statement.
	if result, c := f.run("SELECT 1"); !result.OK() {
		t.Errorf("%+v %s", result, c.all.String())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if result, _ := f.runIn(ctx, "DELETE FROM users", Destroys); !result.Cancelled || result.OK() {
		t.Errorf("%+v", result)
	}
	if got := f.ask("SELECT count(*)::text FROM users"); got != "2500" {
		t.Errorf("%s rows are left of 2500", got)
	}
}

// A server that stops answering does not hold the step.
func TestSQLCancelOfASilentServer(t *testing.T) {
	f := newSQLFixture(t, nil)
	proxy := testenv.NewProxy(t, f.pg.Addr)
	exec := NewSQLExecutor(config.Secret(strings.Replace(f.pg.URL(), f.pg.Addr, proxy.Addr, 1)))
	defer exec.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan Result, 1)
	var c captured
	go func() {
		done <- exec.Execute(ctx, Bound{Script: "SELECT pg_sleep(600)", Command: Command{Risk: Unknown}}, Target{}, c.take)
	}()
	f.until("SELECT count(*)::text FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'", "1")
	if err := proxy.Set(faultproxy.Hang); err != nil {
		t.Fatal(err)
	}
	cancelled := time.Now()
	cancel()
	result := <-done
	if took := time.Since(cancelled); took > 1500*time.Millisecond || !result.Cancelled {
		t.Errorf("after %v: %+v", took, result)
	}
	if !strings.Contains(c.stderr.String(), "It was not committed, so it changed nothing.") {
		t.Errorf("it says %s", c.stderr.String())
	}
}

func TestSQLSaysWhyItCannotConnect(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	wrong := strings.Replace(pg.URL(), "flightdeck:", "flightdeck:nonsense", 1)
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"":                                "set DATABASE_URL",
		"postgres://u:s3cret@[::bad/x":    "set DATABASE_URL",
		"postgres://u:s3cret@h:99999/x":   "set DATABASE_URL",
		strings.Clone(pg.URL()):           "connection refused",
		wrong:                             "connection refused",
		pg.URL() + "&pool_max_conns=none": "set DATABASE_URL",
	} {
		e := NewSQLExecutor(config.Secret(url))
		result := e.Execute(t.Context(), Bound{Script: "SELECT 1"}, Target{}, func(Chunk) {})
		e.Close()
		if result.Err == nil || !strings.Contains(result.Err.Error(), want) || strings.Contains(fmt.Sprint(result.Err), "s3cret") {
			t.Errorf("%v, want it to say %q", result.Err, want)
		}
	}
	if err := pg.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := NewSQLExecutor(config.Secret(wrong))
	defer e.Close()
	if result := e.Execute(t.Context(), Bound{Script: "SELECT 1"}, Target{}, func(Chunk) {}); result.Err == nil || !strings.Contains(result.Err.Error(), "check the user, the password") {
		t.Errorf("%+v", result)
	}
}
