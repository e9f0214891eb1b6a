package probes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

const (
	// lineLooked bounds how much of a line is matched, in bytes: what a login
	// that failed says of itself stands at the beginning, and attackers can
	// make lines long.
	lineLooked = 1 << 10
	// linesAtOnce and batchesAtOnce bound how many lines are looked through in
	// one go, so that a flood delays no reading. At drainEvery that is 20,000 a
	// second; what is beyond is reported as lost once the tail lets go of it.
	linesAtOnce   = 1000
	batchesAtOnce = 10
	// nameKept bounds a user's or an address's name, in bytes: users are what
	// attackers type.
	nameKept = 128
)

// loginLines is what log lines told of failed logins.
type loginLines struct {
	seq   uint64    // of the last line that was looked through
	since time.Time // of the first line; zero before it
	lost  time.Time // when lines last left the tail before they were looked through

	all []failedLogin // in the order of arrival, at most twice loginsKept
	cut time.Time     // the time of the last one that was let go to keep it so
}

// drainLines looks through new lines between readings, until ctx ends.
func (p *LoginsProbe) drainLines(ctx context.Context) {
	if p.pattern == nil {
		return
	}
	tick := time.NewTicker(drainEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			p.mu.Lock()
			p.drain()
			p.mu.Unlock()
		}
	}
}

// drain looks through the lines that are new. The caller holds mu.
func (p *LoginsProbe) drain() {
	for range batchesAtOnce {
		lines, dropped := p.tail.Since(p.logs.seq, linesAtOnce)
		if dropped > 0 && p.logs.seq > 0 {
			p.logs.lost = time.Now()
		}
		if len(lines) == 0 {
			return
		}
		if p.logs.since.IsZero() {
			p.logs.since = lines[0].At
		}
		for _, line := range lines {
			if l, ok := p.match(line); ok {
				p.logs.add(l)
			}
		}
		p.logs.seq = lines[len(lines)-1].Seq
	}
}

// match reads an attempt from a line that tells of one.
func (p *LoginsProbe) match(line Line) (failedLogin, bool) {
	groups := p.pattern.FindStringSubmatch(line.Raw[:min(len(line.Raw), lineLooked)])
	if groups == nil {
		return failedLogin{}, false
	}
	l := failedLogin{at: line.At}
	for i, name := range p.pattern.SubexpNames() {
		// The copy lets go of the line.
		switch text := strings.Clone(firstBytes(groups[i], nameKept)); {
		case text == "":
		case name == "user":
			l.user = text
		case name == "ip":
			l.address = plainAddress(text)
		}
	}
	return l, true
}

func (l *loginLines) add(f failedLogin) {
	if len(l.all) == 2*loginsKept {
		l.cut = l.all[loginsKept-1].at
		l.all = append(l.all[:0], l.all[loginsKept:]...)
	}
	l.all = append(l.all, f)
}

// readLogs is what the log lines of the window told.
func (p *LoginsProbe) readLogs(now time.Time) attempts {
	a := attempts{name: "logs"}
	if p.pattern == nil {
		a.err = notConfigured("logins.pattern")
		return a
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drain()
	start := now.Add(-p.cfg.Window)
	p.logs.all = slices.DeleteFunc(p.logs.all, func(l failedLogin) bool { return l.at.Before(start) })
	a.all = slices.Clone(p.logs.all)
	// Streams of several pods, and a stream that resumes, arrive out of order.
	slices.SortStableFunc(a.all, func(x, y failedLogin) int { return x.at.Compare(y.at) })
	a.since = later(start, p.logs.since)
	if n := len(a.all); n > loginsKept || p.logs.cut.After(start) {
		a.all = a.all[max(0, n-loginsKept):]
		a.since, a.more = a.all[0].at, true
	}
	a.more = a.more || p.logs.lost.After(start)
	tail := p.tail.State()
	switch {
	case tail.Err != nil:
		a.err = tail.Err
	case tail.Last == 0 && len(tail.Pods) == 0:
		a.err = errors.New("no log is followed yet")
	default:
		a.takenAt = now
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
