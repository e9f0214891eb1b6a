//go:build unix

package server

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os/exec"
	"text/template"
)

const (
	podsPerNode       = 100
	podsPerDeployment = 250
)

//go:embed load.yaml.tmpl
var loadTemplate string

// Load fills a namespace with pods that run, labelled app=load, on nodes of
// their own, labelled load=true. It returns when all are available: 5,000 cost
// some four processor-minutes.
func Load(ctx context.Context, kubectl, kubeconfig, namespace string, pods int) error {
	parsed, err := template.New("load").Parse(loadTemplate)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	type deployment struct{ Name, Replicas int }
	var deployments []deployment
	for left := pods; left > 0; left -= podsPerDeployment {
		deployments = append(deployments, deployment{Name: len(deployments) + 1, Replicas: min(left, podsPerDeployment)})
	}
	var manifests bytes.Buffer
	err = parsed.Execute(&manifests, map[string]any{
		"Namespace":   namespace,
		"Nodes":       (pods + podsPerNode - 1) / podsPerNode,
		"Deployments": deployments,
	})
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	run := func(arguments ...string) error {
		command := exec.CommandContext(ctx, kubectl, append([]string{"--kubeconfig", kubeconfig, "--namespace", namespace}, arguments...)...)
		command.Stdin = &manifests
		if output, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("load: kubectl %s: %w\n%s", arguments[0], err, output)
		}
		return nil
	}
	if err := run("create", "--validate=false", "-f", "-"); err != nil {
		return err
	}
	return run("wait", "--for=condition=Available", "--timeout=10m", "deployment", "-l", "app=load")
}
