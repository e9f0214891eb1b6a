package screentest

import (
	"fmt"
	"io"
	"strings"
)

// shapes are the lines and blocks of one colour, as path data. Fonts draw box
// drawing characters to their own height, which leaves gaps; drawn as shapes
// they fill their cells and join.
type shapes struct {
	lines  strings.Builder    // stroked
	fills  strings.Builder    // filled
	shades [3]strings.Builder // filled by a quarter, a half, three quarters
}

func (s *shapes) write(w io.Writer, color string) {
	if s.lines.Len() > 0 {
		fmt.Fprintf(w, `<path d="%s" fill="none" stroke="%s"/>`+"\n", s.lines.String(), color)
	}
	if s.fills.Len() > 0 {
		fmt.Fprintf(w, `<path d="%s" fill="%s"/>`+"\n", s.fills.String(), color)
	}
	for i := range s.shades {
		if s.shades[i].Len() > 0 {
			fmt.Fprintf(w, `<path d="%s" fill="%s" fill-opacity="%g"/>`+"\n", s.shades[i].String(), color, float64(i+1)/4)
		}
	}
}

// The arms of a box drawing character, from the middle of its cell.
const (
	left = 1 << iota
	right
	up
	down
)

var light = map[rune]int{
	'─': left | right, '│': up | down,
	'┌': right | down, '┐': left | down, '└': right | up, '┘': left | up,
	'├': up | down | right, '┤': up | down | left,
	'┬': left | right | down, '┴': left | right | up, '┼': left | right | up | down,
	'╴': left, '╵': up, '╶': right, '╷': down,
}

var heavy = map[rune]int{
	'━': left | right, '┃': up | down,
	'┏': right | down, '┓': left | down, '┗': right | up, '┛': left | up,
	'┣': up | down | right, '┫': up | down | left,
	'┳': left | right | down, '┻': left | right | up, '╋': left | right | up | down,
	'╸': left, '╹': up, '╺': right, '╻': down,
}

// dashes are the broken lines: into how many pieces, and whether upright.
var dashes = map[rune]struct {
	pieces  int
	upright bool
}{
	'╌': {2, false}, '┄': {3, false}, '┈': {4, false},
	'╎': {2, true}, '┆': {3, true}, '┊': {4, true},
}

// quadrants of a block, in the order of U+2596 to U+259F.
const (
	upperLeft = 1 << iota
	upperRight
	lowerLeft
	lowerRight
)

var quadrants = [...]int{
	lowerLeft, lowerRight, upperLeft, upperLeft | lowerLeft | lowerRight, upperLeft | lowerRight,
	upperLeft | upperRight | lowerLeft, upperLeft | upperRight | lowerRight, upperRight,
	upperRight | lowerLeft, upperRight | lowerLeft | lowerRight,
}

const (
	middleX = cellWidth / 2.
	middleY = cellHeight / 2.
)

// draw draws character into the cell whose upper left corner is given, if it is
// one that is drawn as a shape.
func (s *shapes) draw(character rune, x, y int) bool {
	cellX, cellY := float64(x), float64(y)
	if arms, ok := light[character]; ok {
		s.arms(arms, cellX, cellY, 1)
		return true
	}
	if arms, ok := heavy[character]; ok {
		s.arms(arms, cellX, cellY, 3)
		return true
	}
	if dash, ok := dashes[character]; ok {
		s.dash(dash.pieces, dash.upright, cellX, cellY)
		return true
	}
	switch {
	case character >= '╭' && character <= '╰':
		s.corner(character, cellX, cellY)
	case character >= '▀' && character <= '▟':
		s.block(character, cellX, cellY)
	default:
		return false
	}
	return true
}

func (s *shapes) arms(arms int, x, y, thickness float64) {
	half := thickness / 2
	if arms&(left|right) != 0 {
		from, to := x+middleX-half, x+middleX+half
		if arms&left != 0 {
			from = x
		}
		if arms&right != 0 {
			to = x + cellWidth
		}
		rect(&s.fills, from, y+middleY-half, to-from, thickness)
	}
	if arms&(up|down) != 0 {
		from, to := y+middleY-half, y+middleY+half
		if arms&up != 0 {
			from = y
		}
		if arms&down != 0 {
			to = y + cellHeight
		}
		rect(&s.fills, x+middleX-half, from, thickness, to-from)
	}
}

func (s *shapes) dash(pieces int, upright bool, x, y float64) {
	for i := range pieces {
		if upright {
			step := float64(cellHeight) / float64(pieces)
			rect(&s.fills, x+middleX-.5, y+float64(i)*step+step/4, 1, step/2)
		} else {
			step := float64(cellWidth) / float64(pieces)
			rect(&s.fills, x+float64(i)*step+step/4, y+middleY-.5, step/2, 1)
		}
	}
}

// corner draws the rounded corners ╭ ╮ ╯ ╰.
func (s *shapes) corner(character rune, x, y float64) {
	const radius = 4.
	sideX, endY := x+cellWidth, y+cellHeight // where the line leaves the cell
	bendX, bendY := radius, radius
	if character == '╮' || character == '╯' {
		sideX, bendX = x, -radius
	}
	if character == '╯' || character == '╰' {
		endY, bendY = y, -radius
	}
	cx, cy := x+middleX, y+middleY
	fmt.Fprintf(&s.lines, "M%g %gH%gQ%g %g %g %gV%g", sideX, cy, cx+bendX, cx, cy, cx, cy+bendY, endY)
}

// block draws the block elements U+2580 to U+259F.
func (s *shapes) block(character rune, x, y float64) {
	const width, height = cellWidth, float64(cellHeight)
	switch {
	case character == '▀':
		rect(&s.fills, x, y, width, height/2)
	case character <= '█': // one to eight eighths from below
		part := height * float64(character-'▀') / 8
		rect(&s.fills, x, y+height-part, width, part)
	case character <= '▏': // seven eighths to one from the left
		rect(&s.fills, x, y, width*float64('▐'-character)/8, height)
	case character == '▐':
		rect(&s.fills, x+width/2., y, width/2., height)
	case character <= '▓':
		rect(&s.shades[character-'░'], x, y, width, height)
	case character == '▔':
		rect(&s.fills, x, y, width, height/8)
	case character == '▕':
		rect(&s.fills, x+width*7./8, y, width/8., height)
	default:
		for i := range 4 {
			if quadrants[character-'▖']&(1<<i) != 0 {
				rect(&s.fills, x+float64(i%2)*width/2, y+float64(i/2)*height/2, width/2., height/2)
			}
		}
	}
}

// rect appends a rectangle to path data.
func rect(path *strings.Builder, x, y, width, height float64) {
	fmt.Fprintf(path, "M%g %gh%gv%gh%gz", x, y, width, height, -width)
}
