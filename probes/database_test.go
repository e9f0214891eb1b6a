//go:build unix

package probes

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
)

// pace is fast enough for tests and slow enough for a busy machine.
var pace = config.Pace{Interval: 100 * time.Millisecond, Timeout: 1500 * time.Millisecond}

func databaseAt(url string) config.Database {
	return config.Database{URL: config.Secret(url), Pace: pace}
}

// takeDatabase takes one reading as the loop would.
func takeDatabase(t *testing.T, p *DatabaseProbe) (Database, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return p.take(ctx)
}

// newDatabase is a probe whose connection ends with the test.
func newDatabase(t *testing.T, url string) *DatabaseProbe {
	t.Helper()
	p := NewDatabase(databaseAt(url), NewBoard(1))
	t.Cleanup(p.session.end)
	return p
}

// pgClient is a session of somebody else's.
type pgClient struct {
	*pgx.Conn
	t *testing.T
}

func newClient(t *testing.T, url string) pgClient {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return pgClient{conn, t}
}

func (c pgClient) do(sql string) {
	c.t.Helper()
	if _, err := c.Exec(c.t.Context(), sql); err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}
}

// start runs a statement that does not end by itself, and returns once the
// server runs it.
func (c pgClient) start(watch pgClient, sql string) {
	c.t.Helper()
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		defer close(done)
		_, _ = c.Exec(ctx, sql)
	}()
	c.t.Cleanup(func() { cancel(); <-done })
	await(c.t, "a session that runs it", func() bool {
		return watch.count("select count(*) from pg_stat_activity where state = 'active' and starts_with($1, query) and pid = $2", sql, c.pid()) == 1
	})
}

func (c pgClient) pid() int { return int(c.PgConn().PID()) }

func (c pgClient) count(sql string, args ...any) int {
	c.t.Helper()
	var n int
	if err := c.QueryRow(c.t.Context(), sql, args...).Scan(&n); err != nil {
		c.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

func TestDatabaseCountsBackendsByState(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	admin := newClient(t, pg.AdminURL()) // idle, 1
	idle := newClient(t, pg.AdminURL())  // idle, 2
	idle.do("select 1")
	open := newClient(t, pg.AdminURL())
	open.do("begin")
	open.do("select 2")
	aborted := newClient(t, pg.AdminURL())
	aborted.do("begin")
	if _, err := aborted.Exec(t.Context(), "select 1/0"); err == nil {
		t.Fatal("1/0 succeeded")
	}
	busy := newClient(t, pg.AdminURL()+"&application_name=reports")
	busy.start(admin, "select pg_sleep(60) /* "+strings.Repeat("ü", 2000)+" */")

	d, err := takeDatabase(t, newDatabase(t, pg.URL()))
	if err != nil {
		t.Fatal(err)
	}
	if d.Active != 1 || d.IdleInTx != 2 || d.Idle != 2 || d.Waiting != 0 || d.Total != 6 {
		t.Errorf("active %d, idle in transaction %d, idle %d, waiting %d, total %d; want 1, 2, 2, 0, 6", d.Active, d.IdleInTx, d.Idle, d.Waiting, d.Total)
	}
	if d.Name != "shop" || !strings.HasPrefix(d.Version, "1") || strings.Contains(d.Version, " ") || d.Max != 100 || d.Reserved != 3 {
		t.Errorf("name %q, version %q, max %d, reserved %d", d.Name, d.Version, d.Max, d.Reserved)
	}
	if d.Size < 1<<20 || d.Partial || d.InRecovery || d.Lag != 0 {
		t.Errorf("size %d, partial %v, in recovery %v, lag %v", d.Size, d.Partial, d.InRecovery, d.Lag)
	}
	if d.OldestTx == nil || d.OldestTx.PID != open.pid() || d.OldestTx.Age <= 0 || d.OldestTx.State != "idle in transaction" || d.OldestTx.Wait != "" {
		t.Errorf("oldest transaction is %+v; want pid %d", d.OldestTx, open.pid())
	}
	l := d.Longest
	if l == nil || l.PID != busy.pid() || l.Application != "reports" || l.User != "postgres" || l.Client != "127.0.0.1" || l.Wait != "Timeout: PgSleep" {
		t.Fatalf("longest query is %+v; want pid %d", l, busy.pid())
	}
	if len(l.Query) > 1024 || !strings.HasPrefix(l.Query, "select pg_sleep(60) /* ü") || strings.ContainsRune(l.Query, '\uFFFD') {
		t.Errorf("query of %d bytes: %q", len(l.Query), l.Query)
	}
	if want := []Wait{{"Timeout: PgSleep", 1}}; !slices.Equal(d.Waits, want) {
		t.Errorf("waits %v; want %v", d.Waits, want)
	}
}

func TestDatabaseSaysWhoBlocksWhom(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: "create table orders (id int primary key, n int); insert into orders values (1, 0), (2, 0)"})
	watch := newClient(t, pg.AdminURL())
	root, middle, last := newClient(t, pg.AdminURL()), newClient(t, pg.AdminURL()), newClient(t, pg.AdminURL())
	root.do("begin")
	root.do("update orders set n = 1 where id = 1")
	middle.do("begin")
	middle.do("update orders set n = 2 where id = 2")
	middle.start(watch, "update orders set n = 2 where id = 1")
	last.start(watch, "update orders set n = 3 where id = 2")
	await(t, "two waiters", func() bool {
		return watch.count("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") == 2
	})

	p := newDatabase(t, pg.URL())
	d, err := takeDatabase(t, p)
	if err != nil {
		t.Fatal(err)
	}
	if d.Waiting != 2 || len(d.Blocked) != 2 {
		t.Fatalf("waiting %d, blocked %+v; want 2", d.Waiting, d.Blocked)
	}
	for i, want := range []struct {
		waiter   pgClient
		blockers []int
	}{{middle, []int{root.pid()}}, {last, []int{middle.pid()}}} {
		got := d.Blocked[i]
		if got.Waiter.PID != want.waiter.pid() || !slices.Equal(got.Blockers, want.blockers) || got.Waiter.Wait != "Lock: transactionid" {
			t.Errorf("block %d is %+v; want pid %d blocked by %v", i, got, want.waiter.pid(), want.blockers)
		}
	}
	if len(d.Roots) != 1 || d.Roots[0].PID != root.pid() || d.Roots[0].State != "idle in transaction" || d.Roots[0].Query != "update orders set n = 1 where id = 1" {
		t.Errorf("roots are %+v; want pid %d alone", d.Roots, root.pid())
	}
}

func TestDatabaseWithoutPrivilegesIsPartial(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: "create role guest login password 'guest'"})
	admin := newClient(t, pg.AdminURL())
	other := newClient(t, pg.AdminURL())
	other.start(admin, "select pg_sleep(61)")

	d, err := takeDatabase(t, newDatabase(t, "postgres://guest:guest@"+pg.Addr+"/shop?sslmode=disable"))
	if err != nil {
		t.Fatal(err)
	}
	if !d.Partial || d.Total != 3 || d.Active != 0 || d.Longest != nil {
		t.Errorf("partial %v, total %d, active %d, longest %+v; want true, 3, 0, none", d.Partial, d.Total, d.Active, d.Longest)
	}
	for _, s := range d.Statements {
		if strings.Contains(s.Query, "create role") {
			t.Errorf("a statement of another role's is shown: %+v", s)
		}
	}
}

func TestDatabaseReadsWhenConnectionsAreUsedUp(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{
		Database: "shop",
		Settings: map[string]string{"max_connections": "8"},
		SQL:      "create role app login password 'app'",
	})
	early := NewDatabase(databaseAt(pg.URL()), NewBoard(1))
	runProbe(t, early)
	awaitGood(t, early.cell, time.Time{})

	app := "postgres://app:app@" + pg.Addr + "/shop?sslmode=disable"
	for {
		conn, err := pgx.Connect(t.Context(), app)
		if err != nil {
			if !strings.Contains(err.Error(), "53300") {
				t.Fatal(err)
			}
			break
		}
		defer func() { _ = conn.Close(context.Background()) }()
	}

	full := awaitGood(t, early.cell, time.Now())
	if full.Value.Total != 5 || full.Value.Max != 8 || full.Value.Reserved != 3 {
		t.Errorf("total %d of %d, reserved %d; want 5 of 8, reserved 3", full.Value.Total, full.Value.Max, full.Value.Reserved)
	}
	if _, err := takeDatabase(t, newDatabase(t, app)); err == nil || !strings.Contains(err.Error(), "too many connections") || !strings.Contains(err.Error(), "pg_use_reserved_connections") {
		t.Errorf("a latecomer says %v; want too many connections and what to do", err)
	}
	if d, err := takeDatabase(t, newDatabase(t, pg.AdminURL())); err != nil || d.Total != 6 {
		t.Errorf("a role with reserved connections: total %d, %v; want 6", d.Total, err)
	}
}

func TestDatabaseErrorsSayWhichAndWhatToDo(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: "create role app login password 'right'"})
	const secret = "s3cr3t-w0rd"
	at := func(user, password, database, options string) string {
		return fmt.Sprintf("postgres://%s:%s@%s/%s?%s", user, password, pg.Addr, database, options)
	}
	cases := map[string]struct{ url, which, next string }{
		"refused":          {"postgres://app:" + secret + "@127.0.0.1:1/shop?sslmode=disable", "connection refused", "check that the server runs"},
		"no socket":        {"postgres://app:" + secret + "@/shop?host=" + t.TempDir(), "connection refused", "check that the server runs"},
		"no way there":     {"postgres://app:" + secret + "@255.255.255.255/shop", "cannot connect", "check the network"},
		"unknown host":     {"postgres://app:" + secret + "@no-such-host.invalid/shop", "unknown host", "check the host"},
		"wrong password":   {at("app", secret, "shop", "sslmode=disable"), "authentication failed", "check the password"},
		"unknown role":     {at("nobody", secret, "shop", "sslmode=disable"), "authentication failed", "pg_hba.conf"},
		"unknown database": {at("app", "right", "shopp", "sslmode=disable"), "unknown database", "PGDATABASE"},
		"no TLS":           {at("app", "right", "shop", "sslmode=require"), "TLS failed", "sslmode"},
		"stranger":         {"postgres://app:" + secret + "@" + strangerTLS(t) + "/shop?sslmode=verify-full", "TLS failed", "certificate"},
		"bad URL":          {"postgres://app:" + secret + "@host:port:port/", "cannot be read", "expected postgres://"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := takeDatabase(t, newDatabase(t, c.url))
			if err == nil || !strings.Contains(err.Error(), c.which) || !strings.Contains(err.Error(), c.next) {
				t.Fatalf("the error is %v; want %q and %q", err, c.which, c.next)
			}
			if strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "\n") {
				t.Errorf("the error holds the password or several lines: %v", err)
			}
		})
	}
}

// strangerTLS accepts TLS as PostgreSQL does, with a certificate that nobody
// knows, and says nothing more.
func strangerTLS(t *testing.T) (addr string) {
	t.Helper()
	certificate, key := selfSigned(t, t.TempDir())
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil { // SSLRequest
					return
				}
				if _, err := conn.Write([]byte("S")); err != nil {
					return
				}
				_ = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}}).Handshake()
			}()
		}
	}()
	return listener.Addr().String()
}

func TestDatabaseNotConfigured(t *testing.T) {
	p := NewDatabase(config.Database{}, NewBoard(1))
	runProbe(t, p)
	r := awaitReading(t, p.cell, "a reading", func(r Reading[Database]) bool { return r.Err != nil })
	if !errors.Is(r.Err, ErrNotConfigured) || r.State(time.Now()) != NotConfigured || !strings.Contains(r.Err.Error(), "DATABASE_URL") {
		t.Errorf("the reading says %v", r.Err)
	}
}

func TestDatabaseOfAStandby(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	if err := pg.Stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pg.DataDir, "standby.signal"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := pg.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	d, err := takeDatabase(t, newDatabase(t, pg.URL()))
	if err != nil || !d.InRecovery || d.Lag < 0 {
		t.Errorf("in recovery %v, lag %v, %v; want a standby", d.InRecovery, d.Lag, err)
	}
}

func TestDatabaseSeesReplicas(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	replica := newClient(t, pg.AdminURL()+"&replication=true&application_name=standby1")
	var position string
	rows, err := replica.PgConn().Exec(t.Context(), "IDENTIFY_SYSTEM").ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	position = string(rows[0].Rows[0][2])
	ctx, cancel := context.WithCancel(t.Context())
	streaming := make(chan struct{})
	go func() {
		defer close(streaming)
		_, _ = replica.PgConn().Exec(ctx, "START_REPLICATION PHYSICAL "+position).ReadAll()
	}()
	t.Cleanup(func() { cancel(); <-streaming })
	admin := newClient(t, pg.AdminURL())
	await(t, "a replica", func() bool {
		return admin.count("select count(*) from pg_stat_replication where state = 'streaming'") == 1
	})
	admin.do("create table written (x text)")

	d, err := takeDatabase(t, newDatabase(t, pg.URL()))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Replicas) != 1 || d.Replicas[0].Name != "standby1" || d.Replicas[0].State != "streaming" {
		t.Errorf("replicas are %+v; want standby1, streaming", d.Replicas)
	}
	if d.Total != 2 {
		t.Errorf("total %d; a replica takes none of max_connections", d.Total)
	}
}
