package runbooks

import "strings"

// rowChange is an UPDATE or DELETE in its parts, as written.
type rowChange struct {
	text    string // the statement without its semicolon
	table   string // with ONLY and what it is called: "users AS u"
	alias   string // the name that its columns go by
	set     string // what follows SET
	sources string // further tables: FROM of an UPDATE, USING of a DELETE
	where   string
}

// change reads an UPDATE or a DELETE that is nothing but that.
func (s soleSQL) change() (rowChange, error) {
	c := rowChange{text: s.slice(0, s.end())}
	from := 1
	keywords := []string{"SET", "FROM", "WHERE", "RETURNING"}
	if s.word(0) == "DELETE" {
		if s.word(1) != "FROM" {
			return c, noPreview("the statement is not as simple as it would have to be")
		}
		from = 2
		keywords = []string{"USING", "WHERE", "RETURNING"}
	}
	parts := s.parts(from, keywords)
	c.table, c.set, c.where = parts[""], parts["SET"], parts["WHERE"]
	c.sources = parts["FROM"] + parts["USING"]
	names := lexSQL(c.table)
	if len(names) == 0 || strings.HasPrefix(strings.ToUpper(c.where), "CURRENT OF") || s.word(0) == "UPDATE" && c.set == "" {
		return c, noPreview("the statement is not as simple as it would have to be")
	}
	last := names[len(names)-1]
	if last.kind != sqlWord && last.kind != sqlQuoted {
		return c, noPreview("the statement is not as simple as it would have to be")
	}
	c.alias = c.table[last.start:last.end]
	return c, nil
}

// counting is the query that counts the rows a change hits. Each part stands on
// its own lines, so that a comment at the end of one hides nothing of the next.
func (c rowChange) counting() string {
	what, tables, where := "*", c.table, ""
	if c.sources != "" { // a row that joins with several is changed once
		what, tables = "DISTINCT "+c.alias+".ctid", c.table+"\n, "+c.sources
	}
	if c.where != "" {
		where = "\nWHERE " + c.where
	}
	return "SELECT count(" + what + ")\nFROM " + tables + where
}

// behindSelectList are the words that end a SELECT's list.
var behindSelectList = optionSet("from where order limit offset fetch")

// signalled reads SELECT … pg_terminate_backend(PID) … [FROM …]: which of the
// two functions it calls, and the query for the processes it would hit.
func (s soleSQL) signalled() (function, pids string, err error) {
	call, depth, from := -1, 0, s.end()
	for i := range s.tokens[:s.end()] {
		switch s.symbol(i) {
		case "(":
			depth++
		case ")":
			depth--
		}
		switch name := strings.ToLower(s.word(i)); {
		case name == "pg_terminate_backend" || name == "pg_cancel_backend":
			if call >= 0 || depth > 0 || from < s.end() || s.symbol(i+1) != "(" {
				return "", "", noPreview("the statement is not as simple as it would have to be")
			}
			call, function = i, name
		case behindSelectList[name] && depth == 0 && from == s.end():
			from = i
		case (name == "union" || name == "intersect" || name == "except" || name == "group" || name == "having") && depth == 0:
			return "", "", noPreview("the statement is not as simple as it would have to be")
		}
	}
	if call < 0 {
		return "", "", noPreview("it calls what cannot be tried without effect")
	}
	end, depth := call+2, 1
	for ; end < s.end(); end++ {
		switch s.symbol(end) {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth == 0 || depth == 1 && s.symbol(end) == "," {
			break
		}
	}
	return function, "SELECT " + s.slice(call+2, end) + "\n" + s.slice(from, s.end()), nil
}

// end is the number of tokens before the semicolon.
func (s soleSQL) end() int {
	n := len(s.tokens)
	if n > 0 && s.symbol(n-1) == ";" {
		return n - 1
	}
	return n
}

// slice is the text of the tokens from i up to j, with what stands between.
func (s soleSQL) slice(i, j int) string {
	if i >= j {
		return ""
	}
	return s.text[s.tokens[i].start:s.tokens[j-1].end]
}

// parts cuts a statement at keywords outside of parentheses. What stands before
// the first of them has the key "".
func (s soleSQL) parts(from int, keywords []string) map[string]string {
	out := map[string]string{}
	key, start, depth := "", from, 0
	for i := from; i < s.end(); i++ {
		switch s.symbol(i) {
		case "(":
			depth++
		case ")":
			depth--
		}
		if depth > 0 {
			continue
		}
		for k, word := range keywords {
			// IS DISTINCT FROM and the like stand behind WHERE, where only what
			// comes after it is looked for.
			if s.word(i) == word && s.word(i-1) != "DISTINCT" {
				out[key] = s.slice(start, i)
				key, start, keywords = word, i+1, keywords[k+1:]
				break
			}
		}
	}
	out[key] = s.slice(start, s.end())
	return out
}
