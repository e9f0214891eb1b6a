//go:build unix

package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/erpgo/flightdeck/testenv/faultproxy"
	"github.com/erpgo/flightdeck/testenv/loopback"
)

// ContextName is the name of the cluster, of its user, and of the context in
// the kubeconfigs of a control plane.
const ContextName = "flightdeck-testenv"

// ControlPlaneOptions says which parts of a control plane run.
type ControlPlaneOptions struct {
	// APIServerOnly runs etcd and the API server: objects can be made and
	// watched, and nothing happens to them.
	APIServerOnly bool
	// Namespace is the one of the kubeconfig's context; "default" when empty.
	Namespace string
	// Pods says what logs and exec do; see [Pods].
	Pods Pods
	// Progress is told when binaries have to be built first; nobody is when nil.
	Progress io.Writer
}

// ControlPlane is a Kubernetes control plane, with KWOK for the nodes.
type ControlPlane struct {
	Etcd              *Process
	APIServer         *Process
	ControllerManager *Process // nil with APIServerOnly
	Scheduler         *Process // nil with APIServerOnly
	KWOK              *Process // nil with APIServerOnly

	Addr       string // of the API server: host:port on loopback, TLS
	Kubeconfig string // path of a file with an administrator's token
	Kubectl    string // path of a kubectl of the same version

	folder    string
	namespace string
	token     string
	identity  *identity
}

// NewControlPlane starts a control plane that works in the folder, and returns
// when the API server is ready and the other parts run.
func NewControlPlane(ctx context.Context, folder string, options ControlPlaneOptions) (*ControlPlane, error) {
	if options.Progress == nil {
		options.Progress = io.Discard
	}
	if options.Namespace == "" {
		options.Namespace = "default"
	}
	binaries, err := BuildControlPlane(ctx, options.Progress)
	if err != nil {
		return nil, err
	}
	identity, err := newIdentity(folder)
	if err != nil {
		return nil, err
	}
	cp := &ControlPlane{
		Etcd:      &Process{},
		APIServer: &Process{},
		Kubectl:   filepath.Join(binaries, "kubectl"),
		folder:    folder,
		namespace: options.Namespace,
		token:     NewPassword(),
		identity:  identity,
	}
	if err := cp.start(ctx, binaries, options); err != nil {
		_ = cp.Discard()
		return nil, err
	}
	return cp, nil
}

func (cp *ControlPlane) start(ctx context.Context, binaries string, options ControlPlaneOptions) error {
	etcd, err := cp.startEtcd(ctx, binaries)
	if err != nil {
		return err
	}
	if err := cp.startAPIServer(ctx, binaries, etcd); err != nil {
		return err
	}
	cp.Kubeconfig, err = cp.WriteKubeconfig("kubeconfig", "https://"+cp.Addr)
	if err != nil || options.APIServerOnly {
		return err
	}
	cp.ControllerManager, cp.Scheduler, cp.KWOK = &Process{}, &Process{}, &Process{}
	parts, ctx := errgroup.WithContext(ctx)
	parts.Go(func() error { return cp.startControllerManager(ctx, binaries) })
	parts.Go(func() error { return cp.startScheduler(ctx, binaries) })
	parts.Go(func() error { return cp.startKWOK(ctx, binaries, options.Pods) })
	return parts.Wait()
}

// startEtcd returns the URL that the API server finds it at.
func (cp *ControlPlane) startEtcd(ctx context.Context, binaries string) (string, error) {
	var client string
	err := onFreePort(ctx, func(port int) error {
		peerPort, err := loopback.FreePort()
		if err != nil {
			return err
		}
		client = "http://" + loopback.Addr(port)
		peer := "http://" + loopback.Addr(peerPort)
		cp.Etcd.command = command{
			name: "etcd",
			path: filepath.Join(binaries, "etcd"),
			args: []string{
				"--name=only", "--data-dir=" + filepath.Join(cp.folder, "etcd"),
				"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
				"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
				"--initial-cluster=only=" + peer,
				"--unsafe-no-fsync", "--log-level=warn",
			},
			dir:     cp.folder,
			stop:    syscall.SIGTERM,
			orphan:  syscall.SIGKILL,
			healthy: func(ctx context.Context) error { return get(ctx, client+"/health") },
		}
		return cp.Etcd.Start(ctx)
	})
	return client, err
}

func (cp *ControlPlane) startAPIServer(ctx context.Context, binaries, etcd string) error {
	tokens := filepath.Join(cp.folder, "tokens.csv")
	if err := os.WriteFile(tokens, []byte(cp.token+",admin,1,system:masters\n"), 0o600); err != nil {
		return err
	}
	return onFreePort(ctx, func(port int) error {
		cp.Addr = loopback.Addr(port)
		cp.APIServer.command = command{
			name: "kube-apiserver",
			path: filepath.Join(binaries, "kube-apiserver"),
			args: []string{
				"--etcd-servers=" + etcd,
				"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
				"--cert-dir=" + cp.folder,
				"--tls-cert-file=" + cp.identity.certFile, "--tls-private-key-file=" + cp.identity.keyFile,
				"--service-account-issuer=https://" + cp.Addr,
				"--service-account-key-file=" + cp.identity.keyFile,
				"--service-account-signing-key-file=" + cp.identity.keyFile,
				"--service-cluster-ip-range=10.0.0.0/24",
				"--token-auth-file=" + tokens,
				"--authorization-mode=RBAC",
				"--disable-admission-plugins=ServiceAccount",
				"--kubelet-preferred-address-types=InternalIP",
				"--endpoint-reconciler-type=none",
			},
			dir:     cp.folder,
			stop:    syscall.SIGTERM,
			orphan:  syscall.SIGKILL,
			healthy: cp.ready,
		}
		return cp.APIServer.Start(ctx)
	})
}

func (cp *ControlPlane) startControllerManager(ctx context.Context, binaries string) error {
	return onFreePort(ctx, func(port int) error {
		cp.ControllerManager.command = cp.component(binaries, "kube-controller-manager", port,
			"--service-account-private-key-file="+cp.identity.keyFile,
			"--root-ca-file="+cp.identity.certFile,
			// KWOK's heartbeats are 20 to 45 s apart, and later when it is busy.
			"--node-monitor-grace-period=10m",
			"--concurrent-deployment-syncs=20", "--concurrent-replicaset-syncs=20",
		)
		return cp.ControllerManager.Start(ctx)
	})
}

func (cp *ControlPlane) startScheduler(ctx context.Context, binaries string) error {
	return onFreePort(ctx, func(port int) error {
		cp.Scheduler.command = cp.component(binaries, "kube-scheduler", port)
		return cp.Scheduler.Start(ctx)
	})
}

// component is what the controller manager and the scheduler have in common:
// one instance, and no limit that thousands of pods would meet.
func (cp *ControlPlane) component(binaries, name string, port int, arguments ...string) command {
	return command{
		name: name,
		path: filepath.Join(binaries, name),
		args: append([]string{
			"--kubeconfig=" + cp.Kubeconfig,
			"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", port),
			"--cert-dir=" + cp.folder,
			"--tls-cert-file=" + cp.identity.certFile, "--tls-private-key-file=" + cp.identity.keyFile,
			"--leader-elect=false",
			"--kube-api-qps=1000", "--kube-api-burst=2000",
		}, arguments...),
		dir:    cp.folder,
		stop:   syscall.SIGTERM,
		orphan: syscall.SIGKILL,
		healthy: func(ctx context.Context) error {
			return cp.get(ctx, "https://"+loopback.Addr(port)+"/healthz")
		},
	}
}

// WriteKubeconfig writes a kubeconfig beside the others, with the
// administrator's token, for an API server at the URL, and returns its path.
func (cp *ControlPlane) WriteKubeconfig(name, url string) (string, error) {
	path := filepath.Join(cp.folder, name)
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: %[1]s
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: %[1]s, namespace: %[2]s}
clusters:
- name: %[1]s
  cluster: {server: %[3]q, certificate-authority: %[4]q}
users:
- name: %[1]s
  user: {token: %[5]s}
`, ContextName, cp.namespace, url, cp.identity.certFile, cp.token)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("write the kubeconfig: %w", err)
	}
	return path, nil
}

// Proxy puts a fault proxy in front of the API server and returns it with a
// kubeconfig that goes through it. TLS ends at the proxy, so that it can answer
// in the server's place.
func (cp *ControlPlane) Proxy() (*faultproxy.HTTP, string, error) {
	upstream := &url.URL{Scheme: "https", Host: cp.Addr}
	proxy, err := faultproxy.NewHTTP(upstream, cp.transport(), &cp.identity.pair)
	if err != nil {
		return nil, "", err
	}
	_, port, _ := net.SplitHostPort(proxy.Addr)
	kubeconfig, err := cp.WriteKubeconfig("kubeconfig-"+port, proxy.URL())
	if err != nil {
		proxy.Close()
		return nil, "", err
	}
	return proxy, kubeconfig, nil
}

// Discard ends all parts, the API server's clients first.
func (cp *ControlPlane) Discard() error {
	var first error
	for _, part := range []*Process{cp.KWOK, cp.Scheduler, cp.ControllerManager, cp.APIServer, cp.Etcd} {
		if part == nil {
			continue
		}
		if err := part.Discard(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// LogTail is the end of the API server's output.
func (cp *ControlPlane) LogTail() string { return cp.APIServer.LogTail() }

func (cp *ControlPlane) ready(ctx context.Context) error {
	return cp.get(ctx, "https://"+cp.Addr+"/readyz")
}

func (cp *ControlPlane) get(ctx context.Context, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+cp.token)
	transport := cp.transport()
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}

// transport speaks HTTP/1.1 to the API server: exec and port-forward switch
// protocols, which HTTP/2 cannot.
func (cp *ControlPlane) transport() *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{RootCAs: cp.identity.pool}}
}
