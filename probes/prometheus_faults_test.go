//go:build unix

package probes

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

// cockpit is a Prometheus and an Alertmanager, each behind a fault proxy, with
// the probes that read them.
type cockpit struct {
	prom      *testenv.Prometheus
	promProxy *faultproxy.Proxy
	am        *testenv.Alertmanager
	amProxy   *faultproxy.Proxy
	board     *Board
}

// startCockpit waits until one alert fires, one is silenced, and the signal has
// its history.
func startCockpit(t *testing.T) *cockpit {
	t.Helper()
	shop := startShop(t, map[string]float64{"shop_error_ratio": 0.062, "shop_noise": 1})
	c := &cockpit{am: testenv.StartAlertmanager(t), board: NewBoard(1)}
	c.prom = testenv.StartPrometheus(t, testenv.PrometheusOptions{
		Jobs:         []testenv.ScrapeJob{{Name: "shop", Target: shop.addr}},
		Rules:        []byte(shopRules),
		Alertmanager: c.am.Addr,
	})
	c.promProxy = testenv.NewProxy(t, c.prom.Addr)
	c.amProxy = testenv.NewProxy(t, c.am.Addr)
	prom := NewProm(promAt("http://" + c.promProxy.Addr))
	alerts := NewAlerts(prom, amAt("http://"+c.amProxy.Addr), c.board)
	silenceAlert(t, alerts.alertmanager, "KnownNoise", time.Hour)
	runProbe(t, alerts)
	runProbe(t, NewSignals(prom, []config.Signal{{Name: "clock", Query: "vector(time())"}}, c.board))
	c.awaitCalm(t)
	return c
}

// awaitCalm waits until both sources are read as if nothing had ever happened.
func (c *cockpit) awaitCalm(t *testing.T) {
	t.Helper()
	began := time.Now()
	awaitStates(t, c.board, "HighErrorRate critical firing", "KnownNoise critical silenced")
	awaitReading(t, &c.board.Alerts, "news of both servers", func(r Reading[Alerts]) bool {
		return r.Err == nil && r.TakenAt.After(began) && r.Value.AlertmanagerErr == nil && r.Value.AlertmanagerAt.After(began)
	})
	awaitGood(t, &c.board.Signals, began)
}

// fault is one way in which a server is away. A restart ends it by itself.
type fault struct {
	name  string
	want  string // in the error
	begin func() error
	end   func() error
}

func faults(t *testing.T, proxy *faultproxy.Proxy, server interface {
	Stop() error
	Start(ctx context.Context) error
},
) []fault {
	pass := func() error { return proxy.Set(faultproxy.Pass) }
	return []fault{
		{"refusing", "connection refused", func() error { return proxy.Set(faultproxy.Refuse) }, pass},
		{"hanging", "no answer within 2s", func() error { return proxy.Set(faultproxy.Hang) }, pass},
		{"garbage", "malformed HTTP", func() error { return proxy.Set(faultproxy.Garbage) }, pass},
		{"restarting", "connection", server.Stop, func() error { return server.Start(t.Context()) }},
	}
}

func TestPrometheusFaults(t *testing.T) {
	c := startCockpit(t)
	for _, f := range faults(t, c.promProxy, c.prom) {
		t.Run(f.name, func(t *testing.T) {
			if err := f.begin(); err != nil {
				t.Fatal(err)
			}
			alerts := awaitReading(t, &c.board.Alerts, "an error about "+f.want, func(r Reading[Alerts]) bool {
				return r.Err != nil && strings.Contains(r.Err.Error(), f.want)
			})
			signals := awaitReading(t, &c.board.Signals, "an error about "+f.want, func(r Reading[Signals]) bool {
				return r.Err != nil && strings.Contains(r.Err.Error(), f.want)
			})
			now := time.Now()
			if len(alerts.Value.Alerts) != 2 || alerts.State(now) != Stale || alerts.Age(now) <= 0 || alerts.ErrSince.Before(alerts.TakenAt) {
				t.Errorf("the alerts are %v, %v old, failing since %v; want the last good ones, stale", states(alerts.Value), alerts.Age(now), alerts.ErrSince)
			}
			if len(signals.Value.Signals) != 1 || len(signals.Value.Signals[0].Points) < 240 || signals.State(now) != Stale {
				t.Errorf("the signals are %+v; want the last good ones, stale", signals.State(now))
			}
			// Alertmanager is read on.
			for range 3 {
				last := c.board.Alerts.Load().Value.AlertmanagerAt
				awaitReading(t, &c.board.Alerts, "the next news of Alertmanager", func(r Reading[Alerts]) bool {
					return r.Err != nil && r.Value.AlertmanagerErr == nil && r.Value.AlertmanagerAt.After(last)
				})
			}
			if err := f.end(); err != nil {
				t.Fatal(err)
			}
			c.awaitCalm(t)
		})
	}
}

func TestAlertmanagerFaults(t *testing.T) {
	c := startCockpit(t)
	for _, f := range faults(t, c.amProxy, c.am) {
		t.Run(f.name, func(t *testing.T) {
			if err := f.begin(); err != nil {
				t.Fatal(err)
			}
			if f.name == "hanging" {
				// Prometheus is read at its own pace before Alertmanager is even
				// given up, so nothing waits for it.
				for range 3 {
					last := c.board.Alerts.Load().TakenAt
					awaitReading(t, &c.board.Alerts, "the next alerts", func(r Reading[Alerts]) bool {
						return r.TakenAt.After(last)
					})
				}
				if err := c.board.Alerts.Load().Value.AlertmanagerErr; err != nil {
					t.Errorf("the alerts waited until Alertmanager was given up: %v", err)
				}
			}
			r := awaitReading(t, &c.board.Alerts, "an error about "+f.want, func(r Reading[Alerts]) bool {
				err := r.Value.AlertmanagerErr
				return err != nil && strings.Contains(err.Error(), f.want)
			})
			if r.Err != nil {
				t.Errorf("the alerts themselves failed: %v", r.Err)
			}
			if got := states(r.Value); len(got) != 2 || got[1] != "KnownNoise critical silenced" || r.Value.AlertmanagerAt.IsZero() {
				t.Errorf("%v as of %v, want the silences that were last known", got, r.Value.AlertmanagerAt)
			}
			awaitGood(t, &c.board.Alerts, time.Now())
			awaitGood(t, &c.board.Signals, time.Now())
			if err := f.end(); err != nil {
				t.Fatal(err)
			}
			c.awaitCalm(t)
		})
	}
}
