package ui

import "strings"

// Rule is the titled line above a pane. Its right end carries the answer, so
// that someone who reads only the rules knows the state.
type Rule struct {
	Key     string // the key that focuses the pane, empty for none
	Title   string // what the pane is about
	Detail  string // beside the title: a selector, a filter; may be styled
	Answer  string // at the right end: may be styled
	Focused bool
}

// Render draws the rule with exactly width cells.
func (r Rule) Render(theme Theme, width int) string {
	title := theme.Strong
	if r.Focused {
		title = theme.Accent.Bold(true)
	}
	left := theme.Dim.Render("──") + " "
	if r.Key != "" {
		left += theme.Dim.Render(r.Key) + " "
	}
	left += title.Render(r.Title)
	if r.Detail != "" {
		left += "  " + r.Detail
	}
	left += " "
	right := theme.Dim.Render("──")
	if r.Answer != "" {
		right = " " + r.Answer + " " + theme.Dim.Render("──")
	}
	lw, rw := Width(left), Width(right)
	if lw+rw > width {
		// The answer wins over the detail, and the title over nothing at all.
		left = Cut(left, max(0, width-rw-1)) + " "
		lw = Width(left)
	}
	if lw+rw > width {
		return Fit(right, width)
	}
	return left + theme.Dim.Render(strings.Repeat("─", width-lw-rw)) + right
}
