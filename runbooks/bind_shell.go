package runbooks

import (
	"fmt"
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// bindShell puts values into a script.
func bindShell(text string, holes []filling, variables map[string]string, at place) (string, error) {
	texts, err := encodeShell(text, holes, variables, at, 0)
	if err != nil {
		return "", err
	}
	return fill(text, texts), nil
}

// encodeShell finds for each value the text that stands for it in the script,
// and makes sure that the script with them has the same commands, the same
// words, and nothing more. variables are those whose values are known; they are
// expanded by the shell and only checked here.
func encodeShell(text string, holes []filling, variables map[string]string, at place, depth int) (map[string]string, error) {
	file, err := parseShell(text)
	if err != nil || depth > maxDepth {
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	e := &shellEncoder{text: text, holes: holes, variables: variables, at: at, depth: depth, texts: map[string]string{}, plain: map[string]string{}}
	if at != local {
		e.variables = nil // over there they have values of their own
	}
	e.walk(file)
	if e.err != nil {
		return nil, e.err
	}
	for _, h := range within(text, holes) {
		if _, ok := e.texts[h.token]; !ok {
			return nil, refuse(h.name, "it stands where the shell takes no value")
		}
	}
	bound, err := parseShell(fill(text, e.texts))
	if err != nil {
		return nil, refuse("value", "the command would not parse with it: %v", err)
	}
	if want := strings.ReplaceAll(fill(shape(file), e.plain), "\r\n", "\n"); want != shape(bound) {
		return nil, refuse("value", "it would change the command around it")
	}
	return e.texts, nil
}

// shellEncoder walks a script and encodes the values in it.
type shellEncoder struct {
	text      string
	holes     []filling
	variables map[string]string
	at        place
	depth     int
	stack     []syntax.Node
	texts     map[string]string // token to what is written
	plain     map[string]string // token to what the shell makes of that
	err       error
}

func (e *shellEncoder) walk(file *syntax.File) {
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			e.stack = e.stack[:len(e.stack)-1]
			return true
		}
		if w, ok := n.(*syntax.Word); ok && e.err == nil {
			e.err = e.word(w)
		}
		e.stack = append(e.stack, n)
		return true
	})
}

// parent is the i-th node above the one that is visited.
func (e *shellEncoder) parent(i int) syntax.Node {
	if i >= len(e.stack) {
		return nil
	}
	return e.stack[len(e.stack)-1-i]
}

// quoting is where in a word a value stands.
type quoting int

const (
	bare quoting = iota
	doubled
	single
	ansi       // $'…'
	heredoc    // expanded
	heredocRaw // <<'EOF'
)

// piece is a stretch of a word that holds text or an expansion.
type piece struct {
	quoting quoting
	text    string           // of a literal, as the shell understands it
	expand  *syntax.ParamExp // an expansion, otherwise
	opaque  bool             // a substitution
}

// pieces are the parts of a word in order.
func pieces(w *syntax.Word, in quoting) []piece {
	var out []piece
	var add func(parts []syntax.WordPart, q quoting)
	add = func(parts []syntax.WordPart, q quoting) {
		for _, part := range parts {
			switch p := part.(type) {
			case *syntax.Lit:
				text := p.Value
				switch q {
				case bare:
					text, _ = unescape(text, "")
				case doubled:
					text, _ = unescape(text, "\"\\$`\n")
				case heredoc:
					text, _ = unescape(text, "\\$`\n")
				}
				out = append(out, piece{quoting: q, text: text})
			case *syntax.SglQuoted:
				quote := single
				if p.Dollar {
					quote = ansi
				}
				out = append(out, piece{quoting: quote, text: p.Value})
			case *syntax.DblQuoted:
				add(p.Parts, doubled)
			case *syntax.ParamExp:
				out = append(out, piece{quoting: q, expand: p})
			default:
				out = append(out, piece{quoting: q, opaque: true})
			}
		}
	}
	add(w.Parts, in)
	return out
}

// word encodes the values that stand in one word.
func (e *shellEncoder) word(w *syntax.Word) error {
	source := e.text[w.Pos().Offset():w.End().Offset()]
	parts := pieces(w, e.quotingOf(w))
	expands := false
	for _, p := range parts {
		expands = expands || p.expand != nil
	}
	held := within(source, e.holes)
	if len(held) == 0 && !expands {
		return nil
	}
	ctx, err := e.context(w)
	if err != nil {
		if len(held) == 0 {
			return nil
		}
		return refuse(held[0].name, "%v", err)
	}
	// The text that the word is to the program it is handed to, with tokens for
	// what is not known yet.
	var text strings.Builder
	inner := []filling{}
	for i, p := range parts {
		switch {
		case p.expand != nil:
			f, err := e.variable(p, i == 0 && ctx.startsWord)
			if err != nil {
				return err
			}
			f.token = "xVARx" + itoa(i) + "x"
			text.WriteString(f.token)
			if f.name != "" {
				inner = append(inner, f)
			}
		case p.opaque:
			text.WriteString("xSUBx" + itoa(i) + "x")
		default:
			text.WriteString(p.text)
		}
	}
	whole := text.String()
	for _, h := range held {
		if strings.Contains(whole, h.token) {
			inner = append(inner, h)
		}
	}
	encoded, err := ctx.encode(whole, inner, e)
	if err != nil {
		return err
	}
	for _, f := range inner {
		v, ok := encoded[f.token]
		if !ok {
			return refuse(f.name, "it stands where no value can")
		}
		if f.variable {
			if v != f.value {
				return refuse(f.name, "this value would have to be quoted where $%s stands", f.name)
			}
			continue
		}
		if ctx.startsWord && strings.HasPrefix(whole, f.token) && strings.HasPrefix(v, "-") {
			return refuse(f.name, "a value that begins with - would be an option here")
		}
		for _, p := range parts {
			if !strings.Contains(p.text, f.token) {
				continue
			}
			quoted, err := quoteIn(p.quoting, v, ctx)
			if err != nil {
				return refuse(f.name, "%v", err)
			}
			e.texts[f.token], e.plain[f.token] = quoted, v
		}
	}
	return nil
}

// quotingOf is how the word itself is read: a heredoc's body is no ordinary
// word.
func (e *shellEncoder) quotingOf(w *syntax.Word) quoting {
	r, ok := e.parent(0).(*syntax.Redirect)
	if !ok || r.Hdoc != w {
		return bare
	}
	for _, part := range r.Word.Parts {
		lit, ok := part.(*syntax.Lit)
		if !ok || strings.Contains(lit.Value, `\`) {
			return heredocRaw
		}
	}
	return heredoc
}

// variable checks the value of a variable for where it is expanded, and makes a
// filling of it; one without a name is not known.
func (e *shellEncoder) variable(p piece, first bool) (filling, error) {
	if p.expand.Param == nil || !asksFor(p.expand) {
		return filling{}, nil
	}
	name := p.expand.Param.Value
	value, ok := e.variables[name]
	if !ok {
		return filling{}, nil
	}
	f := filling{placeholderUse: placeholderUse{name: name}, value: value, variable: true}
	if first && strings.HasPrefix(value, "-") {
		return f, refuse(name, "a value that begins with - would be an option here")
	}
	if p.quoting == bare && !unquotedSafe.MatchString(value) {
		return f, refuse(name, "$%s stands outside of quotes, so its value may hold no blanks and no * ? [ \\", name)
	}
	return f, nil
}

var (
	unquotedSafe = regexp.MustCompile(`^[^\s*?\[\]\\]+$`)
	bareSafe     = regexp.MustCompile(`^[A-Za-z0-9_./:@%+-]+$`)
)

// quoteIn writes a value so that it stays what it is in this kind of quotes.
func quoteIn(q quoting, v string, ctx wordContext) (string, error) {
	switch q {
	case bare:
		if ctx.arithmetic || bareSafe.MatchString(v) {
			return v, nil
		}
		return "'" + strings.ReplaceAll(v, "'", `'\''`) + "'", nil
	case single:
		return strings.ReplaceAll(v, "'", `'\''`), nil
	case doubled:
		return strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(v), nil
	case heredoc:
		return strings.NewReplacer(`\`, `\\`, `$`, `\$`, "`", "\\`").Replace(v), ctx.heredocHolds(v)
	case heredocRaw:
		return v, ctx.heredocHolds(v)
	}
	return "", fmt.Errorf("a value cannot stand inside $'…'")
}

// shape is what a script consists of: its nodes, and the text of its words.
// Carriage returns before line feeds are left out, as the parser does.
func shape(file *syntax.File) string {
	var b strings.Builder
	heredocs := map[*syntax.Word]quoting{}
	var open []bool // of every node above: whether it was written
	syntax.Walk(file, func(n syntax.Node) bool {
		if n == nil {
			if open[len(open)-1] {
				b.WriteByte(')')
			}
			open = open[:len(open)-1]
			return true
		}
		text := nodeShape(n, heredocs)
		open = append(open, text != "")
		b.WriteString(text)
		return true
	})
	return strings.ReplaceAll(b.String(), "\r\n", "\n")
}

// nodeShape is what one node is; empty for what stands inside a word, which is
// told by the word.
func nodeShape(n syntax.Node, heredocs map[*syntax.Word]quoting) string {
	switch n := n.(type) {
	case *syntax.Lit, *syntax.SglQuoted, *syntax.DblQuoted, *syntax.Comment:
		return ""
	case *syntax.Word:
		var b strings.Builder
		b.WriteString("(word ")
		for _, p := range pieces(n, heredocs[n]) {
			switch {
			case p.expand != nil:
				b.WriteString("\x01$")
			case p.opaque:
				b.WriteString("\x01(")
			default:
				b.WriteString(p.text)
			}
		}
		return b.String()
	case *syntax.Redirect:
		if n.Hdoc != nil {
			heredocs[n.Hdoc] = (&shellEncoder{stack: []syntax.Node{n}}).quotingOf(n.Hdoc)
		}
		return "(redirect " + n.Op.String()
	case *syntax.Stmt:
		return fmt.Sprintf("(stmt %t %t %t", n.Negated, n.Background, n.Coprocess)
	case *syntax.BinaryCmd:
		return "(binary " + n.Op.String()
	case *syntax.CallExpr:
		return fmt.Sprintf("(call %d %d", len(n.Assigns), len(n.Args))
	case *syntax.Assign:
		name := ""
		if n.Name != nil {
			name = n.Name.Value
		}
		return fmt.Sprintf("(assign %t %t %s", n.Append, n.Naked, name)
	case *syntax.ParamExp:
		name := ""
		if n.Param != nil {
			name = n.Param.Value
		}
		return "(expand " + name
	}
	return fmt.Sprintf("(%T", n)
}
