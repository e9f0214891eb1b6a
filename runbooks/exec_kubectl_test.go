package runbooks

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The real kubectl, without an API server: which context and namespace it would
// use, whatever the operator's own files and variables say.
func TestBashPinsKubectl(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("no kubectl on PATH; `make test` brings one")
	}
	config := func(path, context, namespace string) string {
		t.Helper()
		text := strings.NewReplacer("CONTEXT", context, "NAMESPACE", namespace).Replace(`apiVersion: v1
kind: Config
current-context: CONTEXT
contexts: [{name: CONTEXT, context: {cluster: c, user: u, namespace: NAMESPACE}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {}}]
`)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	config(filepath.Join(dir, ".kube", "config"), "operators-own", "default")
	t.Setenv("KUBECONFIG", config(filepath.Join(dir, "other"), "of-the-shell", "other"))
	target := Target{Kubeconfig: config(filepath.Join(dir, "pinned"), "prod-eu", "erpgo"), Context: "prod-eu", Namespace: "erpgo"}

	script := "kubectl config view --minify -o 'jsonpath={.current-context} {.contexts[0].context.namespace}'"
	for _, form := range []string{script, "cd /; " + script, `sh -c "` + strings.ReplaceAll(script, "'", `\"`) + `"`} {
		var c captured
		result := BashExecutor{}.Execute(t.Context(), Bound{Script: form}, target, c.take)
		if got := c.stdout.String(); got != "prod-eu erpgo" || !result.OK() {
			t.Errorf("%s\n answers %q %q", form, got, c.stderr.String())
		}
	}
	var c captured
	result := BashExecutor{}.Execute(t.Context(), Bound{Script: "kubectl --context operators-own get pods"}, target, c.take)
	if result.OK() || !strings.Contains(c.stderr.String(), "operators-own") {
		t.Errorf("another context can be named: %+v %s", result, c.all.String())
	}
}
