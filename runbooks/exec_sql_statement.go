package runbooks

import (
	"errors"
	"fmt"
	"slices"
)

// soleSQL is the one statement of a script.
type soleSQL struct{ *sqlJudge }

// soleStatement reads a script that is exactly one statement which can run by
// itself.
func soleStatement(script string) (soleSQL, error) {
	statements, _ := splitSQL(script)
	switch {
	case len(statements) == 0:
		return soleSQL{}, errors.New("nothing to run: there is no statement")
	case len(statements) > 1:
		return soleSQL{}, fmt.Errorf("the text holds %d statements; a step runs exactly one", len(statements))
	case statements[0].problem != "":
		return soleSQL{}, fmt.Errorf("the statement does not parse: %s", statements[0].problem)
	}
	s := soleSQL{&sqlJudge{text: script, tokens: statements[0].tokens}}
	if why := s.wantsSession(); why != "" {
		return soleSQL{}, errors.New(why)
	}
	return s, nil
}

// wantsSession is why a statement makes sense only in a session that goes on
// after it; empty where it stands alone. A BEGIN that is gone before the next
// step would leave the operator believing that there is a way back.
func (s soleSQL) wantsSession() string {
	verb := s.word(0)
	switch {
	case s.tokens[0].kind == sqlMeta:
		return "this is a command of psql, not of the server; run it in psql"
	case verb == "COPY" && (s.has("STDIN") || s.has("STDOUT")):
		return "COPY from or to the client needs psql; read with SELECT instead"
	case (verb == "COMMIT" || verb == "ROLLBACK") && s.word(1) == "PREPARED", verb == "PREPARE" && s.word(1) == "TRANSACTION":
	case slices.Contains([]string{"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE"}, verb):
		return verb + " spans several statements, and each step is committed by itself; use a terminal with psql"
	case slices.Contains([]string{"SET", "RESET", "DISCARD", "LOCK", "LISTEN", "UNLISTEN", "PREPARE", "EXECUTE", "DEALLOCATE", "DECLARE", "FETCH", "MOVE", "CLOSE"}, verb):
		return verb + " acts on its own session, which ends with the step; use a terminal with psql"
	}
	return ""
}

// mode is what stands around the statement when it runs.
func (s soleSQL) mode(risk Risk) sqlMode {
	switch {
	case risk == Reads:
		return sqlReadOnly
	case s.outsideTransaction():
		return sqlBare
	}
	return sqlOwn
}

// outsideTransaction tells whether PostgreSQL refuses the statement inside a
// transaction block, as the manual's page of each command says, or whether it
// may commit by itself (CALL, DO).
func (s soleSQL) outsideTransaction() bool {
	if s.has("CONCURRENTLY") && s.word(0) != "REFRESH" {
		return true
	}
	object := s.word(1)
	switch s.word(0) {
	case "VACUUM", "CLUSTER", "CALL", "DO":
		return true
	case "ALTER":
		return object == "SYSTEM" || object == "SUBSCRIPTION" || object == "DATABASE" && s.has("SET", "TABLESPACE")
	case "CREATE", "DROP":
		return object == "DATABASE" || object == "TABLESPACE" || object == "SUBSCRIPTION"
	case "REINDEX":
		return s.has("DATABASE") || s.has("SYSTEM") || s.has("SCHEMA")
	case "COMMIT", "ROLLBACK":
		return true // PREPARED
	}
	return false
}

// concurrently tells whether a script works on an index without locking its
// table.
func concurrently(script string) bool {
	s := sqlJudge{text: script, tokens: lexSQL(script)}
	return s.has("CONCURRENTLY") && s.has("INDEX")
}
