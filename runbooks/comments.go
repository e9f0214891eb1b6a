package runbooks

import (
	"regexp"
	"strings"
)

// commentFacts is what a paragraph of comments says.
type commentFacts struct {
	queries    []Query
	assertions []Assertion
	clocks     []Clock
	rest       []codeLine // its other lines
}

var (
	introducesPromQL = regexp.MustCompile(`(?i)\bprom(etheus|ql)\b|\b(query|expression|metrics?)\s*:\s*$`)
	metricSubject    = regexp.MustCompile(`^([a-z][a-zA-Z0-9:]*_[a-zA-Z0-9_:]*(?:\{[^{}]*\})?)\s+(?:should|must)\b`)
	numberedItem     = regexp.MustCompile(`^\d+[.)]\s+`)
	remark           = regexp.MustCompile(`(?i)^\s*(you|we|this|note|it|what|which|who|why|how|is|are|does|do)\b|\?\s*$`)
)

// withoutBullet is a line of a list without its mark; a line of no list is as
// it was.
func withoutBullet(line string) string {
	t := strings.TrimLeft(line, " \t")
	switch {
	case t == "":
		return line
	case strings.HasPrefix(t, "- "), strings.HasPrefix(t, "* "), strings.HasPrefix(t, "+ "):
		return strings.TrimLeft(t[2:], " ")
	case strings.HasPrefix(t, "• "):
		return strings.TrimLeft(strings.TrimPrefix(t, "• "), " ")
	case t[0] >= '0' && t[0] <= '9':
		if m := numberedItem.FindString(t); m != "" {
			return t[len(m):]
		}
	}
	return line
}

// readComments takes from a paragraph of comments what can be evaluated,
// measured or timed. A caption's vague wish ("must run on the primary") stays in
// the caption.
func readComments(lines []codeLine, caption bool) commentFacts {
	var f commentFacts
	introduced := false
	listed := listedAssertions(lines)
	for i := 0; i < len(lines); i++ {
		l := lines[i]
		text := strings.TrimSpace(l.text)
		if n := f.query(lines[i:], introduced); n > 0 {
			i += n - 1
			continue
		}
		if (strings.Contains(text, "rom") || strings.HasSuffix(text, ":")) && introducesPromQL.MatchString(text) {
			introduced = true
			before, after, _ := strings.Cut(text, ":")
			if q, ok := introducedPromQL(after, l.line); ok {
				f.queries = append(f.queries, q)
				if !bareIntroduction.MatchString(before) {
					f.rest = append(f.rest, codeLine{strings.TrimSpace(before), l.line})
				}
				continue
			}
			if bareIntroduction.MatchString(text) {
				continue
			}
		}
		if clocks := clocksIn(text, l.line); len(clocks) > 0 {
			f.clocks = append(f.clocks, clocks...)
			if !caption {
				continue
			}
		}
		item := withoutBullet(l.text)
		if found := assertionsIn(item, l.line, listed && item != l.text); len(found) > 0 && (found[0].Measurable() || !caption && !remark.MatchString(item)) {
			f.assertions = append(f.assertions, found...)
			continue
		}
		f.rest = append(f.rest, l)
	}
	return f
}

// bareIntroduction is a line that says nothing but that PromQL follows.
var bareIntroduction = regexp.MustCompile(`(?i)^\s*(or |alternatively,? )?(query|in|check|use) (prometheus|promql)( directly)?\s*[:.]?\s*$`)

// listedAssertions tells whether the paragraph's list is one of assertions: one
// of its items compares something with a number, or says what should be.
func listedAssertions(lines []codeLine) bool {
	for _, l := range lines {
		if item := withoutBullet(l.text); item != l.text && len(assertionsIn(item, l.line, false)) > 0 {
			return true
		}
	}
	return false
}

// maxExpressionLines bounds how many comment lines one expression may take.
const maxExpressionLines = 12

// query takes an expression from the beginning of lines and tells how many lines
// it has; 0 where there is none.
func (f *commentFacts) query(lines []codeLine, introduced bool) int {
	text := strings.TrimSpace(withoutBullet(lines[0].text))
	if introduced && strings.IndexByte(text, '_') > 0 {
		if m := metricSubject.FindStringSubmatch(text); m != nil {
			f.queries = append(f.queries, newQuery(m[1], lines[0].line))
			f.assertions = append(f.assertions, assertionsIn(text, lines[0].line, true)...)
			return 1
		}
	}
	for n := 1; n <= len(lines) && n <= maxExpressionLines; n++ {
		if n > 1 {
			text += "\n" + strings.TrimSpace(lines[n-1].text)
		}
		open := strings.Count(text, "(") - strings.Count(text, ")") + strings.Count(text, "{") - strings.Count(text, "}")
		if open > 0 {
			continue
		}
		q, ok := findPromQL(text, lines[0].line)
		if !ok && introduced {
			q, ok = introducedPromQL(text, lines[0].line)
		}
		if ok {
			f.queries = append(f.queries, q)
			return n
		}
		return 0
	}
	return 0
}
