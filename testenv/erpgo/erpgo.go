//go:build unix

package erpgo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"github.com/erpgo/flightdeck/testenv/lease"
	"github.com/erpgo/flightdeck/testenv/server"
)

//go:embed schema.sql
var schema string

//go:embed alertmanager.yaml
var alertmanagerConfig string

// poolSize is how many connections ERPGo may have.
const poolSize = 20

// ERPGo is the application with all its servers.
type ERPGo struct {
	folder      string
	appPassword string

	postgres     *server.Postgres
	redis        *server.Redis
	prometheus   *server.Prometheus
	alertmanager *server.Alertmanager
	control      *server.ControlPlane

	cluster  *cluster
	logs     *podLogs
	metrics  *metrics
	exporter *http.Server
	scraped  string // the exporter's address
	faults   faults
	pool     *pgxpool.Pool
	cache    *redis.Client
	traffic  *traffic

	// running ends what this process does for ERPGo: it is the one lifetime of
	// all its goroutines, which are begun by calls with lifetimes of their own.
	running context.Context
	cancel  context.CancelFunc
	done    sync.WaitGroup

	mu      sync.Mutex
	leaks   context.CancelFunc // gives the leaked connections back; nil without the fault
	reports context.CancelFunc // ends the slow reports; nil without the fault
	births  map[string]int     // of pods, by application
}

// Start brings ERPGo up in a folder and returns when its pods run and its
// alerts are evaluated. Progress is told what takes long.
func Start(ctx context.Context, folder string, progress io.Writer) (*ERPGo, error) {
	if err := server.Missing(); err != nil {
		return nil, err
	}
	running, cancel := context.WithCancel(context.Background())
	e := &ERPGo{
		folder: folder, appPassword: server.NewPassword(),
		running: running, cancel: cancel, births: map[string]int{},
	}
	if err := e.start(ctx, progress); err != nil {
		_ = e.Close()
		return nil, err
	}
	return e, nil
}

func (e *ERPGo) start(ctx context.Context, progress io.Writer) error {
	if err := e.startBackends(ctx); err != nil {
		return err
	}
	e.metrics = newMetrics(e.pool)
	var err error
	if e.exporter, e.scraped, err = e.metrics.serve(); err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	parts, partsCtx := errgroup.WithContext(ctx)
	parts.Go(func() error { return e.startMonitoring(partsCtx) })
	parts.Go(func() error { return e.startCluster(partsCtx, progress) })
	if err := parts.Wait(); err != nil {
		return err
	}
	e.traffic = &traffic{
		cluster: e.cluster, logs: e.logs, metrics: e.metrics, faults: &e.faults, pool: e.pool, redis: e.cache,
	}
	if err := e.traffic.warm(ctx); err != nil {
		return fmt.Errorf("fill the cache: %w", err)
	}
	e.done.Go(func() { e.traffic.run(e.running) })
	e.done.Go(func() { e.traffic.failedLogins(e.running) })
	e.done.Go(func() { e.watchBackends(e.running) })
	return nil
}

// startBackends starts the database and the cache, which the pods' commands
// have to know.
func (e *ERPGo) startBackends(ctx context.Context) error {
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() (err error) {
		folder, err := e.subfolder("postgres")
		if err != nil {
			return err
		}
		e.postgres, err = server.NewPostgres(ctx, folder, server.PostgresOptions{
			Database: "erpgo",
			SQL: fmt.Sprintf("CREATE ROLE erpgo LOGIN PASSWORD '%s'; ALTER DATABASE erpgo OWNER TO erpgo; GRANT ALL ON SCHEMA public TO erpgo;",
				e.appPassword) + schema,
		})
		return err
	})
	parts.Go(func() (err error) {
		folder, err := e.subfolder("redis")
		if err != nil {
			return err
		}
		e.redis, err = server.NewRedis(ctx, folder, server.RedisOptions{Settings: map[string]string{"maxmemory": "32mb"}})
		return err
	})
	if err := parts.Wait(); err != nil {
		return err
	}
	return e.connect()
}

// connect makes ERPGo's own clients; they connect when they are first used.
func (e *ERPGo) connect() error {
	config, err := pgxpool.ParseConfig(e.postgres.URLFor("erpgo", e.appPassword))
	if err != nil {
		return errors.New("connect to the database: its own URL does not parse")
	}
	config.MaxConns = poolSize
	config.ConnConfig.RuntimeParams["application_name"] = "erpgo-api"
	if e.pool, err = pgxpool.NewWithConfig(context.Background(), config); err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	options, err := redis.ParseURL(e.redis.URL())
	if err != nil {
		return errors.New("connect to the cache: its own URL does not parse")
	}
	options.ContextTimeoutEnabled, options.MaxRetries, options.ClientName = true, -1, "erpgo-api"
	e.cache = redis.NewClient(options)
	return nil
}

func (e *ERPGo) startMonitoring(ctx context.Context) error {
	folder, err := e.subfolder("alertmanager")
	if err != nil {
		return err
	}
	if e.alertmanager, err = server.NewAlertmanager(ctx, folder, alertmanagerConfig); err != nil {
		return err
	}
	rules, err := Rules(TestTiming)
	if err != nil {
		return err
	}
	if folder, err = e.subfolder("prometheus"); err != nil {
		return err
	}
	e.prometheus, err = server.NewPrometheus(ctx, folder, server.PrometheusOptions{
		Jobs:         []server.ScrapeJob{{Name: Deployment, Target: e.scraped}},
		Rules:        rules,
		Alertmanager: e.alertmanager.Addr,
	})
	return err
}

func (e *ERPGo) startCluster(ctx context.Context, progress io.Writer) error {
	pods, err := e.podCommands()
	if err != nil {
		return fmt.Errorf("prepare the pods' commands: %w", err)
	}
	folder, err := e.subfolder("cluster")
	if err != nil {
		return err
	}
	e.control, err = server.NewControlPlane(ctx, folder, server.ControlPlaneOptions{
		Namespace: Namespace, Pods: pods, Progress: progress,
	})
	if err != nil {
		return err
	}
	if err := e.linkKubectl(); err != nil {
		return err
	}
	if e.logs, err = newPodLogs(filepath.Join(e.folder, "logs")); err != nil {
		return err
	}
	e.cluster, err = newCluster(e.control.Kubectl, e.control.Kubeconfig, e.logs, e.born)
	if err != nil {
		return fmt.Errorf("connect to the cluster: %w", err)
	}
	return e.cluster.deploy(ctx, e.running)
}

// Settings is where everything is.
func (e *ERPGo) Settings() lease.Settings {
	return lease.Settings{
		Kubeconfig:       e.control.Kubeconfig,
		Context:          server.ContextName,
		Namespace:        Namespace,
		Bin:              e.bin(),
		PrometheusURL:    e.prometheus.URL(),
		AlertmanagerURL:  e.alertmanager.URL(),
		DatabaseURL:      e.postgres.URL(),
		AdminDatabaseURL: e.postgres.AdminURL(),
		RedisURL:         e.redis.URL(),
	}
}

// Release rolls out a release that fails on two requests in five ("bad") or the
// one that ERPGo started with ("good"), and returns when it runs.
func (e *ERPGo) Release(ctx context.Context, which string) error {
	switch which {
	case "bad":
		return e.cluster.release(ctx, badImage, "release 1.4.3: discounts")
	case "good":
		return e.cluster.release(ctx, goodImage, "release 1.4.2: faster order search")
	default:
		return fmt.Errorf(`there is no release %q; there are "bad" and "good"`, which)
	}
}

// Close ends everything. The folder is the caller's.
func (e *ERPGo) Close() error {
	e.cancel()
	e.done.Wait()
	if e.exporter != nil {
		_ = e.exporter.Close()
	}
	var failures []error
	discard := func(name string, end func() error) {
		if err := end(); err != nil {
			failures = append(failures, fmt.Errorf("end %s: %w", name, err))
		}
	}
	if e.control != nil {
		discard("the control plane", e.control.Discard)
	}
	if e.prometheus != nil {
		discard("prometheus", e.prometheus.Discard)
	}
	if e.alertmanager != nil {
		discard("alertmanager", e.alertmanager.Discard)
	}
	if e.cache != nil {
		_ = e.cache.Close()
	}
	if e.redis != nil {
		discard("redis", e.redis.Discard)
	}
	if e.postgres != nil {
		discard("postgres", e.postgres.Discard)
	}
	if e.pool != nil {
		e.pool.Close() // its connections are cut: it waits for none
	}
	return errors.Join(failures...)
}

func (e *ERPGo) subfolder(name string) (string, error) {
	path := filepath.Join(e.folder, name)
	return path, os.Mkdir(path, 0o711)
}
