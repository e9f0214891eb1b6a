package runbooks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// UnboundError names what a command still needs a value for.
type UnboundError struct {
	Placeholders []string
	Variables    []string
}

func (e *UnboundError) Error() string {
	var parts []string
	for _, p := range e.Placeholders {
		parts = append(parts, "<"+p+">")
	}
	for _, v := range e.Variables {
		parts = append(parts, "$"+v)
	}
	return "no value for " + strings.Join(parts, ", ") + "; give one before the command runs"
}

// RefusedError says why a value may not stand where its placeholder stands.
type RefusedError struct {
	Name   string
	Reason string
}

func (e *RefusedError) Error() string { return e.Name + ": " + e.Reason }

func refuse(name, format string, args ...any) error {
	return &RefusedError{Name: name, Reason: fmt.Sprintf(format, args...)}
}

// ErrBroken says that a command does not parse, so that nobody can tell what it
// would do.
var ErrBroken = errors.New("the command does not parse")

// Bind gives a command's placeholders and variables their values, quoted for
// where each stands: a bare word, inside quotes, a heredoc, and inside those
// SQL, JSON, YAML or another shell. A value can never add a word, a command or
// a statement, and never begin an option; where that cannot be made sure of the
// value is refused. Names are found whether they are written alike or not
// (<postgres-pod> and <postgres-pod-name>).
//
// Placeholders are written into the script, so that what is shown is what runs.
// Variables go into its environment. The bound command's risk is judged anew.
//
// Errors: *UnboundError when values are missing, *RefusedError when one may not
// stand where it would, ErrBroken when the command does not parse.
func Bind(cmd Command, values map[string]string) (Bound, error) {
	if cmd.Problem != "" {
		return Bound{}, fmt.Errorf("line %d: %w: %s", cmd.Line, ErrBroken, cmd.Problem)
	}
	b := &binder{command: cmd, bound: Bound{Command: cmd, Values: map[string]string{}}}
	if err := b.lookUp(values); err != nil {
		return Bound{}, err
	}
	script, err := b.text()
	if err != nil {
		return Bound{}, err
	}
	b.bound.Script = script
	b.bound.Command.Risk = Judge(cmd.Language, script).Risk
	return b.bound, nil
}

// binder binds one command.
type binder struct {
	command Command
	bound   Bound
	holes   []filling
}

// filling is one use of a placeholder with its value.
type filling struct {
	placeholderUse
	token    string // stands for it while the command is parsed
	value    string
	variable bool // a shell variable: the shell expands it, nothing is written
}

// lookUp finds the values of everything that the command needs.
func (b *binder) lookUp(values map[string]string) error {
	find := func(name string) (string, bool) {
		if v, ok := values[name]; ok && v != "" {
			return v, true
		}
		for other, v := range values {
			if v != "" && SamePlaceholder(other, name) {
				return v, true
			}
		}
		return "", false
	}
	var missing UnboundError
	for _, name := range b.command.Placeholders {
		v, ok := find(name)
		if !ok {
			missing.Placeholders = append(missing.Placeholders, name)
			continue
		}
		if err := b.take(name, v, v); err != nil {
			return err
		}
	}
	for _, name := range b.command.Variables {
		v, ok := values[name]
		if !ok || v == "" {
			missing.Variables = append(missing.Variables, name)
			continue
		}
		if decidingVariables[name] {
			return refuse(name, "this variable decides what other programs run; set it before the cockpit is started")
		}
		if err := b.take(name, v, withoutType(v)); err != nil {
			return err
		}
		b.bound.Env = append(b.bound.Env, name+"="+v)
	}
	if len(missing.Placeholders)+len(missing.Variables) > 0 {
		return &missing
	}
	return nil
}

// typePrefix is what "kubectl get -o name" prints before an object's name, which
// a step's own script may leave in a variable.
var typePrefix = regexp.MustCompile(`^[a-z]+(\.[a-z0-9.-]+)?/`)

func withoutType(value string) string { return typePrefix.ReplaceAllString(value, "") }

// take keeps a value of which the part that tells is what its name says.
func (b *binder) take(name, value, tells string) error {
	p := Describe(name)
	if err := p.check(tells); err != nil {
		return &RefusedError{Name: name, Reason: err.Error()}
	}
	b.bound.Values[name] = value
	if p.Secret && !slices.Contains(b.bound.Secrets, value) {
		b.bound.Secrets = append(b.bound.Secrets, value)
	}
	return nil
}

// text is the command with its values in it.
func (b *binder) text() (string, error) {
	text := b.command.Text
	for _, u := range findPlaceholders(text) {
		value, ok := b.bound.Values[u.name]
		if !ok {
			continue // in a comment
		}
		b.holes = append(b.holes, filling{placeholderUse: u, value: value})
	}
	b.name(text)
	tokenised := b.tokenised(text)
	if b.command.Language == SQL {
		return bindSQL(tokenised, b.holes)
	}
	return bindShell(tokenised, b.holes, b.bound.Values, local)
}

// name gives every use a token that occurs nowhere else.
func (b *binder) name(text string) {
	prefix := "xFDx"
	for strings.Contains(text, prefix) || slices.ContainsFunc(b.holes, func(h filling) bool { return strings.Contains(h.value, prefix) }) {
		prefix += "x"
	}
	for i := range b.holes {
		b.holes[i].token = prefix + itoa(i) + "x"
	}
}

// tokenised is the text with a token in the place of each placeholder.
func (b *binder) tokenised(text string) string {
	var out strings.Builder
	from := 0
	for _, h := range b.holes {
		out.WriteString(text[from:h.start])
		out.WriteString(h.token)
		from = h.end
	}
	out.WriteString(text[from:])
	return out.String()
}

// within are the holes whose token a text holds.
func within(text string, holes []filling) []filling {
	var out []filling
	for _, h := range holes {
		if strings.Contains(text, h.token) {
			out = append(out, h)
		}
	}
	return out
}

// fill puts texts in the places of tokens.
func fill(text string, texts map[string]string) string {
	pairs := make([]string, 0, 2*len(texts))
	for token, t := range texts {
		pairs = append(pairs, token, t)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
