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
// or the repair that was shown where it does not parse. Empty where there is
// none.
func askable(q runbooks.Query) string {
	if q.Parses {
		return q.Original
	}
	return q.Repair
}

// ask evaluates the queries of the step over the last hour.
func (p *stepPanel) ask() tea.Cmd {
	var cmds []tea.Cmd
	for _, q := range p.current.Queries {
		query := askable(q)
		if query == "" {
			continue
		}
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
func (p *stepPanel) query(_ int, q runbooks.Query, width int) []string {
	theme := p.c.theme
	var lines []string
	if q.Caption != "" {
		lines = append(lines, indent(theme.Dim, ui.Clean(q.Caption), width)...)
	}
	for line := range strings.Lines(strings.TrimRight(q.Original, "\n")) {
		lines = append(lines, ui.Cut(" "+theme.Accent.Render("promql ")+ui.Clean(strings.TrimRight(line, "\n")), width))
	}
	switch {
	case q.Parses:
	case q.Repair != "":
		lines = append(lines, indent(theme.Warn, "does not parse; enter evaluates this instead: "+ui.Clean(oneLine(q.Repair)), width)...)
	default:
		lines = append(lines, " "+theme.Warn.Render("does not parse, and no repair is certain"))
	}
	a := p.answers[askable(q)]
	switch {
	case a == nil:
	case !a.ready:
		lines = append(lines, theme.Dim.Render("   asked"))
	case a.err != nil:
		lines = append(lines, indent(theme.Warn, ui.Clean(a.err.Error()), width)...)
	default:
		lines = append(lines, p.answered(*a, width)...)
	}
	return lines
}

// answered draws an answer: its chart, and the newest value of each series.
func (p *stepPanel) answered(a answer, width int) []string {
	theme := p.c.theme
	if len(a.chart.Series) == 0 {
		return []string{theme.Dim.Render("   no series has samples in the last hour")}
	}
	drawing := ui.Chart{
		From: a.from, To: a.to, Threshold: math.NaN(), Below: a.chart.Op == "<" || a.chart.Op == "<=",
		Format: func(v float64) string { return measure(config.UnitNone, v) },
	}
	if a.chart.Op != "" {
		drawing.Threshold = a.chart.Threshold
	}
	const drawn, listed = 3, 10
	var lines []string
	for i, s := range a.chart.Series {
		values := make([]float64, len(s.Points))
		for j, point := range s.Points {
			values[j] = point.Value
		}
		if i < drawn {
			drawing.Series = append(drawing.Series, values)
		}
		if i < listed {
			last, _ := newest(probes.Chart{Series: []probes.Series{s}})
			lines = append(lines, ui.Cut(fmt.Sprintf("   %10s  ", ui.Number(last))+theme.Dim.Render(ui.Clean(labelText(s.Labels))), width))
		}
	}
	if more := len(a.chart.Series) - listed + a.chart.LeftOut; more > 0 {
		lines = append(lines, theme.Dim.Render(fmt.Sprintf("   %d more series", more)))
	}
	for _, warning := range a.chart.Warnings {
		lines = append(lines, indent(theme.Warn, ui.Clean(warning), width)...)
	}
	chart := drawing.Render(width-2, 8)
	for i := range chart {
		chart[i] = "  " + chart[i]
	}
	return slices.Concat(chart, lines)
}
