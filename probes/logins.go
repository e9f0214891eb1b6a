package probes

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/erpgo/flightdeck/config"
)

// Logins is the tally of failed logins over a window. They may be seen in three
// places: the audit table, log lines, a metric. One attempt leaves its mark in
// each, so they are never added up: attempts are tallied from one of them (see
// Tallied), and the others stand beside it in Sources to compare.
type Logins struct {
	PerMinute   float64 // by the metric where it has a value, otherwise of the tallied attempts over the last minute
	Threshold   float64 // failed logins a minute; 0 means none
	Window      time.Duration
	Tallied     string  // the source of the tallies: audit or logs; empty where neither is configured and answers
	Total       int     // tallied attempts in the window
	Approximate bool    // there were more: only the newest 10,000 are tallied, or log lines were lost before they could be
	ByAddress   []Tally // most first, at most 50
	ByUser      []Tally // most first, at most 50
	Addresses   int     // distinct ones that the tallied attempts name
	Users       int     // distinct ones that the tallied attempts name
	Pattern     Pattern
	Why         string        // the figures that say so: "1 user took 96 % of 412 attempts, from 3 addresses"
	Sources     []LoginSource // audit, logs, metric, in this order
}

// LoginSource is one of the places that failed logins are seen in.
type LoginSource struct {
	Name      string    // audit, logs, metric
	PerMinute float64   // by this source
	Total     int       // attempts in the window; 0 for a metric
	Since     time.Time // attempts before then it did not see, or there were too many to keep them
	TakenAt   time.Time // when it answered last; zero before that
	Err       error     // why it says nothing now; ErrNotConfigured where nobody asked it to
}

// Tally is how many failed logins came from an address or were for a user.
type Tally struct {
	Name  string // at most 128 bytes, as it was written: never drawn without ui.Clean
	Count int
	Last  time.Time
}

// MetricReader evaluates a PromQL expression at this moment. No value is NaN.
type MetricReader interface {
	Instant(ctx context.Context, expr string) (float64, error)
}

const (
	// loginsKept bounds the attempts that are kept of one source, and with it
	// how many addresses and users there can be, whatever a botnet does: some
	// 2 MB. At the alert's threshold of 10 a minute it is 16 hours of them.
	loginsKept = 10_000
	// loginsShown bounds each of the two tallies.
	loginsShown = 50
	// auditRest is how many times as long as the audit query took it is left
	// alone: a slow one, over a table without an index, is asked seldom.
	auditRest = 20
	// drainEvery is how often new log lines are looked through between
	// readings, so that a burst does not leave the tail unseen.
	drainEvery = 500 * time.Millisecond
)

// LoginsProbe tallies failed logins.
type LoginsProbe struct {
	cfg      config.Logins
	cell     *Cell[Logins]
	err      error // why nothing can be read at all; nil otherwise
	database *DatabaseProbe
	metric   MetricReader
	tail     *Tail
	pattern  *regexp.Regexp // nil where log lines are not looked at

	audit    auditLog
	metricAt time.Time // when the metric was read last

	mu   sync.Mutex // guards logs
	logs loginLines
}

// NewLogins returns the probe of failed logins. It reads the audit table over
// the connection of database, lines from board.Logs, and the metric from
// Prometheus.
func NewLogins(cfg config.Logins, board *Board, database *DatabaseProbe, metric MetricReader) *LoginsProbe {
	p := &LoginsProbe{cfg: cfg, cell: &board.Logins, database: database, metric: metric, tail: board.Logs}
	if cfg.Pattern == "" && cfg.Query == "" && cfg.Metric == "" {
		p.err = notConfigured("logins.pattern, logins.query or logins.metric")
		return p
	}
	if cfg.Pattern != "" {
		var err error
		if p.pattern, err = regexp.Compile(cfg.Pattern); err != nil {
			p.err = fmt.Errorf("logins.pattern: %w", err)
		}
	}
	return p
}

// Name is what the header calls failed logins.
func (p *LoginsProbe) Name() string { return "logins" }

// Run reads until ctx ends.
func (p *LoginsProbe) Run(ctx context.Context) error {
	if p.err == nil {
		var draining sync.WaitGroup
		draining.Go(func() { p.drainLines(ctx) })
		poll(ctx, p.cell, p.cfg.Pace, p.take)
		draining.Wait()
	} else {
		p.cell.fail(p.err, time.Now())
	}
	return nil
}

// take asks all sources at the same time. The reading fails only when none of
// those that are configured answers.
func (p *LoginsProbe) take(ctx context.Context) (Logins, error) {
	// What has not answered by then is reported as such, beside what has.
	within, cancel := context.WithTimeout(ctx, p.cfg.Timeout*3/4)
	defer cancel()
	now := time.Now()
	var audit, logs attempts
	var metric LoginSource
	var asking sync.WaitGroup
	asking.Go(func() { audit = p.readAudit(within, now) })
	asking.Go(func() { logs = p.readLogs(now) })
	asking.Go(func() { metric = p.readMetric(within) })
	asking.Wait()
	return p.combine(now, audit, logs, metric)
}

// combine makes one reading of what the sources said.
func (p *LoginsProbe) combine(now time.Time, audit, logs attempts, metric LoginSource) (Logins, error) {
	sources := []LoginSource{audit.source(now), logs.source(now), metric}
	if err := noneAnswers(sources); err != nil {
		return Logins{}, err
	}
	l := Logins{Threshold: p.cfg.Threshold, Window: p.cfg.Window, Sources: sources, Pattern: NoPattern}
	// The audit table is preferred: it has every attempt, with the user as the
	// application knows it. Lines may be dropped, and are worded for people.
	chosen := audit
	if logs.err == nil && (audit.err != nil || len(audit.all) == 0 && len(logs.all) > 0) {
		chosen = logs
	}
	if chosen.err == nil {
		l.tally(chosen, now)
	}
	if metric.Err == nil {
		l.PerMinute = metric.PerMinute
	}
	return l, nil
}

// noneAnswers is nil when a source answers, and otherwise the first error of
// one that was asked.
func noneAnswers(sources []LoginSource) error {
	var failed error
	for _, s := range sources {
		switch {
		case s.Err == nil:
			return nil
		case failed == nil || errors.Is(failed, ErrNotConfigured):
			failed = s.Err
		}
	}
	return failed
}
