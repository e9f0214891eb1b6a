package runbooks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// permissionLimit bounds all questions about one command.
	permissionLimit = 3 * time.Second
	// maxPermissions bounds the questions.
	maxPermissions = 4
)

// access is one thing that a call needs to be allowed.
type access struct {
	verb        string // of the API: get, list, patch
	resource    string // "deployment/erpgo-api", "pods"
	subresource string
	namespace   string // empty for the pinned one
}

func (a access) String() string {
	s := a.verb + " " + a.resource
	if a.subresource != "" {
		s += "/" + a.subresource
	}
	if a.namespace != "" {
		s += " in " + a.namespace
	}
	return s
}

// Permissions asks the cluster (kubectl auth can-i, which makes a
// SelfSubjectAccessReview) whether each call of kubectl in the bound script is
// allowed, and reports those that are not. It takes at most permissionLimit.
// What cannot be asked or is not answered is not reported: the step itself says
// so when it is tried.
func Permissions(ctx context.Context, cmd Bound, target Target) []Obstacle {
	if cmd.Command.Language != Bash {
		return nil
	}
	calls, _ := kubectlCalls(cmd.Script, cmd.Env)
	if len(calls) == 0 {
		return nil
	}
	if target.Kubeconfig == "" {
		return []Obstacle{{"kubectl", "has no cluster: none is configured", "start the cockpit with --kubeconfig or KUBECONFIG"}}
	}
	var wanted []access
	for _, call := range calls {
		if call.leavesTarget() {
			continue
		}
		for _, a := range call.needs() {
			if !slices.Contains(wanted, a) && len(wanted) < maxPermissions {
				wanted = append(wanted, a)
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, permissionLimit)
	defer cancel()
	denied := make([]bool, len(wanted))
	var asking sync.WaitGroup
	for i, a := range wanted {
		asking.Go(func() { denied[i] = target.denies(ctx, a) })
	}
	asking.Wait()
	var out []Obstacle
	for i, a := range wanted {
		if denied[i] {
			out = append(out, Obstacle{
				a.String(), "is not allowed for the cockpit's user in " + target.Context,
				fmt.Sprintf("ask for a role with %s on %s, or for somebody who has it", a.verb, a.resource),
			})
		}
	}
	return out
}

// denies tells whether the cluster says no.
func (t Target) denies(ctx context.Context, a access) bool {
	args := []string{"auth", "can-i", a.verb, a.resource}
	if a.subresource != "" {
		args = append(args, "--subresource="+a.subresource)
	}
	if a.namespace != "" {
		args = append(args, "--namespace="+a.namespace)
	}
	answer, err := t.kubectl(ctx, "", args...)
	return err != nil && (string(answer) == "no\n" || strings.HasPrefix(string(answer), "no "))
}

// needs are what a call has to be allowed, as far as its text tells.
func (c kubectlCall) needs() []access {
	namespace, _ := c.option("-n", "--namespace")
	on := func(verb, resource, subresource string) []access {
		return []access{{verb, resource, subresource, namespace}}
	}
	switch c.verb {
	case "logs":
		return on("get", "pods", "log")
	case "exec", "cp":
		return on("create", "pods", "exec")
	case "attach":
		return on("create", "pods", "attach")
	case "port-forward":
		return on("create", "pods", "portforward")
	case "top pods", "top pod", "top po":
		return on("list", "pods.metrics.k8s.io", "")
	case "top nodes", "top node", "top no":
		return on("list", "nodes.metrics.k8s.io", "")
	case "drain":
		return on("create", "pods", "eviction")
	case "cordon", "uncordon":
		return on("patch", "nodes", "")
	}
	verb := map[string]string{
		"get": "get", "describe": "get", "wait": "get", "rollout history": "get", "rollout status": "get",
		"delete": "delete", "edit": "patch", "patch": "patch", "label": "patch", "annotate": "patch", "scale": "patch",
		"rollout undo": "patch", "rollout restart": "patch", "rollout pause": "patch", "rollout resume": "patch",
		"set env": "patch", "set image": "patch", "set resources": "patch", "set selector": "patch", "set serviceaccount": "patch",
	}[c.verb]
	if _, kind, ok := strings.Cut(c.verb, " "); ok && strings.HasPrefix(c.verb, "create ") && kind != "token" {
		return on("create", kind, "")
	}
	objects := c.objects()
	if verb == "" || len(objects) == 0 {
		return nil
	}
	subresource := ""
	if c.verb == "scale" {
		subresource = "scale"
	}
	kind, name, named := strings.Cut(objects[0], "/")
	if strings.Contains(kind, ",") || kind == "all" {
		return nil
	}
	if !named && len(objects) > 1 {
		name, named = objects[1], true
	}
	switch {
	case named && !c.unclear && !strings.Contains(name, string(maskByte)+string(maskByte)):
		return on(verb, kind+"/"+name, subresource)
	case verb == "get" && !named:
		verb = "list"
	}
	return on(verb, kind, subresource)
}
