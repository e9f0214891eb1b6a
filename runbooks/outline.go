package runbooks

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// heading is a heading of the file with the blocks that stand directly under
// it; the root has level 0 and holds what stands before the first heading.
type heading struct {
	level    int
	title    string
	anchor   string
	line     int
	start    int // offset of its line
	body     int // offset where its blocks begin
	end      int // offset after everything under it, children included
	blocks   []ast.Node
	children []*heading
}

// outline turns the document's flat list of blocks into a tree of headings.
func (s *source) outline(doc ast.Node) (root *heading, anchors map[string]int) {
	root = &heading{end: len(s.text)}
	anchors = map[string]int{}
	path := []*heading{root}
	closeUpTo := func(level, offset int) {
		for len(path) > 1 && path[len(path)-1].level >= level {
			path[len(path)-1].end = offset
			path = path[:len(path)-1]
		}
	}
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		h, ok := n.(*ast.Heading)
		if !ok {
			top := path[len(path)-1]
			top.blocks = append(top.blocks, n)
			continue
		}
		start := s.lineStart(max(h.Pos(), 0))
		closeUpTo(h.Level, start)
		node := &heading{level: h.Level, title: s.plain(h), line: s.line(start), start: start, end: len(s.text)}
		node.anchor = slug(node.title)
		if id, ok := h.AttributeString("id"); ok {
			if b, ok := id.([]byte); ok {
				node.anchor = string(b)
			}
		}
		for base, i := node.anchor, 1; ; i++ {
			if _, taken := anchors[node.anchor]; !taken {
				break
			}
			node.anchor = base + "-" + itoa(i)
		}
		anchors[node.anchor] = node.line
		node.body = s.headingEnd(h, start)
		parent := path[len(path)-1]
		parent.children = append(parent.children, node)
		path = append(path, node)
	}
	closeUpTo(1, len(s.text))
	return root, anchors
}

// headingEnd is the offset of the line after a heading: one line for an ATX
// heading, the underline as well for a setext heading.
func (s *source) headingEnd(h *ast.Heading, start int) int {
	row := s.row(start)
	if h.Lines().Len() > 0 {
		row = s.row(h.Lines().At(h.Lines().Len() - 1).Start)
	}
	row++
	if s.text[start+indentOf(s.text[start:])] != '#' {
		row++
	}
	if row >= len(s.starts) {
		return len(s.text)
	}
	return s.starts[row]
}

func indentOf(b []byte) int {
	n := 0
	for n < len(b)-1 && (b[n] == ' ' || b[n] == '\t') {
		n++
	}
	return n
}

// sectionTitles are the headings that teams give to the parts of a runbook.
var sectionTitles = []struct {
	kind  SectionKind
	title *regexp.Regexp
}{
	{Symptoms, regexp.MustCompile(`^(symptoms?|meaning|impact|overview|summary|description|what (is|does) (this|it).*|user impact|customer impact)$`)},
	{Investigation, regexp.MustCompile(`^((initial |first )?(investigation|diagnosis|diagnostics?|debugging|triage|troubleshooting|analysis)( steps)?|how to (investigate|diagnose|debug)|investigate|diagnose|debug|first (response|steps))$`)},
	{Resolution, regexp.MustCompile(`^((immediate |possible |suggested )?(resolution|mitigation|remediation|recovery|fix|fixes|solution|solutions|workaround|workarounds|response)s?( steps)?|how to (fix|resolve|mitigate)|mitigate|resolve|immediate actions?)$`)},
	{Prevention, regexp.MustCompile(`^(prevention|preventive measures|follow[ -]?ups?|long[ -]term (fix|fixes|solutions?))$`)},
	{Related, regexp.MustCompile(`^(related( .*)?|references?|see also|links|resources|further reading|additional (information|resources|notes)|dashboards?|useful links)$`)},
	{Escalation, regexp.MustCompile(`^(escalation( .*)?|when to escalate)$`)},
	{Criteria, regexp.MustCompile(`^(when to roll ?back|roll ?back (criteria|if|triggers?))$`)},
	{Procedure, regexp.MustCompile(`^((rollback|deployment|deploy|upgrade|restore|backup|failover|verification|pre-?\w+|post-?\w+)? ?(steps|checklist|tasks)|procedure|instructions|prerequisites|verification|rollback)$`)},
}

// looseTitles recognise a section by one of its title's words, once it is known
// to be a section.
var looseTitles = []struct {
	kind  SectionKind
	title *regexp.Regexp
}{
	{Escalation, regexp.MustCompile(`\bescalat`)},
	{Investigation, regexp.MustCompile(`\b(investigat|diagnos|debug|triage|troubleshoot)`)},
	{Resolution, regexp.MustCompile(`\b(resol|mitigat|remediat|recover|fix|workaround)`)},
	{Prevention, regexp.MustCompile(`\bprevent`)},
	{Procedure, regexp.MustCompile(`\b(steps?|procedures?|checklists?|tasks?|actions?|how to|verif\w*|instructions?|commands?)\b`)},
}

// kindOf is what a section with this title is for. exact is false where it is
// only a guess from a word of the title.
func kindOf(title string) (kind SectionKind, exact bool) {
	t := strings.ToLower(strings.Trim(title, " :*"))
	t = numbering.ReplaceAllString(t, "")
	for _, s := range sectionTitles {
		if s.title.MatchString(t) {
			return s.kind, true
		}
	}
	for _, s := range looseTitles {
		if s.title.MatchString(t) {
			return s.kind, false
		}
	}
	return Other, false
}

var (
	numbering  = regexp.MustCompile(`^(step )?\d+(\.\d+)*[.:)]?\s+`)
	indexTitle = regexp.MustCompile(`(?i)^(quick reference.*|table of contents|contents|toc|index|alert index)$`)
	// alertName is how Prometheus's users write the name of an alerting rule:
	// one word of at least two humps.
	alertName = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*[a-z0-9][A-Z][A-Za-z0-9_]*$`)
	alertHead = regexp.MustCompile(`(?i)^alert(?: name)?:\s*` + "`?" + `([A-Za-z_][A-Za-z0-9_]*)` + "`?$")
)

// isRunbook tells whether a heading is one by its own right: it names its alert,
// or a heading directly under it is a known part of a runbook.
func (p *bookReader) isRunbook(h *heading) bool {
	if indexTitle.MatchString(h.title) {
		return false
	}
	if alertHead.MatchString(h.title) || p.header(h).alert != "" {
		return true
	}
	if _, exact := kindOf(h.title); exact {
		return false
	}
	for _, c := range h.children {
		if _, exact := kindOf(c.title); exact {
			return true
		}
	}
	return false
}

// holdsRunbooks tells whether runbooks stand under a heading. An alert's name
// as a heading is evidence only where nothing better is: a section may well
// have a part called CrashLoopBackOff.
func (p *bookReader) holdsRunbooks(h *heading) bool {
	for _, c := range h.children {
		if p.isRunbook(c) || p.holdsRunbooks(c) {
			return true
		}
	}
	if h.level == 0 || p.isRunbook(h) {
		return false
	}
	for _, c := range h.children {
		if alertName.MatchString(c.title) && worthOpening(c) {
			return true
		}
	}
	return false
}

// divide finds the runbooks under a heading. A heading beside runbooks is a
// procedure without an alert; a file without any known heading is one runbook.
func (p *bookReader) divide(h *heading) {
	switch {
	case p.holdsRunbooks(h):
		p.aside(h.body, p.childrenStart(h))
		for _, c := range h.children {
			switch {
			case p.holdsRunbooks(c):
				p.divide(c)
			case !indexTitle.MatchString(c.title) && (p.isRunbook(c) || worthOpening(c)):
				p.runbook(c)
			default:
				p.aside(c.start, c.end)
			}
		}
	case h.level == 0 && len(h.children) == 1 && len(h.blocks) == 0:
		p.divide(h.children[0])
	case h.level == 0 && len(h.blocks) == 0 && len(h.children) == 0:
	default:
		p.runbook(h)
	}
}

// childrenStart is the offset of a heading's first child, or its end.
func (p *bookReader) childrenStart(h *heading) int {
	if len(h.children) > 0 {
		return h.children[0].start
	}
	return h.end
}

// worthOpening tells whether a heading holds something to do, and is not just
// an index of the file or a remark.
func worthOpening(h *heading) bool {
	for _, b := range h.blocks {
		switch b := b.(type) {
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			return true
		case *ast.List:
			if b.IsOrdered() || hasTask(b) {
				return true
			}
		}
	}
	for _, c := range h.children {
		if worthOpening(c) {
			return true
		}
	}
	return false
}
