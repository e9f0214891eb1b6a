package views

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
)

// noon is when all fixtures are read.
var noon = time.Date(2026, 3, 4, 14, 3, 27, 0, time.UTC)

// burning is a board on which a release has gone wrong. Nothing is polled: what
// the views draw is a function of readings, and these are readings.
func burning(t *testing.T) *probes.Board {
	t.Helper()
	b := probes.NewBoard(1000)
	ago := func(d time.Duration) time.Time { return noon.Add(-d) }
	rule := probes.AlertRule{Name: "HighErrorRate", Query: `sum(rate(http_requests_total{status=~"5.."}[5m])) / sum(rate(http_requests_total[5m])) > 0.05`, For: 5 * time.Minute}
	b.Alerts.Publish(probes.Alerts{Rules: make([]probes.AlertRule, 6), Alerts: []probes.Alert{
		{
			Name: "HighErrorRate", State: probes.Firing, Severity: "critical", Since: ago(6*time.Minute + 12*time.Second), Value: 0.062, Rule: rule,
			Labels: map[string]string{"severity": "critical"}, Annotations: map[string]string{"summary": "6.2 % of requests fail", "runbook_url": "https://runbooks.example/RUNBOOKS.md#high-error-rate"},
		},
		{Name: "HighResponseTime", State: probes.Firing, Severity: "warning", Since: ago(3*time.Minute + 40*time.Second), Value: 2.31},
		{Name: "DatabaseConnectionPoolExhausted", State: probes.Pending, Severity: "critical", Since: ago(48 * time.Second), Value: 91},
	}}, ago(2*time.Second), 5*time.Second)

	b.Signals.Publish(probes.Signals{Signals: signals(func(i int) float64 { return 1 + math.Max(0, float64(i-150))/20 })}, ago(2*time.Second), 5*time.Second)
	pod := func(name, status string, ready, restarts int, age time.Duration) probes.Pod {
		p := probes.Pod{Name: name, Status: status, Ready: ready, Containers: 1, Healthy: ready == 1, Restarts: restarts, Created: ago(age), Node: "node-1"}
		if restarts > 2 {
			p.LastRestart = ago(31 * time.Second)
		}
		return p
	}
	b.Pods.Publish(probes.Pods{Context: "prod-eu", Namespace: "erpgo", Pods: []probes.Pod{
		pod("erpgo-api-74777df64b-cl8jb", "CrashLoopBackOff", 0, 4, 6*time.Minute),
		pod("erpgo-api-74777df64b-62v9v", "Running", 1, 0, 6*time.Minute),
		pod("erpgo-api-74777df64b-fdm5s", "Running", 1, 1, 6*time.Minute),
		pod("postgres-0", "Running", 1, 0, 41*24*time.Hour),
		pod("redis-0", "Running", 1, 0, 41*24*time.Hour),
	}, Deployments: []probes.Deployment{{Name: "erpgo-api", Desired: 3, Ready: 2, Revision: 42, Images: []string{"erpgo/api:1.4.2"}, RolledOut: ago(6 * time.Minute), Revisions: []probes.Revision{
		{Number: 42, Images: []string{"erpgo/api:1.4.2"}, Created: ago(6 * time.Minute)}, {Number: 41, Images: []string{"erpgo/api:1.4.1"}, Created: ago(72 * time.Hour), ChangeCause: "release 1.4.1"},
	}}}}, ago(0), 0)

	b.Database.Publish(probes.Database{
		Version: "15.14", Name: "erpgo", Size: 7 << 30, Max: 100, Reserved: 3, Total: 91, Active: 62, IdleInTx: 17, Idle: 12, Waiting: 9,
		Longest:  &probes.Backend{PID: 4411, User: "rpt", Application: "rpt", Age: 4*time.Minute + 11*time.Second, State: "active", Query: "select * from orders"},
		OldestTx: &probes.Backend{PID: 4411, User: "rpt", Application: "rpt", Age: 4*time.Minute + 12*time.Second, State: "active"},
		Blocked:  []probes.Block{{Waiter: probes.Backend{PID: 4502, Age: 71 * time.Second, Wait: "Lock: transactionid", Query: "update orders set state = 'paid' where id = 7"}, Blockers: []int{4411}}},
		Statements: []probes.Statement{
			{Query: "select * from orders where customer_id = $1", Calls: 182_331, Total: 91 * time.Minute, Mean: 30 * time.Millisecond},
			{Query: "update stock set reserved = reserved + $1 where sku = $2", Calls: 40_112, Total: 12 * time.Minute, Mean: 18 * time.Millisecond},
		},
	}, ago(time.Second), 2*time.Second)
	history := make([]probes.Point, 60)
	for i := range history {
		history[i] = probes.Point{At: ago(time.Duration(60-i) * time.Minute), Value: 0.96 - float64(max(0, i-30))*0.009}
	}
	b.Cache.Publish(probes.Cache{
		Version: "7.0.15", Role: "master", HitRate: 0.69, Over: 2 * time.Second, History: history, Lookups: 2100, Memory: 3328599654, MaxMemory: 4 << 30,
		Policy: "allkeys-lru", Evicted: 12, Clients: 48, MaxClients: 10000, Keys: 182331, Ping: 400 * time.Microsecond, Uptime: 41 * 24 * time.Hour,
	}, ago(time.Second), 2*time.Second)
	b.Logins.Publish(probes.Logins{
		PerMinute: 3, Threshold: 10, Window: 15 * time.Minute, Total: 45, Addresses: 2, Users: 3, Pattern: probes.NoPattern,
		ByAddress: []probes.Tally{{Name: "10.4.8.15", Count: 41, Last: ago(9 * time.Second)}, {Name: "10.4.8.77", Count: 3, Last: ago(2 * time.Minute)}},
		ByUser:    []probes.Tally{{Name: "user0017", Count: 38, Last: ago(9 * time.Second)}, {Name: "user42", Count: 4, Last: ago(2 * time.Minute)}},
		Sources:   []probes.LoginSource{{Name: "audit"}, {Name: "metric", Err: errors.New("prometheus: no sample")}},
	}, ago(time.Second), 5*time.Second)
	for i := range 41 {
		b.Logs.Append(probes.Line{
			At: ago(time.Duration(90-i) * time.Second), Pod: "erpgo-api-74777df64b-62v9v", Level: "ERROR", Message: "order create failed",
			Raw: "order create failed", Fields: []probes.Field{{Key: "err", Value: `relation "order_tax" does not exist`}, {Key: "path", Value: "/api/v1/orders"}},
		})
	}
	b.Logs.Append(probes.Line{At: ago(1500 * time.Millisecond), Pod: "erpgo-api-74777df64b-fdm5s", Level: "WARN", Message: "pool acquire slow", Fields: []probes.Field{{Key: "wait", Value: "1.8s"}}})
	b.Logs.Append(probes.Line{At: ago(100 * time.Millisecond), Pod: "erpgo-api-74777df64b-62v9v", Level: "INFO", Message: "login ok", Fields: []probes.Field{{Key: "user", Value: "user42"}}})
	b.Logs.Describe("app=erpgo-api", []probes.PodTail{
		{Pod: "erpgo-api-74777df64b-62v9v", State: probes.TailFollowing}, {Pod: "erpgo-api-74777df64b-fdm5s", State: probes.TailFollowing}, {Pod: "erpgo-api-74777df64b-cl8jb", State: probes.TailReconnecting},
	}, 0, nil)
	return b
}

// signals are the default ones with an hour of values made by shape, as a
// multiple of half the threshold.
func signals(shape func(i int) float64) []probes.Signal {
	var out []probes.Signal
	for _, s := range config.Default().Signals {
		limit := math.Max(s.Warn, s.Critical)
		if limit == 0 {
			limit = 400
		}
		sig := probes.Signal{Signal: s}
		for i := range 240 {
			v := limit * 0.3 * shape(i)
			if s.Below {
				v = limit + 0.01
			}
			sig.Points = append(sig.Points, probes.Point{At: noon.Add(time.Duration(i-239) * 15 * time.Second), Value: v})
		}
		out = append(out, sig)
	}
	return out
}

const book = `# Book

## High Error Rate

**Alert Name:** ` + "`HighErrorRate`" + `

**Severity:** Critical

### Investigation Steps

1. **Check the error logs:**
   ` + "```bash" + `
   printf 'ERROR order create failed\n'
   ` + "```" + `

2. **Check recent deployments:**
   ` + "```bash" + `
   # Who released what
   printf 'REVISION\n41\n42\n'
   ` + "```" + `

3. **Check external dependencies:**
   - Verify the cache is reachable
   - Look at the status pages

### Resolution Steps

1. **If caused by recent deployment:**
   ` + "```bash" + `
   kubectl rollout undo deployment/erpgo-api
   ` + "```" + `
`

// testCockpit is a cockpit over a board, with an executor that runs real bash
// and a journal in memory.
func testCockpit(t *testing.T, board *probes.Board) *Cockpit {
	t.Helper()
	return cockpitOf(t, board, book, incidents.Options{
		Journal:   incidents.NewMemory(),
		Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: runbooks.BashExecutor{}},
		Target:    runbooks.Target{Kubeconfig: filepath.Join(t.TempDir(), "kubeconfig"), Context: "prod-eu", Namespace: "erpgo"},
	})
}

// cockpitOf is a cockpit over a board with a library of one book.
func cockpitOf(t *testing.T, board *probes.Board, book string, options incidents.Options) *Cockpit {
	t.Helper()
	library := testLibrary(t, book)
	runner := incidents.NewRunner(options)
	t.Cleanup(func() { _ = runner.Close() })
	c := NewCockpit(Deps{
		Config: config.Default(), Board: board, Library: library, Runner: runner,
		Operator: incidents.Operator{Actor: incidents.Actor{Name: "op1", Host: "bastion"}, Role: incidents.Driver},
		Context:  "prod-eu", Namespace: "erpgo",
		Chart: func(context.Context, string, time.Time, time.Time, time.Duration) (probes.Chart, error) {
			return errorRate(), nil
		},
		Preview: func(context.Context, runbooks.Bound) (runbooks.Preview, error) {
			return runbooks.Preview{
				Now:     []string{"revision 42   erpgo/api:1.4.2   3 replicas, 2 ready"},
				After:   []string{"revision 41   erpgo/api:1.4.1   3 replicas"},
				Diff:    []string{"- image: erpgo/api:1.4.2", "+ image: erpgo/api:1.4.1"},
				Checked: []string{"dry run on the server"},
			}, nil
		},
		Permissions: func(context.Context, runbooks.Bound) []runbooks.Obstacle { return nil },
		Explain: func(context.Context, runbooks.Bound) ([]string, error) {
			return []string{"Limit  (cost=1.04..1.05 rows=1 width=80)", "  ->  Sort  (cost=1.04..1.05 rows=1 width=80)", "        Sort Key: (now() - query_start) DESC"}, nil
		},
		Silencer: probes.NewSilencer(config.Alertmanager{}),
		Services: func(context.Context) ([]probes.Service, error) {
			return []probes.Service{
				{Name: "erpgo-api", Type: "ClusterIP", Address: "10.96.4.20", Ports: []string{"8080/TCP"}, Created: noon.Add(-41 * 24 * time.Hour)},
				{Name: "postgres", Type: "ClusterIP", Address: "None", Ports: []string{"5432/TCP"}, Created: noon.Add(-41 * 24 * time.Hour)},
			}, nil
		},
		Follow: func(string) (*probes.Tail, func()) { return board.Logs, func() {} },
	})
	t.Cleanup(c.Close)
	c.now = noon
	return c
}

// errorRate is the chart of a release that went wrong a quarter of an hour ago.
func errorRate() probes.Chart {
	c := probes.Chart{Expr: "errors", Op: ">", Threshold: 0.05, Series: []probes.Series{{}}}
	for i := range 240 {
		v := 0.004 + 0.002*math.Sin(float64(i)/7)
		if i > 180 {
			v = 0.06 + 0.01*math.Sin(float64(i)/5)
		}
		c.Series[0].Points = append(c.Series[0].Points, probes.Point{At: noon.Add(time.Duration(i-239) * 15 * time.Second), Value: v})
	}
	return c
}

func sizes() [][2]int { return [][2]int{{80, 24}, {120, 40}, {200, 60}} }

func size(s [2]int) string { return fmt.Sprintf("%dx%d", s[0], s[1]) }
