package views

import (
	"fmt"
	"math"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// Replay is the screen that scrubs through an incident as the journal has it:
// the checklist as it stood at each event, what the event was, and the signals
// up to then. It reads nothing and changes nothing.
type Replay struct {
	theme    ui.Theme
	events   []incidents.Event
	signals  []incidents.Series
	unknown  string // why signals are missing
	books    map[string]*runbooks.Runbook
	at       int                  // the event that is shown
	folds    []incidents.Incident // after every foldEvery events, the first after none
	list     *checklist
	playing  bool
	width    int
	height   int
	dialogs  ui.Stack
	from, to time.Time // of the signals
}

// foldEvery is the number of events between two states that are kept, so that
// going back does not begin at the start.
const foldEvery = 256

// A played replay shows the time between two events shortened, and no pause
// longer than playPause.
const (
	playSpeed = 60
	playPause = 2 * time.Second
	playLeast = 100 * time.Millisecond
)

// play goes on to the next event.
type play struct{ from int }

// NewReplay returns the replay of an incident's events, at its first one. There
// must be one.
func NewReplay(evidence incidents.Evidence) *Replay {
	r := &Replay{
		theme: ui.DefaultTheme(), events: evidence.Events, signals: evidence.Signals, unknown: evidence.Unknown,
		books: make(map[string]*runbooks.Runbook), folds: []incidents.Incident{{}}, width: fullWidth, height: fullHeight,
	}
	for _, rb := range evidence.Books {
		r.books[rb.Name] = rb
	}
	for n := foldEvery; n < len(r.events); n += foldEvery {
		r.folds = append(r.folds, r.fold(n))
	}
	r.from, r.to = r.events[0].At, r.events[len(r.events)-1].At
	for _, s := range r.signals {
		if n := len(s.Points); n > 0 {
			r.from, r.to = earlier(r.from, s.Points[0].At), later(r.to, s.Points[n-1].At)
		}
	}
	return r
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// fold is the incident after its first n events.
func (r *Replay) fold(n int) incidents.Incident {
	kept := min(n/foldEvery, len(r.folds)-1)
	inc := r.folds[kept]
	for _, e := range r.events[kept*foldEvery : n] {
		inc = incidents.Apply(inc, e)
	}
	return inc
}

// Init implements tea.Model.
func (r *Replay) Init() tea.Cmd { return nil }

// Update implements tea.Model.
func (r *Replay) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		r.width, r.height = msg.Width, msg.Height
	case play:
		if r.playing && msg.from == r.at {
			r.move(1)()
			return r, r.next()
		}
	case tea.KeyPressMsg:
		if r.dialogs.Top() != nil {
			return r, r.dialogs.Update(msg)
		}
		cmd, _ := ui.Press(r.keys(), msg)
		return r, cmd
	}
	return r, nil
}

func (r *Replay) keys() []ui.Binding {
	does := "play"
	if r.playing {
		does = "pause"
	}
	to := func(i int) func() tea.Cmd { return func() tea.Cmd { return r.move(i - r.at)() } }
	return []ui.Binding{
		{Keys: []string{"right", "l", "j", "down"}, Show: "→ ←", Does: "one event", Action: r.move(1)},
		{Keys: []string{"left", "h", "k", "up"}, Show: "←", Does: "one event back", Quiet: true, Action: r.move(-1)},
		{Keys: []string{"pgdown", "ctrl+f", "]"}, Show: "] [", Does: "ten", Action: r.move(10)},
		{Keys: []string{"pgup", "ctrl+b", "["}, Show: "[", Does: "ten back", Quiet: true, Action: r.move(-10)},
		{Keys: []string{"space"}, Does: does, Action: r.toggle},
		{Keys: []string{"g", "home"}, Does: "the first", Quiet: true, Action: to(0)},
		{Keys: []string{"G", "end"}, Does: "the last", Quiet: true, Action: to(len(r.events) - 1)},
		{Keys: []string{"enter"}, Does: "details", Action: func() tea.Cmd { r.dialogs.Open(&eventDetails{event: r.events[r.at]}); return nil }},
		{Keys: []string{"?"}, Does: "help", Action: r.help},
		{Keys: []string{"q", "esc", "ctrl+c"}, Does: "leave", Action: func() tea.Cmd { return tea.Quit }},
	}
}

func (r *Replay) help() tea.Cmd {
	r.dialogs.Open(ui.NewHelp([]ui.KeyGroup{{Title: "replay", Bindings: r.keys()}}))
	return nil
}

// move goes n events on, within what there is.
func (r *Replay) move(n int) func() tea.Cmd {
	return func() tea.Cmd {
		r.at = max(0, min(r.at+n, len(r.events)-1))
		return nil
	}
}

func (r *Replay) toggle() tea.Cmd {
	if r.playing = !r.playing; r.playing && r.at == len(r.events)-1 {
		r.at = 0
	}
	return r.next()
}

// next waits for the next event while it plays.
func (r *Replay) next() tea.Cmd {
	if !r.playing || r.at == len(r.events)-1 {
		r.playing = false
		return nil
	}
	pause := r.events[r.at+1].At.Sub(r.events[r.at].At) / playSpeed
	from := r.at
	return tea.Tick(max(playLeast, min(playPause, pause)), func(time.Time) tea.Msg { return play{from} })
}

// View implements tea.Model.
func (r *Replay) View() tea.View {
	view := tea.NewView(r.draw())
	view.AltScreen = true
	view.WindowTitle = "flightdeck replay " + ui.Clean(r.events[0].Incident)
	return view
}

func (r *Replay) draw() string {
	if r.width < leastWidth || r.height < leastHeight {
		return strings.Join(ui.Block([]string{fmt.Sprintf("a replay needs %d×%d", leastWidth, leastHeight)}, r.width, r.height), "\n")
	}
	inc, now := r.fold(r.at+1), r.events[r.at].At
	lines := []string{r.header(inc, now)}
	body := r.height - 2
	bottom := max(4, body*35/100)
	top := body - bottom
	left := min(max(28, r.width*38/100), 56)
	lines = append(lines, ui.Columns(r.theme, r.checklist(inc, left, top), r.event(r.width-left-1, top))...)
	lines = append(lines, r.course(now, r.width, bottom)...)
	lines = append(lines, ui.KeyLine(r.theme, r.keys(), r.theme.Dim.Render(fmt.Sprintf("event %d of %d", r.at+1, len(r.events))), r.width))
	return r.dialogs.Overlay(r.theme, strings.Join(ui.Block(lines, r.width, r.height), "\n"), r.width, r.height)
}

// header says in a way that nobody takes for the present that this is the past.
func (r *Replay) header(inc incidents.Incident, now time.Time) string {
	left := " " + r.theme.Drill.Render(" REPLAY ") + "  " + r.theme.Strong.Render(ui.Clean(inc.ID+" "+inc.Title))
	if inc.Severity != "" {
		left += "   " + severityStyle(r.theme, inc.Severity).Render(ui.Clean(inc.Severity))
	}
	left += "   " + ui.Duration(inc.Duration(now))
	if !inc.Open() {
		left += "   " + r.theme.Good.Render("resolved")
	}
	return ui.Spread(left, now.Local().Format("2006-01-02 15:04:05")+" ", r.width)
}

// checklist is the runbook as it stood, the cursor on the step that the event is
// about.
func (r *Replay) checklist(inc incidents.Incident, width, height int) []string {
	rb := r.books[inc.Runbook]
	if rb == nil {
		says := " no runbook was open"
		if inc.Runbook != "" {
			says = " the library does not have " + ui.Clean(inc.Runbook)
		}
		rule := ui.Rule{Title: "Checklist"}
		return append([]string{rule.Render(r.theme, width)}, ui.Block([]string{r.theme.Dim.Render(says)}, width, height-1)...)
	}
	if r.list == nil || r.list.runbook != rb {
		r.list = newChecklist(r.theme, rb)
	}
	if ref := refOf(r.events[r.at].Fact); ref.Runbook == rb.Name {
		r.list.choose(ref.Step)
	}
	return r.list.block(inc, "", width, height, true)
}

// refOf is the step that a fact is about; the zero value for one about none.
func refOf(f incidents.Fact) incidents.CommandRef {
	switch f := f.(type) {
	case incidents.StepStarted:
		return f.Ref
	case incidents.StepOutput:
		return f.Ref
	case incidents.StepFinished:
		return f.Ref
	case incidents.StepRefused:
		return f.Ref
	case incidents.StepApproved:
		return f.Ref
	case incidents.SignalsMarked:
		return f.Ref
	case incidents.Ticked:
		return f.Ref
	case incidents.Unticked:
		return f.Ref
	case incidents.RuledOut:
		return f.Ref
	case incidents.StepSkipped:
		return f.Ref
	case incidents.ClockStarted:
		return f.Ref
	case incidents.MessageSent:
		return f.Ref
	}
	return incidents.CommandRef{}
}

// event is what happened: who did it, and what is known of it.
func (r *Replay) event(width, height int) []string {
	e := r.events[r.at]
	rule := ui.Rule{Title: incidents.Kind(e.Fact), Answer: ui.Clean(e.Actor.Name)}
	lines := []string{rule.Render(r.theme, width)}
	for _, part := range ui.CleanLines(incidents.Describe(e.Fact)) {
		for _, line := range ui.Wrap(part, width-2) {
			lines = append(lines, " "+r.theme.Strong.Render(line))
		}
	}
	switch f := e.Fact.(type) {
	case incidents.StepStarted:
		lines = append(lines, r.text(f.Script, width)...)
		lines = append(lines, indent(r.theme.Dim, ui.Clean(string(f.Risk)+"   "+f.Context+" / "+f.Namespace), width)...)
	case incidents.StepFinished:
		lines = append(lines, r.text(f.Head, width)...)
		if f.Tail != "" {
			lines = append(lines, r.theme.Dim.Render(" "+ui.Ellipsis))
			lines = append(lines, r.text(f.Tail, width)...)
		}
	case incidents.StepOutput:
		lines = append(lines, r.text(f.Head, width)...)
		lines = append(lines, r.text(f.Tail, width)...)
	case incidents.MessageSent:
		lines = append(lines, r.text(f.Text, width)...)
	}
	return ui.Block(lines, width, height)
}

func (r *Replay) text(text string, width int) []string {
	var lines []string
	for _, line := range ui.CleanLines(strings.TrimRight(text, "\n")) {
		for _, part := range ui.WrapCode(line, width-3) {
			lines = append(lines, "  "+part)
		}
	}
	return lines
}

// course is the signals until now, with where the replay stands and where
// something was changed.
func (r *Replay) course(now time.Time, width, height int) []string {
	rule := ui.Rule{Title: "Signals", Answer: r.from.Local().Format("15:04") + " to " + r.to.Local().Format("15:04")}
	if r.unknown != "" {
		rule.Answer = r.theme.Warn.Render(ui.Clean(r.unknown))
	}
	lines := []string{rule.Render(r.theme, width)}
	const label, value = 16, 10
	room := width - label - value - 3
	if room < 10 {
		return ui.Block(lines, width, height)
	}
	for _, s := range r.signals[:min(len(r.signals), max(0, height-2))] {
		cells := make([]float64, room)
		for i := range cells {
			cells[i] = math.NaN()
		}
		latest := math.NaN()
		for _, p := range s.Points {
			if p.At.After(now) {
				break
			}
			latest = p.Value
			if i := cellOf(p.At, r.from, r.to, room); i >= 0 {
				cells[i] = p.Value
			}
		}
		ceiling := math.Max(s.Warn, s.Critical)
		if s.Below || ceiling == 0 {
			ceiling = math.SmallestNonzeroFloat64
		}
		lines = append(lines, " "+ui.Fit(r.theme.Dim.Render(ui.Clean(s.Title)), label)+ui.Sparkline(filled(cells, cellOf(now, r.from, r.to, room)), room, 0, ceiling)+
			" "+ui.FitRight(measure(config.Unit(s.Unit), latest), value))
	}
	marks := changes(r.events[:r.at+1], r.from, r.to, room)
	if i := cellOf(now, r.from, r.to, room); i >= 0 {
		marks[i] = '│'
	}
	lines = append(lines, " "+strings.Repeat(" ", label)+r.theme.Accent.Render(string(marks)))
	return ui.Block(lines, width, height)
}

// filled carries values over the cells between samples, up to the last one.
func filled(cells []float64, last int) []float64 {
	for i := 1; i <= min(last, len(cells)-1); i++ {
		if math.IsNaN(cells[i]) {
			cells[i] = cells[i-1]
		}
	}
	return cells
}
