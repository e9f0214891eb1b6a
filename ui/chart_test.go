package ui

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func TestChartDrawsThresholdAndTimes(t *testing.T) {
	from := time.Date(2026, 1, 2, 13, 10, 0, 0, time.Local)
	values := make([]float64, 240)
	for i := range values {
		values[i] = 0.01
		if i > 150 {
			values[i] = 0.06
		}
	}
	values[20] = math.NaN()
	lines := Chart{
		Series: [][]float64{values}, From: from, To: from.Add(time.Hour), Threshold: 0.05,
		Format: func(v float64) string { return Number(v*100) + " %" },
	}.Render(70, 10)
	if len(lines) == 0 || len(lines) > 10 {
		t.Fatalf("got %d lines, want 1 to 10", len(lines))
	}
	text := ansi.Strip(strings.Join(lines, "\n"))
	for _, want := range []string{"┄", "13:10", "6 %", "╭"} {
		if !strings.Contains(text, want) {
			t.Errorf("the chart has no %q:\n%s", want, text)
		}
	}
	for _, line := range lines {
		if Width(line) > 70 {
			t.Errorf("%d cells wide, want at most 70: %q", Width(line), line)
		}
	}
	t.Log("\n" + text)
}

func TestChartMarksMoments(t *testing.T) {
	from := time.Date(2026, 3, 4, 13, 0, 0, 0, time.UTC)
	c := Chart{
		Series: [][]float64{{1, 2, 3, 4, 5, 6}, {2, 2, 2, 2, 2, 2}}, From: from, To: from.Add(time.Hour), Threshold: math.NaN(),
		Format: func(v float64) string { return Number(v) },
		Marks:  []Mark{{At: from.Add(30 * time.Minute), Label: "rev 42"}, {At: from.Add(-time.Minute), Label: "before it began"}},
	}
	lines := c.Render(70, 8)
	axis, times := lines[len(lines)-2], lines[len(lines)-1]
	if strings.Count(axis, "▲") != 1 || !strings.Contains(times, "rev 42") || strings.Contains(times, "before") {
		t.Errorf("the axis is\n%s\n%s", axis, times)
	}
	drawn := strings.Join(lines, "\n")
	if !strings.Contains(drawn, SeriesMark(1)) {
		t.Errorf("the second series is not drawn with %s:\n%s", SeriesMark(1), drawn)
	}
}
