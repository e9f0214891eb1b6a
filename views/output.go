package views

import (
	"fmt"
	"strings"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// outputs are what the runs of an incident have printed, as far as this viewer
// has read it.
type outputs map[string]*outputLines

// outputLines are the last lines of a run, read incrementally.
type outputLines struct {
	next  int64
	lines []incidents.Line
}

// keepOutput bounds the lines of one run that a viewer holds; the runner keeps
// more, and the journal the head and the tail.
const keepOutput = 2_000

// of reads on in what a run prints and returns its last lines, and how many
// stood above them.
func (o outputs) of(run *incidents.Run) (lines []incidents.Line, above int64) {
	read := o[run.ID]
	if read == nil {
		read = &outputLines{}
		o[run.ID] = read
	}
	read.pull(run.Output())
	return read.lines, run.Output().Stats().Lines - int64(len(read.lines))
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

// wrappedErrors is how many lines one line of stderr may take: what went wrong is
// said at its end.
const wrappedErrors = 4

// printed draws lines of a run below its command.
func printed(theme ui.Theme, lines []incidents.Line, width int) []string {
	out := make([]string, 0, len(lines))
	for _, line := range lines {
		if line.Stream == runbooks.Stderr {
			parts := hanging("   ", theme.Dim, ui.Clean(line.Text), width)
			out = append(out, parts[:min(len(parts), wrappedErrors)]...)
			continue
		}
		out = append(out, ui.Cut("   "+ui.Clean(line.Text), width))
	}
	return out
}

// output are the lines that a run of this process has printed.
func (p *stepPanel) output(run *incidents.Run, width int) []string {
	lines, above := p.screen.outputs.of(run)
	var out []string
	if above > 0 {
		out = append(out, p.c.theme.Dim.Render(fmt.Sprintf("   %d lines above", above)))
	}
	return append(out, printed(p.c.theme, lines, width)...)
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

// sampledLines is how many lines of a book's own sample of an output are shown.
const sampledLines = 8

// sampled is the output that the book shows of a command, until there is one of
// its own.
func sampled(theme ui.Theme, text string, width int) []string {
	lines := []string{theme.Dim.Render("   the book shows")}
	for i, line := range ui.CleanLines(strings.TrimRight(text, "\n")) {
		if i == sampledLines {
			lines = append(lines, theme.Dim.Render("   "+ui.Ellipsis))
			break
		}
		lines = append(lines, ui.Cut("   "+theme.Dim.Render(line), width))
	}
	return lines
}
