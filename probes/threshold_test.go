package probes

import (
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

func TestSplitThreshold(t *testing.T) {
	for _, test := range []struct {
		query     string
		expr      string
		op        string
		threshold float64
	}{
		{"up < 1", "up", "<", 1},
		{`sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05`, `sum(rate(errors_total[5m])) / sum(rate(requests_total[5m]))`, ">", 0.05},
		{"(latency_seconds) >= (2)", "latency_seconds", ">=", 2},
		{"((x > 3))", "x", ">", 3},
		{"10 < queue_length", "queue_length", ">", 10},
		{"10 >= queue_length", "queue_length", "<=", 10},
		{"1 == up", "up", "==", 1},
		{"up != 1", "up", "!=", 1},
		{"delta(x[5m]) < -5", "delta(x[5m])", "<", -5},
		{"memory_bytes > 2 * 1024 ^ 3", "memory_bytes", ">", 2 << 30},
		{"age_seconds > 5 * 60 - 1", "age_seconds", ">", 299},
		{"x > 1e3 / (2 + 2)", "x", ">", 250},
		{"a > 5 and b > 1", "a", ">", 5},
		{"a > 5 and on (pod) b", "a", ">", 5},
		{"(a > 5 unless on () maintenance == 1) and c", "a", ">", 5},
		{"rate(x[5m] offset 1h) > 0.1", "rate(x[5m] offset 1h)", ">", 0.1},
		{"x > 0x10", "x", ">", 16},
		// What is compared may hold comparisons of its own.
		{"count(up == 0) > 2", "count(up == 0)", ">", 2},
		{"a + b > 2", "a + b", ">", 2},
	} {
		expr, threshold, op, ok := SplitThreshold(test.query)
		if !ok || expr != test.expr || threshold != test.threshold || op != test.op {
			t.Errorf("SplitThreshold(%q) = %q %s %v, %v; want %q %s %v", test.query,
				expr, op, threshold, ok, test.expr, test.op, test.threshold)
		}
	}
	for _, query := range []string{
		"", "up", "absent(up)", "up > bool 0", "a > b", "a > 1 or b > 2", "a > 5 * scalar(b)",
		"a > Inf", "a > NaN", "a > 1 / 0", "sum(a > 5)", "-(a > 5)", "a and b > 5", "a % 5",
		"5 > bool 3", "a >", "rate(x) > 5", "\x1b[2J > 5", "kubectl get pods",
	} {
		if expr, _, op, ok := SplitThreshold(query); ok || expr != query {
			t.Errorf("SplitThreshold(%q) = %q %s, %v; want the whole query and no threshold", query, expr, op, ok)
		}
	}
}

func FuzzSplitThreshold(f *testing.F) {
	for _, seed := range []string{
		"up < 1", "10 < x", "a > 5 and b > 1", "x > 5 * (1024 ^ 2)", "up > bool 0", "((x)) != -(-3)",
		`http_requests_total{status=~"5..", endpoint!="/"} offset 5m > 1e-3`, "vector(1) == 1", `{"a.b"} > 1`,
		"histogram_quantile(0.99, sum by (le) (rate(d_bucket[5m]))) > 2", "x[5m:1m] > 3", "x @ 3 > 0x7f",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		expr, threshold, op, ok := SplitThreshold(query)
		if !ok {
			if expr != query {
				t.Errorf("without a threshold %q became %q", query, expr)
			}
			return
		}
		if _, err := promQL.ParseExpr(expr); err != nil {
			t.Errorf("of %q the part %q does not parse: %v", query, expr, err)
		}
		number := &parser.NumberLiteral{Val: threshold}
		again, value, sameOp, ok := SplitThreshold("(" + expr + ") " + op + " " + number.String())
		if !ok || again != expr || value != threshold || sameOp != op {
			t.Errorf("%q split into %q %s %v, put together and split again into %q %s %v, %v",
				query, expr, op, threshold, again, sameOp, value, ok)
		}
	})
}
