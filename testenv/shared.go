//go:build unix

package testenv

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv/lease"
	"github.com/erpgo/flightdeck/testenv/server"
)

// Env is the environment that all tests share: ERPGo on real servers. Tests may
// read from it as they like; to change anything, a test asks for it
// [Env.Exclusive].
type Env struct {
	lease.Settings

	lease *lease.Lease
}

// shared takes this process's lease. Nobody gives it back: it ends with the
// process.
var shared = sync.OnceValues(func() (*Env, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute) // the first build takes long
	defer cancel()
	options := lease.Options{Progress: os.Stderr}
	if os.Getenv(lease.Variable) == "" {
		var err error
		if options.Program, err = lease.BuildProgram(ctx); err != nil {
			return nil, err
		}
	}
	taken, err := lease.Acquire(ctx, options)
	if err != nil {
		return nil, err
	}
	return &Env{Settings: taken.Settings, lease: taken}, nil
})

// Shared returns the environment that all tests share, also those of other
// packages, and brings it up for the first who asks. It ends when the last
// process that asked has ended.
func Shared(t testing.TB) *Env {
	t.Helper()
	env, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return env
}

// Kubectl is the path of a kubectl of the cluster's version.
func (e *Env) Kubectl() string { return filepath.Join(e.Bin, "kubectl") }

// World is the shared environment in the hands of one test, which may break
// things in it.
type World struct {
	*Env

	t testing.TB
}

// Exclusive waits until no other test, of any package, changes the environment
// and all is calm, and keeps it for this test until the test ends. Whatever the
// test turned on is then turned off.
func (e *Env) Exclusive(t testing.TB) *World {
	t.Helper()
	unlock, err := server.LockFile(t.Context(), filepath.Join(filepath.Dir(e.Bin), "exclusive.lock"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(unlock)
	if err := e.awaitCalm(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &World{Env: e, t: t}
}

// Fault turns a fault on, until the test ends or [World.Clear]. The faults are
// "slow", "logins" (one address, one account), "logins-stuffing" (few addresses,
// many accounts), "logins-distributed" (many, many), "pool", "cache" and
// "database-down".
func (w *World) Fault(name string) {
	w.t.Helper()
	if err := w.lease.SetFault(w.t.Context(), name, true); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		// The test's own context has ended.
		if err := w.lease.SetFault(context.Background(), name, false); err != nil {
			w.t.Error(err)
		}
	})
}

// Clear turns a fault off.
func (w *World) Clear(name string) {
	w.t.Helper()
	if err := w.lease.SetFault(w.t.Context(), name, false); err != nil {
		w.t.Fatal(err)
	}
}

// BadRelease rolls out, as a new revision, a release of which two requests in
// five fail for as long as its pods serve them. Undoing the rollout heals it;
// the test's end does, too.
func (w *World) BadRelease() {
	w.t.Helper()
	w.t.Cleanup(func() {
		if err := w.lease.Release(context.Background(), "good"); err != nil {
			w.t.Error(err)
		}
	})
	if err := w.lease.Release(w.t.Context(), "bad"); err != nil {
		w.t.Fatal(err)
	}
}
