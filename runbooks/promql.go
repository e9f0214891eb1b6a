package runbooks

import (
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/prometheus/promql/parser"
)

var promParser = parser.NewParser(parser.Options{})

// parsePromQL tells why a text is not PromQL; nil when it is.
func parsePromQL(text string) error {
	_, err := promParser.ParseExpr(text)
	return err
}

// newQuery makes a query of a text that is meant to be PromQL.
func newQuery(text string, line int) Query {
	if len(text) > maxPromQL {
		return Query{Original: text, Line: line}
	}
	q := Query{Original: strings.TrimSpace(text), Line: line}
	if q.Parses = parsePromQL(q.Original) == nil; !q.Parses {
		if q.Repairs = repairPromQL(q.Original); len(q.Repairs) > 0 {
			q.Repair = q.Repairs[0]
		}
	}
	return q
}

var (
	promCall = regexp.MustCompile(`\b(sum|avg|min|max|count|topk|bottomk|quantile|stddev|rate|irate|increase|delta|deriv|histogram_quantile|absent|predict_linear|label_replace|\w+_over_time)\s*(?:(?:by|without)\s*\([^)]*\)\s*)?\(`)
	promSet  = regexp.MustCompile(`[a-zA-Z_:]\w*\{[^{}]*(=|!=|=~|!~)\s*"[^{}]*\}|\[\d+(ms|[smhdwy])(:[^\]]*)?\]`)
	promName = regexp.MustCompile(`^[a-z][a-z0-9]*([_:][a-zA-Z0-9_:]+)+$`)
	promBy   = regexp.MustCompile(`^[a-z][a-zA-Z0-9_:]*_[a-zA-Z0-9_:]*\s+(by|without)\s*\([a-zA-Z_, ]*\)$`)
)

// maxPromQL is the longest text that is tried as an expression, in bytes.
const maxPromQL = 4096

// mayCall and maySelect are what promCall and promSet cannot match without; they
// are much faster on the commands that are no PromQL.
func mayCall(text string) bool {
	if strings.IndexByte(text, '(') < 0 {
		return false
	}
	for _, name := range []string{"sum", "rate", "avg", "max", "min", "count", "topk", "bottomk", "quantile", "stddev", "increase", "delta", "deriv", "absent", "predict_linear", "label_replace", "_over_time"} {
		if strings.Contains(text, name) {
			return true
		}
	}
	return false
}

func maySelect(text string) bool {
	if i := strings.IndexByte(text, '{'); i > 0 && strings.IndexByte(text[i:], '"') > 0 && (text[i-1] == '_' || isAlphanumeric(text[i-1])) {
		return true
	}
	for rest := text; ; {
		i := strings.IndexByte(rest, '[')
		if i < 0 || i+1 >= len(rest) {
			return false
		}
		if rest[i+1] >= '0' && rest[i+1] <= '9' {
			return true
		}
		rest = rest[i+1:]
	}
}

// looksLikePromQL tells whether a text is PromQL whatever surrounds it: it has
// what only PromQL has, and it parses or nearly does. Parsing alone proves
// nothing: "Check" and "Grafana" parse.
func looksLikePromQL(text string) bool {
	_, ok := findPromQL(text, 0)
	return ok
}

// findPromQL makes a query of a text that looks like PromQL.
func findPromQL(text string, line int) (Query, bool) {
	if len(text) > maxPromQL || strings.Contains(text, "SELECT ") || strings.Contains(text, "select ") || !(mayCall(text) && promCall.MatchString(text)) && !(maySelect(text) && promSet.MatchString(text)) {
		return Query{}, false
	}
	q := newQuery(text, line)
	return q, q.Parses || q.Repair != ""
}

// introducedPromQL makes a query of a text where the book has just said that an
// expression follows: a bare metric name is enough then.
func introducedPromQL(text string, line int) (Query, bool) {
	text = strings.TrimSpace(text)
	if text != "up" && !strings.ContainsAny(text, "_({[") {
		return Query{}, false
	}
	if q, ok := findPromQL(text, line); ok {
		return q, true
	}
	if promBy.MatchString(text) {
		return newQuery(text, line), true
	}
	if text == "up" || promName.MatchString(text) || strings.Contains(text, "_") && strings.ContainsAny(text, "{[(") || comparedMetric.MatchString(text) {
		q := newQuery(text, line)
		return q, q.Parses
	}
	return Query{}, false
}

// comparedMetric is a metric's name compared or combined with a number.
var comparedMetric = regexp.MustCompile(`^[a-z]\w*_\w*\s*(==|!=|>=?|<=?|[-+*/])\s*[\d.]+$`)

var (
	grouping    = regexp.MustCompile(`\s*\b(by|without)\s*\(([^()]*)\)`)
	smartQuotes = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "‘", `'`, "’", `'`)
	dashboard   = regexp.MustCompile(`\$__(rate_)?interval\b|\$\{__(rate_)?interval\}|\$interval\b`)
	bareRange   = regexp.MustCompile(`\b(rate|irate|increase|delta|deriv)\(\s*([a-zA-Z_:][\w:]*(?:\{[^{}]*\})?)\s*\)`)
	percentage  = regexp.MustCompile(`([<>]=?|==)\s*(\d+(?:\.\d+)?)\s*%`)
)

// repairPromQL proposes expressions that parse for one that does not, the most
// likely first.
func repairPromQL(text string) []string {
	text = smartQuotes.Replace(strings.TrimRight(strings.TrimSpace(text), ";"))
	text = dashboard.ReplaceAllString(text, "5m")
	text = bareRange.ReplaceAllString(text, "$1($2[5m])")
	text = percentage.ReplaceAllString(text, "$1 $2")
	var out []string
	add := func(expr string) {
		parsed, err := promParser.ParseExpr(expr)
		if err == nil && !slices.Contains(out, parsed.String()) {
			out = append(out, parsed.String())
		}
	}
	for _, aggregate := range aggregates(text) {
		regrouped := regroup(text, aggregate)
		add(regrouped)
		if open := strings.Count(regrouped, "(") - strings.Count(regrouped, ")"); open > 0 && open < 4 {
			add(regrouped + strings.Repeat(")", open))
		}
	}
	return out
}

// aggregates are the functions that a grouping without one may mean. A rate or
// a count is summed; for a bare metric the book's author has to say, and what
// its name suggests comes first.
func aggregates(text string) []string {
	switch {
	case promCall.MatchString(text):
		return []string{"sum"}
	case strings.Contains(text, "_total"), strings.Contains(text, "_count"):
		return []string{"sum", "avg"}
	}
	return []string{"avg", "sum"}
}

// regroup moves a grouping that stands behind an expression into an
// aggregation around it.
func regroup(text, aggregate string) string {
	for from := 0; ; {
		at := grouping.FindStringSubmatchIndex(text[from:])
		if at == nil {
			return text
		}
		for i := range at {
			at[i] += from
		}
		word, labels := text[at[2]:at[3]], strings.TrimSpace(text[at[4]:at[5]])
		start := operandStart(text, at[0])
		if start < 0 {
			from = at[1]
			continue
		}
		expr := text[start:at[0]]
		var fixed string
		if inner, ok := strings.CutPrefix(expr, "histogram_quantile("); ok {
			quantile, vector, _ := strings.Cut(strings.TrimSuffix(inner, ")"), ",")
			if word == "by" && !hasLabel(labels, "le") {
				labels = strings.TrimSpace(labels + ", le")
			}
			fixed = "histogram_quantile(" + quantile + ", sum " + word + " (" + labels + ") (" + strings.TrimSpace(vector) + "))"
		} else {
			fixed = aggregate + " " + word + " (" + labels + ") (" + expr + ")"
		}
		text = text[:start] + fixed + text[at[1]:]
		from = start + len(fixed)
	}
}

func hasLabel(labels, name string) bool {
	for _, l := range strings.Split(labels, ",") {
		if strings.TrimSpace(l) == name {
			return true
		}
	}
	return false
}

var aggregation = regexp.MustCompile(`\b(sum|avg|min|max|count|group|topk|bottomk|quantile|stddev|stdvar|count_values|limitk|limit_ratio)$`)

// operandStart finds where the operand that ends at end begins. It is -1 where
// the grouping already belongs to an aggregation.
func operandStart(text string, end int) int {
	i := end
	for i > 0 && text[i-1] == ' ' {
		i--
	}
	if aggregation.MatchString(text[:i]) {
		return -1
	}
	for i > 0 { // matrix, matchers, arguments
		open, ok := map[byte]byte{')': '(', '}': '{', ']': '['}[text[i-1]]
		if !ok {
			break
		}
		depth := 0
		for i > 0 {
			i--
			if text[i] == open {
				depth--
			} else if c, ok := map[byte]byte{')': '(', '}': '{', ']': '['}[text[i]]; ok && c == open {
				depth++
			}
			if depth == 0 {
				break
			}
		}
		if depth != 0 {
			return -1
		}
	}
	name := i
	for name > 0 && (text[name-1] == '_' || text[name-1] == ':' || isAlphanumeric(text[name-1])) {
		name--
	}
	if aggregation.MatchString(text[name:i]) || name == end {
		return -1
	}
	return name
}

func isAlphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
