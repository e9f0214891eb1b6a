package ui

import (
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// Dialog is something that must be answered before anything else. It is the
// only thing on the screen with a frame.
type Dialog interface {
	// Update handles a message; done is true when the dialog is answered.
	Update(msg tea.Msg) (cmd tea.Cmd, done bool)
	// Title stands in the frame.
	Title() string
	// Lines are what stands inside, at most width cells wide and height lines.
	Lines(theme Theme, width, height int) []string
	// Keys are what can be pressed.
	Keys() []Binding
}

// Stack holds the open dialogs; the last one has the keys.
type Stack struct{ dialogs []Dialog }

// Open puts a dialog on top.
func (s *Stack) Open(d Dialog) { s.dialogs = append(s.dialogs, d) }

// Top is the dialog that has the keys, nil when none is open.
func (s *Stack) Top() Dialog {
	if len(s.dialogs) == 0 {
		return nil
	}
	return s.dialogs[len(s.dialogs)-1]
}

// Close takes the top dialog away, unanswered.
func (s *Stack) Close() {
	if len(s.dialogs) > 0 {
		s.dialogs = s.dialogs[:len(s.dialogs)-1]
	}
}

// Update hands a message to the top dialog and takes it away when it is
// answered. A dialog that opened another one in its answer is taken away from
// under it.
func (s *Stack) Update(msg tea.Msg) tea.Cmd {
	top := s.Top()
	if top == nil {
		return nil
	}
	cmd, done := top.Update(msg)
	if done {
		for i, d := range s.dialogs {
			if d == top {
				s.dialogs = append(s.dialogs[:i:i], s.dialogs[i+1:]...)
				break
			}
		}
	}
	return cmd
}

// Overlay draws the top dialog, framed and centred, over a screen.
func (s *Stack) Overlay(theme Theme, screen string, width, height int) string {
	d := s.Top()
	if d == nil {
		return screen
	}
	inner := min(max(width-8, 20), 76)
	lines := d.Lines(theme, inner, height-6)
	frame := framed(theme, d.Title(), lines, inner)
	x, y := max(0, (width-inner-4)/2), max(0, (height-len(frame))/2)
	canvas := lipgloss.NewCompositor(
		lipgloss.NewLayer(screen),
		lipgloss.NewLayer(strings.Join(frame, "\n")).X(x).Y(y).Z(1),
	)
	return canvas.Render()
}

// framed puts lines into a frame with a title; the result is inner+4 cells wide.
func framed(theme Theme, title string, lines []string, inner int) []string {
	edge := theme.Accent
	head := edge.Render("╭── ") + theme.Strong.Render(Cut(title, inner-4)) + " "
	head += edge.Render(strings.Repeat("─", max(0, inner+3-Width(head))) + "╮")
	out := []string{head}
	for _, line := range lines {
		out = append(out, edge.Render("│")+" "+Fit(line, inner)+" "+edge.Render("│"))
	}
	return append(out, edge.Render("╰"+strings.Repeat("─", inner+2)+"╯"))
}

// Quiet holds back keys until nobody has typed for a while, so that keys meant
// for what was on the screen before do not answer what is on it now.
type Quiet struct{ last time.Time }

// quietFor is how long nothing must have been typed: twice the usual gap
// between two keys of a fast typist, about 200 ms.
const quietFor = 400 * time.Millisecond

// NewQuiet starts a quiet time at now.
func NewQuiet(now time.Time) Quiet { return Quiet{last: now} }

// Over tells whether a key at now may be taken. A key that comes too early
// starts the quiet time again.
func (q *Quiet) Over(now time.Time) bool {
	if q.last.IsZero() {
		return true
	}
	if now.Sub(q.last) < quietFor {
		q.last = now
		return false
	}
	q.last = time.Time{}
	return true
}
