//go:build unix

package testenv

import (
	"context"
	"os"
	"testing"

	"github.com/erpgo/flightdeck/testenv/faultproxy"
	"github.com/erpgo/flightdeck/testenv/server"
)

// The servers and what they can be told, by the names that tests use.
type (
	// Postgres is a PostgreSQL server of the test's own.
	Postgres = server.Postgres
	// PostgresOptions says what is in it.
	PostgresOptions = server.PostgresOptions
	// Redis is a Redis server of the test's own.
	Redis = server.Redis
	// RedisOptions says how it is set up.
	RedisOptions = server.RedisOptions
	// Prometheus is a Prometheus server of the test's own.
	Prometheus = server.Prometheus
	// PrometheusOptions says what it scrapes and evaluates.
	PrometheusOptions = server.PrometheusOptions
	// ScrapeJob is one of its targets.
	ScrapeJob = server.ScrapeJob
	// Alertmanager is an Alertmanager server of the test's own.
	Alertmanager = server.Alertmanager
	// ControlPlane is a Kubernetes control plane of the test's own.
	ControlPlane = server.ControlPlane
	// ControlPlaneOptions says which parts of it run.
	ControlPlaneOptions = server.ControlPlaneOptions
)

// StartPostgres starts a PostgreSQL server that only this test uses, and ends
// it with the test.
func StartPostgres(t testing.TB, options PostgresOptions) *Postgres {
	t.Helper()
	return start(t, func(ctx context.Context, folder string) (*Postgres, error) {
		return server.NewPostgres(ctx, folder, options)
	})
}

// StartRedis starts a Redis server that only this test uses, and ends it with
// the test.
func StartRedis(t testing.TB, options RedisOptions) *Redis {
	t.Helper()
	return start(t, func(ctx context.Context, folder string) (*Redis, error) {
		return server.NewRedis(ctx, folder, options)
	})
}

// StartPrometheus starts a Prometheus server that only this test uses, and
// ends it with the test.
func StartPrometheus(t testing.TB, options PrometheusOptions) *Prometheus {
	t.Helper()
	return start(t, func(ctx context.Context, folder string) (*Prometheus, error) {
		return server.NewPrometheus(ctx, folder, options)
	})
}

// StartAlertmanager starts an Alertmanager server that only this test uses,
// and ends it with the test.
func StartAlertmanager(t testing.TB) *Alertmanager {
	t.Helper()
	return start(t, func(ctx context.Context, folder string) (*Alertmanager, error) {
		return server.NewAlertmanager(ctx, folder, "")
	})
}

// StartControlPlane starts a Kubernetes control plane that only this test uses,
// and ends it with the test.
func StartControlPlane(t testing.TB, options ControlPlaneOptions) *ControlPlane {
	t.Helper()
	if options.Progress == nil {
		options.Progress = os.Stderr
	}
	return start(t, func(ctx context.Context, folder string) (*ControlPlane, error) {
		return server.NewControlPlane(ctx, folder, options)
	})
}

// NewAPIProxy puts a fault proxy in front of a control plane's API server and
// returns it with a kubeconfig that goes through it. It is closed with the
// test.
func NewAPIProxy(t testing.TB, cp *ControlPlane) (proxy *faultproxy.HTTP, kubeconfig string) {
	t.Helper()
	proxy, kubeconfig, err := cp.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return proxy, kubeconfig
}

// Load fills a namespace with pods that run, labelled app=load, on nodes of
// their own. They stay until the cluster goes.
func Load(t testing.TB, kubectl, kubeconfig, namespace string, pods int) {
	t.Helper()
	if err := server.Load(t.Context(), kubectl, kubeconfig, namespace, pods); err != nil {
		t.Fatal(err)
	}
}

// NewProxy starts a TCP proxy in front of upstream, host:port, and closes it
// with the test.
func NewProxy(t testing.TB, upstream string) *faultproxy.Proxy {
	t.Helper()
	proxy, err := faultproxy.New(upstream)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(proxy.Close)
	return proxy
}

// start makes a server in a temporary folder; both go with the test. A test
// that has failed gets to see what its server had to say.
func start[S interface {
	Discard() error
	LogTail() string
}](t testing.TB, run func(ctx context.Context, folder string) (S, error)) S {
	t.Helper()
	folder, err := server.NewFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := folder.Remove(); err != nil {
			t.Errorf("remove the server's folder: %v", err)
		}
	})
	started, err := run(t.Context(), folder.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := started.Discard(); err != nil {
			t.Errorf("end the server: %v", err)
		}
		if t.Failed() {
			t.Logf("%T said:%s", started, started.LogTail())
		}
	})
	return started
}

// Browser returns the path of a browser that draws pages without a screen. A
// test that looks at a page fails where there is none, and says what to install.
func Browser(t testing.TB) string {
	t.Helper()
	path, err := server.Find("chromium")
	if err != nil {
		t.Fatal(err)
	}
	return path
}
