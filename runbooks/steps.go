package runbooks

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
	extast "github.com/yuin/goldmark/extension/ast"
)

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
				if strings.HasPrefix(md, "[") {
					md = strings.TrimSpace(taskBox.ReplaceAllString(md, ""))
				}
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
}

// prose adds a paragraph to a step, with the commands and queries in its code
// spans.
func (s *sectionReader) prose(st *Step, b ast.Node, md string) {
	if isAlternative(md) && len(st.Commands) > 0 {
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
			if q, ok := findPromQL(s.plain(span), s.inlineLine(span)); ok {
				st.Queries = append(st.Queries, q)
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

// titleOf splits an item's first paragraph into a title and the text that the
// title does not say.
func titleOf(plain, raw string) (title, text string) {
	if bold, rest, ok := cutBold(raw); ok {
		return strings.TrimRight(flatten(bold), ": "), strings.TrimSpace(strings.TrimPrefix(strings.TrimLeft(rest, " "), ":"))
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

// cutBold splits Markdown that begins with something bold.
func cutBold(raw string) (bold, rest string, ok bool) {
	for _, mark := range []string{"**", "__"} {
		if after, found := strings.CutPrefix(raw, mark); found {
			if bold, rest, ok = strings.Cut(after, mark); ok && strings.TrimSpace(bold) != "" {
				return bold, rest, true
			}
		}
	}
	return "", "", false
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
