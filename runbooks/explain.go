package runbooks

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// maxPlanLines bounds a plan as it is shown.
const maxPlanLines = 60

// Explain asks the planner of the database how it would execute a bound
// statement, or the one that a bash command gives to psql. It plans and
// does not execute (EXPLAIN without ANALYZE), in a read-only transaction, and
// takes at most previewLimit. The error is ErrNoPreview where there is nothing
// to plan or nobody to ask, and otherwise what the database said, which is
// mostly what it would say of the statement itself.
func (e *SQLExecutor) Explain(ctx context.Context, cmd Bound) (plan []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, previewLimit)
	defer cancel()
	script := cmd.Script
	if cmd.Command.Language == Bash {
		var ok bool
		if script, ok = psqlStatement(cmd.Script); !ok {
			return nil, noPreview("it gives psql no statement to plan")
		}
	}
	plan, err = e.explain(ctx, script)
	for i := range plan {
		plan[i] = maskText(plan[i], cmd.Secrets)
	}
	return plan, maskError(err, cmd.Secrets)
}

// explain returns the plan of a script that is one statement.
func (e *SQLExecutor) explain(ctx context.Context, script string) ([]string, error) {
	if e == nil || e.unusable != nil {
		return nil, noPreview("no database is configured to ask")
	}
	s, err := soleStatement(script)
	if err != nil {
		return nil, noPreview("%v", err)
	}
	if !s.planned() {
		return nil, noPreview("%s has no plan", s.word(0))
	}
	rows, err := e.look(ctx, countLimit, maxPlanLines+1, "EXPLAIN "+s.slice(0, s.end()))
	if err != nil {
		return nil, fmt.Errorf("ask the planner: %w", err)
	}
	var plan []string
	for _, row := range rows {
		if row[0] != nil {
			plan = append(plan, indented(*row[0]))
		}
	}
	if len(plan) > maxPlanLines {
		plan = append(plan[:maxPlanLines], "… and more")
	}
	return plan, nil
}

// planned tells whether EXPLAIN takes the statement.
func (s soleSQL) planned() bool {
	return slices.Contains([]string{"SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE"}, s.word(0))
}

// indented is a line of a plan, whose blanks tell its depth, cut to what a
// terminal shows.
func indented(line string) string {
	text := strings.TrimLeft(line, " ")
	return line[:len(line)-len(text)] + cell([]byte(text))
}
