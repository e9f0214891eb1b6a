package incidents

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// Prunable returns those of some incidents that a policy lets go of, oldest
// first: the ones in which nothing has happened since a time, and that are
// resolved unless keepOpen is false. The newest incident is always kept, so that
// its number is not given again.
func Prunable(all []Incident, since time.Time, keepOpen bool) []Incident {
	newest := 0
	for _, i := range all {
		newest = max(newest, number(i.ID))
	}
	var old []Incident
	for _, i := range all {
		if i.Last.Before(since) && number(i.ID) != newest && (!keepOpen || !i.Open()) {
			old = append(old, i)
		}
	}
	slices.SortFunc(old, func(a, b Incident) int { return number(a.ID) - number(b.ID) })
	return old
}

// stubs sums up what is left of events that were removed.
type stubs struct {
	sum   hash.Hash
	count int
	first int64
}

func newStubs() *stubs { return &stubs{sum: sha256.New()} }

// add takes the next one; they come in the order of their numbers.
func (s *stubs) add(r sealed) {
	if s.count == 0 {
		s.first = r.seq
	}
	s.count++
	_ = binary.Write(s.sum, binary.BigEndian, []int64{r.seq, r.at}) // a hash takes everything
	s.sum.Write(r.prev[:])
	s.sum.Write(r.sum[:])
}

// fact says that they were removed.
func (s *stubs) fact(incidents []string) Pruned {
	return Pruned{Incidents: incidents, Events: s.count, Digest: Hash(s.sum.Sum(nil))}
}

// bears tells whether a fact is of these.
func (s *stubs) bears(f Pruned) bool { return s.count == f.Events && Hash(s.sum.Sum(nil)) == f.Digest }

// errNothing says that there is nothing of some incidents.
func errNothing(incidents []string) error {
	return fmt.Errorf("the journal has no events of %s", strings.Join(incidents, ", "))
}

// Prune removes the content of incidents, and records that. It returns ErrMoved
// unless the journal's last event is head: what was decided on an older state is
// decided again.
func (j *SQLite) Prune(ctx context.Context, head int64, actor Actor, incidents []string) (Event, error) {
	if err := j.take(ctx); err != nil {
		return Event{}, j.failed(ctx, "prune", err)
	}
	defer j.give()
	row, err := j.prune(ctx, head, actor, incidents)
	if errors.Is(err, ErrMoved) {
		return Event{}, err
	}
	if err != nil {
		return Event{}, j.failed(ctx, "prune", err)
	}
	j.heads.append(Head{row.seq, row.sum})
	j.watchers.notify()
	// What was removed is still in free pages and in the log. Where somebody
	// reads at this moment that stays so until the next time.
	_, _ = j.write.ExecContext(ctx, `VACUUM`)
	_, _ = j.write.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return row.event(), nil
}

func (j *SQLite) prune(ctx context.Context, head int64, actor Actor, incidents []string) (sealed, error) {
	var left []sealed
	for _, id := range incidents {
		for row, err := range j.rows(ctx, columns+`WHERE incident = ? AND seq <= ?`, id, head) {
			if err != nil {
				return sealed{}, err
			}
			left = append(left, row)
		}
	}
	tx, err := j.write.BeginTx(ctx, nil)
	if err != nil {
		return sealed{}, err
	}
	defer func() { _ = tx.Rollback() }()
	last, err := j.lastRow(ctx, tx)
	if err != nil {
		return sealed{}, err
	}
	row, err := prunedRow(last, head, left, actor, incidents)
	if err != nil {
		return sealed{}, err
	}
	if _, err := tx.ExecContext(ctx, `DROP TRIGGER events_are_not_removed`); err != nil {
		return sealed{}, err
	}
	for _, id := range incidents {
		if _, err := tx.ExecContext(ctx, `INSERT INTO pruned SELECT seq, at, prev, hash, ? FROM events WHERE incident = ?`, row.seq, id); err != nil {
			return sealed{}, err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM events WHERE incident = ?`, id); err != nil {
			return sealed{}, err
		}
	}
	if _, err := tx.ExecContext(ctx, notRemoved); err != nil {
		return sealed{}, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, row.seq, row.incident, row.at, row.actor.Name, row.actor.Host,
		row.kind, row.body, row.prev[:], row.sum[:]); err != nil {
		return sealed{}, err
	}
	return row, tx.Commit()
}

// prunedRow is the event that seals what is left of others.
func prunedRow(last sealed, head int64, left []sealed, actor Actor, incidents []string) (sealed, error) {
	if last.seq != head {
		return sealed{}, ErrMoved
	}
	if len(left) == 0 {
		return sealed{}, errNothing(incidents)
	}
	slices.SortFunc(left, func(a, b sealed) int { return int(a.seq - b.seq) })
	s := newStubs()
	for _, row := range left {
		s.add(row)
	}
	r, err := seal(last, time.Now(), "", actor, s.fact(incidents))
	return sealed{record: r, sum: r.hash()}, err
}

// Prune removes the content of incidents, and records that. It returns ErrMoved
// unless the journal's last event is head. The role that the cockpit logs in
// with has to own the tables.
func (p *Postgres) Prune(ctx context.Context, head int64, actor Actor, incidents []string) (Event, error) {
	row, err := p.log.prune(ctx, head, actor, incidents)
	if err != nil {
		return Event{}, p.failed(ctx, "prune", err)
	}
	p.heads.append(Head{row.seq, row.sum})
	p.watchers.notify()
	return row.event(), nil
}

func (l *eventLog) prune(ctx context.Context, head int64, actor Actor, incidents []string) (sealed, error) {
	var row sealed
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		last, err := lockHead(ctx, tx)
		if err != nil {
			return err
		}
		rows, err := tx.Query(ctx, logColumns+`FROM flightdeck.events WHERE incident = ANY ($1)`, incidents)
		if err != nil {
			return err
		}
		left, err := pgx.CollectRows(rows, scanSealed)
		if err != nil {
			return err
		}
		if row, err = prunedRow(last, head, left, actor, incidents); err != nil {
			return err
		}
		for _, statement := range []struct {
			sql  string
			args []any
		}{
			{`ALTER TABLE flightdeck.events DISABLE TRIGGER append_only`, nil},
			{`INSERT INTO flightdeck.pruned SELECT seq, at, prev, hash, $2 FROM flightdeck.events WHERE incident = ANY ($1)`, []any{incidents, row.seq}},
			{`DELETE FROM flightdeck.events WHERE incident = ANY ($1)`, []any{incidents}},
			{`ALTER TABLE flightdeck.events ENABLE TRIGGER append_only`, nil},
		} {
			if _, err := tx.Exec(ctx, statement.sql, statement.args...); err != nil {
				return err
			}
		}
		return insertSealed(ctx, tx, fmt.Sprint("pruned at ", row.seq), row)
	})
	return row, err
}
