//go:build unix

package probes

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/erpgo/flightdeck/testenv"
)

// kubelet serves the log of one container, whose instances a test starts and
// ends. KWOK cannot: its containers never end.
type kubelet struct {
	server *httptest.Server

	mu        sync.Mutex
	instances []instance
	changed   chan struct{} // closed and replaced when something has
	torn      chan struct{} // closed and replaced to break the open streams
}

type instance struct {
	lines []string // with their timestamps and ends
	ended bool
}

func startKubelet(t *testing.T) *kubelet {
	k := &kubelet{changed: make(chan struct{}), torn: make(chan struct{})}
	k.server = httptest.NewTLSServer(http.HandlerFunc(k.serve))
	t.Cleanup(k.server.Close)
	t.Cleanup(k.tear)
	return k
}

// change does something and tells the streams.
func (k *kubelet) change(do func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	do()
	close(k.changed)
	k.changed = make(chan struct{})
}

// start begins a new instance, which ends the one before.
func (k *kubelet) start() {
	k.change(func() {
		if n := len(k.instances); n > 0 {
			k.instances[n-1].ended = true
		}
		k.instances = append(k.instances, instance{})
	})
}

func (k *kubelet) end() {
	k.change(func() { k.instances[len(k.instances)-1].ended = true })
}

// write adds a line to the newest instance's log.
func (k *kubelet) write(text, end string) {
	k.change(func() {
		newest := &k.instances[len(k.instances)-1]
		newest.lines = append(newest.lines, time.Now().UTC().Format(time.RFC3339Nano)+" "+text+end)
	})
}

// tear breaks the open streams in the middle of a line.
func (k *kubelet) tear() {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.torn)
	k.torn = make(chan struct{})
}

// serve answers as a kubelet does.
func (k *kubelet) serve(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	since, _ := time.Parse(time.RFC3339, query.Get("sinceTime"))
	k.mu.Lock()
	at := len(k.instances) - 1
	torn := k.torn
	k.mu.Unlock()
	if query.Get("previous") == "true" {
		at--
	}
	if at < 0 {
		http.Error(w, "there is no such instance", http.StatusBadRequest)
		return
	}
	for sent := 0; ; {
		k.mu.Lock()
		now, changed := k.instances[at], k.changed
		k.mu.Unlock()
		for ; sent < len(now.lines); sent++ {
			line := now.lines[sent]
			if stamp, _ := time.Parse(time.RFC3339Nano, line[:len(line)-len(afterBlank(line))-1]); stamp.Before(since) {
				continue
			}
			_, _ = w.Write([]byte(line))
		}
		w.(http.Flusher).Flush()
		if now.ended || query.Get("follow") != "true" {
			return
		}
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-torn:
			_, _ = w.Write([]byte(time.Now().UTC().Format(time.RFC3339Nano) + " this line is never whole"))
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

func afterBlank(line string) string {
	for i, c := range line {
		if c == ' ' {
			return line[i+1:]
		}
	}
	return ""
}

// TestLogsOverRestarts follows a container through the deaths of its process.
func TestLogsOverRestarts(t *testing.T) {
	k := startKube(t, testenv.ControlPlaneOptions{APIServerOnly: true})
	kubelet := startKubelet(t)
	host, portText, err := net.SplitHostPort(kubelet.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		t.Fatal(err)
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node-1"}}
	k.write(t, k.admin.core.Post().Resource("nodes"), node)
	node.Status = corev1.NodeStatus{
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: host}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(port)}},
	}
	k.write(t, k.admin.core.Put().Resource("nodes").Name("node-1").SubResource("status"), node)

	pod := apiPod("api-1")
	pod.Spec.NodeName = "node-1"
	status := pod.Status
	pod.Status = corev1.PodStatus{Phase: corev1.PodPending, ContainerStatuses: []corev1.ContainerStatus{waiting("api", "ContainerCreating")}}
	k.put(t, pod)
	set := func(s corev1.ContainerStatus) {
		t.Helper()
		pod.Status = status
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{s}
		k.setStatus(t, pod)
	}
	tail := follow(t, k.admin, LogSource{Selector: "app=erpgo-api", Since: time.Minute}, 1000)
	var want []string
	say := func(text string) {
		want = append(want, text)
		kubelet.write(text, "\n")
	}
	awaitAll := func(what string) {
		t.Helper()
		await(t, what, func() bool { return len(texts(tail, "api-1", "api")) >= len(want) })
		// Each instance in order; the instances in whichever they could be had.
		got, all := slices.Sorted(slices.Values(texts(tail, "api-1", "api"))), slices.Sorted(slices.Values(want))
		if !slices.Equal(got, all) {
			t.Fatalf("%s: got %q, want %q", what, got, all)
		}
	}

	awaitStreams(t, tail, "api-1/api waiting")
	kubelet.start()
	set(running("api", true, 0))
	say("the first instance begins")
	awaitAll("the first line")
	awaitStreams(t, tail, "api-1/api following")

	// The stream breaks, and while it is away the process dies and is started
	// again. What it said last is in the log of the instance before.
	kubelet.change(func() {
		kubelet.instances[0].lines = append(kubelet.instances[0].lines, time.Now().UTC().Format(time.RFC3339Nano)+" panic: nobody was listening\n")
		want = append(want, "panic: nobody was listening")
		close(kubelet.torn)
		kubelet.torn = make(chan struct{})
	})
	awaitAll("what came in the break")
	kubelet.tear()
	await(t, "the break", func() bool { return slices.Equal(streams(tail), []string{"api-1/api reconnecting"}) })
	say("panic: the last words")
	kubelet.start()
	set(running("api", true, 1))
	say("the second instance begins")
	awaitAll("both instances")

	// It ends in good order, its last line without an end.
	kubelet.write("no newline", "")
	want = append(want, "no newline")
	kubelet.end()
	set(again(waiting("api", "CrashLoopBackOff"), 1))
	awaitStreams(t, tail, "api-1/api ended")
	awaitAll("the last line")

	kubelet.start()
	set(running("api", true, 2))
	say("the third instance begins")
	awaitAll("the third instance")

	k.remove(t, "api-1")
	kubelet.end()
	awaitStreams(t, tail, "api-1/api ended")
	awaitAll(fmt.Sprintf("%d lines in all", len(want)))
}
