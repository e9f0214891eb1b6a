package probes

import (
	"context"
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/erpgo/flightdeck/config"
)

const (
	// goodbye is how long a lost connection may take to end, at most, before its
	// socket is closed under it and a new one is made.
	goodbye = 2 * time.Second
	// longestMessage bounds one message of the server, in bytes. A row of ours
	// is a few kilobytes; what announces more is not PostgreSQL.
	longestMessage = 1 << 20
	// shortestStatement is the least statement_timeout, whatever the
	// configuration says.
	shortestStatement = 100 * time.Millisecond
)

// session is the cockpit's one connection to PostgreSQL. Whoever wants to read
// takes a turn; there is never a second connection, not even while a broken one
// is replaced: the next is made once the last has ended.
//
// A statement that takes too long is ended by the server (statement_timeout),
// which keeps the connection: at saturation a lost one could not be replaced.
// Only a server that answers nothing at all is hung up on. pgx then asks it to
// cancel the statement, over a short second TCP connection that PostgreSQL
// answers before it takes one of max_connections.
type session struct {
	backend
	unusable error // why there is nothing to connect to; nil otherwise
	user     string
	limit    time.Duration // statement_timeout

	turn chan struct{} // holds a token while somebody has the turn, who alone uses what follows

	connect *pgx.ConnConfig
	// pooled is true behind a connection pooler (PgBouncer) that refuses or
	// drops limits at the start of a connection. A session is not ours there:
	// what SET leaves behind would reach the application. Each transaction then
	// carries the limits itself.
	pooled bool
	conn   *pgx.Conn // nil before the first turn; may be closed
	ended  bool      // end was called
}

// newSession prepares a connection and makes none.
func newSession(cfg config.Database) *session {
	s := &session{
		backend: backend{
			name:     "postgres",
			settings: "--database, DATABASE_URL or PGHOST",
			tls:      "sslmode, sslrootcert and the server's certificate",
			timeout:  cfg.Timeout,
		},
		turn: make(chan struct{}, 1),
		// Three statements fit into an attempt, however slow they are.
		limit: max(cfg.Timeout/3, shortestStatement),
	}
	if cfg.URL == "" {
		s.unusable = notConfigured(s.settings)
		return s
	}
	connect, err := pgx.ParseConfig(cfg.URL.Reveal())
	if err != nil {
		// The parser's own words may hold the password.
		s.unusable = errors.New("postgres: the database URL cannot be read; " +
			"expected postgres://user:password@host:port/database or host=… user=… dbname=…")
		return s
	}
	connect.DefaultQueryExecMode = pgx.QueryExecModeExec // one statement at a time, none left prepared
	connect.StatementCacheCapacity, connect.DescriptionCacheCapacity = 0, 0
	connect.MaxProtocolMessageBodyLen = longestMessage
	if connect.RuntimeParams == nil {
		connect.RuntimeParams = make(map[string]string)
	}
	// These a pooler lets through.
	connect.RuntimeParams["application_name"] = "flightdeck"
	connect.RuntimeParams["client_encoding"] = "UTF8"
	connect.RuntimeParams["timezone"] = "UTC"
	for name, value := range s.limits() {
		connect.RuntimeParams[name] = value
	}
	s.connect = connect
	s.where, s.user = addresses(connect), connect.User
	return s
}

// limits keep every transaction of ours read only and short.
func (s *session) limits() map[string]string {
	return map[string]string{
		"default_transaction_read_only":       "on",
		"statement_timeout":                   milliseconds(s.limit),
		"lock_timeout":                        milliseconds(s.limit / 2),
		"idle_in_transaction_session_timeout": milliseconds(6 * s.limit),
	}
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// addresses is where a configuration connects to, without anything secret.
func addresses(connect *pgx.ConnConfig) string {
	var all []string
	add := func(host string, port uint16) {
		address := net.JoinHostPort(host, strconv.Itoa(int(port)))
		if strings.HasPrefix(host, "/") {
			address = host
		}
		if len(all) == 0 || all[len(all)-1] != address {
			all = append(all, address)
		}
	}
	add(connect.Host, connect.Port)
	for _, fallback := range connect.Fallbacks {
		add(fallback.Host, fallback.Port)
	}
	return strings.Join(all, ",")
}

// read waits for its turn and runs f in one read-only transaction. Its errors
// say what went wrong with the server and what to do next.
func (s *session) read(ctx context.Context, f func(query) error) error {
	if s.unusable != nil {
		return s.unusable
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return s.failf("another reading holds the connection: %w", ctx.Err())
	}
	if s.ended {
		return s.failf("the cockpit is closing")
	}
	if err := s.open(ctx); err != nil {
		return s.explain(err)
	}
	tx, err := s.conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
	if err != nil {
		return s.explain(err)
	}
	defer s.rollback(ctx, tx)
	q := query{ctx: ctx, tx: tx, limit: s.limit}
	if s.pooled {
		if err := q.settle(s.limits()); err != nil {
			return s.explain(err)
		}
	}
	if err := f(q); err != nil {
		return s.explain(err)
	}
	return nil
}

// rollback ends a transaction in which nothing was written. It takes a moment of
// its own where the attempt's time is up, since the connection would be lost
// otherwise; where the server hangs, it is lost already.
func (s *session) rollback(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.limit)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// open makes sure that there is a connection and that it is the only one.
func (s *session) open(ctx context.Context) error {
	if s.conn != nil {
		if !s.conn.IsClosed() {
			return nil
		}
		if err := s.bury(ctx); err != nil {
			return err
		}
	}
	conn, err := pgx.ConnectConfig(ctx, s.connect)
	if !s.pooled && refusesLimits(err) {
		s.pooled = true
		for name := range s.limits() {
			delete(s.connect.RuntimeParams, name)
		}
		conn, err = pgx.ConnectConfig(ctx, s.connect)
	}
	if err != nil {
		return err
	}
	s.conn = conn
	if s.pooled {
		return nil
	}
	var timeout string
	err = conn.QueryRow(ctx, mark+"select setting from pg_settings where name = 'statement_timeout'").Scan(&timeout)
	if err != nil {
		_ = conn.Close(ctx)
		return err
	}
	s.pooled = timeout != milliseconds(s.limit)
	return nil
}

// bury waits until the broken connection has ended: pgx cancels its statement
// and lets the server close it first, so that its slot is free again. Half of
// the attempt is left for the next one.
func (s *session) bury(ctx context.Context) error {
	select {
	case <-s.conn.PgConn().CleanupDone():
	case <-time.After(min(goodbye, s.timeout/2)):
		_ = s.conn.PgConn().Conn().Close()
	case <-ctx.Done():
		return ctx.Err()
	}
	s.conn = nil
	return nil
}

// refusesLimits recognises a pooler's answer to settings at the start of a
// connection, in PgBouncer's words. It can also be told to drop them
// (ignore_startup_parameters).
func refusesLimits(err error) bool {
	var refusal *pgconn.PgError
	return errors.As(err, &refusal) && strings.Contains(refusal.Message, "unsupported startup parameter")
}

// end closes the connection, once whoever has the turn is done with it.
func (s *session) end() {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return
	}
	s.ended = true
	if s.conn != nil {
		_ = s.conn.Close(ctx)
	}
}
