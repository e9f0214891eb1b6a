package incidents

import (
	"context"
	"database/sql"
	"errors"
	"time"

	sqlitelib "modernc.org/sqlite/lib"
)

// insertRow adds an event if it follows the last one.
const insertRow = `INSERT INTO events (seq, incident, at, actor, host, kind, body, prev, hash)
	SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
	WHERE ?1 = 1 + (SELECT coalesce(max(seq), 0) FROM events)`

// Append adds a fact.
func (j *SQLite) Append(ctx context.Context, incident string, actor Actor, fact Fact) (Event, error) {
	return j.append(ctx, nil, incident, actor, fact)
}

// AppendIf adds a fact if the last event is head.
func (j *SQLite) AppendIf(ctx context.Context, head int64, incident string, actor Actor, fact Fact) (Event, error) {
	return j.append(ctx, &head, incident, actor, fact)
}

func (j *SQLite) append(ctx context.Context, head *int64, incident string, actor Actor, fact Fact) (Event, error) {
	if err := j.take(ctx); err != nil {
		return Event{}, j.failed(ctx, "write", err)
	}
	defer j.give()
	row, err := j.extend(ctx, head, incident, actor, fact)
	if errors.Is(err, ErrMoved) {
		return Event{}, err
	}
	if err != nil {
		return Event{}, j.failed(ctx, "write", err)
	}
	j.heads.append(Head{row.seq, row.sum})
	j.watchers.notify()
	return row.event(), nil
}

// take waits for one's turn to append.
func (j *SQLite) take(ctx context.Context) error {
	select {
	case j.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *SQLite) give() { <-j.turn }

// extend adds the event that follows the last one that is known here, in one
// statement: a transaction of its own that does nothing if another process was
// faster. Then the last one is looked up, and it is tried again.
func (j *SQLite) extend(ctx context.Context, head *int64, incident string, actor Actor, fact Fact) (sealed, error) {
	for began := time.Now(); ; {
		if head != nil && *head < j.tail.seq {
			return sealed{}, ErrMoved
		}
		r, err := seal(j.tail, time.Now(), incident, actor, fact)
		if err != nil {
			return sealed{}, err
		}
		row, added := sealed{record: r, sum: r.hash()}, int64(0)
		if head == nil || *head == j.tail.seq {
			added, err = j.add(ctx, row, began)
		}
		if err != nil {
			return sealed{}, err
		}
		if added == 1 {
			j.tail = row
			return row, nil
		}
		known := j.tail.seq
		if j.tail, err = j.lastRow(ctx, j.write); err != nil {
			return sealed{}, err
		}
		if head != nil && known == j.tail.seq && *head != known {
			return sealed{}, ErrMoved // it is ahead of what there is
		}
	}
}

// add inserts a row if it follows the last one, and returns how many it has
// inserted. SQLite does not queue writers: each tries again now and then for
// busy_timeout, and among busy ones one may miss every gap. It is given up on
// after patience.
func (j *SQLite) add(ctx context.Context, row sealed, began time.Time) (int64, error) {
	for {
		result, err := j.insert.ExecContext(ctx, row.seq, row.incident, row.at, row.actor.Name, row.actor.Host,
			row.kind, row.body, row.prev[:], row.sum[:])
		if err == nil {
			return result.RowsAffected()
		}
		if !failedWith(err, sqlitelib.SQLITE_BUSY) || ctx.Err() != nil || time.Since(began) >= j.patience {
			return 0, err
		}
	}
}

// querier is a database, or a transaction in it.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// lastRow reads what the next event follows; zero in an empty journal.
func (j *SQLite) lastRow(ctx context.Context, db querier) (sealed, error) {
	var last sealed
	err := db.QueryRowContext(ctx, `SELECT seq, at, hash FROM events ORDER BY seq DESC LIMIT 1`).Scan(&last.seq, &last.at, (*blob)(&last.sum))
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return last, err
}
