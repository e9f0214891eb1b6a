package runbooks

import "strings"

// Call is one program that a command starts, with its arguments as far as they
// are known before it runs; what is not known is "…" in them. Placeholders are
// as the book has them.
type Call struct {
	Program string // empty where it cannot be told
	Args    []string
	Local   bool // it runs on this machine, and not in a container or on another
	Final   bool // it starts no other program
}

// Calls are the programs of a bash command, of every stage of a pipe, every
// substitution and every command inside a command, outermost first. A command
// that does not parse, or is no bash, has none.
func Calls(c Command) []Call {
	if c.Language != Bash {
		return nil
	}
	uses := findPlaceholders(c.Text)
	text, names := c.Text, map[string]string{}
	for i := len(uses) - 1; i >= 0; i-- { // from the end, so that offsets hold
		token := "xCALLx" + itoa(i) + "x"
		names[token] = c.Text[uses[i].start:uses[i].end]
		text = text[:uses[i].start] + token + text[uses[i].end:]
	}
	file, err := parseShell(text)
	if err != nil {
		return nil
	}
	readable := func(s string) string { return fill(strings.ReplaceAll(s, hole, "…"), names) }
	var out []Call
	shellVisitor{call: func(inv invocation, _ bool) {
		call := Call{Program: inv.name, Local: inv.place == local, Final: true}
		for _, a := range inv.args {
			call.Args = append(call.Args, readable(a.text))
		}
		if start := starters[inv.name]; start != nil {
			again := inv
			call.Final = len(start(&again)) == 0
		}
		out = append(out, call)
	}}.visit(file, local, 0)
	return out
}

// Operands are the call's arguments that are neither options nor, as far as that
// is known of kubectl and aws, an option's value.
func (c Call) Operands() []string {
	takes := map[string]bool{}
	switch c.Program {
	case "kubectl", "oc":
		takes = kubectlTakes
	case "aws":
		takes = awsTakes
	case "redis-cli", "valkey-cli":
		takes = redisTakes
	}
	args := make([]arg, len(c.Args))
	for i, a := range c.Args {
		args[i] = arg{text: a, static: true}
	}
	operands, _, rest := words(args, takes)
	var out []string
	for _, list := range [][]arg{operands, rest} {
		for _, a := range list {
			out = append(out, a.text)
		}
	}
	return out
}

// Option is the value of an option, the next word or after "=", and whether the
// option is given at all. Several names are several ways to write it.
func (c Call) Option(names ...string) (string, bool) {
	for i, a := range c.Args {
		if a == "--" {
			break
		}
		for _, name := range names {
			if a == name {
				if i+1 < len(c.Args) {
					return c.Args[i+1], true
				}
				return "", true
			}
			if v, ok := strings.CutPrefix(a, name+"="); ok {
				return v, true
			}
		}
	}
	return "", false
}

// Values are those of an option that may be given several times, without those
// that hold what is not known before the command runs.
func (c Call) Values(names ...string) []string {
	args := make([]arg, len(c.Args))
	for i, a := range c.Args {
		args[i] = arg{text: a, static: true}
	}
	var out []string
	for _, v := range optionValues(args, names...) {
		if !strings.Contains(v.text, "…") {
			out = append(out, v.text)
		}
	}
	return out
}
