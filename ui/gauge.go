package ui

import (
	"math"
	"strings"
)

// eighths are the block glyphs from an eighth to a full cell, in height.
var eighths = []rune("▁▂▃▄▅▆▇█")

// partials are the block glyphs from nothing to seven eighths of a cell, in width.
var partials = []rune{' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉'}

// Sparkline draws the last width values in one line, scaled between floor and
// the larger of ceiling and the largest value. A value that is not a number is
// a gap.
func Sparkline(values []float64, width int, floor, ceiling float64) string {
	if width <= 0 {
		return ""
	}
	if len(values) > width {
		values = values[len(values)-width:]
	}
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			ceiling = max(ceiling, v)
		}
	}
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", width-len(values)))
	for _, v := range values {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			b.WriteByte(' ')
		case ceiling <= floor:
			b.WriteRune(eighths[0])
		default:
			at := int((v - floor) / (ceiling - floor) * float64(len(eighths)))
			b.WriteRune(eighths[min(max(at, 0), len(eighths)-1)])
		}
	}
	return b.String()
}

// Resample reduces values to n by taking, for each cell, the value farthest
// from calm: the largest, or the smallest where low values are the bad ones.
// An average would hide the spike that matters.
func Resample(values []float64, n int, low bool) []float64 {
	if n <= 0 || len(values) <= n {
		return values
	}
	out := make([]float64, n)
	for i := range out {
		from, to := i*len(values)/n, (i+1)*len(values)/n
		worst := math.NaN()
		for _, v := range values[from:to] {
			if math.IsNaN(v) {
				continue
			}
			if math.IsNaN(worst) || (low && v < worst) || (!low && v > worst) {
				worst = v
			}
		}
		out[i] = worst
	}
	return out
}

// Bar draws a horizontal bar that fills ratio (0 to 1) of width cells, to an
// eighth of a cell, followed by spaces.
func Bar(ratio float64, width int) string {
	if width <= 0 {
		return ""
	}
	if math.IsNaN(ratio) {
		ratio = 0
	}
	n := int(math.Round(min(max(ratio, 0), 1) * float64(width) * 8))
	full, part := n/8, n%8
	s := strings.Repeat("█", full)
	if full < width && part > 0 {
		s += string(partials[part])
		full++
	}
	return s + strings.Repeat(" ", width-full)
}
