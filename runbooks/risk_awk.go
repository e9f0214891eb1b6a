package runbooks

import (
	"slices"
	"strings"
)

// judgeAwk judges the program that awk is given.
func judgeAwk(inv invocation, _ bool) (Risk, string) {
	if inv.appended {
		return Unknown, "gets arguments from data, which may be a program"
	}
	for i := 0; i < len(inv.args); i++ {
		a := inv.args[i]
		switch {
		case a.dynamic():
			return Unknown, "runs a program that is known only when it runs"
		case a.text == "-F" || a.text == "-v":
			i++
		case strings.HasPrefix(a.text, "-F") || strings.HasPrefix(a.text, "-v"):
		case a.text == "--" || a.text == "--re-interval" || a.text == "--posix":
		case a.option():
			return Unknown, "has an option that is not known"
		case !a.static:
			return Unknown, "runs a program that is known only when it runs"
		case awkActs(a.text):
			return Unknown, "its program may start others or write files"
		default:
			return Reads, ""
		}
	}
	return Reads, ""
}

// awkActs tells whether an awk program may do more than print: start programs,
// read from them, write files, load extensions.
func awkActs(program string) bool {
	printing, depth := false, 0
	for _, t := range lexAwk(program) {
		switch t {
		case "system", "getline", "close", "fflush", "@", "|", "|&", "?unknown":
			return true
		case "print", "printf":
			printing, depth = true, 0
		case "(":
			depth++
		case ")":
			depth--
		case ";", "\n", "}", "{":
			printing = false
		case ">", ">>":
			if printing && depth <= 0 {
				return true
			}
		}
	}
	return false
}

// lexAwk cuts an awk program into words and operators; strings, numbers and
// regular expressions are left out. A slash begins a regular expression unless
// an operand stands before it, as awk itself reads it.
func lexAwk(s string) []string {
	var out []string
	operand := false // the token before is one
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '\\' && i+1 < len(s) && s[i+1] == '\n':
			i += 2
		case c == '#':
			i += lineLength(s[i:])
		case c == '"' || c == '/' && !operand:
			end := awkLiteral(s, i)
			if end < 0 {
				return append(out, "?unknown")
			}
			i, operand = end, true
		case isAlphanumeric(c) || c == '_':
			j := i
			for j < len(s) && (isAlphanumeric(s[j]) || s[j] == '_') {
				j++
			}
			word := s[i:j]
			out = append(out, word)
			i = j
			operand = !slices.Contains([]string{"print", "printf", "return", "in", "if", "while", "do", "else", "case", "delete", "exit", "BEGIN", "END"}, word)
		default:
			op := string(c)
			for _, long := range []string{"|&", "||", "&&", ">>", ">=", "<=", "==", "!=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "!~"} {
				if strings.HasPrefix(s[i:], long) && long != "/=" {
					op = long
					break
				}
			}
			out = append(out, op)
			i += len(op)
			operand = op == ")" || op == "]" || op == "++" || op == "--"
		}
	}
	return out
}

// awkLiteral is the offset after a string or a regular expression; -1 where it
// does not end.
func awkLiteral(s string, i int) int {
	quote, class := s[i], false
	for j := i + 1; j < len(s); j++ {
		switch {
		case s[j] == '\\':
			j++
		case s[j] == '\n':
			return -1
		case quote == '/' && s[j] == '[' && !class:
			class = true
		case quote == '/' && s[j] == ']' && class:
			class = false
		case s[j] == quote && !class:
			return j + 1
		}
	}
	return -1
}
