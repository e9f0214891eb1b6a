// Package views answers one question: what does the operator see? Each file is
// a pane or a screen that turns readings and folds into cells. Views fetch
// nothing and hold nothing but a cursor, a filter and what they have drawn.
package views

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/ui"
)

// pane is a part of the home screen: data in, cells out. Its rule is drawn by
// the screen; the pane draws what stands below it.
type pane interface {
	// rule is the pane's titled rule: its title, and at its right end the answer.
	rule(now time.Time) ui.Rule
	// render draws exactly height lines of exactly width cells. Full asks for
	// everything that is known; otherwise the pane is one among others.
	render(now time.Time, width, height int, full, focused bool) []string
	// keys are the bindings that work while the pane is focused.
	keys() []ui.Binding
	// wants is how many lines the pane would fill at this width.
	wants(width int) int
	// filter narrows the pane to what contains the text; filtered is its text.
	filter(text string) error
	filtered() string
}

// drawn remembers what a pane drew and of what, so that an unchanged pane is
// not drawn again. K is everything that the cells depend on.
type drawn[K comparable] struct {
	of    K
	lines []string
}

func (d *drawn[K]) get(of K, draw func() []string) []string {
	if d.lines == nil || d.of != of {
		d.of, d.lines = of, draw()
	}
	return d.lines
}

// canvas is what the cells of every pane depend on beside its own data.
type canvas struct {
	seq           uint64 // of the reading
	second        int64  // ages change once a second
	width, height int
	full, focused bool
	scroll        ui.Scroll
	filter        string
}

// rows are the bindings that every list has.
func rows(scroll *ui.Scroll, total func() int, page int, moved func()) []ui.Binding {
	move := func(n int) func() tea.Cmd {
		return func() tea.Cmd {
			scroll.Move(n, total())
			moved()
			return nil
		}
	}
	to := func(last bool) func() tea.Cmd {
		return func() tea.Cmd {
			at := 0
			if last {
				at = total() - 1
			}
			scroll.To(at, total())
			moved()
			return nil
		}
	}
	return []ui.Binding{
		{Keys: []string{"j", "down"}, Show: "j ↓", Does: "next row", Quiet: true, Action: move(1)},
		{Keys: []string{"k", "up"}, Show: "k ↑", Does: "previous row", Quiet: true, Action: move(-1)},
		{Keys: []string{"ctrl+f", "pgdown"}, Does: "page down", Quiet: true, Action: move(page)},
		{Keys: []string{"ctrl+b", "pgup"}, Does: "page up", Quiet: true, Action: move(-page)},
		{Keys: []string{"g", "home"}, Does: "first row", Quiet: true, Action: to(false)},
		{Keys: []string{"G", "end"}, Does: "last row", Quiet: true, Action: to(true)},
	}
}
