package runbooks

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// previewDelete tells what would be gone, and what comes back.
func (t Target) previewDelete(ctx context.Context, call kubectlCall) (Preview, error) {
	selection := call.only("-n", "--namespace", "-l", "--selector", "--field-selector", "-A", "--all-namespaces", "-f", "--filename", "-k", "--kustomize")
	found, err := t.objects(ctx, call.stdin, slices.Concat([]string{"get"}, call.operands, selection, []string{"-o", "json", "--ignore-not-found"}))
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Checked: []string{"read from the cluster", "dry run on the server"}}
	if len(found) == 0 {
		p.Now = append(p.Now, "nothing there that it would delete")
		return p, nil
	}
	// The dry run answers what reading does not: whether it may, and whether
	// something refuses it.
	if _, err := t.kubectl(ctx, call.stdin, call.dryRun("-o", "name")...); err != nil {
		return p, fmt.Errorf("try it without effect: %w", err)
	}
	if len(found) > 1 {
		p.Warnings = append(p.Warnings, fmt.Sprintf("deletes %d objects", len(found)))
	}
	for _, o := range found {
		p.Now = append(p.Now, describeObject(o))
		after, warning := afterDelete(o)
		p.After = append(p.After, after)
		if warning != "" {
			p.Warnings = append(p.Warnings, warning)
		}
	}
	return p, nil
}

// describeObject is an object with what matters when it goes.
func describeObject(o object) string {
	s := o.name()
	switch o.text("kind") {
	case "Pod":
		s += ": " + o.text("status", "phase")
		if node := o.text("spec", "nodeName"); node != "" {
			s += " on " + node
		}
		if kind, name := o.controller(); kind != "" {
			s += ", owned by " + kind + " " + name
		}
	case "Deployment", "StatefulSet", "ReplicaSet":
		s += fmt.Sprintf(": %d pods", o.replicas())
	}
	return s
}

// afterDelete tells what is when an object has been deleted.
func afterDelete(o object) (after, warning string) {
	kind, owner := o.controller()
	switch {
	case kind == "StatefulSet" && o.text("kind") == "Pod":
		return o.name() + ": made again under the same name by StatefulSet " + owner, ""
	case kind != "":
		return o.name() + ": gone; " + kind + " " + owner + " makes another in its place", ""
	}
	after = o.name() + ": gone"
	switch o.text("kind") {
	case "Pod":
		return after, "nothing owns " + o.name() + ": it does not come back"
	case "Deployment", "StatefulSet", "ReplicaSet", "DaemonSet", "Job", "CronJob":
		return after + ", with its pods", ""
	case "PersistentVolumeClaim", "PersistentVolume":
		return after, o.name() + ": the data in it is likely lost with it"
	case "Namespace":
		return after, "everything in " + strings.ToLower(o.name()) + " goes with it"
	}
	return after, ""
}
