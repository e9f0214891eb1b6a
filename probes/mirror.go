package probes

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
)

const (
	// pageSize is how many objects are in memory at once while a list is read.
	// Real pods take 10 to 40 KiB each decoded.
	pageSize = 250
	// answerTimeout bounds one page of a list, and the wait for a watch to open.
	answerTimeout = 15 * time.Second
	// held is how long a watch must have been open for the next attempt to come
	// soon after it; settled, for the next list, which costs the server more.
	held    = time.Second
	settled = 30 * time.Second
	// unnoticed is how long a break may last without being mentioned.
	unnoticed = time.Second
	// opening is how long a watch must stay open to count as open: client-go
	// reports some failures as a watch that ends at once.
	opening = 200 * time.Millisecond
)

var (
	// errWatchEnded ends every watch in good order, after some minutes.
	errWatchEnded  = errors.New("the watch ended; a new one is tried")
	errWatchClosed = errors.New("the watch ended as soon as it was opened; a new one is tried")
)

// mirror keeps its owner in step with the objects of one resource in the
// cluster's namespace: a list, then a watch from there.
//
// It does what client-go's Reflector does, with three differences that the
// cockpit needs: of each page of the list only what is kept (T) outlives the
// page, so that 5,000 pods are never in memory as a whole; a broken connection
// goes on where it broke, and only a server that has forgotten that point (410
// Gone) is listed again; and the owner hears of every failed attempt.
type mirror[O runtime.Object, T any] struct {
	cluster  *Cluster
	client   rest.Interface
	resource string
	labels   string // label selector, empty for all
	fields   string // field selector, empty for all
	page     func() runtime.Object
	keep     func(O) T

	// What the owner is told, always from the goroutine of run.
	synced  func([]T)   // these are all
	changed func(T)     // this one is new or different
	removed func(T)     // this one is gone
	health  func(error) // nil: in step from now on; otherwise why it is not
}

// run keeps the owner in step until ctx ends. Failed attempts are repeated with
// growing pauses, or when the heartbeat finds the server again; a server that
// asks for a longer pause gets it.
func (m *mirror[O, T]) run(ctx context.Context) {
	found, leave := m.cluster.heart.join()
	defer leave()
	again, relist := retries(lastRetry), retries(lastRetry)
	version := "" // where the watch goes on; empty means list first
	for {
		var err error
		if version == "" {
			version, err = m.list(ctx)
		}
		if err == nil {
			begun := time.Now()
			version, err = m.watch(ctx, version)
			lasted := time.Since(begun)
			if lasted >= held {
				again.Reset()
			}
			if lasted >= settled {
				relist.Reset()
			}
		}
		if ctx.Err() != nil {
			return
		}
		quiet := errors.Is(err, errWatchEnded)
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			// The server has forgotten what came after version, as it does
			// after a while.
			version, quiet = "", true
		}
		pause := again.NextBackOff()
		if version == "" {
			pause = max(pause, relist.NextBackOff())
		}
		if !quiet || pause > unnoticed {
			m.health(m.cluster.explain(err))
		}
		m.pause(ctx, pause, err, found)
	}
}

// pause waits for d, or as long as the server asked for. The heartbeat's news
// that the server is back ends the first and not the second.
func (m *mirror[O, T]) pause(ctx context.Context, d time.Duration, err error, found <-chan struct{}) {
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		d = max(d, jitterUp(time.Duration(seconds)*time.Second))
		found = nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			return
		case <-ctx.Done():
			return
		case <-found:
			if m.cluster.heart.state().err == nil {
				return
			}
		}
	}
}

// jitterUp lengthens d by up to a fifth: everybody was asked to wait as long.
func jitterUp(d time.Duration) time.Duration {
	return d + time.Duration(rand.Float64()*float64(d)/5)
}

func (m *mirror[O, T]) get(options metav1.ListOptions) *rest.Request {
	options.LabelSelector, options.FieldSelector = m.labels, m.fields
	// Without retries of client-go's own, which would wait unseen.
	return m.client.Get().Namespace(m.cluster.Namespace).Resource(m.resource).
		VersionedParams(&options, parameterCodec).MaxRetries(0)
}

// list reads all objects, page by page, and returns the resource version that a
// watch goes on from.
func (m *mirror[O, T]) list(ctx context.Context) (version string, err error) {
	var all []T
	options := metav1.ListOptions{Limit: pageSize}
	for {
		page := m.page()
		if err := m.read(ctx, options, page); err != nil {
			return "", fmt.Errorf("list %s: %w", m.resource, err)
		}
		err := meta.EachListItem(page, func(object runtime.Object) error {
			o, ok := object.(O)
			if !ok {
				return fmt.Errorf("list %s: the answer holds a %T", m.resource, object)
			}
			all = append(all, m.keep(o))
			return nil
		})
		if err != nil {
			return "", err
		}
		about, err := meta.ListAccessor(page)
		if err != nil {
			return "", fmt.Errorf("list %s: %w", m.resource, err)
		}
		if options.Continue = about.GetContinue(); options.Continue == "" {
			m.synced(all)
			return about.GetResourceVersion(), nil
		}
	}
}

func (m *mirror[O, T]) read(ctx context.Context, options metav1.ListOptions, page runtime.Object) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	err := m.get(options).Do(ctx).Into(page)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return noAnswer{within: answerTimeout}
	}
	return err
}

// watch tells the owner of every change after version until the watch ends, and
// returns the version that the next one goes on from, and why it ended.
func (m *mirror[O, T]) watch(ctx context.Context, version string) (string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	late := time.AfterFunc(answerTimeout, cancel)
	// The server ends a watch after five to ten minutes, as client-go asks it to.
	seconds := int64(300 + rand.IntN(300))
	stream, err := m.get(metav1.ListOptions{
		ResourceVersion:     version,
		AllowWatchBookmarks: true,
		TimeoutSeconds:      &seconds,
		Watch:               true,
	}).Watch(ctx)
	if !late.Stop() {
		err = noAnswer{within: answerTimeout}
	}
	if err != nil {
		return version, fmt.Errorf("watch %s: %w", m.resource, err)
	}
	defer stream.Stop()

	open := time.NewTimer(opening)
	defer open.Stop()
	for {
		select {
		case <-open.C:
			m.health(nil)
		case event, ok := <-stream.ResultChan():
			if !ok {
				if open.Stop() {
					return version, errWatchClosed
				}
				return version, errWatchEnded
			}
			next, err := m.take(event)
			if err != nil {
				return version, fmt.Errorf("watch %s: %w", m.resource, err)
			}
			version = next
			if open.Stop() {
				m.health(nil)
			}
		}
	}
}

// take tells the owner of one event and returns the version after it.
func (m *mirror[O, T]) take(event watch.Event) (version string, err error) {
	if event.Type == watch.Error {
		return "", watchError(event.Object)
	}
	object, ok := event.Object.(O)
	if !ok {
		return "", fmt.Errorf("an event holds a %T", event.Object)
	}
	switch event.Type {
	case watch.Added, watch.Modified:
		m.changed(m.keep(object))
	case watch.Deleted:
		m.removed(m.keep(object))
	}
	about, err := meta.Accessor(object)
	if err != nil {
		return "", err
	}
	return about.GetResourceVersion(), nil
}

// watchError is the error that ended a watch. client-go words a connection that
// broke like an error of the server's, and names it in the cause.
func watchError(object runtime.Object) error {
	err := apierrors.FromObject(object)
	if cause, ok := apierrors.StatusCause(err, "ClientWatchDecoding"); ok {
		return fmt.Errorf("the connection broke: %s", cause.Message)
	}
	return err
}

// waitBriefly waits for what has been told to end. It does not wait long: a
// credential plugin that hangs holds up every request, whatever its context.
func waitBriefly(running *sync.WaitGroup) {
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(overrun):
	}
}
