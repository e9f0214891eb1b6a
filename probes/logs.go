package probes

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/erpgo/flightdeck/config"
)

const (
	// maxStreams bounds the log streams of one tail: each is a connection from
	// the API server to a kubelet. The newest pods come first.
	maxStreams = 64
	// keepEnded is how long the end of a pod's log stays in the state after the
	// pod is gone.
	keepEnded = 30 * time.Second
	// describeEvery bounds how often the streams are looked over.
	describeEvery = 50 * time.Millisecond
)

// LogSource says whose logs to follow.
type LogSource struct {
	Selector  string        // label selector; empty means all pods of the namespace
	Pod       string        // only this pod; empty means all that the selector names
	Container string        // only containers of this name; empty means all
	Since     time.Duration // how far back the tail begins
}

// String names the source as a pane's title does.
func (s LogSource) String() string {
	name := s.Selector
	switch {
	case s.Pod != "":
		name = "pod/" + s.Pod
	case name == "":
		name = "all pods"
	}
	if s.Container != "" {
		name += " " + s.Container
	}
	return name
}

// LogsProbe follows the logs of the service on the board's tail.
type LogsProbe struct {
	cluster *Cluster
	source  LogSource
	tail    *Tail
}

// NewLogs returns the probe of the board's log tail: all containers of the pods
// that selector names, beginning cfg.Since ago.
func NewLogs(cluster *Cluster, selector string, cfg config.Logs, board *Board) *LogsProbe {
	return &LogsProbe{cluster, LogSource{Selector: selector, Since: cfg.Since}, board.Logs}
}

// Name is "logs".
func (p *LogsProbe) Name() string { return "logs" }

// Run follows until ctx ends.
func (p *LogsProbe) Run(ctx context.Context) error {
	p.cluster.FollowLogs(ctx, p.source, p.tail)
	return nil
}

// FollowLogs appends the lines of all containers that source names to tail
// until ctx ends. Pods that come join, pods that go leave when their log was
// read to its end, and a stream that breaks goes on where it broke. At most 64
// containers are followed at a time. Trouble is in the tail's state.
func (c *Cluster) FollowLogs(ctx context.Context, source LogSource, tail *Tail) {
	if c.err != nil {
		tail.describe(source.String(), nil, 0, c.err)
		return
	}
	if _, err := labels.Parse(source.Selector); err != nil {
		tail.describe(source.String(), nil, 0, fmt.Errorf("label selector %q: %w; it is the setting service.selector", source.Selector, err))
		return
	}
	f := &logFollower{
		cluster: c,
		source:  source,
		tail:    tail,
		begin:   time.Now().Add(-source.Since),
		wake:    make(chan struct{}, 1),
		pods:    make(map[types.UID]logPod),
		streams: make(map[streamKey]*logStream),
	}
	f.run(ctx)
}

// logFollower starts and ends the streams of one tail.
type logFollower struct {
	cluster *Cluster
	source  LogSource
	tail    *Tail
	begin   time.Time
	wake    chan struct{} // holds a token when the streams have to be looked over
	running sync.WaitGroup

	mu      sync.Mutex
	pods    map[types.UID]logPod
	podsErr error
	streams map[streamKey]*logStream // those that run, wait, or have ended
}

// streamKey identifies a container over the restarts of its process.
type streamKey struct {
	pod       types.UID
	container string
}

// logPod is what the tail has to know of a pod.
type logPod struct {
	uid        types.UID
	name       string
	created    time.Time
	containers []logContainer
}

// logContainer is how far a container has come.
type logContainer struct {
	name       string
	instance   int       // how often it was restarted before
	started    bool      // this instance has begun to write
	terminated bool      // this instance has ended
	ended      time.Time // when, if it is known
}

// newLogPod keeps what the tail has to know of a pod.
func newLogPod(pod *corev1.Pod) logPod {
	p := logPod{uid: pod.UID, name: pod.Name, created: pod.CreationTimestamp.Time}
	for _, statuses := range [][]corev1.ContainerStatus{
		pod.Status.InitContainerStatuses, pod.Status.ContainerStatuses, pod.Status.EphemeralContainerStatuses,
	} {
		for _, s := range statuses {
			c := logContainer{name: s.Name, instance: int(s.RestartCount)}
			last := s.State.Terminated
			if last == nil && s.State.Running == nil {
				last = s.LastTerminationState.Terminated // it waits to be restarted
			}
			c.started = s.State.Running != nil || last != nil
			c.terminated = last != nil
			if last != nil {
				c.ended = last.FinishedAt.Time
			}
			p.containers = append(p.containers, c)
		}
	}
	return p
}

// run follows until ctx ends.
func (f *logFollower) run(ctx context.Context) {
	turned, leave := f.cluster.heart.join()
	defer leave()
	defer waitBriefly(&f.running)
	f.running.Go(func() { f.podsMirror().run(ctx) })
	expire := time.NewTicker(keepEnded / 3)
	defer expire.Stop()
	for {
		f.look(ctx)
		select {
		case <-time.After(describeEvery):
		case <-ctx.Done():
			return
		}
		select {
		case <-f.wake:
		case <-turned:
		case <-expire.C:
		case <-ctx.Done():
			return
		}
	}
}

// lookOver has the streams looked over soon.
func (f *logFollower) lookOver() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// look tells every stream how its container is, starts those that are wanted
// and not there, forgets those that ended a while ago, and describes them all.
func (f *logFollower) look(ctx context.Context) {
	f.mu.Lock()
	defer f.mu.Unlock()
	active := 0
	for key, s := range f.streams {
		if s.active {
			active++
		} else if _, ok := f.pods[key.pod]; !ok && s.stale() {
			delete(f.streams, key)
		}
	}
	beyond := 0
	for _, pod := range f.newestFirst() {
		for _, c := range pod.containers {
			if f.source.Container != "" && f.source.Container != c.name {
				continue
			}
			key := streamKey{pod.uid, c.name}
			s := f.streams[key]
			if s == nil {
				if c.terminated && c.ended.Before(f.begin) {
					continue // it ended before the tail begins
				}
				s = newLogStream(f, pod.name, c.name)
				f.streams[key] = s
			}
			s.update(c)
			switch {
			case s.active || !c.started || s.finished(c.instance):
			case active == maxStreams:
				beyond++
			default:
				active++
				s.active = true
				f.running.Go(func() { f.follow(ctx, s) })
			}
		}
	}
	f.describe(beyond)
}

// follow runs a stream to its end.
func (f *logFollower) follow(ctx context.Context, s *logStream) {
	s.run(ctx)
	f.mu.Lock()
	s.active = false
	f.mu.Unlock()
	f.lookOver()
}

func (f *logFollower) newestFirst() []logPod {
	pods := make([]logPod, 0, len(f.pods))
	for _, p := range f.pods {
		pods = append(pods, p)
	}
	slices.SortFunc(pods, func(a, b logPod) int {
		return cmp.Or(b.created.Compare(a.created), cmp.Compare(a.name, b.name))
	})
	return pods
}

// describe publishes the state of all streams. The caller holds mu.
func (f *logFollower) describe(beyond int) {
	pods := make([]PodTail, 0, len(f.streams))
	for _, s := range f.streams {
		pods = append(pods, s.state())
	}
	slices.SortFunc(pods, func(a, b PodTail) int {
		return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Container, b.Container))
	})
	err := f.cluster.explain(f.cluster.heart.state().err)
	if err == nil {
		err = f.podsErr
	}
	f.tail.describe(f.source.String(), pods, beyond, err)
}

// podsMirror keeps the pods that are followed.
func (f *logFollower) podsMirror() *mirror[*corev1.Pod, logPod] {
	change := func(do func()) {
		f.mu.Lock()
		do()
		f.mu.Unlock()
		f.lookOver()
	}
	m := &mirror[*corev1.Pod, logPod]{
		cluster:  f.cluster,
		client:   f.cluster.core,
		resource: "pods",
		labels:   f.source.Selector,
		page:     func() runtime.Object { return &corev1.PodList{} },
		keep:     newLogPod,
		synced: func(all []logPod) {
			change(func() {
				f.pods = make(map[types.UID]logPod, len(all))
				for _, p := range all {
					f.pods[p.uid] = p
				}
				for key, s := range f.streams {
					if _, ok := f.pods[key.pod]; !ok {
						s.remove()
					}
				}
			})
		},
		changed: func(p logPod) { change(func() { f.pods[p.uid] = p }) },
		removed: func(p logPod) {
			change(func() {
				delete(f.pods, p.uid)
				for key, s := range f.streams {
					if key.pod == p.uid {
						s.remove()
					}
				}
			})
		},
		health: func(err error) { change(func() { f.podsErr = err }) },
	}
	if f.source.Pod != "" {
		m.fields = fields.OneTermEqualSelector("metadata.name", f.source.Pod).String()
	}
	return m
}
