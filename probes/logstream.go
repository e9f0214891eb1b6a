package probes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// logStream follows the log of one container. It outlives single connections,
// and waits between the instances of a container that is restarted.
type logStream struct {
	follower       *logFollower
	pod, container string
	active         bool   // it runs; guarded by the follower's mu
	resume         resume // only the running stream uses it

	appended atomic.Uint64 // lines, on all connections

	mu      sync.Mutex
	shown   PodTail
	now     logContainer
	removed bool               // the pod is gone
	through int                // the last instance that was read to its end, -1 when none was
	news    chan struct{}      // holds a token when now or removed has changed
	hangUp  context.CancelFunc // ends the open connection; nil when there is none
}

// linger is how long a stream may be silent after its pod is gone. A kubelet
// ends it; where the pod was deleted by force, or there is no kubelet, nobody
// does.
const linger = 3 * time.Second

func newLogStream(f *logFollower, pod, container string) *logStream {
	return &logStream{
		follower:  f,
		pod:       pod,
		container: container,
		resume:    resume{begin: f.begin},
		shown:     PodTail{Pod: pod, Container: container, State: TailWaiting, Since: time.Now()},
		through:   -1,
		news:      make(chan struct{}, 1),
	}
}

// update tells the stream how its container is.
func (s *logStream) update(c logContainer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == c {
		return
	}
	if c.instance > s.now.instance && s.hangUp != nil {
		// The open stream may be of the new instance already, if it was opened
		// since: have the old one's log read to its end first.
		s.hangUp()
	}
	s.now = c
	s.tell()
}

// remove tells the stream that its pod is gone.
func (s *logStream) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.removed = true
	s.tell()
	s.hangUpAfter(s.appended.Load())
}

// hangUpAfter ends the connection once no more lines than seen have come for a
// while.
func (s *logStream) hangUpAfter(seen uint64) {
	time.AfterFunc(linger, func() {
		if now := s.appended.Load(); now != seen {
			s.hangUpAfter(now)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.hangUp != nil {
			s.hangUp()
		}
	})
}

func (s *logStream) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// finished tells whether an instance was read to its end.
func (s *logStream) finished(instance int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.through >= instance
}

// stale tells whether a stream whose pod is gone need not be shown any more.
func (s *logStream) stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown.State != TailEnded || time.Since(s.shown.Since) > keepEnded
}

func (s *logStream) state() PodTail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.shown
}

func (s *logStream) status() (now logContainer, removed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now, s.removed
}

// show changes the state that the tail publishes, unless ctx has ended.
func (s *logStream) show(ctx context.Context, state string, err error) {
	s.mu.Lock()
	if ctx.Err() != nil {
		s.mu.Unlock()
		return
	}
	changed := s.shown.State != state
	if changed {
		s.shown.State, s.shown.Since = state, time.Now()
	}
	changed = changed || !sameError(s.shown.Err, err)
	s.shown.Err = err
	s.mu.Unlock()
	if changed {
		s.follower.lookOver()
	}
}

// end records that an instance was read to its end. rest is its last line, which
// may lack an end of its own.
func (s *logStream) end(ctx context.Context, instance int, rest logText) {
	s.take(rest, &s.resume)
	s.mu.Lock()
	s.through = instance
	s.mu.Unlock()
	s.show(ctx, TailEnded, nil)
}

// run follows the container's current instance until it has ended and all that
// it wrote was read, or ctx ends.
//
// That a stream ends in good order does not say that the log does: the API
// server words a connection that breaks between it and the kubelet like that,
// too. Only a stream that was opened when the instance was known to have ended
// is believed, and what may be left of an instance that was restarted meanwhile
// is asked for.
func (s *logStream) run(ctx context.Context) {
	found, leave := s.follower.cluster.heart.join()
	defer leave()
	retry := retries(lastRetry)
	last, _ := s.status()
	lost := s.resume.clone() // where the log of the last instance can be read on
	var rest logText         // what followed the last whole line
	for {
		instance, removed := s.status()
		if removed { // its name may be another pod's by now
			s.end(ctx, instance.instance, rest)
			return
		}
		if instance.instance > last.instance {
			// This can fail only where nobody has that log any more.
			_, _ = s.read(ctx, corev1.PodLogOptions{Previous: true}, &lost)
		}
		before := s.appended.Load()
		line, err := s.read(ctx, corev1.PodLogOptions{Follow: true}, &s.resume)
		if ctx.Err() != nil {
			return
		}
		now, _ := s.status()
		known := instance.terminated && now.instance == instance.instance
		whole := len(line.kept) == 0 || bytes.Equal(line.kept, rest.kept) // or it said so twice
		if err == nil && known && whole {
			s.end(ctx, instance.instance, line)
			return
		}
		last, lost = instance, s.resume.clone()
		progress := s.appended.Load() > before
		if progress {
			retry.Reset()
		}
		if progress || err == nil {
			rest = line
		}
		if errors.Is(err, context.Canceled) { // we hung up
			err = nil
		}
		s.show(ctx, TailReconnecting, s.follower.cluster.explain(err))
		s.pause(ctx, retry.NextBackOff(), err, found)
	}
}

// pause waits before the next attempt: for d, until there is news of the
// container, or as long as the server asked for.
func (s *logStream) pause(ctx context.Context, d time.Duration, err error, found <-chan struct{}) {
	news := s.news
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		d = max(d, jitterUp(time.Duration(seconds)*time.Second))
		news, found = nil, nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-news:
	case <-found:
	}
}

// read opens a stream where r says and appends its lines. rest is what came
// after the last whole line. err is nil when the stream ended in good order.
func (s *logStream) read(ctx context.Context, options corev1.PodLogOptions, r *resume) (rest logText, err error) {
	options.Container = s.container
	options.Timestamps = true
	options.SinceTime = &metav1.Time{Time: r.from()}
	if r.begun {
		r.reconnect()
	} else {
		limit := int64(s.follower.tail.limit) // more would push itself out
		options.TailLines = &limit
	}
	ctx, hangUp := context.WithCancel(ctx)
	defer hangUp()
	s.hold(hangUp)
	// A kubelet answers with the first line only. A request that is not refused
	// soon is one that waits for it.
	quiet := time.AfterFunc(time.Second, func() { s.show(ctx, TailFollowing, nil) })
	defer quiet.Stop()
	stream, err := s.follower.cluster.core.Get().
		Namespace(s.follower.cluster.Namespace).Resource("pods").Name(s.pod).SubResource("log").
		VersionedParams(&options, parameterCodec).MaxRetries(0).Stream(ctx)
	if err != nil {
		return logText{}, err
	}
	defer func() { _ = stream.Close() }()
	s.show(ctx, TailFollowing, nil)
	lines := bufio.NewReaderSize(stream, maxLine)
	for {
		text, err := readText(lines)
		if errors.Is(err, io.EOF) {
			return text, nil
		}
		if err != nil {
			return logText{}, err
		}
		s.take(text, r)
	}
}

// hold keeps what ends the connection that is about to be opened.
func (s *logStream) hold(hangUp context.CancelFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hangUp = hangUp
}

// take appends a line, unless an earlier stream brought it already.
func (s *logStream) take(text logText, r *resume) {
	if len(text.kept) == 0 {
		return
	}
	stamp, message, _ := bytes.Cut(text.kept, []byte(" "))
	at, err := time.Parse(time.RFC3339Nano, string(stamp))
	if err != nil { // not from a kubelet; still worth showing
		at, message = time.Now(), text.kept
	} else if !r.fresh(at, message) {
		return
	}
	s.appended.Add(1)
	raw := string(message[:min(len(message), maxLine)])
	parsed := parseLine(raw)
	s.follower.tail.append(Line{
		At:        at,
		Pod:       s.pod,
		Container: s.container,
		Raw:       raw,
		Cut:       text.cut + len(message) - len(raw),
		Level:     parsed.level,
		Message:   parsed.message,
		Fields:    parsed.fields,
	})
}

// logText is a line with its timestamp, bounded in length.
type logText struct {
	kept []byte // without the line's end
	cut  int    // bytes that are not in kept
}

// stampLength is room for an RFC 3339 timestamp with nanoseconds and a blank.
const stampLength = len("2006-01-02T15:04:05.000000000+07:00 ")

// readText reads one line, however long it is, and keeps its start. With io.EOF
// it returns what there is of a line without an end. kept is valid until the
// next call only.
func readText(r *bufio.Reader) (text logText, err error) {
	part, err := r.ReadSlice('\n')
	if err == nil {
		return logText{kept: trimEnd(part)}, nil
	}
	kept := append([]byte(nil), part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = r.ReadSlice('\n')
		whole := part
		if err == nil {
			whole = trimEnd(part)
		}
		room := maxLine + stampLength - len(kept)
		kept = append(kept, whole[:min(room, len(whole))]...)
		text.cut += len(whole) - min(room, len(whole))
	}
	text.kept = kept
	return text, err
}

func trimEnd(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
