//go:build unix

package server

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/erpgo/flightdeck/testenv/loopback"
)

// MonitorRole is the role that an observer logs in with: a member of
// pg_monitor, and of pg_use_reserved_connections where that exists (16 and
// newer). It owns nothing and cannot write to anybody's tables.
const MonitorRole = "flightdeck"

// PostgresOptions says what is in a PostgreSQL server.
type PostgresOptions struct {
	Database string            // made in addition to postgres, when set
	Settings map[string]string // of postgresql.conf, over the defaults below
	SQL      string            // run once by the superuser, in Database
}

// postgresDefaults make a server that starts fast and loses nothing that a
// test could notice: the machine itself does not lose power.
var postgresDefaults = map[string]string{
	"fsync":                      "off",
	"shared_buffers":             "16MB",
	"max_connections":            "100",
	"unix_socket_directories":    "",
	"shared_preload_libraries":   "pg_stat_statements",
	"log_line_prefix":            "%m [%p] ",
	"log_timezone":               "UTC",
	"dynamic_shared_memory_type": "mmap", // in the data folder, so that nothing is left in /dev/shm
}

// Postgres is a PostgreSQL server with pg_stat_statements.
type Postgres struct {
	Process
	Addr    string // host:port on loopback
	DataDir string // PGDATA

	database      string
	adminPassword string
	monitorPass   string
}

// NewPostgres makes a database cluster in the folder and starts a server on it.
func NewPostgres(ctx context.Context, folder string, options PostgresOptions) (*Postgres, error) {
	path, err := Find("postgres")
	if err != nil {
		return nil, err
	}
	owner, err := postgresAccount()
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(folder, 0o711); err != nil {
		return nil, err
	}
	data := filepath.Join(folder, "data")
	adminPassword, err := copyCluster(ctx, data, owner)
	if err != nil {
		return nil, err
	}
	pg := &Postgres{DataDir: data, database: "postgres", adminPassword: adminPassword, monitorPass: NewPassword()}
	err = onFreePort(ctx, func(port int) error {
		settings := maps.Clone(postgresDefaults)
		maps.Copy(settings, options.Settings)
		settings["listen_addresses"] = "127.0.0.1"
		settings["port"] = strconv.Itoa(port)
		if err := writeSettings(filepath.Join(data, "postgresql.conf"), settings); err != nil {
			return err
		}
		pg.Addr = loopback.Addr(port)
		pg.command = command{
			name:   "postgres",
			path:   path,
			args:   []string{"-D", data},
			env:    []string{"LC_ALL=C.UTF-8"},
			dir:    folder,
			owner:  owner,
			stop:   syscall.SIGINT,  // fast shutdown: clients are told, a checkpoint is written
			orphan: syscall.SIGQUIT, // immediate shutdown: SIGKILL would leak its shared memory
			healthy: func(ctx context.Context) error {
				return pg.exec(ctx, "postgres", "SELECT 1")
			},
		}
		return pg.Start(ctx)
	})
	if err != nil {
		return nil, err
	}
	if err := pg.populate(ctx, options); err != nil {
		_ = pg.Kill()
		return nil, err
	}
	return pg, nil
}

// Discard ends the server at once. A server that was killed has left its shared
// memory to the kernel, which is given back too.
func (pg *Postgres) Discard() error {
	if err := pg.Process.Discard(); err != nil {
		return err
	}
	lines, err := os.ReadFile(filepath.Join(pg.DataDir, "postmaster.pid"))
	if err != nil {
		return nil // it ended in order and took the file with it
	}
	// The seventh line is the segment's key and id.
	fields := strings.Split(string(lines), "\n")
	if len(fields) < 7 {
		return nil
	}
	_, id, _ := strings.Cut(strings.TrimSpace(fields[6]), " ")
	return freeSharedMemory(strings.TrimSpace(id))
}

// AdminURL connects as the superuser to the server's database.
func (pg *Postgres) AdminURL() string { return pg.url("postgres", pg.adminPassword, pg.database) }

// URL connects as the monitoring role to the server's database.
func (pg *Postgres) URL() string { return pg.url(MonitorRole, pg.monitorPass, pg.database) }

// URLFor connects as a role that the server was filled with.
func (pg *Postgres) URLFor(role, password string) string { return pg.url(role, password, pg.database) }

// PasswordFile is the content of a file for PGPASSFILE that knows the
// superuser's and the monitoring role's passwords on this server.
func (pg *Postgres) PasswordFile() string {
	return fmt.Sprintf("*:*:*:postgres:%s\n*:*:*:%s:%s\n", pg.adminPassword, MonitorRole, pg.monitorPass)
}

func (pg *Postgres) url(user, password, database string) string {
	return (&url.URL{
		Scheme:   "postgres",
		User:     url.UserPassword(user, password),
		Host:     pg.Addr,
		Path:     "/" + database,
		RawQuery: "sslmode=disable",
	}).String()
}

func (pg *Postgres) populate(ctx context.Context, options PostgresOptions) error {
	roles := fmt.Sprintf("CREATE ROLE %s LOGIN PASSWORD '%s' IN ROLE pg_monitor;", MonitorRole, pg.monitorPass)
	roles += `DO $$ BEGIN
		IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'pg_use_reserved_connections') THEN
			EXECUTE 'GRANT pg_use_reserved_connections TO ` + MonitorRole + `';
		END IF;
	END $$`
	if err := pg.exec(ctx, "postgres", roles); err != nil {
		return fmt.Errorf("make the monitoring role: %w", err)
	}
	if options.Database != "" {
		pg.database = options.Database
		if err := pg.exec(ctx, "postgres", "CREATE DATABASE "+pgx.Identifier{options.Database}.Sanitize()); err != nil {
			return fmt.Errorf("make the database: %w", err)
		}
	}
	// The statements so far are nobody's business: they hold passwords. A test
	// may want a server that does not count them (55000).
	script := "CREATE EXTENSION pg_stat_statements;" + options.SQL + `;
		DO $$ BEGIN PERFORM pg_stat_statements_reset();
		EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END $$`
	if err := pg.exec(ctx, pg.database, script); err != nil {
		return fmt.Errorf("fill the database: %w", err)
	}
	return nil
}

// exec runs a script as the superuser. The error never holds the password:
// pgx prints it only where a URL does not parse, and this one is ours.
func (pg *Postgres) exec(ctx context.Context, database, script string) error {
	conn, err := pgx.Connect(ctx, pg.url("postgres", pg.adminPassword, database))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.PgConn().Exec(ctx, script).ReadAll()
	return err
}

// writeSettings writes postgresql.conf anew. Settings are in the file and not
// on the command line, so that ALTER SYSTEM can change them.
func writeSettings(path string, settings map[string]string) error {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&text, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	return os.WriteFile(path, []byte(text.String()), 0o600)
}
