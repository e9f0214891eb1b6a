package probes

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// nodeLost is the reason of a pod whose node has stopped answering.
const nodeLost = "NodeLost"

// podRow is what kubectl's columns READY, STATUS and RESTARTS say of a pod.
type podRow struct {
	status      string
	ready       int
	containers  int
	restarts    int
	lastRestart time.Time
}

// newPodRow words a pod as kubectl does, so that an operator sees the same in
// both. The rules are those of the API server's own table printer
// (pkg/printers/internalversion, Kubernetes 1.36): the pod's phase or reason,
// overruled by the first init container that is not through, else by its
// containers, the first of them last, and by the deletion of the pod. Sidecars
// count as containers; readiness gates are not looked at.
func newPodRow(pod *corev1.Pod) podRow {
	row := podRow{status: string(pod.Status.Phase), containers: len(pod.Spec.Containers)}
	if pod.Status.Reason != "" {
		row.status = pod.Status.Reason
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonSchedulingGated {
			row.status = corev1.PodReasonSchedulingGated
		}
	}
	sidecars := sidecarsOf(pod)
	row.containers += len(sidecars)
	initialising := row.addInit(pod, sidecars)
	if !initialising || isTrue(pod, corev1.PodInitialized) {
		row.addContainers(pod, sidecars)
	}
	switch {
	case pod.DeletionTimestamp == nil:
	case pod.Status.Reason == nodeLost:
		row.status = "Unknown"
	case pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed:
		row.status = "Terminating"
	}
	return row
}

// addInit looks at the init containers in their order, up to the first that is
// not through, and tells whether there is one.
func (r *podRow) addInit(pod *corev1.Pod, sidecars map[string]bool) (initialising bool) {
	for i, c := range pod.Status.InitContainerStatuses {
		r.addRestarts(c)
		terminated, waiting := c.State.Terminated, c.State.Waiting
		switch {
		case terminated != nil && terminated.ExitCode == 0:
			continue
		case sidecars[c.Name] && c.Started != nil && *c.Started:
			if c.Ready {
				r.ready++
			}
			continue
		case terminated != nil:
			r.status = "Init:" + ending(terminated)
		case waiting != nil && waiting.Reason != "" && waiting.Reason != "PodInitializing":
			r.status = "Init:" + waiting.Reason
		default:
			r.status = fmt.Sprintf("Init:%d/%d", i, len(pod.Spec.InitContainers))
		}
		return true
	}
	return false
}

// addContainers looks at the containers of a pod that is initialised. Of the
// init containers only the sidecars' restarts count then.
func (r *podRow) addContainers(pod *corev1.Pod, sidecars map[string]bool) {
	r.restarts, r.lastRestart = 0, time.Time{}
	for _, c := range passedInit(pod, sidecars) {
		if sidecars[c.Name] {
			r.addRestarts(c)
		}
	}
	running, failure := false, ""
	for i := len(pod.Status.ContainerStatuses) - 1; i >= 0; i-- {
		c := pod.Status.ContainerStatuses[i]
		r.addRestarts(c)
		switch {
		case c.State.Waiting != nil && c.State.Waiting.Reason != "":
			r.status = c.State.Waiting.Reason
		case c.State.Terminated != nil:
			r.status = ending(c.State.Terminated)
			if c.State.Terminated.ExitCode != 0 {
				failure = r.status
			}
		case c.Ready && c.State.Running != nil:
			running = true
			r.ready++
		}
	}
	if r.status != "Completed" {
		return
	}
	// One container is through and the others decide.
	switch {
	case running && isTrue(pod, corev1.PodReady):
		r.status = "Running"
	case failure != "":
		r.status = failure
	case running:
		r.status = "NotReady"
	}
}

func (r *podRow) addRestarts(c corev1.ContainerStatus) {
	r.restarts += int(c.RestartCount)
	if last := c.LastTerminationState.Terminated; last != nil && last.FinishedAt.After(r.lastRestart) {
		r.lastRestart = last.FinishedAt.Time
	}
}

// passedInit are the init containers up to and with the first that is not
// through.
func passedInit(pod *corev1.Pod, sidecars map[string]bool) []corev1.ContainerStatus {
	all := pod.Status.InitContainerStatuses
	for i, c := range all {
		through := c.State.Terminated != nil && c.State.Terminated.ExitCode == 0 ||
			sidecars[c.Name] && c.Started != nil && *c.Started
		if !through {
			return all[:i+1]
		}
	}
	return all
}

// ending is how a container ended, in a word.
func ending(t *corev1.ContainerStateTerminated) string {
	switch {
	case t.Reason != "":
		return t.Reason
	case t.Signal != 0:
		return fmt.Sprintf("Signal:%d", t.Signal)
	}
	return fmt.Sprintf("ExitCode:%d", t.ExitCode)
}

// sidecarsOf are the names of the init containers that keep running beside the
// pod's containers.
func sidecarsOf(pod *corev1.Pod) map[string]bool {
	var names map[string]bool
	for _, c := range pod.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			if names == nil {
				names = make(map[string]bool)
			}
			names[c.Name] = true
		}
	}
	return names
}

func isTrue(pod *corev1.Pod, condition corev1.PodConditionType) bool {
	for _, c := range pod.Status.Conditions {
		if c.Type == condition {
			return c.Status == corev1.ConditionTrue
		}
	}
	return false
}
