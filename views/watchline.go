package views

import (
	"fmt"
	"strings"
	"time"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// watchLine is the second line of an incident: when the books say to roll back,
// how that stands, and which clock runs out next. There is none where the books
// say nothing of either.
func (s *incidentScreen) watchLine(inc incidents.Incident, now time.Time, width int) []string {
	clock := s.nextClock(inc, now)
	left := s.criteria(inc, now, width-ui.Width(clock)-4)
	if left == "" && clock == "" {
		return nil
	}
	return []string{ui.Spread(" "+left, clock+" ", width)}
}

// criteria are the measured criteria for rolling back in room cells: those that
// are met first.
func (s *incidentScreen) criteria(inc incidents.Incident, now time.Time, room int) string {
	if !inc.Open() {
		return ""
	}
	theme := s.c.theme
	var met, unmet []string
	for _, st := range s.standings() {
		if !st.rollback || !st.known {
			continue
		}
		name := ui.Clean(st.signal.Title)
		limit := st.about.Op + " " + measure(st.signal.Unit, st.limit)
		switch {
		case st.breached:
			text := breachGlyph(st) + " " + name + " " + measure(st.signal.Unit, st.value) + " " + limit + " " + ui.Duration(now.Sub(st.since))
			met = append(met, theme.Warn.Render(text))
		case st.measured:
			unmet = append(unmet, theme.Dim.Render(name+" "+measure(st.signal.Unit, st.value)+" "+limit))
		default:
			unmet = append(unmet, theme.Dim.Render(name+" – "+limit))
		}
	}
	if len(met)+len(unmet) == 0 {
		return ""
	}
	line := theme.Strong.Render("ROLL BACK IF")
	if len(met) > 0 {
		unmet = append(met, unmet...)
	}
	for i, text := range unmet {
		if ui.Width(line)+3+ui.Width(text) > room {
			if left := len(met) - i; left > 0 {
				line += theme.Warn.Render(fmt.Sprintf("   +%d", left))
			}
			break
		}
		line += "   " + text
	}
	if offer := "   " + theme.Accent.Render("R") + " rolls back"; len(met) > 0 && ui.Width(line)+ui.Width(offer) <= room {
		line += offer
	}
	return line
}

// breachGlyph shows which way a signal went that is a reason to roll back.
func breachGlyph(st standing) string {
	if strings.HasPrefix(st.about.Op, "<") {
		return ui.GlyphUnder
	}
	return ui.GlyphOver
}

// nextClock is the clock that runs out next, or the one that ran out last and
// nobody has acknowledged.
func (s *incidentScreen) nextClock(inc incidents.Incident, now time.Time) string {
	clocks := runningClocks(inc)
	if len(clocks) == 0 {
		return ""
	}
	theme := s.c.theme
	next, over := clocks[0], 0
	for _, clock := range clocks {
		if clock.Left(now) <= 0 {
			next = clock // of those that are over, the latest says the most
			over++
		}
	}
	title := ui.Clean(next.Title)
	if next.Kind != runbooks.ClockEscalate {
		title = ui.Cut(title, 24)
	}
	switch left := next.Left(now); {
	case left > 0:
		return theme.Dim.Render(title+" in ") + ui.Duration(left)
	case next.Kind == runbooks.ClockEscalate:
		return theme.Warn.Render(ui.GlyphOver+" call "+title) + theme.Dim.Render(" since "+ui.Duration(-left))
	default:
		return theme.Warn.Render(ui.GlyphOver + " " + title + " is over")
	}
}
