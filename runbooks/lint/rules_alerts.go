package lint

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/erpgo/flightdeck/runbooks"
)

// leadsTo tells whether an alerting rule leads to a runbook among the files.
func (l *linter) leadsTo(rule AlertRule) bool {
	for _, f := range l.files {
		for _, rb := range f.book.Runbooks {
			if rb.Alert == rule.Name {
				return true
			}
		}
		for _, ref := range f.book.References {
			if ref.Alert == rule.Name {
				return true
			}
		}
	}
	u, err := url.Parse(rule.RunbookURL)
	if err != nil || rule.RunbookURL == "" {
		return false
	}
	for _, f := range l.files {
		if _, found := f.book.Anchors[strings.ToLower(u.Fragment)]; found && u.Fragment != "" {
			return true
		}
		if u.Fragment == "" && strings.EqualFold(stem(f.path), stem(u.Path)) {
			return true
		}
	}
	return false
}

func stem(p string) string {
	base := path.Base(strings.ReplaceAll(p, `\`, "/"))
	return strings.TrimSuffix(base, path.Ext(base))
}

func alertWithoutRunbook(l *linter) {
	told := map[string]bool{}
	for _, rule := range l.options.Rules {
		if told[rule.Name] || l.leadsTo(rule) {
			continue
		}
		told[rule.Name] = true
		if rule.RunbookURL != "" {
			l.findRule(rule, "no runbook belongs to the alert %s: its runbook_url %s leads to none of these files", rule.Name, rule.RunbookURL)
			continue
		}
		l.findRule(rule, "no runbook belongs to the alert %s; name it in a runbook, or set its annotation runbook_url", rule.Name)
	}
}

// findRule notes a finding where an alerting rule stands: in its own file, or in
// the first runbook where the rule came from a server.
func (l *linter) findRule(rule AlertRule, format string, args ...any) {
	if rule.File != "" {
		l.findings = append(l.findings, Finding{File: rule.File, Line: max(rule.Line, 1), Rule: l.rule.Name, Severity: l.rule.Severity, Message: fmt.Sprintf(format, args...)})
		return
	}
	if len(l.files) > 0 {
		l.findIn(l.files[0], 1, format, args...)
	}
}

func runbookWithoutAlert(l *linter) {
	if len(l.options.Rules) == 0 {
		return
	}
	for _, f := range l.files {
		for _, rb := range f.book.Runbooks {
			if rb.Alert != "" && !slices.ContainsFunc(l.options.Rules, func(r AlertRule) bool { return r.Name == rb.Alert }) {
				l.findIn(f, rb.Line, "there is no alerting rule %s", rb.Alert)
			}
		}
	}
}

func duplicateAlert(l *linter) {
	type place struct {
		file *file
		rb   *runbooks.Runbook
	}
	first := map[string]place{}
	for _, f := range l.files {
		for i := range f.book.Runbooks {
			rb := &f.book.Runbooks[i]
			if rb.Alert == "" {
				continue
			}
			if before, ok := first[rb.Alert]; ok {
				l.findIn(f, rb.Line, "%q is for %s, as is %q (%s:%d)", rb.Title, rb.Alert, before.rb.Title, before.file.path, before.rb.Line)
				continue
			}
			first[rb.Alert] = place{f, rb}
		}
	}
}

var promParser = parser.NewParser(parser.Options{})

// selectors are the series that an expression selects.
func selectors(expr string) []string {
	parsed, err := promParser.ParseExpr(expr)
	if err != nil {
		return nil
	}
	var out []string
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			bare := *v
			bare.OriginalOffset, bare.Offset, bare.Timestamp, bare.StartOrEnd = 0, 0, nil, 0
			if s := bare.String(); !slices.Contains(out, s) {
				out = append(out, s)
			}
		}
		return nil
	})
	return out
}

func missingSeries(l *linter) {
	if l.options.Prometheus == nil {
		return
	}
	known := map[string]bool{}
	exists := func(selector string) bool {
		if found, ok := known[selector]; ok {
			return found
		}
		found, err := l.options.Prometheus.HasSeries(l.ctx, selector)
		if err != nil {
			l.err = errors.Join(l.err, fmt.Errorf("ask prometheus for series of %s: %w", selector, err))
			found = true
		}
		known[selector] = found
		return found
	}
	for _, rule := range l.options.Rules {
		for _, s := range selectors(rule.Expr) {
			if l.err == nil && !exists(s) {
				l.findRule(rule, "%s: no series matches %s", rule.Name, s)
			}
		}
	}
	for _, f := range l.files {
		f.steps(func(_ *runbooks.Runbook, st *runbooks.Step) {
			for _, q := range st.Queries {
				expr := q.Original
				if !q.Parses {
					expr = q.Repair
				}
				for _, s := range selectors(expr) {
					if l.err == nil && !exists(s) {
						l.findIn(f, q.Line, "no series matches %s", s)
					}
				}
			}
		})
	}
}
