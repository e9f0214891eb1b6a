package probes

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// Pods is the cluster as far as the panes show it: the pods of one namespace,
// what is wrong first, and its deployments by name. It is pushed by a watch;
// while the watch is broken or the API server does not answer, the reading has
// an Err, and its TakenAt is when the two were last known to agree.
type Pods struct {
	Context     string // kubeconfig context, pinned at start
	Namespace   string // pinned at start
	Pods        []Pod
	Deployments []Deployment
	// DeploymentsErr is why Deployments is empty or old, nil when it is
	// neither. Pods alone can be had without it.
	DeploymentsErr error
}

// Pod keeps what a pane shows of a pod, and no more.
type Pod struct {
	Name          string
	Ready         int       // containers ready
	Containers    int       // containers in all, sidecars too
	Status        string    // kubectl's own wording: Running, CrashLoopBackOff, Init:0/1, Terminating, Evicted, …
	Healthy       bool      // all containers ready and running, or completed
	Restarts      int       // as kubectl counts them
	LastRestart   time.Time // zero when it never restarted
	Created       time.Time
	Node          string // empty until it is scheduled
	Labels        map[string]string
	ContainerName []string // in the order of the pod's specification, sidecars last
}

// newPod keeps what is shown of a pod.
func newPod(pod *corev1.Pod) Pod {
	row := newPodRow(pod)
	names := make([]string, 0, row.containers)
	for _, c := range pod.Spec.Containers {
		names = append(names, c.Name)
	}
	sidecars := sidecarsOf(pod)
	for _, c := range pod.Spec.InitContainers {
		if sidecars[c.Name] {
			names = append(names, c.Name)
		}
	}
	return Pod{
		Name:       pod.Name,
		Ready:      row.ready,
		Containers: row.containers,
		Status:     row.status,
		Healthy: row.status == "Running" && row.ready == row.containers ||
			row.status == "Completed" || row.status == string(corev1.PodSucceeded),
		Restarts:      row.restarts,
		LastRestart:   row.lastRestart,
		Created:       pod.CreationTimestamp.Time,
		Node:          pod.Spec.NodeName,
		Labels:        pod.Labels,
		ContainerName: names,
	}
}
