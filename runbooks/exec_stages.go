package runbooks

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// sigpipe is the exit status of a stage that wrote to one which had ended.
const sigpipe = 128 + 13

// stages puts what bash reported of the last pipeline together with the names
// of its stages. Where the report is missing (the script replaced the shell or
// has a trap of its own) or is not what the script ended with ("exit 3", "! a |
// b"), the exit status is all that is known.
func stages(script, report string, exit int) []Stage {
	var statuses []int
	pipefail := 0 // the rightmost status that is not 0
	for field := range strings.FieldsSeq(report) {
		status, err := strconv.Atoi(field)
		if err != nil {
			return nil
		}
		statuses = append(statuses, status)
		if status != 0 {
			pipefail = status
		}
	}
	if exit < 0 {
		return nil
	}
	if statuses == nil || pipefail != exit {
		statuses = []int{exit}
	}
	names := stageNames(script, len(statuses))
	all := make([]Stage, len(statuses))
	for i, status := range statuses {
		all[i].Exit = status
		if names != nil {
			all[i].Name = names[i]
		}
	}
	return all
}

// stageNames returns the first word of each stage of the script's pipeline of n
// stages. Which pipeline of a list ran last is not in the text ("a && b || c"),
// so where several have n stages and differ there are no names rather than
// wrong ones.
func stageNames(script string, n int) []string {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil || len(file.Stmts) == 0 {
		return nil
	}
	var found [][]string
	for _, pipeline := range lastPipelines(file.Stmts[len(file.Stmts)-1]) {
		names := make([]string, len(pipeline))
		for i, stmt := range pipeline {
			names[i] = firstWord(stmt)
		}
		if len(names) == n {
			found = append(found, names)
		}
	}
	if len(found) == 0 {
		return nil
	}
	for _, other := range found[1:] {
		if !slices.Equal(found[0], other) {
			return nil
		}
	}
	return found[0]
}

// lastPipelines returns the pipelines that a statement may run last.
func lastPipelines(stmt *syntax.Stmt) [][]*syntax.Stmt {
	binary, ok := stmt.Cmd.(*syntax.BinaryCmd)
	if !ok {
		return [][]*syntax.Stmt{{stmt}}
	}
	if binary.Op == syntax.AndStmt || binary.Op == syntax.OrStmt {
		return append(lastPipelines(binary.X), lastPipelines(binary.Y)...)
	}
	var flat []*syntax.Stmt
	var add func(*syntax.Stmt)
	add = func(s *syntax.Stmt) {
		if b, ok := s.Cmd.(*syntax.BinaryCmd); ok && (b.Op == syntax.Pipe || b.Op == syntax.PipeAll) {
			add(b.X)
			add(b.Y)
			return
		}
		flat = append(flat, s)
	}
	add(stmt)
	return [][]*syntax.Stmt{flat}
}

// firstWord is the name of the command that a statement runs, empty where it is
// no simple command or its name is not in the text.
func firstWord(stmt *syntax.Stmt) string {
	call, ok := stmt.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 {
		return ""
	}
	return path.Base(call.Args[0].Lit())
}

// Meaning says in words what a stage's exit status tells, empty for 0 and for a
// status that only the command's own manual explains.
func (s Stage) Meaning() string {
	switch {
	case s.Exit == 1 && s.searches():
		return s.Name + " found nothing"
	case s.Exit == sigpipe:
		return s.name() + " was stopped early, as what it wrote was no longer read"
	case s.Exit == 126:
		return s.name() + " cannot be executed"
	case s.Exit == 127:
		return s.name() + ": command not found"
	case s.Exit > 128 && s.Exit < 128+65:
		return fmt.Sprintf("%s was ended by signal %d", s.name(), s.Exit-128)
	}
	return ""
}

func (s Stage) name() string {
	if s.Name == "" {
		return "the command"
	}
	return s.Name
}

// searches tells whether exit status 1 of a command means that nothing matched
// (grep(1), and those that follow it; 2 and more are errors).
func (s Stage) searches() bool {
	switch s.Name {
	case "grep", "egrep", "fgrep", "zgrep", "rg", "ag", "pgrep":
		return true
	}
	return false
}

// note explains a failure that is none: every stage that did not exit with 0
// searched and found nothing, or was stopped early because the next stage had
// read enough ("… | head"). It is empty for a success and for a real failure.
func note(stages []Stage) string {
	var notes []string
	for i, s := range stages {
		last := i == len(stages)-1
		switch {
		case s.Exit == 0:
		case s.Exit == 1 && s.searches(), s.Exit == sigpipe && !last:
			notes = append(notes, s.Meaning())
		default:
			return ""
		}
	}
	return strings.Join(notes, "; ")
}
