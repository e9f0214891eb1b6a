package runbooks

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// fenceContent is what a code block was understood as. A block that was not
// understood has only text.
type fenceContent struct {
	commands   []Command
	queries    []Query
	notes      []Note
	assertions []Assertion
	clocks     []Clock
	message    *Message
	text       string // of a block with nothing to do in it
}

// actionable tells whether there is anything to do in the block.
func (c fenceContent) actionable() bool {
	return len(c.commands)+len(c.queries) > 0 || c.message != nil ||
		c.text == "" && len(c.notes)+len(c.assertions)+len(c.clocks) > 0
}

// into adds the block to a step; md is the block as it stands.
func (c fenceContent) into(st *Step, md string) {
	if c.text != "" && !c.actionable() {
		appendText(&st.Text, firstOf(md, c.text))
		return
	}
	shift := 0
	for _, cmd := range st.Commands {
		shift = max(shift, cmd.Alternative)
	}
	for i := range c.commands {
		if c.commands[i].Alternative > 0 {
			c.commands[i].Alternative += shift
		}
	}
	if st.or && len(c.commands) > 0 {
		st.joinAlternative(c.commands)
	}
	st.or = false
	st.carry(c.commands)
	st.Commands = append(st.Commands, c.commands...)
	st.Queries = append(st.Queries, c.queries...)
	st.Notes = append(st.Notes, c.notes...)
	st.Assertions = append(st.Assertions, c.assertions...)
	st.Clocks = append(st.Clocks, c.clocks...)
	if c.message != nil {
		if st.Message == nil {
			st.Message = c.message
		} else {
			appendText(&st.Text, md)
		}
	}
}

// carry lets the last session of psql that the step opens carry the statements of
// a block that has none of its own.
func (st *Step) carry(commands []Command) {
	line := ""
	for _, c := range st.Commands {
		if c.Language == Bash && c.Interactive && opensPSQL(c.Text) {
			line = c.Text
		}
	}
	for i := range commands {
		if line != "" && commands[i].Language == SQL && commands[i].Through == "" {
			commands[i].Through = line
		}
	}
}

// orNext notes that the next block is an alternative to the commands so far.
func (st *Step) orNext() { st.or = true }

// joinAlternative makes commands an alternative to the step's last command.
func (st *Step) joinAlternative(commands []Command) {
	last := &st.Commands[len(st.Commands)-1]
	if last.Alternative == 0 {
		number := 1
		for _, c := range st.Commands {
			number = max(number, c.Alternative+1)
		}
		last.Alternative, last.Option = number, 1
	}
	for i := range commands {
		if commands[i].Alternative == 0 {
			commands[i].Alternative, commands[i].Option = last.Alternative, last.Option+1
		}
	}
}

var (
	shellTags   = regexp.MustCompile(`^(bash|sh|shell|zsh|ksh|dash)$`)
	sessionTags = regexp.MustCompile(`^(console|shell-session|sh-session|shellsession|session|terminal|shell_session)$`)
	sqlTags     = regexp.MustCompile(`^(sql|pgsql|postgresql|postgres|plpgsql|psql)$`)
	promTags    = regexp.MustCompile(`^(promql|prometheus|metricsql)$`)
	plainTags   = regexp.MustCompile(`^(|text|txt|plain|plaintext|none)$`)
	messageHead = regexp.MustCompile(`(?i)^\s*(subject|to|title)\s*:\s*\S`)
)

// readFence understands a code block by its tag, then by parsing.
func (p *bookReader) readFence(n ast.Node) fenceContent {
	tag := ""
	if f, ok := n.(*ast.FencedCodeBlock); ok {
		tag = strings.ToLower(string(f.Language(p.text)))
		tag = strings.Trim(tag, "{}.")
		tag, _, _ = strings.Cut(tag, ",")
	}
	return readBlock(tag, p.codeLines(n))
}

// readBlock understands the lines of a code block with the given tag.
func readBlock(tag string, lines []codeLine) fenceContent {
	text := joinLines(lines)
	switch {
	case strings.TrimSpace(text) == "":
		return fenceContent{text: text}
	case sqlTags.MatchString(tag):
		return readSQLBlock(lines)
	case promTags.MatchString(tag):
		return readPromQLBlock(lines)
	case shellTags.MatchString(tag), sessionTags.MatchString(tag):
		return readShellBlock(lines, sessionTags.MatchString(tag))
	case !plainTags.MatchString(tag):
		return fenceContent{text: text}
	}
	if messageHead.MatchString(text) {
		return fenceContent{message: newMessage(lines)}
	}
	switch first := firstCodeLine(lines); {
	case promptLine.MatchString(first), startsWithProgram(first):
		return readShellBlock(lines, false)
	case looksLikeSQL(text):
		return readSQLBlock(lines)
	case looksLikePromQL(text):
		return readPromQLBlock(lines)
	case len(slotsIn(text)) > 0:
		return fenceContent{message: newMessage(lines)}
	}
	return fenceContent{text: text}
}

// firstCodeLine is the first line that is neither blank nor a comment.
func firstCodeLine(lines []codeLine) string {
	for _, l := range lines {
		if t := strings.TrimSpace(l.text); t != "" && (!strings.HasPrefix(t, "#") || promptLine.MatchString(t)) {
			return t
		}
	}
	return ""
}

func joinLines(lines []codeLine) string {
	if len(lines) == 1 {
		return lines[0].text
	}
	var b strings.Builder
	for i, l := range lines {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(l.text)
	}
	return b.String()
}

// readPromQLBlock reads a block tagged as PromQL: expressions separated by
// blank lines or comments.
func readPromQLBlock(lines []codeLine) fenceContent {
	var out fenceContent
	var expr []codeLine
	var caption []codeLine
	flush := func() {
		if len(expr) > 0 {
			q := newQuery(joinLines(expr), expr[0].line)
			q.Caption = joinLines(caption)
			out.queries = append(out.queries, q)
			expr, caption = nil, nil
		}
	}
	for _, l := range lines {
		t := strings.TrimSpace(l.text)
		switch {
		case t == "":
			flush()
		case strings.HasPrefix(t, "#"):
			flush()
			caption = append(caption, codeLine{strings.TrimSpace(strings.TrimLeft(t, "#")), l.line})
		default:
			if len(expr) > 0 && parsePromQL(joinLines(expr)) == nil && parsePromQL(joinLines(append(expr[:len(expr):len(expr)], l))) != nil {
				flush() // one expression a line
			}
			expr = append(expr, l)
		}
	}
	flush()
	if len(caption) > 0 {
		out.notes = append(out.notes, Note{Text: joinLines(caption), Line: caption[0].line})
	}
	return out
}
