package ui

import (
	"strings"
	"unicode/utf8"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

// MaxClipboard is the most text that [Copy] sends, in bytes. A longer request
// may be dropped as a whole: a sequence of 100,000 bytes is what terminals are
// known to take. "ESC ] 52 ; c ;" and BEL are 8 of them, and base64 makes four
// out of three.
const MaxClipboard = 74_994

// screenChunk is how many bytes of a sequence are given to GNU Screen at once.
// It cuts strings at 255 bytes before version 4.2, at 767 since.
const screenChunk = 250

// Environment looks up the variables of the terminal that a program is shown
// on. A [tea.EnvMsg] is one; over SSH it holds the viewer's variables, where
// [os.LookupEnv] would give the server's.
type Environment interface {
	LookupEnv(name string) (value string, ok bool)
}

// Copied tells what [Copy] sent to the clipboard. The terminal does not answer,
// so whether it took the text is not known.
type Copied struct {
	Bytes int // sent
	Total int // of the text, after what is not text was made visible
}

// Truncated reports whether the text was longer than [MaxClipboard].
func (c Copied) Truncated() bool { return c.Bytes < c.Total }

// Copy returns a command that puts text on the clipboard of the viewer's own
// terminal, also over SSH, by the escape sequence OSC 52, and then sends
// [Copied]. An empty text is not sent: it would clear the clipboard.
//
// Control and other hidden characters except line feeds and tabs are replaced
// as [Clean] shows them: pasted into a shell they could act. What lies beyond
// [MaxClipboard] is left out.
//
// A multiplexer stands between the program and the terminal. tmux lets the
// sequence through bare when its set-clipboard is on and wrapped when its
// allow-passthrough is on, so it gets both; GNU Screen only knows the wrapped
// form, in pieces.
func Copy(text string, env Environment) tea.Cmd {
	text = clipboardText(text)
	sent := truncateBytes(text, MaxClipboard)
	copied := func() tea.Msg { return Copied{Bytes: len(sent), Total: len(text)} }
	if sent == "" {
		return copied
	}
	bare := ansi.SetSystemClipboard(sent)
	switch multiplexer(env) {
	case "tmux":
		return tea.Sequence(tea.Raw(ansi.TmuxPassthrough(bare)+bare), copied)
	case "screen":
		return tea.Sequence(tea.Raw(ansi.ScreenPassthrough(bare, screenChunk)), copied)
	}
	return tea.Sequence(tea.SetClipboard(sent), copied)
}

// multiplexer is "tmux", "screen" or, without one, "". TMUX and STY do not
// travel over SSH, TERM does; tmux may be set to call itself screen there.
func multiplexer(env Environment) string {
	term, _ := env.LookupEnv("TERM")
	_, tmux := env.LookupEnv("TMUX")
	_, screen := env.LookupEnv("STY")
	switch {
	case tmux, strings.HasPrefix(term, "tmux"):
		return "tmux"
	case screen, strings.HasPrefix(term, "screen"):
		return "screen"
	}
	return ""
}

// clipboardText makes hidden characters visible and keeps the text's form: line
// feeds, tabs, and characters of any width.
func clipboardText(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	var last rune
	for rest := strings.ReplaceAll(s, "\r\n", "\n"); rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		if r != '\n' && r != '\t' && isHidden(r) && !(selectsPresentation(r) && presentable(last, rest)) {
			b.WriteString(shown(r))
		} else {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}

// truncateBytes cuts s to at most n bytes, not within a character.
func truncateBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
