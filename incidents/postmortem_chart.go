package incidents

import (
	"fmt"
	"strings"
	"time"
)

// frame is where in a drawing the course is drawn, in the drawing's own units.
type frame struct {
	Width, Height            int
	Left, Right, Top, Bottom float64
}

var chartFrame = frame{Width: 900, Height: 190, Left: 70, Right: 830, Top: 24, Bottom: 160}

// gap is how many times the usual distance of two samples may lie between them
// before the line is broken: there was nothing to measure.
const gap = 3

// drawing is a chart as coordinates.
type drawing struct {
	frame
	Title     string
	High, Low string // ends of the scale
	From, To  string
	Limit     *limitLine
	Courses   []string // points of a polyline each
	Marks     []markLine
}

type limitLine struct {
	Y    float64
	Text string
}

type markLine struct {
	X      float64
	Number int
}

// draw puts a chart, which has at least one sample, into the frame.
func draw(c Chart) drawing {
	f := chartFrame
	from, to := c.Points[0].At, c.Points[len(c.Points)-1].At
	low, high := 0.0, c.Points[0].Value // all that is measured here has a meaningful zero
	for _, p := range c.Points {
		low, high = min(low, p.Value), max(high, p.Value)
	}
	threshold, limited := c.beyond()
	if limited {
		high = max(high, threshold)
	}
	if high == low {
		high = low + 1
	}
	x := func(t time.Time) float64 {
		if !to.After(from) {
			return f.Left
		}
		return f.Left + (f.Right-f.Left)*float64(t.Sub(from))/float64(to.Sub(from))
	}
	y := func(v float64) float64 { return f.Bottom - (f.Bottom-f.Top)*(v-low)/(high-low) }
	d := drawing{
		frame: f, Title: c.Title, High: FormatValue(high, c.Unit), Low: FormatValue(low, c.Unit),
		From: from.UTC().Format(time.TimeOnly), To: to.UTC().Format(time.TimeOnly),
	}
	if limited {
		d.Limit = &limitLine{y(threshold), FormatValue(threshold, c.Unit)}
	}
	var course strings.Builder
	usual := usualDistance(c.Points)
	for n, p := range c.Points {
		if n > 0 && p.At.Sub(c.Points[n-1].At) > gap*usual {
			d.Courses = append(d.Courses, course.String())
			course.Reset()
		}
		fmt.Fprintf(&course, "%.1f,%.1f ", x(p.At), y(p.Value))
	}
	d.Courses = append(d.Courses, course.String())
	for _, m := range c.Marks {
		if !m.At.Before(from) && !m.At.After(to) {
			d.Marks = append(d.Marks, markLine{x(m.At), m.Number})
		}
	}
	return d
}

// usualDistance is the smallest distance of two samples.
func usualDistance(points []Sample) time.Duration {
	usual := time.Duration(0)
	for n := 1; n < len(points); n++ {
		if d := points[n].At.Sub(points[n-1].At); d > 0 && (usual == 0 || d < usual) {
			usual = d
		}
	}
	return usual
}
