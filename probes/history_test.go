//go:build unix

package probes

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

// queryRecorder keeps how many points each range query asked for.
type queryRecorder struct {
	next http.RoundTripper
	mu   sync.Mutex
	asks []int
}

func (r *queryRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	again := req.Clone(req.Context())
	again.Body, _ = req.GetBody()
	if err := again.ParseForm(); err == nil && again.Form.Has("step") {
		number := func(name string) float64 {
			v, _ := strconv.ParseFloat(again.Form.Get(name), 64)
			return v
		}
		r.mu.Lock()
		r.asks = append(r.asks, int(math.Floor((number("end")-number("start"))/number("step")))+1)
		r.mu.Unlock()
	}
	return r.next.RoundTrip(req)
}

// recordQueries records the queries of prom from now on.
func recordQueries(prom *Prom) *queryRecorder {
	transport := prom.endpoint.client.Transport.(*transport)
	r := &queryRecorder{next: transport.next}
	transport.next = r
	return r
}

func newHistory(query string) *history {
	return &history{signal: config.Signal{Name: "signal", Query: query}, span: historySpan, step: historyStep}
}

func TestHistoryReadsOnlyWhatIsNew(t *testing.T) {
	prom := NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL()))
	queries := recordQueries(prom)
	h := newHistory("vector(time())")
	// A whole step of the grid, so that what is due when is known.
	begun := time.Now().Add(-6 * time.Hour).Truncate(historyStep)
	for _, test := range []struct {
		after time.Duration
		asks  int           // points that the query asks for
		age   time.Duration // of the newest point then
	}{
		{7 * time.Second, 240, 7 * time.Second}, // the first hour, to the last of the grid
		{10 * time.Second, 1, 0},                // the newest alone
		{14 * time.Second, 1, 0},                // the newest again
		{15 * time.Second, 1, 0},                // the next of the grid
		{15 * time.Second, 1, 0},
		{31 * time.Second, 1, time.Second},
		{10 * time.Minute, 38, 0},                            // an outage: what was missed
		{3*time.Hour + 7*time.Second, 240, 7 * time.Second},  // a long one: the last hour
		{3*time.Hour + 10*time.Second, 1, 0},                 // and on
		{2*time.Hour + 7*time.Second, 240, 7 * time.Second},  // the clock was set back
		{2*time.Hour + 15*time.Second, 1, 0},                 // and on
		{2*time.Hour + 200*time.Second, 12, 5 * time.Second}, // and on
	} {
		now := begun.Add(test.after)
		queries.asks = nil
		if err := h.advance(t.Context(), prom, now); err != nil {
			t.Fatalf("after %v: %v", test.after, err)
		}
		if len(queries.asks) != 1 || queries.asks[0] != test.asks {
			t.Errorf("after %v the queries asked for %v points, want one for %d", test.after, queries.asks, test.asks)
		}
		points := h.read(nil).Points
		if n := len(points); n < 240 || n > 242 {
			t.Fatalf("after %v: %d points", test.after, n)
		}
		for i, p := range points {
			if p.Value != float64(p.At.Unix()) {
				t.Fatalf("after %v: point %d of %v holds the value of %v", test.after, i, p.At.Unix(), p.Value)
			}
			if i > 0 && i < len(points)-1 && p.At.Sub(points[i-1].At) != historyStep {
				t.Fatalf("after %v: point %d is %v after the one before", test.after, i, p.At.Sub(points[i-1].At))
			}
			if p.At.After(now) || now.Sub(p.At) > historySpan {
				t.Fatalf("after %v: point %d is %v old", test.after, i, now.Sub(p.At))
			}
		}
		if age := now.Sub(points[len(points)-1].At); age != test.age {
			t.Errorf("after %v the newest point is %v old, want %v", test.after, age, test.age)
		}
	}
}

func TestHistoryMarksGapsAndBeginsWithTheFirstSample(t *testing.T) {
	prom := NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL()))
	now := time.Now().Truncate(time.Minute).Add(20 * time.Second)

	h := newHistory("vector(1) and on () (vector(time()) % 60 < 30)")
	if err := h.advance(t.Context(), prom, now); err != nil {
		t.Fatal(err)
	}
	points := h.read(nil).Points
	if math.IsNaN(points[0].Value) || len(points) < 230 {
		t.Errorf("%d points, the first is %v", len(points), points[0].Value)
	}
	for _, p := range points {
		if gap := p.At.Unix()%60 >= 30; gap != math.IsNaN(p.Value) {
			t.Errorf("at second %d of its minute the point is %v", p.At.Unix()%60, p.Value)
		}
	}
	if err := h.advance(t.Context(), prom, now.Add(20*time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.read(nil).Latest(); ok {
		t.Error("in a gap there is a newest value")
	}

	none := newHistory("no_such_metric")
	for range 3 {
		if err := none.advance(t.Context(), prom, now); err != nil {
			t.Fatal(err)
		}
		now = now.Add(5 * time.Second)
	}
	if s := none.read(nil); len(s.Points) != 0 || s.Err != nil {
		t.Errorf("a metric that is not there gives %d points, error %v", len(s.Points), s.Err)
	}
}

// What was published must not change when the next reading is taken.
func TestHistoryIsCopied(t *testing.T) {
	prom := NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL()))
	h := newHistory("vector(time())")
	now := time.Now().Truncate(historyStep)
	var published [][]Point
	for i := range 10 {
		if err := h.advance(t.Context(), prom, now.Add(time.Duration(i)*7*time.Second)); err != nil {
			t.Fatal(err)
		}
		published = append(published, h.read(nil).Points)
	}
	for i, points := range published {
		newest := now.Add(time.Duration(i) * 7 * time.Second)
		if age := newest.Sub(points[len(points)-1].At); age < 0 || age >= historyStep {
			t.Errorf("reading %d now ends %v before it was taken", i, age)
		}
		if age := newest.Sub(points[0].At); age > historySpan || age < historySpan-historyStep {
			t.Errorf("reading %d now begins %v before it was taken", i, age)
		}
	}
}

func TestABadSignalSpoilsNoOther(t *testing.T) {
	upstream, err := url.Parse(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL())
	if err != nil {
		t.Fatal(err)
	}
	front, err := faultproxy.NewHTTP(upstream, http.DefaultTransport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	board := NewBoard(1)
	signals := []config.Signal{
		{Name: "clock", Query: "vector(time())", Warn: 1},
		{Name: "bad", Query: "sum("},
		{Name: "slow", Query: "sum_over_time(vector(time())[1h:1ms])"},
		{Name: "many", Query: numbered(3)},
		{Name: "none", Query: "no_such_metric"},
	}
	runProbe(t, NewSignals(NewProm(promAt(front.URL())), signals, board))
	r := awaitGood(t, &board.Signals, time.Time{})
	got := map[string]Signal{}
	for i, s := range r.Value.Signals {
		if s.Name != signals[i].Name {
			t.Errorf("signal %d is %s, want the order of the configuration", i, s.Name)
		}
		got[s.Name] = s
	}
	if s := got["clock"]; s.Err != nil || len(s.Points) < 240 || s.Level() != Warn {
		t.Errorf("the good signal has %d points, error %v, level %v", len(s.Points), s.Err, s.Level())
	}
	for name, want := range map[string]string{
		"bad":  "prometheus refused the query (400): ",
		"slow": "prometheus gave up on the query (503): ",
		"many": "the query gives 3 series and a signal is one: aggregate them",
	} {
		if err := got[name].Err; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", name, err, want)
		}
	}
	if s := got["none"]; s.Err != nil || len(s.Points) != 0 {
		t.Errorf("a metric that is not there gives %d points, error %v", len(s.Points), s.Err)
	}

	front.Respond(-1, "/api/v1/query_range", faultproxy.Answer{
		Status: 200,
		Body:   `{"status":"success","warnings":["one store is away"],"data":{"resultType":"matrix","result":[]}}`,
	})
	warned := awaitReading(t, &board.Signals, "a warning", func(r Reading[Signals]) bool {
		return r.Err == nil && len(r.Value.Signals[0].Warnings) == 1
	})
	if s := warned.Value.Signals[0]; s.Warnings[0] != "one store is away" || len(s.Points) < 240 {
		t.Errorf("warnings %q beside %d points", s.Warnings, len(s.Points))
	}
}

func TestSignalsWithoutPrometheus(t *testing.T) {
	board := NewBoard(1)
	runProbe(t, NewSignals(NewProm(config.Prometheus{}), []config.Signal{{Query: "up"}}, board))
	awaitReading(t, &board.Signals, "not configured", func(r Reading[Signals]) bool { return errors.Is(r.Err, ErrNotConfigured) })
}

func TestNoSignalsAreNoQueries(t *testing.T) {
	board := NewBoard(1)
	got, err := NewSignals(NewProm(promAt("http://127.0.0.1:1")), nil, board).take(context.Background())
	if err != nil || len(got.Signals) != 0 {
		t.Errorf("got %v, error %v", got, err)
	}
}
