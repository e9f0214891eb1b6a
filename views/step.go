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
	answers map[string]*answer   // of the step's queries, by what was asked
	// accepted are the repairs that the operator took for queries that do not
	// parse, by what the book has.
	accepted map[string]string

	unfolded  bool                        // the commands for another platform are shown
	obstacles map[int][]runbooks.Obstacle // of the commands of the step, by their index
}

func newStepPanel(c *Cockpit, s *incidentScreen) *stepPanel {
	return &stepPanel{c: c, screen: s, answers: make(map[string]*answer), accepted: make(map[string]string)}
}

// shown changes the step that is shown.
func (p *stepPanel) shown(step *runbooks.Step) {
	if p.current != step {
		p.current, p.command, p.offset, p.unfolded = step, 0, 0, false
		p.obstacles = p.preflight()
		if p.folded(0) {
			p.choose(1)()
		}
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
	p.offset = max(end-len(lines), min(p.offset, end-p.height))
	from := max(0, end-p.height-p.offset)
	shown := ui.Block(lines[from:min(len(lines), from+p.height)], width, p.height)
	if below := len(lines) - from - p.height; below > 0 && p.height > 1 {
		shown[p.height-1] = ui.Fit(theme.Dim.Render(fmt.Sprintf("   … %d more", below+1)), width)
	}
	return append([]string{rule.Render(theme, width)}, shown...)
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
	parts := p.remarks(inc, now, width)
	for _, q := range p.current.Queries {
		parts = append(parts, part{q.Line, -1, p.query(q, width)})
	}
	for i, cmd := range p.current.Commands {
		parts = append(parts, part{cmd.Line, i, p.commandLines(inc, i, now, width)})
	}
	slices.SortStableFunc(parts, func(a, b part) int { return cmp.Compare(a.line, b.line) })
	for _, part := range parts {
		if len(part.lines) == 0 {
			continue
		}
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, part.lines...)
		if part.command == p.command {
			follow = len(lines)
		}
	}
	if nested := p.nested(inc, width); len(nested) > 0 {
		if len(lines) > 0 {
			lines = append(lines, "")
		}
		lines = append(lines, nested...)
	}
	// What a person said of the step as a whole stands above its commands, and
	// below what there is only to read.
	if own := inc.Item(p.whole()); own.State != incidents.ToDo {
		said := hanging(" ", p.c.theme.Plain, p.verdict(own), width)
		if len(p.current.Commands) > 0 {
			lines = slices.Concat(said, []string{""}, lines)
			follow += len(said) + 1
		} else {
			lines = slices.Concat(lines, []string{""}, said)
		}
	}
	if len(p.current.Commands) == 0 {
		if len(p.current.Queries) > 0 {
			follow = len(lines) // the answers
		}
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
	if p.folded(i) {
		return p.fold(i, width)
	}
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
		for k, part := range ui.WrapCode(ui.Clean(line), max(width-4, 8)) {
			if k > 0 {
				lead = mark + "  "
			}
			lines = append(lines, lead+style.Render(part))
		}
	}
	if running && run.Plan.Bound.Command.Endless && item.State == incidents.Running {
		lines = append(lines, theme.Dim.Render("   its output is in the live pane below"))
	} else if running {
		lines = append(lines, p.output(run, width)...)
	} else if item.Result != nil {
		lines = append(lines, p.recorded(*item.Result, width)...)
	} else if cmd.Output != "" {
		lines = append(lines, sampled(theme, cmd.Output, width)...)
	}
	for _, o := range p.obstacles[i] {
		lines = append(lines, hanging("   "+theme.Warn.Render(ui.GlyphWrong)+" ", theme.Warn, ui.Clean(o.What+" "+o.Why+": "+o.Do), width)...)
	}
	lines = append(lines, p.approvals(item, width)...)
	if item.State != incidents.ToDo {
		verdict := p.verdict(item)
		if item.State == incidents.Running {
			verdict = theme.Accent.Render("running " + ui.Duration(now.Sub(item.At)))
		}
		lines = append(lines, hanging("   ", theme.Plain, verdict, width)...)
		lines = append(lines, p.stages(item, width)...)
	}
	return append(lines, p.effect(item, width)...)
}

// stages tell how each part of a pipeline ended, where one of them did not end
// well: the status of the whole says little about which.
func (p *stepPanel) stages(item incidents.Item, width int) []string {
	if item.Result == nil || len(item.Result.Stages) < 2 {
		return nil
	}
	theme, worst := p.c.theme, false
	parts := make([]string, 0, len(item.Result.Stages))
	for _, stage := range item.Result.Stages {
		style, text := theme.Dim, stage.Meaning()
		switch {
		case stage.Exit == 0:
			text = stage.Name + " ok"
		case text == "":
			text = fmt.Sprintf("%s exit %d", stage.Name, stage.Exit)
		}
		if stage.Exit != 0 {
			worst, style = true, theme.Warn
		}
		parts = append(parts, style.Render(ui.Clean(text)))
	}
	if !worst {
		return nil
	}
	return hanging("   ", theme.Plain, strings.Join(parts, theme.Dim.Render(" | ")), width)
}

// verdict is how an item ended, by whom and when.
func (p *stepPanel) verdict(item incidents.Item) string {
	theme := p.c.theme
	when := "   " + item.At.Local().Format("15:04:05")
	if item.State == incidents.Interrupted {
		return theme.Warn.Render("interrupted: the cockpit that ran it is gone, how it ended is not known") + theme.Dim.Render(when)
	}
	if r := item.Result; r != nil && item.State != incidents.Skipped && item.State != incidents.Excluded {
		text := fmt.Sprintf("exit %d", r.Exit)
		style := theme.Good
		switch {
		case r.Cancelled && r.OK: // it has no end of its own
			text = "stopped"
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
	if item.State == incidents.Skipped || item.State == incidents.Excluded {
		style = theme.Dim
	}
	return style.Render(text) + theme.Dim.Render("   "+ui.Clean(item.By.Name)+when)
}
