package runbooks

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// dryRunVerbs are kubectl's verbs that can be tried on the server without
// effect and answer with the object as it would be. "scale" answers with the
// object as it is, and is not among them.
var dryRunVerbs = map[string]bool{
	"set env": true, "set image": true, "set resources": true, "set selector": true, "set serviceaccount": true,
	"patch": true, "apply": true, "label": true, "annotate": true, "replace": true, "autoscale": true, "expose": true,
}

// untried are options with which a dry run would do something, or something
// else: --raw goes to the API as it is, --edit opens an editor, and what is a
// dry run already is nothing to preview.
var untried = []string{"--dry-run", "--raw", "--edit", "--local", "--kuberc", "--profile", "--profile-output", "--cache-dir"}

// preview finds out what one call would change.
func (t Target) preview(ctx context.Context, call kubectlCall) (Preview, error) {
	switch {
	case call.unclear:
		return Preview{}, noPreview("a word of the command is known only when it runs")
	case call.leavesTarget():
		return Preview{}, noPreview("it names another cluster or user than the pinned one")
	case len(call.only(untried...)) > 0, call.verb == "apply" && len(call.operands) > 0:
		return Preview{}, noPreview("with its options it cannot be tried without effect")
	case call.verb == "scale":
		return t.previewScale(ctx, call)
	case call.verb == "delete":
		return t.previewDelete(ctx, call)
	case call.verb == "rollout undo":
		return t.previewUndo(ctx, call)
	case call.verb == "rollout restart":
		return t.previewRestart(ctx, call)
	case dryRunVerbs[call.verb], strings.HasPrefix(call.verb, "create"):
		return t.previewDryRun(ctx, call)
	}
	return Preview{}, noPreview("kubectl %s has no dry run", call.verb)
}

// previewDryRun compares what is with what the server answers to a dry run.
func (t Target) previewDryRun(ctx context.Context, call kubectlCall) (Preview, error) {
	after, err := t.objects(ctx, call.stdin, call.dryRun("-o", "json"))
	if err != nil {
		return Preview{}, fmt.Errorf("try it without effect: %w", err)
	}
	p := Preview{Checked: []string{"dry run on the server"}}
	for _, next := range after {
		before, err := t.current(ctx, next, call)
		if err != nil {
			return p, err
		}
		if before == nil {
			p.Now = append(p.Now, next.name()+": is not there")
			p.After = append(p.After, next.name()+": is created")
			continue
		}
		p.join(compareObjects(before, next))
		if selector := next.serves(); selector != "" && selector != before.serves() {
			pods, err := t.objects(ctx, "", []string{"get", "pods", "--namespace=" + next.text("metadata", "namespace"), "--selector=" + selector, "-o", "json"})
			if err != nil {
				return p, err
			}
			if len(pods) == 0 {
				p.Warnings = append(p.Warnings, next.name()+" would serve nothing: no pod has "+selector)
			}
		}
	}
	if len(p.Now) == 0 && len(p.Diff) == 0 {
		p.Now = append(p.Now, "already so: nothing would change")
	}
	return p, nil
}

// dryRun is the call as a dry run. The option stands right behind the verb,
// where nothing before it can take it for its own value, and there is no other
// (untried).
func (c kubectlCall) dryRun(more ...string) []string {
	args := slices.Concat(strings.Fields(c.verb), []string{"--dry-run=server"}, more, c.operands, c.options)
	if c.rest != nil {
		args = append(append(args, "--"), c.rest...)
	}
	return args
}

// current is the object as it is; nil where there is none.
func (t Target) current(ctx context.Context, o object, call kubectlCall) (object, error) {
	kind, group := o.text("kind"), ""
	if g, version, ok := strings.Cut(o.text("apiVersion"), "/"); ok {
		group = "." + version + "." + g // Deployment.v1.apps
	}
	args := []string{"get", kind + group, o.text("metadata", "name"), "--ignore-not-found", "-o", "json"}
	if namespace := o.text("metadata", "namespace"); namespace != "" {
		args = append(args, "--namespace="+namespace)
	} else {
		args = append(args, call.namespaced()...)
	}
	found, err := t.objects(ctx, "", args)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// objects asks for objects as JSON.
func (t Target) objects(ctx context.Context, stdin string, args []string) ([]object, error) {
	data, err := t.kubectl(ctx, stdin, args...)
	if err != nil {
		return nil, err
	}
	return decodeObjects(data)
}

// compareObjects is what changes from one state of an object to another.
func compareObjects(before, after object) Preview {
	var p Preview
	p.Now, p.After = compareFacts(before, after)
	p.Diff = diffLines(before.lines(), after.lines())
	name := after.name()
	if len(p.Diff) > 0 {
		p.Diff = slices.Insert(p.Diff, 0, "  "+name)
	}
	old, next := before.replicas(), after.replicas()
	switch {
	case next < old && next == 0:
		p.Warnings = append(p.Warnings, fmt.Sprintf("scales %s DOWN from %d to 0: nothing is left that serves", name, old))
	case next < old:
		p.Warnings = append(p.Warnings, fmt.Sprintf("scales %s DOWN from %d to %d", name, old, next))
	}
	if template := after.at("spec", "template"); template != nil && compact(template) != compact(before.at("spec", "template")) {
		p.After = append(p.After, rollsOut(next))
	}
	return p
}

func rollsOut(pods int) string {
	if pods == 1 {
		return "a rollout: the 1 pod is replaced"
	}
	return fmt.Sprintf("a rollout: all %d pods are replaced, a few at a time", pods)
}

// previewScale: the dry run says whether it may be, and the option what would be.
func (t Target) previewScale(ctx context.Context, call kubectlCall) (Preview, error) {
	wanted, _ := call.option("--replicas")
	replicas, err := strconv.Atoi(wanted)
	if err != nil {
		return Preview{}, noPreview("the number of replicas is not in the command")
	}
	if _, err := t.kubectl(ctx, call.stdin, call.dryRun("-o", "name")...); err != nil {
		return Preview{}, fmt.Errorf("try it without effect: %w", err)
	}
	selection := call.only("-n", "--namespace", "-l", "--selector", "-f", "--filename", "-k", "--kustomize", "--all")
	found, err := t.objects(ctx, call.stdin, slices.Concat([]string{"get", "-o", "json"}, call.operands, selection))
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Checked: []string{"dry run on the server"}}
	for _, o := range found {
		spec := without(asMap(o["spec"]))
		spec["replicas"] = float64(replicas)
		p.join(compareObjects(o, o.with("spec", spec)))
	}
	if len(p.Now) == 0 {
		p.Now = append(p.Now, fmt.Sprintf("replicas: %d already; nothing would change", replicas))
	}
	return p, nil
}

// previewRestart: a restart has no dry run, and changes nothing but the pods.
func (t Target) previewRestart(ctx context.Context, call kubectlCall) (Preview, error) {
	found, err := t.objects(ctx, "", slices.Concat([]string{"get"}, call.operands, call.only("-n", "--namespace", "-l", "--selector"), []string{"-o", "json"}))
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Checked: []string{"read from the cluster"}}
	for _, o := range found {
		ready, _ := o.number("status", "readyReplicas")
		p.Now = append(p.Now, fmt.Sprintf("%s: %d of %d pods are ready", o.name(), ready, o.replicas()))
		p.After = append(p.After, o.name()+": "+rollsOut(o.replicas()))
	}
	return p, nil
}

const (
	revisionAnnotation = "deployment.kubernetes.io/revision"
	causeAnnotation    = "kubernetes.io/change-cause"
)

// previewUndo compares a deployment with the ReplicaSet that an undo goes back
// to: kubectl's own dry run answers with the deployment as it is.
func (t Target) previewUndo(ctx context.Context, call kubectlCall) (Preview, error) {
	args := slices.Concat([]string{"get"}, call.operands, call.namespaced(), []string{"-o", "json"})
	found, err := t.objects(ctx, "", args)
	if err != nil {
		return Preview{}, err
	}
	if len(found) != 1 || found[0].text("kind") != "Deployment" {
		return Preview{}, noPreview("only the undo of one deployment can be looked at")
	}
	deployment := found[0]
	if _, err := t.kubectl(ctx, "", call.dryRun()...); err != nil {
		return Preview{}, fmt.Errorf("try it without effect: %w", err)
	}
	sets, err := t.objects(ctx, "", []string{"get", "replicasets.apps", "--namespace=" + deployment.text("metadata", "namespace"), "-o", "json"})
	if err != nil {
		return Preview{}, err
	}
	wanted, _ := call.option("--to-revision")
	back, now := revisionBefore(deployment, sets, wanted)
	if back == nil {
		return Preview{}, noPreview("there is no earlier revision of %s", deployment.name())
	}
	p := compareObjects(deployment, deployment.withTemplate(back))
	p.Checked = []string{"dry run on the server", "revisions of its ReplicaSets"}
	p.Now = slices.Insert(p.Now, 0, describeRevision(now, deployment))
	p.After = slices.Insert(p.After, 0, describeRevision(revisionOf(back), back))
	return p, nil
}

func revisionOf(o object) int {
	n, _ := strconv.Atoi(o.text("metadata", "annotations", revisionAnnotation))
	return n
}

func describeRevision(revision int, o object) string {
	s := fmt.Sprintf("revision %d", revision)
	if cause := o.text("metadata", "annotations", causeAnnotation); cause != "" {
		s += " (" + cause + ")"
	}
	if made := o.text("metadata", "creationTimestamp"); made != "" && o.text("kind") == "ReplicaSet" {
		s += ", made " + made
	}
	return s
}

// revisionBefore is the ReplicaSet that an undo goes back to: the wanted
// revision, or the newest before the current one.
func revisionBefore(deployment object, sets []object, wanted string) (back object, now int) {
	now = revisionOf(deployment)
	for _, set := range sets {
		if _, owner := set.controller(); owner != deployment.text("metadata", "name") {
			continue
		}
		revision := revisionOf(set)
		switch {
		case wanted != "" && wanted != "0":
			if strconv.Itoa(revision) == wanted {
				return set, now
			}
		case revision < now && (back == nil || revision > revisionOf(back)):
			back = set
		}
	}
	return back, now
}

// withTemplate is a deployment with the pods of a ReplicaSet.
func (o object) withTemplate(set object) object {
	spec := without(asMap(o["spec"]), "template")
	template := without(asMap(set.at("spec", "template")), "metadata")
	meta := without(asMap(set.at("spec", "template", "metadata")), "labels")
	meta["labels"] = without(asMap(set.at("spec", "template", "metadata", "labels")), "pod-template-hash")
	template["metadata"] = meta
	spec["template"] = template
	return o.with("spec", spec)
}

// with is the object with one field set.
func (o object) with(field string, value any) object {
	out := object(without(o))
	out[field] = value
	return out
}

func asMap(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
