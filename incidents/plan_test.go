package incidents

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/erpgo/flightdeck/runbooks"
)

var pinned = runbooks.Target{Kubeconfig: "/run/pinned", Context: "prod-eu", Namespace: "erpgo"}

func bash(script string, risk runbooks.Risk) runbooks.Bound {
	return runbooks.Bound{Command: runbooks.Command{Text: script, Language: runbooks.Bash, Risk: risk}, Script: script}
}

func TestConfirmNamesTheObject(t *testing.T) {
	for script, want := range map[string]string{
		"kubectl rollout undo deployment/erpgo-api --to-revision=41":                       "erpgo-api",
		"kubectl rollout undo deployment erpgo-api":                                        "erpgo-api",
		"kubectl rollout restart deploy/erpgo-api":                                         "erpgo-api",
		"kubectl scale deployment/erpgo-api --replicas=0":                                  "erpgo-api",
		"kubectl scale --replicas 5 deployment erpgo-api-canary":                           "erpgo-api-canary",
		"kubectl set env deployment/erpgo-api MAINTENANCE_MODE_AUTH=true":                  "erpgo-api",
		"kubectl set image deployment/erpgo-api api=erpgo/api:1.4.1":                       "erpgo-api",
		"kubectl set resources deployment/redis --limits=memory=4Gi":                       "redis",
		"kubectl set resources \\\n  deployment/erpgo-api --limits cpu=2,memory=4Gi":       "erpgo-api",
		"kubectl delete pod postgres-0":                                                    "postgres-0",
		"kubectl delete pod postgres-0 --grace-period 0 --force":                           "postgres-0",
		"kubectl --namespace erpgo delete pod/postgres-0":                                  "postgres-0",
		"kubectl -nerpgo delete pod 'postgres-0'":                                          "postgres-0",
		"kubectl exec -it postgres-0 -- pg_resetwal /var/lib/postgresql/data":              "postgres-0",
		"kubectl exec -i deployment/erpgo-api -- ./erpgo migrate down":                     "erpgo-api",
		"kubectl exec redis-0 -c redis -- redis-cli DEL 'ratelimit:user:7'":                "redis-0",
		`kubectl patch service erpgo-api -p '{"spec":{"selector":{"version":"green"}}}'`:   "erpgo-api",
		`kubectl patch deployment erpgo-api-canary --type merge -p '{"a":1}'`:              "erpgo-api-canary",
		"kubectl get pods; kubectl delete pod postgres-0":                                  "postgres-0",
		"kubectl rollout history deployment/a && kubectl rollout undo deployment/b":        "b",
		"kubectl cordon node-7":                                                            "node-7",
		"kubectl drain node-7 --ignore-daemonsets":                                         "node-7",
		"kubectl create secret generic db --from-literal=a=b":                              "db",
		"kubectl create configmap settings":                                                "settings",
		"kubectl label pod postgres-0 a=b":                                                 "postgres-0",
		"sudo kubectl delete pod postgres-0":                                               "postgres-0",
		"bash -c 'kubectl delete pod postgres-0'":                                          "postgres-0",
		"kubectl apply -f - <<EOF\nkind: NetworkPolicy\nEOF":                               "erpgo",
		"kubectl apply -f k8s/deployment-green.yaml":                                       "erpgo",
		"kubectl delete pods -l app=erpgo-api":                                             "erpgo",
		"kubectl delete pod \"$POD\"":                                                      "erpgo",
		"./scripts/backup.sh":                                                              "erpgo",
		"kubectl exec -it postgres-0 -- psql -c 'SELECT pg_terminate_backend(pid) FROM x'": "postgres-0",
		"kubectl autoscale deployment erpgo-api --min 3 --max 10":                          "erpgo-api",
	} {
		r := newRunner(t, Options{Target: pinned})
		if got := r.Plan(driver, "", bash(script, runbooks.Changes), CommandRef{}).Confirm; got != want {
			t.Errorf("%s\n asks for %q, want %q", script, got, want)
		}
	}
	for statement, want := range map[string]string{
		"DROP TABLE IF EXISTS sessions;":                          "sessions",
		"CREATE INDEX CONCURRENTLY idx_orders ON orders (id)":     "idx_orders",
		"-- why\n/* and\nwho */ UPDATE users SET locked = false":  "users",
		"delete from audit_logs where timestamp < now()":          "audit_logs",
		"TRUNCATE \"Orders\"":                                     "Orders",
		"VACUUM ANALYZE orders":                                   "orders",
		"SELECT pg_terminate_backend(4411)":                       "erpgo",
		"ALTER SYSTEM SET max_connections = 200":                  "erpgo",
		"SELECT 'x'; -- UPDATE is only spoken of":                 "erpgo",
		"INSERT INTO erpgo.blocked (address) VALUES ('10.0.0.1')": "erpgo.blocked",
	} {
		bound := runbooks.Bound{Command: runbooks.Command{Language: runbooks.SQL, Risk: runbooks.Destroys}, Script: statement}
		if got := confirmWord(bound, shellText{}, pinned); got != want {
			t.Errorf("%s\n asks for %q, want %q", statement, got, want)
		}
	}
	for _, tc := range []struct {
		target runbooks.Target
		want   string
	}{{runbooks.Target{Context: "prod"}, "prod"}, {runbooks.Target{}, "run"}} {
		if got := confirmWord(bash("./x", runbooks.Changes), shellText{}, tc.target); got != tc.want {
			t.Errorf("in %+v: %q, want %q", tc.target, got, tc.want)
		}
	}
}

func TestPlanAsksOnlyForWhatMayChangeSomething(t *testing.T) {
	r := newRunner(t, Options{Target: pinned})
	for risk, want := range map[runbooks.Risk]string{
		runbooks.Reads: "", runbooks.Changes: "erpgo", runbooks.Destroys: "erpgo", runbooks.Unknown: "erpgo", "": "erpgo", "made up": "erpgo",
	} {
		p := r.Plan(driver, "", bash("true", risk), CommandRef{})
		if p.Confirm != want || p.Refused != "" {
			t.Errorf("risk %q: %+v, want confirmation %q", risk, p, want)
		}
		if (risk == "" || risk == "made up") && p.Risk != runbooks.Unknown {
			t.Errorf("risk %q is shown as %q", risk, p.Risk)
		}
	}
}

func TestPlanRefusesToLeaveTheCluster(t *testing.T) {
	for _, script := range []string{
		"kubectl --context other get pods",
		"kubectl get pods --context=other",
		"kubectl --context \"$CTX\" get pods",
		"kubectl --kubeconfig ~/.kube/config get pods",
		"kubectl -s https://10.0.0.1 get pods",
		"kubectl --server=https://10.0.0.1 get pods",
		"kubectl --token x get pods",
		"KUBECONFIG=~/.kube/config kubectl get pods",
		"export KUBECONFIG=~/.kube/config; kubectl get pods",
		"unset KUBECONFIG; kubectl get pods",
		"env -u KUBECONFIG kubectl get pods",
		"env KUBECONFIG=/x kubectl get pods",
		"bash -c 'KUBECONFIG=/x kubectl get pods'",
		"watch 'kubectl --context other get pods'",
		"kubectl config use-context other",
		"kubectl config set-context --current --namespace=other",
		"for c in a b; do kubectl --context $c get pods; done",
		"kubectl get pods | tee >(kubectl --context other apply -f -)",
		"if",
	} {
		r := newRunner(t, Options{Target: pinned})
		if p := r.Plan(driver, "", bash(script, runbooks.Reads), CommandRef{}); p.Refused == "" {
			t.Errorf("%s\n may run", script)
		}
	}
	for _, script := range []string{
		"kubectl get pods",
		"kubectl --context prod-eu -n other get pods",
		"kubectl config view", "kubectl config current-context",
		"kubectl exec p -- sh -c 'curl -s --token x'",
		"kubectl exec p -- env KUBECONFIG=/x true",
		"kubectl set env deployment/x KUBERNETES_THING=1",
		"curl -s http://localhost",
		"echo kubectl",
	} {
		r := newRunner(t, Options{Target: pinned})
		if p := r.Plan(driver, "", bash(script, runbooks.Reads), CommandRef{}); p.Refused != "" {
			t.Errorf("%s\n is refused: %s", script, p.Refused)
		}
	}
}

func TestPlanWithoutAClusterOrAnExecutor(t *testing.T) {
	r := newRunner(t, Options{})
	if p := r.Plan(driver, "", bash("kubectl get pods", runbooks.Reads), CommandRef{}); !strings.Contains(p.Refused, "no cluster is configured; set") {
		t.Errorf("kubectl without a cluster: %q", p.Refused)
	}
	if p := r.Plan(driver, "", bash("date", runbooks.Reads), CommandRef{}); p.Refused != "" {
		t.Errorf("date without a cluster: %q", p.Refused)
	}
	bound := runbooks.Bound{Command: runbooks.Command{Language: runbooks.SQL, Risk: runbooks.Reads}, Script: "SELECT 1"}
	if p := r.Plan(driver, "", bound, CommandRef{}); !strings.Contains(p.Refused, `nothing here executes "sql"`) {
		t.Errorf("SQL without an executor: %q", p.Refused)
	}
}

func TestPlanNamesOtherNamespaces(t *testing.T) {
	r := newRunner(t, Options{Target: pinned})
	for script, want := range map[string][]string{
		"kubectl get pods": nil,
		"kubectl -n erpgo get pods; kubectl get pods -n kube-system; kubectl get nodes -A": {"all namespaces", "kube-system"},
		"kubectl get pods --namespace=monitoring":                                          {"monitoring"},
		"kubectl exec p -- ls -A":                                                          nil,
	} {
		if diff := cmp.Diff(want, r.Plan(driver, "", bash(script, runbooks.Reads), CommandRef{}).Elsewhere); diff != "" {
			t.Errorf("%s: %s", script, diff)
		}
	}
}

func TestPlanMasksSecrets(t *testing.T) {
	r := newRunner(t, Options{Target: pinned, Secrets: []string{"ours"}})
	bound := bash("curl -u op:theirs https://ours@host", runbooks.Reads)
	bound.Secrets = []string{"theirs"}
	p := r.Plan(driver, "", bound, CommandRef{})
	if want := "curl -u op:" + Mask + " https://" + Mask + "@host"; p.Script != want {
		t.Errorf("%q, want %q", p.Script, want)
	}
}
