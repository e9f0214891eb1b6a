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

	kind    SectionKind // of section, once it was asked for
	exact   bool
	head    header // of bookReader.header, once it was asked for
	hasHead bool
}

// section is what a section under this heading is for, as kindOf tells.
func (h *heading) section() (SectionKind, bool) {
	if h.kind == "" {
		h.kind, h.exact = kindOf(h.title)
	}
	return h.kind, h.exact
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

// sectionTitles are the headings that teams give to the parts of a runbook, in
// lower case.
var sectionTitles = map[string]SectionKind{}

func init() {
	titles := map[SectionKind]string{
		Symptoms:   "symptom, symptoms, meaning, impact, overview, summary, description, user impact, customer impact, what is this, what does this mean, what does it mean",
		Prevention: "prevention, preventive measures, follow up, follow ups, follow-up, follow-ups, followup, long term fix, long term fixes, long-term fix, long-term fixes, long-term solution, long-term solutions",
		Related: "reference, references, see also, links, useful links, resources, further reading, additional information, additional resources, additional notes, dashboard, dashboards, " +
			"related, related alerts, related documentation, related runbooks, related links, related incidents, related resources",
		Escalation: "escalation, escalation path, escalation policy, escalation procedure, escalation contacts, when to escalate",
		Criteria:   "when to rollback, when to roll back, rollback criteria, roll back if, rollback if, rollback triggers",
		Procedure: "steps, checklist, tasks, procedure, instructions, prerequisites, verification, rollback, how to, rollback steps, deployment steps, deploy steps, upgrade steps, restore steps, backup steps, failover steps, " +
			"verification steps, deployment checklist, deployment tasks, pre-deployment checklist, pre-deployment steps, pre-deployment tasks, post-deployment checklist, post-deployment steps, post-deployment tasks, pre-checks, post-checks",
		Investigation: "investigate, diagnose, debug, how to investigate, how to diagnose, how to debug, first response, first steps",
		Resolution:    "mitigate, resolve, how to fix, how to resolve, how to mitigate, immediate action, immediate actions",
	}
	for _, name := range []string{"investigation", "diagnosis", "diagnostic", "diagnostics", "debugging", "triage", "troubleshooting", "analysis"} {
		titles[Investigation] += ", " + name + ", " + name + " steps, initial " + name + ", first " + name
	}
	for _, name := range []string{"resolution", "mitigation", "remediation", "recovery", "fix", "fixes", "solution", "solutions", "workaround", "workarounds", "response"} {
		titles[Resolution] += ", " + name + ", " + name + "s, " + name + " steps, immediate " + name + ", possible " + name + ", suggested " + name
	}
	for kind, list := range titles {
		for _, t := range strings.Split(list, ", ") {
			sectionTitles[t] = kind
		}
	}
}

// sectionWords recognise a section by how a word of its title begins, once it is
// known to be a section.
var sectionWords = []struct {
	kind  SectionKind
	words []string
}{
	{Escalation, []string{"escalat"}},
	{Investigation, []string{"investigat", "diagnos", "debug", "triage", "troubleshoot"}},
	{Resolution, []string{"resol", "mitigat", "remediat", "recover", "fix", "workaround"}},
	{Prevention, []string{"prevent"}},
	{Procedure, []string{"step", "procedure", "checklist", "task", "action", "how", "verif", "instruction", "command"}},
}

// kindOf is what a section with this title is for. exact is false where it is
// only a guess from a word of the title.
func kindOf(title string) (kind SectionKind, exact bool) {
	t := strings.ToLower(strings.Trim(title, " :*"))
	if strings.ContainsAny(t, digits) {
		t = numbering.ReplaceAllString(t, "")
	}
	if kind, ok := sectionTitles[t]; ok {
		return kind, true
	}
	for _, s := range sectionWords {
		for _, w := range s.words {
			if i := strings.Index(t, w); i == 0 || i > 0 && !isAlphanumeric(t[i-1]) {
				return s.kind, false
			}
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
	if _, exact := h.section(); exact {
		return false
	}
	for _, c := range h.children {
		if _, exact := c.section(); exact {
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
