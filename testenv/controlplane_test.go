//go:build unix

package testenv_test

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

func TestAPIServerBehindAProxy(t *testing.T) {
	cp := testenv.StartControlPlane(t, testenv.ControlPlaneOptions{APIServerOnly: true})
	proxy, kubeconfig := testenv.NewAPIProxy(t, cp)
	ask := func() (string, error) { return kubectl(t, cp.Kubectl, kubeconfig, "get", "namespaces", "-o", "name") }

	if out, err := ask(); err != nil || !strings.Contains(out, "namespace/default") {
		t.Fatalf("through the proxy: %v\n%s", err, out)
	}
	proxy.Respond(-1, "/api/v1/namespaces", faultproxy.Answer{
		Status: http.StatusForbidden,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","message":"the proxy says no","code":403}`,
	})
	if out, err := ask(); err == nil || !strings.Contains(out, "the proxy says no") {
		t.Fatalf("answered by the proxy: %v\n%s", err, out)
	}
	proxy.Forward()
	if err := cp.APIServer.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if out, err := ask(); err != nil {
		t.Fatalf("after a restart: %v\n%s", err, out)
	}
}

// kubectl runs one command and returns what it printed, both streams.
func kubectl(t *testing.T, path, kubeconfig string, arguments ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	command := exec.CommandContext(ctx, path, append([]string{"--kubeconfig", kubeconfig}, arguments...)...)
	command.Env = append(os.Environ(), "KUBECACHEDIR="+t.TempDir())
	output, err := command.CombinedOutput()
	return string(output), err
}
