package views

import (
	"fmt"
	"math"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// strip is the row of signals under the header.
type strip struct {
	theme ui.Theme
	cell  *probes.Cell[probes.Signals]
	set   []config.Signal // what is configured, to name the signals before they are read
	cache drawn[canvas]
}

// cellWidth is the narrowest signal of the wide strip: a title of 16 cells, a
// value and its threshold.
const cellWidth = 22

// height is how many lines the strip takes.
func (s *strip) height(width int) int {
	if width >= 5*cellWidth {
		return 3
	}
	return 1
}

func (s *strip) render(now time.Time, width int) []string {
	r := s.cell.Load()
	state := r.State(now)
	key := canvas{seq: r.Seq, second: int64(state), width: width}
	return s.cache.get(key, func() []string {
		signals := r.Value.Signals
		if len(signals) == 0 {
			for _, c := range s.set {
				signals = append(signals, probes.Signal{Signal: c})
			}
		}
		old := state == probes.Stale || state == probes.Down
		if s.height(width) == 1 {
			return []string{s.line(signals, old, width)}
		}
		return s.blocks(signals, old, width)
	})
}

// line is the strip of a narrow screen: as many signals as fit whole.
func (s *strip) line(signals []probes.Signal, old bool, width int) string {
	var b strings.Builder
	used := 1
	b.WriteByte(' ')
	for _, sig := range signals {
		value, style := s.value(sig, old)
		text := fmt.Sprintf("%s %s", s.theme.Dim.Render(ui.Clean(sig.Title)), style.Render(value+passedMark(sig)))
		w := ui.Width(text)
		if used > 1 {
			w += 3
		}
		if used+w > width-1 {
			continue
		}
		if used > 1 {
			b.WriteString("   ")
		}
		b.WriteString(text)
		used += w
	}
	return ui.Fit(b.String(), width)
}

// passedMark is the mark behind a value that is beyond its threshold.
func passedMark(s probes.Signal) string {
	text, _, passed := threshold(s)
	if passed == probes.Calm || text == "" {
		return ""
	}
	return " " + arrow(s) + strings.TrimSuffix(strings.Fields(text)[0], "%")
}

func arrow(s probes.Signal) string {
	if s.Below {
		return ui.GlyphUnder
	}
	return ui.GlyphOver
}

// blocks is the strip of a wide screen: title, value against threshold, and an
// hour as a sparkline.
func (s *strip) blocks(signals []probes.Signal, old bool, width int) []string {
	n := max(1, min(len(signals), width/cellWidth))
	w := width / n
	lines := make([]string, 3)
	for i, sig := range signals[:min(n, len(signals))] {
		room := w - 2
		if i == n-1 {
			room = width - (n-1)*w - 2
		}
		value, style := s.value(sig, old)
		limit, _, passed := threshold(sig)
		limitStyle := s.theme.Dim
		if passed != probes.Calm {
			limit, limitStyle = arrow(sig)+" "+limit, style
		}
		values := make([]float64, len(sig.Points))
		for j, p := range sig.Points {
			values[j] = p.Value
		}
		ceiling := math.Max(sig.Warn, sig.Critical)
		if sig.Below || ceiling == 0 {
			ceiling = math.SmallestNonzeroFloat64
		}
		// An hour is spread over the room, each cell its worst value.
		spark := ui.Sparkline(ui.Resample(values, room-1, sig.Below), room-1, 0, ceiling)
		title := s.theme.Dim.Render(ui.Clean(sig.Title))
		if sig.Err != nil {
			title += s.theme.Warn.Render(" " + reason(sig.Err))
		}
		lines[0] += " " + ui.Fit(title, room) + " "
		lines[1] += " " + ui.Fit(ui.Spread(style.Bold(true).Render(value), limitStyle.Render(limit), room-1), room) + " "
		lines[2] += " " + ui.Fit(style.Render(spark), room) + " "
	}
	return ui.Block(lines, width, 3)
}

// value is a signal's newest value and how to draw it.
func (s *strip) value(sig probes.Signal, old bool) (string, lipgloss.Style) {
	p, ok := sig.Latest()
	if !ok {
		return "–", s.theme.Dim
	}
	style := levelStyle(s.theme, sig.Level())
	if old {
		style = style.Faint(true)
	}
	return measure(sig.Unit, p.Value), style
}
