package probes

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// totals is one row over pg_stat_activity and the settings that bound it. A
// role without pg_read_all_stats sees no backend_type and no state of others;
// those that have a user and a database are still counted in total.
const totals = `
select current_setting('server_version'),
       current_database(),
       current_setting('max_connections')::int,
       current_setting('superuser_reserved_connections')::int + coalesce(current_setting('reserved_connections', true)::int, 0),
       not pg_has_role('pg_read_all_stats', 'usage'),
       pg_is_in_recovery(),
       case when not pg_is_in_recovery() or pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
            else coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
       end::float8,
       count(*) filter (where coalesce(backend_type = 'client backend', usesysid is not null and datid is not null)),
       count(*) filter (where other and state = 'active'),
       count(*) filter (where other and state in ('idle in transaction', 'idle in transaction (aborted)')),
       count(*) filter (where other and state = 'idle'),
       count(*) filter (where other and state = 'active' and wait_event_type = 'Lock')
from (select *, backend_type = 'client backend' and pid <> pg_backend_pid() as other
      from pg_stat_activity) backends`

// shown is a backend as scanBackend reads it.
const shown = `pid,
       coalesce(usename::text, ''),
       coalesce(application_name, ''),
       coalesce(host(client_addr), ''),
       coalesce(state, ''),
       case when state = 'active' then coalesce(wait_event_type || ': ' || wait_event, '') else '' end,
       coalesce(left(query, 1024), '')`

// notable is the oldest transaction, the longest query, and those that wait for
// a lock, up to 20, with whom they wait for. pg_blocking_pids stops the lock
// manager for a moment, so it is called for those few alone, and not at all
// where nobody waits.
const notable = `
with backends as materialized (
  select * from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()
), notable as (
  (select 'oldest' as why, xact_start as since, * from backends
   where xact_start is not null order by xact_start limit 1)
  union all
  (select 'longest', query_start, * from backends
   where state = 'active' order by query_start limit 1)
  union all
  (select 'waiter', query_start, * from backends
   where state = 'active' and wait_event_type = 'Lock' order by query_start limit 20)
)
select ` + shown + `,
       extract(epoch from clock_timestamp() - since)::float8,
       why,
       case why when 'waiter' then pg_blocking_pids(pid) end
from notable`

// roots is those of the blockers ($1) who wait for no lock themselves.
const roots = `
select ` + shown + `,
       coalesce(extract(epoch from clock_timestamp() - coalesce(xact_start, query_start)), 0)::float8
from pg_stat_activity
where pid = any($1) and wait_event_type is distinct from 'Lock'
order by coalesce(xact_start, query_start) limit 20`

const waits = `
select wait_event_type || ': ' || wait_event, count(*)
from pg_stat_activity
where state = 'active' and wait_event is not null
  and backend_type = 'client backend' and pid <> pg_backend_pid()
group by 1 order by 2 desc, 1 limit 10`

// replicas works on a standby too, which may feed others.
const replicas = `
select coalesce(nullif(application_name, ''), host(client_addr), pid::text),
       coalesce(state, ''),
       coalesce(extract(epoch from replay_lag), 0)::float8,
       coalesce(pg_wal_lsn_diff(
         case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
         replay_lsn), 0)::int8
from pg_stat_replication
order by 4 desc, 1 limit 20`

// readActivity fills d with what every reading has. All of it sees the same
// moment: within a transaction pg_stat_activity is read once.
func readActivity(q query, d *Database) error {
	var lag float64
	err := q.row(totals, nil, &d.Version, &d.Name, &d.Max, &d.Reserved, &d.Partial, &d.InRecovery, &lag,
		&d.Total, &d.Active, &d.IdleInTx, &d.Idle, &d.Waiting)
	if err != nil {
		return err
	}
	d.Version, _, _ = strings.Cut(d.Version, " ") // "15.14 (Debian 15.14-0+deb12u1)"
	d.Lag = seconds(lag)
	if err := q.each(notable, nil, d.addNotable); err != nil {
		return err
	}
	if err := readRoots(q, d); err != nil {
		return err
	}
	err = q.each(waits, nil, func(rows pgx.Rows) error {
		var w Wait
		err := rows.Scan(&w.Event, &w.Count)
		d.Waits = append(d.Waits, w)
		return err
	})
	if err != nil {
		return err
	}
	return q.each(replicas, nil, func(rows pgx.Rows) error {
		var r Replica
		var lag float64
		err := rows.Scan(&r.Name, &r.State, &lag, &r.Bytes)
		r.Lag = seconds(lag)
		d.Replicas = append(d.Replicas, r)
		return err
	})
}

// addNotable puts a row of notable where it belongs.
func (d *Database) addNotable(rows pgx.Rows) error {
	var why string
	var blockers []int
	b, err := scanBackend(rows, &why, &blockers)
	if err != nil {
		return err
	}
	switch why {
	case "oldest":
		d.OldestTx = &b
	case "longest":
		d.Longest = &b
	case "waiter":
		// A parallel worker's lock is its leader's: the leader is named once for each.
		slices.Sort(blockers)
		d.Blocked = append(d.Blocked, Block{Waiter: b, Blockers: slices.Compact(blockers)})
	}
	return nil
}

func readRoots(q query, d *Database) error {
	var blockers []int
	for _, block := range d.Blocked {
		blockers = append(blockers, block.Blockers...)
	}
	if len(blockers) == 0 {
		return nil
	}
	return q.each(roots, []any{blockers}, func(rows pgx.Rows) error {
		b, err := scanBackend(rows)
		d.Roots = append(d.Roots, b)
		return err
	})
}

// scanBackend reads the columns of shown, an age, and what follows them.
func scanBackend(rows pgx.Rows, more ...any) (Backend, error) {
	var b Backend
	var age float64
	into := []any{&b.PID, &b.User, &b.Application, &b.Client, &b.State, &b.Wait, &b.Query, &age}
	err := rows.Scan(append(into, more...)...)
	b.Age = seconds(age)
	b.Query = firstBytes(b.Query, 1024)
	return b, err
}

// seconds is a duration that the server counted; clocks that disagree make none
// negative.
func seconds(s float64) time.Duration {
	return max(0, time.Duration(s*float64(time.Second)))
}

// firstBytes is at most n bytes of s, cut between characters.
func firstBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
