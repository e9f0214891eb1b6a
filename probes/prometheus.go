package probes

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/erpgo/flightdeck/config"
)

const (
	maxSeries = 20   // lines that one chart can still be read with
	maxPoints = 1000 // points a line, more than any terminal has columns
)

// Prom asks one Prometheus, or anything else that speaks its HTTP API. It is
// safe for concurrent use: the probes and all views share one.
type Prom struct {
	pace     config.Pace
	endpoint *endpoint
	api      v1.API
	err      error // why there is nothing to ask: not configured, or a bad URL
}

// NewProm returns the client of the configured Prometheus; cfg.Timeout bounds
// each question and must be positive. Where none is configured each use of the
// client is an ErrNotConfigured.
func NewProm(cfg config.Prometheus) *Prom {
	p := &Prom{pace: cfg.Pace}
	p.endpoint, p.err = newEndpoint("prometheus", cfg.URL, "--prometheus or PROMETHEUS_URL", cfg.Authorization(), cfg.Timeout)
	if p.err != nil {
		return p
	}
	client, err := api.NewClient(api.Config{Address: p.endpoint.base.String(), Client: p.endpoint.client})
	if err != nil {
		p.err = p.endpoint.failure(err)
		return p
	}
	p.api = v1.NewAPI(client)
	return p
}

// API is the client itself, for who asks more than the cockpit does. Its
// questions are bounded by their context alone. The error says why there is
// nothing to ask.
func (p *Prom) API() (v1.API, error) { return p.api, p.err }

// Series is one line of a chart.
type Series struct {
	Labels map[string]string
	Points []Point // one a step, oldest first, NaN where there was no sample
}

// Chart is an expression over time, with the threshold it is compared with.
type Chart struct {
	Expr      string   // what is drawn
	Op        string   // the comparison that alerts: > >= < <= == !=; empty when there is no threshold
	Threshold float64  // meaningless when Op is empty
	Series    []Series // at most 20, worst first
	LeftOut   int      // series beyond those
	Warnings  []string // from Prometheus
}

// Chart evaluates an alerting rule's expression from start to end, without its
// comparison where it has one that SplitThreshold understands, and as a whole
// otherwise. Step is the least distance of two points; it is raised so that a
// line has at most 1,000. The series that are kept are those whose newest value
// is worst: the largest, or the smallest where small values alert.
func (p *Prom) Chart(ctx context.Context, query string, start, end time.Time, step time.Duration) (Chart, error) {
	c := Chart{}
	c.Expr, c.Threshold, c.Op, _ = SplitThreshold(query)
	var err error
	c.Series, c.LeftOut, c.Warnings, err = p.worst(ctx, c.Expr, start, end, step, c.Op == "<" || c.Op == "<=")
	return c, err
}

// Range evaluates expr from start to end. It returns the 20 series with the
// largest newest value, largest first; that others were left out is one of the
// warnings. Step is raised so that a series has at most 1,000 points.
func (p *Prom) Range(ctx context.Context, expr string, start, end time.Time, step time.Duration) ([]Series, []string, error) {
	series, leftOut, warnings, err := p.worst(ctx, expr, start, end, step, false)
	if leftOut > 0 {
		warnings = append(warnings, fmt.Sprintf("%d more series are left out", leftOut))
	}
	return series, warnings, err
}

// Instant evaluates an expression that yields at most one series, at this
// moment. No value is NaN.
func (p *Prom) Instant(ctx context.Context, expr string) (float64, error) {
	now := time.Now().Truncate(time.Millisecond)
	matrix, _, err := p.matrix(ctx, expr, now, now, time.Second)
	switch {
	case err != nil:
		return math.NaN(), err
	case len(matrix) > 1:
		return math.NaN(), p.endpoint.failure(fmt.Errorf("%d series where one is expected; aggregate them, for instance with sum()", len(matrix)))
	case len(matrix) == 0 || len(matrix[0].Values) == 0:
		return math.NaN(), nil
	}
	return float64(matrix[0].Values[0].Value), nil
}

// worst evaluates expr and keeps the series whose newest value is largest, or
// smallest where low is set.
func (p *Prom) worst(ctx context.Context, expr string, start, end time.Time, step time.Duration, low bool) (kept []Series, leftOut int, warnings []string, err error) {
	if end.Before(start) {
		return nil, 0, nil, fmt.Errorf("the range ends at %v, before it starts at %v", end, start)
	}
	// Prometheus counts in milliseconds.
	start, step = start.Truncate(time.Millisecond), step.Truncate(time.Millisecond)
	least := end.Sub(start)/(maxPoints-1) + time.Millisecond
	step = max(step, least.Truncate(time.Millisecond))
	matrix, warnings, err := p.matrix(ctx, expr, start, end, step)
	if err != nil {
		return nil, 0, warnings, err
	}
	slices.SortStableFunc(matrix, func(a, b *model.SampleStream) int {
		return cmp.Compare(calmness(a, low), calmness(b, low))
	})
	if len(matrix) > maxSeries {
		leftOut = len(matrix) - maxSeries
		matrix = matrix[:maxSeries]
	}
	for _, s := range matrix {
		kept = append(kept, Series{Labels: metricMap(s.Metric), Points: onGrid(s.Values, start, end, step)})
	}
	return kept, leftOut, warnings, nil
}

// calmness orders series by their newest value, the worst first; low says that
// small values are the bad ones.
func calmness(s *model.SampleStream, low bool) float64 {
	if len(s.Values) == 0 {
		return math.Inf(1)
	}
	newest := float64(s.Values[len(s.Values)-1].Value)
	switch {
	case math.IsNaN(newest):
		return math.Inf(1)
	case low:
		return newest
	}
	return -newest
}

// matrix runs one range query, with the server told to give up before we do.
func (p *Prom) matrix(ctx context.Context, expr string, start, end time.Time, step time.Duration) (model.Matrix, []string, error) {
	if p.err != nil {
		return nil, nil, p.err
	}
	ctx, cancel := context.WithTimeout(ctx, p.endpoint.timeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	value, warnings, _, err := p.api.QueryRange(ctx, expr,
		v1.Range{Start: start, End: end, Step: step},
		v1.WithTimeout(serverTimeout(time.Until(deadline))))
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return nil, warnings, &queryError{fmt.Sprintf("the query gives more than %d MiB", maxAnswer>>20), "aggregate it, for instance with sum()"}
	}
	if err != nil {
		return nil, warnings, p.failure(err)
	}
	matrix, ok := value.(model.Matrix)
	if !ok {
		return nil, warnings, p.endpoint.failure(fmt.Errorf("a %v for a range query", value.Type()))
	}
	return matrix, warnings, nil
}

// serverTimeout is how long the server may take for a query of which we await
// the answer for d. It is less, so that it is the server who says that the query
// was too slow, and stops. Prometheus reads durations without fractions only.
func serverTimeout(d time.Duration) time.Duration {
	d = d * 9 / 10
	if d > time.Second {
		return d.Truncate(time.Second)
	}
	return max(d.Truncate(time.Millisecond), time.Millisecond)
}

// queryError is what a Prometheus that works says of one query that does not.
type queryError struct {
	what   string
	detail string
}

func (e *queryError) Error() string { return e.what + ": " + e.detail }

// failure words an error of the API client. The error of a query alone is a
// *queryError; any other concerns the server.
func (p *Prom) failure(err error) error {
	var answer *v1.Error
	if !errors.As(err, &answer) {
		return p.endpoint.failure(err)
	}
	kind, detail := answer.Type, answer.Msg
	var code int
	if kind == v1.ErrServer || kind == v1.ErrClient {
		// The client keeps the status in the message and the body as a detail,
		// also when the body is Prometheus's own word on the query (503 timeout).
		_, _ = fmt.Sscanf(answer.Msg, "client error: %d", &code)
		_, _ = fmt.Sscanf(answer.Msg, "server error: %d", &code)
		var body struct {
			ErrorType v1.ErrorType `json:"errorType"`
			Error     string       `json:"error"`
		}
		if json.Unmarshal([]byte(answer.Detail), &body) == nil && body.ErrorType != "" {
			kind, detail = body.ErrorType, body.Error
		}
	}
	switch kind {
	case v1.ErrBadData:
		return &queryError{"prometheus refused the query (400)", detail}
	case v1.ErrExec:
		return &queryError{"prometheus cannot execute the query (422)", detail}
	case v1.ErrTimeout, v1.ErrCanceled:
		return &queryError{"prometheus gave up on the query (503)", detail}
	case v1.ErrServer, v1.ErrClient:
		return p.endpoint.failure(statusError{code, answer.Detail})
	}
	return p.endpoint.failure(errors.New(firstLine(detail)))
}

// onGrid spreads samples over the points that a range query was evaluated at,
// NaN where there is none.
func onGrid(samples []model.SamplePair, start, end time.Time, step time.Duration) []Point {
	points := make([]Point, end.Sub(start)/step+1)
	for i := range points {
		points[i] = Point{At: start.Add(time.Duration(i) * step), Value: math.NaN()}
	}
	for _, s := range samples {
		i := int((s.Timestamp.Time().Sub(start) + step/2) / step)
		if i >= 0 && i < len(points) {
			points[i].Value = float64(s.Value)
		}
	}
	return points
}

// metricMap copies the labels of a series.
func metricMap(m model.Metric) map[string]string { return labelMap(model.LabelSet(m)) }

// labelMap copies a set of labels into plain strings.
func labelMap(set model.LabelSet) map[string]string {
	m := make(map[string]string, len(set))
	for name, value := range set {
		m[string(name)] = string(value)
	}
	return m
}
