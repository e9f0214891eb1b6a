// Package lint finds what is wrong with runbooks before an incident does: for
// the teams that keep them in git.
package lint

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/erpgo/flightdeck/runbooks"
)

// Severity is how bad a finding is.
type Severity string

// The severities. Only an Error makes the linter fail.
const (
	Error   Severity = "error"   // the step cannot work, or does not do what it says
	Warning Severity = "warning" // it works, and will hurt somebody some day
	Note    Severity = "note"    // worth knowing
)

// Finding is one thing that is wrong.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line"` // from 1
	Rule     string   `json:"rule"`
	Severity Severity `json:"severity"`
	Message  string   `json:"message"`
}

// Options is what the linter may know beside the files.
type Options struct {
	// Rules are the alerting rules that the runbooks are for. Without any, the
	// rules that compare them with the runbooks are silent.
	Rules []AlertRule
	// Prometheus answers whether series exist; nil leaves that out.
	Prometheus Prometheus
}

// Prometheus is what the linter asks a Prometheus server.
type Prometheus interface {
	// AlertRules are the alerting rules that the server has loaded.
	AlertRules(ctx context.Context) ([]AlertRule, error)
	// HasSeries tells whether a selector has matched any series lately.
	HasSeries(ctx context.Context, selector string) (bool, error)
}

// Lint reads the Markdown files of paths (files or folders) and returns what it
// finds, by file and line. It fails only when a path cannot be read or
// Prometheus does not answer.
func Lint(ctx context.Context, paths []string, o Options) ([]Finding, error) {
	files, err := markdownFiles(paths)
	if err != nil {
		return nil, err
	}
	if o.Prometheus != nil {
		rules, err := o.Prometheus.AlertRules(ctx)
		if err != nil {
			return nil, fmt.Errorf("ask prometheus for its alerting rules: %w; leave --prometheus out to check without", err)
		}
		o.Rules = append(slices.Clone(o.Rules), rules...)
	}
	l := &linter{ctx: ctx, options: o}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("lint %s: %w", path, err)
		}
		f, err := newFile(path, src)
		if err != nil {
			return nil, err
		}
		l.files = append(l.files, f)
	}
	for _, r := range rules {
		l.rule = r
		for _, f := range l.files {
			l.file = f
			if r.file != nil {
				r.file(l)
			}
		}
		if r.all != nil {
			r.all(l)
		}
	}
	if l.err != nil {
		return nil, l.err
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Rule, b.Rule))
	})
	return l.findings, nil
}

// Failed tells whether there is an error among the findings.
func Failed(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == Error })
}

// markdownFiles are the Markdown files of files and folders; a file that is
// named is taken whatever its name is.
func markdownFiles(paths []string) ([]string, error) {
	var out []string
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fmt.Errorf("lint %s: %w", path, err)
			case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
				return fs.SkipDir
			case d.IsDir():
			case path == root || isMarkdown(path):
				out = append(out, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func isMarkdown(path string) bool {
	extension := filepath.Ext(path)
	return strings.EqualFold(extension, ".md") || strings.EqualFold(extension, ".markdown") || strings.EqualFold(extension, ".mdown")
}

// linter runs the rules.
type linter struct {
	ctx      context.Context
	options  Options
	files    []*file
	file     *file // that is being looked at
	rule     Rule  // that is being applied
	findings []Finding
	err      error
}

// file is one Markdown file.
type file struct {
	path  string
	book  *runbooks.Book
	lines []string
	off   []suppression
}

func newFile(path string, src []byte) (*file, error) {
	book, err := runbooks.Parse(path, src)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(strings.ReplaceAll(string(src), "\r\n", "\n"), "\n")
	return &file{path: path, book: book, lines: lines, off: suppressions(src)}, nil
}

// find notes a finding of the current rule, unless the file switches it off.
func (l *linter) find(line int, format string, args ...any) {
	l.findIn(l.file, line, format, args...)
}

func (l *linter) findIn(f *file, line int, format string, args ...any) {
	if f.suppressed(l.rule.Name, line) {
		return
	}
	l.findings = append(l.findings, Finding{File: f.path, Line: max(line, 1), Rule: l.rule.Name, Severity: l.rule.Severity, Message: fmt.Sprintf(format, args...)})
}

// steps calls fn for every step of the file, nested ones too.
func (f *file) steps(fn func(rb *runbooks.Runbook, st *runbooks.Step)) {
	var walk func(rb *runbooks.Runbook, steps []runbooks.Step)
	walk = func(rb *runbooks.Runbook, steps []runbooks.Step) {
		for i := range steps {
			fn(rb, &steps[i])
			walk(rb, steps[i].Steps)
		}
	}
	for i := range f.book.Runbooks {
		rb := &f.book.Runbooks[i]
		for k := range rb.Sections {
			walk(rb, rb.Sections[k].Steps)
		}
	}
}

// commands calls fn for every command of the file.
func (f *file) commands(fn func(st *runbooks.Step, c *runbooks.Command)) {
	f.steps(func(_ *runbooks.Runbook, st *runbooks.Step) {
		for i := range st.Commands {
			fn(st, &st.Commands[i])
		}
	})
}
