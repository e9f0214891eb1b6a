//go:build unix

package probes

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

// promised is how soon a Kubernetes fault shows (SAFETY.md, promise 9).
const promised = 5 * time.Second

// watched is an API server behind a fault proxy, with the probe that watches
// its pods.
type watched struct {
	*kube
	proxy    *faultproxy.HTTP
	cluster  *Cluster
	requests *requests
	board    *Board
}

func startWatched(t *testing.T, k *kube) *watched {
	t.Helper()
	w := &watched{kube: k, board: NewBoard(1)}
	proxy, kubeconfig := testenv.NewAPIProxy(t, k.ControlPlane)
	w.proxy, w.cluster = proxy, openCluster(t, kubeconfig)
	w.requests = record(w.cluster)
	runProbe(t, NewPods(w.cluster, "", w.board))
	awaitGood(t, &w.board.Pods, time.Time{})
	w.awaitHeld(t, 0)
	return w
}

// awaitHeld waits until the pods' watch, the n-th or a later one, is open and
// counts as held.
func (w *watched) awaitHeld(t *testing.T, n int) {
	t.Helper()
	await(t, "a watch that holds", func() bool {
		watches := w.requests.of("watch pods")
		return len(watches) >= max(1, n) && time.Since(watches[len(watches)-1]) > held+opening
	})
	w.change(t)
}

// change changes a pod on the API server and waits until the board shows it.
func (w *watched) change(t *testing.T) {
	t.Helper()
	w.awaitChange(t, w.changeUnseen(t))
}

// changeUnseen changes a pod and returns what awaitChange waits for.
func (w *watched) changeUnseen(t *testing.T) int {
	t.Helper()
	pod := &corev1.Pod{}
	err := w.admin.core.Get().Namespace("erpgo").Resource("pods").Name("steady").Do(t.Context()).Into(pod)
	if err != nil {
		t.Fatal(err)
	}
	change := int(pod.Status.ContainerStatuses[0].RestartCount) + 1
	pod.Status = crashed(int32(change))
	w.setStatus(t, pod)
	return change
}

func (w *watched) awaitChange(t *testing.T, change int) {
	t.Helper()
	awaitReading(t, &w.board.Pods, fmt.Sprintf("change %d", change), func(r Reading[Pods]) bool {
		p, _ := podNamed(r.Value, "steady")
		return r.Err == nil && p.Restarts == change
	})
}

// breakWatch ends the open watch, so that what the proxy answers next is met.
func (w *watched) breakWatch(t *testing.T) {
	t.Helper()
	w.set(t, faultproxy.Reset)
	w.set(t, faultproxy.Pass)
}

func (w *watched) set(t *testing.T, mode faultproxy.Mode) {
	t.Helper()
	if err := w.proxy.Set(mode); err != nil {
		t.Fatal(err)
	}
}

// awaitTrouble waits until the board says that something is wrong, in time, and
// still shows the pods.
func (w *watched) awaitTrouble(t *testing.T, begun time.Time, says string) {
	t.Helper()
	shown := len(w.board.Pods.Load().Value.Pods)
	awaitReading(t, &w.board.Pods, "an error", func(r Reading[Pods]) bool { return r.Err != nil })
	within(t, promised, begun, "the fault showed")
	r := awaitReading(t, &w.board.Pods, "an error about "+says, func(r Reading[Pods]) bool {
		return r.Err != nil && strings.Contains(r.Err.Error(), says)
	})
	if !strings.Contains(r.Err.Error(), w.cluster.Server) {
		t.Errorf("%q does not say where", r.Err)
	}
	if r.State(time.Now()) != Stale || len(r.Value.Pods) != shown {
		t.Errorf("state %v with %d pods, want the last %d, stale", r.State(time.Now()), len(r.Value.Pods), shown)
	}
	if r.TakenAt.IsZero() || r.TakenAt.After(begun.Add(promised)) || r.ErrSince.Before(begun) {
		t.Errorf("taken %v and failing since %v; the fault began %v", r.TakenAt, r.ErrSince, begun)
	}
	t.Log(r.Err)
}

// TestPodsFaults puts every fault to a watch of its own.
func TestPodsFaults(t *testing.T) {
	k := startKube(t, testenv.ControlPlaneOptions{APIServerOnly: true})
	k.put(t, apiPod("steady"))
	for _, fault := range []struct {
		name string
		test func(*testing.T, *watched)
	}{
		{"refusing", outage(faultproxy.Refuse, "connection refused")},
		{"hanging", outage(faultproxy.Hang, "no answer within 2s")},
		{"garbage", outage(faultproxy.Garbage, "TLS failed")},
		{"resetting", outage(faultproxy.Reset, "connection reset")},
		{"restarting", restart},
		{"gone", gone},
		{"always gone", alwaysGone},
		{"overloaded", overloaded},
		{"credentials refused", unauthorized},
		{"deployments forbidden", withoutDeployments},
	} {
		t.Run(fault.name, func(t *testing.T) { fault.test(t, startWatched(t, k)) })
	}
}

// outage is a time in which the server cannot be reached. When it is over, the
// watch goes on where it was: nothing is listed again.
func outage(mode faultproxy.Mode, says string) func(*testing.T, *watched) {
	return func(t *testing.T, w *watched) {
		lists := len(w.requests.of("list pods"))
		begun := time.Now()
		w.set(t, mode)
		w.awaitTrouble(t, begun, says)
		change := w.changeUnseen(t)
		w.set(t, faultproxy.Pass)
		ended := time.Now()
		w.awaitChange(t, change)
		within(t, promised, ended, "the pods were up to date")
		if after := w.board.Pods.Load(); after.TakenAt.Before(ended) || !after.ErrSince.IsZero() {
			t.Errorf("taken %v, failing since %v; the fault ended %v", after.TakenAt, after.ErrSince, ended)
		}
		if n := len(w.requests.of("list pods")) - lists; n > 0 {
			t.Errorf("the pods were listed %d times", n)
		}
	}
}

// restart kills the server. The new one may have forgotten where the watch was.
func restart(t *testing.T, w *watched) {
	lists := len(w.requests.of("list pods"))
	begun := time.Now()
	if err := w.APIServer.Kill(); err != nil {
		t.Fatal(err)
	}
	w.awaitTrouble(t, begun, "")
	if err := w.APIServer.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ended := time.Now()
	w.change(t)
	within(t, promised, ended, "the pods were up to date")
	if n := len(w.requests.of("list pods")) - lists; n > 1 {
		t.Errorf("the pods were listed %d times", n)
	}
}

// podsPath is what requests for pods begin with.
const podsPath = "/api/v1/namespaces/erpgo/pods"

// refusal is an error as the API server words it.
func refusal(code int, reason metav1.StatusReason) faultproxy.Answer {
	return faultproxy.Answer{
		Status: code,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body: fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",`+
			`"message":"made up by the test","reason":%q,"code":%d}`, reason, code),
	}
}

// gone answers a watch with 410: the server has forgotten where it was.
func gone(t *testing.T, w *watched) {
	lists, watches := len(w.requests.of("list pods")), len(w.requests.of("watch pods"))
	w.proxy.Respond(1, podsPath, refusal(http.StatusGone, metav1.StatusReasonExpired))
	w.breakWatch(t)
	w.awaitChange(t, w.changeUnseen(t))
	w.awaitHeld(t, watches+2)
	if n := len(w.requests.of("list pods")) - lists; n != 1 {
		t.Errorf("the pods were listed %d times, want once", n)
	}
}

// alwaysGone answers everything with 410: lists must become ever rarer.
func alwaysGone(t *testing.T, w *watched) {
	w.proxy.Respond(-1, podsPath, refusal(http.StatusGone, metav1.StatusReasonExpired))
	before := len(w.requests.of("list pods"))
	w.breakWatch(t)
	await(t, "three lists", func() bool { return len(w.requests.of("list pods")) >= before+3 })
	lists := w.requests.of("list pods")[before:]
	// The pauses are 1 and 2 s, each give or take a half.
	if took := lists[2].Sub(lists[0]); took < 1500*time.Millisecond {
		t.Errorf("three lists came within %v", took)
	}
}

// overloaded answers as the API server does that is asked too much.
func overloaded(t *testing.T, w *watched) {
	before := len(w.requests.of("watch pods"))
	const seconds = 3
	w.proxy.Respond(2, podsPath, faultproxy.Answer{
		Status: http.StatusTooManyRequests,
		Header: http.Header{"Content-Type": {"text/plain"}, "Retry-After": {fmt.Sprint(seconds)}},
		Body:   "Too many requests, please try again later.",
	})
	begun := time.Now()
	w.breakWatch(t)
	change := w.changeUnseen(t)
	w.awaitTrouble(t, begun, "overloaded (429) and asks to wait 3 s")
	w.awaitChange(t, change)
	asked := w.requests.of("watch pods")
	asked = asked[len(asked)-3:] // before them one may have met the reset
	if made := len(w.requests.of("watch pods")) - before; made > 4 {
		t.Errorf("%d attempts, want two that were turned away and one that was not", made)
	}
	for i := 1; i < len(asked); i++ {
		if pause := asked[i].Sub(asked[i-1]); pause < seconds*time.Second {
			t.Errorf("an attempt came after %v, the server had asked for %d s", pause, seconds)
		}
	}
}

// unauthorized refuses the credentials. Not even an open watch hides it.
func unauthorized(t *testing.T, w *watched) {
	w.proxy.Respond(-1, "/", refusal(http.StatusUnauthorized, metav1.StatusReasonUnauthorized))
	w.awaitTrouble(t, time.Now(), "are not accepted (401); log in again")
	w.proxy.Forward()
	w.change(t)
}

// withoutDeployments forbids a part of what is watched.
func withoutDeployments(t *testing.T, w *watched) {
	w.proxy.Respond(-1, "/apis/apps/v1/namespaces/erpgo/replicasets", refusal(http.StatusForbidden, metav1.StatusReasonForbidden))
	w.breakWatch(t)
	r := awaitReading(t, &w.board.Pods, "an error of the deployments", func(r Reading[Pods]) bool {
		return r.Err == nil && r.Value.DeploymentsErr != nil
	})
	if !strings.Contains(r.Value.DeploymentsErr.Error(), "ask for the role view") {
		t.Errorf("%q does not say what to do", r.Value.DeploymentsErr)
	}
	w.change(t)
}
