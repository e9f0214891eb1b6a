package views

import (
	"time"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// stepLeast is the fewest lines that a step keeps beside a chart and live panes.
const stepLeast = 8

func (s *incidentScreen) render(now time.Time, width, height int) []string {
	inc := s.incident()
	lines := append([]string{s.header(inc, now, width)}, s.watchLine(inc, now, width)...)
	body := height - len(lines)
	if s.full {
		switch s.focused() {
		case partLogs:
			return append(lines, s.logBlock(now, width, body)...)
		case partStep:
			return append(lines, s.step.block(inc, now, width, body, true)...)
		case partLive:
			return append(lines, s.live.block(now, width, body, true)...)
		}
	}
	logs := max(4, body*28/100)
	top := body - logs
	left := min(max(28, width*38/100), 56)
	right := width - left - 1
	// What runs comes before what it is about: where both do not fit beside the
	// step, the chart gives way to the live panes.
	live, chart := s.live.rows(top/2), s.chart.height(top)
	if top-live-chart < stepLeast {
		chart = 0
	}
	side := s.step.block(inc, now, right, top-live-chart, s.part == partStep)
	side = append(side, s.live.block(now, right, live, s.focused() == partLive)...)
	side = append(side, s.chart.block(s.moments(inc), right, chart)...)
	lines = append(lines, ui.Columns(s.c.theme, s.list.block(inc, troubleOf(s.c.deps.Library, s.runbook.File), left, top, s.part == partChecklist), side)...)
	return append(lines, s.logBlock(now, width, logs)...)
}

func (s *incidentScreen) logBlock(now time.Time, width, height int) []string {
	rule := s.logs.rule(now)
	rule.Focused = s.part == partLogs
	return append([]string{rule.Render(s.c.theme, width)}, s.logs.render(now, width, height-1, false, s.part == partLogs)...)
}

// header says which incident this is, how bad, and for how long.
func (s *incidentScreen) header(inc incidents.Incident, now time.Time, width int) string {
	theme := s.c.theme
	left := " " + s.c.where() + "   " + theme.Strong.Render(inc.ID+" "+ui.Clean(inc.Title))
	if inc.Severity != "" {
		left += "   " + severityStyle(theme, inc.Severity).Render(ui.Clean(inc.Severity))
	}
	left += "   " + ui.Duration(inc.Duration(now))
	if !inc.Open() {
		left += "   " + theme.Good.Render("resolved")
	} else if s.alert.known() && !s.fires() {
		left += "   " + theme.Good.Render("alert resolved")
	}
	clock := "15:04"
	if width >= 110 {
		clock = "15:04:05"
	}
	right := now.Local().Format(clock) + " "
	if brand := " " + theme.Accent.Bold(true).Render("FLIGHTDECK") + " "; ui.Width(brand)+ui.Width(left)+ui.Width(right) < width {
		left = brand + left // where the incident itself leaves room
	}
	return ui.Spread(left, right, width)
}

// fires tells whether the incident's alert is still active. While alerts cannot
// be read it is assumed to be.
func (s *incidentScreen) fires() bool {
	r := s.c.deps.Board.Alerts.Load()
	if r.Err != nil || r.TakenAt.IsZero() {
		return true
	}
	for _, a := range r.Value.Alerts {
		if a.Key() == s.alert.Key() {
			return true
		}
	}
	return false
}
