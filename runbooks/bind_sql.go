package runbooks

import (
	"regexp"
	"strings"
)

// bindSQL puts values into one statement.
func bindSQL(text string, holes []filling) (string, error) {
	texts, err := encodeSQL(text, holes)
	if err != nil {
		return "", err
	}
	return fill(text, texts), nil
}

var (
	sqlNumberShape = regexp.MustCompile(`^-?[0-9]{1,30}(\.[0-9]{1,30})?$`)
	sqlNamePart    = regexp.MustCompile(`^[a-z0-9_]{1,63}$`)
	sqlNameShape   = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)
)

// identifierBefore are the words after which a name of the database stands.
var identifierBefore = optionSet("FROM JOIN INTO UPDATE TABLE INDEX ONLY EXISTS VIEW SCHEMA SEQUENCE DATABASE ROLE USER COLUMN EXTENSION VACUUM ANALYZE REINDEX CLUSTER " +
	"TRUNCATE CONCURRENTLY VERBOSE FULL PUBLICATION SUBSCRIPTION TRIGGER CONSTRAINT FUNCTION PROCEDURE TABLESPACE CASCADE OWNER LOCK REFRESH USING")

// encodeSQL finds for each value the text that stands for it in the SQL: inside
// a literal, inside a quoted name, or bare, where a number stays one, a name of
// the database becomes a quoted name, and everything else becomes a literal.
func encodeSQL(text string, holes []filling) (map[string]string, error) {
	texts := map[string]string{}
	tokens := lexSQL(text)
	for _, h := range within(text, holes) {
		at := strings.Index(text, h.token)
		found := false
		for i, t := range tokens {
			if at < t.start || at >= t.end {
				continue
			}
			found = true
			encoded, err := encodeSQLAt(text, tokens, i, h)
			if err != nil {
				return nil, err
			}
			texts[h.token] = encoded
		}
		if !found {
			return nil, refuse(h.name, "it stands where SQL has no value")
		}
	}
	return texts, verifySQL(text, fill(text, texts), tokens, texts, holes)
}

// encodeSQLAt encodes one value for the i-th token, in which it stands.
func encodeSQLAt(text string, tokens []sqlToken, i int, h filling) (string, error) {
	t := tokens[i]
	switch t.kind {
	case sqlComment:
		if strings.ContainsAny(h.value, "\n\r") || strings.Contains(h.value, "*/") || strings.Contains(h.value, "/*") {
			return "", refuse(h.name, "a value with a line break cannot stand in a comment")
		}
		return h.value, nil
	case sqlString:
		switch {
		case text[t.start] == '$':
			if strings.Contains(h.value, "$") {
				return "", refuse(h.name, "a value with a dollar sign cannot stand in a dollar-quoted text")
			}
			return h.value, nil
		case t.escapes:
			if strings.Contains(h.value, `\`) {
				return "", refuse(h.name, "a value with a backslash cannot stand in an escape string")
			}
		}
		return strings.ReplaceAll(h.value, "'", "''"), nil
	case sqlQuoted:
		if t.escapes && strings.Contains(h.value, `\`) {
			return "", refuse(h.name, "a value with a backslash cannot stand in an escaped name")
		}
		return strings.ReplaceAll(h.value, `"`, `""`), nil
	case sqlWord:
		if text[t.start:t.end] != h.token {
			if !sqlNamePart.MatchString(h.value) || strings.HasPrefix(text[t.start:], h.token) && !sqlNameShape.MatchString(h.value) {
				return "", refuse(h.name, "only lower-case letters, digits and _ may be a part of a name")
			}
			return h.value, nil
		}
		return encodeBareSQL(text, tokens, i, h)
	case sqlMeta:
		return "", refuse(h.name, "a value cannot stand in a command of psql")
	}
	return "", refuse(h.name, "it stands where SQL has no value")
}

// encodeBareSQL encodes a value that stands alone, outside of quotes.
func encodeBareSQL(text string, tokens []sqlToken, i int, h filling) (string, error) {
	before := &sqlJudge{text: text, tokens: tokens}
	previous := i - 1
	for previous >= 0 && tokens[previous].kind == sqlComment {
		previous--
	}
	if statementPlace(before, previous) {
		return wholeStatement(h)
	}
	if sqlNumberShape.MatchString(h.value) {
		if strings.HasPrefix(h.value, "-") {
			return "(" + h.value + ")", nil
		}
		return h.value, nil
	}
	if before.symbol(previous) == "." || before.symbol(i+1) == "." || identifierBefore[before.word(previous)] {
		if sqlNameShape.MatchString(h.value) && !sqlReserved[h.value] {
			return h.value, nil
		}
		return `"` + strings.ReplaceAll(h.value, `"`, `""`) + `"`, nil
	}
	return "'" + strings.ReplaceAll(h.value, "'", "''") + "'", nil
}

// statementPlace tells whether a whole statement is wanted after the token at
// previous: at the beginning, or after EXPLAIN and its options.
func statementPlace(s *sqlJudge, previous int) bool {
	switch w := s.word(previous); {
	case previous < 0 || s.symbol(previous) == ";":
		return true
	case w == "EXPLAIN":
		return true
	case w == "ANALYZE" || w == "VERBOSE":
		return statementPlaceOptions(s, previous)
	case s.symbol(previous) == ")":
		depth := 0
		for k := previous; k >= 0; k-- {
			switch s.symbol(k) {
			case ")":
				depth++
			case "(":
				if depth--; depth == 0 {
					return s.word(k-1) == "EXPLAIN"
				}
			}
		}
	}
	return false
}

func statementPlaceOptions(s *sqlJudge, k int) bool {
	for s.word(k) == "ANALYZE" || s.word(k) == "VERBOSE" {
		k--
	}
	return s.word(k) == "EXPLAIN"
}

// wholeStatement accepts a value that is exactly one statement.
func wholeStatement(h filling) (string, error) {
	value := strings.TrimRight(strings.TrimSpace(h.value), "; \t\n")
	statements, _ := splitSQL(value)
	switch {
	case len(statements) != 1 || statements[0].problem != "" || statements[0].tokens[0].kind == sqlMeta:
		return "", refuse(h.name, "exactly one statement is wanted here")
	case statements[0].start != 0 || statements[0].end != len(value):
		return "", refuse(h.name, "a comment cannot stand here")
	case Describe(h.name).Kind != KindStatement:
		return "", refuse(h.name, "a statement stands here; name the placeholder so: <query>")
	}
	return value, nil
}

// sqlReserved are words that are no names unless they are quoted.
var sqlReserved = optionSet("all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_date current_role current_time " +
	"current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign from grant group having in initially intersect into lateral leading limit " +
	"localtime localtimestamp not null offset on only or order placing primary references returning select session_user some symmetric table then to trailing true union unique user using " +
	"variadic when where window with authorization binary collation concurrently cross current_schema freeze full ilike inner is isnull join left like natural notnull outer overlaps right " +
	"similar tablesample verbose values set delete insert update drop truncate alter execute call begin commit rollback copy explain")

// verifySQL makes sure that the values changed nothing but themselves: the
// bound text has the same tokens, those with a value in them apart.
func verifySQL(text, bound string, tokens []sqlToken, texts map[string]string, holes []filling) error {
	now := lexSQL(bound)
	k := 0
	for _, t := range tokens {
		want := text[t.start:t.end]
		if k >= len(now) {
			return refuse("value", "it would change the statement around it")
		}
		filled := fill(want, texts)
		if filled == want && len(within(want, holes)) == 0 {
			if bound[now[k].start:now[k].end] != want || now[k].kind != t.kind {
				return refuse("value", "it would change the statement around it")
			}
			k++
			continue
		}
		start := now[k].start
		for k < len(now) && now[k].end <= start+len(filled) {
			if now[k].open && !t.open {
				return refuse("value", "it would leave a quote open")
			}
			k++
		}
		if k == 0 || now[k-1].end != start+len(filled) || bound[start:now[k-1].end] != filled {
			return refuse("value", "it would change the statement around it")
		}
	}
	if k != len(now) {
		return refuse("value", "it would add to the statement")
	}
	return nil
}
