package views

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// stepPanel shows the selected step: its text, its commands, and what they
// print as they run.
type stepPanel struct {
	c       *Cockpit
	screen  *incidentScreen
	current *runbooks.Step
	command int                  // index of the selected command of the step
	offset  int                  // lines scrolled up from the end of what is followed
	height  int                  // of the text, as last drawn
	started incidents.CommandRef // what was started last from here
	outputs map[string]*outputLines
	answers map[string]*answer // of the step's queries, by what was asked

	obstacles map[int][]runbooks.Obstacle // of the commands of the step, by their index
}

// outputLines are the last lines of a run, read incrementally.
type outputLines struct {
	next  int64
	lines []incidents.Line
}

// keepOutput bounds the lines of one run that a viewer holds; the runner keeps
// more, and the journal the head and the tail.
const keepOutput = 2_000

func newStepPanel(c *Cockpit, s *incidentScreen) *stepPanel {
	p := &stepPanel{c: c, screen: s, outputs: make(map[string]*outputLines), answers: make(map[string]*answer)}
	p.shown(s.list.selected())
	return p
}

// shown changes the step that is shown.
func (p *stepPanel) shown(step *runbooks.Step) {
	if p.current != step {
		p.current, p.command, p.offset = step, 0, 0
		p.obstacles = p.preflight()
	}
}

// preflight tells what will stop the commands of the step before they are
// tried: scripts that are not here, programs that are not on PATH. It looks at
// this machine only, and costs some file lookups. What has no value yet is
// asked for, and is no obstacle.
func (p *stepPanel) preflight() map[int][]runbooks.Obstacle {
	if p.current == nil {
		return nil
	}
	found := make(map[int][]runbooks.Obstacle)
	for i, cmd := range p.current.Commands {
		found[i] = runbooks.Preflight(cmd, func(string) bool { return true })
	}
	return found
}

// ref names the selected command, or the step as a whole where it has none.
func (p *stepPanel) ref() incidents.CommandRef {
	ref := incidents.CommandRef{Runbook: p.screen.runbook.Name, Command: -1}
	if p.current != nil {
		ref.Step = p.current.ID
		if p.command < len(p.current.Commands) {
			ref.Command = p.command
		}
	}
	return ref
}

// whole names the step itself.
func (p *stepPanel) whole() incidents.CommandRef {
	ref := p.ref()
	ref.Command = -1
	return ref
}

// selected is the command under the cursor; nil where the step has none.
func (p *stepPanel) selected() *runbooks.Command {
	if p.current == nil || p.command >= len(p.current.Commands) {
		return nil
	}
	return &p.current.Commands[p.command]
}

// block is the panel with its rule, height lines in all.
func (p *stepPanel) block(inc incidents.Incident, now time.Time, width, height int, focused bool) []string {
	theme := p.c.theme
	if p.current == nil {
		return append([]string{ui.Rule{Title: "Step"}.Render(theme, width)}, ui.Block(nil, width, height-1)...)
	}
	p.advance()
	rule := ui.Rule{Key: ui.Clean(p.current.Number), Title: ui.Clean(p.current.Title), Focused: focused, Answer: p.risk()}
	lines, follow := p.lines(inc, now, width)
	p.height = height - 1
	// The end of what is followed stays in sight; scrolling moves up from it.
	end := min(len(lines), max(follow, p.height))
	p.offset = max(0, min(p.offset, end-p.height))
	if p.offset == 0 && follow < len(lines) && len(lines) <= p.height {
		end = len(lines)
	}
	from := max(0, end-p.height-p.offset)
	return append([]string{rule.Render(theme, width)}, ui.Block(lines[from:min(len(lines), from+p.height)], width, p.height)...)
}

// risk is what the selected command can do, for the rule.
func (p *stepPanel) risk() string {
	cmd := p.selected()
	if cmd == nil {
		return p.c.theme.Dim.Render(string(p.current.Kind))
	}
	return riskStyle(p.c.theme, cmd.Risk).Render(string(cmd.Risk))
}

func riskStyle(theme ui.Theme, risk runbooks.Risk) lipgloss.Style {
	switch risk {
	case runbooks.Reads:
		return theme.Dim
	case runbooks.Destroys:
		return theme.Critical
	}
	return theme.Warn
}

// part is one thing in a step, at its place in the book.
type part struct {
	line    int
	command int // index of the command that it is; -1 for anything else
	lines   []string
}

// lines are all lines of the panel, and the index behind the last line of the
// selected command, which is what is followed.
func (p *stepPanel) lines(inc incidents.Incident, now time.Time, width int) (lines []string, follow int) {
	for _, line := range proseLines(p.current.Text) {
		lines = append(lines, indent(p.c.theme.Plain, ui.Clean(line), width)...)
	}
	parts := p.remarks(width)
	for i, q := range p.current.Queries {
		parts = append(parts, part{q.Line, -1, p.query(i, q, width)})
	}
	for i, cmd := range p.current.Commands {
		parts = append(parts, part{cmd.Line, i, p.commandLines(inc, i, now, width)})
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.line, b.line) })
	for _, part := range parts {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, part.lines...)
		if part.command == p.command {
			follow = len(lines)
		}
	}
	if len(p.current.Commands) == 0 {
		if item := inc.Step(p.screen.runbook.Name, *p.current); item.State != incidents.ToDo {
			lines = append(lines, "", " "+p.verdict(item))
		}
		follow = len(lines)
	}
	return lines, follow
}

// proseLines are the lines of a step's text, without what Markdown needs and
// eyes do not.
func proseLines(text string) []string {
	if strings.TrimSpace(text) == "" {
		return nil
	}
	return strings.Split(strings.Trim(text, "\n"), "\n")
}

func (p *stepPanel) commandLines(inc incidents.Incident, i int, now time.Time, width int) []string {
	theme, cmd := p.c.theme, &p.current.Commands[i]
	lines := p.alternative(i)
	if cmd.Caption != "" {
		for _, line := range strings.Split(cmd.Caption, "\n") {
			lines = append(lines, indent(theme.Dim, ui.Clean(line), width)...)
		}
	}
	mark, style := " ", theme.Plain
	if i == p.command && len(p.current.Commands) > 1 {
		mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
	}
	sign := "$"
	if cmd.Language == runbooks.SQL {
		sign = "="
	}
	ref := incidents.CommandRef{Runbook: p.screen.runbook.Name, Step: p.current.ID, Command: i}
	item := inc.Item(ref)
	text := cmd.Text
	run, running := p.c.deps.Runner.LastRun(p.screen.id, ref)
	if running {
		text = run.Plan.Script // what was run, with its values
	}
	for j, line := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		lead := mark + theme.Dim.Render(sign) + " "
		if j > 0 {
			lead = mark + "  "
		}
		for k, part := range ui.Wrap(ui.Clean(line), max(width-4, 8)) {
			if k > 0 {
				lead = mark + "  "
			}
			lines = append(lines, lead+style.Render(part))
		}
	}
	if running {
		lines = append(lines, p.output(run, width)...)
	} else if item.Result != nil {
		lines = append(lines, p.recorded(*item.Result, width)...)
	}
	for _, o := range p.obstacles[i] {
		lines = append(lines, indent(theme.Warn, "  "+ui.Clean(o.What+" "+o.Why+": "+o.Do), width)...)
	}
	if item.State != incidents.ToDo {
		verdict := p.verdict(item)
		if item.State == incidents.Running {
			verdict = theme.Accent.Render("running " + ui.Duration(now.Sub(item.At)))
		}
		lines = append(lines, "   "+verdict)
	}
	return lines
}

// output are the lines that a run of this process has printed.
func (p *stepPanel) output(run *incidents.Run, width int) []string {
	o := p.outputs[run.ID]
	if o == nil {
		o = &outputLines{}
		p.outputs[run.ID] = o
	}
	o.pull(run.Output())
	stats := run.Output().Stats()
	lines := make([]string, 0, len(o.lines)+1)
	if above := stats.Lines - int64(len(o.lines)); above > 0 {
		lines = append(lines, p.c.theme.Dim.Render(fmt.Sprintf("   %d lines above", above)))
	}
	for _, line := range o.lines {
		style := p.c.theme.Plain
		if line.Stream == runbooks.Stderr {
			style = p.c.theme.Dim
		}
		lines = append(lines, ui.Cut("   "+style.Render(ui.Clean(line.Text)), width))
	}
	return lines
}

// pull takes what was printed since the last time.
func (o *outputLines) pull(from *incidents.Output) {
	lines, next := from.Since(o.next)
	if len(lines) == 0 {
		return
	}
	// An open last line grows and is sent again.
	for len(o.lines) > 0 && o.lines[len(o.lines)-1].N >= lines[0].N {
		o.lines = o.lines[:len(o.lines)-1]
	}
	o.lines = append(o.lines, lines...)
	if over := len(o.lines) - keepOutput; over > 0 {
		o.lines = append([]incidents.Line(nil), o.lines[over:]...)
	}
	o.next = next
}

// recorded is the output that the journal kept of a run of an earlier process.
func (p *stepPanel) recorded(r incidents.StepFinished, width int) []string {
	var lines []string
	add := func(text string) {
		for _, line := range ui.CleanLines(strings.TrimRight(text, "\n")) {
			lines = append(lines, ui.Cut("   "+line, width))
		}
	}
	if r.Head != "" {
		add(r.Head)
	}
	if r.Tail != "" {
		lines = append(lines, p.c.theme.Dim.Render("   …"))
		add(r.Tail)
	}
	return lines
}

// verdict is how an item ended, by whom and when.
func (p *stepPanel) verdict(item incidents.Item) string {
	theme := p.c.theme
	when := "   " + item.At.Local().Format("15:04:05")
	if r := item.Result; r != nil && item.State != incidents.Skipped {
		text := fmt.Sprintf("exit %d", r.Exit)
		style := theme.Good
		switch {
		case r.Cancelled:
			text, style = "cancelled", theme.Warn
		case r.Error != "":
			text, style = ui.Clean(r.Error), theme.Warn
		case r.Signal != "":
			text, style = "ended by "+ui.Clean(r.Signal), theme.Warn
		case !r.OK:
			style = theme.Warn
		}
		if r.Note != "" {
			text += "   " + ui.Clean(r.Note)
		}
		return style.Render(text) + theme.Dim.Render("   "+ui.Elapsed(r.Duration)+when)
	}
	text := string(item.State)
	if item.Reason != "" {
		text += ": " + ui.Clean(item.Reason)
	}
	style := theme.Good
	if item.State == incidents.Skipped {
		style = theme.Dim
	}
	return style.Render(text) + theme.Dim.Render("   "+ui.Clean(item.By.Name)+when)
}
