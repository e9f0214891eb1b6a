package incidents

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Bounds of what is asked of the server.
const (
	logTimeout     = 5 * time.Second  // for one append, the wait for other bastions included
	logConnections = 3                // of one cockpit, beside the one that listens
	sessionBeat    = 3 * time.Second  // how often a session says that it lives
	sessionDead    = 15 * time.Second // how long it may have been silent
)

// logSchema is what a new journal is made of. The one row of head is locked by
// who appends, so that events follow each other. The trigger keeps an honest
// program from changing what was written; against a dishonest one there is the
// chain.
const logSchema = `
CREATE SCHEMA IF NOT EXISTS flightdeck;
CREATE TABLE IF NOT EXISTS flightdeck.head (
	one     boolean PRIMARY KEY DEFAULT true CHECK (one),
	version integer NOT NULL,
	seq     bigint  NOT NULL,
	at      bigint  NOT NULL,
	hash    bytea   NOT NULL
);
INSERT INTO flightdeck.head (version, seq, at, hash) VALUES (1, 0, 0, decode(repeat('00', 32), 'hex')) ON CONFLICT DO NOTHING;
CREATE TABLE IF NOT EXISTS flightdeck.events (
	seq      bigint PRIMARY KEY,
	id       text   NOT NULL UNIQUE, -- given by who appends, so that one that is sent twice arrives once
	incident text   NOT NULL,
	at       bigint NOT NULL, -- nanoseconds since 1970, UTC
	actor    text   NOT NULL,
	host     text   NOT NULL,
	kind     text   NOT NULL,
	body     bytea  NOT NULL, -- JSON
	prev     bytea  NOT NULL, -- SHA-256 of the event before
	hash     bytea  NOT NULL
);
CREATE INDEX IF NOT EXISTS events_of_incident ON flightdeck.events (incident, seq);
CREATE TABLE IF NOT EXISTS flightdeck.pruned (
	seq  bigint PRIMARY KEY,
	at   bigint NOT NULL,
	prev bytea  NOT NULL,
	hash bytea  NOT NULL,
	seal bigint NOT NULL -- the event that says that it was
);
CREATE TABLE IF NOT EXISTS flightdeck.sessions (
	name text        PRIMARY KEY,
	seen timestamptz NOT NULL
);
CREATE OR REPLACE FUNCTION flightdeck.refuse() RETURNS trigger LANGUAGE plpgsql
	AS $$ BEGIN RAISE EXCEPTION 'the journal is append-only'; END $$;
CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON flightdeck.events
	EXECUTE FUNCTION flightdeck.refuse();
`

// eventLog is the journal's tables in a PostgreSQL server. Whatever it is asked
// fails while the server is away.
type eventLog struct {
	where   string // host:port/database, without anything secret
	config  *pgx.ConnConfig
	pool    *pgxpool.Pool
	session string
}

// openEventLog does not connect yet.
func openEventLog(ctx context.Context, url, session string) (*eventLog, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The parser's own words may hold the password.
		return nil, errors.New("the URL cannot be read; expected postgres://user:password@host:port/database")
	}
	config.MaxConns = logConnections
	config.ConnConfig.ConnectTimeout = logTimeout
	config.ConnConfig.RuntimeParams["application_name"] = "flightdeck"
	config.AfterConnect = prepareConnection
	l := &eventLog{config: config.ConnConfig, session: session}
	l.where = net.JoinHostPort(l.config.Host, strconv.Itoa(int(l.config.Port))) + "/" + l.config.Database
	if l.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, err
	}
	return l, nil
}

// prepareConnection bounds what a session of ours may hold up, and makes a
// commit mean that the event is on disk, whatever the server's default is.
func prepareConnection(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, fmt.Sprintf(`SELECT set_config('statement_timeout', '%[1]d', false), set_config('lock_timeout', '%[1]d', false),
		set_config('idle_in_transaction_session_timeout', '%[1]d', false),
		CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END`,
		logTimeout.Milliseconds()))
	return err
}

// prepare makes the tables, or checks that this program knows those it finds.
func (l *eventLog) prepare(ctx context.Context) error {
	var version int
	err := l.pool.QueryRow(ctx, `SELECT version FROM flightdeck.head`).Scan(&version)
	if failure := (*pgconn.PgError)(nil); errors.As(err, &failure) && (failure.Code == "42P01" || failure.Code == "3F000") {
		err = pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('flightdeck', 0))`); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, logSchema); err != nil {
				return err
			}
			return tx.QueryRow(ctx, `SELECT version FROM flightdeck.head`).Scan(&version)
		})
	}
	if err == nil && version > 1 {
		err = fmt.Errorf("it has version %d and this flightdeck knows 1; use the newer flightdeck that made it", version)
	}
	return err
}

// entry is an event that is to be appended.
type entry struct {
	ID       string `json:"id"`
	Incident string `json:"incident"`
	At       int64  `json:"at"` // when it was made
	Actor    Actor  `json:"actor"`
	Kind     string `json:"kind"`
	Body     []byte `json:"body"`
	tried    bool   // it may be there already
	late     bool   // At is not now
}

// append adds an entry, once however often it is asked to.
func (l *eventLog) append(ctx context.Context, head *int64, e entry) (sealed, error) {
	var row sealed
	err := pgx.BeginFunc(ctx, l.pool, func(tx pgx.Tx) error {
		last, err := lockHead(ctx, tx)
		if err != nil {
			return err
		}
		if e.tried {
			found, err := l.find(ctx, tx, e.ID)
			if err == nil || !errors.Is(err, pgx.ErrNoRows) {
				row = found
				return err
			}
		}
		if head != nil && *head != last.seq {
			return ErrMoved
		}
		body := e.Body
		if e.late {
			body = happened(body, moment(e.At))
		}
		r := follow(last, time.Now(), e.Incident, e.Actor, e.Kind, body)
		row = sealed{record: r, sum: r.hash()}
		return insertSealed(ctx, tx, e.ID, row)
	})
	return row, err
}

// lockHead returns the last event, and holds others up until the transaction
// ends.
func lockHead(ctx context.Context, tx pgx.Tx) (sealed, error) {
	var last sealed
	err := tx.QueryRow(ctx, `SELECT seq, at, hash FROM flightdeck.head FOR UPDATE`).
		Scan(&last.seq, &last.at, (*blob)(&last.sum))
	return last, err
}

// insertSealed adds the event that follows the head which is locked.
func insertSealed(ctx context.Context, tx pgx.Tx, id string, row sealed) error {
	_, err := tx.Exec(ctx, `WITH
		event AS (INSERT INTO flightdeck.events (seq, id, incident, at, actor, host, kind, body, prev, hash)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)),
		moved AS (UPDATE flightdeck.head SET seq = $1, at = $4, hash = $10)
		SELECT pg_notify('flightdeck', $1::bigint::text)`,
		row.seq, id, row.incident, row.at, row.actor.Name, row.actor.Host, row.kind, row.body, row.prev[:], row.sum[:])
	return err
}

// find returns the event that an entry has become.
func (l *eventLog) find(ctx context.Context, tx pgx.Tx, id string) (sealed, error) {
	rows, err := tx.Query(ctx, logColumns+`FROM flightdeck.events WHERE id = $1`, id)
	if err != nil {
		return sealed{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanSealed)
}

const logColumns = `SELECT seq, incident, at, actor, host, kind, body, prev, hash, 0::bigint AS seal `

func scanSealed(row pgx.CollectableRow) (sealed, error) {
	var r sealed
	err := row.Scan(&r.seq, &r.incident, &r.at, &r.actor.Name, &r.actor.Host, &r.kind, &r.body,
		(*blob)(&r.prev), (*blob)(&r.sum), &r.seal)
	return r, err
}

// rows yields stored events, and an error as the last if there was one.
func (l *eventLog) rows(ctx context.Context, query string, args ...any) func(yield func(sealed, error) bool) {
	return func(yield func(sealed, error) bool) {
		rows, err := l.pool.Query(ctx, query, args...)
		if err != nil {
			yield(sealed{}, err)
			return
		}
		defer rows.Close()
		for rows.Next() {
			if r, err := scanSealed(rows); err != nil || !yield(r, nil) {
				if err != nil {
					yield(sealed{}, err)
				}
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(sealed{}, err)
		}
	}
}

// events reads what a condition selects.
func (l *eventLog) events(ctx context.Context, query string, args ...any) ([]Event, error) {
	var events []Event
	for row, err := range l.rows(ctx, query, args...) {
		if err != nil {
			return nil, err
		}
		events = append(events, row.event())
	}
	return events, nil
}

// head is the last event as the row says that is locked to append.
func (l *eventLog) head(ctx context.Context) (Head, error) {
	var h Head
	err := l.pool.QueryRow(ctx, `SELECT seq, hash FROM flightdeck.head`).Scan(&h.Seq, (*blob)(&h.Hash))
	return h, err
}

// alive tells whether a session has been heard of lately. Right after the
// server has started nobody had the time to say so.
func (l *eventLog) alive(ctx context.Context, session string) (bool, error) {
	var alive bool
	err := l.pool.QueryRow(ctx, `SELECT greatest(seen, pg_postmaster_start_time()) > now() - make_interval(secs => $2)
		FROM flightdeck.sessions WHERE name = $1`, session, sessionDead.Seconds()).Scan(&alive)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return alive, err
}

// leave ends the session, so that others need not wait for it to be silent.
func (l *eventLog) leave(ctx context.Context) error {
	_, err := l.pool.Exec(ctx, `DELETE FROM flightdeck.sessions WHERE name = $1`, l.session)
	return err
}

// listen tells of whatever anybody appends, and keeps the session alive, until
// the connection breaks. Notifications are not kept for who is not there, so
// the number of the last event is compared now and then too.
func (l *eventLog) listen(ctx context.Context, changed func()) error {
	if err := l.prepare(ctx); err != nil { // it may not have been there at the start
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, l.config)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := prepareConnection(ctx, conn); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `LISTEN flightdeck`); err != nil {
		return err
	}
	for seen := int64(-1); ; {
		var seq int64
		if err := conn.QueryRow(ctx, `WITH
			gone AS (DELETE FROM flightdeck.sessions WHERE seen < now() - interval '1 day'),
			beat AS (INSERT INTO flightdeck.sessions VALUES ($1, clock_timestamp()) ON CONFLICT (name) DO UPDATE SET seen = clock_timestamp())
			SELECT seq FROM flightdeck.head`, l.session).Scan(&seq); err != nil {
			return err
		}
		if seq != seen {
			seen = seq
			changed()
		}
		if err := l.wait(ctx, conn, changed); err != nil {
			return err
		}
	}
}

// wait passes notifications on until the next beat.
func (l *eventLog) wait(ctx context.Context, conn *pgx.Conn, changed func()) error {
	beat, cancel := context.WithTimeout(ctx, sessionBeat)
	defer cancel()
	for {
		if _, err := conn.WaitForNotification(beat); err != nil {
			if beat.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		changed()
	}
}

// away tells whether an error says that the server cannot be reached, or takes
// nothing for now: it is asked again later. Of what it refuses for good nothing
// is asked again.
func away(err error) bool {
	failure := (*pgconn.PgError)(nil)
	if !errors.As(err, &failure) {
		return err != nil && !errors.Is(err, ErrMoved)
	}
	for _, class := range []string{
		"08",    // connection
		"53",    // no resources: disk full, too many connections
		"57",    // operator: shutting down, starting, statement cancelled
		"25006", // a standby
		"55P03", // somebody holds the lock
	} {
		if strings.HasPrefix(failure.Code, class) {
			return true
		}
	}
	return false
}
