package probes

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/erpgo/flightdeck/config"
)

// inCluster names the context where there is no kubeconfig and the cockpit
// runs in a pod.
const inCluster = "in-cluster"

// serviceAccount is where a pod finds its namespace and credentials.
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount"

// loadKubeconfig finds the kubeconfig as kubectl does and reduces it to the one
// context and namespace that the cockpit is pinned to, with absolute paths.
func loadKubeconfig(cfg config.Kubernetes) (*clientcmdapi.Config, error) {
	files := clientcmd.NewDefaultClientConfigLoadingRules()
	switch paths := filepath.SplitList(cfg.Kubeconfig); len(paths) {
	case 0:
	case 1:
		files.ExplicitPath = paths[0]
	default:
		files.Precedence = paths
	}
	files.Warner = func(error) {} // it would write under the screen
	loaded, err := files.Load()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("kubeconfig %s does not exist; set KUBECONFIG or --kubeconfig", cfg.Kubeconfig)
	case err != nil:
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if len(loaded.Contexts) == 0 {
		return inClusterKubeconfig(cfg)
	}
	if cfg.Context != "" {
		loaded.CurrentContext = cfg.Context
	}
	known := slices.Sorted(maps.Keys(loaded.Contexts))
	current, ok := loaded.Contexts[loaded.CurrentContext]
	switch {
	case loaded.CurrentContext == "":
		return nil, fmt.Errorf("the kubeconfig has no current context; set --context to one of: %s", strings.Join(known, ", "))
	case !ok:
		return nil, fmt.Errorf("context %q is not in the kubeconfig; set --context to one of: %s", loaded.CurrentContext, strings.Join(known, ", "))
	}
	if err := clientcmdapi.MinifyConfig(loaded); err != nil {
		return nil, fmt.Errorf("kubeconfig: context %q: %w", loaded.CurrentContext, err)
	}
	switch {
	case cfg.Namespace != "":
		current.Namespace = cfg.Namespace
	case current.Namespace == "":
		current.Namespace = "default"
	}
	for _, user := range loaded.AuthInfos {
		if user.Exec != nil {
			// A credential plugin that asked for a password would read the
			// keys that are meant for the cockpit.
			user.Exec.StdinUnavailable = true
			user.Exec.StdinUnavailableMessage = "log in before starting flightdeck"
		}
	}
	return loaded, nil
}

// inClusterKubeconfig describes the cluster that this process runs in, by the
// files that its service account is kept in.
func inClusterKubeconfig(cfg config.Kubernetes) (*clientcmdapi.Config, error) {
	pod, err := rest.InClusterConfig()
	if err != nil {
		return nil, notConfigured("KUBECONFIG or --kubeconfig")
	}
	if cfg.Context != "" && cfg.Context != inCluster {
		return nil, fmt.Errorf("context %q is not known: there is no kubeconfig; set KUBECONFIG or --kubeconfig", cfg.Context)
	}
	namespace := cfg.Namespace
	if namespace == "" {
		own, err := os.ReadFile(filepath.Join(serviceAccount, "namespace"))
		if err != nil {
			return nil, fmt.Errorf("in-cluster namespace: %w; set --namespace", err)
		}
		namespace = strings.TrimSpace(string(own))
	}
	described := clientcmdapi.NewConfig()
	described.CurrentContext = inCluster
	described.Contexts[inCluster] = &clientcmdapi.Context{Cluster: inCluster, AuthInfo: inCluster, Namespace: namespace}
	described.Clusters[inCluster] = &clientcmdapi.Cluster{Server: pod.Host, CertificateAuthority: pod.CAFile}
	described.AuthInfos[inCluster] = &clientcmdapi.AuthInfo{TokenFile: pod.BearerTokenFile}
	return described, nil
}

// PinnedKubeconfig writes a kubeconfig with exactly the cluster's one context
// and namespace into dir and returns its path. A command that is given it works
// on this cluster, whatever happens to the user's own kubeconfig meanwhile. The
// file may hold credentials: only its owner can read it, and the caller removes
// it.
func (c *Cluster) PinnedKubeconfig(dir string) (path string, err error) {
	if c.err != nil {
		return "", c.err
	}
	content, err := clientcmd.Write(*c.pinned)
	if err != nil {
		return "", fmt.Errorf("pin context %s: %w", c.Context, err)
	}
	file, err := os.CreateTemp(dir, "kubeconfig-") // CreateTemp gives mode 0600
	if err != nil {
		return "", fmt.Errorf("pin context %s: %w", c.Context, err)
	}
	_, err = file.Write(content)
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(file.Name())
		return "", fmt.Errorf("pin context %s: %w", c.Context, err)
	}
	return file.Name(), nil
}
