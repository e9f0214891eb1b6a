package runbooks

import (
	"regexp"
	"strings"
)

// sedPrints are the sed scripts that only print: addresses with p, d, q, n, =,
// and substitutions whose flags neither write a file nor run the result.
var sedPrints = regexp.MustCompile(`^(\s*((\d+|\$|/(?:[^/\\\n]|\\.)*/)(,(\+?\d+|\$|/(?:[^/\\\n]|\\.)*/))?)?\s*!?\s*([pdqnDPNhHgGx=]|s/(?:[^/\\\n]|\\.)*/(?:[^/\\\n]|\\.)*/[gpIi0-9]*|s\|(?:[^|\\\n]|\\.)*\|(?:[^|\\\n]|\\.)*\|[gpIi0-9]*|s,(?:[^,\\\n]|\\.)*,(?:[^,\\\n]|\\.)*,[gpIi0-9]*|s#(?:[^#\\\n]|\\.)*#(?:[^#\\\n]|\\.)*#[gpIi0-9]*)\s*(;|\n|$))+$`)

func judgeSed(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "gets arguments from data, which may be a script"
	}
	var scripts []arg
	given := false
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		switch {
		case a.dynamic():
			return Unknown, "runs a script that is known only when it runs"
		case a.is("--in-place") || strings.HasPrefix(a.text, "-") && !strings.HasPrefix(a.text, "--") && strings.ContainsAny(a.text, "iI"):
			return Changes, "edits files in place"
		case a.is("-f") || a.is("--file"):
			return Unknown, "runs a script from a file"
		case a.text == "-e" || a.text == "--expression" || a.text == "-ne" || a.text == "-nre" || a.text == "-nEe" || a.text == "-Ee" || a.text == "-re":
			if i++; i < len(inv.args) {
				scripts, given = append(scripts, inv.args[i]), true
			}
		case a.option():
			if strings.Trim(a.text, "-nErsuz") != "" && !a.is("--quiet") && !a.is("--silent") && !a.is("--regexp-extended") {
				return Unknown, "has an option that is not known"
			}
		case !given && len(scripts) == 0:
			scripts, given = append(scripts, a), true
		}
	}
	for _, s := range scripts {
		if !s.static || !sedPrints.MatchString(s.text) {
			return Unknown, "its script may write files or start programs"
		}
	}
	return Reads, ""
}
