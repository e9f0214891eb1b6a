package ui

import (
	"strings"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textarea"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// Editor is a field of several lines in a dialog.
type Editor struct{ area textarea.Model }

// MaxEditor is the most text that an editor takes, in characters: what a chat
// or a mail takes without being cut.
const MaxEditor = 16 << 10

// NewEditor returns a focused editor with a text to start from. What could not
// be drawn as it is becomes visible text.
func NewEditor(theme Theme, text string) *Editor {
	area := textarea.New()
	area.Prompt = ""
	area.ShowLineNumbers = false
	area.EndOfBufferCharacter = ' '
	area.CharLimit, area.MaxHeight = MaxEditor, 0
	// The clipboard of this machine is not the operator's: they paste through
	// their terminal, and copy by OSC 52.
	area.KeyMap.Paste = key.NewBinding()
	area.KeyMap.CopySelection = key.NewBinding()
	plain := lipgloss.NewStyle()
	state := textarea.StyleState{
		Base: plain, Text: plain, LineNumber: plain, CursorLineNumber: plain, CursorLine: plain,
		EndOfBuffer: plain, Placeholder: theme.Dim, Prompt: plain, Selection: plain.Reverse(true),
	}
	area.SetStyles(textarea.Styles{Focused: state, Blurred: state})
	area.Focus()
	e := &Editor{area: area}
	e.SetText(text, 0)
	return e
}

// Update takes a key or a paste.
func (e *Editor) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tea.PasteMsg:
		m.Content = strings.Join(CleanLines(m.Content), "\n")
		msg = m
	case tea.KeyPressMsg:
		if clean := Clean(m.Text); clean != m.Text {
			msg = tea.PasteMsg{Content: clean}
		}
	}
	var cmd tea.Cmd
	e.area, cmd = e.area.Update(msg)
	return cmd
}

// Text is what stands in the editor.
func (e *Editor) Text() string { return e.area.Value() }

// SetText replaces the text and puts the cursor in front of the byte at cursor.
func (e *Editor) SetText(text string, cursor int) {
	text = text[:cursor] + "\x00" + text[cursor:]
	clean := make([]string, 0, 8)
	row, column := 0, 0
	for i, line := range strings.Split(text, "\n") {
		before, after, here := strings.Cut(line, "\x00")
		before, after = Clean(before), Clean(after)
		if here {
			row, column = i, len([]rune(before))
		}
		clean = append(clean, before+after)
	}
	e.area.SetValue(strings.Join(clean, "\n"))
	e.area.MoveToBegin()
	for range len(text) {
		if e.area.Line() >= row {
			break
		}
		e.area.CursorDown() // by rows as they are wrapped
	}
	e.area.SetCursorColumn(column)
}

// Cursor is the byte of the text that the cursor stands in front of.
func (e *Editor) Cursor() int {
	lines := strings.Split(e.Text(), "\n")
	at := 0
	for _, line := range lines[:e.area.Line()] {
		at += len(line) + 1
	}
	runes := []rune(lines[e.area.Line()])
	return at + len(string(runes[:min(e.area.Column(), len(runes))]))
}

// Height is how many lines the text takes in width cells.
func (e *Editor) Height(width int) int {
	lines := 0
	for _, line := range strings.Split(e.Text(), "\n") {
		lines += len(Wrap(line, max(8, width)))
	}
	return lines
}

// Render draws the editor in exactly height lines of exactly width cells.
func (e *Editor) Render(width, height int) []string {
	e.area.SetWidth(max(8, width))
	e.area.SetHeight(max(1, height))
	return Block(strings.Split(e.area.View(), "\n"), width, height)
}
