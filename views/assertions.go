package views

import (
	"context"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// assertion is what the book says should hold: measured where it names a signal
// and a number, and put to the operator otherwise.
func (p *stepPanel) assertion(inc incidents.Incident, a runbooks.Assertion, width int) []string {
	theme := p.c.theme
	text := ui.Clean(a.Text)
	sig, known := p.signal(a)
	latest, measured := probes.Point{}, false
	if known {
		latest, measured = sig.Latest()
	}
	now := ""
	switch {
	case measured:
		now = "now " + measure(sig.Unit, latest.Value)
	case known:
		now = "no value of " + ui.Clean(sig.Title) + " now"
	}
	var mark, word string
	var style lipgloss.Style
	switch {
	case a.Measurable() && measured && holds(a.Op, latest.Value, inUnit(a, sig)):
		mark, word, style = ui.GlyphDone, "holds", theme.Good
		now += ", limit " + measure(sig.Unit, inUnit(a, sig))
	case a.Measurable() && measured:
		mark, word, style = breach(a.Op), "breached", theme.Warn
		now += ", limit " + measure(sig.Unit, inUnit(a, sig))
	default:
		mark, word, style = p.told(inc, a)
	}
	head := " " + style.Render(mark+" "+word) + "  "
	lines := hanging(head, theme.Plain, text, width)
	if now == "" {
		return lines
	}
	last := len(lines) - 1
	if ui.Width(lines[last])+2+ui.Width(now) < width {
		lines[last] += "  " + theme.Dim.Render(now)
		return lines
	}
	return append(lines, strings.Repeat(" ", ui.Width(head))+theme.Dim.Render(now))
}

// breach is the glyph of a value on the wrong side of a limit.
func breach(op string) string {
	if op == ">" || op == ">=" {
		return ui.GlyphUnder
	}
	return ui.GlyphOver
}

// signal is the configured signal that an assertion is about: the one whose
// every word of title or name stands in what the book measures.
func (p *stepPanel) signal(a runbooks.Assertion) (probes.Signal, bool) {
	if a.Signal == "" {
		return probes.Signal{}, false
	}
	for _, s := range p.c.deps.Board.Signals.Load().Value.Signals {
		for _, name := range []string{s.Title, strings.ReplaceAll(s.Name, "_", " ")} {
			if name != "" && containsFold(name, a.Signal) {
				return s, true
			}
		}
	}
	return probes.Signal{}, false
}

// inUnit is an assertion's value in the unit of a signal: books write both 5 %
// and 0.05.
func inUnit(a runbooks.Assertion, s probes.Signal) float64 {
	switch {
	case a.Unit == "ratio" && s.Unit == "percent":
		return a.Value * 100
	case a.Unit == "" && s.Unit == "ratio" && a.Value > 1:
		return a.Value / 100
	}
	return a.Value
}

func holds(op string, value, limit float64) bool {
	switch op {
	case "<":
		return value < limit
	case "<=":
		return value <= limit
	case ">":
		return value > limit
	case ">=":
		return value >= limit
	}
	return value == limit
}

// asked are the assertions of the step that only a person can answer now.
func (p *stepPanel) asked() []runbooks.Assertion {
	if p.current == nil {
		return nil
	}
	var out []runbooks.Assertion
	for _, a := range p.current.Assertions {
		sig, known := p.signal(a)
		if _, measured := sig.Latest(); a.Measurable() && known && measured {
			continue
		}
		out = append(out, a)
	}
	return out
}

// What an answer about an assertion is written down as: a note that everybody
// can read, and that is found again by its very text.
const (
	saidHolds = "holds: "
	saidNot   = "does not hold: "
)

// told is how an assertion stands that people answer: their last answer, or that
// one is wanted.
func (p *stepPanel) told(inc incidents.Incident, a runbooks.Assertion) (mark, word string, style lipgloss.Style) {
	theme := p.c.theme
	for i := len(inc.Notes) - 1; i >= 0; i-- {
		note, _ := inc.Notes[i].Fact.(incidents.NoteTaken)
		switch note.Text {
		case saidHolds + p.subject(a):
			return ui.GlyphDone, "holds, says " + ui.Clean(inc.Notes[i].Actor.Name), theme.Good
		case saidNot + p.subject(a):
			return ui.GlyphFailed, "does not hold, says " + ui.Clean(inc.Notes[i].Actor.Name), theme.Warn
		}
	}
	return "?", "you say", theme.Accent
}

// subject is an assertion with the step that it belongs to, as a note names it.
func (p *stepPanel) subject(a runbooks.Assertion) string {
	return fmt.Sprintf("%s (%s)", oneLine(a.Text), oneLine(p.current.Title))
}

// unasked is why there is nothing to answer.
func (p *stepPanel) unasked() string {
	if len(p.asked()) == 0 {
		return "the step asks nothing that only you can answer"
	}
	return ""
}

func (p *stepPanel) answer() tea.Cmd {
	p.c.dialogs.Open(&questions{panel: p, open: p.asked(), quiet: ui.NewQuiet(p.c.now)})
	return nil
}

// questions puts the assertions that nothing measures to the operator, one after
// the other.
type questions struct {
	panel *stepPanel
	open  []runbooks.Assertion
	quiet ui.Quiet
}

// Title implements ui.Dialog.
func (d *questions) Title() string { return "does it hold?" }

// Keys implements ui.Dialog.
func (d *questions) Keys() []ui.Binding {
	return []ui.Binding{
		{Keys: []string{"y"}, Does: "it holds"},
		{Keys: []string{"n"}, Does: "it does not"},
		{Keys: []string{"space"}, Does: "later"},
		{Keys: []string{"esc"}, Does: "leave"},
	}
}

// Update implements ui.Dialog.
func (d *questions) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	if key.String() == "esc" {
		return nil, true
	}
	if !d.quiet.Over(time.Now()) {
		return nil, false
	}
	var cmd tea.Cmd
	switch key.String() {
	case "y":
		cmd = d.panel.say(saidHolds, d.open[0])
	case "n":
		cmd = d.panel.say(saidNot, d.open[0])
	case "space":
	default:
		return nil, false
	}
	d.open = d.open[1:]
	return cmd, len(d.open) == 0
}

// say writes an answer down.
func (p *stepPanel) say(answer string, a runbooks.Assertion) tea.Cmd {
	runner, who, text := p.c.deps.Runner, p.c.deps.Operator, answer+p.subject(a)
	return p.screen.intend("answer", "", func(ctx context.Context) error {
		_, err := runner.Note(ctx, who, p.screen.id, text)
		return err
	})
}

// Lines implements ui.Dialog.
func (d *questions) Lines(theme ui.Theme, width, _ int) []string {
	lines := []string{""}
	for _, part := range ui.Wrap(ui.Clean(d.open[0].Text), width) {
		lines = append(lines, theme.Strong.Render(part))
	}
	if sig, ok := d.panel.signal(d.open[0]); ok {
		if latest, ok := sig.Latest(); ok {
			lines = append(lines, theme.Dim.Render(ui.Clean(sig.Title)+" is "+measure(sig.Unit, latest.Value)+" now"))
		}
	}
	lines = append(lines, "")
	if more := len(d.open) - 1; more > 0 {
		lines = append(lines, theme.Dim.Render(fmt.Sprintf("%d more after this one", more)), "")
	}
	return lines
}
