package ui

import (
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// Prompt is a line of input at the bottom of the screen or in a dialog. It
// completes from a list with tab.
type Prompt struct {
	input textinput.Model
	Label string // stands before the text
}

// NewPrompt returns a focused prompt with a text to start from and what tab
// completes to.
func NewPrompt(theme Theme, label, text string, complete []string) *Prompt {
	in := textinput.New()
	in.Prompt = ""
	in.SetValue(text)
	in.CursorEnd()
	styles := in.Styles()
	styles.Cursor.Blink = false // a blinking cursor would write to an idle screen
	styles.Focused.Suggestion = theme.Dim
	in.SetStyles(styles)
	in.ShowSuggestions = len(complete) > 0
	in.SetSuggestions(complete)
	in.CharLimit = 4096
	in.Focus()
	return &Prompt{input: in, Label: label}
}

// Update takes a key or a paste. What could not be drawn as it is, such as a
// pasted escape sequence, becomes visible text.
func (p *Prompt) Update(msg tea.Msg) tea.Cmd {
	switch m := msg.(type) {
	case tea.PasteMsg:
		m.Content = Clean(m.Content)
		msg = m
	case tea.KeyPressMsg:
		if clean := Clean(m.Text); clean != m.Text {
			msg = tea.PasteMsg{Content: clean}
		}
	}
	var cmd tea.Cmd
	p.input, cmd = p.input.Update(msg)
	return cmd
}

// Text is what was typed.
func (p *Prompt) Text() string { return p.input.Value() }

// Hide shows a dot for each character: for secrets.
func (p *Prompt) Hide() {
	p.input.EchoMode = textinput.EchoPassword
	p.input.EchoCharacter = '•'
}

// Render draws the prompt in exactly width cells.
func (p *Prompt) Render(theme Theme, width int) string {
	label := theme.Accent.Render(p.Label)
	p.input.SetWidth(max(1, width-Width(label)-1))
	return Fit(label+p.input.View(), width)
}
