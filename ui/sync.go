package ui

import (
	"strings"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// ProbeSync returns the command, for a model's Init, that asks the terminal
// whether it can show a frame at once (synchronized output, mode 2026). Bubble
// Tea reads the answer and brackets its frames from then on; without one nothing
// changes.
//
// Bubble Tea 2.1 asks by itself, but not where SSH_TTY is set, which is where
// torn frames are seen. ProbeSync asks there and is nil elsewhere. It is nil
// for Apple's Terminal too, which does not know the question and prints its last
// letter. Over SSH that terminal goes by another name, so the letter is erased,
// and then drawn over.
func ProbeSync(env Environment) tea.Cmd {
	if _, ssh := env.LookupEnv("SSH_TTY"); !ssh {
		return nil
	}
	if program, _ := env.LookupEnv("TERM_PROGRAM"); strings.Contains(program, "Apple") {
		return nil
	}
	return tea.Sequence(
		tea.Raw(ansi.SaveCursor+ansi.RequestModeSynchronizedOutput+ansi.RestoreCursor+ansi.EraseLineRight),
		tea.ClearScreen,
	)
}
