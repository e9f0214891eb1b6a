package runbooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/erpgo/flightdeck/config"
)

const (
	// readingLimit is how long a statement that only reads may take: the
	// statement_timeout of its transaction.
	readingLimit = 30 * time.Second
	// lockLimit is how long a statement waits for a lock. Whoever comes after
	// one that waits for a strong lock waits behind it, so waiting is what makes
	// an incident worse.
	lockLimit = 5 * time.Second
	// connectLimit is how long a step waits for its connection.
	connectLimit = 10 * time.Second
	// cleanUpLimit bounds what is said to the server after a statement: Executor
	// promises to end within a second.
	cleanUpLimit = 400 * time.Millisecond
	// commitGrace is what a commit under way is given after a cancel: one that is
	// cut off may have happened or not.
	commitGrace = 250 * time.Millisecond
)

// SQLExecutor runs SQL on the configured database, one statement a run, over
// connections of its own (at most maxSQLConns, application_name
// flightdeck-step), apart from the probe's. It connects when it is first used,
// and hangs up after a minute without use.
//
// What only reads runs in a read-only transaction that is rolled back; what
// changes is committed by itself, with a lock_timeout, in a transaction of its
// own unless PostgreSQL wants it outside of one (VACUUM, CREATE INDEX
// CONCURRENTLY). Nothing of a session outlives its step. The boundary of what a
// step may do is the role it connects as, not the transaction: a terminate
// passes inside READ ONLY.
//
// Output is a table, or the command's tag, as psql would print them, errors are
// worded as psql words them on Stderr. Exit is 0 or 1.
type SQLExecutor struct {
	unusable error // why there is nothing to connect to; nil otherwise
	pool     *pgxpool.Pool
	where    string

	mu      sync.Mutex
	notices map[*pgconn.PgConn]func(*pgconn.Notice)
}

var _ Executor = (*SQLExecutor)(nil)

// NewSQLExecutor prepares an executor for a connection string and makes no
// connection. With an empty or unreadable string every run answers why.
func NewSQLExecutor(url config.Secret) *SQLExecutor {
	e := &SQLExecutor{notices: make(map[*pgconn.PgConn]func(*pgconn.Notice))}
	e.pool, e.where, e.unusable = openSQLPool(url, e.notice)
	return e
}

// Close hangs up. It waits for runs that have not ended, and may be called
// again.
func (e *SQLExecutor) Close() {
	if e.pool != nil {
		e.pool.Close()
	}
}

// Execute implements Executor.
func (e *SQLExecutor) Execute(ctx context.Context, cmd Bound, _ Target, out func(Chunk)) Result {
	result := Result{Started: time.Now(), Exit: -1}
	sum := output{hash: sha256.New(), out: out}
	err := e.run(ctx, cmd, &sum, &result)
	result.Duration = time.Since(result.Started)
	result.Bytes = sum.bytes
	result.SHA256 = hex.EncodeToString(sum.hash.Sum(nil))
	if err != nil {
		result.Err = fmt.Errorf("run on the database: %w", err)
	}
	return result
}

// run executes one statement and fills in how it ended.
func (e *SQLExecutor) run(ctx context.Context, cmd Bound, out *output, result *Result) error {
	if e.unusable != nil {
		return e.unusable
	}
	statement, err := soleStatement(cmd.Script)
	if err != nil {
		return err
	}
	conn, err := e.acquire(ctx, connectLimit)
	if err != nil {
		if ctx.Err() != nil {
			result.Cancelled = true
			return nil
		}
		return err
	}
	defer conn.Release()
	pg := conn.Conn().PgConn()
	defer e.listen(pg, func(n *pgconn.Notice) { out.write(Stderr, []byte(noticeText(n))) })()

	run := sqlRun{pg: pg, script: cmd.Script, mode: statement.mode(cmd.Command.Risk)}
	text, err := run.execute(ctx)
	silent := pg.IsClosed()
	run.leave(ctx)
	var refusal *pgconn.PgError
	switch {
	case err == nil:
		result.Exit = 0
		out.writeAll(Stdout, text)
		return nil
	case errors.As(err, &refusal):
		result.Exit = 1
		out.writeAll(Stderr, errorText(refusal, cmd.Script)+run.remark(refusal, ctx.Err() != nil))
		result.Cancelled = ctx.Err() != nil
		return nil
	case ctx.Err() != nil && silent:
		result.Cancelled = true
		out.writeAll(Stderr, "The server did not answer the request to cancel; the connection was closed. "+run.doubt()+"\n")
		return nil
	case ctx.Err() != nil:
		result.Cancelled = true
		out.writeAll(Stderr, "Cancelled. "+run.doubt()+"\n")
		return nil
	}
	return fmt.Errorf("the connection to %s was lost: %w; %s", e.where, err, run.doubt())
}

// writeAll hands a text on in chunks.
func (o *output) writeAll(stream Stream, text string) {
	for data := []byte(text); len(data) > 0; {
		n := min(len(data), MaxChunk)
		o.write(stream, data[:n:n])
		data = data[n:]
	}
}

// sqlRun is one statement on one connection.
type sqlRun struct {
	pg      *pgconn.PgConn
	script  string
	mode    sqlMode
	commits bool // the commit was asked for
}

// sqlMode is what stands around a statement.
type sqlMode int

const (
	sqlReadOnly sqlMode = iota // in a read-only transaction, rolled back
	sqlOwn                     // in a transaction of its own, committed
	sqlBare                    // outside of one: PostgreSQL does not allow it, or it commits by itself
)

// begin is what is said before a statement. The limits are the transaction's
// alone: behind a connection pooler the session is somebody else's, too.
func (m sqlMode) begin() string {
	locks := fmt.Sprintf("set local lock_timeout = %d", lockLimit.Milliseconds())
	switch m {
	case sqlReadOnly:
		return fmt.Sprintf("begin read only; set local statement_timeout = %d; %s", readingLimit.Milliseconds(), locks)
	case sqlOwn:
		return "begin; " + locks
	}
	return ""
}

// execute runs the statement and returns what there is to show. It is shown
// once it is committed.
func (r *sqlRun) execute(ctx context.Context) (string, error) {
	if begin := r.mode.begin(); begin != "" {
		if err := r.say(ctx, begin); err != nil {
			return "", err
		}
	}
	text, err := r.statement(ctx)
	if err != nil || r.mode != sqlOwn {
		return text, err
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	commit, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(commitGrace, cancel) })()
	r.commits = true
	return text, r.say(commit, "commit")
}

// statement sends the script over the extended protocol, which takes exactly
// one statement whatever the text holds, and reads its rows up to the bounds of
// a table. Only a statement that reads is stopped there; one that returns the
// rows it changes is heard out.
func (r *sqlRun) statement(ctx context.Context) (string, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	reader := r.pg.ExecParams(ctx, r.script, nil, nil, nil, nil)
	t := newTable(reader.FieldDescriptions())
	for reader.NextRow() {
		if t.add(reader.Values()) {
			continue
		}
		if r.mode == sqlReadOnly {
			stop()
			break
		}
	}
	tag, err := reader.Close()
	switch {
	case t.more && r.mode == sqlReadOnly:
		return t.String(), nil // however the rest was cut off
	case err != nil:
		return "", err
	case t.columns == nil:
		return tag.String() + "\n", nil
	case tag.Insert(), tag.Update(), tag.Delete():
		return t.String() + tag.String() + "\n", nil // RETURNING
	}
	return t.String(), nil
}

// say sends statements of ours.
func (r *sqlRun) say(ctx context.Context, text string) error {
	_, err := r.pg.Exec(ctx, text).ReadAll()
	return err
}

// leave gives the connection back as it was: no transaction, no setting, lock
// or temporary table of the step's.
func (r *sqlRun) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanUpLimit)
	defer cancel()
	if r.pg.TxStatus() != 'I' && !r.pg.IsClosed() {
		_ = r.say(ctx, "rollback")
	}
	if r.mode != sqlReadOnly && !r.pg.IsClosed() && r.say(ctx, "discard all") != nil {
		_ = r.pg.Close(ctx) // better none than one that holds something
	}
}

// remark says what follows from an error that PostgreSQL does not say.
func (r *sqlRun) remark(refusal *pgconn.PgError, cancelled bool) string {
	switch {
	case r.mode == sqlBare && concurrently(r.script):
		return "An index that is built concurrently is left behind invalid when that fails: drop it before the next try.\n"
	case refusal.Code == stateCanceled && !cancelled && r.mode == sqlReadOnly:
		return fmt.Sprintf("The cockpit ends a statement that reads after %v.\n", readingLimit)
	case refusal.Code == stateLockNotAvailable:
		return fmt.Sprintf("The cockpit waits %v for a lock, since others would wait behind it. Nothing was changed.\n", lockLimit)
	case refusal.Code == stateReadOnly:
		return "The step was judged to read only, and ran in a read-only transaction. Nothing was changed.\n"
	}
	return ""
}

// doubt tells what is known of a statement whose end was not seen.
func (r *sqlRun) doubt() string {
	switch {
	case r.mode == sqlReadOnly:
		return "It only read."
	case r.mode == sqlOwn && !r.commits:
		return "It was not committed, so it changed nothing."
	}
	return "Whether it took effect is not known: look before you run it again."
}
