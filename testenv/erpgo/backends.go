//go:build unix

package erpgo

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// SetFault turns one of [Faults] on or off. It returns when the fault has
// begun, or ended; its alert follows after a few seconds.
func (e *ERPGo) SetFault(ctx context.Context, name string, on bool) error {
	if err := e.faults.set(name, on); err != nil {
		return err
	}
	switch name {
	case "pool":
		return e.leakConnections(on)
	case "slow":
		e.slowReports(on)
	case "database-down":
		if on {
			return e.postgres.Stop()
		}
		if !e.postgres.Running() {
			return e.postgres.Start(ctx)
		}
	}
	return nil
}

// leakConnections takes all of the pool's connections but one and does not give
// them back: half of them sit idle in a transaction, half run a query that does
// not end. A connection that the database terminates is free again: what an
// operator frees stays free.
func (e *ERPGo) leakConnections(on bool) error {
	ctx, ok := e.exchange(&e.leaks, on)
	if !ok {
		return nil
	}
	for n := range poolSize - 1 {
		conn, err := e.pool.Acquire(ctx)
		if err != nil {
			return fmt.Errorf("leak connection %d: %w", n, err)
		}
		hold := func() error {
			_, err := conn.Conn().WaitForNotification(ctx) // there is none
			return err
		}
		if n%2 == 0 {
			hold = func() error {
				_, err := conn.Exec(ctx, "SELECT pg_sleep(86400), count(*) FROM orders /* export */")
				return err
			}
		}
		e.done.Go(func() {
			defer conn.Release()
			if _, err := conn.Exec(ctx, "BEGIN"); err == nil {
				_ = hold() // ends when the fault does, or the database ends it
			}
		})
	}
	for _, pod := range e.cluster.running(Deployment) {
		e.logs.line(pod, "WARN", "pool", "postgres-service", "connection leak suspected acquired=%d max=%d", poolSize-1, poolSize)
	}
	return nil
}

// slowReports runs a slow statement again and again, so that the database shows
// where the time goes.
func (e *ERPGo) slowReports(on bool) {
	ctx, ok := e.exchange(&e.reports, on)
	if !ok {
		return
	}
	e.done.Go(func() {
		tick := time.NewTicker(2 * time.Second)
		defer tick.Stop()
		for ctx.Err() == nil {
			_, _ = e.pool.Exec(ctx, "SELECT pg_sleep(1.5), count(*) FROM orders WHERE quantity > 0 /* monthly report */")
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
}

// exchange ends what a fault has begun and, when it is to be on, returns the
// lifetime of what it begins now.
func (e *ERPGo) exchange(fault *context.CancelFunc, on bool) (context.Context, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if *fault != nil {
		(*fault)()
		*fault = nil
	}
	if !on {
		return nil, false
	}
	ctx, cancel := context.WithCancel(e.running)
	*fault = cancel
	return ctx, true
}

// born is called when a pod begins to run. The pods of the database and the
// cache stand for the real servers: a new pod means that its server is started
// anew, which is what an operator deletes such a pod for.
func (e *ERPGo) born(p *corev1.Pod) {
	app := p.Labels["app"]
	var restart func(context.Context) error
	var log string
	switch app {
	case "postgres":
		restart, log = e.postgres.Restart, e.postgres.LogFile()
	case "redis":
		restart, log = e.redis.Restart, e.redis.LogFile()
	default:
		e.logs.line(p.Name, "INFO", "server", "-", "auth service ready image=%s", p.Spec.Containers[0].Image)
		return
	}
	e.done.Go(func() { report(e.logs.follow(e.running, p.Name, log)) })
	e.mu.Lock()
	e.births[app]++
	first := e.births[app] == 1
	e.mu.Unlock()
	if first {
		return
	}
	e.done.Go(func() {
		report(restart(e.running))
		if app == "postgres" {
			report(e.faults.set("database-down", false))
		}
	})
}

// watchBackends asks the database and the cache how they are, once a second,
// for the metrics that others than ERPGo itself would export.
func (e *ERPGo) watchBackends(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	evicted := 0.0
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		up := 0.0
		if e.answers(ctx) {
			up = 1
		}
		e.metrics.postgresUp.Set(up)
		if now, ok := e.evictions(ctx); ok {
			// The count begins anew with the server.
			e.metrics.cacheEvictions.WithLabelValues("redis").Add(max(0, now-evicted))
			evicted = now
		}
	}
}

// answers asks over a connection of its own: a pool that is exhausted is not a
// database that is down.
func (e *ERPGo) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, backendTimeout)
	defer cancel()
	return e.postgres.Check(ctx) == nil
}

// evictions is the server's own count.
func (e *ERPGo) evictions(ctx context.Context) (count float64, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, backendTimeout)
	defer cancel()
	info, err := e.cache.Info(ctx, "stats").Result()
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(info) {
		if value, found := strings.CutPrefix(line, "evicted_keys:"); found {
			count, err = strconv.ParseFloat(strings.TrimSpace(value), 64)
			return count, err == nil
		}
	}
	return 0, false
}

// report prints into the environment's own log what nobody waits for.
func report(err error) {
	if err != nil {
		fmt.Println(err)
	}
}
