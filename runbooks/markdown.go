package runbooks

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	extast "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// markdown reads GitHub's dialect, and explicit heading anchors ({#anchor}).
var markdown = goldmark.New(
	goldmark.WithExtensions(extension.GFM),
	goldmark.WithParserOptions(parser.WithHeadingAttribute()),
).Parser()

// maxFenceRepairs bounds how often one file is read again with a fence closed.
const maxFenceRepairs = 8

// parseMarkdown reads the text. A fence that is never closed would swallow what
// follows it, headings included; it is closed where it probably ended, and the
// file's owner is told.
func (s *source) parseMarkdown() ast.Node {
	for range maxFenceRepairs {
		doc := markdown.Parse(text.NewReader(s.text))
		row, opener := s.openFence(doc)
		if row < 0 {
			return doc
		}
		s.problems = append(s.problems, Problem{
			s.origin[s.row(opener)],
			fmt.Sprintf("this fence is never closed; it is taken to end before line %d", s.origin[min(row, len(s.origin)-1)]),
		})
		start := s.lineStart(opener)
		end := opener
		for end < len(s.text) && (s.text[end] == '`' || s.text[end] == '~') {
			end++
		}
		s.insert(row, strings.Repeat(" ", opener-start)+string(s.text[opener:end]))
	}
	return markdown.Parse(text.NewReader(s.text))
}

var (
	fenceOpening = regexp.MustCompile("^\\s*(`{3,}|~{3,})\\s*[A-Za-z]")
	headingLine  = regexp.MustCompile(`^#{2,6} +\S`)
)

// openFence finds a fenced block that swallowed a heading or another fence's
// opening line, and the row before which it should have been closed. It returns
// -1 when there is none.
func (s *source) openFence(doc ast.Node) (row, opener int) {
	row = -1
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering || row >= 0 {
			return ast.WalkContinue, nil
		}
		fence := s.text[block.Pos()]
		length := 0
		for i := block.Pos(); i < len(s.text) && s.text[i] == fence; i++ {
			length++
		}
		firstBlank, heading, inner := -1, -1, false
		for i := range block.Lines().Len() {
			seg := block.Lines().At(i)
			at := s.row(seg.Start)
			line := s.sharedText()[seg.Start:seg.Stop]
			switch {
			case strings.TrimSpace(line) == "":
				if firstBlank < 0 && i > 0 {
					firstBlank = at
				}
			case line[0] == '#':
				if heading < 0 && headingLine.MatchString(line) {
					heading = at
				}
			case strings.Contains(line, "```") || strings.Contains(line, "~~~"):
				if m := fenceOpening.FindStringSubmatch(line); m != nil && m[1][0] == fence && len(m[1]) <= length {
					inner = true
				}
			}
			if inner {
				break
			}
		}
		language := strings.ToLower(string(block.Language(s.text)))
		if language == "markdown" || language == "md" {
			return ast.WalkContinue, nil
		}
		closed := s.fenceClosed(block, fence, length)
		switch {
		case heading >= 0 && (inner || !closed):
			row, opener = heading, block.Pos()
		case inner && firstBlank >= 0:
			row, opener = firstBlank, block.Pos()
		}
		return ast.WalkContinue, nil
	})
	return row, opener
}

// fenceClosed tells whether a closing fence follows the block's last line.
func (s *source) fenceClosed(block *ast.FencedCodeBlock, fence byte, length int) bool {
	row := s.row(block.Pos()) + block.Lines().Len() + 1
	if row >= len(s.starts) {
		return false
	}
	end := len(s.text)
	if row+1 < len(s.starts) {
		end = s.starts[row+1]
	}
	line := strings.TrimLeft(string(s.text[s.starts[row]:end]), " \t>")
	return strings.HasPrefix(line, strings.Repeat(string(fence), length))
}

// plain is the text of a node's inlines without its marks.
func (s *source) plain(n ast.Node) string {
	var b strings.Builder
	s.writePlain(&b, n)
	return strings.Join(strings.Fields(b.String()), " ")
}

func (s *source) writePlain(b *strings.Builder, n ast.Node) {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(s.text))
			if c.SoftLineBreak() || c.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(c.Value)
		case *ast.AutoLink:
			b.Write(c.Label(s.text))
		case *ast.RawHTML:
			for i := range c.Segments.Len() {
				seg := c.Segments.At(i)
				b.Write(seg.Value(s.text))
			}
		case *extast.TaskCheckBox:
		default:
			s.writePlain(b, c)
		}
	}
}

// slug is the anchor that GitHub gives a heading.
func slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(strings.TrimSpace(title)) {
		switch {
		case unicode.IsLetter(r), unicode.IsNumber(r), unicode.Is(unicode.Mn, r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

// codeLines are the lines of a code block as they stand in the file, the list's
// indent stripped, each with its line number.
func (s *source) codeLines(n ast.Node) []codeLine {
	lines := make([]codeLine, 0, n.Lines().Len())
	for i := range n.Lines().Len() {
		seg := n.Lines().At(i)
		text := s.sharedText()[seg.Start:min(seg.Stop, len(s.text))]
		if seg.Padding > 0 {
			text = string(seg.Value(s.text))
		}
		lines = append(lines, codeLine{strings.TrimSuffix(text, "\n"), s.line(seg.Start)})
	}
	return lines
}

// codeLine is one line of a code block.
type codeLine struct {
	text string
	line int
}
