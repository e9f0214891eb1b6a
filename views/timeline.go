package views

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// timeline is every event of an incident, in order, with the signals over the
// same time beside it.
type timeline struct {
	s       *incidentScreen
	events  []incidents.Event
	reading bool
	err     error
	query   string
	scroll  ui.Scroll
	follow  bool // the cursor stays on the newest event
	page    int
	unsent  []incidents.Event // that wait for the journal
	shown   struct {          // what visible answered last, and of what
		query  string
		of     int // events
		unsent int
		events []incidents.Event
	}
}

// eventsRead brings the events that came after those that are known.
type eventsRead struct {
	timeline *timeline
	events   []incidents.Event
	err      error
}

func newTimeline(s *incidentScreen) *timeline { return &timeline{s: s, follow: true} }

// openTimeline opens the incident's timeline.
func (s *incidentScreen) openTimeline() tea.Cmd {
	t := newTimeline(s)
	s.c.screens = append(s.c.screens, t)
	return t.read()
}

// read asks for what the journal has beyond what is known.
func (t *timeline) read() tea.Cmd {
	if t.reading {
		return nil
	}
	t.reading = true
	after := int64(0)
	if n := len(t.events); n > 0 {
		after = t.events[n-1].Seq
	}
	runner, id := t.s.c.deps.Runner, t.s.id
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		events, err := runner.Events(ctx, id, after)
		return eventsRead{t, events, err}
	}
}

func (t *timeline) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case eventsRead:
		if msg.timeline == t {
			t.reading, t.err = false, msg.err
			t.events = append(t.events, msg.events...)
		}
	case second:
		watch := t.s.update(msg) // the incident goes on
		t.wait()
		if t.s.incident().Events > len(t.events)+len(t.unsent) {
			return tea.Batch(watch, t.read())
		}
		return watch
	default:
		return t.s.update(msg)
	}
	return nil
}

// wait takes what waits on this machine's disk for a journal that is away.
func (t *timeline) wait() {
	all, _ := t.s.c.deps.Runner.Unsent()
	t.unsent = slices.DeleteFunc(slices.Clone(all), func(e incidents.Event) bool { return e.Incident != t.s.id })
}

func (t *timeline) close()                   {}
func (t *timeline) filterable() filterable   { return t }
func (t *timeline) filter(text string) error { t.query = text; return nil }
func (t *timeline) filtered() string         { return t.query }

// visible are the events that the filter leaves: by kind, by who, by what.
// Output that is recorded as it comes is left out; its run's end has it.
func (t *timeline) visible() []incidents.Event {
	if t.shown.query == t.query && t.shown.of == len(t.events) && t.shown.unsent == len(t.unsent) {
		return t.shown.events
	}
	out := make([]incidents.Event, 0, len(t.events))
	for _, e := range slices.Concat(t.events, t.unsent) {
		if _, output := e.Fact.(incidents.StepOutput); output {
			continue
		}
		if t.query == "" || containsFold(t.query, incidents.Kind(e.Fact), e.Actor.Name, e.Actor.Host, incidents.Describe(e.Fact)) {
			out = append(out, e)
		}
	}
	t.shown.query, t.shown.of, t.shown.unsent, t.shown.events = t.query, len(t.events), len(t.unsent), out
	return out
}

func (t *timeline) keys() []ui.Binding {
	none := ""
	if len(t.visible()) == 0 {
		none = "no event is selected"
	}
	total := func() int { return len(t.visible()) }
	moved := func() { t.follow = t.scroll.Cursor >= total()-1 }
	keys := []ui.Binding{{Keys: []string{"enter"}, Does: "details", Why: none, Action: t.details}}
	keys = append(keys, t.s.always()...)
	return append(keys, rows(&t.scroll, total, max(1, t.page), moved)...)
}

// details shows everything that was recorded of the event under the cursor.
func (t *timeline) details() tea.Cmd {
	events := t.visible()
	t.s.c.dialogs.Open(&eventDetails{event: events[min(t.scroll.Cursor, len(events)-1)]})
	return nil
}

func (t *timeline) render(now time.Time, width, height int) []string {
	theme, inc := t.s.c.theme, t.s.incident()
	lines := append([]string{t.s.header(inc, now, width)}, t.s.watchLine(inc, now, width)...)
	body := height - len(lines)
	side := 0
	if width >= 110 {
		side = 34
	}
	left := width
	if side > 0 {
		left = width - side - 1
	}
	list := t.list(left, body)
	if side == 0 {
		return append(lines, list...)
	}
	return append(lines, ui.Columns(theme, list, t.signals(inc, now, side, body))...)
}

// list is the events with their rule, height lines in all.
func (t *timeline) list(width, height int) []string {
	theme := t.s.c.theme
	events := t.visible()
	rule := ui.Rule{Title: "Timeline", Detail: filterDetail(theme, t.query), Focused: true, Answer: count(len(events), "event")}
	if len(t.unsent) > 0 {
		rule.Answer += "   " + theme.Warn.Render(fmt.Sprintf("%d unsent", len(t.unsent)))
	}
	if t.err != nil {
		rule.Answer = theme.Warn.Render("not read: " + reason(t.err))
	}
	lines := []string{rule.Render(theme, width)}
	room := max(1, height-2)
	t.page = room
	if t.follow {
		t.scroll.To(len(events)-1, len(events))
	}
	from, to := t.scroll.Window(len(events), room)
	columns := []ui.Column{ui.MarkColumn, {Title: "TIME", Width: 8}, {Title: "WHO", Width: 10}, {Title: "WHAT"}}
	rows := make([][]ui.Cell, 0, to-from)
	for i, e := range events[from:to] {
		glyph, style := eventGlyph(theme, e.Fact)
		what := style
		if from+i == t.scroll.Cursor {
			glyph, what = ui.GlyphCursor, theme.Selected
			style = theme.Accent
		}
		rows = append(rows, []ui.Cell{
			{Text: glyph, Style: style},
			{Text: e.When().Local().Format("15:04:05"), Style: theme.Dim},
			{Text: ui.Clean(e.Actor.Name), Style: theme.Dim},
			{Text: ui.Clean(oneLine(incidents.Describe(e.Fact))), Style: what},
		})
	}
	return append(lines, ui.Block(ui.Table(theme, columns, true, rows, width), width, height-1)...)
}

// eventGlyph marks what stands out in a timeline: what was changed, what failed,
// what is over.
func eventGlyph(theme ui.Theme, f incidents.Fact) (string, lipgloss.Style) {
	switch f := f.(type) {
	case incidents.StepStarted:
		if f.Risk != runbooks.Reads {
			return ui.GlyphRunning, theme.Strong
		}
	case incidents.StepFinished:
		if !f.OK {
			return ui.GlyphFailed, theme.Warn
		}
		return ui.GlyphDone, theme.Plain
	case incidents.GateMeasured:
		if f.Breached {
			return ui.GlyphOver, theme.Warn
		}
		return "", theme.Dim
	case incidents.ClockExpired:
		return ui.GlyphOver, theme.Warn
	case incidents.StepRefused:
		return ui.GlyphFailed, theme.Warn
	case incidents.Resolved:
		return ui.GlyphDone, theme.Good
	case incidents.SignalsMarked, incidents.ClockStarted, incidents.VariablesExported:
		return "", theme.Dim
	}
	return "", theme.Plain
}

// signals are sparklines of the incident's time, with a mark under them where
// something was changed.
func (t *timeline) signals(inc incidents.Incident, now time.Time, width, height int) []string {
	theme := t.s.c.theme
	from, to := inc.Began, now
	if !inc.Open() {
		to = inc.Resolved
	}
	if from.IsZero() {
		from = inc.OpenedAt
	}
	from = from.Add(-5 * time.Minute) // what was normal
	lines := []string{(ui.Rule{Title: "Signals", Answer: ui.Duration(to.Sub(from))}).Render(theme, width)}
	room := width - 2
	marks := string(changes(t.events, from, to, room))
	for _, sig := range t.s.c.deps.Board.Signals.Load().Value.Signals {
		if len(lines)+4 > height {
			break
		}
		value := "–"
		if latest, ok := sig.Latest(); ok {
			value = measure(sig.Unit, latest.Value)
		}
		style := levelStyle(theme, sig.Level())
		lines = append(lines,
			" "+ui.Spread(theme.Dim.Render(ui.Clean(sig.Title)), style.Render(value), room),
			" "+style.Render(ui.Sparkline(between(sig, from, to, room), room, 0, ceilingOf(sig))),
			" "+theme.Accent.Render(marks),
			"")
	}
	return ui.Block(lines, width, height)
}

// ceilingOf is the least that a sparkline is scaled to.
func ceilingOf(sig probes.Signal) float64 {
	ceiling := math.Max(sig.Warn, sig.Critical)
	if sig.Below || ceiling == 0 {
		return math.SmallestNonzeroFloat64
	}
	return ceiling
}

// between are a signal's values over a time in n cells, a gap where the board
// has none any more.
func between(sig probes.Signal, from, to time.Time, n int) []float64 {
	cells := make([][]float64, n)
	for _, p := range sig.Points {
		if i := cellOf(p.At, from, to, n); i >= 0 {
			cells[i] = append(cells[i], p.Value)
		}
	}
	out := make([]float64, n)
	for i, values := range cells {
		out[i] = math.NaN()
		if len(values) > 0 {
			out[i] = ui.Resample(values, 1, sig.Below)[0]
		} else if i > 0 {
			out[i] = out[i-1] // points are farther apart than cells
		}
	}
	return out
}

// changes marks when something was changed, in a line of n cells.
func changes(events []incidents.Event, from, to time.Time, n int) []rune {
	line := []rune(strings.Repeat(" ", n))
	for _, e := range events {
		if f, ok := e.Fact.(incidents.StepStarted); ok && f.Risk != runbooks.Reads {
			if i := cellOf(e.When(), from, to, n); i >= 0 {
				line[i] = []rune(ui.GlyphOver)[0]
			}
		}
	}
	return line
}

// cellOf is the cell of a moment; -1 outside.
func cellOf(at, from, to time.Time, n int) int {
	if at.Before(from) || at.After(to) || !to.After(from) {
		return -1
	}
	return min(n-1, int(float64(n)*float64(at.Sub(from))/float64(to.Sub(from))))
}

// eventDetails is the dialog with everything that was recorded of an event.
type eventDetails struct {
	event  incidents.Event
	offset int
}

// Title implements ui.Dialog.
func (d *eventDetails) Title() string {
	return fmt.Sprintf("event %d: %s", d.event.Seq, incidents.Kind(d.event.Fact))
}

// Keys implements ui.Dialog.
func (d *eventDetails) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"j"}, Show: "j k", Does: "scroll"}, {Keys: []string{"esc"}, Does: "close"}}
}

// Update implements ui.Dialog.
func (d *eventDetails) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch key.String() {
	case "j", "down":
		d.offset++
	case "k", "up":
		d.offset = max(0, d.offset-1)
	default:
		return nil, true
	}
	return nil, false
}

// Lines implements ui.Dialog.
func (d *eventDetails) Lines(theme ui.Theme, width, height int) []string {
	e := d.event
	lines := []string{
		"",
		theme.Dim.Render("when   ") + e.When().Local().Format("2006-01-02 15:04:05.000 MST"),
		theme.Dim.Render("who    ") + ui.Clean(e.Actor.Name+" on "+e.Actor.Host),
		theme.Dim.Render("hash   ") + ui.Cut(e.Hash.String(), width-7),
		"",
	}
	var text []string
	for _, line := range ui.CleanLines(asRecorded(e.Fact)) {
		text = append(text, ui.WrapCode(line, width)...)
	}
	room := max(1, height-len(lines)-1)
	d.offset = max(0, min(d.offset, len(text)-room))
	return append(append(lines, text[d.offset:min(len(text), d.offset+room)]...), "")
}

// asRecorded is a fact as the journal has it, with the line breaks of its texts as
// they are, so that a script and its output can be read.
func asRecorded(f incidents.Fact) string {
	var body strings.Builder
	write := json.NewEncoder(&body)
	write.SetEscapeHTML(false)
	write.SetIndent("", "  ")
	if err := write.Encode(f); err != nil {
		return err.Error()
	}
	return strings.NewReplacer(`\n`, "\n      ", `\"`, `"`).Replace(body.String())
}
