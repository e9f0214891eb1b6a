package views

import (
	"fmt"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// livePanes are the commands without an end that the incident runs, such as
// logs -f and watch: a pane each beside the checklist, so that the steps behind
// them can be worked while they go on.
type livePanes struct {
	c      *Cockpit
	screen *incidentScreen
	chosen string // run of the pane that the keys are for
	offset int    // lines scrolled up from the newest
	height int    // of the chosen pane's text, as last drawn
}

// The rows of a live pane with its rule: the fewest that can be read, and the
// most that it takes from the step above it.
const liveLeast, liveMost = 4, 9

// runs are the commands without an end that go on, oldest first.
func (l *livePanes) runs() []*incidents.Run {
	var out []*incidents.Run
	for _, run := range l.c.deps.Runner.Running() {
		if run.Incident == l.screen.id && run.Plan.Bound.Command.Endless {
			out = append(out, run)
		}
	}
	return out
}

// at is the place of the chosen pane among the runs; the newest where the chosen
// one has ended.
func (l *livePanes) at(runs []*incidents.Run) int {
	i := slices.IndexFunc(runs, func(r *incidents.Run) bool { return r.ID == l.chosen })
	if i < 0 {
		return len(runs) - 1
	}
	return i
}

// current is the run of the chosen pane, nil where none goes on.
func (l *livePanes) current() *incidents.Run {
	runs := l.runs()
	if len(runs) == 0 {
		return nil
	}
	return runs[l.at(runs)]
}

// rows is how many lines the panes take of a column of room lines.
func (l *livePanes) rows(room int) int {
	n := len(l.runs())
	if n == 0 || room < liveLeast {
		return 0
	}
	each := min(max(room/n, liveLeast), liveMost)
	return min(n*each, room/each*each)
}

// block draws the panes in height lines: as many as fit, the chosen one among
// them.
func (l *livePanes) block(now time.Time, width, height int, focused bool) []string {
	runs := l.runs()
	if height <= 0 || len(runs) == 0 {
		return nil
	}
	at := l.at(runs)
	fit := min(len(runs), max(1, height/liveLeast))
	from := min(max(0, at-fit+1), len(runs)-fit)
	var lines []string
	for i := from; i < from+fit; i++ {
		rows := height / fit
		if i == from+fit-1 {
			rows = height - len(lines)
		}
		hidden := 0
		if i == from+fit-1 {
			hidden = len(runs) - fit
		}
		lines = append(lines, l.pane(runs[i], now, width, rows, focused && i == at, i == at, hidden)...)
	}
	return lines
}

// pane draws one pane. hidden is how many others do not fit.
func (l *livePanes) pane(run *incidents.Run, now time.Time, width, height int, focused, chosen bool, hidden int) []string {
	theme := l.c.theme
	text, above := l.screen.outputs.of(run)
	rule := ui.Rule{Focused: focused}
	rule.Answer = count(int(above)+len(text), "line") + "   " + theme.Accent.Render(ui.GlyphRunning+" "+ui.Duration(now.Sub(run.Started)))
	if hidden > 0 {
		rule.Answer = theme.Dim.Render(fmt.Sprintf("%d more: w", hidden)) + "   " + rule.Answer
	}
	const edges = 12 // the rule's own line on both sides of title and answer
	rule.Title = ui.Cut("live  "+commandTitle(run.Plan), max(edges, width-ui.Width(rule.Answer)-edges))
	room := height - 1
	end := len(text)
	if chosen {
		l.height = room
		l.offset = max(0, min(l.offset, len(text)-room))
		end -= l.offset
	}
	lines := printed(theme, text[max(0, end-room):end], width)
	lines = lines[max(0, len(lines)-room):]
	if len(text) == 0 {
		lines = []string{theme.Dim.Render("   nothing was printed yet")}
	}
	return append([]string{rule.Render(theme, width)}, ui.Block(lines, width, room)...)
}

// commandTitle is a command as a title: what the book says of it, or its text.
func commandTitle(plan incidents.Plan) string {
	if caption := oneLine(plan.Bound.Command.Caption); caption != "" {
		return ui.Clean(caption)
	}
	return ui.Clean(oneLine(plan.Script))
}

// keys are the bindings that work while the live panes have the keys.
func (l *livePanes) keys() []ui.Binding {
	scroll := func(n int) func() tea.Cmd {
		return func() tea.Cmd { l.offset = max(0, l.offset+n); return nil }
	}
	choose := func(n int) func() tea.Cmd {
		return func() tea.Cmd {
			runs := l.runs()
			if len(runs) > 0 {
				l.chosen, l.offset = runs[(l.at(runs)+n+len(runs))%len(runs)].ID, 0
			}
			return nil
		}
	}
	none, single := "", ""
	switch len(l.runs()) {
	case 0:
		none, single = "nothing runs here", "nothing runs here"
	case 1:
		single = "there is no other"
	}
	page := max(1, l.height-1)
	return []ui.Binding{
		{Keys: []string{"c"}, Does: "stop it", Why: none, Action: l.stop},
		{Keys: []string{"]", "right"}, Show: "] →", Does: "next live pane", Why: single, Action: choose(1)},
		{Keys: []string{"[", "left"}, Show: "[ ←", Does: "previous live pane", Quiet: true, Why: single, Action: choose(-1)},
		{Keys: []string{"k", "up"}, Show: "k ↑", Does: "scroll up", Quiet: true, Action: scroll(1)},
		{Keys: []string{"j", "down"}, Show: "j ↓", Does: "scroll down", Quiet: true, Action: scroll(-1)},
		{Keys: []string{"ctrl+b", "pgup"}, Does: "page up", Quiet: true, Action: scroll(page)},
		{Keys: []string{"ctrl+f", "pgdown"}, Does: "page down", Quiet: true, Action: scroll(-page)},
		{Keys: []string{"G", "end"}, Show: "G", Does: "newest line", Quiet: true, Action: func() tea.Cmd { l.offset = 0; return nil }},
	}
}

func (l *livePanes) stop() tea.Cmd { return l.c.stopRun(l.current()) }

// stopRun interrupts a run and says so.
func (c *Cockpit) stopRun(run *incidents.Run) tea.Cmd {
	if run == nil {
		return nil
	}
	if err := c.deps.Runner.Cancel(c.deps.Operator, run.ID); err != nil {
		return func() tea.Msg { return failed(err) }
	}
	return func() tea.Msg { return told("interrupted; what is left of it is killed within a second") }
}
