//go:build unix

package probes

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
)

const auditTable = `
create table audit_logs (
  id bigserial primary key,
  user_id uuid,
  event_type text not null,
  timestamp timestamp not null,
  ip_address inet
);`

const auditQuery = `
select timestamp as at, user_id as "user", ip_address as ip
from audit_logs where event_type = 'login_failed' and timestamp > $1 -- newest window`

func TestFailedLoginsOfTheAuditTable(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: auditTable + `
		insert into audit_logs (user_id, event_type, timestamp, ip_address) values
		('00000000-0000-0000-0000-000000000017', 'login_failed', (now() at time zone 'utc') - interval '1 minute', '10.4.8.15'),
		('00000000-0000-0000-0000-000000000017', 'login_failed', (now() at time zone 'utc') - interval '2 minutes', '::ffff:10.4.8.15'),
		(null, 'login_failed', (now() at time zone 'utc') - interval '3 minutes', null),
		('00000000-0000-0000-0000-000000000042', 'login_failed', (now() at time zone 'utc') - interval '2 hours', '10.4.8.77'),
		('00000000-0000-0000-0000-000000000042', 'login_ok', (now() at time zone 'utc'), '10.4.8.77');
		grant select on audit_logs to flightdeck;
		alter database shop set timezone = 'Asia/Tokyo'`})
	p := newDatabase(t, pg.URL())
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	since := time.Now().Add(-time.Hour)
	rows, err := p.failedLogins(ctx, auditQuery, since, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows: %v; want 3", len(rows), rows)
	}
	for i, want := range []failedLogin{
		{user: "00000000-0000-0000-0000-000000000017", address: "10.4.8.15"},
		{user: "00000000-0000-0000-0000-000000000017", address: "10.4.8.15"},
		{},
	} {
		got := rows[i]
		if got.user != want.user || got.address != want.address {
			t.Errorf("row %d is %+v; want %+v", i, got, want)
		}
		if age := time.Since(got.at); age < time.Duration(i+1)*time.Minute || age > time.Duration(i+1)*time.Minute+patience {
			t.Errorf("row %d is %v old; want %d min, newest first", i, age, i+1)
		}
	}
	if rows, err := p.failedLogins(ctx, auditQuery, since, 2); err != nil || len(rows) != 2 {
		t.Errorf("%d rows, %v; want 2", len(rows), err)
	}
}

// What a login query must not do, it cannot: one statement, a SELECT, read only.
func TestFailedLoginsQueryCannotWrite(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: auditTable + "create table victim (x int)"})
	admin := newClient(t, pg.AdminURL())
	p := newDatabase(t, pg.AdminURL()) // the superuser: nothing but the probe holds it back
	row := `select now() as at, 'u' as "user", '10.0.0.1' as ip`
	for _, sql := range []string{
		"commit; begin read write; insert into victim values (1)",
		row + ") q; commit; begin read write; insert into victim values (1); --",
		row + ") q; insert into victim values (1); select (1",
		"insert into victim values (1) returning now() as at, 'u' as \"user\", '10.0.0.1' as ip",
		"with w as (insert into victim values (1) returning 1) " + row,
		row + " where setval('audit_logs_id_seq', 99) > 0",
		row + " into victim2",
		"set default_transaction_read_only = off",
		"drop table victim",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), pace.Timeout)
		if rows, err := p.failedLogins(ctx, sql, time.Now().Add(-time.Hour), 10); err == nil {
			t.Errorf("%s: was run, and gave %v", sql, rows)
		}
		cancel()
	}
	if n := admin.count("select count(*) from victim"); n != 0 {
		t.Errorf("%d rows were written", n)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pace.Timeout)
	defer cancel()
	if rows, err := p.failedLogins(ctx, row+";\n", time.Now().Add(-time.Hour), 10); err != nil || len(rows) != 1 {
		t.Errorf("after that, a plain query gives %v, %v", rows, err)
	}
}

func TestFailedLoginsQueryErrors(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop", SQL: auditTable})
	p := newDatabase(t, pg.URL())
	for sql, says := range map[string]string{
		auditQuery:                    "SELECT on what logins.query reads",
		"select now() as at":          `column q.user does not exist`,
		"select * from no_such_table": `relation "no_such_table" does not exist`,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), pace.Timeout)
		_, err := p.failedLogins(ctx, sql, time.Now(), 10)
		cancel()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v; want %q", sql, err, says)
		}
	}
}

func TestPlainAddress(t *testing.T) {
	for in, want := range map[string]string{
		"10.4.8.15":            "10.4.8.15",
		"10.4.8.15/32":         "10.4.8.15",
		"10.4.8.0/24":          "10.4.8.0/24",
		"10.4.8.15:51234":      "10.4.8.15",
		"::ffff:10.4.8.15":     "10.4.8.15",
		"::ffff:10.4.8.15/128": "10.4.8.15",
		"2001:DB8::1":          "2001:db8::1",
		"[2001:db8::1]:443":    "2001:db8::1",
		"unknown":              "unknown",
		"":                     "",
	} {
		if got := plainAddress(in); got != want {
			t.Errorf("plainAddress(%q) is %q; want %q", in, got, want)
		}
	}
}
