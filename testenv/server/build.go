//go:build unix

package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// KWOK plays the kubelets. It is built in its own module's terms, because it
// needs other versions of Kubernetes' libraries than the control plane.
const kwokModule = "sigs.k8s.io/kwok@v0.8.0"

// fromSource maps each program of the control plane to the package that it is
// built from, all in the versions of the module testenv/controlplane.
var fromSource = map[string]string{
	"etcd":                    "go.etcd.io/etcd/server/v3",
	"kube-apiserver":          "k8s.io/kubernetes/cmd/kube-apiserver",
	"kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
	"kube-scheduler":          "k8s.io/kubernetes/cmd/kube-scheduler",
	"kubectl":                 "k8s.io/kubernetes/cmd/kubectl",
}

// kwokFiles are taken from KWOK's module: how nodes and pods come to life, and
// the resource that says where a pod's log is.
var kwokFiles = []string{
	"kustomize/stage/node/fast/node-initialize.yaml",
	"kustomize/stage/node/heartbeat/node-heartbeat.yaml",
	"kustomize/stage/pod/fast/pod-ready.yaml",
	"kustomize/stage/pod/fast/pod-complete.yaml",
	"kustomize/stage/pod/fast/pod-delete.yaml",
	"kustomize/crd/bases/kwok.x-k8s.io_logs.yaml",
}

// BuildControlPlane returns the folder with etcd, kube-apiserver,
// kube-controller-manager, kube-scheduler, kubectl and kwok. The first call on
// a machine builds them, which takes minutes and is reported to progress;
// later ones, of any process, find them in the user's cache. They are built
// anew when the module testenv/controlplane changes.
func BuildControlPlane(ctx context.Context, progress io.Writer) (string, error) {
	module, err := controlPlaneModule(ctx)
	if err != nil {
		return "", err
	}
	version, sum, err := controlPlanePins(module)
	if err != nil {
		return "", err
	}
	cache, err := CacheFolder()
	if err != nil {
		return "", err
	}
	return cached(ctx, filepath.Join(cache, "kubernetes-"+version+"-"+sum), func(folder string) error {
		fmt.Fprintf(progress, "building the control plane into %s: once, and it takes some minutes\n", cache)
		for program, source := range fromSource {
			fmt.Fprintf(progress, "building %s\n", program)
			if err := buildProgram(ctx, module, version, source, filepath.Join(folder, program)); err != nil {
				return err
			}
		}
		fmt.Fprintln(progress, "building kwok")
		return buildKWOK(ctx, folder)
	})
}

// buildProgram builds one program without what a debugger needs. Kubernetes'
// own programs are told their version, as its makefiles do.
func buildProgram(ctx context.Context, module, version, source, output string) error {
	flags := "-s -w -X k8s.io/component-base/version.gitVersion=" + version
	_, err := GoCommand(ctx, module, nil, "build", "-trimpath", "-ldflags="+flags, "-o", output, source)
	return err
}

func buildKWOK(ctx context.Context, folder string) error {
	path, _, _ := strings.Cut(kwokModule, "@")
	_, version, _ := strings.Cut(kwokModule, "@")
	_, err := GoCommand(ctx, folder, []string{"GOBIN=" + folder}, "install", "-trimpath", "-ldflags=-s -w", path+"/cmd/kwok@"+version)
	if err != nil {
		return err
	}
	output, err := GoCommand(ctx, folder, nil, "mod", "download", "-json", kwokModule)
	if err != nil {
		return err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(output, &module); err != nil {
		return fmt.Errorf("go mod download -json %s: %w", kwokModule, err)
	}
	for _, name := range kwokFiles {
		if err := copyFile(filepath.Join(module.Dir, name), filepath.Join(folder, filepath.Base(name)), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// controlPlaneModule is the folder of the module testenv/controlplane.
func controlPlaneModule(ctx context.Context) (string, error) {
	root, err := ModuleRoot(ctx)
	return filepath.Join(root, "testenv", "controlplane"), err
}

// ModuleRoot is the folder of this module's source, which the go command finds
// from any package's folder: where tests run.
func ModuleRoot(ctx context.Context) (string, error) {
	output, err := GoCommand(ctx, "", nil, "list", "-m", "-f", "{{.Dir}}", "github.com/erpgo/flightdeck")
	if err != nil {
		return "", fmt.Errorf("find the source of testenv; run in a folder of the module: %w", err)
	}
	return string(bytes.TrimSpace(output)), nil
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\s*k8s\.io/kubernetes (v\S+)$`)

// controlPlanePins are the version of Kubernetes and a hash of all that is
// pinned: a version for people, a hash for certainty.
func controlPlanePins(module string) (version, sum string, err error) {
	pins, err := os.ReadFile(filepath.Join(module, "go.mod"))
	if err != nil {
		return "", "", err
	}
	match := kubernetesVersion.FindSubmatch(pins)
	if match == nil {
		return "", "", fmt.Errorf("%s/go.mod does not require k8s.io/kubernetes", module)
	}
	sums, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return "", "", err
	}
	hash := sha256.Sum256(slices.Concat(pins, sums, []byte(kwokModule)))
	return string(match[1]), fmt.Sprintf("%x", hash[:4]), nil
}

// GoCommand runs the go command in a folder, without what the caller's
// environment says about other modules and their flags.
func GoCommand(ctx context.Context, folder string, environment []string, arguments ...string) ([]byte, error) {
	command := exec.CommandContext(ctx, "go", arguments...)
	command.Dir = folder
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	command.Env = append(command.Env, environment...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(arguments, " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return output, nil
}
