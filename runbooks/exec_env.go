package runbooks

import (
	"path/filepath"
	"strings"
)

// runVariable marks every process of a run, whatever session it moves to.
const runVariable = "FLIGHTDECK_RUN"

// noCluster is the API server of a run that has no cluster. A kubectl without a
// kubeconfig would otherwise try http://localhost:8080, where anything may
// listen; nothing listens on port 0.
const noCluster = "http://127.0.0.1:0/no-cluster-is-configured"

// environment is the operator's own environment with what the cockpit pins:
//
//   - every variable that could send kubectl or helm to another cluster or
//     namespace, or change what its flags mean (kuberc), is replaced or removed;
//   - functions exported by a shell (BASH_FUNC_kubectl%%) and BASH_ENV are
//     removed, as both can put another command in the place of the one shown.
//
// Everything else stays: a book's commands rely on it ($DB_USER, cloud
// credentials, proxies). What is bound is added, and cannot replace a pin.
func environment(inherited, bound []string, target Target, mark string) []string {
	var env []string
	for _, entry := range inherited {
		if name, _, _ := strings.Cut(entry, "="); !pinned(name) {
			env = append(env, entry)
		}
	}
	for _, entry := range bound {
		if name, _, _ := strings.Cut(entry, "="); !pinned(name) {
			env = append(env, entry)
		}
	}
	env = append(env, mark, "KUBECTL_KUBERC=false", "KUBERC=off")
	if target.Kubeconfig == "" {
		return append(env, "KUBECONFIG=/dev/null", "KUBERNETES_MASTER="+noCluster)
	}
	path := target.Kubeconfig
	if abs, err := filepath.Abs(path); err == nil {
		path = abs // a script may change the folder
	}
	return append(env, "KUBECONFIG="+path)
}

// pinned tells whether a variable is the cockpit's to set.
func pinned(name string) bool {
	switch name {
	case runVariable, "BASH_ENV", "ENV", "SHELLOPTS", "BASHOPTS", "HELM_NAMESPACE":
		return true
	}
	for _, prefix := range []string{"KUBE", "HELM_KUBE", "BASH_FUNC_"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return false
}
