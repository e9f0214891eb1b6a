package probes

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
)

// SQLSTATE codes that have a remedy of their own, from PostgreSQL's appendix A.
const (
	stateInvalidAuthorization = "28000" // no entry in pg_hba.conf, unknown role, role may not log in
	stateInvalidPassword      = "28P01"
	stateUnknownDatabase      = "3D000"
	stateTooManyConnections   = "53300"
	stateNoPrivilege          = "42501"
	stateNotLoaded            = "55000" // object not in prerequisite state
	stateLockNotAvailable     = "55P03"
	stateCanceled             = "57014"
	stateAdminShutdown        = "57P01"
	stateCrashShutdown        = "57P02"
	stateCannotConnectNow     = "57P03"
)

// explain puts what to do next beside what went wrong. It never holds a
// password: messages are the server's and the network's own.
func (s *session) explain(err error) error {
	var refusal *pgconn.PgError
	switch {
	case errors.As(err, &refusal):
		return s.explainRefusal(refusal)
	case errors.Is(err, errNoTime):
		return s.failf("timeout: %w; the server answers slowly, and is asked again over the same connection", errNoTime)
	case errors.Is(err, pgconn.ErrConnClosed):
		return s.failf("the connection was lost; a new one is tried")
	}
	return s.unreachable(err)
}

// explainRefusal is explain for what the server itself said.
func (s *session) explainRefusal(refusal *pgconn.PgError) error {
	switch refusal.Code {
	case stateInvalidAuthorization, stateInvalidPassword:
		return s.failf("authentication failed for user %q: %w; check the password in DATABASE_URL, PGPASSWORD or PGPASSFILE, and the server's pg_hba.conf", s.user, refusal)
	case stateUnknownDatabase:
		return s.failf("unknown database: %w; name an existing one in --database, DATABASE_URL or PGDATABASE", refusal)
	case stateTooManyConnections:
		return s.failf("too many connections: %w; end some, or give the role reserved ones (PostgreSQL 16 and newer: grant pg_use_reserved_connections)", refusal)
	case stateNoPrivilege:
		return s.failf("not permitted: %w; grant pg_monitor to %q, and SELECT on what logins.query reads", refusal, s.user)
	case stateCanceled, stateLockNotAvailable:
		return s.failf("timeout: a statement took longer than the %v it was given: %w; the server is overloaded, or something holds a lock on what it reads", s.limit, refusal)
	case stateAdminShutdown, stateCrashShutdown, stateCannotConnectNow:
		return s.failf("not available: %w; the server stops, starts or recovers, and is tried again", refusal)
	}
	return s.failf("%w", refusal)
}
