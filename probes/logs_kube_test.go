//go:build unix

package probes

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

// podLog is the log file of a container, as the container runtime writes it.
type podLog struct {
	path string

	mu      sync.Mutex
	file    *os.File
	written []string
}

// run starts a pod with the given containers and waits until each can be
// followed.
func (s *runningKube) run(t *testing.T, name, app string, names ...string) []*podLog {
	t.Helper()
	var logs []*podLog
	var entries []any
	for _, container := range names {
		file, err := os.CreateTemp(s.folder, name+"-"+container+"-*.log")
		if err != nil {
			t.Fatal(err)
		}
		path := file.Name()
		t.Cleanup(func() { _ = file.Close() })
		logs = append(logs, &podLog{path: path, file: file})
		entries = append(entries, map[string]any{"containers": []string{container}, "logsFile": path, "follow": true})
	}
	s.apply(t, map[string]any{
		"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs",
		"metadata": map[string]any{"name": name, "namespace": "erpgo"},
		"spec":     map[string]any{"logs": entries},
	})
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "erpgo", Labels: map[string]string{"app": app}},
		Spec:       corev1.PodSpec{Containers: containers(names...), NodeName: "node-1"},
	}
	s.write(t, s.admin.core.Post().Namespace("erpgo").Resource("pods"), pod)
	for _, container := range names {
		await(t, "the log of "+name, func() bool {
			return s.admin.core.Get().Namespace("erpgo").Resource("pods").Name(name).SubResource("log").
				Param("container", container).Do(t.Context()).Error() == nil
		})
	}
	return logs
}

// apply creates or changes objects.
func (s *runningKube) apply(t *testing.T, objects ...any) {
	t.Helper()
	var all bytes.Buffer
	for _, object := range objects {
		if err := json.NewEncoder(&all).Encode(object); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), s.Kubectl, "--kubeconfig", s.Kubeconfig, "apply", "-f", "-")
	cmd.Stdin = &all
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kubectl apply: %v\n%s", err, out)
	}
}

// write appends a line.
func (l *podLog) write(stream, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.file, "%s %s F %s\n", time.Now().UTC().Format(time.RFC3339Nano), stream, text)
	l.written = append(l.written, text)
}

// rotate does what a kubelet does with a log that has become large.
func (l *podLog) rotate(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := os.Rename(l.path, fmt.Sprintf("%s.%d", l.path, time.Now().UnixNano())); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(l.path)
	if err != nil {
		t.Fatal(err)
	}
	_ = l.file.Close()
	l.file = file
}

// scissors cuts the log streams of a cluster after some bytes, wherever in a
// line that is.
type scissors struct {
	next http.RoundTripper
	cuts atomic.Int64
	off  atomic.Bool
}

// RoundTrip sends one request.
func (s *scissors) RoundTrip(req *http.Request) (*http.Response, error) {
	response, err := s.next.RoundTrip(req)
	if err == nil && strings.HasSuffix(req.URL.Path, "/log") {
		response.Body = &cutBody{ReadCloser: response.Body, scissors: s, left: rand.IntN(25_000)}
	}
	return response, err
}

type cutBody struct {
	io.ReadCloser
	scissors *scissors
	left     int
}

// Read reads until the cut.
func (b *cutBody) Read(p []byte) (int, error) {
	if b.left <= 0 && !b.scissors.off.Load() {
		b.scissors.cuts.Add(1)
		_ = b.Close()
		return 0, io.ErrUnexpectedEOF
	}
	if !b.scissors.off.Load() {
		p = p[:min(len(p), b.left)]
	}
	n, err := b.ReadCloser.Read(p)
	b.left -= n
	return n, err
}

// texts are the lines of a container on a tail, in the order they arrived.
func texts(tail *Tail, pod, container string) (all []string) {
	for _, line := range tail.Last(1 << 20) {
		if line.Pod == pod && line.Container == container {
			all = append(all, line.Raw)
		}
	}
	return all
}

// follow follows logs on a tail of their own until the test ends.
func follow(t *testing.T, c *Cluster, source LogSource, n int) *Tail {
	t.Helper()
	tail := NewTail(n)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { c.FollowLogs(ctx, source, tail) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return tail
}

// streams are the states of a tail's streams, as pod/container state.
func streams(tail *Tail) (all []string) {
	for _, s := range tail.State().Pods {
		all = append(all, s.Pod+"/"+s.Container+" "+s.State)
	}
	return all
}

func awaitStreams(t *testing.T, tail *Tail, want ...string) {
	t.Helper()
	await(t, strings.Join(want, ", "), func() bool { return slices.Equal(streams(tail), want) })
}

// reconnects cuts the streams 100 times in the middle of seconds and lines,
// resets all connections a few times, and rotates the logs meanwhile.
func reconnects(t *testing.T, s *runningKube) {
	proxy, kubeconfig := testenv.NewAPIProxy(t, s.ControlPlane)
	c := openCluster(t, kubeconfig)
	client := c.core.(*rest.RESTClient).Client
	cut := &scissors{next: client.Transport}
	client.Transport = cut

	logs := map[string]*podLog{}
	for _, pod := range []string{"api-1", "api-2", "api-3"} {
		for i, l := range s.run(t, pod, "erpgo-api", "api", "proxy") {
			logs[pod+"/"+[]string{"api", "proxy"}[i]] = l
		}
	}
	tail := follow(t, c, LogSource{Selector: "app=erpgo-api", Since: time.Minute}, 1<<20)
	read, seen := map[string]int{}, uint64(0) // lines of each log, up to a sequence number
	caughtUp := func() bool {
		lines, _ := tail.Since(seen, 1<<20)
		for _, line := range lines {
			read[line.Pod+"/"+line.Container]++
			seen = line.Seq
		}
		for name, l := range logs {
			l.mu.Lock()
			want := len(l.written)
			l.mu.Unlock()
			if read[name] < want {
				return false
			}
		}
		return true
	}

	var writing sync.WaitGroup
	var paused, done atomic.Bool
	for _, l := range logs {
		writing.Go(func() {
			pace := time.NewTicker(20 * time.Millisecond)
			defer pace.Stop()
			for i := 0; !done.Load(); {
				<-pace.C
				if paused.Load() {
					continue
				}
				for range rand.IntN(3) { // at almost the same time
					i++
					text := fmt.Sprintf("line %d %s", i, strings.Repeat("x", rand.IntN(120)))
					if rand.IntN(5) == 0 {
						text = "the same again"
					}
					l.write([]string{"stdout", "stderr"}[rand.IntN(2)], text)
				}
			}
		})
	}
	for round := int64(1); round <= 5; round++ {
		await(t, "20 more cuts", func() bool { return cut.cuts.Load() >= 20*round })
		for _, mode := range []faultproxy.Mode{faultproxy.Reset, faultproxy.Pass} {
			if err := proxy.Set(mode); err != nil {
				t.Fatal(err)
			}
		}
		// What a log held that was rotated away cannot be asked for any more:
		// rotate when all was read, and break the streams right after it. A
		// stream that was cut a few times in what it repeats waits the longer.
		paused.Store(true)
		cut.off.Store(true)
		awaitFor(t, patience+lastRetry, "all lines so far", caughtUp)
		for _, l := range logs {
			l.rotate(t)
		}
		cut.off.Store(false)
		paused.Store(false)
	}
	done.Store(true)
	writing.Wait()
	cut.off.Store(true)
	awaitFor(t, patience+lastRetry, "all lines", caughtUp)

	total := 0
	for name, l := range logs {
		pod, container, _ := strings.Cut(name, "/")
		got := texts(tail, pod, container)
		total += len(got)
		if !slices.Equal(got, l.written) {
			t.Errorf("%s: %d lines were written and %d read%s", name, len(l.written), len(got), firstDifference(l.written, got))
		}
	}
	t.Logf("%d cuts, %d lines", cut.cuts.Load(), total)
}

func firstDifference(want, got []string) string {
	for i := range min(len(want), len(got)) {
		if want[i] != got[i] {
			return fmt.Sprintf("; line %d is %q and should be %q", i, got[i], want[i])
		}
	}
	return ""
}

// comeAndGo has pods join a tail, and leave it.
func comeAndGo(t *testing.T, s *runningKube) {
	tail := follow(t, s.admin, LogSource{Selector: "app=web", Since: time.Minute}, 100)
	first := s.run(t, "web-1", "web", "web")[0]
	awaitStreams(t, tail, "web-1/web following")
	first.write("stdout", "one")
	second := s.run(t, "web-2", "web", "web")[0]
	awaitStreams(t, tail, "web-1/web following", "web-2/web following")
	second.write("stdout", "two")
	await(t, "both lines", func() bool { return tail.State().Last == 2 })
	s.remove(t, "web-1")
	awaitStreams(t, tail, "web-1/web ended", "web-2/web following")

	// A StatefulSet's pod comes back under the same name.
	again := s.run(t, "web-1", "web", "web")[0]
	again.write("stdout", "three")
	await(t, "the third line", func() bool { return tail.State().Last >= 3 })
	s.remove(t, "web-2")
	await(t, "the end of web-2", func() bool { return slices.Contains(streams(tail), "web-2/web ended") })
	if got, want := texts(tail, "web-1", "web"), []string{"one", "three"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := tail.State(); got.Err != nil || got.Selector != "app=web" {
		t.Errorf("selector %q, error %v", got.Selector, got.Err)
	}
}

// otherSelectors follows a part of what is there, each on a tail of its own.
func otherSelectors(t *testing.T, s *runningKube) {
	logs := s.run(t, "db-0", "postgres", "postgres", "metrics")
	for _, test := range []struct {
		source LogSource
		title  string
		want   []string
	}{
		{LogSource{Selector: "app=postgres"}, "app=postgres", []string{"db-0/metrics following", "db-0/postgres following"}},
		{LogSource{Pod: "db-0", Container: "postgres"}, "pod/db-0 postgres", []string{"db-0/postgres following"}},
	} {
		test.source.Since = time.Minute
		tail := follow(t, s.admin, test.source, 100)
		awaitStreams(t, tail, test.want...)
		if got := tail.State().Selector; got != test.title {
			t.Errorf("it calls itself %q, want %q", got, test.title)
		}
		before := len(texts(tail, "db-0", "postgres"))
		logs[0].write("stderr", "ERROR:  deadlock detected")
		await(t, "the line", func() bool { return len(texts(tail, "db-0", "postgres")) > before })
		if line := tail.Last(1)[0]; line.Level != LevelError || line.Message != "deadlock detected" || time.Since(line.At) > time.Minute {
			t.Errorf("it was read as %+v", line)
		}
	}
	tail := NewTail(1)
	s.admin.FollowLogs(t.Context(), LogSource{Selector: "app in"}, tail)
	if err := tail.State().Err; err == nil || !strings.Contains(err.Error(), "service.selector") {
		t.Errorf("a selector that cannot be read: %v", err)
	}
}

// longLines writes lines that are too long to keep.
func longLines(t *testing.T, s *runningKube) {
	tail := follow(t, s.admin, LogSource{Pod: "long", Since: time.Minute}, 100)
	l := s.run(t, "long", "long", "api")[0]
	whole := strings.Repeat("0123456789", 10_000)
	l.write("stdout", whole)
	l.write("stdout", whole[:maxLine])
	l.write("stdout", "short")
	await(t, "three lines", func() bool { return tail.State().Last == 3 })
	for i, want := range []struct{ kept, cut int }{{maxLine, len(whole) - maxLine}, {maxLine, 0}, {5, 0}} {
		line := tail.Last(3)[i]
		if len(line.Raw) != want.kept || line.Cut != want.cut {
			t.Errorf("line %d: %d bytes kept and %d cut, want %d and %d", i+1, len(line.Raw), line.Cut, want.kept, want.cut)
		}
	}
}

// manyPods has more pods than may be followed.
func manyPods(t *testing.T, s *runningKube) {
	const pods = maxStreams + 6
	path := filepath.Join(s.folder, "many.log")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var objects []any
	for i := range pods {
		name := fmt.Sprintf("many-%02d", i)
		objects = append(objects, map[string]any{
			"apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "Logs",
			"metadata": map[string]any{"name": name, "namespace": "erpgo"},
			"spec":     map[string]any{"logs": []any{map[string]any{"logsFile": path, "follow": true}}},
		}, map[string]any{
			"apiVersion": "v1", "kind": "Pod",
			"metadata": map[string]any{"name": name, "namespace": "erpgo", "labels": map[string]string{"app": "many"}},
			"spec":     map[string]any{"nodeName": "node-1", "containers": []any{map[string]string{"name": "api", "image": "erpgo/api:1"}}},
		})
	}
	s.apply(t, objects...)
	tail := follow(t, s.admin, LogSource{Selector: "app=many", Since: time.Minute}, 100)
	following := func() (n int) {
		for _, p := range tail.State().Pods {
			if p.State == TailFollowing {
				n++
			}
		}
		return n
	}
	await(t, "all the streams there may be", func() bool { return following() == maxStreams && tail.State().Beyond == pods-maxStreams })
	gone := 0
	for _, p := range tail.State().Pods {
		if p.State == TailFollowing && gone < 3 {
			gone++
			s.remove(t, p.Pod)
		}
	}
	await(t, "others in their place", func() bool { return following() == maxStreams && tail.State().Beyond == pods-maxStreams-3 })
}

func TestLogsWithoutACluster(t *testing.T) {
	c, err := OpenCluster(config.Kubernetes{Kubeconfig: "/nowhere/config"})
	if err == nil {
		t.Fatal("no error")
	}
	tail := NewTail(1)
	c.FollowLogs(t.Context(), LogSource{Selector: "app=a"}, tail)
	if got := tail.State().Err; !errors.Is(got, err) {
		t.Errorf("the tail says %v", got)
	}
}
