package lint

import (
	"errors"
	"strings"

	"github.com/erpgo/flightdeck/runbooks"
)

func promql(l *linter) {
	l.file.steps(func(_ *runbooks.Runbook, st *runbooks.Step) {
		for _, q := range st.Queries {
			switch {
			case q.Parses:
			case len(q.Repairs) > 1:
				l.find(q.Line, "%s does not parse; meant is one of: %s", oneLine(q.Original), strings.Join(q.Repairs, "  or  "))
			case q.Repair != "":
				l.find(q.Line, "%s does not parse; meant is probably: %s", oneLine(q.Original), q.Repair)
			default:
				l.find(q.Line, "%s does not parse", oneLine(q.Original))
			}
		}
	})
}

func bash(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		if c.Language == runbooks.Bash && c.Problem != "" {
			l.find(c.Line, "%s: %s", oneLine(c.Text), c.Problem)
		}
	})
}

// sql looks at statements, and at those that psql is given in a command.
func sql(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		texts := []string{}
		if c.Language == runbooks.SQL {
			texts = append(texts, c.Text)
		}
		for _, call := range runbooks.Calls(*c) {
			if call.Program == "psql" {
				texts = append(texts, call.Values("-c", "--command")...)
			}
		}
		for _, text := range texts {
			if problem := runbooks.SQLProblem(text); problem != "" {
				l.find(c.Line, "%s: %s", oneLine(text), problem)
			}
		}
	})
}

func markdown(l *linter) {
	for _, p := range l.file.book.Problems {
		l.find(p.Line, "%s", p.Message)
	}
}

// samples are values that anything of the kind could have: a placeholder that
// does not take one takes none.
var samples = map[runbooks.Kind]string{
	runbooks.KindAddress: "10.4.8.15", runbooks.KindNetwork: "10.4.8.0/24", runbooks.KindRevision: "41", runbooks.KindBackend: "4411", runbooks.KindNumber: "3",
	runbooks.KindTime: "20260101", runbooks.KindWAL: "000000010000000000000012", runbooks.KindImage: "erpgo", runbooks.KindStatement: "SELECT 1",
}

// placeholder binds every command with plain values.
func placeholder(l *linter) {
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		if c.Problem != "" || len(c.Placeholders) == 0 {
			return
		}
		values := map[string]string{}
		for _, name := range append(append([]string{}, c.Placeholders...), c.Variables...) {
			values[name] = samples[runbooks.Describe(name).Kind]
			if values[name] == "" {
				values[name] = "1"
			}
		}
		var refused *runbooks.RefusedError
		if _, err := runbooks.Bind(*c, values); errors.As(err, &refused) {
			l.find(c.Line, "<%s> in %s: %s", refused.Name, oneLine(c.Text), refused.Reason)
		}
	})
}

const maxQuoted = 80 // bytes of a command that a message repeats

// oneLine is a text as a message can hold it.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if len(s) > maxQuoted {
		s = strings.ToValidUTF8(s[:maxQuoted], "") + "…"
	}
	return s
}
