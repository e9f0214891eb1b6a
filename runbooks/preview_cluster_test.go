//go:build unix

package runbooks

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

const shopManifest = `apiVersion: apps/v1
kind: Deployment
metadata: {name: erpgo-api, namespace: erpgo, annotations: {kubernetes.io/change-cause: "release 1.4.1"}}
spec:
  replicas: 3
  selector: {matchLabels: {app: erpgo-api}}
  template:
    metadata: {labels: {app: erpgo-api}}
    spec:
      containers:
      - name: api
        image: erpgo/api:1.4.1
        env: [{name: CACHE_TTL_PERMISSIONS, value: "300"}]
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: postgres, namespace: erpgo}
spec:
  serviceName: postgres
  selector: {matchLabels: {app: postgres}}
  template:
    metadata: {labels: {app: postgres}}
    spec: {containers: [{name: postgres, image: "postgres:15"}]}
---
apiVersion: v1
kind: Service
metadata: {name: erpgo-api, namespace: erpgo}
spec: {selector: {app: erpgo-api}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: toolbox, namespace: erpgo, labels: {app: toolbox}}
spec: {containers: [{name: toolbox, image: "busybox:1"}]}
---
apiVersion: v1
kind: Secret
metadata: {name: erpgo-secrets, namespace: erpgo}
stringData: {PASSWORD: hunter2hunter2}
`

// clusterFixture is a real control plane with a small shop in it.
type clusterFixture struct {
	t      *testing.T
	cp     *testenv.ControlPlane
	target Target
}

func newClusterFixture(t *testing.T) *clusterFixture {
	t.Helper()
	cp := testenv.StartControlPlane(t, testenv.ControlPlaneOptions{Namespace: "erpgo"})
	t.Setenv("PATH", filepath.Dir(cp.Kubectl)+string(os.PathListSeparator)+os.Getenv("PATH"))
	f := &clusterFixture{t: t, cp: cp, target: Target{Kubeconfig: cp.Kubeconfig, Context: "flightdeck-testenv", Namespace: "erpgo"}}
	if f.kubectl("", "get", "namespaces", "-o", "name", "erpgo", "--ignore-not-found") == "" {
		f.kubectl("", "create", "namespace", "erpgo")
	}
	f.kubectl(shopManifest, "apply", "-f", "-")
	f.until("1", "get", "deployment", "erpgo-api", "-o", `jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}`)
	f.kubectl("", "set", "image", "deployment/erpgo-api", "api=erpgo/api:1.4.2")
	f.kubectl("", "annotate", "deployment/erpgo-api", "--overwrite", "kubernetes.io/change-cause=release 1.4.2")
	f.until("2", "get", "deployment", "erpgo-api", "-o", `jsonpath={.metadata.annotations.deployment\.kubernetes\.io/revision}`)
	f.until("postgres-0", "get", "pods", "-l", "app=postgres", "-o", "jsonpath={.items[*].metadata.name}")
	return f
}

// kubectl runs it as the administrator and returns what it says.
func (f *clusterFixture) kubectl(stdin string, args ...string) string {
	f.t.Helper()
	c := exec.CommandContext(f.t.Context(), f.cp.Kubectl, append([]string{"--kubeconfig", f.cp.Kubeconfig}, args...)...)
	c.Stdin = strings.NewReader(stdin)
	out, err := c.CombinedOutput()
	if err != nil {
		f.t.Fatalf("kubectl %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// until waits for kubectl to answer a text.
func (f *clusterFixture) until(want string, args ...string) {
	f.t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(60 * time.Second)
	for got := f.kubectl("", args...); got != want; got = f.kubectl("", args...) {
		if time.Now().After(deadline) {
			f.t.Fatalf("kubectl %q answers %q, want %q", args, got, want)
		}
		<-tick.C
	}
}

// state is everything that a preview must leave as it is: the objects' versions.
func (f *clusterFixture) state() string {
	f.t.Helper()
	return f.kubectl("", "get", "statefulsets,services,configmaps,secrets", "-n", "erpgo", "-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.metadata.uid}{"\n"}{end}`) +
		f.kubectl("", "get", "deployments,pods,replicasets", "-n", "erpgo", "-o", `jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.metadata.uid}{"\n"}{end}`)
}

func (f *clusterFixture) preview(script string, env ...string) (Preview, error) {
	f.t.Helper()
	return PreviewOf(f.t.Context(), Bound{Script: script, Env: env, Command: Command{Language: Bash}}, f.target, nil)
}

func TestPreviewCluster(t *testing.T) {
	f := newClusterFixture(t)
	before := f.state()
	manifest := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(manifest, []byte(strings.NewReplacer("replicas: 3", "replicas: 4", "hunter2hunter2", "hunter3").Replace(shopManifest)), 0o600); err != nil {
		t.Fatal(err)
	}

	for _, tc := range []struct {
		script                    string
		now, after, diff, warning string
	}{
		{
			"kubectl rollout undo deployment/erpgo-api",
			"revision 2 (release 1.4.2)\nimage of api: erpgo/api:1.4.2", "revision 1 (release 1.4.1)", "-          image: erpgo/api:1.4.2\n+          image: erpgo/api:1.4.1", "",
		},
		{"kubectl rollout undo deployment/erpgo-api --to-revision=1", "", "image of api: erpgo/api:1.4.1\na rollout: all 3 pods are replaced", "", ""},
		{"kubectl scale deployment/erpgo-api --replicas=5", "replicas: 3", "replicas: 5", "-  replicas: 3\n+  replicas: 5", ""},
		{"kubectl scale deployment/erpgo-api --replicas=1", "replicas: 3", "replicas: 1", "", "scales Deployment erpgo-api DOWN from 3 to 1"},
		{"kubectl scale deployment erpgo-api --replicas=0", "", "replicas: 0", "", "nothing is left that serves"},
		{"kubectl scale deployment/erpgo-api --replicas=3", "replicas: 3 already", "", "", ""},
		{"kubectl set env deployment/erpgo-api CACHE_TTL_PERMISSIONS=600", "CACHE_TTL_PERMISSIONS: 300", "CACHE_TTL_PERMISSIONS: 600", "", ""},
		{"kubectl set env deployment/erpgo-api \\\n  REQUIRE_MFA=$MFA", "REQUIRE_MFA: not set", "REQUIRE_MFA: true\na rollout: all 3 pods are replaced", "", ""},
		{"kubectl set resources deployment/erpgo-api --limits=cpu=2,memory=4Gi", "memory limit of api: not set", "memory limit of api: 4Gi", "", ""},
		{"kubectl set image deployment/erpgo-api api=erpgo/api:1.4.3", "image of api: erpgo/api:1.4.2", "image of api: erpgo/api:1.4.3", "", ""},
		{`kubectl patch deployment erpgo-api -p '{"spec":{"replicas":2}}'`, "replicas: 3", "replicas: 2", "", "DOWN from 3 to 2"},
		{
			`kubectl patch service erpgo-api -p '{"spec":{"selector":{"version":"green"}}}'`,
			"serves pods with: app=erpgo-api", "serves pods with: app=erpgo-api,version=green", "+    version: green", "would serve nothing: no pod has app=erpgo-api,version=green",
		},
		{"kubectl delete pod postgres-0", "Pod postgres-0", "made again under the same name by StatefulSet postgres", "", ""},
		{"kubectl delete pod -l app=erpgo-api", "owned by ReplicaSet erpgo-api-", "makes another in its place", "", "deletes "},
		{"kubectl delete pod toolbox", "Pod toolbox", "Pod toolbox: gone", "", "nothing owns Pod toolbox"},
		{"kubectl delete deployment erpgo-api", "Deployment erpgo-api: 3 pods", "gone, with its pods", "", ""},
		{"kubectl rollout restart deployment/erpgo-api", "Deployment erpgo-api: ", "all 3 pods are replaced", "", ""},
		{"kubectl apply -f " + manifest, "replicas: 3", "replicas: 4", "PASSWORD: •••••• ", ""},
		{
			"kubectl apply -f - <<EOF\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: notes\ndata:\n  a: b\nEOF",
			"ConfigMap notes: is not there", "ConfigMap notes: is created", "", "",
		},
	} {
		p, err := f.preview(tc.script, "MFA=true")
		if err != nil {
			t.Errorf("%s: %v", tc.script, err)
			continue
		}
		t.Logf("%s\n now   %s\n after %s\n%s\n%s", tc.script, strings.Join(p.Now, "\n       "), strings.Join(p.After, "\n       "), strings.Join(p.Diff, "\n"), strings.Join(p.Warnings, "\n"))
		contains(t, tc.script+": Now", p.Now, tc.now)
		contains(t, tc.script+": After", p.After, tc.after)
		contains(t, tc.script+": Diff", p.Diff, tc.diff)
		contains(t, tc.script+": Warnings", p.Warnings, tc.warning)
		if tc.warning == "" && len(p.Warnings) > 0 {
			t.Errorf("%s warns of %q", tc.script, p.Warnings)
		}
		if len(p.Diff) > maxDiffLines || p.Where != "flightdeck-testenv / erpgo" || len(p.Checked) == 0 {
			t.Errorf("%s: %+v", tc.script, p)
		}
		if all := fmt.Sprint(p); strings.Contains(all, "hunter") {
			t.Errorf("%s shows a Secret:\n%s", tc.script, all)
		}
	}
	if after := f.state(); after != before {
		t.Errorf("the previews changed the cluster:\n%s\nbecame\n%s", before, after)
	}

	// What the server would refuse is told, and is no ErrNoPreview.
	for script, want := range map[string]string{
		"kubectl scale deployment/erpgo --replicas=5":                         `"erpgo" not found`,
		"kubectl rollout undo deployment/erpgo-api --to-revision=9":           "unable to find specified revision",
		`kubectl patch deployment erpgo-api -p '{"spec":{"replicas":"two"}}'`: "replicas",
	} {
		if _, err := f.preview(script); err == nil || errors.Is(err, ErrNoPreview) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", script, err, want)
		}
	}
	for _, script := range []string{
		"kubectl scale deployment/$NAME --replicas=5",
		"kubectl get pods -o name | xargs kubectl delete",
		"cat x.yaml | kubectl apply -f -",
		"kubectl replace --raw /api/v1/namespaces/erpgo/pods/toolbox -f x.json",
		"kubectl delete pod toolbox --dry-run=none",
		"kubectl create -f x.yaml --edit",
		"kubectl delete pod toolbox --context other",
		"kubectl drain node-1", "./scripts/rollback.sh", "redis-cli FLUSHALL",
	} {
		if p, err := f.preview(script); !errors.Is(err, ErrNoPreview) {
			t.Errorf("%s: %+v %v", script, p, err)
		}
	}
	if after := f.state(); after != before {
		t.Errorf("a refused preview changed the cluster:\n%s\nbecame\n%s", before, after)
	}
	f.permissions()
	f.silent()
}

// permissions asks as somebody who may only read pods.
func (f *clusterFixture) permissions() {
	t := f.t
	f.kubectl("", "create", "serviceaccount", "reader", "-n", "erpgo")
	f.kubectl("", "create", "role", "reader", "-n", "erpgo", "--verb=get,list", "--resource=pods")
	f.kubectl("", "create", "rolebinding", "reader", "-n", "erpgo", "--role=reader", "--serviceaccount=erpgo:reader")
	token := f.kubectl("", "create", "token", "reader", "-n", "erpgo")
	data, err := os.ReadFile(f.cp.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "reader")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f.kubectl("", "config", "--kubeconfig", path, "set-credentials", "flightdeck-testenv", "--token", token)
	reader := Target{Kubeconfig: path, Context: "flightdeck-testenv", Namespace: "erpgo"}
	for script, want := range map[string]string{
		"kubectl get pods -l app=erpgo-api":                                      "",
		"kubectl describe pod postgres-0 | grep -A 5 cpu":                        "",
		"kubectl delete pod postgres-0":                                          "delete pod/postgres-0",
		"kubectl scale deployment/erpgo-api --replicas=5":                        "patch deployment/erpgo-api/scale",
		"kubectl exec -it postgres-0 -- psql -c 'SELECT 1'":                      "create pods/exec",
		"kubectl logs -l app=erpgo-api --tail=100":                               "get pods/log",
		"kubectl delete pod <postgres-pod>":                                      "delete pod",
		"kubectl get pods -n kube-system":                                        "list pods in kube-system",
		"watch kubectl get deployments":                                          "list deployments",
		"kubectl rollout undo deployment/erpgo-api && kubectl get deploy":        "patch deployment/erpgo-api, list deploy",
		"kubectl rollout history deployment/erpgo-api; echo; ./x; true; date -u": "get deployment/erpgo-api",
	} {
		var denied []string
		for _, o := range Permissions(t.Context(), Bound{Script: script, Command: Command{Language: Bash}}, reader) {
			denied = append(denied, o.What)
		}
		if got := strings.Join(denied, ", "); got != want {
			t.Errorf("%s is denied %q, want %q", script, got, want)
		}
		if denied := Permissions(t.Context(), Bound{Script: script, Command: Command{Language: Bash}}, f.target); len(denied) > 0 {
			t.Errorf("the administrator is denied %v", denied)
		}
	}
	none := Permissions(t.Context(), Bound{Script: "kubectl get pods", Command: Command{Language: Bash}}, Target{})
	if len(none) != 1 || !strings.Contains(none[0].Why, "none is configured") {
		t.Errorf("without a cluster: %+v", none)
	}
}

// silent: a cluster that does not answer costs the bounded time and claims
// nothing.
func (f *clusterFixture) silent() {
	t := f.t
	proxy, kubeconfig := testenv.NewAPIProxy(t, f.cp)
	if err := proxy.Set(faultproxy.Hang); err != nil {
		t.Fatal(err)
	}
	target := Target{Kubeconfig: kubeconfig, Context: "flightdeck-testenv", Namespace: "erpgo"}
	cmd := Bound{Script: "kubectl delete pod postgres-0", Command: Command{Language: Bash}}
	began := time.Now()
	_, err := PreviewOf(t.Context(), cmd, target, nil)
	if took := time.Since(began); took > previewLimit+2*time.Second || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after %v: %v", took, err)
	}
	began = time.Now()
	denied := Permissions(t.Context(), cmd, target)
	if took := time.Since(began); took > permissionLimit+2*time.Second || len(denied) > 0 {
		t.Errorf("after %v: %v", took, denied)
	}
}
