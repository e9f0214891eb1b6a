package runbooks

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// sectionReader turns what stands under a runbook's heading into sections and
// steps.
type sectionReader struct {
	*bookReader
	rb      *Runbook
	section *Section          // the open one; nil before the first
	steps   []*Step           // of the open section
	nested  map[*Step][]*Step // steps inside a step
	group   string            // the bold label that the next steps stand under
	label   *Step             // the step that a bold label or a heading opened
	choice  *Step             // the step whose options are being read
	pending string            // a paragraph that may turn out to be a fence's title
	ids     map[string]int    // step identifiers given so far
	slugs   map[string]bool   // section slugs given so far
}

func (s *sectionReader) read(h *heading, head header) {
	s.nested, s.ids, s.slugs = map[*Step][]*Step{}, map[string]int{}, map[string]bool{}
	other := map[ast.Node]bool{}
	for _, b := range head.rest {
		other[b] = true
	}
	s.blocks(h, func(b ast.Node) bool { return other[b] })
	s.close()
	for _, c := range h.children {
		s.part(c)
	}
}

// part reads a heading under the runbook's as a section.
func (s *sectionReader) part(h *heading) {
	kind, _ := h.section()
	s.open(kind, h.title, h.line)
	s.under(h)
	s.close()
}

// under reads a heading's blocks and the headings below it.
func (s *sectionReader) under(h *heading) {
	s.blocks(h, nil)
	for _, c := range h.children {
		kind, exact := c.section()
		switch {
		case exact && s.label == nil:
			s.close()
			s.open(kind, c.title, c.line)
			s.under(c)
		case worthOpening(c):
			s.flush()
			outer, choice := s.label, s.choice
			s.openLabel(c.title, c.line)
			if isOption(c.title) {
				choice = s.choice
			}
			s.under(c)
			s.flush()
			s.label, s.choice = outer, choice
		default:
			s.keep(s.slice(c.start, c.end, 0))
		}
	}
}

func (s *sectionReader) open(kind SectionKind, title string, line int) {
	s.section = &Section{Kind: kind, Title: title, Line: line}
}

// close ends the open section: its steps get their identifiers.
func (s *sectionReader) close() {
	s.flush()
	s.label, s.choice, s.group = nil, nil, ""
	if s.section == nil {
		return
	}
	prefix := s.prefix()
	s.section.Steps = make([]Step, 0, len(s.steps))
	for i, st := range s.steps {
		s.section.Steps = append(s.section.Steps, s.finish(st, prefix, i))
	}
	s.rb.Sections = append(s.rb.Sections, *s.section)
	s.section, s.steps = nil, nil
}

// prefix is the slug that the section's step identifiers begin with.
func (s *sectionReader) prefix() string {
	name := string(s.section.Kind)
	switch s.section.Kind {
	case Procedure, Other, Related:
		name = slug(s.section.Title)
	}
	if name == "" || s.slugs[name] {
		if t := slug(s.section.Title); t != "" && !s.slugs[t] {
			name = t
		} else {
			name += "-" + itoa(s.section.Line)
		}
	}
	s.slugs[name] = true
	return name
}

var unsafeID = regexp.MustCompile(`[^a-z0-9]+`)

// finish gives a step its identifier, its kind, and its nested steps.
func (s *sectionReader) finish(st *Step, prefix string, index int) Step {
	number := itoa(index + 1)
	if st.Number != "" {
		number = strings.Trim(unsafeID.ReplaceAllString(strings.ToLower(strings.TrimPrefix(st.Number, "Option ")), "-"), "-")
	}
	id := prefix + "-" + number
	s.ids[id]++
	if n := s.ids[id]; n > 1 {
		id += "-" + itoa(n)
	}
	st.ID = id
	options := 0
	if n := len(s.nested[st]); n > 0 {
		st.Steps = make([]Step, 0, n)
	}
	for i, sub := range s.nested[st] {
		if isOption(sub.Number) {
			options++
		}
		st.Steps = append(st.Steps, s.finish(sub, id, i))
	}
	if st.Title == "" {
		st.Title = untitled(st, s.section.Title, s.rb.Title)
	}
	st.If = condition(st.Title)
	st.Clocks = append(clocksIn(st.Title, st.Line), st.Clocks...)
	st.Kind = kindOfStep(st, options > 0 && options == len(st.Steps))
	return *st
}

// untitled is a title for a step that has none: what its first command says, or
// where it stands.
func untitled(st *Step, section, runbook string) string {
	if len(st.Commands) > 0 {
		return firstOf(firstLine(st.Commands[0].Caption), firstLine(st.Commands[0].Text))
	}
	return firstOf(flatten(firstLine(st.Text)), section, runbook)
}

func kindOfStep(st *Step, choice bool) StepKind {
	switch {
	case choice:
		return StepChoice
	case len(st.Commands) > 0:
		return StepCommand
	case len(st.Queries) > 0:
		return StepQuery
	case st.Message != nil:
		return StepMessage
	}
	for _, c := range st.Clocks {
		if c.Kind == ClockWait {
			return StepWait
		}
	}
	return StepManual
}

// actionable tells whether a plain list is a list of things to do here.
func (s *sectionReader) actionable() bool {
	if s.section == nil {
		return false
	}
	switch s.section.Kind {
	case Investigation, Resolution, Procedure:
		return true
	}
	return false
}

// informative tells whether a numbered list is only something to know here.
func (s *sectionReader) informative() bool {
	if s.section == nil {
		return false
	}
	switch s.section.Kind {
	case Symptoms, Prevention, Related, Criteria, Escalation:
		return true
	}
	return false
}

// blocks reads the blocks directly under a heading, those that want accepts.
func (s *sectionReader) blocks(h *heading, want func(ast.Node) bool) {
	for i, b := range h.blocks {
		if want != nil && !want(b) {
			s.flush()
			continue
		}
		from, to := s.blockRange(h, i)
		s.block(b, from, to)
	}
	s.flush()
}

func (s *sectionReader) block(b ast.Node, from, to int) {
	switch b := b.(type) {
	case *ast.ThematicBreak:
		s.flush()
	case *ast.Paragraph:
		if text, ok := s.boldLabel(b); ok {
			s.flush()
			s.bold(text, s.slice(from, to, 0), s.line(from))
			return
		}
		s.paragraph(b, from, to)
	case *ast.List:
		s.list(b, from, to)
	case *ast.FencedCodeBlock, *ast.CodeBlock:
		s.fence(b, from, to)
	default:
		s.flush()
		s.keep(s.slice(from, to, 0))
		s.inner(b)
	}
}

// inner finds fences inside a block that is otherwise only text, a quotation.
func (s *sectionReader) inner(b ast.Node) {
	_ = ast.Walk(b, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering && (n.Kind() == ast.KindFencedCodeBlock || n.Kind() == ast.KindCodeBlock) {
			content := s.readFence(n)
			if content.actionable() {
				s.bare(content, s.line(n.Pos()))
			}
		}
		return ast.WalkContinue, nil
	})
}

// keep keeps Markdown that is not a step.
func (s *sectionReader) keep(md string) {
	if strings.TrimSpace(md) == "" {
		return
	}
	switch {
	case s.label != nil:
		appendText(&s.label.Text, md)
	case s.section != nil:
		appendText(&s.section.Text, md)
	default:
		appendText(&s.rb.Description, md)
	}
}

func appendText(to *string, md string) {
	if strings.TrimSpace(md) == "" {
		return
	}
	if *to != "" {
		*to += "\n\n"
	}
	*to += md
}

// flush gives up waiting for a fence that the pending paragraph introduces.
func (s *sectionReader) flush() {
	if s.pending != "" {
		md := s.pending
		s.pending = ""
		s.keep(md)
	}
}

func (s *sectionReader) paragraph(b *ast.Paragraph, from, to int) {
	s.flush()
	if s.label != nil {
		s.prose(s.label, b, s.slice(from, to, 0))
		return
	}
	if commands := s.inlineCommands(b); len(commands) > 0 && s.actionable() {
		st := &Step{Line: s.line(from), Commands: commands}
		st.Title, st.Text = titleOf(s.plain(b), s.slice(from, to, 0))
		s.add(st)
		return
	}
	s.pending = s.slice(from, to, 0)
}

// fence reads a code block under a heading or a bold label.
func (s *sectionReader) fence(b ast.Node, from, to int) {
	content := s.readFence(b)
	if s.label != nil {
		s.flush()
		content.into(s.label, s.slice(from, to, 0))
		return
	}
	if !content.actionable() {
		s.flush()
		s.keep(s.slice(from, to, 0))
		return
	}
	s.bare(content, s.line(max(b.Pos(), 0)))
}

// bare makes a step of a fence that stands alone; the paragraph before it, or
// the section, gives the title.
func (s *sectionReader) bare(content fenceContent, line int) {
	st := &Step{Line: line}
	if s.pending != "" {
		st.Title, st.Text = titleOf(flatten(s.pending), s.pending)
		s.pending = ""
	} else if s.section != nil {
		st.Title = s.section.Title
	} else {
		st.Title = s.rb.Title
	}
	content.into(st, "")
	s.add(st)
}
