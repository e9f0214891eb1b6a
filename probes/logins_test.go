//go:build unix

package probes

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

func loginsConfig() config.Logins {
	cfg := config.Default().Logins
	cfg.Pace = pace
	cfg.Metric = ""
	cfg.Query = ""
	return cfg
}

func takeLogins(t *testing.T, p *LoginsProbe) Logins {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	l, err := p.take(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// tallyLines is the reading of the log lines alone at a moment.
func tallyLines(t *testing.T, p *LoginsProbe, now time.Time) Logins {
	t.Helper()
	none := notConfigured("nothing")
	l, err := p.combine(now, attempts{name: "audit", err: none}, p.readLogs(now), LoginSource{Name: "metric", Err: none})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// logFailure writes a line as the application does when a login fails.
func logFailure(tail *Tail, at time.Time, user, address string) {
	tail.append(Line{At: at, Pod: "erpgo-api-1", Raw: fmt.Sprintf(`level=WARN msg="authentication failed" username=%s ip=%s`, user, address)})
}

func TestLoginsFromLogLines(t *testing.T) {
	board := NewBoard(1000)
	p := NewLogins(loginsConfig(), board, nil, nil)
	now := time.Now()
	logFailure(board.Logs, now.Add(-16*time.Minute), "early", "10.0.0.9") // out of the window
	for i := range 60 {
		logFailure(board.Logs, now.Add(-time.Duration(60-i)*4*time.Second), "user0017", "::ffff:10.4.8.15")
		board.Logs.append(Line{At: now, Raw: `level=INFO msg="login ok" username=user42 ip=10.4.8.77`})
	}
	board.Logs.append(Line{At: now.Add(-time.Second), Raw: `{"msg":"failed login","user":"` + strings.Repeat("x", 5000) + `","ip":"10.4.8.99"}`})
	logFailure(board.Logs, now.Add(-5*time.Minute), "user42", "10.4.8.77") // another pod's stream is behind

	l := tallyLines(t, p, now)
	if l.Tallied != "logs" || l.Total != 61 || l.Addresses != 2 || l.Users != 2 || l.Approximate {
		t.Errorf("%+v", l)
	}
	if l.ByAddress[0].Name != "10.4.8.15" || l.ByAddress[0].Count != 60 || l.ByUser[0].Name != "user0017" {
		t.Errorf("by address %v, by user %v", l.ByAddress, l.ByUser)
	}
	if l.PerMinute < 14 || l.PerMinute > 15 {
		t.Errorf("%v a minute; want one every 4 s", l.PerMinute)
	}
	if l.Pattern != BruteForce || l.Why != "1 user took 98 % of 61 attempts, from 2 addresses" {
		t.Errorf("%s: %s", l.Pattern, l.Why)
	}
	again := tallyLines(t, p, now)
	if again.Total != l.Total {
		t.Errorf("the same lines were counted again: %d, then %d", l.Total, again.Total)
	}
}

// The audit table, the log and the metric see the same attempts: they are
// counted once.
func TestLoginsAreCountedOnce(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: auditTable + `
		insert into audit_logs (user_id, event_type, timestamp, ip_address)
		select '00000000-0000-0000-0000-000000000017', 'login_failed', (now() at time zone 'utc') - n * interval '1 second', '10.4.8.15'
		from generate_series(1, 20) n;
		grant select on audit_logs to flightdeck`})
	cfg := loginsConfig()
	cfg.Query = config.Default().Logins.Query
	cfg.Metric = "vector(21)"
	board := NewBoard(1000)
	now := time.Now()
	for i := range 20 {
		logFailure(board.Logs, now.Add(-time.Duration(i)*time.Second), "user0017", "10.4.8.15")
	}
	database := newDatabase(t, pg.URL())
	p := NewLogins(cfg, board, database, NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL())))

	l := takeLogins(t, p)
	if l.Total != 20 || l.Tallied != "audit" || l.ByUser[0].Name != "00000000-0000-0000-0000-000000000017" || l.PerMinute != 21 {
		t.Errorf("total %d from %s, by user %v, %v a minute; want the audit table's 20 and the metric's 21", l.Total, l.Tallied, l.ByUser, l.PerMinute)
	}
	for i, want := range []LoginSource{{Name: "audit", Total: 20, PerMinute: 20}, {Name: "logs", Total: 20, PerMinute: 20}, {Name: "metric", PerMinute: 21}} {
		got := l.Sources[i]
		if got.Name != want.Name || got.Total != want.Total || got.PerMinute != want.PerMinute || got.Err != nil || got.TakenAt.IsZero() {
			t.Errorf("source %d is %+v; want %+v", i, got, want)
		}
	}

	// The table cannot be read any more: the log stands in, and it is said.
	newClient(t, pg.AdminURL()).do("revoke select on audit_logs from flightdeck")
	p.audit.until = time.Time{}
	l = takeLogins(t, p)
	if l.Tallied != "logs" || l.Total != 20 || l.ByUser[0].Name != "user0017" {
		t.Errorf("total %d from %s; want the log's 20", l.Total, l.Tallied)
	}
	if s := l.Sources[0]; s.Err == nil || !strings.Contains(s.Err.Error(), "not permitted") || !s.TakenAt.Before(now.Add(patience)) || s.TakenAt.IsZero() {
		t.Errorf("the audit table says %+v", s)
	}
}

// An empty audit table does not hide what the log shows.
func TestLoginsFallBackOnAnEmptyAuditTable(t *testing.T) {
	p := NewLogins(loginsConfig(), NewBoard(1), nil, nil)
	now := time.Now()
	logs := attempts{name: "logs", all: attemptsAt(now, 1, 2)}
	l, err := p.combine(now, attempts{name: "audit"}, logs, LoginSource{})
	if err != nil || l.Tallied != "logs" || l.Total != 2 {
		t.Errorf("%d from %s, %v; want the log's 2", l.Total, l.Tallied, err)
	}
	l, err = p.combine(now, attempts{name: "audit"}, attempts{name: "logs"}, LoginSource{})
	if err != nil || l.Tallied != "audit" {
		t.Errorf("from %s, %v; both are empty: want audit", l.Tallied, err)
	}
}

func TestLoginsWithoutSources(t *testing.T) {
	cfg := loginsConfig()
	cfg.Pattern = ""
	p := NewLogins(cfg, NewBoard(1), nil, nil)
	runProbe(t, p)
	r := awaitReading(t, p.cell, "a reading", func(r Reading[Logins]) bool { return r.Err != nil })
	if !errors.Is(r.Err, ErrNotConfigured) || !strings.Contains(r.Err.Error(), "logins.pattern") {
		t.Errorf("the reading says %v", r.Err)
	}

	// Asked for, and nowhere to ask.
	cfg = loginsConfig()
	cfg.Pattern, cfg.Query, cfg.Metric = "", "select $1", "up"
	p = NewLogins(cfg, NewBoard(1), NewDatabase(config.Database{}, NewBoard(1)), nil)
	if _, err := p.take(t.Context()); !errors.Is(err, ErrNotConfigured) {
		t.Errorf("the reading says %v; want that nothing is configured", err)
	}
	// One that fails says more than one that was never set up.
	p = NewLogins(cfg, NewBoard(1), NewDatabase(config.Database{}, NewBoard(1)), NewProm(promAt("http://127.0.0.1:1")))
	if _, err := p.take(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the reading says %v; want that the connection was refused", err)
	}
}

func TestLoginsMetricAlone(t *testing.T) {
	prom := NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL()))
	cfg := loginsConfig()
	cfg.Pattern, cfg.Metric = "", "vector(12)"
	l := takeLogins(t, NewLogins(cfg, NewBoard(1), nil, prom))
	if l.PerMinute != 12 || l.Tallied != "" || l.Pattern != NoPattern || l.Threshold != 10 {
		t.Errorf("%+v", l)
	}
	cfg.Metric = "no_such_series"
	_, err := NewLogins(cfg, NewBoard(1), nil, prom).take(t.Context())
	if err == nil || !strings.Contains(err.Error(), "no value") {
		t.Errorf("without a series: %v", err)
	}
}

// A source that hangs takes its own share of the time and nobody else's answer.
func TestLoginsSurviveASourceThatHangs(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	proxy := testenv.NewProxy(t, pg.Addr)
	if err := proxy.Set(faultproxy.Hang); err != nil {
		t.Fatal(err)
	}
	cfg := loginsConfig()
	cfg.Query = config.Default().Logins.Query
	board := NewBoard(100)
	logFailure(board.Logs, time.Now(), "user42", "10.4.8.77")
	p := NewLogins(cfg, board, newDatabase(t, strings.Replace(pg.URL(), pg.Addr, proxy.Addr, 1)), nil)
	runProbe(t, p)
	r := awaitGood(t, p.cell, time.Time{})
	if r.Value.Tallied != "logs" || r.Value.Total != 1 || r.Value.Sources[0].Err == nil {
		t.Errorf("%+v", r.Value)
	}
}

// A slow audit query is left alone for twenty times as long as it took.
func TestLoginsRestTheAuditTable(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: auditTable + "grant select on audit_logs to flightdeck"})
	admin := newClient(t, pg.AdminURL())
	admin.do("select pg_stat_statements_reset()")
	cfg := loginsConfig()
	cfg.Query = `select now() as at, 'u' as "user", '10.0.0.1' as ip, pg_sleep(0.2) where now() > $1`
	p := NewLogins(cfg, NewBoard(1), newDatabase(t, pg.URL()), nil)
	takeLogins(t, p)
	if rest := p.audit.until.Sub(p.audit.at); rest < 4*time.Second {
		t.Errorf("it rests for %v; want 20 × 0.2 s and more", rest)
	}
	p.audit.until = time.Now().Add(patience)
	for range 2 {
		if l := takeLogins(t, p); l.Total != 1 || l.Sources[0].TakenAt.IsZero() {
			t.Errorf("while it rests: %+v", l)
		}
	}
	if n := admin.count("select sum(calls)::int from pg_stat_statements where query like '%pg_sleep%'"); n != 1 {
		t.Errorf("asked %d times; want once", n)
	}
}

// Whatever a botnet types, memory stays bounded, and the reading says that it is
// not the whole.
func TestLoginsUnderABotnet(t *testing.T) {
	board := NewBoard(2000)
	p := NewLogins(loginsConfig(), board, nil, nil)
	now := time.Now()
	const attempts = 3 * loginsKept
	long := strings.Repeat("x", 200)
	for i := range attempts {
		logFailure(board.Logs, now.Add(-time.Minute+time.Duration(i)*time.Minute/attempts), fmt.Sprint("user", i, long), fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255))
		if i%1000 == 0 {
			p.mu.Lock()
			p.drain()
			p.mu.Unlock()
		}
	}
	l := tallyLines(t, p, now)
	if !l.Approximate || l.Total != loginsKept || l.Users != loginsKept || l.Addresses != loginsKept || len(l.ByUser) != 50 {
		t.Errorf("total %d, %d users, %d addresses, approximate %v", l.Total, l.Users, l.Addresses, l.Approximate)
	}
	if l.Pattern != Distributed {
		t.Errorf("%s: %s", l.Pattern, l.Why)
	}
	if l.PerMinute < 0.9*attempts || l.PerMinute > 1.1*attempts {
		t.Errorf("%v a minute; want about %d", l.PerMinute, attempts)
	}
	if !l.Sources[1].Since.After(now.Add(-25 * time.Second)) {
		t.Errorf("what is kept begins at %v before the end", now.Sub(l.Sources[1].Since))
	}
	if len(l.ByUser[0].Name) > nameKept {
		t.Errorf("a name of %d bytes is kept", len(l.ByUser[0].Name))
	}
	board.Logs = nil
	p.tail = nil
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p.logs = loginLines{}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if held := int64(before.HeapAlloc) - int64(after.HeapAlloc); held > 8<<20 {
		t.Errorf("the probe held %d MiB", held>>20)
	}
}

func TestLoginsSayThatLinesWereLost(t *testing.T) {
	board := NewBoard(10)
	p := NewLogins(loginsConfig(), board, nil, nil)
	logFailure(board.Logs, time.Now(), "u", "10.0.0.1")
	if l := takeLogins(t, p); l.Approximate {
		t.Error("nothing was lost yet")
	}
	for range 20 {
		logFailure(board.Logs, time.Now(), "u", "10.0.0.1")
	}
	if l := takeLogins(t, p); !l.Approximate || l.Total != 11 {
		t.Errorf("total %d, approximate %v; want 11 of 21, and that it is said", l.Total, l.Approximate)
	}
}

func BenchmarkLoginLine(b *testing.B) {
	p := NewLogins(loginsConfig(), NewBoard(1), nil, nil)
	for name, raw := range map[string]string{
		"match":    `{"time":"2026-11-24T18:00:00Z","level":"warn","msg":"authentication failed","username":"user0017","ip":"10.4.8.15","request_id":"5f0c1c55"}`,
		"no match": `{"time":"2026-11-24T18:00:00Z","level":"info","msg":"request","method":"GET","path":"/api/v1/orders","status":200,"duration_ms":12,"user":"user42","ip":"10.4.8.77"}`,
		"hostile":  strings.Repeat("authentication failed user=", 600),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.match(Line{Raw: raw})
			}
		})
	}
}
