package ui

import (
	"math"
	"testing"
)

func TestSparkline(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		values         []float64
		width          int
		floor, ceiling float64
		want           string
	}{
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, 0, 8, "▁▂▃▄▅▆▇█"},
		{[]float64{1, nan, 1}, 3, 0, 1, "█ █"},
		{[]float64{1, 2}, 4, 0, 2, "  ▅█"},
		{[]float64{90, 9, 9}, 2, 0, 0, "██"}, // only the newest fit, and the largest of them sets the scale
		{nil, 3, 0, 1, "   "},
		{[]float64{1}, 0, 0, 1, ""},
		{[]float64{0, 0}, 2, 0, 0, "▁▁"},
		{[]float64{math.Inf(1), 1}, 2, 0, 1, " █"},
	} {
		if got := Sparkline(c.values, c.width, c.floor, c.ceiling); got != c.want {
			t.Errorf("Sparkline(%v, %d) = %q, want %q", c.values, c.width, got, c.want)
		}
	}
}

func TestResampleKeepsTheWorst(t *testing.T) {
	values := []float64{1, 1, 9, 1, 1, 1, math.NaN(), 2}
	if got := Resample(values, 2, false); got[0] != 9 || got[1] != 2 {
		t.Errorf("highest: got %v, want [9 2]", got)
	}
	values = []float64{1, 1, 0.2, 1, 1, 1}
	if got := Resample(values, 2, true); got[0] != 0.2 || got[1] != 1 {
		t.Errorf("lowest: got %v, want [0.2 1]", got)
	}
	if got := Resample([]float64{math.NaN(), math.NaN()}, 1, false); !math.IsNaN(got[0]) {
		t.Errorf("a gap became %v", got[0])
	}
}

func TestBar(t *testing.T) {
	for ratio, want := range map[float64]string{0: "    ", 0.5: "██  ", 1: "████", 2: "████", -1: "    ", 0.25 + 1.0/32: "█▏  "} {
		if got := Bar(ratio, 4); got != want {
			t.Errorf("Bar(%v, 4) = %q, want %q", ratio, got, want)
		}
	}
	if got := Bar(math.NaN(), 2); got != "  " {
		t.Errorf("Bar(NaN, 2) = %q", got)
	}
}
