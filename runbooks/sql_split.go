package runbooks

import (
	"regexp"
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
	stmts, comments := splitSQL(text)
	row := 0
	lineOf := func(offset int) codeLine {
		return lines[strings.Count(text[:offset], "\n")]
	}
	// blanks and comments between the statements, line by line
	gap := func(from, to int) {
		for row < len(lines) {
			at := lineOffset(text, row)
			if at >= to {
				return
			}
			if at >= from {
				if strings.TrimSpace(lines[row].text) == "" {
					r.blank()
				}
				for _, c := range comments {
					if c.start >= at && c.start < at+len(lines[row].text)+1 {
						r.comment = append(r.comment, sqlCommentLines(original, c, lines[row].line)...)
					}
				}
			}
			row++
		}
	}
	previous := 0
	for _, st := range stmts {
		gap(previous, st.start)
		r.captioned()
		c := Command{Text: original[st.start:st.end], Language: SQL, Line: lineOf(st.start).line,
			Caption: r.caption, If: r.captionIf, Through: through, Problem: st.problem}
		describeSQL(&c)
		r.push(c)
		for row < len(lines) && lineOffset(text, row) < st.end {
			row++
		}
		previous = st.end
	}
	gap(previous, len(text)+1)
}

func lineOffset(text string, row int) int {
	at := 0
	for range row {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	return at
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
