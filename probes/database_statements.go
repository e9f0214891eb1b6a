package probes

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// topStatements keeps the top of pg_stat_statements, which can hold thousands
// of entries and whose texts lie in a file that the server reads whole. It is
// asked seldom, and for texts only when a new statement enters the top.
type topStatements struct {
	wait  int // readings until the next look
	top   []Statement
	err   error
	texts map[int64]string // by queryid, of the last top
}

// ranked is a statement before its text is known.
type ranked struct {
	id    int64
	calls int64
	total float64 // milliseconds
}

// refresh looks again when it is time to.
func (t *topStatements) refresh(ctx context.Context, s *session) {
	if t.wait--; t.wait > 0 {
		return
	}
	t.wait = statementsEvery
	if err := s.read(ctx, t.read); err != nil {
		t.top, t.err = nil, err
	}
}

// read takes a look. That there is nothing to look at is no error of the
// connection's.
func (t *topStatements) read(q query) error {
	view, column, err := findStatements(q)
	if errors.Is(err, pgx.ErrNoRows) {
		t.top, t.err = nil, errors.New("pg_stat_statements is not installed in this database; "+
			"add it to shared_preload_libraries, restart, and CREATE EXTENSION pg_stat_statements")
		return nil
	}
	if err != nil {
		return err
	}
	// showtext => false: the figures are in shared memory, the texts are not.
	// Twice as many as are shown, since our own are left out.
	var top []ranked
	err = q.each(`
		select queryid, sum(calls)::int8, sum(`+column+`)::float8
		from `+view+`(false)
		where queryid is not null
		  and dbid = (select oid from pg_database where datname = current_database())
		group by queryid order by 3 desc limit 40`, nil, func(rows pgx.Rows) error {
		var r ranked
		err := rows.Scan(&r.id, &r.calls, &r.total)
		top = append(top, r)
		return err
	})
	if err == nil {
		err = t.learn(q, view, top)
	}
	if why := unreadable(err); why != nil {
		t.top, t.err = nil, why
		return nil //nolint:nilerr // the reading says it, and the connection is well
	}
	if err != nil {
		return err
	}
	t.top, t.err = nil, nil
	for _, r := range top {
		text := t.texts[r.id]
		if strings.HasPrefix(text, mark) || len(t.top) == 20 {
			continue
		}
		total := time.Duration(r.total * float64(time.Millisecond))
		t.top = append(t.top, Statement{Query: text, Calls: r.calls, Total: total, Mean: total / time.Duration(max(r.calls, 1))})
	}
	return nil
}

// learn reads the texts of statements that are new to the top and forgets those
// that left it.
func (t *topStatements) learn(q query, view string, top []ranked) error {
	texts := make(map[int64]string, len(top))
	var unknown []int64
	for _, r := range top {
		if text, ok := t.texts[r.id]; ok {
			texts[r.id] = text
		} else {
			unknown = append(unknown, r.id)
		}
	}
	t.texts = texts
	if len(unknown) == 0 {
		return nil
	}
	return q.each("select distinct on (queryid) queryid, coalesce(left(query, 1024), '') from "+view+"(true) where queryid = any($1)",
		[]any{unknown}, func(rows pgx.Rows) error {
			var id int64
			var text string
			err := rows.Scan(&id, &text)
			texts[id] = firstBytes(text, 1024)
			return err
		})
}

// findStatements is the function behind the extension's view and its column of
// the total time, which extension 1.8 (PostgreSQL 13) renamed.
func findStatements(q query) (function, column string, err error) {
	var schema string
	err = q.row(`
		select n.nspname,
		       case when string_to_array(x.extversion, '.')::int[] >= '{1,8}' then 'total_exec_time' else 'total_time' end
		from pg_extension x join pg_namespace n on n.oid = x.extnamespace
		where x.extname = 'pg_stat_statements'`, nil, &schema, &column)
	if err != nil {
		return "", "", err
	}
	return pgx.Identifier{schema, "pg_stat_statements"}.Sanitize(), column, nil
}

// unreadable says why an installed pg_stat_statements tells nothing; nil where
// that is not what err is about.
func unreadable(err error) error {
	var refusal *pgconn.PgError
	if errors.As(err, &refusal) {
		switch refusal.Code {
		case stateNotLoaded:
			return fmt.Errorf("pg_stat_statements is installed and not loaded; add it to shared_preload_libraries and restart (%w)", refusal)
		case stateNoPrivilege:
			return fmt.Errorf("pg_stat_statements is not readable; grant pg_read_all_stats (%w)", refusal)
		}
	}
	return nil
}
