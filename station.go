package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/views"
)

// station is everything that one process has once, whoever looks at it: the
// board and the probes that fill it.
type station struct {
	cfg     config.Config
	board   *probes.Board
	prom    *probes.Prom
	cluster *probes.Cluster
	probes  []probes.Probe
}

// newStation wires the probes. It does no network: a source that cannot be used
// says so on its own pane.
func newStation(cfg config.Config) *station {
	board := probes.NewBoard(cfg.Logs.Lines)
	prom := probes.NewProm(cfg.Prometheus)
	cluster, _ := probes.OpenCluster(cfg.Kubernetes) // its probes publish the error
	database := probes.NewDatabase(cfg.Database, board)
	return &station{
		cfg: cfg, board: board, prom: prom, cluster: cluster,
		probes: []probes.Probe{
			probes.NewAlerts(prom, cfg.Alertmanager, board),
			probes.NewSignals(prom, cfg.Signals, board),
			probes.NewPods(cluster, cfg.Kubernetes.Pods, board),
			probes.NewLogs(cluster, cfg.Service.Selector, cfg.Logs, board),
			database,
			probes.NewCache(cfg.Redis, board),
			probes.NewLogins(cfg.Logins, board, database, prom),
		},
	}
}

// openCockpit runs the cockpit in this terminal until the operator leaves.
func openCockpit(ctx context.Context, cfg config.Config) (err error) {
	library, err := runbooks.Open(cfg.Runbooks)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "flightdeck-")
	if err != nil {
		return fmt.Errorf("make a folder for the pinned kubeconfig: %w; set TMPDIR to one that can be written", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	s := newStation(cfg)
	journal, closeJournal, trouble := openJournal(ctx, cfg)
	defer func() { err = errors.Join(err, closeJournal()) }()
	sql := runbooks.NewSQLExecutor(cfg.Database.URL)
	defer sql.Close()
	target := s.target(folder)
	runner := incidents.NewRunner(incidents.Options{
		Journal:   journal,
		OnRecord:  cfg.Journal != config.JournalInMemory,
		Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: runbooks.BashExecutor{}, runbooks.SQL: sql},
		Target:    target,
		ReadOnly:  cfg.ReadOnly,
		Secrets:   cfg.Secrets(),
	})
	defer func() { err = errors.Join(err, runner.Close()) }()

	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); _ = probes.Run(ctx, s.probes...) }() // it ends with ctx, and with its error
	defer func() { cancel(); <-done }()

	cockpit := views.NewCockpit(views.Deps{
		Config: cfg, Board: s.board, Library: library, Runner: runner, Operator: operator(),
		Context: s.cluster.Context, Namespace: s.cluster.Namespace, Trouble: trouble,
		Chart: s.prom.Chart,
		Preview: func(ctx context.Context, cmd runbooks.Bound) (runbooks.Preview, error) {
			return runbooks.PreviewOf(ctx, cmd, target, sql)
		},
		Permissions: func(ctx context.Context, cmd runbooks.Bound) []runbooks.Obstacle {
			return runbooks.Permissions(ctx, cmd, target)
		},
		Follow: s.follower(ctx),
	})
	defer cockpit.Close()
	_, err = tea.NewProgram(cockpit, programOptions(ctx, cfg)...).Run()
	return err
}

// openJournal opens the journal that is configured. Where it cannot be written
// the cockpit runs all the same with one in memory, says so, and the runner
// refuses what would change something without a lasting record.
func openJournal(ctx context.Context, cfg config.Config) (journal incidents.Journal, closeJournal func() error, trouble error) {
	nothing := func() error { return nil }
	if cfg.Journal == config.JournalInMemory {
		return incidents.NewMemory(), nothing, nil
	}
	path := cfg.Journal
	if path == "" {
		var err error
		if path, err = config.JournalPath(os.Environ()); err != nil {
			return incidents.NewMemory(), nothing, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return incidents.NewMemory(), nothing, fmt.Errorf("journal %s: %w; steps that change something are refused: set --journal to a file that can be written, or to memory", path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, journalOpening)
	defer cancel()
	opened, err := incidents.OpenSQLite(ctx, path)
	if err != nil {
		return incidents.NewMemory(), nothing, fmt.Errorf("journal %s: %w; steps that change something are refused: set --journal to a file that can be written, or to memory", path, err)
	}
	return opened, opened.Close, nil
}

// journalOpening is how long the journal may take to open before the cockpit
// goes on without it.
const journalOpening = 2 * time.Second

// programOptions fit the program to the terminal it runs in.
func programOptions(ctx context.Context, cfg config.Config) []tea.ProgramOption {
	options := []tea.ProgramOption{tea.WithContext(ctx)}
	if os.Getenv("SSH_TTY") != "" {
		options = append(options, tea.WithFPS(10)) // a frame is a packet there
	}
	if cfg.NoColor {
		options = append(options, tea.WithColorProfile(colorprofile.ASCII))
	}
	return options
}

// target is the cluster that commands run against, pinned in a kubeconfig of
// their own. Without a usable cluster it is empty, and the runner refuses what
// calls kubectl.
func (s *station) target(folder string) runbooks.Target {
	path, err := s.cluster.PinnedKubeconfig(folder)
	if err != nil {
		return runbooks.Target{}
	}
	return runbooks.Target{Kubeconfig: path, Context: s.cluster.Context, Namespace: s.cluster.Namespace}
}

// follower returns what starts a log tail of its own. The service's own
// selector is followed already.
func (s *station) follower(ctx context.Context) func(string) (*probes.Tail, func()) {
	return func(selector string) (*probes.Tail, func()) {
		if selector == s.cfg.Service.Selector {
			return s.board.Logs, func() {}
		}
		ctx, stop := context.WithCancel(ctx)
		tail := s.board.NewTail(s.cfg.Logs.Lines)
		go s.cluster.FollowLogs(ctx, probes.LogSource{Selector: selector, Since: s.cfg.Logs.Since}, tail)
		return tail, stop
	}
}

// operator is who sits at this terminal.
func operator() incidents.Operator {
	actor := incidents.Actor{Name: "unknown"}
	if u, err := user.Current(); err == nil {
		actor.Name = u.Username
	}
	if sudo := os.Getenv("SUDO_USER"); sudo != "" {
		actor.Name = sudo // root is nobody: who became it is
	}
	if host, err := os.Hostname(); err == nil {
		actor.Host = host
	}
	return incidents.Operator{Actor: actor, Role: incidents.Driver}
}
