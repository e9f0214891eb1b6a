package probes

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// errNoTime ends an attempt before a statement that may outlast it: hanging up
// in the middle would cost the connection.
var errNoTime = errors.New("too little time is left for another statement")

// mark begins each statement of ours, so that those who see it in
// pg_stat_activity or in the server's log know whose it is.
const mark = "/* flightdeck */ "

// query runs statements, one at a time, in a read-only transaction that is
// rolled back in any case.
type query struct {
	ctx   context.Context
	tx    pgx.Tx
	limit time.Duration // how long the server lets one statement take
}

// row scans the one row of a statement.
func (q query) row(sql string, args []any, into ...any) error {
	if err := q.hasTime(); err != nil {
		return err
	}
	return q.tx.QueryRow(q.ctx, mark+sql, args...).Scan(into...)
}

// each calls f for each row of a statement, which bounds how many there are.
func (q query) each(sql string, args []any, f func(pgx.Rows) error) error {
	if err := q.hasTime(); err != nil {
		return err
	}
	rows, err := q.tx.Query(q.ctx, mark+sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := f(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// hasTime is an error where the server would not end a statement before the
// attempt ends.
func (q query) hasTime() error {
	deadline, ok := q.ctx.Deadline()
	if ok && time.Until(deadline) < q.limit*5/4 { // a quarter for the way there and back
		return errNoTime
	}
	return nil
}

// settle applies settings to this transaction alone.
func (q query) settle(settings map[string]string) error {
	var calls []string
	var args []any
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		n := len(args)
		calls = append(calls, "set_config($"+strconv.Itoa(n+1)+", $"+strconv.Itoa(n+2)+", true)")
		args = append(args, name, settings[name])
	}
	return q.each("select "+strings.Join(calls, ", "), args, func(pgx.Rows) error { return nil })
}
