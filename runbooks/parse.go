package runbooks

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

// Parse reads one Markdown file. file is kept as it is given and is where names
// come from when a heading gives none. It fails for nothing but a file that is
// too large; whatever it does not understand is kept as text.
func Parse(file string, src []byte) (*Book, error) {
	if len(src) > MaxFileSize {
		return nil, &SizeError{File: file, Size: int64(len(src))}
	}
	return read(file, src, true), nil
}

// read reads a file: whole, or only what a library has to know to find its
// runbooks, without their descriptions, sections and links.
func read(file string, src []byte, whole bool) *Book {
	p := &bookReader{source: newSource(src), whole: whole}
	p.book = &Book{File: file, Meta: p.meta}
	doc := p.parseMarkdown()
	root, anchors := p.outline(doc)
	p.book.Anchors = anchors
	p.book.Title = p.title(root)
	if p.raw != "" && p.meta == nil {
		p.book.Text = p.raw
	}
	p.divide(root)
	p.references(doc)
	if p.whole {
		p.book.Links = p.linksIn(doc)
	}
	p.book.Problems = p.problems
	return p.book
}

// bookReader turns one file's tree into a Book.
type bookReader struct {
	*source
	book  *Book
	whole bool
}

func itoa(n int) string { return strconv.Itoa(n) }

// title is the front matter's title, the first heading, or the file's name.
func (p *bookReader) title(root *heading) string {
	if t := p.meta["title"]; t != "" {
		return t
	}
	for _, h := range root.children {
		if h.title != "" {
			return h.title
		}
	}
	base := filepath.Base(p.book.File)
	return firstOf(strings.TrimSuffix(base, filepath.Ext(base)), base)
}

// aside keeps Markdown that belongs to no runbook.
func (p *bookReader) aside(from, to int) {
	if !p.whole {
		return
	}
	text := p.slice(from, to, 0)
	if strings.TrimSpace(text) == "" {
		return
	}
	if p.book.Text != "" {
		p.book.Text += "\n\n"
	}
	p.book.Text += text
}

// header is what a runbook says about itself before its first section.
type header struct {
	alert, severity, threshold, description string
	rest                                    []ast.Node // blocks that say something else
}

var (
	fieldName = regexp.MustCompile(`^[A-Za-z][A-Za-z /-]*$`)
	thinField = regexp.MustCompile(`(?s)^(Alert|Alert name|Severity|Description|Threshold):\s+(.*)$`)
	severity  = regexp.MustCompile(`(?im)^[-*]\s*severity:\s*(\S.*)$`)
	threshold = regexp.MustCompile(`(?im)^[-*]\s*threshold:\s*(\S.*)$`)
)

// header reads the blocks directly under a heading, once.
func (p *bookReader) header(h *heading) header {
	if !h.hasHead {
		h.head, h.hasHead = p.readHeader(h), true
	}
	return h.head
}

func (p *bookReader) readHeader(h *heading) header {
	var out header
	for i, b := range h.blocks {
		if b.Kind() != ast.KindParagraph && b.Kind() != ast.KindList {
			out.rest = append(out.rest, b)
			continue
		}
		raw := p.blockText(h, i)
		name, value := field(b, raw)
		switch name {
		case "alert", "alert name", "alertname", "alert rule":
			out.alert = firstCode(value)
		case "severity", "priority":
			out.severity = strings.ToLower(strings.Trim(value, " .`*"))
		case "threshold":
			out.threshold = value
		case "description", "purpose", "summary":
			out.description = value
		default:
			out.rest = append(out.rest, b)
		}
		if b.Kind() != ast.KindList || !strings.Contains(raw, "everity") && !strings.Contains(raw, "hreshold") {
			continue
		}
		if m := severity.FindStringSubmatch(raw); m != nil && out.severity == "" {
			out.severity = strings.ToLower(strings.Trim(m[1], " .`*"))
		}
		if m := threshold.FindStringSubmatch(raw); m != nil && out.threshold == "" {
			out.threshold = strings.TrimSpace(m[1])
		}
	}
	return out
}

// field splits a paragraph that says "**Name:** value"; name is lower case and
// empty where the block says something else.
func field(b ast.Node, raw string) (name, value string) {
	if b.Kind() != ast.KindParagraph {
		return "", ""
	}
	if bold, rest, ok := cutBold(raw); ok {
		name, value = strings.TrimRight(bold, ": "), strings.TrimSpace(strings.TrimLeft(rest, ": "))
		if value == "" || len(name) > 40 || !fieldName.MatchString(name) {
			return "", ""
		}
		return strings.ToLower(name), value
	}
	var m []string
	if raw != "" && strings.IndexByte("ASDT", raw[0]) >= 0 {
		m = thinField.FindStringSubmatch(raw)
	}
	if m == nil || strings.TrimSpace(m[2]) == "" {
		return "", ""
	}
	return strings.ToLower(strings.TrimSpace(m[1])), strings.TrimSpace(m[2])
}

// firstCode is the first code span of a text, or its first word.
func firstCode(s string) string {
	if _, rest, ok := strings.Cut(s, "`"); ok {
		if code, _, ok := strings.Cut(rest, "`"); ok {
			return strings.TrimSpace(code)
		}
	}
	if f := strings.Fields(s); len(f) > 0 {
		return strings.Trim(f[0], "*_.,")
	}
	return ""
}

// blockText is the Markdown of the i-th block directly under a heading.
func (p *bookReader) blockText(h *heading, i int) string {
	from, to := p.blockRange(h, i)
	return p.slice(from, to, 0)
}

func (p *bookReader) blockRange(h *heading, i int) (from, to int) {
	from, to = p.lineStart(max(h.blocks[i].Pos(), h.body)), p.childrenStart(h)
	if i+1 < len(h.blocks) {
		to = p.lineStart(max(h.blocks[i+1].Pos(), h.body))
	}
	return from, to
}

// runbook reads everything under a heading as one runbook.
func (p *bookReader) runbook(h *heading) {
	head := p.header(h)
	rb := Runbook{
		Title: h.title, Anchor: h.anchor, File: p.book.File, Line: max(h.line, 1),
		EndLine: p.line(max(h.end-1, 0)), Alert: head.alert, Severity: head.severity,
		Threshold: head.threshold, Description: head.description,
	}
	rb.Title = firstOf(rb.Title, p.book.Title)
	if h.level == 0 || h.level == 1 && rb.Title == p.book.Title {
		rb.Title = firstOf(p.meta["title"], rb.Title)
		rb.Alert = firstOf(rb.Alert, p.meta["alert"], p.meta["alertname"])
		rb.Severity = firstOf(rb.Severity, strings.ToLower(p.meta["severity"]))
		rb.Threshold = firstOf(rb.Threshold, p.meta["threshold"])
	}
	if m := alertHead.FindStringSubmatch(h.title); m != nil && rb.Alert == "" {
		rb.Alert = m[1]
	}
	if rb.Alert == "" && alertName.MatchString(h.title) {
		rb.Alert = h.title
	}
	rb.Name = firstOf(slug(rb.Title), slug(p.book.Title), "runbook")
	if rb.Anchor == "" {
		rb.Anchor = rb.Name
	}
	if !p.whole {
		rb.Description = ""
		rb.escalates = escalates(h)
		p.book.Runbooks = append(p.book.Runbooks, rb)
		return
	}
	s := &sectionReader{bookReader: p, rb: &rb}
	s.read(h, head)
	rb.Links = p.links(h)
	if rb.Threshold == "" {
		for _, sec := range rb.Sections {
			if !strings.Contains(sec.Text, "hreshold") {
				continue
			}
			if m := threshold.FindStringSubmatch(sec.Text); m != nil {
				rb.Threshold = strings.TrimSpace(m[1])
				break
			}
		}
	}
	p.book.Runbooks = append(p.book.Runbooks, rb)
}

// escalates tells whether an escalation path stands under a heading.
func escalates(h *heading) bool {
	for _, c := range h.children {
		if kind, _ := c.section(); kind == Escalation || escalates(c) {
			return true
		}
	}
	return false
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// links are the links under a heading, in order.
func (p *bookReader) links(h *heading) []Link {
	var out []Link
	for _, b := range h.blocks {
		out = append(out, p.linksIn(b)...)
	}
	for _, c := range h.children {
		out = append(out, p.links(c)...)
	}
	return out
}

// linksIn are the links below a node, in order.
func (p *bookReader) linksIn(root ast.Node) []Link {
	var out []Link
	_ = ast.Walk(root, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			out = append(out, Link{p.plain(n), string(n.Destination), p.inlineLine(n)})
		case *ast.AutoLink:
			out = append(out, Link{string(n.Label(p.text)), autoURL(n, p.text), p.inlineLine(n)})
		}
		return ast.WalkContinue, nil
	})
	return out
}

func autoURL(n *ast.AutoLink, source []byte) string {
	if url := string(n.URL(source)); n.AutoLinkType != ast.AutoLinkEmail || strings.HasPrefix(url, "mailto:") {
		return url
	}
	return "mailto:" + string(n.URL(source))
}

// inlineLine is the line of an inline node, or of the block that holds it.
func (p *bookReader) inlineLine(n ast.Node) int {
	for ; n != nil; n = n.Parent() {
		if pos := n.Pos(); pos >= 0 {
			return p.line(pos)
		}
	}
	return 1
}

// references reads the tables that name an alert and link its runbook.
func (p *bookReader) references(doc ast.Node) {
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		table, ok := n.(*extast.Table)
		if !ok || !entering {
			return ast.WalkContinue, nil
		}
		rule, alert, sev := -1, -1, -1
		for row := table.FirstChild(); row != nil; row = row.NextSibling() {
			var ref Reference
			column := 0
			for cell := row.FirstChild(); cell != nil; cell = cell.NextSibling() {
				text := p.plain(cell)
				if row.Kind() == extast.KindTableHeader {
					switch t := strings.ToLower(text); {
					case strings.Contains(t, "rule"):
						rule = column
					case strings.Contains(t, "alert"):
						alert = column
					case strings.Contains(t, "severity") || strings.Contains(t, "priority"):
						sev = column
					}
				} else {
					if column == rule || (column == alert && rule < 0) {
						ref.Alert = text
					}
					if column == sev {
						ref.Severity = strings.ToLower(text)
					}
					if link := firstLink(cell); link != nil && ref.URL == "" {
						ref.URL = string(link.Destination)
					}
				}
				column++
			}
			if ref.URL != "" && (alert >= 0 || rule >= 0) {
				ref.Alert, ref.Severity = applicable(ref.Alert), applicable(ref.Severity)
				ref.Line = p.line(max(row.Pos(), 0))
				p.book.References = append(p.book.References, ref)
			}
		}
		return ast.WalkSkipChildren, nil
	})
}

// applicable is a table's cell, empty where it says that it does not apply.
func applicable(cell string) string {
	switch strings.ToLower(cell) {
	case "n/a", "-", "–", "—", "none":
		return ""
	}
	return cell
}

func firstLink(n ast.Node) *ast.Link {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if link, ok := c.(*ast.Link); ok {
			return link
		}
		if link := firstLink(c); link != nil {
			return link
		}
	}
	return nil
}
