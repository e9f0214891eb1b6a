package runbooks

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const digits = "0123456789"

// amount is a span of time as books write it.
const amount = `(\d+(?:\.\d+)?)[ -]?(seconds?|secs?|s|minutes?|mins?|min|m|hours?|hrs?|hr|h|days?|d)\b`

var (
	waitClock     = regexp.MustCompile(`(?i)\b(?:monitor|watch|wait|observe|soak|bake)\b[^.\n]*?\bfor\s+(?:at least\s+|about\s+|another\s+|~)?` + amount + `|\bwait\s+(?:at least\s+|about\s+|~)?` + amount)
	deadlineClock = regexp.MustCompile(`(?i)\bwithin\s+(?:the\s+(?:first|next)\s+)?` + amount)
	duration      = regexp.MustCompile(`(?i)(?:^|[^\d.-])` + amount)
	immediately   = regexp.MustCompile(`(?i)\b(immediate(ly)?|at once|first|right away)\b`)
	parenthesised = regexp.MustCompile(`\s*\(([^()]*)\)\s*`)
)

// span turns a number and a unit as books write them into a duration.
func span(number, unit string) time.Duration {
	n, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return 0
	}
	switch strings.ToLower(unit)[0] {
	case 's':
		return time.Duration(n * float64(time.Second))
	case 'm':
		return time.Duration(n * float64(time.Minute))
	case 'h':
		return time.Duration(n * float64(time.Hour))
	}
	return time.Duration(n * 24 * float64(time.Hour))
}

// clocksIn finds the clocks that one line names.
func clocksIn(text string, line int) []Clock {
	if !strings.ContainsAny(text, digits) {
		return nil
	}
	var out []Clock
	if m := waitClock.FindStringSubmatch(text); m != nil {
		out = append(out, Clock{ClockWait, text, span(firstOf(m[1], m[3]), firstOf(m[2], m[4])), line})
	}
	if m := deadlineClock.FindStringSubmatch(text); m != nil {
		out = append(out, Clock{ClockDeadline, text, span(m[1], m[2]), line})
	}
	return out
}

// clocksInText finds the clocks in several lines of Markdown that begin at line.
func clocksInText(md string, line int) []Clock {
	var out []Clock
	for i, l := range strings.Split(md, "\n") {
		out = append(out, clocksIn(strings.TrimLeft(strings.TrimSpace(l), "-*+ "), line+i)...)
	}
	return out
}

// escalationIn reads one item of an escalation path: "Team Lead (15 minutes)".
func escalationIn(text string, line int) (Clock, bool) {
	c := Clock{Kind: ClockEscalate, Line: line}
	when := text
	if m := parenthesised.FindStringSubmatch(text); m != nil {
		when = m[1]
	}
	m := duration.FindStringSubmatch(when)
	switch {
	case m != nil:
		c.After = span(m[1], m[2])
	case immediately.MatchString(when):
	default:
		return Clock{}, false
	}
	c.Title = strings.TrimSpace(parenthesised.ReplaceAllString(text, " "))
	return c, true
}

var (
	// measured is "p99 < 500ms", "cache_hit_rate should be > 70%", "Should be >= 32 bytes".
	measured = regexp.MustCompile(`(?i)^(.*?)\s*(?:\b(?:should|must) (?:be|stay|remain)\s*|\b(?:should|must)\s+)?(<=|>=|==|<|>|≤|≥|\b(?:is|are|be|stays?|remains?) (?:below|above|under|over|less than|more than|at least|at most)\b)\s*(\d+(?:\.\d+)?)\s*(%|percent|ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|bytes|B|KB|KiB|MB|MiB|GB|GiB|Mi|Gi)?\b?\s*(.*)$`)
	vague    = regexp.MustCompile(`(?i)\b(should|must|expect(ed)?)\b`)
	leadIn   = regexp.MustCompile(`(?i)^\s*(verify|ensure|confirm|check|expect(?:ed)?|make sure)(?: that)?\s*:?\s*`)
)

// assertionsIn finds what a line says should hold. all takes the line as an
// assertion whatever it says: it stands in a list of them.
func assertionsIn(text string, line int, all bool) []Assertion {
	text = strings.TrimSpace(text)
	if !all && !strings.ContainsAny(text, digits) && !wishes(text) {
		return nil
	}
	var out []Assertion
	for _, part := range splitConditions(text) {
		if a, ok := measure(part); ok {
			a.Line = line
			out = append(out, a)
		}
	}
	if len(out) == 0 && (all || wishes(text)) && text != "" {
		a := Assertion{Text: text, Line: line}
		if at := vague.FindStringIndex(text); at != nil && at[0] > 0 {
			a.Signal = strings.TrimSpace(text[:at[0]])
		}
		out = append(out, a)
	}
	return out
}

// wishes tells whether a line says what should be.
func wishes(text string) bool {
	return (strings.Contains(text, "hould") || strings.Contains(text, "ust") || strings.Contains(text, "xpect")) && vague.MatchString(text)
}

// splitConditions splits "p99 < 500ms, error rate < 0.1%".
func splitConditions(text string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(leadIn.ReplaceAllString(text, ""), " and ", ","),
		func(r rune) bool { return r == ',' || r == ';' })
}

// measure reads one condition that compares something with a number.
func measure(text string) (Assertion, bool) {
	if !strings.ContainsAny(text, digits) || !strings.ContainsAny(text, "<>=≤≥") && !compares(text) {
		return Assertion{}, false
	}
	text = strings.TrimSpace(text)
	m := measured.FindStringSubmatch(text)
	if m == nil || len(strings.Fields(m[1])) > 5 {
		return Assertion{}, false
	}
	value, err := strconv.ParseFloat(m[3], 64)
	if err != nil {
		return Assertion{}, false
	}
	a := Assertion{Text: text, Signal: strings.Trim(m[1], " :"), Op: operator(m[2])}
	a.Value, a.Unit = baseUnit(value, m[4])
	return a, true
}

// compares tells whether a text may compare in words: "stays below 5 %".
func compares(text string) bool {
	for _, word := range []string{" below ", " above ", " under ", " over ", " than ", " at least ", " at most "} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

func operator(s string) string {
	if s == "≥" {
		return ">="
	}
	if s == "≤" {
		return "<="
	}
	_, word, ok := strings.Cut(strings.ToLower(s), " ")
	switch {
	case !ok:
		return s
	case word == "below", word == "under", word == "less than":
		return "<"
	case word == "at least":
		return ">="
	case word == "at most":
		return "<="
	}
	return ">"
}

// baseUnit turns a value as written into its base unit.
func baseUnit(v float64, unit string) (float64, string) {
	switch strings.ToLower(unit) {
	case "%", "percent":
		return v / 100, "ratio"
	case "ms", "millisecond", "milliseconds":
		return v / 1000, "seconds"
	case "s", "sec", "secs", "second", "seconds":
		return v, "seconds"
	case "m", "min", "mins", "minute", "minutes":
		return v * 60, "seconds"
	case "h", "hour", "hours":
		return v * 3600, "seconds"
	case "bytes", "b":
		return v, "bytes"
	case "kb", "kib":
		return v * (1 << 10), "bytes"
	case "mb", "mib", "mi":
		return v * (1 << 20), "bytes"
	case "gb", "gib", "gi":
		return v * (1 << 30), "bytes"
	}
	return v, ""
}

var (
	ifWord  = regexp.MustCompile(`(?i)\bif\b\s*`)
	whether = regexp.MustCompile(`(?i)\b(check|checks|checking|see|verify|determine|know|confirm|test|tell|find out|ask|decide|validate|identify|investigate|whether|even|as)\s+$`)
)

// condition is what must hold for a step or a command to apply: what follows
// "if" in its title or caption. It is empty where there is no condition.
func condition(text string) string {
	if !strings.Contains(text, "if") && !strings.Contains(text, "If") && !strings.Contains(text, "IF") {
		return ""
	}
	for _, at := range ifWord.FindAllStringIndex(text, -1) {
		if whether.MatchString(text[:at[0]]) {
			continue
		}
		depth, end := 0, len(text)
	scan:
		for i, r := range text[at[1]:] {
			switch r {
			case '(':
				depth++
			case ')':
				if depth == 0 {
					end = at[1] + i
					break scan
				}
				depth--
			case ',', ';', ':', '\n':
				if depth == 0 {
					end = at[1] + i
					break scan
				}
			}
		}
		if c := strings.TrimSpace(strings.TrimRight(text[at[1]:end], ". ")); c != "" {
			return c
		}
	}
	return ""
}

// isAlternative tells whether a text begins as books begin what may be done
// instead.
func isAlternative(text string) bool {
	word := strings.TrimSpace(text)
	if i := strings.IndexFunc(word, func(r rune) bool { return !unicode.IsLetter(r) }); i >= 0 {
		word = word[:i]
	}
	return strings.EqualFold(word, "or") || strings.EqualFold(word, "alternatively")
}

// slot is a gap in a message template; not a checkbox and not a link.
var slot = regexp.MustCompile(`\[([A-Za-z][^\[\]\n]*)\](\(?)`)

// slotsIn are the names of a template's slots, in order of first use.
func slotsIn(text string) []string {
	var out []string
	seen := map[string]bool{}
	for _, m := range slot.FindAllStringSubmatch(text, -1) {
		name := strings.TrimSpace(m[1])
		if m[2] == "(" || strings.EqualFold(name, "x") || seen[name] {
			continue
		}
		seen[name] = true
		out = append(out, name)
	}
	return out
}

func newMessage(lines []codeLine) *Message {
	text := joinLines(lines)
	return &Message{Text: text, Line: lines[0].line, Slots: slotsIn(text)}
}
