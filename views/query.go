package views

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// answer is what Prometheus said to a query of a step.
type answer struct {
	asked time.Time
	chart probes.Chart
	err   error
	from  time.Time
	to    time.Time
	ready bool
}

// queryRead brings an answer.
type queryRead struct {
	panel *stepPanel
	query string
	answer
}

// askable is what is evaluated for a query: the expression as the book has it,
// or the repair that the operator took. Empty where there is neither.
func (p *stepPanel) askable(q runbooks.Query) string {
	if q.Parses {
		return q.Original
	}
	return p.accepted[q.Original]
}

// askables are the queries of the step that can be evaluated as they are.
func (p *stepPanel) askables() []string {
	var out []string
	for _, q := range p.current.Queries {
		if query := p.askable(q); query != "" && !slices.Contains(out, query) {
			out = append(out, query)
		}
	}
	return out
}

// ask evaluates the queries of the step over the last hour. Their newest values
// are what they yield at this moment.
func (p *stepPanel) ask() tea.Cmd {
	var cmds []tea.Cmd
	for _, query := range p.askables() {
		now, read := p.c.now, p.c.deps.Chart
		p.answers[query] = &answer{asked: now}
		cmds = append(cmds, func() tea.Msg {
			ctx, cancel := context.WithTimeout(context.Background(), chartTimeout)
			defer cancel()
			a := answer{asked: now, from: now.Add(-chartSpan), to: now, ready: true}
			a.chart, a.err = read(ctx, query, a.from, a.to, 15*time.Second)
			return queryRead{panel: p, query: query, answer: a}
		})
	}
	return tea.Batch(cmds...)
}

// query is a query with its answer under it.
func (p *stepPanel) query(q runbooks.Query, width int) []string {
	theme := p.c.theme
	var lines []string
	if q.Caption != "" {
		lines = append(lines, indent(theme.Dim, ui.Clean(q.Caption), width)...)
	}
	lines = append(lines, expression(theme, "promql", q.Original, width)...)
	repaired := p.accepted[q.Original]
	switch {
	case q.Parses:
	case repaired != "":
		lines = append(lines, indent(theme.Warn, "does not parse; you took this in its place:", width)...)
		lines = append(lines, expression(theme, "repair", repaired, width)...)
	case len(repairs(q)) > 0:
		lines = append(lines, indent(theme.Warn, "does not parse; u shows "+count(len(repairs(q)), "repair")+", and nothing is evaluated before you take it", width)...)
	default:
		lines = append(lines, " "+theme.Warn.Render("does not parse, and no repair is certain"))
	}
	a := p.answers[p.askable(q)]
	switch {
	case a == nil:
	case !a.ready:
		lines = append(lines, theme.Dim.Render("   asked"))
	case a.err != nil:
		lines = append(lines, indent(theme.Warn, ui.Clean(a.err.Error()), width)...)
	default:
		lines = append(lines, p.answered(*a, p.limitOf(q, *a), width)...)
	}
	return lines
}

// expression is PromQL behind a word that says what it is.
func expression(theme ui.Theme, word, text string, width int) []string {
	var lines []string
	lead := " " + theme.Accent.Render(word) + " "
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		for _, part := range ui.WrapCode(ui.Clean(strings.TrimRight(line, "\n")), max(8, width-len(word)-3)) {
			lines = append(lines, ui.Cut(lead+part, width))
			lead = strings.Repeat(" ", len(word)+2)
		}
	}
	return lines
}

// limit is what the values of a query are held against, and how they are
// written.
type limit struct {
	op    string // of what alerts: > >= < <=; empty where there is none
	value float64
	unit  config.Unit
}

// limitOf is the threshold of a query: that of its own comparison, or that of
// what the step says should hold of it.
func (p *stepPanel) limitOf(q runbooks.Query, a answer) limit {
	if a.chart.Op != "" {
		return limit{a.chart.Op, a.chart.Threshold, config.UnitNone}
	}
	for _, assertion := range p.current.Assertions {
		if !assertion.Measurable() || assertion.Signal == "" || !strings.Contains(q.Original, strings.ReplaceAll(strings.ToLower(assertion.Signal), " ", "_")) {
			continue
		}
		units := map[string]config.Unit{"ratio": config.UnitRatio, "seconds": config.UnitSeconds}
		// What should hold is the opposite of what alerts.
		alerts := map[string]string{"<": ">=", "<=": ">", ">": "<=", ">=": "<"}
		return limit{alerts[assertion.Op], assertion.Value, units[assertion.Unit]}
	}
	return limit{}
}

// passed tells whether a value is on the wrong side.
func (l limit) passed(v float64) bool { return l.op != "" && holds(l.op, v, l.value) }

// below tells whether small values are the bad ones.
func (l limit) below() bool { return l.op == "<" || l.op == "<=" }

// Of a query's series so many are drawn, in lines that can be told apart, and so
// many are listed with their newest value.
const seriesDrawn, seriesListed = 4, 10

// answered draws an answer: a chart of the last hour where it has a course, and
// the newest value of each series with the mark of its line.
func (p *stepPanel) answered(a answer, l limit, width int) []string {
	theme := p.c.theme
	if len(a.chart.Series) == 0 {
		return []string{theme.Dim.Render("   no series has samples in the last hour")}
	}
	from, skip := begin(a.chart, a.from, a.to)
	drawing := ui.Chart{
		From: from, To: a.to, Threshold: math.NaN(), Below: l.below(),
		Format: func(v float64) string { return measure(l.unit, v) },
	}
	if l.op != "" {
		drawing.Threshold = l.value
	}
	course := false // a single point each is a table and no chart
	for _, s := range a.chart.Series[:min(len(a.chart.Series), seriesDrawn)] {
		values, samples := make([]float64, 0, len(s.Points)), 0
		for _, point := range s.Points[min(skip, len(s.Points)):] {
			if values = append(values, point.Value); !math.IsNaN(point.Value) {
				samples++
			}
		}
		course = course || samples > 1
		drawing.Series = append(drawing.Series, values)
	}
	var chart []string
	if course {
		height := 8
		if p.height < 12 {
			height = 6 // so that the legend is in sight with it
		}
		chart = drawing.Render(width-2, height)
	}
	for i := range chart {
		chart[i] = "  " + chart[i]
	}
	return slices.Concat(chart, p.legend(a, l, len(chart) > 0, width))
}

// legend lists the series with their newest values, and the threshold.
func (p *stepPanel) legend(a answer, l limit, drawn bool, width int) []string {
	theme := p.c.theme
	var lines []string
	values := make([]string, 0, seriesListed)
	widest := 0
	for _, s := range a.chart.Series[:min(len(a.chart.Series), seriesListed)] {
		v, _ := newest(probes.Chart{Series: []probes.Series{s}})
		values = append(values, measure(l.unit, v))
		widest = max(widest, ui.Width(values[len(values)-1]))
	}
	for i, value := range values {
		s := a.chart.Series[i]
		last, _ := newest(probes.Chart{Series: []probes.Series{s}})
		mark, style := " ", theme.Plain
		if drawn && i < seriesDrawn {
			mark = ui.SeriesMark(i)
		}
		if l.passed(last) {
			style, value = theme.Warn, value+" "+ui.GlyphOver
			if l.below() {
				value = strings.TrimSuffix(value, ui.GlyphOver) + ui.GlyphUnder
			}
		} else {
			value += "  "
		}
		labels := strings.TrimSpace(labelText(s.Labels))
		if labels == "" {
			labels = "the one series"
		}
		lines = append(lines, ui.Cut("  "+theme.Dim.Render(mark)+" "+style.Render(ui.FitRight(value, widest+2))+"  "+theme.Dim.Render(ui.Clean(labels)), width))
	}
	if l.op != "" {
		lines = append(lines, ui.Cut("  "+theme.Dim.Render(ui.ThresholdMark+" "+ui.FitRight(measure(l.unit, l.value), widest)+"    threshold"), width))
	}
	if more := len(a.chart.Series) - seriesListed + a.chart.LeftOut; more > 0 {
		lines = append(lines, theme.Dim.Render(fmt.Sprintf("   %d more series", more)))
	}
	for _, warning := range a.chart.Warnings {
		lines = append(lines, indent(theme.Warn, ui.Clean(warning), width)...)
	}
	return lines
}
