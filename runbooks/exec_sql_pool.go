package runbooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/erpgo/flightdeck/config"
)

const (
	// maxSQLConns bounds the connections: one for the step that runs, one for
	// the preview of the next.
	maxSQLConns = 2
	// idleLimit is how long an unused connection is kept.
	idleLimit = time.Minute
	// maxRowBytes bounds one message of the server: a row with everything in it.
	maxRowBytes = 16 << 20
	// cancelLimit is how long the server may take to end a cancelled statement
	// before the connection is closed under it.
	cancelLimit = 500 * time.Millisecond
)

// openSQLPool prepares connections and makes none. where is the address,
// without anything secret.
func openSQLPool(url config.Secret, notice pgconn.NoticeHandler) (pool *pgxpool.Pool, where string, err error) {
	if url == "" {
		return nil, "", errors.New("no database is configured; set DATABASE_URL, or start the cockpit with --database")
	}
	cfg, err := pgxpool.ParseConfig(url.Reveal())
	if err != nil {
		// The parser's own words may hold the password.
		return nil, "", errors.New("the database URL cannot be read; set DATABASE_URL to postgres://user:password@host:port/database")
	}
	cfg.MaxConns, cfg.MinConns, cfg.MinIdleConns = maxSQLConns, 0, 0
	cfg.MaxConnIdleTime, cfg.HealthCheckPeriod = idleLimit, idleLimit/6
	connect := cfg.ConnConfig
	if connect.RuntimeParams == nil {
		connect.RuntimeParams = make(map[string]string)
	}
	connect.RuntimeParams["application_name"] = "flightdeck-step"
	connect.RuntimeParams["client_encoding"] = "UTF8"
	connect.MaxProtocolMessageBodyLen = maxRowBytes
	connect.OnNotice = notice
	connect.BuildContextWatcherHandler = func(pg *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: pg, DeadlineDelay: cancelLimit}
	}
	where = net.JoinHostPort(connect.Host, strconv.Itoa(int(connect.Port)))
	if strings.HasPrefix(connect.Host, "/") {
		where = connect.Host
	}
	if pool, err = pgxpool.NewWithConfig(context.Background(), cfg); err != nil {
		return nil, where, errors.New("the database URL holds a setting of the connection pool that cannot be used")
	}
	return pool, where, nil
}

// acquire takes a connection, and makes one where none is at hand.
func (e *SQLExecutor) acquire(ctx context.Context, limit time.Duration) (*pgxpool.Conn, error) {
	bounded, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := e.pool.Acquire(bounded)
	if err != nil {
		return nil, e.explainConnect(err)
	}
	// Values are quoted for the SQL standard's strings, in which a backslash is
	// a backslash.
	if conn.Conn().PgConn().ParameterStatus("standard_conforming_strings") == "off" {
		conn.Release()
		return nil, errors.New("the server has standard_conforming_strings off, with which a value could end its own quotes; turn it on for this role")
	}
	return conn, nil
}

// explainConnect says why there is no connection and what to do. Messages are
// the server's and the network's own, without the connection string.
func (e *SQLExecutor) explainConnect(err error) error {
	var refusal *pgconn.PgError
	switch {
	case errors.As(err, &refusal) && refusal.Code == stateTooManyConnections:
		return fmt.Errorf("connect to %s: %w; every connection is taken: end some, or run the statement through a session that is open", e.where, refusal)
	case errors.As(err, &refusal):
		return fmt.Errorf("connect to %s: %w; check the user, the password and the database in DATABASE_URL", e.where, refusal)
	case errors.Is(err, context.DeadlineExceeded) && e.pool.Stat().AcquiredConns() >= maxSQLConns:
		return fmt.Errorf("both connections for steps to %s are in use; wait for a statement that runs, or cancel it", e.where)
	}
	var op *net.OpError
	if errors.As(err, &op) {
		return fmt.Errorf("connect to %s: %w; check that it is up and reachable from here", e.where, op)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("connect to %s: %w; check that it is up and reachable from here", e.where, context.DeadlineExceeded)
	}
	return fmt.Errorf("connect to %s failed; check the address, the TLS settings and the server's log", e.where)
}

// listen hands a connection's notices to f until the returned function is
// called.
func (e *SQLExecutor) listen(pg *pgconn.PgConn, f func(*pgconn.Notice)) (stop func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.notices[pg] = f
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		delete(e.notices, pg)
	}
}

// notice is called by pgx while it reads from a connection.
func (e *SQLExecutor) notice(pg *pgconn.PgConn, n *pgconn.Notice) {
	e.mu.Lock()
	f := e.notices[pg]
	e.mu.Unlock()
	if f != nil {
		f(n)
	}
}
