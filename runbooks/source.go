package runbooks

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// source is a file's text prepared for reading: line feeds only, valid UTF-8,
// front matter blanked out. It knows the original line of every offset.
type source struct {
	text     []byte
	shared   string // text once more, for the parts of it that the model keeps
	starts   []int  // offset of every line
	origin   []int  // original line number of every line, from 1
	meta     map[string]string
	raw      string // the front matter as it stands
	problems []Problem
}

// newSource prepares src. It never fails: what is odd becomes a problem.
func newSource(src []byte) *source {
	s := &source{}
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(src) {
		s.problems = append(s.problems, Problem{1, "not valid UTF-8: broken bytes are shown as U+FFFD"})
		src = bytes.ToValidUTF8(src, []byte("\uFFFD"))
	}
	if bytes.IndexByte(src, '\r') >= 0 {
		src = bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
		src = bytes.ReplaceAll(src, []byte("\r"), []byte("\n"))
	}
	s.text = src
	s.index(nil)
	s.frontMatter()
	return s
}

// index finds the lines of the text. origin is kept where it is given.
func (s *source) index(origin []int) {
	s.starts = append(s.starts[:0], 0)
	for i, c := range s.text {
		if c == '\n' && i+1 < len(s.text) {
			s.starts = append(s.starts, i+1)
		}
	}
	if origin == nil {
		origin = make([]int, len(s.starts))
		for i := range origin {
			origin[i] = i + 1
		}
	}
	s.origin = origin
}

// row is the index of the line that holds offset.
func (s *source) row(offset int) int {
	return sort.SearchInts(s.starts, offset+1) - 1
}

// line is the original line number of offset, from 1.
func (s *source) line(offset int) int {
	if offset < 0 {
		return 1
	}
	row := s.row(offset)
	if row >= len(s.origin) {
		row = len(s.origin) - 1
	}
	return s.origin[row]
}

// lineStart is the offset at which the line of offset begins.
func (s *source) lineStart(offset int) int { return s.starts[s.row(offset)] }

// frontMatter reads the YAML (or marks the TOML) at the top and blanks it out.
func (s *source) frontMatter() {
	for _, fence := range []string{"---", "+++"} {
		if !bytes.HasPrefix(s.text, []byte(fence+"\n")) {
			continue
		}
		end := bytes.Index(s.text[len(fence):], []byte("\n"+fence+"\n"))
		closing := len(fence) + 2
		if end < 0 && bytes.HasSuffix(s.text, []byte("\n"+fence)) {
			end, closing = len(s.text)-2*len(fence)-1, len(fence)+1
		}
		if end < 0 {
			return
		}
		body := s.text[len(fence)+1 : len(fence)+max(end, 1)]
		if fence == "---" {
			var values map[string]any
			if err := yaml.Unmarshal(body, &values); err != nil {
				if end < 200 { // a thematic break and prose, more likely
					return
				}
				s.problems = append(s.problems, Problem{1, fmt.Sprintf("front matter is not YAML: %v", err)})
			}
			if values == nil {
				return
			}
			s.meta = make(map[string]string, len(values))
			for k, v := range values {
				s.meta[strings.ToLower(k)] = fmt.Sprint(v)
			}
		}
		s.raw = string(body)
		blanked := bytes.Clone(s.text)
		for i := range len(fence) + end + closing {
			if i < len(blanked) && blanked[i] != '\n' {
				blanked[i] = ' '
			}
		}
		s.text = blanked
		return
	}
}

// insert puts a line before row, with the original number of the line there.
func (s *source) insert(row int, text string) {
	at, number := len(s.text), s.origin[len(s.origin)-1]
	if row < len(s.starts) {
		at, number = s.starts[row], s.origin[row]
	}
	out := make([]byte, 0, len(s.text)+len(text)+2)
	out = append(out, s.text[:at]...)
	if at > 0 && out[at-1] != '\n' {
		out = append(out, '\n')
	}
	out = append(out, text...)
	out = append(out, '\n')
	out = append(out, s.text[at:]...)
	origin := make([]int, 0, len(s.origin)+1)
	origin = append(origin, s.origin[:min(row, len(s.origin))]...)
	origin = append(origin, number)
	origin = append(origin, s.origin[min(row, len(s.origin)):]...)
	s.text = out
	s.index(origin)
}

// sharedText is the text as a string, of which the model keeps parts.
func (s *source) sharedText() string {
	if len(s.shared) != len(s.text) {
		s.shared = string(s.text)
	}
	return s.shared
}

// slice is the Markdown from one offset to another with up to indent leading
// blanks of each line but the first taken off, and no blank lines around it.
func (s *source) slice(from, to, indent int) string {
	if from >= to {
		return ""
	}
	text := strings.TrimRight(strings.TrimLeft(s.sharedText()[from:to], "\n"), " \t\n")
	if indent == 0 || !strings.Contains(text, "\n") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	for i := 0; len(text) > 0; i++ {
		n := 0
		for i > 0 && n < len(text) && n < indent && (text[n] == ' ' || text[n] == '\t') {
			n++
		}
		end := lineLength(text)
		b.WriteString(text[n:max(end, n)])
		if end == len(text) {
			break
		}
		b.WriteByte('\n')
		text = text[end+1:]
	}
	return b.String()
}
