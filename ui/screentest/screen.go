// Package screentest shows a program on the screen of a terminal emulator and
// compares what is seen with golden files.
//
// The bytes that a full-screen program writes are differences to what stood
// there before, so a test that searches them for text is wrong after the first
// frame. Here they go through [github.com/charmbracelet/x/vt] and the cells are
// looked at. [Render] shows one frame, [Start] runs a Bubble Tea model, and
// [Exec] runs a real program in a pseudo-terminal.
package screentest

import (
	"strings"
	"testing"

	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// Screen is what a terminal showed at one moment. It does not change.
type Screen struct {
	width, height int
	cells         []uv.Cell // row by row
	cursor        uv.Position
	cursorHidden  bool
	altScreen     bool
	title         string
}

// Render shows a frame, lines joined by line feeds with their styles as escape
// sequences, on a screen of the given size in cells. A frame that does not fit
// fails t: a terminal would wrap or scroll it.
func Render(t testing.TB, frame string, width, height int) *Screen {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) > height {
		t.Errorf("the frame has %d lines, the screen %d", len(lines), height)
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > width {
			t.Errorf("line %d of the frame is %d cells wide, the screen %d: %q", i+1, w, width, ansi.Strip(line))
		}
	}
	d := newDisplay(width, height)
	defer d.close()
	d.draw([]byte(ansi.ResetModeTextCursorEnable + ansi.ResetModeAutoWrap + strings.Join(lines, "\r\n")))
	return d.screen()
}

// snapshot copies the visible screen of e.
func snapshot(e *vt.Emulator, title string) *Screen {
	s := &Screen{
		width:        e.Width(),
		height:       e.Height(),
		cells:        make([]uv.Cell, 0, e.Width()*e.Height()),
		cursor:       e.CursorPosition(),
		cursorHidden: e.CursorHidden(),
		altScreen:    e.IsAltScreen(),
		title:        title,
	}
	for y := range s.height {
		for x := range s.width {
			cell := uv.EmptyCell
			if c := e.CellAt(x, y); c != nil {
				cell = *c
			}
			s.cells = append(s.cells, cell)
		}
	}
	return s
}

// Width is the number of columns.
func (s *Screen) Width() int { return s.width }

// Height is the number of rows.
func (s *Screen) Height() int { return s.height }

// Cell is the cell at column x of row y, both from 0. A character of two cells
// is in the first of them; the second has no width and no content. Outside of
// the screen Cell panics.
func (s *Screen) Cell(x, y int) uv.Cell {
	if x < 0 || x >= s.width {
		panic("screentest: no such column")
	}
	return s.cells[y*s.width+x]
}

// StyleAt describes the style of a cell as the golden files do, such as
// "fg=red bold"; it is empty for a plain one.
func (s *Screen) StyleAt(x, y int) string {
	cell := s.Cell(x, y)
	return describe(cell.Style, cell.Link)
}

// Row is the text of row y, without the blanks at its end.
func (s *Screen) Row(y int) string {
	var b strings.Builder
	for x := range s.width {
		cell := s.Cell(x, y)
		switch {
		case cell.Content != "":
			b.WriteString(cell.Content)
		case cell.Width > 0:
			b.WriteByte(' ')
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// Text is the text of all rows, joined by line feeds.
func (s *Screen) Text() string {
	rows := make([]string, s.height)
	for y := range rows {
		rows[y] = s.Row(y)
	}
	return strings.Join(rows, "\n")
}

// Contains reports whether text stands in one of the rows.
func (s *Screen) Contains(text string) bool {
	_, _, found := s.Find(text)
	return found
}

// Find returns the place of the first cell of text, in the topmost row that
// holds it.
func (s *Screen) Find(text string) (x, y int, found bool) {
	for y := range s.height {
		row := s.Row(y)
		if i := strings.Index(row, text); i >= 0 {
			return ansi.StringWidth(row[:i]), y, true
		}
	}
	return 0, 0, false
}

// Cursor is the place of the cursor, and whether it is shown.
func (s *Screen) Cursor() (x, y int, visible bool) {
	return s.cursor.X, s.cursor.Y, !s.cursorHidden
}

// AltScreen reports whether the program uses the terminal's second screen,
// which leaves the shell's as it was.
func (s *Screen) AltScreen() bool { return s.altScreen }

// Title is the title of the terminal's window as the program set it.
func (s *Screen) Title() string { return s.title }
