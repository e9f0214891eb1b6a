package views

import (
	"context"
	"errors"
	"math"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// chartPanel is the alert's own expression over the last hour with its
// threshold.
type chartPanel struct {
	c      *Cockpit
	alert  incidentAlert
	last   chartRead
	asked  time.Time
	asking bool
	cache  drawn[canvas]
}

// chartRead is an answer to the panel's question.
type chartRead struct {
	chart    probes.Chart
	err      error
	from, to time.Time
	alert    string
}

// The chart's span, the distance of its points, how often it is read again, and
// how long one reading may take. Where the expression began within the span the
// chart begins with it, but shows at least chartLeast.
const (
	chartSpan    = time.Hour
	chartLeast   = 5 * time.Minute
	chartStep    = 5 * time.Second
	chartEvery   = 10 * time.Second
	chartTimeout = 5 * time.Second
)

func newChartPanel(c *Cockpit, alert incidentAlert) *chartPanel {
	return &chartPanel{c: c, alert: alert}
}

// refresh asks for the chart where it is due.
func (p *chartPanel) refresh(now time.Time) tea.Cmd {
	query := p.alert.Rule.Query
	if query == "" || p.asking || now.Sub(p.asked) < chartEvery {
		return nil
	}
	p.asked, p.asking = now, true
	read, key := p.c.deps.Chart, p.alert.Key()
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), chartTimeout)
		defer cancel()
		from := now.Add(-chartSpan)
		chart, err := read(ctx, query, from, now, chartStep)
		return chartRead{chart: chart, err: err, from: from, to: now, alert: key}
	}
}

// read takes an answer. A failure keeps the last chart.
func (p *chartPanel) read(r chartRead) {
	if r.alert != p.alert.Key() {
		return
	}
	p.asking = false
	if r.err != nil {
		p.last.err = r.err
		return
	}
	p.last = r
	p.cache = drawn[canvas]{}
}

// height is how many lines the panel takes of a column of top lines.
func (p *chartPanel) height(top int) int {
	if p.alert.Rule.Query == "" || top < 16 {
		return 0
	}
	return min(14, top*45/100)
}

// block draws the panel in height lines, its rule among them. marks are moments
// to mark on it.
func (p *chartPanel) block(marks []ui.Mark, width, height int) []string {
	if height <= 0 {
		return nil
	}
	theme, chart := p.c.theme, p.last.chart
	unit := unitOf(p.c.deps.Config.Signals, p.alert.Name)
	rule := ui.Rule{Title: ui.Clean(p.alert.Name)}
	if v, ok := newest(chart); ok {
		rule.Answer = measure(unit, v)
		if chart.Op != "" {
			rule.Answer += ", threshold " + measure(unit, chart.Threshold)
		}
	}
	if p.last.err != nil {
		rule.Answer = theme.Warn.Render("stale: " + reason(p.last.err))
	}
	lines := []string{rule.Render(theme, width)}
	key := canvas{width: width, height: height, second: p.last.to.Unix(), seq: uint64(len(marks))}
	return append(lines, p.cache.get(key, func() []string { return ui.Block(p.draw(unit, marks, width, height-1), width, height-1) })...)
}

func (p *chartPanel) draw(unit config.Unit, marks []ui.Mark, width, height int) []string {
	theme, chart := p.c.theme, p.last.chart
	if p.last.to.IsZero() {
		if p.last.err != nil && !errors.Is(p.last.err, context.Canceled) {
			return indent(theme.Warn, ui.Clean(p.last.err.Error()), width)
		}
		return []string{theme.Dim.Render(" reading the last hour")}
	}
	from, skip := begin(chart, p.last.from, p.last.to)
	drawing := ui.Chart{
		From: from, To: p.last.to, Threshold: math.NaN(), Below: chart.Op == "<" || chart.Op == "<=",
		Format: func(v float64) string { return measure(unit, v) }, Marks: marks,
	}
	if chart.Op != "" {
		drawing.Threshold = chart.Threshold
	}
	const readable = 4 // lines in one chart that can still be told apart
	for _, s := range chart.Series[:min(len(chart.Series), readable)] {
		values := make([]float64, 0, len(s.Points))
		for _, point := range s.Points[min(skip, len(s.Points)):] {
			values = append(values, point.Value)
		}
		drawing.Series = append(drawing.Series, values)
	}
	if lines := drawing.Render(width-1, height); lines != nil {
		for i := range lines {
			lines[i] = " " + lines[i]
		}
		return lines
	}
	return []string{theme.Dim.Render(" no samples in the last hour")}
}

// begin is when the drawing of a chart from one moment to another begins, and how
// many points are before that: with its first sample, but chartLeast before its
// end.
func begin(chart probes.Chart, from, to time.Time) (begin time.Time, skip int) {
	if len(chart.Series) == 0 {
		return from, 0
	}
	first := to.Add(-chartLeast)
	for _, s := range chart.Series {
		for _, point := range s.Points {
			if !math.IsNaN(point.Value) {
				if point.At.Before(first) {
					first = point.At
				}
				break
			}
		}
	}
	points := chart.Series[0].Points
	for skip < len(points) && points[skip].At.Before(first) {
		skip++
	}
	return first, skip
}

// newest is the last value of the worst series.
func newest(c probes.Chart) (float64, bool) {
	if len(c.Series) == 0 {
		return 0, false
	}
	points := c.Series[0].Points
	for i := len(points) - 1; i >= 0; i-- {
		if !math.IsNaN(points[i].Value) {
			return points[i].Value, true
		}
	}
	return 0, false
}

// unitOf is the unit of an alert's value: that of the signal that the alert is
// about. Without one it is a plain number.
func unitOf(signals []config.Signal, alert string) config.Unit {
	for _, s := range signals {
		for _, name := range s.Alerts {
			if name == alert {
				return s.Unit
			}
		}
	}
	return config.UnitNone
}
