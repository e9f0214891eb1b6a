package probes

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"
)

// failedLogin is one attempt that failed. User and address are empty where the
// source does not name them.
type failedLogin struct {
	at      time.Time
	user    string
	address string
}

// attempts is what one source knows of single attempts.
type attempts struct {
	name    string
	all     []failedLogin // of the window, oldest first, at most loginsKept
	since   time.Time     // what was before is not known
	more    bool          // some attempts after since are not among them
	takenAt time.Time
	err     error // why the source says nothing now
}

// source is what the reading says of the source itself.
func (a attempts) source(now time.Time) LoginSource {
	return LoginSource{Name: a.name, PerMinute: a.perMinute(now), Total: len(a.all), Since: a.since, TakenAt: a.takenAt, Err: a.err}
}

// perMinute is how many attempts there were in the last minute. Where that
// minute is not known as a whole, it follows from the part that is.
func (a attempts) perMinute(now time.Time) float64 {
	start := now.Add(-time.Minute)
	n := float64(len(since(a.all, start)))
	if len(a.all) == loginsKept && a.since.After(start) {
		n *= float64(time.Minute) / float64(max(now.Sub(a.since), time.Second))
	}
	return n
}

// since is the part of attempts, oldest first, that is not older than start.
func since(all []failedLogin, start time.Time) []failedLogin {
	first, _ := slices.BinarySearchFunc(all, start, func(l failedLogin, t time.Time) int { return l.at.Compare(t) })
	return all[first:]
}

// auditLog is the last answer of the audit table.
type auditLog struct {
	rows  []failedLogin // oldest first
	at    time.Time     // when it was asked
	until time.Time     // before then it is not asked again
	err   error
}

// readAudit asks the audit table, unless it rests after a slow answer: then it
// is the last one, without what has left the window.
func (p *LoginsProbe) readAudit(ctx context.Context, now time.Time) attempts {
	a := attempts{name: "audit"}
	switch {
	case p.cfg.Query == "":
		a.err = notConfigured("logins.query")
		return a
	case p.database == nil:
		a.err = notConfigured("--database, DATABASE_URL or PGHOST")
		return a
	}
	start := now.Add(-p.cfg.Window)
	if !now.Before(p.audit.until) {
		rows, err := p.database.failedLogins(ctx, p.cfg.Query, start, loginsKept)
		if err == nil {
			slices.Reverse(rows)
			p.audit.rows, p.audit.at = rows, now
		}
		p.audit.err = err
		p.audit.until = now.Add(auditRest * time.Since(now))
	}
	a.all, a.takenAt, a.err = since(p.audit.rows, start), p.audit.at, p.audit.err
	a.since = start
	if len(a.all) == loginsKept {
		a.since, a.more = a.all[0].at, true
	}
	return a
}

// readMetric evaluates the metric.
func (p *LoginsProbe) readMetric(ctx context.Context) LoginSource {
	s := LoginSource{Name: "metric"}
	switch {
	case p.cfg.Metric == "":
		s.Err = notConfigured("logins.metric")
		return s
	case p.metric == nil:
		s.Err = notConfigured("--prometheus or PROMETHEUS_URL")
		return s
	}
	now := time.Now()
	value, err := p.metric.Instant(ctx, p.cfg.Metric)
	switch {
	case err != nil:
		s.Err = err
	case math.IsNaN(value):
		s.Err = errors.New("prometheus has no value for logins.metric: nobody has failed yet, or there is no such series")
	default:
		s.PerMinute, p.metricAt = value, now
	}
	s.TakenAt = p.metricAt
	return s
}
