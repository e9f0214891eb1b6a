package probes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/erpgo/flightdeck/config"
)

const twoContexts = `apiVersion: v1
kind: Config
current-context: staging
contexts:
- name: staging
  context: {cluster: staging, user: me}
- name: prod-eu
  context: {cluster: prod, user: ops, namespace: erpgo}
clusters:
- name: staging
  cluster: {server: "https://staging.example:6443", insecure-skip-tls-verify: true}
- name: prod
  cluster: {server: "https://prod.example:6443", certificate-authority: pki/ca.crt}
users:
- name: me
  user: {token: secret-of-staging}
- name: ops
  user:
    exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/login, interactiveMode: IfAvailable}
`

// kubeconfigFile writes a kubeconfig and, for its context prod-eu, a
// certificate authority beside it. The environment names no other.
func kubeconfigFile(t *testing.T, content string) string {
	t.Helper()
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "missing"))
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	dir := t.TempDir()
	path := filepath.Join(dir, "config")
	if err := os.MkdirAll(filepath.Join(dir, "pki"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{path: content, filepath.Join(dir, "pki", "ca.crt"): testCA} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func TestOpenClusterResolvesAsKubectlDoes(t *testing.T) {
	path := kubeconfigFile(t, twoContexts)
	other := filepath.Join(t.TempDir(), "other")
	if err := os.WriteFile(other, []byte("apiVersion: v1\nkind: Config\ncurrent-context: prod-eu\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		env                        string
		cfg                        config.Kubernetes
		context, namespace, server string
	}{
		"current context":   {cfg: config.Kubernetes{Kubeconfig: path}, context: "staging", namespace: "default", server: "https://staging.example:6443"},
		"KUBECONFIG":        {env: path, context: "staging", namespace: "default", server: "https://staging.example:6443"},
		"list, first wins":  {env: other + string(os.PathListSeparator) + path, context: "prod-eu", namespace: "erpgo", server: "https://prod.example:6443"},
		"list as a setting": {cfg: config.Kubernetes{Kubeconfig: other + string(os.PathListSeparator) + path}, context: "prod-eu", namespace: "erpgo", server: "https://prod.example:6443"},
		"--context":         {cfg: config.Kubernetes{Kubeconfig: path, Context: "prod-eu"}, context: "prod-eu", namespace: "erpgo", server: "https://prod.example:6443"},
		"--namespace": {
			cfg:     config.Kubernetes{Kubeconfig: path, Context: "prod-eu", Namespace: "billing"},
			context: "prod-eu", namespace: "billing", server: "https://prod.example:6443",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.env != "" {
				t.Setenv("KUBECONFIG", test.env)
			}
			c, err := OpenCluster(test.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if c.Context != test.context || c.Namespace != test.namespace || c.Server != test.server {
				t.Errorf("context %q, namespace %q, server %q", c.Context, c.Namespace, c.Server)
			}
		})
	}
}

func TestOpenClusterSaysWhatIsWrong(t *testing.T) {
	path := kubeconfigFile(t, twoContexts)
	broken := kubeconfigFile(t, "contexts: {not a list}")
	aimless := kubeconfigFile(t, strings.Replace(twoContexts, "current-context: staging", "", 1))
	tests := map[string]struct {
		cfg           config.Kubernetes
		notConfigured bool
		want          []string
	}{
		"nothing":         {notConfigured: true, want: []string{"not configured", "KUBECONFIG", "--kubeconfig"}},
		"missing file":    {cfg: config.Kubernetes{Kubeconfig: "/nowhere/config"}, want: []string{"/nowhere/config does not exist", "--kubeconfig"}},
		"broken file":     {cfg: config.Kubernetes{Kubeconfig: broken}, want: []string{"kubeconfig", broken}},
		"unknown context": {cfg: config.Kubernetes{Kubeconfig: path, Context: "prod"}, want: []string{`"prod"`, "--context", "prod-eu, staging"}},
		"no context":      {cfg: config.Kubernetes{Kubeconfig: aimless}, want: []string{"no current context", "--context", "prod-eu, staging"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := OpenCluster(test.cfg)
			if err == nil {
				t.Fatal("no error")
			}
			if errors.Is(err, ErrNotConfigured) != test.notConfigured {
				t.Errorf("ErrNotConfigured is not what is wanted: %v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("%q tells a secret", err)
			}
			// What such a cluster is given to says the same and does not hang.
			board := NewBoard(10)
			if err := Run(t.Context(), NewPods(c, "", board), NewLogs(c, "app=a", config.Logs{}, board)); err != nil {
				t.Error(err)
			}
			if got := board.Pods.Load().Err; !errors.Is(got, err) {
				t.Errorf("the pods say %v", got)
			}
			if got := board.Logs.State().Err; !errors.Is(got, err) {
				t.Errorf("the logs say %v", got)
			}
			if _, got := c.PinnedKubeconfig(t.TempDir()); !errors.Is(got, err) {
				t.Errorf("pinning says %v", got)
			}
		})
	}
}

func TestPinnedKubeconfigHoldsOneContext(t *testing.T) {
	path := kubeconfigFile(t, twoContexts)
	c, err := OpenCluster(config.Kubernetes{Kubeconfig: path, Context: "prod-eu", Namespace: "billing"})
	if err != nil {
		t.Fatal(err)
	}
	// What becomes of the user's kubeconfig afterwards is of no consequence.
	if err := os.WriteFile(path, []byte("apiVersion: v1\nkind: Config\ncurrent-context: elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pinned, err := c.PinnedKubeconfig(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(pinned); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v; want 0600", info.Mode(), err)
	}
	got, err := clientcmd.LoadFromFile(pinned)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Contexts) != 1 || len(got.Clusters) != 1 || len(got.AuthInfos) != 1 {
		t.Errorf("%d contexts, %d clusters, %d users; want one each", len(got.Contexts), len(got.Clusters), len(got.AuthInfos))
	}
	if got.CurrentContext != "prod-eu" || got.Contexts["prod-eu"].Namespace != "billing" {
		t.Errorf("current context %q, contexts %v", got.CurrentContext, got.Contexts)
	}
	dir := filepath.Dir(path)
	if ca := got.Clusters["prod"].CertificateAuthority; ca != filepath.Join(dir, "pki", "ca.crt") {
		t.Errorf("certificate authority %q is not an absolute path", ca)
	}
	login := got.AuthInfos["ops"].Exec
	if login == nil || login.Command != filepath.Join(dir, "bin", "login") {
		t.Errorf("credential plugin %v", login)
	}
}

func TestCredentialPluginsGetNoTerminal(t *testing.T) {
	path := kubeconfigFile(t, twoContexts)
	pinned, err := loadKubeconfig(config.Kubernetes{Kubeconfig: path, Context: "prod-eu"})
	if err != nil {
		t.Fatal(err)
	}
	if !pinned.AuthInfos["ops"].Exec.StdinUnavailable {
		t.Error("a credential plugin may read the keys that are meant for the cockpit")
	}
}

// testCA is any certificate: only its being one matters.
const testCA = `-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUa7uLJ8eOEcuUYgL95/0vRaM4c2MwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjQxOTA3MTJaGA8yMTI2MTAzMTE5MDcx
MlowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABBCY
+vjhfbfHg2/mpQyq3tkUfNkPdu+7yR5KSoex145J2gasaJmqhToNRTjt7Ihx8aYH
DStAVa7czpk5IaG40nWjUzBRMB0GA1UdDgQWBBS+8xqIXTdJ/H14vTZyKv63xNrR
FjAfBgNVHSMEGDAWgBS+8xqIXTdJ/H14vTZyKv63xNrRFjAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQD4vGWsSKSR+D+6N3NqtX137VQUSeneQTQO
LPGEleUwjQIhAKe9deGqNkZYYA08JoDRdRQ/ya94Y9Zmq03EiEuO4Aez
-----END CERTIFICATE-----
`
