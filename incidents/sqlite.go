package incidents

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

const (
	// applicationID marks the file as a journal (PRAGMA application_id), in
	// ASCII "FDJL".
	applicationID = 0x46444a4c
	schemaVersion = 2

	// lookEvery is how often a journal looks for what other processes have
	// appended; half of the 200 ms in which they are to be seen.
	lookEvery = 100 * time.Millisecond

	// patience is how long an append waits for others that write.
	patience = 15 * time.Second
)

// schema is what a new journal is made of. The triggers keep an honest program
// from changing what was written; against a dishonest one there is the chain.
const schema = `
CREATE TABLE events (
	seq      INTEGER PRIMARY KEY,
	incident TEXT    NOT NULL,
	at       INTEGER NOT NULL, -- nanoseconds since 1970, UTC
	actor    TEXT    NOT NULL,
	host     TEXT    NOT NULL,
	kind     TEXT    NOT NULL,
	body     BLOB    NOT NULL, -- JSON
	prev     BLOB    NOT NULL, -- SHA-256 of the event before
	hash     BLOB    NOT NULL
) STRICT;
CREATE INDEX events_of_incident ON events (incident, seq);
CREATE TRIGGER events_are_not_changed BEFORE UPDATE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
` + notRemoved + prunedTable

const notRemoved = `
CREATE TRIGGER events_are_not_removed BEFORE DELETE ON events
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
`

// prunedTable holds what is left of events that were removed. Version 1 did not
// have it.
const prunedTable = `
CREATE TABLE pruned (
	seq  INTEGER PRIMARY KEY,
	at   INTEGER NOT NULL,
	prev BLOB    NOT NULL,
	hash BLOB    NOT NULL,
	seal INTEGER NOT NULL -- the event that says that it was
) STRICT;
`

// SQLite is a journal in a file, which any number of processes on one machine
// share. An event is on disk when Append returns.
type SQLite struct {
	path     string
	patience time.Duration
	write    *sql.DB // one connection
	read     *sql.DB // one more, so that reading does not wait for writing
	insert   *sql.Stmt
	heads    *headLog
	sessions *sessions
	watchers watchers
	stop     context.CancelFunc
	looking  sync.WaitGroup

	turn chan struct{} // whoever appends has put a token into it
	tail sealed        // the last event that is known to who appends; there may be newer ones
}

var _ Journal = (*SQLite)(nil)

// OpenSQLite opens the journal in a file, and begins one where there is none.
// It returns an error unless the journal can be written. The folder must not be
// on a network file system, where the locks that SQLite relies on do not hold.
func OpenSQLite(ctx context.Context, path string) (*SQLite, error) {
	j, err := openSQLite(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open the journal %s: %w", path, err)
	}
	return j, nil
}

func openSQLite(ctx context.Context, path string) (*SQLite, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	if err := localFileSystem(filepath.Dir(path)); err != nil {
		return nil, err
	}
	// Only its owner may read what commands have put out. SQLite gives its
	// other files the same permissions.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	j := &SQLite{path: path, patience: patience, turn: make(chan struct{}, 1)}
	if err := j.connect(ctx); err != nil {
		_ = j.Close()
		return nil, err
	}
	looking, stop := context.WithCancel(context.Background())
	j.stop = stop
	j.looking.Go(func() { j.look(looking) })
	return j, nil
}

// connect opens both connections and the files beside them.
func (j *SQLite) connect(ctx context.Context) (err error) {
	// SAFETY of a shared file: full sync, so that what was acknowledged
	// outlives a loss of power; immediate transactions, so that two writers
	// queue and do not fail halfway.
	const shared = "_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)"
	name := "file:" + (&url.URL{Path: j.path}).EscapedPath() + "?" + shared
	if j.write, err = sql.Open("sqlite", name+"&_txlock=immediate"); err != nil {
		return err
	}
	j.write.SetMaxOpenConns(1)
	if err := j.prepare(ctx); err != nil {
		return err
	}
	if j.insert, err = j.write.PrepareContext(ctx, insertRow); err != nil {
		return err
	}
	if j.read, err = sql.Open("sqlite", name+"&_pragma=query_only(1)"); err != nil {
		return err
	}
	j.read.SetMaxOpenConns(1)
	if j.heads, err = openHeadLog(j.path + ".heads"); err != nil {
		return err
	}
	j.sessions, err = joinSessions(j.path + ".sessions")
	return err
}

// prepare checks that the file is a journal, or makes it one. Being a
// transaction that writes, it fails where the file cannot be written.
func (j *SQLite) prepare(ctx context.Context) error {
	tx, err := j.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	var application, version, tables int
	if err := tx.QueryRowContext(ctx, `SELECT
		(SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
		(SELECT count(*) FROM sqlite_schema)`).Scan(&application, &version, &tables); err != nil {
		return err
	}
	switch {
	case application == 0 && version == 0 && tables == 0:
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA application_id = %d; PRAGMA user_version = %d",
			schema, applicationID, schemaVersion)); err != nil {
			return err
		}
		return tx.Commit()
	case application != applicationID:
		return errors.New("the file is a database of something else")
	case version > schemaVersion:
		return fmt.Errorf("it has version %d and this flightdeck knows %d; use the newer flightdeck that wrote it", version, schemaVersion)
	}
	upgrade := ""
	if version < 2 {
		upgrade = prunedTable
	}
	// Where nothing is to be changed this shows that it could be.
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("%s; PRAGMA user_version = %d", upgrade, schemaVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

// failedWith tells whether an error is SQLite's of a primary result code.
func failedWith(err error, code int) bool {
	var failure *sqlite.Error
	return errors.As(err, &failure) && failure.Code()&0xff == code
}

// failed says what could not be done with which file. A caller who has left is
// told so, whatever the driver made of it.
func (j *SQLite) failed(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return fmt.Errorf("%s %s: %w", what, j.path, err)
}

const (
	columns = `SELECT seq, incident, at, actor, host, kind, body, prev, hash, 0 AS seal FROM events `

	// everything is the whole chain, with what is left of events that were
	// removed.
	everything = columns + `UNION ALL SELECT seq, '', at, '', '', '', x'', prev, hash, seal FROM pruned ORDER BY seq`
)

// Events returns what was appended after a sequence number.
func (j *SQLite) Events(ctx context.Context, incident string, after int64) ([]Event, error) {
	query, args := columns+`WHERE seq > ? ORDER BY seq`, []any{after}
	if incident != "" {
		query, args = columns+`WHERE incident = ? AND seq > ? ORDER BY seq`, []any{incident, after}
	}
	var events []Event
	for row, err := range j.rows(ctx, query, args...) {
		if err != nil {
			return nil, j.failed(ctx, "read", err)
		}
		events = append(events, row.event())
	}
	return events, nil
}

// Latest returns the last events before a sequence number.
func (j *SQLite) Latest(ctx context.Context, incident string, before int64, limit int) ([]Event, error) {
	query, args := columns+`WHERE seq < ? ORDER BY seq DESC LIMIT ?`, []any{before, limit}
	if incident != "" {
		query, args = columns+`WHERE incident = ? AND seq < ? ORDER BY seq DESC LIMIT ?`, []any{incident, before, limit}
	}
	var events []Event
	for row, err := range j.rows(ctx, query, args...) {
		if err != nil {
			return nil, j.failed(ctx, "read", err)
		}
		events = append(events, row.event())
	}
	slices.Reverse(events)
	return events, nil
}

// rows yields stored events, and an error as the last if there was one.
func (j *SQLite) rows(ctx context.Context, query string, args ...any) func(yield func(sealed, error) bool) {
	return func(yield func(sealed, error) bool) {
		rows, err := j.read.QueryContext(ctx, query, args...)
		if err != nil {
			yield(sealed{}, err)
			return
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r sealed
			if err := rows.Scan(&r.seq, &r.incident, &r.at, &r.actor.Name, &r.actor.Host, &r.kind, &r.body,
				(*blob)(&r.prev), (*blob)(&r.sum), &r.seal); err != nil {
				yield(sealed{}, err)
				return
			}
			if !yield(r, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			yield(sealed{}, err)
		}
	}
}

// blob scans a hash. What is none becomes one that nothing has.
type blob Hash

var impossible = slices.Repeat([]byte{0xff}, len(blob{}))

// Scan implements sql.Scanner.
func (b *blob) Scan(value any) error {
	bytes, _ := value.([]byte)
	if len(bytes) != len(b) {
		bytes = impossible
	}
	copy(b[:], bytes)
	return nil
}

// Verify checks the chain of events from the first, that it reaches every head
// that was acknowledged on this machine, and that SQLite finds what it holds.
func (j *SQLite) Verify(ctx context.Context) (Head, error) {
	known, err := readHeadLog(j.path + ".heads") // first: the journal is never behind it
	if err != nil {
		return Head{}, j.failed(ctx, "verify", err)
	}
	head, err := verify(known.check(j.rows(ctx, everything)))
	if err == nil {
		err = known.beyond(head)
	}
	if broken := (*BrokenChain)(nil); errors.As(err, &broken) {
		return head, err
	}
	if err == nil {
		var answer string
		if err = j.read.QueryRowContext(ctx, `PRAGMA integrity_check(1)`).Scan(&answer); err == nil && answer != "ok" {
			err = errors.New(answer)
		}
	}
	if ctx.Err() == nil && failedWith(err, sqlitelib.SQLITE_CORRUPT) {
		return head, &BrokenChain{head.Seq + 1, "the file is damaged: " + err.Error()}
	}
	if err != nil {
		return head, j.failed(ctx, "verify", err)
	}
	return head, nil
}

// Watch tells of events that this process or another one has appended.
func (j *SQLite) Watch() (<-chan struct{}, func()) { return j.watchers.add() }

// Session names this journal among those that have the file open.
func (j *SQLite) Session() string { return j.sessions.name }

// Alive tells whether a session still has the file open.
func (j *SQLite) Alive(session string) bool { return j.sessions.alive(session) }

// Durable is true.
func (j *SQLite) Durable() bool { return true }

// look tells watchers when another connection has changed the file. The number
// that SQLite keeps of that (PRAGMA data_version) costs no disk access.
func (j *SQLite) look(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var seen int64
	for {
		var version int64
		if err := j.read.QueryRowContext(ctx, `PRAGMA data_version`).Scan(&version); err == nil && version != seen {
			seen = version
			j.watchers.notify()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// Close lets go of the file.
func (j *SQLite) Close() error {
	if j.stop != nil {
		j.stop()
		j.looking.Wait()
	}
	var errs []error
	for _, db := range []*sql.DB{j.read, j.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if j.heads != nil {
		errs = append(errs, j.heads.Close())
	}
	if j.sessions != nil {
		errs = append(errs, j.sessions.leave())
	}
	return errors.Join(errs...)
}
