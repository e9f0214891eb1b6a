package runbooks

import (
	"path"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"
)

var shellParsers = sync.Pool{New: func() any {
	return syntax.NewParser(syntax.Variant(syntax.LangBash), syntax.KeepComments(true))
}}

// parseShell parses a bash script. Placeholders have to be masked before.
func parseShell(script string) (*syntax.File, error) {
	p := shellParsers.Get().(*syntax.Parser)
	defer shellParsers.Put(p)
	return p.Parse(strings.NewReader(script), "")
}

// hole stands for the part of a word that is known only when it runs.
const hole = "\x00"

// arg is one word of a command line, as far as it can be known before it runs.
type arg struct {
	text    string // what the shell would pass; holes for what it would expand
	static  bool   // there is no hole in it, and it stays one word
	escaped bool   // a backslash hides what it is: \rm
	word    *syntax.Word
}

// arguments are the words of a command.
func arguments(words []*syntax.Word) []arg {
	out := make([]arg, len(words))
	for i, w := range words {
		out[i] = newArg(w)
	}
	return out
}

func newArg(w *syntax.Word) arg {
	a := arg{static: true, word: w}
	if len(w.Parts) == 1 { // most words are
		switch p := w.Parts[0].(type) {
		case *syntax.Lit:
			if strings.IndexByte(p.Value, '\\') < 0 && !spreads(p.Value, true) {
				a.text = p.Value
				return a
			}
		case *syntax.SglQuoted:
			if !p.Dollar {
				a.text = p.Value
				return a
			}
		}
	}
	var b strings.Builder
	for i, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			text, escaped := unescape(p.Value, "")
			a.escaped = a.escaped || escaped
			if spreads(p.Value, i == 0) {
				a.static = false
				text = hole
			}
			b.WriteString(text)
		case *syntax.SglQuoted:
			if p.Dollar {
				a.static = false
				b.WriteString(hole)
			} else {
				b.WriteString(p.Value)
			}
		case *syntax.DblQuoted:
			text, static := quotedText(p.Parts, "\"\\$`\n")
			a.static = a.static && static && !p.Dollar
			b.WriteString(text)
		default:
			a.static = false
			b.WriteString(hole)
		}
	}
	a.text = b.String()
	return a
}

// quotedText is the text of parts inside double quotes or a heredoc, where a
// backslash only hides the bytes in special.
func quotedText(parts []syntax.WordPart, special string) (text string, static bool) {
	static = true
	var b strings.Builder
	for _, part := range parts {
		lit, ok := part.(*syntax.Lit)
		if !ok {
			static = false
			b.WriteString(hole)
			continue
		}
		s, _ := unescape(lit.Value, special)
		b.WriteString(s)
	}
	return b.String(), static
}

// unescape takes backslashes away as the shell does: before any byte, or only
// before those in special where that is not empty.
func unescape(s, special string) (string, bool) {
	if strings.IndexByte(s, '\\') < 0 {
		return s, false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) || special != "" && strings.IndexByte(special, s[i+1]) < 0 {
			b.WriteByte(s[i])
			continue
		}
		i++
		if s[i] != '\n' {
			b.WriteByte(s[i])
		}
	}
	return b.String(), true
}

// spreads tells whether an unquoted literal may become several words, or words
// that cannot be known: a brace expansion, or a pattern at the word's start,
// where a file's name could be read as an option.
func spreads(lit string, first bool) bool {
	if first && lit != "" && strings.IndexByte("*?[", lit[0]) >= 0 && lit != "[" {
		return true
	}
	open := strings.IndexByte(lit, '{')
	return open >= 0 && strings.Contains(lit[open:], "}") &&
		(strings.Contains(lit[open:], ",") || strings.Contains(lit[open:], ".."))
}

// program is the name of the program that a command's first word names. It is
// empty where that cannot be told: a variable, an escaped name, a script of
// somebody's.
func (a arg) program() string {
	if !a.static || a.escaped || a.text == "" {
		return ""
	}
	if !strings.Contains(a.text, "/") {
		return a.text
	}
	switch dir := path.Dir(a.text); dir {
	case "/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin":
		return path.Base(a.text)
	}
	return ""
}

// option tells whether a word is, or could be, an option.
func (a arg) option() bool {
	return strings.HasPrefix(a.text, "-") && a.text != "-" || strings.HasPrefix(a.text, hole)
}

// dynamic tells whether a word could be anything, an option included.
func (a arg) dynamic() bool { return !a.static && strings.HasPrefix(a.text, hole) }

// oneWord tells whether a word is one word whatever its expansions yield:
// nothing in it is expanded outside of quotes.
func oneWord(w *syntax.Word) bool {
	for i, part := range w.Parts {
		switch p := part.(type) {
		case *syntax.Lit:
			if spreads(p.Value, i == 0) {
				return false
			}
		case *syntax.SglQuoted, *syntax.ArithmExp:
		case *syntax.DblQuoted:
			for _, inner := range p.Parts {
				if e, ok := inner.(*syntax.ParamExp); ok && (e.Param != nil && e.Param.Value == "@" || e.Index != nil || e.Excl) {
					return false
				}
			}
		default:
			return false
		}
	}
	return true
}
