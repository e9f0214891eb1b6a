package runbooks

import (
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// readShellBlock splits a block of shell at its comments into commands, each
// with the comment above as its caption. session says that the block's tag
// promises prompts and output.
func readShellBlock(lines []codeLine, session bool) fenceContent {
	r := &shellReader{group: 1}
	if prompts := promptsIn(lines, session); prompts != nil {
		r.session(lines, prompts)
	} else {
		r.script(lines)
	}
	return r.finish(lines)
}

// shellReader collects what a block of shell holds.
type shellReader struct {
	out       fenceContent
	comment   []codeLine // the paragraph of comments that is being read
	caption   string     // of the commands that follow until a blank line
	captionIf string
	group     int         // number of the paragraph of commands being read, from 1
	or        bool        // that paragraph is an alternative to the one before
	first     map[int]int // group to its first command
	last      int         // the group of the last command
}

// script reads a block without prompts.
func (r *shellReader) script(lines []codeLine) {
	text := joinLines(lines)
	file, err := parseShell(mask(text, findPlaceholders(text)))
	if err == nil {
		r.items(lines, statementRows(file))
		return
	}
	for i := 0; i < len(lines); {
		t := strings.TrimSpace(lines[i].text)
		if t == "" || strings.HasPrefix(t, "#") {
			r.items(lines[i:i+1], nil)
			i++
			continue
		}
		i += r.chunk(lines[i:])
	}
}

// items reads lines of which rows (first and last) are statements.
func (r *shellReader) items(lines []codeLine, rows []statementRow) {
	r.out.commands = slices.Grow(r.out.commands, len(rows))
	for i := 0; i < len(lines); i++ {
		if len(rows) > 0 && i == rows[0].first {
			r.parsed(lines[i:rows[0].last+1], rows[0].stmts)
			i = rows[0].last
			rows = rows[1:]
			continue
		}
		t := strings.TrimSpace(lines[i].text)
		if t == "" {
			r.blank()
		} else {
			r.comment = append(r.comment, codeLine{strings.TrimPrefix(strings.TrimLeft(t, "#"), " "), lines[i].line})
		}
	}
}

// statementRow is the lines of a statement, or of several that share one.
type statementRow struct {
	first, last int // from 0
	stmts       []*syntax.Stmt
}

// statementRows are the lines of a script's statements.
func statementRows(file *syntax.File) []statementRow {
	var rows []statementRow
	for _, stmt := range file.Stmts {
		row := statementRow{int(stmt.Pos().Line()) - 1, int(stmt.End().Line()) - 1, []*syntax.Stmt{stmt}}
		syntax.Walk(stmt, func(n syntax.Node) bool {
			if r, ok := n.(*syntax.Redirect); ok && r.Hdoc != nil {
				row.last = max(row.last, int(r.Hdoc.End().Line())-1)
			}
			return true
		})
		if n := len(rows); n > 0 && rows[n-1].last >= row.first {
			rows[n-1].last = max(rows[n-1].last, row.last)
			rows[n-1].stmts = append(rows[n-1].stmts, stmt)
			continue
		}
		rows = append(rows, row)
	}
	return rows
}

// chunk reads one statement from the beginning of lines, in a block that does
// not parse as a whole, and tells how many lines it has.
func (r *shellReader) chunk(lines []codeLine) int {
	end := 1
	for end < len(lines) && strings.TrimSpace(lines[end].text) != "" && !strings.HasPrefix(strings.TrimSpace(lines[end].text), "#") {
		end++
	}
	if looksLikePromQL(joinLines(lines[:end])) {
		r.command(lines[:end])
		return end
	}
	for n := 1; n <= len(lines) && n <= 200; n++ {
		text := joinLines(lines[:n])
		file, err := parseShell(mask(text, findPlaceholders(text)))
		if err == nil {
			r.items(lines[:n], statementRows(file))
			return n
		}
		if !syntax.IsIncomplete(err) && n >= end {
			break
		}
	}
	r.command(lines[:1])
	return 1
}

// command reads one statement that was not parsed with the rest of its block.
func (r *shellReader) command(lines []codeLine) {
	r.parsed(lines, nil)
}

// parsed reads one statement; stmts are what it parsed to in its block.
func (r *shellReader) parsed(lines []codeLine, stmts []*syntax.Stmt) {
	text := strings.TrimRight(strings.TrimLeft(joinLines(lines), " \t"), " \t\n")
	if q, ok := findPromQL(text, lines[0].line); ok {
		q.Caption = joinLines(r.facts(true))
		r.blank()
		r.out.queries = append(r.out.queries, q)
		return
	}
	r.captioned()
	c := Command{Text: text, Language: Bash, Line: lines[0].line, Caption: r.caption, If: r.captionIf}
	if stmts == nil {
		describeShell(&c)
	} else {
		describeParsed(&c, stmts, int(stmts[0].Pos().Offset()))
	}
	r.push(c)
}

// push adds a command to the paragraph being read, and makes it an alternative
// where the caption says so.
func (r *shellReader) push(c Command) {
	if r.first == nil {
		r.first = map[int]int{}
	}
	if _, ok := r.first[r.group]; !ok {
		r.first[r.group] = len(r.out.commands)
		if r.or && len(r.out.commands) > 0 {
			r.alternate(r.last)
		}
	}
	if r.or && r.last != 0 {
		prior := r.out.commands[r.first[r.last]]
		if r.last != r.group {
			c.Alternative, c.Option = prior.Alternative, prior.Option+1
		} else {
			c.Alternative, c.Option = prior.Alternative, prior.Option
		}
	}
	r.out.commands = append(r.out.commands, c)
	r.last = r.group
}

// alternate makes the commands of a group the first option, where they are not
// one already.
func (r *shellReader) alternate(group int) {
	from := r.first[group]
	if r.out.commands[from].Alternative > 0 {
		return
	}
	number := 1
	for _, c := range r.out.commands {
		number = max(number, c.Alternative+1)
	}
	for i := from; i < len(r.out.commands); i++ {
		r.out.commands[i].Alternative, r.out.commands[i].Option = number, 1
	}
}

// captioned takes the comments above a command as its caption.
func (r *shellReader) captioned() {
	if len(r.comment) == 0 {
		return
	}
	rest := r.facts(true)
	r.group++
	r.or = false
	r.caption, r.captionIf = "", ""
	if len(rest) == 0 {
		return
	}
	r.or = isAlternative(rest[0].text)
	r.caption = joinLines(rest)
	for _, l := range rest {
		if r.captionIf = condition(l.text); r.captionIf != "" {
			break
		}
	}
}

// blank ends a paragraph: comments that caption nothing become notes.
func (r *shellReader) blank() {
	if len(r.comment) > 0 {
		if rest := r.facts(false); len(rest) > 0 {
			n := Note{Text: joinLines(rest), Line: rest[0].line, Or: isAlternative(rest[0].text)}
			for _, l := range rest {
				if n.If = condition(l.text); n.If != "" {
					break
				}
			}
			r.out.notes = append(r.out.notes, n)
		}
	}
	r.group++
	r.caption, r.captionIf, r.or = "", "", false
}

// facts takes what the paragraph of comments says that can be measured,
// evaluated or timed, and returns its other lines.
func (r *shellReader) facts(caption bool) []codeLine {
	lines := r.comment
	r.comment = nil
	f := readComments(lines, caption)
	r.out.queries = append(r.out.queries, f.queries...)
	r.out.assertions = append(r.out.assertions, f.assertions...)
	r.out.clocks = append(r.out.clocks, f.clocks...)
	return f.rest
}

func (r *shellReader) finish(lines []codeLine) fenceContent {
	r.blank()
	out := r.out
	if len(out.commands)+len(out.queries)+len(out.notes)+len(out.assertions)+len(out.clocks) == 0 {
		out.text = joinLines(lines)
	}
	return out
}

var (
	// promptLine is a line that a person typed at a prompt: "$ ls", "user@host:~$ ls".
	promptLine = regexp.MustCompile(`^\s*(?:\$|❯|➜|(?:\[?[A-Za-z_][\w.-]*@[\w.-]+[^$#%\s]*(?:\s[^$#%\s]*)?\]?[$#%]))\s+(\S.*)$`)
	rootPrompt = regexp.MustCompile(`^\s*#\s+(\S.*)$`)
	morePrompt = regexp.MustCompile(`^\s*>\s?`)
)

// promptsIn tells which lines begin with a prompt, and what was typed there;
// nil where the block has no prompts.
func promptsIn(lines []codeLine, session bool) map[int]string {
	found := map[int]string{}
	for i, l := range lines {
		if !strings.ContainsAny(l.text, "$❯➜@") {
			continue
		}
		if m := promptLine.FindStringSubmatch(l.text); m != nil {
			found[i] = m[1]
		}
	}
	if len(found) > 0 {
		return found
	}
	if session {
		for i, l := range lines {
			if m := rootPrompt.FindStringSubmatch(l.text); m != nil && startsWithProgram(m[1]) {
				found[i] = m[1]
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found
}

// session reads a block with prompts: what was typed runs, what was printed is
// kept beside it.
func (r *shellReader) session(lines []codeLine, prompts map[int]string) {
	for i := 0; i < len(lines); {
		typed, ok := prompts[i]
		if !ok {
			t := strings.TrimSpace(lines[i].text)
			switch {
			case t == "" && len(r.out.commands) == 0:
				r.blank()
			case strings.HasPrefix(t, "#"):
				r.comment = append(r.comment, codeLine{strings.TrimPrefix(strings.TrimLeft(t, "#"), " "), lines[i].line})
			case len(r.out.commands) > 0 && len(r.comment) == 0:
				last := &r.out.commands[len(r.out.commands)-1]
				last.Output = strings.TrimLeft(last.Output+"\n"+lines[i].text, "\n")
			case t != "":
				r.blank()
				r.out.notes = append(r.out.notes, Note{Text: lines[i].text, Line: lines[i].line})
			}
			i++
			continue
		}
		command := []codeLine{{typed, lines[i].line}}
		i++
		for i < len(lines) && prompts[i] == "" {
			text := joinLines(command)
			_, err := parseShell(mask(text, findPlaceholders(text)))
			if !strings.HasSuffix(text, `\`) && (err == nil || !syntax.IsIncomplete(err)) {
				break
			}
			command = append(command, codeLine{morePrompt.ReplaceAllString(lines[i].text, ""), lines[i].line})
			i++
		}
		r.command(command)
	}
}

// startsWithProgram tells whether a line begins like a command line.
func startsWithProgram(line string) bool {
	line = strings.TrimSpace(line)
	for {
		word, rest, _ := strings.Cut(line, " ")
		if assignmentWord.MatchString(word) && rest != "" {
			line = strings.TrimSpace(rest)
			continue
		}
		if strings.HasPrefix(word, "./") && len(word) > 2 {
			return true
		}
		_, known := programs[word]
		_, starts := starters[word]
		return (known || starts) && !plainWords[word]
	}
}

// plainWords are programs whose name also begins an English sentence.
var plainWords = optionSet("find watch time exec command eval test make install host file read set type cut sort split join head tail " +
	"date service stop start kill who last look more less yes true false export source return exit wait column free top go at")

// inlineCommand tells whether a code span is a command line to run.
func inlineCommand(code string, line int) (Command, bool) {
	code = strings.TrimSpace(code)
	if m := promptLine.FindStringSubmatch(code); m != nil {
		code = m[1]
	}
	if !strings.Contains(code, " ") || !startsWithProgram(code) {
		return Command{}, false
	}
	c := Command{Text: code, Language: Bash, Line: line}
	describeShell(&c)
	return c, c.Problem == ""
}
