//go:build unix

package testenv_test

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/erpgo/flightdeck/testenv"
)

// The commands are those of ERPGo's runbooks, with their placeholders filled.
func TestRunbookCommands(t *testing.T) {
	env := testenv.Shared(t)
	for _, test := range []struct{ line, want string }{
		{`kubectl rollout history deployment/erpgo-api`, `(?m)^1 +release 1\.4\.1.*\n(?:.*\n)*\d+ +release 1\.4\.2`},
		{`kubectl get pods -l app=erpgo-api`, `(?:erpgo-api-\S+ +1/1 +Running.*\n){3}`},
		{`kubectl get endpoints postgres-service`, `postgres-service +\S+:5432`},
		{`kubectl exec deployment/erpgo-api -- psql -h postgres-service -U erpgo -c "SELECT 1"`, `\(1 row\)`},
		{`kubectl exec postgres-0 -- psql -U erpgo -d erpgo -c "SELECT user_id, COUNT(*) AS attempts FROM audit_logs
			WHERE event_type = 'login_failed' AND timestamp > NOW() - INTERVAL '1 hour' GROUP BY user_id"`, `user\d{4} +\| +\d`},
		{`kubectl exec postgres-0 -- df -h /var/lib/postgresql/data`, `%`},
		{`kubectl exec postgres-0 -- ls -lh /var/lib/postgresql/data/pg_wal/`, `0000000100000000`},
		{`kubectl exec postgres-0 -- cat /var/lib/postgresql/data/postgresql.conf`, `shared_preload_libraries`},
		{`kubectl exec redis-0 -- redis-cli INFO memory`, `maxmemory_policy:allkeys-lru`},
		{`kubectl exec deployment/erpgo-api -- ./erpgo version`, `erpgo/api:1\.4\.\d`},
		{`kubectl exec deployment/erpgo-api -- ./erpgo migrate status`, `audit logs`},
		{`kubectl get secret erpgo-secrets -o jsonpath='{.data.JWT_SECRET}' | base64 -d | wc -c`, `^40`},
		{`kubectl logs -l app=postgres --tail=100`, `ready to accept connections`},
		{`kubectl logs -l app=redis --tail=100`, `Ready to accept connections`},
		{`kubectl logs -l app=erpgo-api --tail=1000 | grep -E "POST|PUT|DELETE" | awk '{print $7}' | sort | uniq -c | sort -rn`, `\d /api/v1/`},
		{`kubectl set image deployment/erpgo-api api=erpgo/api:9 --dry-run=server -o jsonpath='{.spec.template.spec.containers[0].image}'`, `erpgo/api:9`},
		{`kubectl auth can-i delete pods`, `yes`},
	} {
		t.Run(test.line, func(t *testing.T) {
			want := regexp.MustCompile(test.want)
			eventually(t, 10*time.Second, func() error {
				out, err := shell(t, env, test.line)
				if err != nil || !want.MatchString(out) {
					return fmt.Errorf("error %w; want %s, got\n%s", err, test.want, out)
				}
				return nil
			})
		})
	}
}

func TestLogsAreFollowed(t *testing.T) {
	env := testenv.Shared(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	logs := exec.CommandContext(ctx, env.Kubectl(), "logs", "-l", "app=erpgo-api", "-f", "--prefix", "--tail=1")
	logs.Env = env.Environ()
	out, err := logs.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := logs.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = logs.Wait() }()
	lines := map[string]int{} // by pod
	var seen bytes.Buffer
	buffer := make([]byte, 4096)
	for len(lines) < 3 || slices.Min(slices.Collect(maps.Values(lines))) < 5 {
		n, err := out.Read(buffer)
		if err != nil {
			t.Fatalf("%v after lines %v\n%s", err, lines, seen.String())
		}
		seen.Write(buffer[:n])
		for {
			line, err := seen.ReadString('\n')
			if err != nil {
				seen.Reset()
				seen.WriteString(line)
				break
			}
			pod, _, _ := strings.Cut(line, " ")
			lines[pod]++
		}
	}
}

func TestARollbackHeals(t *testing.T) {
	world := testenv.Shared(t).Exclusive(t)
	world.BadRelease()
	awaitAlerts(t, world.Env, "HighErrorRate")

	out, err := shell(t, world.Env, `kubectl logs -l app=erpgo-api --tail=200 | grep ERROR`)
	if err != nil || !strings.Contains(out, "pricing.Discount") {
		t.Errorf("the log of a bad release: %v\n%s", err, out)
	}
	if out, err := shell(t, world.Env, `kubectl rollout undo deployment/erpgo-api`); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	awaitAlerts(t, world.Env)
}

func TestFaultsLeadToTheirAlerts(t *testing.T) {
	world := testenv.Shared(t).Exclusive(t)
	faults := []string{"slow", "logins", "pool", "cache"}
	for _, name := range faults {
		world.Fault(name)
	}
	awaitAlerts(t, world.Env, "HighResponseTime", "HighFailedLoginRate", "DatabaseConnectionPoolExhausted", "LowCacheHitRate")

	out, err := shell(t, world.Env, `kubectl logs -l app=erpgo-api --tail=5000 | grep "authentication failed" | awk '{print $5}' | sort | uniq -c | sort -rn | head -1`)
	if err != nil || !strings.Contains(out, "203.0.113.66") {
		t.Errorf("the addresses that fail to log in: %v\n%s", err, out)
	}
	for _, name := range faults {
		world.Clear(name)
	}
	awaitAlerts(t, world.Env)
}

func TestANewPodRestartsTheDatabase(t *testing.T) {
	world := testenv.Shared(t).Exclusive(t)
	world.Fault("database-down")
	awaitAlerts(t, world.Env, "PostgreSQLDown")
	if out, err := shell(t, world.Env, `kubectl delete pod postgres-0`); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	awaitAlerts(t, world.Env)
	if out, err := shell(t, world.Env, `kubectl exec postgres-0 -- psql -c 'SELECT 1'`); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// awaitAlerts waits until these alerts fire, and maybe others that follow from
// them; without any, until none is left.
func awaitAlerts(t *testing.T, env *testenv.Env, want ...string) {
	t.Helper()
	client, err := api.NewClient(api.Config{Address: env.PrometheusURL})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func() error {
		result, err := prometheus.NewAPI(client).Alerts(t.Context())
		if err != nil {
			return err
		}
		firing := map[string]bool{}
		for _, alert := range result.Alerts {
			firing[string(alert.Labels[model.AlertNameLabel])] = alert.State == prometheus.AlertStateFiring
		}
		for _, name := range want {
			if !firing[name] {
				return fmt.Errorf("%s does not fire; alerts %v", name, firing)
			}
		}
		if len(want) == 0 && len(firing) > 0 {
			return fmt.Errorf("alerts %v", firing)
		}
		return nil
	})
}

// eventually tries until the condition holds.
func eventually(t *testing.T, within time.Duration, condition func() error) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		err := condition()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within %s: %v", within, err)
		}
	}
}

// shell runs a line as an operator would type it.
func shell(t *testing.T, env *testenv.Env, line string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", line)
	command.Env = env.Environ()
	output, err := command.CombinedOutput()
	return string(output), err
}
