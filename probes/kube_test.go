//go:build unix

package probes

import (
	"errors"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
)

// kube is a real API server and an administrator's way to it.
type kube struct {
	*testenv.ControlPlane
	admin *Cluster
}

// startKube starts a control plane with an empty namespace erpgo.
func startKube(t *testing.T, options testenv.ControlPlaneOptions) *kube {
	t.Helper()
	options.Namespace = "erpgo"
	k := &kube{ControlPlane: testenv.StartControlPlane(t, options)}
	k.admin = openCluster(t, k.Kubeconfig)
	k.write(t, k.admin.core.Post().Resource("namespaces"), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "erpgo"}})
	return k
}

func openCluster(t *testing.T, kubeconfig string) *Cluster {
	t.Helper()
	c, err := OpenCluster(config.Kubernetes{Kubeconfig: kubeconfig})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// write sends an object, which is replaced by what the server made of it.
func (k *kube) write(t *testing.T, request *rest.Request, object runtime.Object) {
	t.Helper()
	if err := request.Body(object).Do(t.Context()).Into(object); err != nil {
		t.Fatal(err)
	}
}

// put creates a pod with a status.
func (k *kube) put(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	status := pod.Status
	k.write(t, k.admin.core.Post().Namespace("erpgo").Resource("pods"), pod)
	pod.Status = status
	k.setStatus(t, pod)
}

func (k *kube) setStatus(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	k.write(t, k.admin.core.Put().Namespace("erpgo").Resource("pods").Name(pod.Name).SubResource("status"), pod)
}

func (k *kube) remove(t *testing.T, name string) {
	t.Helper()
	now := int64(0)
	err := k.admin.core.Delete().Namespace("erpgo").Resource("pods").Name(name).
		Body(&metav1.DeleteOptions{GracePeriodSeconds: &now}).Do(t.Context()).Error()
	if err != nil {
		t.Fatal(err)
	}
}

// kubectl runs the real one.
func (k *kube) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), k.Kubectl, append([]string{"--kubeconfig", k.Kubeconfig}, args...)...).Output()
	if err != nil {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, stderrOf(err))
	}
	return string(out)
}

func stderrOf(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// apiPod is a running, ready pod of erpgo-api.
func apiPod(name string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "erpgo", Labels: map[string]string{"app": "erpgo-api"}},
		Spec:       corev1.PodSpec{Containers: containers("api")},
	}
	pod.Status = corev1.PodStatus{
		Phase:             corev1.PodRunning,
		Conditions:        []corev1.PodCondition{condition(corev1.PodReady, corev1.ConditionTrue, "")},
		ContainerStatuses: []corev1.ContainerStatus{running("api", true, 0)},
	}
	return pod
}

// crashed is the status of a pod whose container does not start.
func crashed(restarts int32) corev1.PodStatus {
	return corev1.PodStatus{
		Phase:             corev1.PodRunning,
		ContainerStatuses: []corev1.ContainerStatus{again(waiting("api", "CrashLoopBackOff"), restarts)},
	}
}

// requests records what a Cluster asks the API server.
type requests struct {
	next http.RoundTripper

	mu  sync.Mutex
	all []request
}

type request struct {
	at   time.Time
	what string // list, watch, log or version, and the resource
}

// record has all requests of a cluster recorded.
func record(c *Cluster) *requests {
	client := c.core.(*rest.RESTClient).Client // all of them share it
	r := &requests{next: client.Transport}
	client.Transport = r
	return r
}

// RoundTrip sends one request.
func (r *requests) RoundTrip(req *http.Request) (*http.Response, error) {
	path := strings.Split(req.URL.Path, "/")
	what := path[len(path)-1]
	switch query := req.URL.Query(); {
	case query.Get("watch") != "":
		what = "watch " + what
	case what != "log" && what != "version" && query.Get("continue") == "":
		what = "list " + what
	}
	r.mu.Lock()
	r.all = append(r.all, request{time.Now(), what})
	r.mu.Unlock()
	return r.next.RoundTrip(req)
}

// of returns when a kind of request was made.
func (r *requests) of(what string) (times []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range r.all {
		if one.what == what {
			times = append(times, one.at)
		}
	}
	return times
}

// podNamed finds a pod in a reading.
func podNamed(pods Pods, name string) (Pod, bool) {
	for _, p := range pods.Pods {
		if p.Name == name {
			return p, true
		}
	}
	return Pod{}, false
}

// awaitPod waits until the board is good and shows a pod in a state.
func awaitPod(t *testing.T, board *Board, name, status string) Reading[Pods] {
	t.Helper()
	return awaitReading(t, &board.Pods, name+" "+status, func(r Reading[Pods]) bool {
		p, ok := podNamed(r.Value, name)
		return r.Err == nil && ok && p.Status == status
	})
}

// within fails where something took longer than it may.
func within(t *testing.T, limit time.Duration, since time.Time, what string) {
	t.Helper()
	took := time.Since(since).Round(time.Millisecond)
	if took > limit {
		t.Errorf("%s after %v, want at most %v", what, took, limit)
		return
	}
	t.Logf("%s after %v", what, took)
}
