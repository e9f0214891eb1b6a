package screentest

import (
	"fmt"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
)

// Styled is the screen as the golden files hold it, in three parts: the text; a
// letter for the style of each cell, with a dot for a plain one; and what the
// letters stand for. Blanks and dots at the end of a row are left out. A letter
// is that of the colour where it can be: r is red, R a bright red.
func (s *Screen) Styled() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d×%d", s.width, s.height)
	if x, y, visible := s.Cursor(); visible {
		fmt.Fprintf(&b, " cursor %d,%d", x, y)
	}
	if s.title != "" {
		fmt.Fprintf(&b, " title %q", s.title)
	}
	b.WriteString("\n" + textMark + "\n" + s.Text() + "\n" + styleMark + "\n")

	legend := newLegend()
	for y := range s.height {
		row := make([]rune, s.width)
		for x := range row {
			row[x] = legend.letter(s.spanCell(x, y))
		}
		b.WriteString(strings.TrimRight(string(row), plainLetter) + "\n")
	}
	b.WriteString(legendMark + "\n")
	for _, style := range legend.styles {
		fmt.Fprintf(&b, "%c %s\n", legend.letters[style], style)
	}
	return b.String()
}

const (
	textMark    = "──── text"
	styleMark   = "──── style"
	legendMark  = "──── legend"
	plainLetter = "."
)

// spanCell is the cell whose style is seen at x: of a wide character its first.
func (s *Screen) spanCell(x, y int) uv.Cell {
	cell := s.Cell(x, y)
	if cell.Width == 0 && x > 0 {
		return s.Cell(x-1, y)
	}
	return cell
}

// legend gives letters to styles, in the order in which they are seen.
type legend struct {
	letters map[string]rune // by description
	styles  []string        // descriptions, in order
	taken   map[rune]bool
}

func newLegend() *legend {
	return &legend{letters: map[string]rune{}, taken: map[rune]bool{}}
}

func (l *legend) letter(cell uv.Cell) rune {
	style := describe(cell.Style, cell.Link)
	if style == "" {
		return rune(plainLetter[0])
	}
	if letter, ok := l.letters[style]; ok {
		return letter
	}
	letter := preferredLetter(cell.Style)
	for next := 'a'; letter == 0 || l.taken[letter]; next++ {
		if next == 'z'+1 {
			next = 'À' // more than enough letters from here on
		}
		letter = next
	}
	l.taken[letter] = true
	l.letters[style] = letter
	l.styles = append(l.styles, style)
	return letter
}

// preferredLetter keeps the letters of a screen from changing when a style is
// added above: 0 if the style has none of its own.
func preferredLetter(style uv.Style) rune {
	if c, ok := style.Fg.(ansi.BasicColor); ok && style.Bg == nil {
		return []rune("krgybmcwKRGYBMCW")[c]
	}
	switch style.Attrs {
	case uv.AttrFaint:
		return 'f'
	case uv.AttrReverse:
		return 'v'
	case uv.AttrBold:
		return 'B'
	}
	return 0
}

// describe names a style in words: "fg=red bg=#202020 bold"; "" if it is plain.
func describe(style uv.Style, link uv.Link) string {
	var words []string
	for _, c := range []struct {
		name  string
		color color.Color
	}{{"fg", style.Fg}, {"bg", style.Bg}, {"line", style.UnderlineColor}} {
		if c.color != nil {
			words = append(words, c.name+"="+colorName(c.color))
		}
	}
	for _, a := range []struct {
		attr uint8
		name string
	}{
		{uv.AttrBold, "bold"},
		{uv.AttrFaint, "faint"},
		{uv.AttrItalic, "italic"},
		{uv.AttrBlink, "blink"},
		{uv.AttrRapidBlink, "rapid-blink"},
		{uv.AttrReverse, "reverse"},
		{uv.AttrConceal, "conceal"},
		{uv.AttrStrikethrough, "strike"},
	} {
		if style.Attrs&a.attr != 0 {
			words = append(words, a.name)
		}
	}
	if u := style.Underline; u > uv.UnderlineNone {
		words = append(words, []string{"", "underline", "double-underline", "curly-underline", "dotted-underline", "dashed-underline"}[u])
	}
	if link.URL != "" {
		words = append(words, "link="+link.URL)
	}
	return strings.Join(words, " ")
}

// colorName names one of the terminal's 16 colours, the index of one of its 256,
// or the components of any other.
func colorName(c color.Color) string {
	switch c := c.(type) {
	case ansi.BasicColor:
		names := []string{"black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"}
		if c >= ansi.BrightBlack {
			return "bright-" + names[c-ansi.BrightBlack]
		}
		return names[c]
	case ansi.IndexedColor:
		return fmt.Sprintf("%d", uint8(c))
	}
	r, g, b, _ := c.RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}
