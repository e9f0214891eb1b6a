package runbooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Preview is what a change would do, found out without doing any of it. All
// texts may hold what the cluster or the database says.
type Preview struct {
	Where    string   // cluster and namespace, or the database and its user
	Now      []string // what is, one fact a line
	After    []string // what would be
	Plan     []string // of the planner, for a statement that it plans; at most maxPlanLines
	Diff     []string // unified lines of what the cluster would keep, at most maxDiffLines
	Checked  []string // how it was found out
	Warnings []string // what to think twice about
}

const (
	// previewLimit bounds a preview: somebody waits with a finger on the key.
	previewLimit = 5 * time.Second
	// maxPreviewFacts bounds Now and After.
	maxPreviewFacts = 12
	// maxPreviewCalls bounds how many calls of one script are looked at.
	maxPreviewCalls = 2
)

// ErrNoPreview says that what a command does cannot be told before it runs.
var ErrNoPreview = errors.New("it cannot be told before it runs")

func noPreview(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNoPreview, fmt.Sprintf(format, args...))
}

// PreviewOf finds out what a bound command would change: now and after. It
// takes at most previewLimit and changes nothing: the cluster is read, or told
// to try without doing (--dry-run=server), and the database is read in
// read-only transactions. db may be nil.
//
// The error is ErrNoPreview when there is no way to tell, and otherwise what
// the cluster or the database said, which is what would happen when the command
// runs.
func PreviewOf(ctx context.Context, cmd Bound, target Target, db *SQLExecutor) (Preview, error) {
	ctx, cancel := context.WithTimeout(ctx, previewLimit)
	defer cancel()
	var p Preview
	var err error
	if cmd.Command.Language == SQL {
		p, err = previewSQL(ctx, cmd.Script, db)
	} else {
		p, err = previewShell(ctx, cmd, target, db)
	}
	p.bound()
	p.mask(cmd.Secrets)
	return p, maskError(err, cmd.Secrets)
}

// previewShell previews the calls of kubectl that change something, in a script
// that does nothing else.
func previewShell(ctx context.Context, cmd Bound, target Target, db *SQLExecutor) (Preview, error) {
	if statement, ok := psqlStatement(cmd.Script); ok {
		p, err := previewSQL(ctx, statement, db)
		p.Warnings = append(p.Warnings, "asked of the configured database; the command connects from inside the pod, with settings of its own")
		return p, err
	}
	calls, others := kubectlCalls(cmd.Script, cmd.Env)
	var changing []kubectlCall
	for _, call := range calls {
		if call.changes() {
			changing = append(changing, call)
		}
	}
	switch {
	case len(changing) == 0:
		return Preview{}, noPreview("only kubectl and SQL can be tried without effect")
	case len(changing) > maxPreviewCalls:
		return Preview{}, noPreview("it changes more than %d things one after the other", maxPreviewCalls)
	}
	p := Preview{Where: target.Context + " / " + changing[0].where(target)}
	for _, call := range changing {
		one, err := target.preview(ctx, call)
		if err != nil {
			return p, err
		}
		p.join(one)
	}
	if others {
		p.Warnings = append(p.Warnings, "the script does more than kubectl; only what kubectl would do is told here")
	}
	return p, nil
}

// psqlStatement is the statement of a script that is one psql -c, in a pod or
// here.
func psqlStatement(script string) (string, bool) {
	file, err := parseShell(script)
	if err != nil || len(file.Stmts) != 1 {
		return "", false
	}
	statement, found := "", 0
	shellVisitor{call: func(inv invocation, _ bool) {
		if inv.name != "psql" {
			return
		}
		for _, given := range optionValues(inv.args, "-c", "--command") {
			switch sql, ok := bareStatement(given.text); {
			case !given.static:
				found = 2 // nobody knows what it is
			case ok:
				statement, found = sql, found+1
			}
		}
	}}.visit(file, local, 0)
	return statement, found == 1
}

// bareStatement is a statement without what carries it through a session
// (ThroughSession); ok is false for what only carries one.
func bareStatement(sql string) (statement string, ok bool) {
	s := sqlJudge{text: sql, tokens: lexSQL(sql)}
	switch s.word(0) {
	case "SET", "BEGIN", "FETCH":
		return "", false
	case "DECLARE":
		if i := slices.IndexFunc(s.tokens, func(t sqlToken) bool { return strings.EqualFold(sql[t.start:t.end], "FOR") }); i >= 0 {
			return sql[s.tokens[i].end:], true
		}
	}
	return sql, true
}

func (p *Preview) join(other Preview) {
	p.Now, p.After = append(p.Now, other.Now...), append(p.After, other.After...)
	p.Diff, p.Checked = append(p.Diff, other.Diff...), append(p.Checked, other.Checked...)
	p.Warnings = append(p.Warnings, other.Warnings...)
}

// bound cuts what is too long to be read before a decision.
func (p *Preview) bound() {
	cut := func(lines []string, most int) []string {
		if len(lines) <= most {
			return lines
		}
		return append(lines[:most-1:most-1], fmt.Sprintf("… and %d more", len(lines)-most+1))
	}
	p.Now, p.After = cut(p.Now, maxPreviewFacts), cut(p.After, maxPreviewFacts)
	p.Diff = cut(p.Diff, maxDiffLines)
	for _, lines := range [][]string{p.Now, p.After, p.Diff, p.Warnings} {
		for i, line := range lines {
			lines[i] = cell([]byte(line))
		}
	}
}

// masked is what stands for a secret.
const masked = "••••••"

// mask hides the values that are secret.
func (p *Preview) mask(secrets []string) {
	for _, lines := range [][]string{p.Now, p.After, p.Plan, p.Diff, p.Checked, p.Warnings} {
		for i := range lines {
			lines[i] = maskText(lines[i], secrets)
		}
	}
}

func maskText(text string, secrets []string) string {
	for _, secret := range secrets {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, masked)
		}
	}
	return text
}

// maskError keeps what an error is while its text is masked.
func maskError(err error, secrets []string) error {
	if err == nil || maskText(err.Error(), secrets) == err.Error() {
		return err
	}
	text := maskText(err.Error(), secrets)
	if errors.Is(err, ErrNoPreview) {
		return noPreview("%s", strings.TrimPrefix(text, ErrNoPreview.Error()+": "))
	}
	return errors.New(text)
}
