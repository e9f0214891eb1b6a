package runbooks

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// sqlKind is what a token of SQL is.
type sqlKind int

const (
	sqlWord    sqlKind = iota // keyword or unquoted identifier
	sqlQuoted                 // "identifier"
	sqlString                 // 'text', E'text', $tag$text$tag$
	sqlNumber                 // 10, 1.5e3
	sqlParam                  // $1
	sqlSymbol                 // an operator or punctuation, one byte at a time but for ::
	sqlComment                // -- to the end of the line, /* nested */
	sqlMeta                   // a psql command: \d at the beginning of a line
)

// sqlToken is a piece of SQL text.
type sqlToken struct {
	kind       sqlKind
	start, end int
	open       bool // a quote or a comment that does not end
	escapes    bool // a string in which a backslash escapes
	body       int  // offset of a string's first byte inside its quotes
	tail       int  // offset after its last byte inside its quotes
}

// lexSQL cuts PostgreSQL's SQL into tokens, blanks left out. It never fails: a
// quote that does not end is marked.
func lexSQL(text string) []sqlToken {
	var out []sqlToken
	for i := 0; i < len(text); {
		start := i
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
			i++
			continue
		case strings.HasPrefix(text[i:], "--"):
			i += lineLength(text[i:])
			out = append(out, sqlToken{kind: sqlComment, start: start, end: i, body: start + 2, tail: i})
		case strings.HasPrefix(text[i:], "/*"):
			end, open := blockComment(text, i)
			i = end
			out = append(out, sqlToken{kind: sqlComment, start: start, end: i, open: open, body: start + 2, tail: max(start+2, end-2)})
		case c == '\\' && lineIsBlank(text, i):
			i += lineLength(text[i:])
			out = append(out, sqlToken{kind: sqlMeta, start: start, end: i})
		case c == '\'':
			t := quotedSQL(text, i, i, '\'', false)
			out, i = append(out, t), t.end
		case (c == 'e' || c == 'E') && strings.HasPrefix(text[i+1:], "'"):
			t := quotedSQL(text, i, i+1, '\'', true)
			out, i = append(out, t), t.end
		case (c == 'b' || c == 'B' || c == 'x' || c == 'X' || c == 'n' || c == 'N') && strings.HasPrefix(text[i+1:], "'"):
			t := quotedSQL(text, i, i+1, '\'', false)
			out, i = append(out, t), t.end
		case (c == 'u' || c == 'U') && (strings.HasPrefix(text[i+1:], "&'") || strings.HasPrefix(text[i+1:], `&"`)):
			t := quotedSQL(text, i, i+2, text[i+2], true)
			out, i = append(out, t), t.end
		case c == '"':
			t := quotedSQL(text, i, i, '"', false)
			out, i = append(out, t), t.end
		case c == '$':
			t := dollarSQL(text, i)
			out, i = append(out, t), t.end
		case c >= '0' && c <= '9' || c == '.' && i+1 < len(text) && text[i+1] >= '0' && text[i+1] <= '9':
			for i < len(text) && (isAlphanumeric(text[i]) || text[i] == '.' || text[i] == '_' ||
				(text[i] == '+' || text[i] == '-') && (text[i-1] == 'e' || text[i-1] == 'E') && text[start] != '0') {
				i++
			}
			out = append(out, sqlToken{kind: sqlNumber, start: start, end: i})
		case isSQLNameStart(text[i:]):
			i += sqlNameLength(text[i:])
			out = append(out, sqlToken{kind: sqlWord, start: start, end: i})
		case strings.HasPrefix(text[i:], "::"):
			i += 2
			out = append(out, sqlToken{kind: sqlSymbol, start: start, end: i})
		default:
			_, n := utf8.DecodeRuneInString(text[i:])
			i += n
			out = append(out, sqlToken{kind: sqlSymbol, start: start, end: i})
		}
	}
	return out
}

func lineLength(s string) int {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return i
	}
	return len(s)
}

// lineIsBlank tells whether only blanks stand before offset on its line.
func lineIsBlank(text string, offset int) bool {
	for i := offset - 1; i >= 0 && text[i] != '\n'; i-- {
		if text[i] != ' ' && text[i] != '\t' {
			return false
		}
	}
	return true
}

func blockComment(text string, i int) (end int, open bool) {
	depth := 0
	for i < len(text) {
		switch {
		case strings.HasPrefix(text[i:], "/*"):
			depth++
			i += 2
		case strings.HasPrefix(text[i:], "*/"):
			depth--
			i += 2
			if depth == 0 {
				return i, false
			}
		default:
			i++
		}
	}
	return len(text), true
}

// quotedSQL reads a quoted token whose quote stands at at; a doubled quote
// stands for itself, and a backslash hides the next byte where escapes is set.
func quotedSQL(text string, start, at int, quote byte, escapes bool) sqlToken {
	kind := sqlString
	if quote == '"' {
		kind = sqlQuoted
	}
	t := sqlToken{kind: kind, start: start, body: at + 1, escapes: escapes}
	for i := at + 1; i < len(text); i++ {
		switch {
		case escapes && text[i] == '\\':
			i++
		case text[i] == quote && i+1 < len(text) && text[i+1] == quote:
			i++
		case text[i] == quote:
			t.tail, t.end = i, i+1
			return t
		}
	}
	t.tail, t.end, t.open = len(text), len(text), true
	return t
}

// dollarSQL reads $tag$…$tag$, $1, or a lone dollar.
func dollarSQL(text string, i int) sqlToken {
	j := i + 1
	for j < len(text) && text[j] >= '0' && text[j] <= '9' {
		j++
	}
	if j > i+1 {
		return sqlToken{kind: sqlParam, start: i, end: j}
	}
	if j < len(text) && isSQLNameStart(text[j:]) {
		j += strings.IndexFunc(text[j:]+" ", func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	if j >= len(text) || text[j] != '$' {
		return sqlToken{kind: sqlSymbol, start: i, end: i + 1}
	}
	tag := text[i : j+1]
	end := strings.Index(text[j+1:], tag)
	if end < 0 {
		return sqlToken{kind: sqlString, start: i, end: len(text), body: j + 1, tail: len(text), open: true}
	}
	return sqlToken{kind: sqlString, start: i, end: j + 1 + end + len(tag), body: j + 1, tail: j + 1 + end}
}

func isSQLNameStart(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return r == '_' || unicode.IsLetter(r)
}

func sqlNameLength(s string) int {
	for i, r := range s {
		if r != '_' && r != '$' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return i
		}
	}
	return len(s)
}

// sqlStatement is one statement of a text; offsets take its semicolon in.
type sqlStatement struct {
	start, end int
	tokens     []sqlToken // comments left out
	problem    string
}

// splitSQL cuts a text into statements at the semicolons that are none of a
// quote's, a comment's, a parenthesis's or a function body's. comments are those
// that stand between statements.
func splitSQL(text string) (statements []sqlStatement, comments []sqlToken) {
	var current *sqlStatement
	var trailing []sqlToken // comments after the current statement's last token
	depth, atomic := 0, 0
	finish := func(end int) {
		current.end = end
		statements = append(statements, *current)
		comments = append(comments, trailing...)
		current, trailing, depth, atomic = nil, nil, 0, 0
	}
	for _, t := range lexSQL(text) {
		word := text[t.start:t.end]
		switch {
		case t.kind == sqlComment:
			if current == nil {
				comments = append(comments, t)
			} else {
				trailing = append(trailing, t)
			}
			continue
		case t.kind == sqlMeta:
			if current != nil {
				finish(current.tokens[len(current.tokens)-1].end)
			}
			statements = append(statements, sqlStatement{start: t.start, end: t.end, tokens: []sqlToken{t}})
			continue
		case t.kind == sqlSymbol && word == ";" && current == nil:
			continue
		case t.kind == sqlSymbol && word == ";" && depth <= 0 && atomic == 0:
			current.tokens, trailing = append(current.tokens, t), nil
			finish(t.end)
			continue
		case t.kind == sqlSymbol && word == "(":
			depth++
		case t.kind == sqlSymbol && word == ")":
			depth--
		case t.kind == sqlWord && current != nil:
			atomic = atomicBody(text, current.tokens, word, atomic)
		}
		if current == nil {
			current = &sqlStatement{start: t.start}
		}
		if t.open && current.problem == "" {
			current.problem = "a quote is never closed"
		}
		current.tokens, trailing = append(current.tokens, t), nil
	}
	if current != nil {
		if depth > 0 && current.problem == "" {
			current.problem = "a parenthesis is never closed"
		}
		finish(current.tokens[len(current.tokens)-1].end)
	}
	return statements, comments
}

// atomicBody counts how deep a statement is in BEGIN ATOMIC … END, in which
// semicolons end nothing; a CASE in it has an END of its own.
func atomicBody(text string, before []sqlToken, word string, depth int) int {
	switch {
	case strings.EqualFold(word, "atomic"):
		last := before[len(before)-1]
		if strings.EqualFold(text[last.start:last.end], "begin") {
			return depth + 1
		}
	case depth > 0 && strings.EqualFold(word, "case"):
		return depth + 1
	case depth > 0 && strings.EqualFold(word, "end"):
		return depth - 1
	}
	return depth
}
