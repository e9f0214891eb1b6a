package ui

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
)

const (
	// tabStop is the distance of a terminal's default tab stops, in cells.
	tabStop = 8

	// maxMarks is how many characters may be drawn on top of another in one
	// cell. Hebrew with points and accents needs four; text that stacks more
	// is made to spill over the lines above and below it.
	maxMarks = 4

	// longestCluster bounds the search for the end of a cell's text, in bytes:
	// more than the maxMarks+1 characters that may stay, of four bytes each.
	// Without it a long run of marks would cost the square of its length.
	longestCluster = 32
)

// Clean makes one line of text from outside safe to measure and to draw. All
// text that this program did not write itself passes it: log lines, names,
// annotations, SQL values, runbooks, user names.
//
// What cannot be seen is shown, not removed, so that nothing hides in it:
//
//   - control characters below U+0020 and DEL in caret notation: ^[ is escape,
//     ^J a line feed, ^? DEL;
//   - everything else without a shape of its own by its number, such as
//     <U+202E>: C1 controls, format characters (bidirectional controls, zero
//     widths, joiners, tags), line and paragraph separators, variation
//     selectors, fillers, private and unassigned characters;
//   - a byte that is not UTF-8 as U+FFFD.
//
// A tab becomes spaces up to the next multiple of 8 cells, counted from the
// beginning of s.
//
// Terminals measure text in two ways, by character and by grapheme cluster.
// Where the two give a cell different widths, what is drawn beside it would be
// shifted, so the character that makes the difference is shown by its number:
// skin tones, lone regional indicators, some vowel signs of South and South-East
// Asian scripts. So are more than four marks on one cell, and a mark that has
// nothing to stand on. One thing is left out: the selector that asks for a
// symbol's emoji or text form (U+FE0F, U+FE0E); the symbol stays.
//
// The result is valid UTF-8 and at most eight times as long as s. Printable
// ASCII is returned as it is, without an allocation. Clean of a clean text
// changes nothing.
func Clean(s string) string {
	if isPrintableASCII(s) {
		return s
	}
	c := cleaner{rest: s, detached: true}
	c.out.Grow(len(s) + longestCluster)
	for c.rest != "" {
		c.next()
	}
	return c.out.String()
}

// CleanLines splits s at its line feeds and cleans each line. A carriage return
// before a line feed belongs to the line's end; any other is shown. A final
// line feed ends the last line and begins no other. Of the empty text there are
// no lines.
func CleanLines(s string) []string {
	var lines []string
	for line := range strings.Lines(s) {
		if text, ended := strings.CutSuffix(line, "\n"); ended {
			line = strings.TrimSuffix(text, "\r")
		}
		lines = append(lines, Clean(line))
	}
	return lines
}

func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] >= '\x7f' {
			return false
		}
	}
	return true
}

// cleaner holds the state of one call to Clean.
type cleaner struct {
	rest  string
	out   strings.Builder
	cells int // width of out

	// last is the last character that was written as it is; 0 after a
	// replacement.
	last rune
	// detached tells that rest does not follow in out what it followed in the
	// text: it begins, or what stood before it was replaced. A mark at its
	// start would then land on a character that it does not belong to.
	detached bool
}

// next cleans what fills the next cell, or a run of plain text.
func (c *cleaner) next() {
	if n := plainRun(c.rest); n > 0 {
		c.keep(c.rest[:n], n)
		return
	}
	r, size := utf8.DecodeRuneInString(c.rest)
	switch {
	case r == utf8.RuneError && size == 1:
		c.replace(size, string(utf8.RuneError))
	case r == '\t':
		c.replace(size, strings.Repeat(" ", tabStop-c.cells%tabStop))
	case selectsPresentation(r) && presentable(c.last, c.rest[size:]):
		c.dropSelector(size)
	case isHidden(r), c.detached && joinsPrevious(c.rest[:size]):
		c.replace(size, shown(r))
	default:
		c.cluster(r, size)
	}
}

// cluster cleans the grapheme cluster that begins with r, a visible character.
func (c *cleaner) cluster(r rune, size int) {
	text, width := firstCluster(c.rest)
	if isStable(text, width) {
		c.keep(text, width)
		return
	}
	base := c.rest[:size]
	if _, width = firstCluster(base); !isStable(base, width) {
		c.replace(size, shown(r))
		return
	}
	// The base can stay: it is what stands on it that makes the difference.
	c.keep(base, width)
	mark, size := utf8.DecodeRuneInString(c.rest)
	c.replace(size, shown(mark))
}

func (c *cleaner) keep(text string, width int) {
	c.last, _ = utf8.DecodeLastRuneInString(text)
	c.detached = false
	c.out.WriteString(text)
	c.cells += width
	c.rest = c.rest[len(text):]
}

func (c *cleaner) replace(size int, by string) {
	c.last = 0
	c.detached = true
	c.out.WriteString(by)
	c.cells += utf8.RuneCountInString(by)
	c.rest = c.rest[size:]
}

// dropSelector leaves out a presentation selector. The frame of a keycap, which
// stands behind the selector, stays on its digit.
func (c *cleaner) dropSelector(size int) {
	c.rest = c.rest[size:]
	if strings.HasPrefix(c.rest, keycap) {
		c.keep(keycap, 0)
	}
	c.last = 0
	c.detached = true
}

// keycap is the frame around a digit that makes it a key: 1 U+FE0F U+20E3.
const keycap = "\u20e3"

func selectsPresentation(r rune) bool { return r == '\ufe0e' || r == '\ufe0f' }

// presentable reports whether a presentation selector has a meaning between
// last and what follows.
func presentable(last rune, following string) bool {
	if last < utf8.RuneSelf {
		return last != 0 && strings.ContainsRune("0123456789#*", last) && strings.HasPrefix(following, keycap)
	}
	return unicode.In(last, unicode.S, unicode.Po)
}

// isHidden reports whether r has no shape of its own.
func isHidden(r rune) bool {
	return !unicode.IsGraphic(r) ||
		r > unicode.MaxLatin1 && unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// shown writes a hidden character so that it can be seen.
func shown(r rune) string {
	if r < ' ' || r == '\x7f' {
		return string([]byte{'^', byte(r) ^ 0x40})
	}
	return fmt.Sprintf("<U+%04X>", r)
}

// plainRun is the length of the printable ASCII at the beginning of s, without
// the last character where a mark could follow it.
func plainRun(s string) int {
	n := 0
	for n < len(s) && s[n] >= ' ' && s[n] < '\x7f' {
		n++
	}
	if n > 0 && n < len(s) && s[n] >= utf8.RuneSelf {
		n--
	}
	return n
}

// firstCluster is the grapheme cluster at the beginning of s, up to its first
// hidden character, and its width in cells.
func firstCluster(s string) (string, int) {
	if len(s) > longestCluster {
		s = s[:longestCluster]
	}
	text, width := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	for i, r := range text {
		if i > 0 && (r == utf8.RuneError || isHidden(r)) {
			return ansi.FirstGraphemeCluster(text[:i], ansi.GraphemeWidth)
		}
	}
	return text, width
}

// joinsPrevious reports whether character would be drawn on the one before it.
func joinsPrevious(character string) bool {
	text, _ := ansi.FirstGraphemeCluster("x"+character, ansi.GraphemeWidth)
	return len(text) > 1
}

// joinsNext reports whether character would be drawn together with the one
// behind it. Among those that are visible only letters of Brahmic scripts do.
func joinsNext(character rune) bool {
	if character < 0x0900 || character > 0x0dff && character < 0x11000 || character > 0x11fff {
		return false
	}
	text, _ := ansi.FirstGraphemeCluster(string(character)+"x", ansi.GraphemeWidth)
	return len(text) > utf8.RuneLen(character)
}

// isStable reports whether text, a grapheme cluster of that width, fills the
// same number of cells however a terminal measures it, and whatever stands
// beside it.
func isStable(text string, width int) bool {
	last, _ := utf8.DecodeLastRuneInString(text)
	return width > 0 &&
		width == ansi.StringWidthWc(text) &&
		utf8.RuneCountInString(text) <= maxMarks+1 &&
		!joinsNext(last)
}
