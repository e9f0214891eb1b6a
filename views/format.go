package views

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// measure writes a signal's value with its unit: 6.2 %, 0.84 s, 412 /s.
func measure(unit config.Unit, v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	// More than one decimal of a rate is noise that never stands still.
	steady := func(v float64) string { return ui.Number(math.Round(v*10) / 10) }
	switch unit {
	case config.UnitRatio:
		return steady(v*100) + " %"
	case config.UnitPercent:
		return steady(v) + " %"
	case config.UnitSeconds:
		return ui.Number(v) + " s"
	case config.UnitPerSecond:
		return steady(v) + " /s"
	case config.UnitPerMinute:
		return steady(v) + " /min"
	}
	return ui.Number(v)
}

// threshold writes the threshold that a signal's value is compared with: the
// one that was passed, or the first that could be. Empty where there is none.
func threshold(s probes.Signal) (text string, value float64, passed probes.Level) {
	passed = s.Level()
	value = s.Warn
	if passed == probes.Critical || value == 0 {
		value = s.Critical
	}
	if value == 0 {
		return "", 0, passed
	}
	return measure(s.Unit, value), value, passed
}

// levelStyle is the style of a value at a level. Calm is the plain colour.
func levelStyle(theme ui.Theme, level probes.Level) lipgloss.Style {
	switch level {
	case probes.Critical:
		return theme.Critical
	case probes.Warn:
		return theme.Warn
	}
	return theme.Plain
}

// severityStyle is the style of a severity as a rule's label names it.
func severityStyle(theme ui.Theme, severity string) lipgloss.Style {
	switch strings.ToLower(severity) {
	case "critical", "page", "p1", "p0":
		return theme.Critical
	case "warning", "warn":
		return theme.Warn
	}
	return theme.Plain
}

// trouble is what a pane's rule says instead of its answer when the source
// cannot be trusted, empty when it can. The reason is short: the pane itself
// shows the whole of it.
func trouble(theme ui.Theme, state probes.State, err error, age time.Duration) string {
	switch state {
	case probes.NotConfigured:
		return theme.Dim.Render("not configured")
	case probes.Down:
		return theme.Warn.Render("unreachable: " + reason(err))
	case probes.Stale:
		if err == nil {
			return theme.Warn.Render("stale " + ui.Age(age))
		}
		return theme.Warn.Render("stale " + ui.Age(age) + ": " + reason(err))
	}
	return ""
}

// reason is the heart of an error for a place with little room: what went
// wrong, without the address it was tried on and the advice that follows.
func reason(err error) string {
	if err == nil {
		return ""
	}
	text := ui.Clean(err.Error())
	for _, known := range []string{
		"connection refused", "connection reset", "too many connections", "authentication failed",
		"no such host", "certificate", "unauthorized", "forbidden", "timed out", "timeout", "deadline exceeded",
	} {
		if strings.Contains(strings.ToLower(text), known) {
			return known
		}
	}
	if i := strings.IndexByte(text, ';'); i > 0 {
		text = text[:i]
	}
	return ui.Cut(text, 40)
}

// explain fills a pane whose source has no value with why, and what to do.
func explain(theme ui.Theme, state probes.State, err error, width int) []string {
	switch state {
	case probes.Waiting:
		return []string{theme.Dim.Render(" waiting for the first reading")}
	case probes.NotConfigured:
		text := ui.Clean(err.Error())
		if i := strings.Index(text, probes.ErrNotConfigured.Error()); i > 0 {
			text = text[i:]
		}
		return indent(theme.Dim, text, width)
	case probes.Down:
		return indent(theme.Warn, ui.Clean(err.Error()), width)
	}
	return nil
}

// indent wraps text into lines that begin with a space.
func indent(style lipgloss.Style, text string, width int) []string {
	var lines []string
	for _, line := range ui.Wrap(text, max(width-2, 8)) {
		lines = append(lines, " "+style.Render(line))
	}
	return lines
}

// hanging wraps text behind a styled lead; its further lines begin below the
// text.
func hanging(lead string, style lipgloss.Style, text string, width int) []string {
	var lines []string
	for _, part := range ui.Wrap(text, max(width-ui.Width(lead)-1, 8)) {
		lines = append(lines, lead+style.Render(part))
		lead = strings.Repeat(" ", ui.Width(lead))
	}
	return lines
}

// count writes a number with the word it counts, in the plural where it has to.
func count(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// notConfigured tells whether a source was never set up.
func notConfigured(err error) bool { return errors.Is(err, probes.ErrNotConfigured) }
