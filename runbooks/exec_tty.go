package runbooks

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// WithoutTTY returns script with the wish for a terminal (-t, --tty) taken from
// its kubectl, docker and docker-compose calls, since a captured run has none:
// "kubectl exec -it" becomes "kubectl exec -i". It also looks into the text
// that watch, sh -c and bash -c are given in quotes. All else stays as it is,
// byte for byte, and so does a script that does not parse.
func WithoutTTY(script string) string {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		return script
	}
	var edits []edit
	syntax.Walk(file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok {
			edits = append(edits, ttyEdits(script, call.Args)...)
		}
		return true
	})
	slices.SortFunc(edits, func(a, b edit) int { return b.from - a.from })
	for _, e := range edits {
		script = script[:e.from] + e.text + script[e.to:]
	}
	return script
}

// edit replaces script[from:to] by text.
type edit struct {
	from, to int
	text     string
}

// terminalProgram is a program that can ask for a terminal.
type terminalProgram struct {
	subcommands []string
	switches    string // its one-letter flags that take no value
	anywhere    bool   // flags may stand behind the first argument, up to "--"
}

var terminalPrograms = map[string]terminalProgram{
	"kubectl":        {[]string{"exec", "run", "attach", "debug"}, "itq", true},
	"docker":         {[]string{"exec", "run"}, "itdqP", false},
	"docker-compose": {[]string{"exec", "run"}, "itdT", false},
	"podman":         {[]string{"exec", "run"}, "itdqP", false},
}

// ttyEdits returns what to change in one simple command.
func ttyEdits(script string, words []*syntax.Word) []edit {
	var edits []edit
	for i, word := range words {
		name := path.Base(word.Lit())
		if program, ok := terminalPrograms[name]; ok {
			return append(edits, program.edits(script, words[i+1:])...)
		}
		if name == "watch" || name == "sh" || name == "bash" {
			edits = append(edits, quotedEdits(words[i+1:])...)
		}
	}
	return edits
}

// edits drops the terminal flags between the subcommand and the command that it
// runs inside.
func (p terminalProgram) edits(script string, words []*syntax.Word) []edit {
	start := slices.IndexFunc(words, func(w *syntax.Word) bool { return slices.Contains(p.subcommands, w.Lit()) })
	if start < 0 {
		return nil
	}
	var edits []edit
	for i := start + 1; i < len(words); i++ {
		flag := words[i].Lit()
		from, to := int(words[i].Pos().Offset()), int(words[i].End().Offset())
		switch {
		case flag == "--":
			return edits
		case flag == "--tty", flag == "--tty=true":
			edits = append(edits, edit{from: blanksBefore(script, from), to: to})
		case strings.HasPrefix(flag, "-") && !strings.HasPrefix(flag, "--"):
			kept, valueFollows := p.withoutT(flag[1:])
			switch {
			case kept == "":
				edits = append(edits, edit{from: blanksBefore(script, from), to: to})
			case "-"+kept != flag:
				edits = append(edits, edit{from: from, to: to, text: "-" + kept})
			}
			if valueFollows {
				i++
			}
		case !p.anywhere && !strings.HasPrefix(flag, "-"):
			return edits
		}
	}
	return edits
}

// withoutT drops t from a cluster of one-letter flags such as "it". The first
// letter that takes a value ends the cluster: what follows it is the value, or
// the next word is.
func (p terminalProgram) withoutT(cluster string) (kept string, valueFollows bool) {
	for i, letter := range cluster {
		if letter == 't' {
			continue
		}
		if !strings.ContainsRune(p.switches, letter) {
			return kept + cluster[i:], i == len(cluster)-1
		}
		kept += string(letter)
	}
	return kept, false
}

// blanksBefore returns where the blanks before a word begin.
func blanksBefore(script string, from int) int {
	return len(strings.TrimRight(script[:from], " \t"))
}

// quotedEdits looks into words that are one quoted text without expansions.
func quotedEdits(words []*syntax.Word) []edit {
	var edits []edit
	for _, word := range words {
		if len(word.Parts) != 1 {
			continue
		}
		var inner string
		from, to := int(word.Pos().Offset())+1, int(word.End().Offset())-1
		switch part := word.Parts[0].(type) {
		case *syntax.SglQuoted:
			if part.Dollar {
				continue
			}
			inner = part.Value
		case *syntax.DblQuoted:
			if len(part.Parts) != 1 || part.Dollar {
				continue
			}
			lit, ok := part.Parts[0].(*syntax.Lit)
			if !ok || strings.ContainsRune(lit.Value, '\\') {
				continue
			}
			inner = lit.Value
		default:
			continue
		}
		if changed := WithoutTTY(inner); changed != inner {
			edits = append(edits, edit{from: from, to: to, text: changed})
		}
	}
	return edits
}
