package ui

import (
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
)

func TestEditorPutsTheCursorWhereItIsAsked(t *testing.T) {
	long := strings.Repeat("many words ", 12)
	text := "first\n" + long + "\n\näöü [gap] end"
	e := NewEditor(DefaultTheme(), text)
	e.Render(20, 4) // wraps the long line
	for _, at := range []int{0, strings.Index(text, "words"), strings.Index(text, "[gap]"), len(text)} {
		e.SetText(text, at)
		if got := e.Cursor(); got != at {
			t.Errorf("the cursor is in front of %q, want %q", text[got:], text[at:])
		}
	}
	e.SetText(text, strings.Index(text, "[gap]"))
	e.Update(tea.KeyPressMsg{Code: 'x', Text: "x"})
	if got := e.Text(); !strings.HasSuffix(got, "äöü x[gap] end") {
		t.Errorf("what was typed is elsewhere: %q", got)
	}
}

func TestEditorShowsWhatWouldActOnTheTerminal(t *testing.T) {
	e := NewEditor(DefaultTheme(), "a\x1b[2Jb")
	e.Update(tea.PasteMsg{Content: "\x1b]0;x\x07\nsecond"})
	if strings.ContainsAny(e.Text(), "\x1b\x07") {
		t.Errorf("the text is %q", e.Text())
	}
	if got := strings.Count(e.Text(), "\n"); got != 1 {
		t.Errorf("the paste made %d line feeds, want 1: %q", got, e.Text())
	}
}
