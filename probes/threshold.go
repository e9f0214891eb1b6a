package probes

import (
	"math"

	"github.com/prometheus/prometheus/promql/parser"
)

// promQL parses PromQL. It accepts what servers accept behind feature flags
// too: the cockpit reads rules, it does not decide what may be in them.
var promQL = parser.NewParser(parser.Options{
	EnableExperimentalFunctions: true,
	EnableBinopFillModifiers:    true,
	EnableUnquotedUTF8Names:     true,
})

// SplitThreshold takes an alerting rule's expression apart into what it
// measures, the threshold, and the comparison between them as it reads with the
// threshold on the right: one of > >= < <= == !=. A chart of expr with a line at
// threshold then shows how near an alert is before it is one, where a chart of
// the whole expression shows nothing until it fires.
//
// The threshold may stand on either side and may be computed from numbers
// (5 * 60). For "a > 5 and b > 1" and "a > 5 unless b" the left side is taken,
// because the alert has its value; what the right side filters is charted all
// the same. ok is false, and expr is the whole query, where there is no such
// comparison: other forms (or, absent, bool, a comparison of two series) and
// what does not parse.
func SplitThreshold(query string) (expr string, threshold float64, op string, ok bool) {
	root, err := promQL.ParseExpr(query)
	if err != nil {
		return query, 0, "", false
	}
	comparison, ok := leftmost(root)
	if !ok {
		return query, 0, "", false
	}
	measured, item := comparison.LHS, comparison.Op
	threshold, ok = constant(comparison.RHS)
	if !ok {
		measured, item = comparison.RHS, mirrored(item)
		threshold, ok = constant(comparison.LHS)
	}
	if !ok || math.IsNaN(threshold) || math.IsInf(threshold, 0) {
		return query, 0, "", false
	}
	return unwrapped(measured).String(), threshold, item.String(), true
}

// leftmost is the comparison that gives e its value: e itself, or the left side
// of its and or unless.
func leftmost(e parser.Expr) (*parser.BinaryExpr, bool) {
	b, ok := unwrapped(e).(*parser.BinaryExpr)
	switch {
	case !ok:
		return nil, false
	case b.Op == parser.LAND, b.Op == parser.LUNLESS:
		return leftmost(b.LHS)
	}
	// With bool the value is 0 or 1 and no longer what was measured.
	return b, b.Op.IsComparisonOperator() && !b.ReturnBool
}

// constant computes an expression of numbers alone.
func constant(e parser.Expr) (float64, bool) {
	switch e := unwrapped(e).(type) {
	case *parser.NumberLiteral:
		return e.Val, true
	case *parser.UnaryExpr:
		v, ok := constant(e.Expr)
		if e.Op == parser.SUB {
			v = -v
		}
		return v, ok
	case *parser.BinaryExpr:
		l, okL := constant(e.LHS)
		r, okR := constant(e.RHS)
		if !okL || !okR {
			return 0, false
		}
		switch e.Op {
		case parser.ADD:
			return l + r, true
		case parser.SUB:
			return l - r, true
		case parser.MUL:
			return l * r, true
		case parser.DIV:
			return l / r, true
		case parser.POW:
			return math.Pow(l, r), true
		}
	}
	return 0, false
}

// mirrored is the comparison with its sides exchanged.
func mirrored(op parser.ItemType) parser.ItemType {
	switch op {
	case parser.GTR:
		return parser.LSS
	case parser.GTE:
		return parser.LTE
	case parser.LSS:
		return parser.GTR
	case parser.LTE:
		return parser.GTE
	}
	return op
}

// unwrapped is e without the parentheses around it.
func unwrapped(e parser.Expr) parser.Expr {
	for {
		p, ok := e.(*parser.ParenExpr)
		if !ok {
			return e
		}
		e = p.Expr
	}
}
