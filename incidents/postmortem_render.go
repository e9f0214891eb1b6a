package incidents

import (
	_ "embed"
	htmltemplate "html/template"
	"io"
	"regexp"
	"strings"
	"text/template"
	"time"
)

//go:embed postmortem.md.tmpl
var markdownTemplate string

//go:embed postmortem.html.tmpl
var htmlTemplate string

// WriteMarkdown writes the post-mortem as Markdown.
func (p PostMortem) WriteMarkdown(w io.Writer) error {
	t, err := template.New("markdown").Funcs(documentFuncs).Parse(markdownTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, p)
}

// WriteHTML writes the post-mortem as one page that needs nothing beside it: no
// script, no font, no image from elsewhere.
func (p PostMortem) WriteHTML(w io.Writer) error {
	t, err := htmltemplate.New("html").Funcs(htmltemplate.FuncMap(documentFuncs)).Parse(htmlTemplate)
	if err != nil {
		return err
	}
	page := struct {
		PostMortem
		Frame    frame
		Drawings []drawing
		Legend   []Mark
	}{PostMortem: p, Frame: chartFrame}
	for _, c := range p.Charts {
		page.Drawings = append(page.Drawings, draw(c))
		page.Legend = c.Marks // the same for all
	}
	return t.Execute(w, page)
}

// WriteJSON writes the post-mortem for other programs.
func (p PostMortem) WriteJSON(w io.Writer) error {
	data, err := plainJSON(p)
	if err != nil {
		return err
	}
	_, err = w.Write(append(data, '\n'))
	return err
}

// documentFuncs are what the templates write values with.
var documentFuncs = map[string]any{
	"md":     escapeMarkdown,
	"line":   oneLine,
	"fenced": fenced,
	"value":  FormatValue,
	"optional": func(v *float64, unit string) string {
		if v == nil {
			return "–"
		}
		return FormatValue(*v, unit)
	},
	"when": func(t time.Time) string {
		if t.IsZero() {
			return "–"
		}
		return t.UTC().Format("2006-01-02 15:04:05 UTC")
	},
	"clock": func(t time.Time) string { return t.UTC().Format(time.TimeOnly) },
}

// oneLine shows line breaks instead of making them.
func oneLine(s string) string { return strings.ReplaceAll(strings.TrimSpace(s), "\n", " ⏎ ") }

// markdownSpecial is what Markdown may take for more than text, in a line of a
// table as well.
var markdownSpecial = regexp.MustCompile("[\\\\`*_{}\\[\\]<>#|~!&]")

// escapeMarkdown writes text so that it is nothing but text.
func escapeMarkdown(s string) string { return markdownSpecial.ReplaceAllString(oneLine(s), `\$0`) }

// fenced writes a block of code, with a fence that does not occur in it.
func fenced(s string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + "\n" + strings.TrimRight(s, "\n") + "\n" + fence
}
