package runbooks

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// ThroughSession returns the bash command that sends a statement through the
// line of the book that opens a session of psql (Command.Through), where no
// database is configured, or the operator wants it to run from inside the pod.
// ok is false where the book has no such line, or it does not end in psql.
//
// The statement keeps its placeholders, and gets those of the line. It runs
// alone: a query through a cursor of a read-only transaction, of which as many
// rows are fetched as a table shows; what changes something in a transaction of
// its own, with the lock_timeout that the configured database's steps have.
func (c Command) ThroughSession() (through Command, ok bool) {
	if c.Language != SQL || c.Through == "" || c.Problem != "" || !opensPSQL(c.Through) {
		return Command{}, false
	}
	statement := strings.TrimRight(strings.TrimSpace(c.Text), "; \n\t")
	if strings.HasPrefix(statement, `\`) || strings.ContainsRune(statement, 0) {
		return Command{}, false
	}
	var b strings.Builder
	b.WriteString(strings.TrimRight(c.Through, "; \n\t"))
	b.WriteString(" -X -q -v ON_ERROR_STOP=1 -P pager=off")
	for _, sql := range sessionStatements(statement, c.Risk) {
		b.WriteString(" \\\n  -c '" + strings.ReplaceAll(sql, "'", `'\''`) + "'")
	}
	through = Command{
		Text: b.String(), Caption: c.Caption, Language: Bash, Line: c.Line, If: c.If,
		Alternative: c.Alternative, Option: c.Option,
	}
	describeShell(&through)
	return through, through.Problem == ""
}

// sessionCursor is the name of the cursor that a query's rows are fetched from.
const sessionCursor = "flightdeck"

// sessionStatements are what psql is told for one statement.
func sessionStatements(statement string, risk Risk) []string {
	s := sqlJudge{text: statement, tokens: lexSQL(statement)}
	limits := fmt.Sprintf("SET LOCAL statement_timeout = %d", readingLimit.Milliseconds())
	switch {
	case risk != Reads:
		return []string{fmt.Sprintf("SET lock_timeout = %d", lockLimit.Milliseconds()), statement}
	case slices.Contains([]string{"SELECT", "VALUES", "TABLE", "WITH"}, s.word(0)):
		// A line break ends a comment that the statement may end with.
		return []string{"BEGIN READ ONLY", limits, "DECLARE " + sessionCursor + " CURSOR FOR " + statement + "\n", fmt.Sprintf("FETCH %d FROM %s", maxTableRows, sessionCursor)}
	}
	return []string{"BEGIN READ ONLY", limits, statement} // EXPLAIN, SHOW: as many rows as it has lines
}

// opensPSQL tells whether a line is one command that ends in a psql which waits
// for statements, so that options may follow it.
func opensPSQL(line string) bool {
	file, err := parseShell(mask(line, findPlaceholders(line)))
	if err != nil || len(file.Stmts) != 1 || len(file.Stmts[0].Redirs) > 0 || file.Stmts[0].Background || file.Stmts[0].Negated {
		return false
	}
	call, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
	if !ok {
		return false
	}
	found := false
	shellVisitor{call: func(inv invocation, fed bool) {
		// psql inside the quotes of sh -c would not get what follows.
		found = found || inv.name == "psql" && interactive(inv, fed) && slices.Contains(call.Args, inv.word.word)
	}}.visit(file, local, 0)
	return found
}
