package views

import (
	"strings"
	"time"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// source is a mark of the header: how far a source can be trusted, and how old
// what it says is.
type source struct {
	name  string
	state probes.State
	age   time.Duration
	watch bool // it is pushed: "live" and not an age
}

// sources are the marks of every source, in the order of the panes.
func sources(b *probes.Board, now time.Time) []source {
	tail := b.Logs.State()
	logs := source{name: "logs", state: probes.Fresh, watch: true}
	switch {
	case notConfigured(tail.Err):
		logs.state = probes.NotConfigured
	case tail.Err != nil:
		logs.state = probes.Down
	case len(tail.Pods) == 0:
		logs.state = probes.Waiting
	}
	return []source{
		mark("prom", &b.Alerts, now, false),
		mark("k8s", &b.Pods, now, true),
		mark("pg", &b.Database, now, false),
		mark("redis", &b.Cache, now, false),
		logs,
	}
}

func mark[T any](name string, cell *probes.Cell[T], now time.Time, watch bool) source {
	r := cell.Load()
	return source{name: name, state: r.State(now), age: r.Age(now), watch: watch}
}

// render writes a mark: the name alone where there is little room and nothing
// is wrong.
func (s source) render(theme ui.Theme, roomy bool) string {
	switch s.state {
	case probes.NotConfigured:
		return theme.Dim.Render(s.name + " –")
	case probes.Waiting:
		return theme.Dim.Render(s.name + " …")
	case probes.Down:
		return theme.Warn.Render(s.name + " " + ui.GlyphFailed)
	case probes.Stale:
		return theme.Warn.Render(s.name + " " + ui.GlyphWrong + ui.Age(s.age))
	}
	switch {
	case !roomy:
		return s.name
	case s.watch:
		return s.name + " live"
	}
	return s.name + " " + ui.Age(s.age)
}

// header is the first line: where we are on the left, how far each source can
// be trusted and the time on the right.
func header(theme ui.Theme, where string, marks []source, now time.Time, width int) string {
	left := " " + theme.Accent.Bold(true).Render("FLIGHTDECK") + "  " + where
	roomy := width >= 110
	clock := "15:04"
	gap := "  "
	if roomy {
		clock, gap = "15:04:05", "   "
	}
	parts := make([]string, 0, len(marks)+1)
	for _, m := range marks {
		parts = append(parts, m.render(theme, roomy))
	}
	parts = append(parts, now.Local().Format(clock))
	return ui.Spread(left, strings.Join(parts, gap)+" ", width)
}
