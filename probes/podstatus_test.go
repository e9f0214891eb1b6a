package probes

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// podCase is a pod in some state and what kubectl says of it. The same cases
// are put to a real API server in kube_test.go.
type podCase struct {
	name    string
	spec    corev1.PodSpec
	status  corev1.PodStatus
	deleted bool
	want    podRow
}

// restartedAt is when the containers of the cases were last restarted: an hour
// ago, which kubectl writes without seconds.
var restartedAt = metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))

func running(name string, ready bool, restarts int32) corev1.ContainerStatus {
	started := true
	s := corev1.ContainerStatus{
		Name: name, Ready: ready, RestartCount: restarts, Started: &started,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: restartedAt}},
	}
	if restarts > 0 {
		s.LastTerminationState = exited("Error", 1, 0).State
	}
	return s
}

func waiting(name, reason string) corev1.ContainerStatus {
	return corev1.ContainerStatus{Name: name, State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}}}
}

func exited(reason string, code, signal int32) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
		Reason: reason, ExitCode: code, Signal: signal, FinishedAt: restartedAt,
	}}}
}

func ended(name, reason string, code, signal int32) corev1.ContainerStatus {
	s := exited(reason, code, signal)
	s.Name = name
	return s
}

func again(s corev1.ContainerStatus, restarts int32) corev1.ContainerStatus {
	s.RestartCount = restarts
	s.LastTerminationState = exited("Error", 1, 0).State
	return s
}

func condition(kind corev1.PodConditionType, status corev1.ConditionStatus, reason string) corev1.PodCondition {
	return corev1.PodCondition{Type: kind, Status: status, Reason: reason}
}

func containers(names ...string) []corev1.Container {
	all := make([]corev1.Container, 0, len(names))
	for _, name := range names {
		all = append(all, corev1.Container{Name: name, Image: "erpgo/api:1.4.2"})
	}
	return all
}

func sidecar(name string) corev1.Container {
	always := corev1.ContainerRestartPolicyAlways
	return corev1.Container{Name: name, Image: "erpgo/proxy:1", RestartPolicy: &always}
}

func podCases() []podCase {
	initialised := condition(corev1.PodInitialized, corev1.ConditionTrue, "")
	ready := condition(corev1.PodReady, corev1.ConditionTrue, "")
	one := corev1.PodSpec{Containers: containers("api")}
	two := corev1.PodSpec{Containers: containers("api", "worker")}
	withInit := corev1.PodSpec{Containers: containers("api"), InitContainers: containers("migrate", "warm")}
	withSidecar := corev1.PodSpec{
		Containers:     containers("api"),
		InitContainers: []corev1.Container{sidecar("proxy"), {Name: "migrate", Image: "erpgo/api:1.4.2"}},
	}
	status := func(phase corev1.PodPhase, conditions []corev1.PodCondition, statuses ...corev1.ContainerStatus) corev1.PodStatus {
		return corev1.PodStatus{Phase: phase, Conditions: conditions, ContainerStatuses: statuses}
	}
	initStatus := func(statuses ...corev1.ContainerStatus) corev1.PodStatus {
		return corev1.PodStatus{Phase: corev1.PodPending, InitContainerStatuses: statuses}
	}
	started := []corev1.PodCondition{initialised, ready}
	hour := restartedAt.Time
	return []podCase{
		{name: "pending", spec: one, status: status(corev1.PodPending, nil), want: podRow{status: "Pending", containers: 1}},
		{
			name: "creating", spec: one, status: status(corev1.PodPending, nil, waiting("api", "ContainerCreating")),
			want: podRow{status: "ContainerCreating", containers: 1},
		},
		{
			name: "running", spec: one, status: status(corev1.PodRunning, started, running("api", true, 0)),
			want: podRow{status: "Running", ready: 1, containers: 1},
		},
		{
			name: "not-ready", spec: one, status: status(corev1.PodRunning, started, running("api", false, 0)),
			want: podRow{status: "Running", containers: 1},
		},
		{
			name: "restarted", spec: two, status: status(corev1.PodRunning, started, running("api", true, 3), running("worker", true, 1)),
			want: podRow{status: "Running", ready: 2, containers: 2, restarts: 4, lastRestart: hour},
		},
		{
			name: "crash-loop", spec: one, status: status(corev1.PodRunning, started, again(waiting("api", "CrashLoopBackOff"), 4)),
			want: podRow{status: "CrashLoopBackOff", containers: 1, restarts: 4, lastRestart: hour},
		},
		{
			name: "image", spec: one, status: status(corev1.PodPending, started, waiting("api", "ImagePullBackOff")),
			want: podRow{status: "ImagePullBackOff", containers: 1},
		},
		{
			name: "first-container-decides", spec: two,
			status: status(corev1.PodRunning, started, waiting("api", "ErrImagePull"), waiting("worker", "CrashLoopBackOff")),
			want:   podRow{status: "ErrImagePull", containers: 2},
		},
		{
			name: "waiting-without-reason", spec: one, status: status(corev1.PodPending, started, waiting("api", "")),
			want: podRow{status: "Pending", containers: 1},
		},
		{
			name: "oom", spec: one, status: status(corev1.PodRunning, started, ended("api", "OOMKilled", 137, 0)),
			want: podRow{status: "OOMKilled", containers: 1},
		},
		{
			name: "exit-code", spec: one, status: status(corev1.PodRunning, started, ended("api", "", 3, 0)),
			want: podRow{status: "ExitCode:3", containers: 1},
		},
		{
			name: "signal", spec: one, status: status(corev1.PodRunning, started, ended("api", "", 0, 9)),
			want: podRow{status: "Signal:9", containers: 1},
		},
		{
			name: "completed", spec: one, status: status(corev1.PodSucceeded, started, ended("api", "Completed", 0, 0)),
			want: podRow{status: "Completed", containers: 1},
		},
		{name: "succeeded", spec: one, status: status(corev1.PodSucceeded, nil), want: podRow{status: "Succeeded", containers: 1}},
		{
			name: "failed", spec: one, status: status(corev1.PodFailed, started, ended("api", "Error", 1, 0)),
			want: podRow{status: "Error", containers: 1},
		},
		{
			name: "completed-beside-running", spec: two,
			status: status(corev1.PodRunning, started, ended("api", "Completed", 0, 0), running("worker", true, 0)),
			want:   podRow{status: "Running", ready: 1, containers: 2},
		},
		{
			name: "completed-beside-running-not-ready", spec: two,
			status: status(corev1.PodRunning, []corev1.PodCondition{initialised}, ended("api", "Completed", 0, 0), running("worker", true, 0)),
			want:   podRow{status: "NotReady", ready: 1, containers: 2},
		},
		{
			name: "completed-beside-failed", spec: two,
			status: status(corev1.PodRunning, started, ended("api", "Completed", 0, 0), ended("worker", "Error", 1, 0)),
			want:   podRow{status: "Error", containers: 2},
		},
		{
			name: "evicted", spec: one, status: corev1.PodStatus{Phase: corev1.PodFailed, Reason: "Evicted"},
			want: podRow{status: "Evicted", containers: 1},
		},
		{
			name: "gated", spec: one,
			status: status(corev1.PodPending, []corev1.PodCondition{condition(corev1.PodScheduled, corev1.ConditionFalse, corev1.PodReasonSchedulingGated)}),
			want:   podRow{status: "SchedulingGated", containers: 1},
		},
		{
			name: "init-first", spec: withInit, status: initStatus(running("migrate", false, 0), waiting("warm", "PodInitializing")),
			want: podRow{status: "Init:0/2", containers: 1},
		},
		{
			name: "init-second", spec: withInit, status: initStatus(ended("migrate", "Completed", 0, 0), waiting("warm", "PodInitializing")),
			want: podRow{status: "Init:1/2", containers: 1},
		},
		{
			name: "init-waiting", spec: withInit, status: initStatus(waiting("migrate", "ImagePullBackOff")),
			want: podRow{status: "Init:ImagePullBackOff", containers: 1},
		},
		{
			name: "init-crash-loop", spec: withInit, status: initStatus(again(waiting("migrate", "CrashLoopBackOff"), 5), waiting("warm", "PodInitializing")),
			want: podRow{status: "Init:CrashLoopBackOff", containers: 1, restarts: 5, lastRestart: hour},
		},
		{
			name: "init-error", spec: withInit, status: initStatus(ended("migrate", "Error", 1, 0)),
			want: podRow{status: "Init:Error", containers: 1},
		},
		{
			name: "init-exit-code", spec: withInit, status: initStatus(ended("migrate", "", 2, 0)),
			want: podRow{status: "Init:ExitCode:2", containers: 1},
		},
		{
			name: "init-signal", spec: withInit, status: initStatus(ended("migrate", "", 137, 9)),
			want: podRow{status: "Init:Signal:9", containers: 1},
		},
		{
			name: "init-restarts-do-not-count-later", spec: withInit,
			status: corev1.PodStatus{
				Phase: corev1.PodRunning, Conditions: started,
				InitContainerStatuses: []corev1.ContainerStatus{again(ended("migrate", "Completed", 0, 0), 7), ended("warm", "Completed", 0, 0)},
				ContainerStatuses:     []corev1.ContainerStatus{running("api", true, 0)},
			},
			want: podRow{status: "Running", ready: 1, containers: 1},
		},
		{
			name: "sidecar", spec: withSidecar,
			status: corev1.PodStatus{
				Phase: corev1.PodRunning, Conditions: started,
				InitContainerStatuses: []corev1.ContainerStatus{running("proxy", true, 2), ended("migrate", "Completed", 0, 0)},
				ContainerStatuses:     []corev1.ContainerStatus{running("api", true, 0)},
			},
			want: podRow{status: "Running", ready: 2, containers: 2, restarts: 2, lastRestart: hour},
		},
		{
			name: "sidecar-starting", spec: withSidecar, status: initStatus(waiting("proxy", "PodInitializing")),
			want: podRow{status: "Init:0/2", containers: 2},
		},
		{
			name: "sidecar-up-init-running", spec: withSidecar,
			status: initStatus(running("proxy", true, 0), running("migrate", false, 0)),
			want:   podRow{status: "Init:1/2", ready: 1, containers: 2},
		},
		{
			name: "sidecar-crashed-later", spec: withSidecar,
			status: corev1.PodStatus{
				Phase: corev1.PodRunning, Conditions: started,
				InitContainerStatuses: []corev1.ContainerStatus{again(waiting("proxy", "CrashLoopBackOff"), 3), ended("migrate", "Completed", 0, 0)},
				ContainerStatuses:     []corev1.ContainerStatus{running("api", true, 1)},
			},
			want: podRow{status: "Init:CrashLoopBackOff", ready: 1, containers: 2, restarts: 4, lastRestart: hour},
		},
		{
			name: "readiness-gate", spec: corev1.PodSpec{
				Containers:     containers("api"),
				ReadinessGates: []corev1.PodReadinessGate{{ConditionType: "erpgo.io/warm"}},
			}, status: status(corev1.PodRunning, []corev1.PodCondition{initialised}, running("api", true, 0)),
			want: podRow{status: "Running", ready: 1, containers: 1},
		},
		{
			name: "terminating", spec: one, deleted: true, status: status(corev1.PodRunning, started, running("api", true, 0)),
			want: podRow{status: "Terminating", ready: 1, containers: 1},
		},
		{
			name: "terminating-crash-loop", spec: one, deleted: true,
			status: status(corev1.PodRunning, started, again(waiting("api", "CrashLoopBackOff"), 4)),
			want:   podRow{status: "Terminating", containers: 1, restarts: 4, lastRestart: hour},
		},
		{
			name: "deleted-but-failed", spec: one, deleted: true, status: status(corev1.PodFailed, started, ended("api", "Error", 1, 0)),
			want: podRow{status: "Error", containers: 1},
		},
		{
			name: "node-lost", spec: one, deleted: true,
			status: corev1.PodStatus{Phase: corev1.PodRunning, Reason: nodeLost, ContainerStatuses: []corev1.ContainerStatus{running("api", true, 0)}},
			want:   podRow{status: "Unknown", ready: 1, containers: 1},
		},
		{
			name: "node-lost-not-deleted", spec: one,
			status: corev1.PodStatus{Phase: corev1.PodRunning, Reason: nodeLost, ContainerStatuses: []corev1.ContainerStatus{running("api", true, 0)}},
			want:   podRow{status: nodeLost, ready: 1, containers: 1},
		},
	}
}

func TestPodRow(t *testing.T) {
	for _, test := range podCases() {
		t.Run(test.name, func(t *testing.T) {
			pod := &corev1.Pod{Spec: test.spec, Status: test.status}
			if test.deleted {
				pod.DeletionTimestamp = &restartedAt
			}
			if diff := cmp.Diff(test.want, newPodRow(pod), cmp.AllowUnexported(podRow{})); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestNewPodTellsWhatIsHealthy(t *testing.T) {
	healthy := map[string]bool{
		"running": true, "restarted": true, "completed": true, "succeeded": true, "sidecar": true,
		"init-restarts-do-not-count-later": true, "readiness-gate": true,
	}
	for _, test := range podCases() {
		pod := newPod(&corev1.Pod{Spec: test.spec, Status: test.status, ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: deletion(test)}})
		if pod.Healthy != healthy[test.name] {
			t.Errorf("%s: healthy = %v", test.name, pod.Healthy)
		}
	}
}

func deletion(test podCase) *metav1.Time {
	if test.deleted {
		return &restartedAt
	}
	return nil
}
