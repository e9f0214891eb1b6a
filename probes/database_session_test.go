//go:build unix

package probes

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

// observeSessions counts the cockpit's sessions on the server until the test
// ends, and fails it where there were two at once.
func observeSessions(t *testing.T, adminURL string) {
	t.Helper()
	watch := newClient(t, adminURL)
	ctx, cancel := context.WithCancel(context.Background())
	most := make(chan int, 1)
	go func() {
		n := 0
		for ctx.Err() == nil {
			var now int
			err := watch.QueryRow(context.Background(), "select count(*) from pg_stat_activity where application_name = 'flightdeck'").Scan(&now)
			if err != nil {
				break // the server was stopped
			}
			n = max(n, now)
		}
		most <- n
	}()
	t.Cleanup(func() {
		cancel()
		if n := <-most; n != 1 {
			t.Errorf("the server saw %d sessions of the cockpit at once; want 1", n)
		}
	})
}

func TestDatabaseFaults(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	proxy := testenv.NewProxy(t, pg.Addr)
	p := NewDatabase(databaseAt(strings.Replace(pg.URL(), pg.Addr, proxy.Addr, 1)), NewBoard(1))
	runProbe(t, p)

	for name, c := range map[string]struct {
		fault, heal func() error
		says        string
	}{
		"refuse":  {func() error { return proxy.Set(faultproxy.Refuse) }, func() error { return proxy.Set(faultproxy.Pass) }, "connection refused"},
		"hang":    {func() error { return proxy.Set(faultproxy.Hang) }, func() error { return proxy.Set(faultproxy.Pass) }, "timeout"},
		"garbage": {func() error { return proxy.Set(faultproxy.Garbage) }, func() error { return proxy.Set(faultproxy.Pass) }, "makes no sense"},
		"reset":   {func() error { return proxy.Set(faultproxy.Reset) }, func() error { return proxy.Set(faultproxy.Pass) }, "connection was lost"},
		"stopped": {pg.Stop, func() error { return pg.Start(t.Context()) }, "postgres"},
		"paused":  {pg.Pause, pg.Resume, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			good := awaitGood(t, p.cell, time.Time{})
			if err := c.fault(); err != nil {
				t.Fatal(err)
			}
			r := awaitReading(t, p.cell, c.says, func(r Reading[Database]) bool {
				return r.Err != nil && strings.Contains(r.Err.Error(), c.says)
			})
			if r.TakenAt.Before(good.TakenAt) || r.Value.Max != 100 || r.State(time.Now()) != Stale {
				t.Errorf("while broken, the reading is of %v with max %d, %v", r.TakenAt, r.Value.Max, r.State(time.Now()))
			}
			healed := time.Now()
			if err := c.heal(); err != nil {
				t.Fatal(err)
			}
			awaitGood(t, p.cell, healed)
		})
	}
}

func TestDatabaseRestartIsFollowed(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	p := NewDatabase(databaseAt(pg.URL()), NewBoard(1))
	runProbe(t, p)
	awaitGood(t, p.cell, time.Time{})
	if err := pg.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	awaitGood(t, p.cell, time.Now())
}

// A server that is alive and slow ends the statement; the connection, which
// could not be replaced at saturation, stays.
func TestDatabaseSlowStatementKeepsTheConnection(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	p := newDatabase(t, pg.URL())
	if _, err := takeDatabase(t, p); err != nil {
		t.Fatal(err)
	}
	before := p.session.conn.PgConn().PID()

	ctx, cancel := context.WithTimeout(t.Context(), pace.Timeout)
	defer cancel()
	_, err := p.failedLogins(ctx, `select now() as at, 'u' as "user", '10.0.0.1' as ip from pg_sleep(30)`, time.Now().Add(-time.Hour), 10)
	if err == nil || !strings.Contains(err.Error(), "a statement took longer than the 500ms it was given") {
		t.Errorf("the error is %v; want that the statement was too slow", err)
	}
	if _, err := takeDatabase(t, p); err != nil {
		t.Error(err)
	}
	if after := p.session.conn.PgConn().PID(); after != before {
		t.Errorf("the connection was replaced: backend %d, then %d", before, after)
	}
}

// An attempt that has no time left for another statement ends before it, rather
// than hang up in the middle.
func TestDatabaseKeepsTheConnectionWhenTimeIsShort(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	p := newDatabase(t, pg.URL())
	if _, err := takeDatabase(t, p); err != nil {
		t.Fatal(err)
	}
	before := p.session.conn.PgConn().PID()
	ctx, cancel := context.WithTimeout(t.Context(), pace.Timeout/3)
	defer cancel()
	if _, err := p.take(ctx); err == nil || !strings.Contains(err.Error(), "too little time is left") {
		t.Errorf("the error is %v", err)
	}
	if _, err := takeDatabase(t, p); err != nil || p.session.conn.PgConn().PID() != before {
		t.Errorf("the connection was replaced: backend %d, then %d, %v", before, p.session.conn.PgConn().PID(), err)
	}
}

// Nobody opens a second connection: not the login query beside the readings,
// and not a reconnect beside the session that was hung up on.
func TestDatabaseHasOneConnection(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	admin := newClient(t, pg.AdminURL())
	p := NewDatabase(databaseAt(pg.URL()), NewBoard(1))
	observeSessions(t, pg.AdminURL())
	runProbe(t, p)
	awaitGood(t, p.cell, time.Time{})
	for range 5 {
		if _, err := p.failedLogins(t.Context(), `select now() as at, 'u' as "user", '10.0.0.1' as ip`, time.Now().Add(-time.Hour), 10); err != nil {
			t.Fatal(err)
		}
		before := admin.count("select pid from pg_stat_activity where application_name = 'flightdeck'")
		admin.do(fmt.Sprintf("select pg_terminate_backend(%d)", before))
		await(t, "the end of the session", func() bool {
			return admin.count("select count(*) from pg_stat_activity where pid = $1", before) == 0
		})
		awaitGood(t, p.cell, time.Now())

		// Hang up in the middle of a statement that the server has not ended.
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error, 1)
		go func() {
			_, err := p.failedLogins(ctx, `select now() as at, 'u' as "user", '10.0.0.1' as ip from pg_sleep(0.4)`, time.Now().Add(-time.Hour), 10)
			gone <- err
		}()
		await(t, "the statement", func() bool {
			return admin.count("select count(*) from pg_stat_activity where query like '%pg_sleep(0.4)%' and application_name = 'flightdeck' and state = 'active'") == 1
		})
		cancel()
		if err := <-gone; err == nil {
			t.Error("the statement ended by itself")
		}
		awaitGood(t, p.cell, time.Now())
	}
}

// shyPooler stands before a real server and lets through the settings at the
// start of a connection that PgBouncer does. The others it refuses, in
// PgBouncer's words, or drops. There is no other server that can be made to.
func shyPooler(t *testing.T, server string, drops bool) (addr string) {
	t.Helper()
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
				client := pgproto3.NewBackend(conn, conn)
				message, err := client.ReceiveStartupMessage()
				if err != nil {
					return
				}
				start, ok := message.(*pgproto3.StartupMessage)
				if !ok {
					return // a cancel request
				}
				for name := range start.Parameters {
					switch name {
					case "user", "database", "client_encoding", "datestyle", "timezone", "standard_conforming_strings", "application_name":
					default:
						if drops {
							delete(start.Parameters, name)
							continue
						}
						client.Send(&pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "unsupported startup parameter: " + name})
						_ = client.Flush()
						return
					}
				}
				upstream, err := net.Dial("tcp", server)
				if err != nil {
					return
				}
				defer func() { _ = upstream.Close() }()
				opening, err := start.Encode(nil)
				if err != nil {
					return
				}
				if _, err := upstream.Write(opening); err != nil {
					return
				}
				go func() { _, _ = io.Copy(upstream, conn); _ = upstream.Close() }()
				_, _ = io.Copy(conn, upstream)
			}()
		}
	}()
	return listener.Addr().String()
}

func TestDatabaseBehindAPooler(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: "create table t (x int)"})
	for name, drops := range map[string]bool{"refuses": false, "drops": true} {
		t.Run(name, func(t *testing.T) {
			p := newDatabase(t, strings.Replace(pg.AdminURL(), pg.Addr, shyPooler(t, pg.Addr, drops), 1))
			if _, err := takeDatabase(t, p); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var limit, readOnly string
			err := p.session.read(ctx, func(q query) error {
				return q.row("select current_setting('statement_timeout'), current_setting('transaction_read_only')", nil, &limit, &readOnly)
			})
			if err != nil || limit != "500ms" || readOnly != "on" {
				t.Errorf("in a transaction: statement_timeout %q, read only %q, %v", limit, readOnly, err)
			}
			// Nothing is left behind on a connection that the application gets next.
			err = p.session.conn.QueryRow(ctx, "select current_setting('statement_timeout'), current_setting('default_transaction_read_only')").Scan(&limit, &readOnly)
			if err != nil || limit != "0" || readOnly != "off" {
				t.Errorf("outside of one: statement_timeout %q, read only %q, %v", limit, readOnly, err)
			}
		})
	}
}

func TestDatabaseSettings(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	p := newDatabase(t, pg.URL())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for setting, want := range map[string]string{
		"application_name":                    "flightdeck",
		"statement_timeout":                   "500ms",
		"lock_timeout":                        "250ms",
		"idle_in_transaction_session_timeout": "3s",
		"default_transaction_read_only":       "on",
		"transaction_read_only":               "on",
	} {
		var got string
		if err := p.session.read(ctx, func(q query) error { return q.row("select current_setting($1)", []any{setting}, &got) }); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", setting, got, err, want)
		}
	}
}
