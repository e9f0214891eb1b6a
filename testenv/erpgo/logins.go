package erpgo

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// honestFailure is how often somebody mistypes a password: twice a minute,
	// well below the alert's ten.
	honestFailure = 30 * time.Second
	// attackInterval is the pace of an attack: three attempts a second.
	attackInterval = time.Second / 3
	// lockAfter and lockFor are ERPGo's limits, of an account.
	lockAfter = 5
	lockFor   = 15 * time.Minute
)

// failedLogins makes logins fail until ctx ends: those of people who mistype,
// and an attacker's while one of the faults is on.
func (t *traffic) failedLogins(ctx context.Context) {
	honest, attack := time.NewTicker(honestFailure), time.NewTicker(attackInterval)
	defer honest.Stop()
	defer attack.Stop()
	locked := lockouts{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-honest.C:
			t.failLogin(ctx, locked, userName(), officeAddress(rand.IntN(200)), "Mozilla/5.0 (X11; Linux x86_64)")
		case <-attack.C:
			if user, address, ok := t.attempt(); ok {
				t.failLogin(ctx, locked, user, address, "python-requests/2.32")
			}
		}
		t.metrics.lockedAccounts.Set(float64(locked.count(time.Now())))
	}
}

// attempt is an attacker's next guess. Addresses are from the ranges reserved
// for documentation.
func (t *traffic) attempt() (user, address string, ok bool) {
	switch {
	case t.faults.is("logins"):
		return "admin", "203.0.113.66", true
	case t.faults.is("logins-stuffing"):
		return userName(), fmt.Sprintf("198.51.100.%d", 10+rand.IntN(3)), true
	case t.faults.is("logins-distributed"):
		return userName(), fmt.Sprintf("198.18.%d.%d", rand.IntN(8), rand.IntN(256)), true
	default:
		return "", "", false
	}
}

// failLogin records one failed login wherever ERPGo does: in the log of the pod
// that served it, in the audit log, in the rate limiter's counters, and in the
// metrics.
func (t *traffic) failLogin(ctx context.Context, locked lockouts, user, address, agent string) {
	t.metrics.loginFailures.Inc()
	bounded, cancel := context.WithTimeout(ctx, backendTimeout)
	defer cancel()
	attempts := t.countAttempt(bounded, user)
	if attempts > lockAfter {
		t.metrics.rateLimited.Inc()
		locked[user] = time.Now().Add(lockFor)
	}
	// With the database down there is no trail, as there would not be.
	_, _ = t.pool.Exec(bounded, "INSERT INTO audit_logs (user_id, event_type, ip_address, user_agent) VALUES ($1, 'login_failed', $2, $3)",
		user, address, agent)
	pods := t.cluster.running(Deployment)
	if len(pods) == 0 {
		return
	}
	t.logs.line(pods[rand.IntN(len(pods))], "WARN", "auth", address,
		"forwarded=%s authentication failed: failed login username=%s user=%s ip=%s attempts=%d", address, user, user, address, attempts)
}

// countAttempt counts in the rate limiter's window. Without a cache everybody
// is at the first attempt.
func (t *traffic) countAttempt(ctx context.Context, user string) int {
	key := "ratelimit:user:" + user
	var count *redis.IntCmd
	_, err := t.redis.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		count = pipe.Incr(ctx, key)
		pipe.Expire(ctx, key, lockFor)
		return nil
	})
	if err != nil {
		return 1
	}
	return int(count.Val())
}

func (t *traffic) audit(ctx context.Context, user, event, address string) error {
	_, err := t.pool.Exec(ctx, "INSERT INTO audit_logs (user_id, event_type, ip_address, user_agent) VALUES ($1, $2, $3, $4)",
		user, event, address, "Mozilla/5.0 (X11; Linux x86_64)")
	return err
}

// lockouts are the accounts that are locked, and until when.
type lockouts map[string]time.Time

// count is how many are still locked.
func (l lockouts) count(now time.Time) int {
	maps.DeleteFunc(l, func(_ string, until time.Time) bool { return now.After(until) })
	return len(l)
}
