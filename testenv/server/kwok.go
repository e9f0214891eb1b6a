//go:build unix

package server

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"go.yaml.in/yaml/v3"

	"github.com/erpgo/flightdeck/testenv/loopback"
)

// Pods says what the pods of a control plane do, which all run on this machine:
// "kubectl exec" runs its command here, as this user.
//
// Whoever can reach KWOK's port can do the same. It is on loopback: do not
// start a control plane on a machine that you share with strangers.
type Pods struct {
	// Environment is set for commands that "kubectl exec" runs, as NAME=value.
	// With a PATH in it, commands are looked up there.
	Environment []string
	// Folder is where these commands run; the control plane's own when empty.
	Folder string
}

func (cp *ControlPlane) startKWOK(ctx context.Context, binaries string, pods Pods) error {
	if pods.Folder == "" {
		pods.Folder = cp.folder
	}
	config, err := cp.writeKWOKConfig(binaries, pods)
	if err != nil {
		return fmt.Errorf("configure kwok: %w", err)
	}
	if err := cp.defineLogs(ctx, binaries); err != nil {
		return err
	}
	return onFreePort(ctx, func(port int) error {
		cp.KWOK.command = command{
			name: "kwok",
			path: filepath.Join(binaries, "kwok"),
			args: []string{
				"--kubeconfig=" + cp.Kubeconfig,
				"--config=" + config,
				"--manage-all-nodes",
				"--enable-crds=Logs",
				"--server-address=" + loopback.Addr(port),
				"--node-ip=127.0.0.1", fmt.Sprintf("--node-port=%d", port),
				"--tls-cert-file=" + cp.identity.certFile, "--tls-private-key-file=" + cp.identity.keyFile,
			},
			env:     pods.Environment,
			dir:     cp.folder,
			stop:    syscall.SIGTERM,
			orphan:  syscall.SIGKILL,
			healthy: func(ctx context.Context) error { return get(ctx, "http://"+loopback.Addr(port)+"/healthz") },
		}
		return cp.KWOK.Start(ctx)
	})
}

// defineLogs adds KWOK's resource Logs to the cluster, which KWOK watches from
// its start: an object of a pod's name says which file holds the pod's log, in
// the format of the container runtime interface.
func (cp *ControlPlane) defineLogs(ctx context.Context, binaries string) error {
	for _, arguments := range [][]string{
		{"create", "-f", filepath.Join(binaries, "kwok.x-k8s.io_logs.yaml")},
		{"wait", "--for=condition=Established", "--timeout=30s", "crd/logs.kwok.x-k8s.io"},
	} {
		kubectl := exec.CommandContext(ctx, cp.Kubectl, append([]string{"--kubeconfig", cp.Kubeconfig}, arguments...)...)
		if output, err := kubectl.CombinedOutput(); err != nil {
			return fmt.Errorf("define KWOK's Logs: kubectl %s: %w\n%s", arguments[0], err, output)
		}
	}
	return nil
}

// writeKWOKConfig puts together how nodes and pods come to life, and what exec
// does in any pod.
func (cp *ControlPlane) writeKWOKConfig(binaries string, pods Pods) (string, error) {
	var documents [][]byte
	for _, name := range kwokFiles {
		if !strings.Contains(name, "/stage/") {
			continue
		}
		stage, err := os.ReadFile(filepath.Join(binaries, filepath.Base(name)))
		if err != nil {
			return "", err
		}
		documents = append(documents, stage)
	}
	commands, err := yaml.Marshal(map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1",
		"kind":       "ClusterExec",
		"metadata":   map[string]any{"name": "on-this-machine"},
		"spec": map[string]any{
			"execs": []any{map[string]any{"local": map[string]any{"workDir": pods.Folder}}},
		},
	})
	if err != nil {
		return "", err
	}
	path := filepath.Join(cp.folder, "kwok.yaml")
	return path, os.WriteFile(path, bytes.Join(append(documents, commands), []byte("---\n")), 0o600)
}
