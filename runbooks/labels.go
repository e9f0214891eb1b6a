package runbooks

import (
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
)

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
