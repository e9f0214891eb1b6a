package probes

import (
	"context"
	"time"

	"github.com/erpgo/flightdeck/config"
)

// Database is what one connection to PostgreSQL sees of all the others. Counts
// and backends leave out that connection, except where they say otherwise.
type Database struct {
	Version       string // server_version
	Name          string // current_database()
	Size          int64  // bytes, read once a minute; 0 when it is not known
	Max           int    // max_connections
	Reserved      int    // superuser_reserved_connections + reserved_connections
	Total         int    // client backends, the probe's own among them: what Max limits
	Active        int    // running a query, or waiting for a lock in one
	IdleInTx      int    // idle in transaction, aborted ones too
	Idle          int
	Waiting       int         // active ones that wait for a lock
	OldestTx      *Backend    // nil when no transaction is open
	Longest       *Backend    // the longest running active query, nil when none runs
	Waits         []Wait      // what active backends wait for, most first, at most 10
	Blocked       []Block     // who waits for whom, longest first, at most 20
	Roots         []Backend   // those who block others and wait for no lock themselves, oldest transaction first, at most 20
	Statements    []Statement // top by total time since their statistics were reset, at most 20
	StatementsErr error       // why Statements is empty: pg_stat_statements is not installed or not readable
	Replicas      []Replica   // at most 20, the one furthest behind first
	InRecovery    bool
	Lag           time.Duration // replay lag of this server where InRecovery
	Partial       bool          // the role may not see other users' queries (it lacks pg_monitor)
}

// Backend is one server process as pg_stat_activity shows it. Texts are as the
// server has them: never drawn without ui.Clean.
type Backend struct {
	PID         int
	User        string
	Application string
	Client      string // address, empty for a local socket
	State       string
	Wait        string        // "Lock: transactionid", empty when it is not active or does not wait
	Age         time.Duration // of the query or the transaction, at the time of the reading
	Query       string        // at most 1 KiB
}

// Wait is how many active backends wait for the same thing.
type Wait struct {
	Event string // as PostgreSQL names it: "Lock: transactionid", "IO: DataFileRead"
	Count int
}

// Block is one backend that waits for others.
type Block struct {
	Waiter   Backend // its age is the query's
	Blockers []int   // pids; 0 is a prepared transaction; those at the root of the chain hold what everybody waits for
}

// Statement is one statement of this database in pg_stat_statements.
type Statement struct {
	Query string // normalised by the server, at most 1 KiB
	Calls int64
	Total time.Duration
	Mean  time.Duration
}

// Replica is one row of pg_stat_replication.
type Replica struct {
	Name  string
	State string
	Lag   time.Duration // replay lag; 0 when it has caught up
	Bytes int64         // behind in bytes
}

const (
	// sizeEvery is how seldom the database's size is read: PostgreSQL adds up
	// every file of it.
	sizeEvery = time.Minute
	// statementsEvery is how many readings share one look at pg_stat_statements,
	// which can hold thousands of entries.
	statementsEvery = 6
)

// DatabaseProbe reads PostgreSQL over the one connection that the cockpit has
// to it.
type DatabaseProbe struct {
	cfg     config.Database
	cell    *Cell[Database]
	session *session

	size       int64
	sizeAt     time.Time // when size was last asked for
	statements topStatements
}

// NewDatabase returns the probe of the configured PostgreSQL. It connects when
// it runs.
func NewDatabase(cfg config.Database, board *Board) *DatabaseProbe {
	return &DatabaseProbe{cfg: cfg, cell: &board.Database, session: newSession(cfg)}
}

// Name is what the header calls PostgreSQL.
func (p *DatabaseProbe) Name() string { return "pg" }

// Run connects at once, while there still are connections to be had, and reads
// until ctx ends.
func (p *DatabaseProbe) Run(ctx context.Context) error {
	if p.session.unusable == nil {
		poll(ctx, p.cell, p.cfg.Pace, p.take)
		p.session.end()
	} else {
		p.cell.fail(p.session.unusable, time.Now())
	}
	return nil
}

// take reads what is cheap each time, and now and then what is not. Only the
// former can fail a reading: a size that cannot be had keeps its last value,
// and statements that cannot be had say why.
func (p *DatabaseProbe) take(ctx context.Context) (Database, error) {
	var d Database
	err := p.session.read(ctx, func(q query) error { return readActivity(q, &d) })
	if err != nil {
		return Database{}, err
	}
	if time.Since(p.sizeAt) >= sizeEvery {
		p.sizeAt = time.Now()
		_ = p.session.read(ctx, func(q query) error {
			return q.row("select pg_database_size(current_database())", nil, &p.size)
		})
	}
	p.statements.refresh(ctx, p.session)
	d.Size = p.size
	d.Statements, d.StatementsErr = p.statements.top, p.statements.err
	return d, nil
}
