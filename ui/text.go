package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// Width is the number of cells that a styled string takes.
func Width(s string) int { return ansi.StringWidth(s) }

// Cut shortens a styled string to at most width cells, with an ellipsis where
// something was cut.
func Cut(s string, width int) string {
	if width <= 0 {
		return ""
	}
	return ansi.Truncate(s, width, Ellipsis)
}

// CutMiddle shortens text to at most width cells by leaving out its middle, so
// that what tells two names apart, their ends, stays.
func CutMiddle(s string, width int) string {
	w := Width(s)
	if w <= width {
		return s
	}
	if width <= 1 {
		return Cut(s, width)
	}
	tail := (width - 1) * 2 / 3
	head := width - 1 - tail
	return ansi.Truncate(s, head, "") + Ellipsis + ansi.TruncateLeft(s, w-tail, "")
}

// Fit cuts or pads a styled string to exactly width cells.
func Fit(s string, width int) string {
	if width <= 0 {
		return ""
	}
	w := Width(s)
	if w > width {
		s = Cut(s, width)
		w = Width(s)
	}
	return s + strings.Repeat(" ", max(0, width-w))
}

// FitRight is Fit with the text at the right edge.
func FitRight(s string, width int) string {
	if width <= 0 {
		return ""
	}
	w := Width(s)
	if w > width {
		return Cut(s, width)
	}
	return strings.Repeat(" ", width-w) + s
}

// Spread puts left at the left edge and right at the right edge of a line of
// exactly width cells. Where both do not fit, left is cut and right stays: the
// right edge of a rule carries its answer.
func Spread(left, right string, width int) string {
	rw := Width(right)
	if rw == 0 {
		return Fit(left, width)
	}
	if rw >= width {
		return Fit(right, width)
	}
	return Fit(left, width-rw) + right
}

// Block makes exactly height lines of exactly width cells: too much is cut,
// too little is filled with spaces.
func Block(lines []string, width, height int) []string {
	if height <= 0 {
		return nil
	}
	out := make([]string, height)
	for i := range out {
		line := ""
		if i < len(lines) {
			line = lines[i]
		}
		out[i] = Fit(line, width)
	}
	return out
}

// Columns sets two blocks side by side, parted by one vertical line.
func Columns(theme Theme, left, right []string) []string {
	bar := theme.Dim.Render("│")
	out := make([]string, 0, max(len(left), len(right)))
	for i := range max(len(left), len(right)) {
		l, r := "", ""
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		out = append(out, l+bar+r)
	}
	return out
}

// WrapCode breaks a line of code at blanks, or anywhere where it has none. Prose
// may be broken behind a hyphen; an option such as --to-revision must not look
// like two.
func WrapCode(s string, width int) []string {
	const stand = "\ue000" // of private use, one cell wide
	if strings.Contains(s, stand) {
		return Wrap(s, width)
	}
	lines := Wrap(strings.ReplaceAll(s, "-", stand), width)
	for i := range lines {
		lines[i] = strings.ReplaceAll(lines[i], stand, "-")
	}
	return lines
}

// Wrap breaks a styled paragraph into lines of at most width cells, at words
// where it can.
func Wrap(s string, width int) []string {
	if width <= 0 {
		return nil
	}
	return strings.Split(ansi.Wrap(s, width, ""), "\n")
}
