package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"

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
	library, err := openLibrary(cfg)
	if err != nil {
		return err
	}
	folder, err := os.MkdirTemp("", "flightdeck-")
	if err != nil {
		return fmt.Errorf("make a folder for the pinned kubeconfig: %w; set TMPDIR to one that can be written", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	s := newStation(cfg)
	journal, trouble := openJournal(ctx, cfg)
	defer func() { err = errors.Join(err, journal.close()) }()
	sql := runbooks.NewSQLExecutor(cfg.Database.URL)
	defer sql.Close()
	target := s.target(folder)
	runner := incidents.NewRunner(incidents.Options{
		Journal:   journal.Journal,
		Snapshot:  journal.snapshot,
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
	watched := make(chan struct{})
	go func() { defer close(watched); library.Watch(ctx, nil) }() // who shows runbooks listens to library.Changes
	defer func() { cancel(); <-done; <-watched }()

	cockpit := views.NewCockpit(views.Deps{
		Config: cfg, Board: s.board, Library: library, Runner: runner, Operator: operator(),
		Context: s.cluster.Context, Namespace: s.cluster.Namespace, Trouble: trouble,
		Chart: s.prom.Chart,
		Preview: func(ctx context.Context, cmd runbooks.Bound) (runbooks.Preview, error) {
			return runbooks.PreviewOf(ctx, cmd, target, sql)
		},
		Explain: sql.Explain,
		Permissions: func(ctx context.Context, cmd runbooks.Bound) []runbooks.Obstacle {
			return runbooks.Permissions(ctx, cmd, target)
		},
		Services: s.cluster.Services,
		Follow:   s.follower(ctx),
		Silencer: probes.NewSilencer(cfg.Alertmanager),
		Send:     sender(cfg.Webhook), Webhook: cfg.Webhook.Name,
	})
	defer cockpit.Close()
	_, err = tea.NewProgram(cockpit, programOptions(ctx, cfg)...).Run()
	return err
}

// openLibrary reads the runbooks, and which of them the configuration says an
// alert belongs to.
func openLibrary(cfg config.Config) (*runbooks.Library, error) {
	library, err := runbooks.Open(cfg.Runbooks)
	if err != nil {
		return nil, err
	}
	alerts := make(map[string]string, len(cfg.AlertRunbooks))
	for _, r := range cfg.AlertRunbooks {
		alerts[r.Name] = r.Value
	}
	library.Map(alerts)
	return library, nil
}

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
