package views

import (
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// bookText is what a runbook says beside its steps: what the alert means, its
// symptoms, how to prevent it, what else to read. It is shown as it is written.
type bookText struct {
	runbook *runbooks.Runbook
	lines   []string // wrapped to width
	width   int
	offset  int
	page    int // lines of the text in sight, as last drawn
}

// wordless is why a runbook has nothing to read beside its steps.
func wordless(rb *runbooks.Runbook) string {
	if rb.Description != "" || rb.Threshold != "" {
		return ""
	}
	for _, section := range rb.Sections {
		if section.Text != "" {
			return ""
		}
	}
	return "the runbook has nothing beside its steps"
}

func (s *incidentScreen) readBook() tea.Cmd {
	s.c.dialogs.Open(&bookText{runbook: s.runbook})
	return nil
}

// Title implements ui.Dialog.
func (d *bookText) Title() string { return ui.Clean(d.runbook.Title) }

// Keys implements ui.Dialog.
func (d *bookText) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"j"}, Show: "j k", Does: "scroll"}, {Keys: []string{"esc"}, Does: "close"}}
}

// Update implements ui.Dialog.
func (d *bookText) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch key.String() {
	case "esc", "q", "B", "enter":
		return nil, true
	case "j", "down":
		d.offset++
	case "k", "up":
		d.offset--
	case "ctrl+f", "pgdown", "space":
		d.offset += d.page
	case "ctrl+b", "pgup":
		d.offset -= d.page
	}
	return nil, false
}

// wrap lays the text out. Books are long, and frames are many: once a width.
func (d *bookText) wrap(theme ui.Theme, width int) {
	if d.width == width {
		return
	}
	lines := []string{ui.Cut(theme.Dim.Render(ui.Clean(fmt.Sprintf("%s:%d", d.runbook.File, d.runbook.Line))), width)}
	add := func(title, text string) {
		if strings.TrimSpace(text) == "" {
			return
		}
		lines = append(lines, "")
		if title != "" {
			lines = append(lines, theme.Strong.Render(ui.Cut(ui.Clean(title), width)))
		}
		for _, line := range flowing(ui.CleanLines(strings.Trim(text, "\n"))) {
			lines = append(lines, ui.Wrap(line, width)...)
		}
	}
	add("", d.runbook.Description)
	add("Threshold", d.runbook.Threshold)
	for _, section := range d.runbook.Sections {
		add(section.Title, section.Text)
	}
	d.lines, d.width = lines, width
}

// flowing joins the lines of each paragraph, which were broken for another width
// than the dialog's. What is laid out by lines stays as it is: lists, tables,
// headings, quotes, code.
func flowing(text []string) []string {
	var out []string
	open, code := false, false // the last line is prose that may go on
	for _, line := range text {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```") || strings.HasPrefix(strings.TrimSpace(line), "~~~")
		prose := !code && !fence && line != "" && !strings.HasPrefix(line, " ") && !strings.ContainsRune("-*+#>|\t0123456789", rune(line[0]))
		if prose && open {
			out[len(out)-1] += " " + line
		} else {
			out = append(out, line)
		}
		open, code = prose, code != fence
	}
	return out
}

// Lines implements ui.Dialog.
func (d *bookText) Lines(theme ui.Theme, width, height int) []string {
	d.wrap(theme, width)
	d.page = max(1, height-1)
	d.offset = max(0, min(d.offset, len(d.lines)-d.page))
	end := min(len(d.lines), d.offset+d.page)
	last := ""
	if below := len(d.lines) - end; below > 0 {
		last = theme.Dim.Render(fmt.Sprintf("… %d more", below))
	}
	return append(slices.Clone(d.lines[d.offset:end]), last)
}
