package runbooks

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// code is what the program that gets a word takes it for.
type code int

const (
	plainCode     code = iota // a value: it may be anything
	lineCode                  // lines that the program reads: a value may not add one
	narrowCode                // a language that nothing is known of here: only harmless characters
	labelCode                 // a label selector
	numberCode                // arithmetic
	shellCode                 // a script for another shell
	sqlCode                   // SQL
	jsonCode                  // JSON
	yamlCode                  // YAML
	sqlOptionCode             // "--command=SQL": SQL after an equals sign
)

// wordContext is where a word stands in a script.
type wordContext struct {
	code       code
	startsWord bool // the program would read a leading - as an option
	arithmetic bool // quotes are not wanted
	here       *syntax.Redirect
	place      place // where a script would run
	joined     []arg // the words of which the script consists, where they are several
	self       *syntax.Word
}

var errNoValue = errors.New("it stands where the shell takes no value")

// context finds out who gets the word that is visited.
func (e *shellEncoder) context(w *syntax.Word) (wordContext, error) {
	ctx := wordContext{self: w, place: e.at}
	substituted := false
	for i := 0; e.parent(i) != nil; i++ {
		switch n := e.parent(i).(type) {
		case *syntax.CmdSubst:
			if n.Backquotes {
				return ctx, errors.New("a value cannot stand inside backquotes; write $(…) in the book")
			}
			substituted = true
		case *syntax.ProcSubst:
			substituted = true
		}
	}
	switch n := e.parent(0).(type) {
	case *syntax.CallExpr:
		ctx.startsWord = true
		e.argument(&ctx, n)
	case *syntax.Redirect:
		if err := e.redirected(&ctx, n, w); err != nil {
			return ctx, err
		}
	case *syntax.Assign, *syntax.ArrayElem, *syntax.WordIter, *syntax.CaseClause, *syntax.CaseItem, *syntax.TestClause, *syntax.UnaryTest, *syntax.ParenTest:
		if a, ok := n.(*syntax.ArrayElem); ok && a.Value != w {
			return ctx, errNoValue
		}
		if a, ok := n.(*syntax.Assign); ok && a.Value != w {
			return ctx, errNoValue
		}
	case *syntax.BinaryTest:
		switch n.Op {
		case syntax.TsEql, syntax.TsNeq, syntax.TsLeq, syntax.TsGeq, syntax.TsLss, syntax.TsGtr:
			ctx.code = numberCode
		}
	case *syntax.ArithmExp, *syntax.ArithmCmd, *syntax.BinaryArithm, *syntax.UnaryArithm, *syntax.ParenArithm, *syntax.LetClause:
		ctx.code, ctx.arithmetic = numberCode, true
	default:
		return ctx, errNoValue
	}
	if ctx.code == plainCode || ctx.code == lineCode {
		if consumer := e.consumer(); consumer != plainCode {
			switch {
			case consumer == yamlCode && ctx.here != nil:
				ctx.code = yamlCode
			default:
				ctx.code = narrowCode
			}
		} else if substituted && e.substitutedInto() {
			ctx.code = narrowCode
		}
	}
	return ctx, nil
}

// argument finds out what the program that gets the word takes it for.
func (e *shellEncoder) argument(ctx *wordContext, call *syntax.CallExpr) {
	chain := expandAt(arguments(call.Args), e.at, false, 0)
	for i := len(chain) - 1; i >= 0; i-- {
		inv := chain[i]
		if inv.script != nil && inv.script.word == ctx.self {
			ctx.code, ctx.place = shellCode, inv.scriptPlace()
			return
		}
		for _, s := range inv.scripts {
			if s.word == ctx.self {
				ctx.code, ctx.place, ctx.joined = shellCode, inv.scriptPlace(), inv.scripts
				return
			}
		}
		for k, a := range inv.args {
			if a.word == ctx.self {
				ctx.code = inv.codeAt(k)
				return
			}
		}
	}
}

// codeAt tells what a program takes its k-th argument for.
func (inv invocation) codeAt(k int) code {
	before, text := "", inv.args[k].text
	if k > 0 {
		before = inv.args[k-1].text
	}
	name, _, hasValue := strings.Cut(text, "=")
	after := func(options ...string) bool {
		for _, o := range options {
			if before == o || hasValue && strings.HasPrefix(o, "--") && name == o {
				return true
			}
		}
		return false
	}
	first := func(takes string) bool {
		rest := operands(inv.args, takes)
		return len(rest) > 0 && rest[0].word == inv.args[k].word
	}
	switch inv.name {
	case "psql":
		switch {
		case hasValue && name == "--command":
			return sqlOptionCode
		case before == "-c" || before == "--command" || psqlLetters.MatchString(before):
			return sqlCode
		case after("-v", "--set", "--variable"), after("-d", "--dbname") && strings.Contains(text, "="):
			return narrowCode
		}
	case "mysql", "mariadb", "mongo", "mongosh", "sqlite3", "sqlplus", "bc", "dc", "osascript", "make", "read", "unset", "mapfile", "readarray", "getopts", "let",
		"expr", "trap", "alias", "bind", "complete", "gdb", "bpftrace", "parallel":
		return narrowCode
	case "printf":
		if before == "-v" {
			return narrowCode
		}
	case "awk", "gawk", "mawk", "nawk":
		if first("Fv") || after("-f", "--file", "-e", "--source") {
			return narrowCode
		}
	case "jq", "yq":
		if first("") || after("-f", "--from-file") || !after("--arg", "--argjson", "--slurpfile", "--rawfile") && k > 0 && strings.HasPrefix(before, "-") {
			return narrowCode
		}
	case "sed", "gsed":
		if first("lE") || after("-e", "--expression", "-f", "--file", "-ne", "-re", "-Ee") {
			return narrowCode
		}
	case "perl", "ruby", "node", "python", "python2", "python3", "php", "lua", "tclsh":
		if strings.HasPrefix(before, "-") {
			return narrowCode
		}
	case "helm":
		if after("--set", "--set-string", "--set-json", "--set-file", "--post-renderer") {
			return narrowCode
		}
	case "kubectl", "oc":
		switch {
		case after("-l", "--selector", "--field-selector"):
			return labelCode
		case after("-p", "--patch", "--overrides"):
			return jsonCode
		}
	case "redis-cli", "valkey-cli":
		for _, a := range inv.args[:k] {
			if strings.EqualFold(a.text, "eval") || strings.EqualFold(a.text, "script") || strings.EqualFold(a.text, "function") {
				return narrowCode
			}
		}
	case "curl", "wget", "http", "https":
		if after("-H", "--header", "-K", "--config") {
			return lineCode
		}
	}
	if t := strings.TrimSpace(text); strings.HasPrefix(t, "{") || strings.HasPrefix(t, `[{`) {
		return jsonCode
	}
	return plainCode
}

var (
	narrowShape = regexp.MustCompile(`^[A-Za-z0-9_.:@+-]+$`)
	labelShape  = regexp.MustCompile(`^[A-Za-z0-9_./-]+$`)
)

// encode finds the text that stands for each value in the word, before the
// shell's own quotes.
func (ctx wordContext) encode(text string, holes []filling, e *shellEncoder) (map[string]string, error) {
	switch ctx.code {
	case sqlCode:
		return encodeSQL(text, holes)
	case sqlOptionCode:
		prefix, sql, _ := strings.Cut(text, "=")
		if len(within(prefix, holes)) > 0 {
			return nil, errNoValue
		}
		return encodeSQL(sql, holes)
	case jsonCode:
		return encodeJSON(text, holes)
	case yamlCode:
		return encodeYAML(text, holes)
	case shellCode:
		return ctx.encodeScript(text, holes, e)
	}
	out := map[string]string{}
	for _, h := range holes {
		var shape *regexp.Regexp
		wants := ""
		switch ctx.code {
		case lineCode:
			if strings.ContainsAny(h.value, "\n\r") {
				return nil, refuse(h.name, "a value with a line break cannot stand here")
			}
		case narrowCode:
			shape, wants = narrowShape, "only letters, digits and _ . : @ + - may stand inside a program's own language"
		case labelCode:
			shape, wants = labelShape, "only letters, digits and _ . / - may stand in a selector"
		case numberCode:
			shape, wants = digitsOnly, "only digits may stand in arithmetic"
		}
		if shape != nil && !shape.MatchString(h.value) {
			return nil, refuse(h.name, "%s", wants)
		}
		out[h.token] = h.value
	}
	return out, nil
}

// encodeScript encodes values for the shell that interprets the word.
func (ctx wordContext) encodeScript(text string, holes []filling, e *shellEncoder) (map[string]string, error) {
	script := text
	if len(ctx.joined) > 0 {
		var parts []string
		for _, a := range ctx.joined {
			if a.word == ctx.self {
				parts = append(parts, text)
			} else {
				parts = append(parts, strings.ReplaceAll(a.text, hole, "xOTHERx"))
			}
		}
		script = strings.Join(parts, " ")
	}
	written := slices.Clone(holes)
	for i := range written {
		written[i].variable = false // the shell below sees its value, as if it were written
	}
	texts, err := encodeShell(script, written, e.variables, ctx.place, e.depth+1)
	if err != nil {
		return nil, err
	}
	// Values of other words are encoded when those are visited.
	out := map[string]string{}
	for _, h := range holes {
		out[h.token] = texts[h.token]
	}
	return out, nil
}

// heredocHolds tells why a value cannot stand in the heredoc.
func (ctx wordContext) heredocHolds(v string) error {
	if ctx.here == nil {
		return nil
	}
	if !strings.Contains(v, "\n") {
		return nil
	}
	if ctx.here.Op == syntax.DashHdoc {
		return errors.New("a value with a line break cannot stand in a heredoc whose tabs are taken away")
	}
	end := newArg(ctx.here.Word).text
	for _, l := range strings.Split(v, "\n") {
		if strings.TrimSpace(l) == end {
			return fmt.Errorf("a line of the value would end the heredoc (%s)", end)
		}
	}
	return nil
}
