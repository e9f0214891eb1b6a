package probes

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

const (
	// beatEvery and beatTimeout bound how long a dead API server goes
	// unnoticed: 4.2 s with the jitter, inside the promised five. The question,
	// GET /version, is answered from memory and allowed to every user.
	beatEvery   = 2 * time.Second
	beatTimeout = 2 * time.Second
	// missesToClose is how many questions in a row must stay unanswered before
	// silent connections are closed: one may be lost in a busy minute, and a
	// server in trouble is not helped by everybody connecting anew.
	missesToClose = 2
)

// heartbeat knows whether the API server answers. A watch alone cannot tell: it
// is as silent when nothing changes as when the server is gone. It beats while
// at least one part of the cockpit needs to know.
type heartbeat struct {
	ask     func(context.Context) error
	conns   *conns
	viewers viewers // those who want to hear of a change between good and bad

	mu    sync.Mutex
	users int
	stop  context.CancelFunc
	last  pulse
}

// pulse is what the heartbeat knows.
type pulse struct {
	good time.Time // when the server last answered; zero before the first time
	err  error     // why it does not answer now, nil when it does
}

func newHeartbeat(ask func(context.Context) error, conns *conns) *heartbeat {
	return &heartbeat{ask: ask, conns: conns}
}

// join starts the heartbeat if nobody had, and returns a channel that holds at
// most one token when the server was lost or found again. leave ends it.
func (h *heartbeat) join() (changed <-chan struct{}, leave func()) {
	changed, unsubscribe := h.viewers.add()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.users++; h.users == 1 {
		ctx, cancel := context.WithCancel(context.Background())
		h.stop, h.last = cancel, pulse{}
		go h.run(ctx)
	}
	return changed, func() {
		unsubscribe()
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.users--; h.users == 0 {
			h.stop()
		}
	}
}

// state is what is known now.
func (h *heartbeat) state() pulse {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// run asks until ctx ends.
func (h *heartbeat) run(ctx context.Context) {
	misses := 0
	var silentSince time.Time
	for {
		asked := time.Now()
		beat := attempt(ctx, beatTimeout, h.question)
		if ctx.Err() != nil {
			return
		}
		err := beat.err
		if beat.running != nil {
			err = noAnswer{within: beatTimeout}
		}
		if !isTimeout(err) {
			misses = 0
		} else {
			if misses == 0 {
				silentSince = asked
			}
			if misses++; misses >= missesToClose {
				h.conns.closeSilent(silentSince)
			}
		}
		h.record(ctx, err)
		if beat.running != nil { // a credential plugin may take its time
			select {
			case <-beat.running:
			case <-ctx.Done():
				return
			}
		}
		pause := jitter(beatEvery)
		if err != nil {
			pause /= 2 // to be back soon
		}
		if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
			pause = max(pause, time.Duration(seconds)*time.Second)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// question asks once. A server that refuses this question, or does not know it,
// is there: whoever uses it says what it refuses them.
func (h *heartbeat) question(ctx context.Context) (struct{}, error) {
	err := h.ask(ctx)
	switch {
	case isTimeout(err):
		err = noAnswer{within: beatTimeout}
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
		err = nil
	}
	return struct{}{}, err
}

func (h *heartbeat) record(ctx context.Context, err error) {
	h.mu.Lock()
	if ctx.Err() != nil { // another run has begun meanwhile
		h.mu.Unlock()
		return
	}
	turned := (h.last.err == nil) != (err == nil)
	h.last.err = err
	if err == nil {
		h.last.good = time.Now()
	}
	h.mu.Unlock()
	if turned {
		h.viewers.notify()
	}
}
