package runbooks

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
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
	kind, _ := kindOf(h.title)
	s.open(kind, h.title, h.line)
	s.under(h)
	s.close()
}

// under reads a heading's blocks and the headings below it.
func (s *sectionReader) under(h *heading) {
	s.blocks(h, nil)
	for _, c := range h.children {
		kind, exact := kindOf(c.title)
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

// boldLabel is the text of a paragraph that is bold as a whole.
func (s *sectionReader) boldLabel(b *ast.Paragraph) (string, bool) {
	strong, ok := b.FirstChild().(*ast.Emphasis)
	if !ok || strong.Level != 2 {
		return "", false
	}
	for n := strong.NextSibling(); n != nil; n = n.NextSibling() {
		t, ok := n.(*ast.Text)
		if !ok || strings.Trim(string(t.Segment.Value(s.text)), " :") != "" {
			return "", false
		}
	}
	return s.plain(strong), true
}

var (
	stepLabel   = regexp.MustCompile(`(?i)^(?:step|phase|stage)\s+(\d+[a-z]?)\s*[:.)–—-]?\s*(.*)$`)
	numberLabel = regexp.MustCompile(`^(\d+)[.)]\s+(.*)$`)
	optionLabel = regexp.MustCompile(`(?i)^(option|alternative|variant|method|approach)\s+([A-Z]|\d+)\b\s*[:.)–—-]?\s*(.*)$`)
)

func isOption(title string) bool { return optionLabel.MatchString(title) }

// bold reads a paragraph that is bold as a whole: a step, an option, the
// beginning of a section, or a label for what follows.
func (s *sectionReader) bold(text, raw string, line int) {
	kind, exact := kindOf(text)
	switch {
	case stepLabel.MatchString(text), optionLabel.MatchString(text), numberLabel.MatchString(text):
		if !isOption(text) {
			s.label, s.choice = nil, nil
		}
		s.openLabel(text, line)
	case exact:
		s.close()
		s.open(kind, strings.TrimRight(text, ": "), line)
	case s.label != nil:
		s.keep(raw)
	default:
		s.group = strings.TrimRight(text, ": ")
	}
}

// openLabel begins a step that what follows belongs to.
func (s *sectionReader) openLabel(title string, line int) {
	st := &Step{Line: line, Title: strings.TrimRight(title, ": "), Group: s.group}
	if m := optionLabel.FindStringSubmatch(title); m != nil {
		st.Number = strings.ToUpper(m[1][:1]) + strings.ToLower(m[1][1:]) + " " + m[2]
		st.Title = firstOf(m[3], st.Number)
		if s.choice == nil {
			s.choice = s.label
		}
		if s.choice == nil { // options without a step above them
			s.choice = &Step{Line: line, Title: s.rb.Title}
			if s.section != nil {
				s.choice.Title = s.section.Title
			}
			s.add(s.choice)
		}
		s.nested[s.choice] = append(s.nested[s.choice], st)
		s.label = st
		return
	}
	if m := stepLabel.FindStringSubmatch(title); m != nil {
		st.Number, st.Title = m[1], firstOf(strings.TrimRight(m[2], ": "), st.Title)
	} else if m := numberLabel.FindStringSubmatch(title); m != nil {
		st.Number, st.Title = m[1], firstOf(strings.TrimRight(m[2], ": "), st.Title)
	}
	s.add(st)
	s.label = st
}

// add puts a step where the reader stands.
func (s *sectionReader) add(st *Step) {
	if s.label != nil {
		s.nested[s.label] = append(s.nested[s.label], st)
		return
	}
	if s.section == nil {
		s.open(Procedure, s.rb.Title, s.rb.Line)
	}
	st.Group = s.group
	s.steps = append(s.steps, st)
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

// list reads a list: steps where it is one of things to do, text otherwise.
func (s *sectionReader) list(b *ast.List, from, to int) {
	steps := hasTask(b) || holdsFence(b)
	if b.IsOrdered() {
		steps = steps || !s.informative()
	} else if s.label == nil {
		steps = steps || s.actionable()
	}
	md := s.slice(from, to, 0)
	s.flush()
	if !steps {
		s.keep(md)
		s.facts(b, md)
		return
	}
	s.items(b, to, s.add)
}

// facts reads what a plain list of some kinds of section means.
func (s *sectionReader) facts(b *ast.List, md string) {
	if s.section == nil {
		return
	}
	for item := b.FirstChild(); item != nil; item = item.NextSibling() {
		line := s.line(max(item.Pos(), 0))
		text := ""
		if c := item.FirstChild(); c != nil {
			text = s.plain(c)
		}
		switch s.section.Kind {
		case Criteria:
			found := assertionsIn(text, line, true)
			s.rb.Criteria = append(s.rb.Criteria, found...)
		case Escalation:
			if c, ok := escalationIn(text, line); ok {
				s.section.Clocks = append(s.section.Clocks, c)
			}
		}
	}
}

// items makes a step of every item of a list.
func (s *sectionReader) items(b *ast.List, end int, add func(*Step)) {
	number := b.Start
	for item := b.FirstChild(); item != nil; item = item.NextSibling() {
		to := end
		if next := item.NextSibling(); next != nil {
			to = s.lineStart(max(next.Pos(), 0))
		}
		st := &Step{Line: s.line(max(item.Pos(), 0))}
		if b.IsOrdered() {
			st.Number = itoa(number)
			number++
		}
		add(st)
		s.item(st, item, to)
	}
}

// item reads one list item into its step.
func (s *sectionReader) item(st *Step, item ast.Node, end int) {
	for c := item.FirstChild(); c != nil; c = c.NextSibling() {
		from, to := max(c.Pos(), 0), end
		if next := c.NextSibling(); next != nil {
			to = s.lineStart(max(next.Pos(), 0))
		}
		indent := from - s.lineStart(from)
		md := s.slice(from, to, indent)
		switch b := c.(type) {
		case *ast.Paragraph, *ast.TextBlock:
			if st.Title == "" {
				md = strings.TrimSpace(taskBox.ReplaceAllString(md, ""))
				st.Title, st.Text = titleOf(s.plain(c), md)
				s.spans(st, c)
				continue
			}
			s.prose(st, c, md)
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			s.readFence(c).into(st, md)
		case *ast.List:
			if hasTask(b) || b.IsOrdered() || holdsFence(b) {
				s.items(b, to, func(sub *Step) { s.nested[st] = append(s.nested[st], sub) })
				continue
			}
			appendText(&st.Text, md)
			st.Clocks = append(st.Clocks, clocksInText(md, s.line(from))...)
			s.spans(st, c)
		default:
			appendText(&st.Text, md)
			_ = ast.Walk(c, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
				if entering && n.Kind() == ast.KindFencedCodeBlock {
					s.readFence(n).into(st, "")
				}
				return ast.WalkContinue, nil
			})
		}
	}
	if st.Title == "" {
		st.Title = firstOf(flatten(firstLine(st.Text)), "(empty)")
	}
}

// prose adds a paragraph to a step, with the commands and queries in its code
// spans.
func (s *sectionReader) prose(st *Step, b ast.Node, md string) {
	if alternative.MatchString(md) && len(st.Commands) > 0 {
		st.orNext()
	}
	appendText(&st.Text, md)
	st.Clocks = append(st.Clocks, clocksInText(md, s.line(max(b.Pos(), 0)))...)
	s.spans(st, b)
}

// spans finds commands and PromQL in the code spans of a block.
func (s *sectionReader) spans(st *Step, b ast.Node) {
	st.Commands = append(st.Commands, s.inlineCommands(b)...)
	_ = ast.Walk(b, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if span, ok := n.(*ast.CodeSpan); ok && entering {
			if code := s.plain(span); looksLikePromQL(code) {
				st.Queries = append(st.Queries, newQuery(code, s.inlineLine(span)))
			}
		}
		return ast.WalkContinue, nil
	})
}

// inlineCommands are the code spans of a block that are a command line.
func (s *sectionReader) inlineCommands(b ast.Node) []Command {
	var out []Command
	_ = ast.Walk(b, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if span, ok := n.(*ast.CodeSpan); ok && entering {
			var raw strings.Builder
			for c := span.FirstChild(); c != nil; c = c.NextSibling() {
				if t, ok := c.(*ast.Text); ok {
					raw.Write(t.Segment.Value(s.text))
				}
			}
			if cmd, ok := inlineCommand(raw.String(), s.inlineLine(span)); ok {
				out = append(out, cmd)
			}
		}
		return ast.WalkContinue, nil
	})
	return out
}

var taskBox = regexp.MustCompile(`^\[[ xX]\]\s+`)

// hasTask tells whether an item of a list has a checkbox.
func hasTask(list ast.Node) bool {
	for item := list.FirstChild(); item != nil; item = item.NextSibling() {
		if c := item.FirstChild(); c != nil && c.FirstChild() != nil && c.FirstChild().Kind() == extast.KindTaskCheckBox {
			return true
		}
	}
	return false
}

// holdsFence tells whether a code block stands anywhere under a node.
func holdsFence(n ast.Node) bool {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Type() != ast.TypeBlock {
			continue
		}
		if c.Kind() == ast.KindFencedCodeBlock || c.Kind() == ast.KindCodeBlock || holdsFence(c) {
			return true
		}
	}
	return false
}

const maxTitle = 100 // runes; a longer first paragraph is cut for the title and kept as text

var boldStart = regexp.MustCompile(`(?s)^(?:\*\*|__)(.+?)(?:\*\*|__)\s*:?\s*(.*)$`)

// titleOf splits an item's first paragraph into a title and the text that the
// title does not say.
func titleOf(plain, raw string) (title, text string) {
	if m := boldStart.FindStringSubmatch(raw); m != nil {
		return strings.TrimRight(flatten(m[1]), ": "), strings.TrimSpace(m[2])
	}
	title = strings.TrimRight(plain, ": ")
	if strings.Contains(raw, "](") || strings.Contains(raw, "![") {
		text = raw
	}
	if runes := []rune(title); len(runes) > maxTitle {
		text = raw
		if i := strings.Index(title, ". "); i > 0 && i < maxTitle {
			title = title[:i]
		} else {
			cut := string(runes[:maxTitle])
			if i := strings.LastIndex(cut, " "); i > maxTitle/2 {
				cut = cut[:i]
			}
			title = cut + "…"
		}
	}
	return title, text
}

var inlineMarks = strings.NewReplacer("**", "", "__", "", "`", "")

// flatten is Markdown on one line without the marks that titles carry.
func flatten(md string) string {
	return strings.Join(strings.Fields(inlineMarks.Replace(md)), " ")
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
