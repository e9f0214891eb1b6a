package lint

import (
	"math"
	"regexp"
	"slices"
	"strings"
)

// suppression is a stretch of a file in which rules are switched off.
type suppression struct {
	from, to int      // lines, both included
	rules    []string // empty: all
}

var directive = regexp.MustCompile(`<!--\s*flightdeck-lint-(disable-next-line|disable|enable)\b([^>]*?)-->`)

// suppressions reads the comments that switch rules off:
//
//	<!-- flightdeck-lint-disable RULE… -->            from here on
//	<!-- flightdeck-lint-enable RULE… -->             on again
//	<!-- flightdeck-lint-disable-next-line RULE… -->  for the next line that is not blank, and the block that begins there
//
// Without a rule's name they mean all rules.
func suppressions(src []byte) []suppression {
	var out []suppression
	lines := strings.Split(string(src), "\n")
	for i, line := range lines {
		for _, m := range directive.FindAllStringSubmatch(line, -1) {
			names := strings.FieldsFunc(m[2], func(r rune) bool { return r == ' ' || r == ',' || r == '\t' })
			switch m[1] {
			case "disable":
				out = append(out, suppression{i + 1, math.MaxInt, names})
			case "enable":
				for k := range out {
					if out[k].to == math.MaxInt && (len(names) == 0 || slices.Equal(names, out[k].rules)) {
						out[k].to = i
					}
				}
			case "disable-next-line":
				out = append(out, suppression{i + 1, blockEnd(lines, i+1), names})
			}
		}
	}
	return out
}

// blockEnd is the last line of what begins at the index: one line, or a fenced
// block.
func blockEnd(lines []string, i int) int {
	for i < len(lines) && strings.TrimSpace(lines[i]) == "" {
		i++
	}
	if i >= len(lines) {
		return i
	}
	t := strings.TrimSpace(lines[i])
	if !strings.HasPrefix(t, "```") && !strings.HasPrefix(t, "~~~") {
		return i + 1
	}
	for k := i + 1; k < len(lines); k++ {
		if strings.HasPrefix(strings.TrimSpace(lines[k]), t[:3]) {
			return k + 1
		}
	}
	return len(lines)
}

func (f *file) suppressed(rule string, line int) bool {
	return slices.ContainsFunc(f.off, func(s suppression) bool {
		return s.from <= line && line <= s.to && (len(s.rules) == 0 || slices.Contains(s.rules, rule))
	})
}
