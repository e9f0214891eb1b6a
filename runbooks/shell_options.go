package runbooks

import "strings"

// optionValues are the values of options: the next word, or after "=".
func optionValues(args []arg, names ...string) []arg {
	var out []arg
	for i, a := range args {
		if a.text == "--" {
			break
		}
		for _, name := range names {
			if a.text == name && i+1 < len(args) {
				out = append(out, args[i+1])
			} else if v, ok := strings.CutPrefix(a.text, name+"="); ok && strings.HasPrefix(name, "--") {
				out = append(out, arg{text: v, static: a.static, word: a.word})
			}
		}
	}
	return out
}

// hasOption tells whether one of the options is given, alone or with a value.
func hasOption(args []arg, names ...string) bool {
	for _, a := range args {
		if a.text == "--" {
			return false
		}
		for _, name := range names {
			if a.text == name || strings.HasPrefix(name, "--") && strings.HasPrefix(a.text, name+"=") {
				return true
			}
		}
	}
	return false
}

// hasLetter tells whether a one-letter option is given, alone or in a cluster.
func hasLetter(args []arg, letter byte) bool {
	for _, a := range args {
		if a.text == "--" {
			return false
		}
		if len(a.text) > 1 && a.text[0] == '-' && a.text[1] != '-' && strings.IndexByte(a.text, letter) > 0 {
			return true
		}
	}
	return false
}
