package runbooks

import (
	"regexp"
	"strings"
)

// placeholderUse is one <placeholder> in a text.
type placeholderUse struct {
	name       string // without the angle brackets
	start, end int    // byte offsets, brackets included
}

// angled is a name in angle brackets. What it may hold excludes what makes two
// redirections or a comparison: operators, a leading digit, blanks at an end.
var angled = regexp.MustCompile(`<([A-Za-z][A-Za-z0-9 _./:'-]{0,62}[A-Za-z0-9.]|[A-Za-z])>`)

// findPlaceholders finds the placeholders of a text, in order. (<70%), < 0.1%,
// <<EOF, <(command), <tag>…</tag> and <https://…> are none.
func findPlaceholders(text string) []placeholderUse {
	if strings.IndexByte(text, '<') < 0 {
		return nil
	}
	var out []placeholderUse
	for _, m := range angled.FindAllStringSubmatchIndex(text, -1) {
		start, end, name := m[0], m[1], text[m[2]:m[3]]
		if isLookAlike(text, start, end, name) {
			continue
		}
		out = append(out, placeholderUse{name: name, start: start, end: end})
	}
	return out
}

var redirectedDescriptor = regexp.MustCompile(`\s\d$`)

func isLookAlike(text string, start, end int, name string) bool {
	switch {
	case start > 0 && (text[start-1] == '<' || text[start-1] == '&'):
		return true // <<EOF>file, <&
	case end < len(text) && (text[end] == '>' || text[end] == '&' || text[end] == '('):
		return true // <in>>out, <in>&2, <in>(…)
	case strings.Contains(name, "://"):
		return true // <https://…>
	case redirectedDescriptor.MatchString(name):
		return true // <in 2>err
	}
	word, _, _ := strings.Cut(name, " ")
	return strings.Contains(text, "</"+word+">") // markup
}

// placeholderNames are the names in a text, in order of first use.
func placeholderNames(uses []placeholderUse) []string {
	var out []string
	seen := map[string]bool{}
	for _, u := range uses {
		if !seen[u.name] {
			seen[u.name] = true
			out = append(out, u.name)
		}
	}
	return out
}

// maskByte stands for every byte of a placeholder while a text is parsed: it is
// part of a word in every language, and keeps all offsets where they are.
const maskByte = 'X'

// mask replaces placeholders by words of the same length.
func mask(text string, uses []placeholderUse) string {
	if len(uses) == 0 {
		return text
	}
	b := []byte(text)
	for _, u := range uses {
		for i := u.start; i < u.end; i++ {
			b[i] = maskByte
		}
	}
	return string(b)
}

// SamePlaceholder tells whether two names mean the same thing, as
// <postgres-pod> and <postgres-pod-name> do.
func SamePlaceholder(a, b string) bool { return canonical(a) == canonical(b) }

var filler = regexp.MustCompile(`^(your|the|a|an)-|-(name|here)$`)

// canonical is a placeholder's name without what different authors add to it.
func canonical(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	name = strings.NewReplacer(" ", "-", "_", "-", "'s", "").Replace(name)
	for {
		short := filler.ReplaceAllString(name, "")
		if short == name || short == "" {
			return name
		}
		name = short
	}
}
