//go:build unix

package lease

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"
)

// Linger is how long an environment outlives its last lease. Packages are
// tested one after another, by a process each.
const Linger = 10 * time.Second

// Supervise listens on a socket, brings an environment up, and hands out leases
// until the last has ended or ctx does. It returns when the environment is gone.
func Supervise(ctx context.Context, socket string, start Start) error {
	_ = os.Remove(socket) // of a supervisor that was killed; the caller holds the lock
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("supervise: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &supervisor{ended: cancel, up: make(chan struct{}), changed: make(chan struct{})}
	s.idle = time.AfterFunc(Linger, cancel)

	mux := http.NewServeMux()
	mux.HandleFunc("GET /lease", s.lease)
	mux.HandleFunc("PUT /faults/{name}", s.fault(true))
	mux.HandleFunc("DELETE /faults/{name}", s.fault(false))
	mux.HandleFunc("POST /releases/{which}", s.release)
	server := &http.Server{Handler: mux, BaseContext: func(net.Listener) context.Context { return ctx }}

	var parts sync.WaitGroup
	parts.Go(func() { s.bringUp(ctx, start) })
	parts.Go(func() {
		<-ctx.Done()
		_ = server.Close() // removes the socket
	})
	err = server.Serve(listener)
	cancel()
	parts.Wait()
	if s.environment != nil {
		return s.environment.Close()
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

type supervisor struct {
	ended context.CancelFunc
	up    chan struct{} // closed when the start has ended, well or not

	// Both are written before up is closed.
	environment Environment
	failure     error

	mu       sync.Mutex
	leases   int
	idle     *time.Timer   // runs while there is no lease
	progress []string      // lines, since the start
	changed  chan struct{} // closed and replaced when a line is added
}

func (s *supervisor) bringUp(ctx context.Context, start Start) {
	s.environment, s.failure = start(ctx, s)
	close(s.up)
}

// Write takes a line of progress.
func (s *supervisor) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.progress = append(s.progress, string(line))
	close(s.changed)
	s.changed = make(chan struct{})
	return len(line), nil
}

// lease tells the client how the start goes, then the settings, and holds the
// connection until the client lets go.
func (s *supervisor) lease(w http.ResponseWriter, r *http.Request) {
	if !s.take() {
		http.Error(w, "the environment is ending", http.StatusServiceUnavailable)
		return
	}
	defer s.drop(r.URL.Query().Has("brief"))
	stream := json.NewEncoder(w)
	flush := w.(http.Flusher).Flush
	for told := 0; ; {
		s.mu.Lock()
		news, changed := s.progress[told:], s.changed
		told = len(s.progress)
		s.mu.Unlock()
		for _, line := range news {
			_ = stream.Encode(message{Progress: line})
		}
		flush()
		select {
		case <-changed:
		case <-r.Context().Done():
			return
		case <-s.up:
			if s.failure != nil {
				_ = stream.Encode(message{Error: s.failure.Error()})
				return
			}
			settings := s.environment.Settings()
			_ = stream.Encode(message{Settings: &settings})
			flush()
			<-r.Context().Done()
			return
		}
	}
}

func (s *supervisor) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases == 0 && !s.idle.Stop() {
		return false
	}
	s.leases++
	return true
}

// drop ends a lease. Without others, the environment lingers; a brief lease is
// of somebody who knows that no other will come.
func (s *supervisor) drop(brief bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leases--; s.leases > 0 {
		return
	}
	linger := Linger
	if brief || s.failed() {
		linger = 0
	}
	s.idle = time.AfterFunc(linger, s.ended)
}

func (s *supervisor) failed() bool {
	select {
	case <-s.up:
		return s.failure != nil
	default:
		return false
	}
}

func (s *supervisor) fault(on bool) http.HandlerFunc {
	return s.act(func(r *http.Request) error {
		return s.environment.SetFault(r.Context(), r.PathValue("name"), on)
	})
}

func (s *supervisor) release(w http.ResponseWriter, r *http.Request) {
	s.act(func(r *http.Request) error {
		return s.environment.Release(r.Context(), r.PathValue("which"))
	})(w, r)
}

// act does something to the environment once it is up.
func (s *supervisor) act(do func(*http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-s.up:
		case <-r.Context().Done():
			return
		}
		err := s.failure
		if err == nil {
			err = do(r)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		}
	}
}
