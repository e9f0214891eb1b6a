package views

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// watchList is the dialog with everything that is watched while the incident goes
// on: gates with their value, limit and since when they are breached, and
// clocks, which can be acknowledged.
type watchList struct {
	s      *incidentScreen
	scroll ui.Scroll // over the clocks
	quiet  ui.Quiet
}

// Title implements ui.Dialog.
func (d *watchList) Title() string { return "gates and clocks" }

// Keys implements ui.Dialog.
func (d *watchList) Keys() []ui.Binding {
	none := ""
	if len(runningClocks(d.s.incident())) == 0 {
		none = "no clock runs"
	}
	return []ui.Binding{
		{Keys: []string{"enter"}, Does: "acknowledge the clock", Why: none},
		{Keys: []string{"j"}, Show: "j k", Does: "choose", Why: none},
		{Keys: []string{"esc"}, Does: "close"},
	}
}

// Update implements ui.Dialog.
func (d *watchList) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	clocks := runningClocks(d.s.incident())
	switch key.String() {
	case "esc", "q", "W":
		return nil, true
	case "j", "down":
		d.scroll.Move(1, len(clocks))
	case "k", "up":
		d.scroll.Move(-1, len(clocks))
	case "enter":
		if len(clocks) == 0 || !d.quiet.Over(time.Now()) {
			return nil, false
		}
		return d.s.acknowledgeClock(clocks[min(d.scroll.Cursor, len(clocks)-1)]), false
	}
	return nil, false
}

// Lines implements ui.Dialog.
func (d *watchList) Lines(theme ui.Theme, width, height int) []string {
	now := d.s.c.now
	lines := []string{""}
	for _, st := range d.s.standings() {
		lines = append(lines, d.gate(theme, st, now, width))
	}
	if len(lines) == 1 {
		lines = append(lines, theme.Dim.Render("the books draw no line that is watched"))
	}
	clocks := runningClocks(d.s.incident())
	room := max(3, height-2-min(len(clocks), 6)-1)
	if len(lines) > room {
		lines = append(lines[:room-1], theme.Dim.Render("… more in the runbook"))
	}
	lines = append(lines, "")
	from, to := d.scroll.Window(len(clocks), max(1, height-len(lines)-1))
	for i := from; i < to; i++ {
		mark, style := " ", theme.Plain
		if i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		lines = append(lines, ui.Spread(mark+" "+style.Render(ui.Clean(clockTitle(clocks[i]))), clockLeft(theme, clocks[i], now), width))
	}
	if len(clocks) == 0 {
		lines = append(lines, theme.Dim.Render("no clock runs"))
	}
	return append(append(lines, d.contacts(theme, width, height-len(lines)-1)...), "")
}

// contacts are how to call those whose clocks run, as far as there is room.
func (d *watchList) contacts(theme ui.Theme, width, room int) []string {
	all := d.s.c.deps.Library.Escalation().Contacts
	if len(all) == 0 || room < 3 {
		return nil
	}
	lines := []string{""}
	for _, contact := range all[:min(len(all), room-1)] {
		lines = append(lines, ui.Cut("  "+theme.Dim.Render(ui.Clean(contact)), width))
	}
	return lines
}

// gate is one gate as a line.
func (d *watchList) gate(theme ui.Theme, st standing, now time.Time, width int) string {
	mark, style := ui.GlyphDone, theme.Plain
	var right string
	switch {
	case st.breached:
		mark, style = breachGlyph(st), theme.Warn
		right = measure(st.signal.Unit, st.value) + theme.Dim.Render("  for ") + ui.Duration(now.Sub(st.since)) +
			theme.Dim.Render(" since "+st.since.Local().Format("15:04:05"))
	case st.measured:
		right = measure(st.signal.Unit, st.value)
	case st.known:
		mark, right = "?", theme.Dim.Render("no value now")
	default:
		mark, right = "?", theme.Dim.Render("nothing measures it: you say")
	}
	text := oneLine(st.about.Text)
	if st.rollback {
		text = "roll back if " + text
	}
	return ui.Spread(ui.Cut(style.Render(mark+" "+ui.Clean(text)), width-ui.Width(right)-2), right, width)
}

// clockTitle is what a clock is for.
func clockTitle(clock incidents.Clock) string {
	if clock.Kind == runbooks.ClockEscalate {
		return "call " + strings.TrimSpace(clock.Title)
	}
	return oneLine(clock.Title)
}

// clockLeft is how much time a clock has, or since when it has none.
func clockLeft(theme ui.Theme, clock incidents.Clock, now time.Time) string {
	at := theme.Dim.Render("  " + clock.Deadline.Local().Format("15:04"))
	if left := clock.Left(now); left > 0 {
		return "in " + ui.Duration(left) + at
	}
	return theme.Warn.Render(ui.GlyphOver+" over since "+ui.Duration(-clock.Left(now))) + at
}
