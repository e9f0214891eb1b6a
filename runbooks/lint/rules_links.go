package lint

import (
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/erpgo/flightdeck/runbooks"
)

// target splits a link into a file, relative to the runbook's, and an anchor; ok
// is false for links to elsewhere.
func (f *file) target(link string) (path, anchor string, ok bool) {
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "" || u.Host != "" || strings.HasPrefix(link, "//") {
		return "", "", false
	}
	if u.Path != "" {
		path = filepath.Join(filepath.Dir(f.path), filepath.FromSlash(u.Path))
	}
	return path, strings.ToLower(u.Fragment), true
}

func deadAnchor(l *linter) {
	for _, link := range l.file.book.Links {
		path, anchor, ok := l.file.target(link.URL)
		if !ok || anchor == "" {
			continue
		}
		target := l.file
		if path != "" {
			if target = l.open(path); target == nil {
				continue // not there, or no Markdown
			}
		}
		if _, found := target.book.Anchors[anchor]; !found && !target.marked(anchor) {
			l.find(link.Line, "%s: there is no heading #%s", link.URL, anchor)
		}
	}
}

// marked tells whether a file has an anchor of its own in HTML.
func (f *file) marked(anchor string) bool {
	for _, line := range f.lines {
		for _, m := range htmlAnchor.FindAllStringSubmatch(line, -1) {
			if strings.EqualFold(m[1], anchor) {
				return true
			}
		}
	}
	return false
}

var htmlAnchor = regexp.MustCompile(`<[a-zA-Z][^>]*\b(?:id|name)\s*=\s*["']?([^"'\s>]+)`)

// open is a Markdown file that is linted, or that a link leads to; nil where
// there is none.
func (l *linter) open(path string) *file {
	for _, f := range l.files {
		if filepath.Clean(f.path) == path {
			return f
		}
	}
	if !isMarkdown(path) {
		return nil
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	f, err := newFile(path, src)
	if err != nil {
		return nil
	}
	return f
}

func deadFile(l *linter) {
	for _, link := range l.file.book.Links {
		path, _, ok := l.file.target(link.URL)
		if !ok || path == "" {
			continue
		}
		if _, err := os.Stat(path); err != nil {
			l.find(link.Line, "%s: there is no such file", link.URL)
		}
	}
}

func missingFile(l *linter) {
	told := map[string]bool{}
	l.file.commands(func(_ *runbooks.Step, c *runbooks.Command) {
		for _, name := range c.Files {
			if told[name] || strings.ContainsAny(name, "<*?~$") || slices.Contains(c.Writes, name) || filepath.IsAbs(name) || besideOrAbove(filepath.Dir(l.file.path), name) {
				continue
			}
			told[name] = true
			l.find(c.Line, "%s: there is no such file beside the runbook or above it", name)
		}
	})
}

const maxUp = 8 // folders above a runbook in which its scripts may be

func besideOrAbove(dir, name string) bool {
	for range maxUp {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil {
			return false // the top of the repository
		}
		dir = filepath.Join(dir, "..")
	}
	return false
}

func notInContents(l *linter) {
	_, contents, ok := strings.Cut(l.file.book.Text, "Table of Contents")
	if !ok {
		return
	}
	for _, rb := range l.file.book.Runbooks {
		if !strings.Contains(contents, "(#"+rb.Anchor+")") {
			l.find(rb.Line, "%q is not in the table of contents", rb.Title)
		}
	}
}
