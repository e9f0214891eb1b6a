package screentest

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	uv "github.com/charmbracelet/ultraviolet"
)

// A cell's size in the picture's units. Three fifths of the font's size is the
// advance of the common monospaced fonts; both are odd, so that a line through
// the middle of a cell falls on whole pixels.
const (
	fontSize   = 15
	cellWidth  = 9
	cellHeight = 19
	baseline   = 14.5 // below the top of the cell
	margin     = 16   // around the screen
)

const fontFamily = "ui-monospace,'SF Mono',Menlo,Consolas,'DejaVu Sans Mono','Liberation Mono',monospace"

// SVG draws the screen as a picture that needs nothing else: text on a dark
// ground in the reader's monospaced font, each character in its place whatever
// that font is, with lines and blocks drawn as shapes so that they join.
func (s *Screen) SVG(w io.Writer) error {
	p := picture{screen: s, shapes: map[string]*shapes{}}
	for y := range s.height {
		p.row(y)
	}
	title := s.title
	if title == "" {
		title = "A terminal's screen"
	}
	width, height := s.width*cellWidth+2*margin, s.height*cellHeight+2*margin
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %d %d" width="%d" height="%d" font-family="%s" font-size="%d">`+"\n",
		width, height, width, height, fontFamily, fontSize)
	fmt.Fprintf(&out, "<title>%s</title>\n", escape(title))
	fmt.Fprintf(&out, `<rect width="%d" height="%d" rx="8" fill="%s"/>`+"\n", width, height, ground)
	fmt.Fprintf(&out, `<g transform="translate(%d %d)">`+"\n", margin, margin)
	fmt.Fprintf(&out, "<g shape-rendering=\"crispEdges\">\n%s</g>\n", p.grounds.String())
	for _, color := range p.colors {
		p.shapes[color].write(&out, color)
	}
	out.Write(p.texts.Bytes())
	out.WriteString("</g>\n</svg>\n")
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write the picture of a screen: %w", err)
	}
	return nil
}

// picture collects what is drawn, in layers.
type picture struct {
	screen  *Screen
	grounds bytes.Buffer
	shapes  map[string]*shapes // by colour
	colors  []string           // of shapes, in the order of their appearance
	texts   bytes.Buffer
}

// row draws one row of the screen: its runs of cells with the same look.
func (p *picture) row(y int) {
	for x := 0; x < p.screen.width; {
		look := p.look(x, y)
		end := x + 1
		for end < p.screen.width && p.look(end, y) == look {
			end++
		}
		if look.ground != ground {
			fmt.Fprintf(&p.grounds, `<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>`+"\n",
				x*cellWidth, y*cellHeight, (end-x)*cellWidth, cellHeight, look.ground)
		}
		p.run(x, end, y, look)
		x = end
	}
}

// look is how a cell is drawn. Cells of the same look can share an element.
type look struct {
	ink, ground string // colours
	attributes  string // of the text element
}

func (p *picture) look(x, y int) look {
	style := p.screen.spanCell(x, y).Style
	ink, paper := rgb(style.Fg, foreground), rgb(style.Bg, background)
	if cx, cy, visible := p.screen.Cursor(); visible && cx == x && cy == y {
		style.Attrs ^= uv.AttrReverse
	}
	if style.Attrs&uv.AttrReverse != 0 {
		ink, paper = paper, ink
	}
	if style.Attrs&uv.AttrFaint != 0 {
		ink = mix(ink, paper)
	}
	if style.Attrs&uv.AttrConceal != 0 {
		ink = paper
	}
	var attributes strings.Builder
	if style.Attrs&uv.AttrBold != 0 {
		attributes.WriteString(` font-weight="bold"`)
	}
	if style.Attrs&uv.AttrItalic != 0 {
		attributes.WriteString(` font-style="italic"`)
	}
	switch struck := style.Attrs&uv.AttrStrikethrough != 0; {
	case struck && style.Underline != uv.UnderlineNone:
		attributes.WriteString(` text-decoration="underline line-through"`)
	case struck:
		attributes.WriteString(` text-decoration="line-through"`)
	case style.Underline != uv.UnderlineNone:
		attributes.WriteString(` text-decoration="underline"`)
	}
	return look{ink: hex(ink), ground: hex(paper), attributes: attributes.String()}
}

// run draws the cells from x to end, which look the same.
func (p *picture) run(x, end, y int, look look) {
	for x < end {
		cell := p.screen.Cell(x, y)
		r, size := utf8.DecodeRuneInString(cell.Content)
		switch {
		case size == 0 || r == ' ' && look.attributes == "":
			x++
		case r == ' ':
			p.text(look, x, y, 1, "\u00a0") // its line is seen
			x++
		case size == len(cell.Content) && p.shape(look.ink).draw(r, x*cellWidth, y*cellHeight):
			x++
		case cell.Width != 1 || size != len(cell.Content) || r > 0xffff:
			p.text(look, x, y, cell.Width, cell.Content)
			x += max(cell.Width, 1)
		case r < utf8.RuneSelf:
			text := p.word(x, end, y)
			p.text(look, x, y, len(text), text)
			x += len(text)
		default:
			p.text(look, x, y, 1, cell.Content)
			x++
		}
	}
}

// word is the ASCII text that begins at x, up to a blank that another character
// does not follow: readers of SVG leave out blanks at an end, and of several all
// but one.
func (p *picture) word(x, end, y int) string {
	var b strings.Builder
	for ; x < end; x++ {
		c := p.screen.Cell(x, y).Content
		if len(c) != 1 || c == " " && !p.printsASCII(x+1, end, y) {
			break
		}
		b.WriteString(c)
	}
	return b.String()
}

func (p *picture) printsASCII(x, end, y int) bool {
	if x >= end {
		return false
	}
	c := p.screen.Cell(x, y).Content
	return len(c) == 1 && c != " "
}

// text writes text into a number of cells. Its length is given, so that the
// reader's font cannot move what follows.
func (p *picture) text(look look, x, y, cells int, text string) {
	fmt.Fprintf(&p.texts, `<text x="%d" y="%g"%s textLength="%d" lengthAdjust="spacingAndGlyphs" fill="%s">%s</text>`+"\n",
		x*cellWidth, float64(y*cellHeight)+baseline, look.attributes, cells*cellWidth, look.ink, escape(text))
}

func (p *picture) shape(color string) *shapes {
	if p.shapes[color] == nil {
		p.shapes[color] = &shapes{}
		p.colors = append(p.colors, color)
	}
	return p.shapes[color]
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a Buffer takes all
	return b.String()
}
