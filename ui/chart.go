package ui

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/guptarohit/asciigraph"
)

// Chart is one expression over time with its threshold.
type Chart struct {
	Series    [][]float64 // values at even steps from From to To; NaN is a gap
	From, To  time.Time
	Threshold float64 // NaN for none
	Below     bool    // values under the threshold are the bad ones
	Format    func(float64) string
	Marks     []Mark
}

// ThresholdMark draws the threshold: dotted, so that it is not taken for a series.
const ThresholdMark = "┄"

var thresholdChars = asciigraph.CreateCharSet(ThresholdMark)

// seriesMarks draw the series that are not the first, so that they are told
// apart without a colour.
var seriesMarks = []string{"─", "•", "+", "×"}

// SeriesMark is what the line of the i-th series is made of, for a legend.
func SeriesMark(i int) string { return seriesMarks[i%len(seriesMarks)] }

func seriesChars(i int) asciigraph.CharSet {
	if i%len(seriesMarks) == 0 {
		return asciigraph.DefaultCharSet
	}
	return asciigraph.CreateCharSet(SeriesMark(i))
}

// Mark is a moment on a chart, such as a release: a triangle on the time axis,
// and its label below it where there is room.
type Mark struct {
	At    time.Time
	Label string // cleaned
}

// Render draws the chart in at most height lines of at most width cells: what
// is beyond the threshold in the colour of a warning, the times below the axis.
// With too little room, or nothing to draw, it returns nil.
func (c Chart) Render(width, height int) []string {
	low, high := c.bounds(height - 3)
	if math.IsInf(low, 0) || height < 4 || width < 24 {
		return nil
	}
	rows := height - 3
	labels := 0
	for i := range rows + 1 {
		labels = max(labels, Width(c.Format(low+float64(i)*(high-low)/float64(rows))))
	}
	plot := max(8, width-labels-6) // the axis, and half of the last time below it
	format := func(v float64) string { return FitRight(c.Format(v), labels) }
	options := []asciigraph.Option{
		asciigraph.Width(plot), asciigraph.Height(rows), asciigraph.LowerBound(low), asciigraph.UpperBound(high),
		asciigraph.YAxisValueFormatter(format),
		asciigraph.XAxisRange(float64(c.From.Unix()), float64(c.To.Unix())),
		asciigraph.XAxisTickCount(max(2, min(5, plot/14))),
		asciigraph.XAxisValueFormatter(func(v float64) string { return time.Unix(int64(v), 0).Local().Format("15:04") }),
	}
	series := make([][]float64, 0, len(c.Series)+1)
	chars := make([]asciigraph.CharSet, 0, len(c.Series)+1)
	if !math.IsNaN(c.Threshold) {
		line := make([]float64, plot)
		for i := range line {
			line[i] = c.Threshold
		}
		series, chars = append(series, line), append(chars, thresholdChars)
		if c.Below {
			options = append(options, asciigraph.ColorBelow(asciigraph.Olive, c.Threshold))
		} else {
			options = append(options, asciigraph.ColorAbove(asciigraph.Olive, c.Threshold))
		}
	}
	for i, s := range c.Series {
		if len(s) > plot {
			s = Resample(s, plot, c.Below)
		}
		series, chars = append(series, s), append(chars, seriesChars(i))
	}
	options = append(options, asciigraph.SeriesChars(chars...))
	lines := strings.Split(asciigraph.PlotMany(series, options...), "\n")
	c.mark(lines, plot)
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, "")
	}
	return lines[:min(len(lines), height)]
}

// bounds are the lowest and highest value to draw in rows, threshold included,
// a round number for each row. Zero is the floor of what is never negative, so
// that a chart does not make a storm out of noise.
func (c Chart) bounds(rows int) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	seen := func(v float64) {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	for _, s := range c.Series {
		for _, v := range s {
			seen(v)
		}
	}
	if math.IsInf(low, 0) {
		return low, high
	}
	seen(c.Threshold)
	if low > 0 {
		low = 0
	}
	if high <= low {
		high = low + 1
	}
	step := round((high - low) / float64(max(1, rows)))
	low = math.Floor(low/step) * step
	return low, low + step*float64(max(1, rows))
}

// round is the least of 1, 2, 2.5 and 5 times a power of ten that is not less
// than v.
func round(v float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(v)))
	for _, n := range []float64{1, 2, 2.5, 5} {
		if n*power >= v*(1-1e-9) {
			return n * power
		}
	}
	return 10 * power
}

// mark puts the marks onto the time axis of a drawn chart, whose two last lines
// are the axis and the times, and whose plot is so many cells wide.
func (c Chart) mark(lines []string, plot int) {
	span := c.To.Sub(c.From)
	if len(lines) < 2 || span <= 0 {
		return
	}
	axis, times := []rune(lines[len(lines)-2]), []rune(lines[len(lines)-1])
	corner := slices.Index(axis, '└')
	if corner < 0 {
		return
	}
	for _, m := range c.Marks {
		at := m.At.Sub(c.From)
		if at < 0 || at > span {
			continue
		}
		x := corner + 1 + int(float64(at)/float64(span)*float64(plot-1))
		if x >= len(axis) {
			continue
		}
		axis[x] = '▲'
		times = label(times, x, m.Label)
	}
	lines[len(lines)-2], lines[len(lines)-1] = string(axis), string(times)
}

// label writes text around x where a line has nothing yet.
func label(line []rune, x int, text string) []rune {
	runes := []rune(text)
	from := max(0, x-len(runes)/2)
	for len(line) < from+len(runes)+1 {
		line = append(line, ' ')
	}
	for _, r := range line[max(0, from-1) : from+len(runes)+1] {
		if r != ' ' {
			return line
		}
	}
	copy(line[from:], runes)
	return line
}
