package views

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/ui"
)

// typedWord is a word that has to be typed before something is changed. Keys
// that were meant for what was on the screen before do not count.
type typedWord struct {
	word   string
	prompt *ui.Prompt
	quiet  ui.Quiet
	wrong  string
}

func newTypedWord(c *Cockpit, word string) typedWord {
	return typedWord{word: word, prompt: ui.NewPrompt(c.theme, "", "", nil), quiet: ui.NewQuiet(c.now)}
}

// update takes a message. It is typed once enter follows the word, and left with
// esc.
func (w *typedWord) update(msg tea.Msg) (cmd tea.Cmd, typed, left bool) {
	key, ok := msg.(tea.KeyPressMsg)
	switch {
	case !ok:
		return nil, false, false
	case key.String() == "esc":
		return nil, false, true
	case !w.quiet.Over(time.Now()):
		return nil, false, false
	case key.String() != "enter":
		w.wrong = ""
		return w.prompt.Update(key), false, false
	case w.prompt.Text() != w.word:
		w.wrong = "that is not " + w.word
		return nil, false, false
	}
	return nil, true, false
}

// lines are the line to type on and, below it, what is wrong with what was typed.
func (w *typedWord) lines(theme ui.Theme, what string, width int) []string {
	label := "type " + theme.Strong.Render(ui.Clean(w.word)) + " " + what + "  "
	return []string{
		label + w.prompt.Render(theme, max(8, width-ui.Width(label))),
		theme.Warn.Render(ui.Clean(w.wrong)),
	}
}
