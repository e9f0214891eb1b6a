package runbooks

import (
	"regexp"
	"sort"
	"strings"
)

// sessionLine is a line of a SQL block that a shell runs: it opens the session
// which the statements below are typed into.
var sessionLine = regexp.MustCompile(`^\s*(?:\$\s+)?(kubectl|oc|psql|docker|docker-compose|podman|ssh|sudo)\s+\S`)

var psqlPrompt = regexp.MustCompile(`^\s*[A-Za-z_]\w*[=\-('"*^!$][#>*]?[#>]\s?`)

// readSQLBlock splits a block of SQL into statements, each with the comment
// above as its caption. A line that opens a psql session becomes a shell
// command, and what follows can run through it.
func readSQLBlock(lines []codeLine) fenceContent {
	r := &shellReader{group: 1}
	through := ""
	for len(lines) > 0 {
		n := 0
		for n < len(lines) && !sessionLine.MatchString(lines[n].text) {
			n++
		}
		r.statements(lines[:n], through)
		if n == len(lines) {
			break
		}
		end := n + 1
		for end < len(lines) && strings.HasSuffix(lines[end-1].text, `\`) {
			end++
		}
		opening := append([]codeLine{}, lines[n:end]...)
		opening[0].text = strings.TrimPrefix(strings.TrimSpace(opening[0].text), "$ ")
		r.command(opening)
		through = joinLines(opening)
		lines = lines[end:]
	}
	return r.finish(lines)
}

// statements reads lines that are SQL.
func (r *shellReader) statements(lines []codeLine, through string) {
	if len(lines) == 0 {
		return
	}
	lines = stripPrompts(lines)
	original := joinLines(lines)
	text := mask(original, findPlaceholders(original))
	starts := make([]int, len(lines)) // offset of every line
	for i := 1; i < len(lines); i++ {
		starts[i] = starts[i-1] + len(lines[i-1].text) + 1
	}
	stmts, comments := splitSQL(text)
	row := 0
	// between reads the blank lines and the comments before offset.
	between := func(offset int) {
		for ; row < len(lines) && starts[row] < offset; row++ {
			if strings.TrimSpace(lines[row].text) == "" {
				r.blank()
			}
			for len(comments) > 0 && comments[0].start <= starts[row]+len(lines[row].text) {
				r.comment = append(r.comment, sqlCommentLines(original, comments[0], lines[row].line)...)
				comments = comments[1:]
			}
		}
	}
	for _, st := range stmts {
		between(st.start)
		r.captioned()
		at := sort.SearchInts(starts, st.start+1) - 1
		c := Command{
			Text: original[st.start:st.end], Language: SQL, Line: lines[at].line,
			Caption: r.caption, If: r.captionIf, Through: through, Problem: st.problem,
		}
		for len(comments) > 0 && comments[0].start < st.start { // inside the statement before
			comments = comments[1:]
		}
		for len(comments) > 0 && comments[0].start >= st.end && !strings.Contains(text[st.end:comments[0].start], "\n") {
			for _, l := range sqlCommentLines(original, comments[0], 0) { // beside the statement
				c.Caption = strings.TrimPrefix(c.Caption+"\n"+l.text, "\n")
			}
			comments = comments[1:]
		}
		describeSQL(&c)
		r.push(c)
		for row < len(lines) && starts[row] < st.end {
			row++
		}
	}
	between(len(text) + 1)
}

// sqlCommentLines are a comment's lines without its markers.
func sqlCommentLines(text string, c sqlToken, line int) []codeLine {
	var out []codeLine
	for i, l := range strings.Split(text[c.body:max(c.body, c.tail)], "\n") {
		if l = strings.TrimPrefix(strings.TrimRight(l, " \t"), " "); strings.TrimSpace(l) != "" {
			out = append(out, codeLine{l, line + i})
		}
	}
	return out
}

// stripPrompts takes psql's prompts away where a block was pasted from a
// session.
func stripPrompts(lines []codeLine) []codeLine {
	for _, l := range lines {
		if strings.TrimSpace(l.text) == "" {
			continue
		}
		if !psqlPrompt.MatchString(l.text) {
			return lines
		}
		break
	}
	out := make([]codeLine, len(lines))
	for i, l := range lines {
		out[i] = codeLine{psqlPrompt.ReplaceAllString(l.text, ""), l.line}
	}
	return out
}

// describeSQL fills in what can be told of a statement before it runs.
func describeSQL(c *Command) {
	uses := findPlaceholders(c.Text)
	c.Placeholders = placeholderNames(uses)
	c.Risk = judgeSQL(mask(c.Text, uses)).Risk
	if c.Problem != "" {
		c.Risk = Unknown
	}
}

var (
	sqlStart   = regexp.MustCompile(`(?is)^\s*(select\b.*\bfrom\b|select\s+\w+\s*\(|insert\s+into|update\s+\S+\s+set\b|delete\s+from|alter\s+(table|system|role|user|database|index)\b|create\s+(table|index|unique|view|extension|role|user|database)\b|drop\s+(table|index|view|database)\b|truncate\s|vacuum\b|explain\s|with\s+\w+\s+as\s*\(|show\s+\w+\s*;)`)
	sqlLeading = regexp.MustCompile(`^(\s*--[^\n]*\n)+`)
)

// looksLikeSQL tells whether an untagged block is SQL.
func looksLikeSQL(text string) bool {
	return sqlStart.MatchString(sqlLeading.ReplaceAllString(text, ""))
}
