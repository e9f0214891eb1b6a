//go:build unix

package probes

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

// promAt is the configuration of a Prometheus that is read five times a second.
func promAt(url string) config.Prometheus {
	return config.Prometheus{URL: url, Pace: config.Pace{Interval: 200 * time.Millisecond, Timeout: 2 * time.Second}}
}

// hour is a whole hour on a grid of 15 s.
func hour() (start, end time.Time) {
	end = time.Now().Truncate(15 * time.Second)
	return end.Add(-time.Hour), end
}

func TestRangeGivesOnePointAStep(t *testing.T) {
	prom := NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL()))
	start, end := hour()

	series, warnings, err := prom.Range(t.Context(), "vector(time())", start, end, 15*time.Second)
	if err != nil || len(warnings) != 0 || len(series) != 1 {
		t.Fatalf("%d series, warnings %q, error %v; want one series", len(series), warnings, err)
	}
	points := series[0].Points
	if len(points) != 241 || !points[0].At.Equal(start) || !points[240].At.Equal(end) {
		t.Fatalf("%d points from %v to %v", len(points), points[0].At, points[len(points)-1].At)
	}
	for _, p := range points {
		if p.Value != float64(p.At.Unix()) {
			t.Fatalf("the point at %v holds the value of %v", p.At.Unix(), p.Value)
		}
	}

	// In the first half of each minute there is a value.
	series, _, err = prom.Range(t.Context(), "vector(1) and on () (vector(time()) % 60 < 30)", start, end, 15*time.Second)
	if err != nil || len(series) != 1 {
		t.Fatalf("%d series, error %v", len(series), err)
	}
	for _, p := range series[0].Points {
		if present := p.At.Unix()%60 < 30; present == math.IsNaN(p.Value) {
			t.Fatalf("the point at second %d of its minute is %v", p.At.Unix()%60, p.Value)
		}
	}
}

// numbered is an expression with n series, whose values are 1 to n.
func numbered(n int) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = fmt.Sprintf(`label_replace(vector(%d), "n", "%d", "", "")`, i+1, i+1)
	}
	return strings.Join(parts, " or ")
}

func TestRangeIsBounded(t *testing.T) {
	prom := NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL()))
	start, end := hour()

	series, warnings, err := prom.Range(t.Context(), numbered(25), start, end, time.Second)
	if err != nil || len(series) != 20 {
		t.Fatalf("%d series, error %v; want 20", len(series), err)
	}
	if len(warnings) != 1 || warnings[0] != "5 more series are left out" {
		t.Errorf("warnings %q", warnings)
	}
	if first, last := series[0].Labels["n"], series[19].Labels["n"]; first != "25" || last != "6" {
		t.Errorf("the series %s to %s were kept, want the largest, largest first", first, last)
	}
	if n := len(series[0].Points); n > 1000 || n < 900 {
		t.Errorf("%d points of a step of 1 s in an hour, want nearly 1,000", n)
	}
	if _, _, err := prom.Range(t.Context(), "up", end, start, time.Second); err == nil {
		t.Error("no error for a range that ends before it starts")
	}
	if series, _, err := prom.Range(t.Context(), "vector(1)", end, end, 0); err != nil || len(series) != 1 || len(series[0].Points) != 1 {
		t.Errorf("a range of one moment gives %v, error %v", series, err)
	}
}

func TestChartShowsWhatTheRuleMeasures(t *testing.T) {
	prom := NewProm(promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL()))
	start, end := hour()

	chart, err := prom.Chart(t.Context(), "("+numbered(25)+") > 22", start, end, time.Minute)
	if err != nil || chart.Op != ">" || chart.Threshold != 22 {
		t.Fatalf("chart %+v, error %v", chart, err)
	}
	if len(chart.Series) != 20 || chart.LeftOut != 5 || chart.Series[0].Labels["n"] != "25" {
		t.Errorf("%d series beginning with %v and %d left out", len(chart.Series), chart.Series[0].Labels, chart.LeftOut)
	}
	if first := chart.Series[19].Points[0].Value; first != 6 {
		t.Errorf("the last series is at %v: series below the threshold must be there too", first)
	}

	chart, err = prom.Chart(t.Context(), "("+numbered(25)+") < 3", start, end, time.Minute)
	if err != nil || len(chart.Series) != 20 || chart.Series[0].Labels["n"] != "1" {
		t.Errorf("where small values alert the first of %d series is %v, error %v", len(chart.Series), chart.Series[0].Labels, err)
	}

	chart, err = prom.Chart(t.Context(), "absent(no_such_metric)", start, end, time.Minute)
	if err != nil || chart.Op != "" || chart.Expr != "absent(no_such_metric)" || len(chart.Series) != 1 {
		t.Errorf("chart %+v, error %v; want the whole expression", chart, err)
	}
}

func TestQueryErrorsAreToldApart(t *testing.T) {
	cfg := promAt(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL())
	prom := NewProm(cfg)
	start, end := hour()
	for _, test := range []struct{ query, want string }{
		{"sum(", "prometheus refused the query (400): "},
		{`label_replace(vector(1), "x", "$1", "", "(")`, "prometheus cannot execute the query (422): "},
		{"sum_over_time(vector(time())[1h:1ms])", "prometheus gave up on the query (503): query timed out"},
	} {
		_, _, err := prom.Range(t.Context(), test.query, start, end, 15*time.Second)
		var own *queryError
		if !errors.As(err, &own) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.query, err, test.want)
		}
	}
}

func TestServerErrorsSayWhatToDo(t *testing.T) {
	upstream, err := url.Parse(testenv.StartPrometheus(t, testenv.PrometheusOptions{}).URL())
	if err != nil {
		t.Fatal(err)
	}
	front, err := faultproxy.NewHTTP(upstream, http.DefaultTransport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	cfg := promAt(front.URL())
	cfg.Timeout = patience // 16 MiB take a while
	prom := NewProm(cfg)
	for _, test := range []struct {
		name   string
		answer faultproxy.Answer
		want   string
	}{
		{
			"starting",
			faultproxy.Answer{Status: 503, Body: "Service Unavailable"},
			": it answered 503 Service Unavailable",
		},
		{
			"behind a proxy",
			faultproxy.Answer{Status: 502, Body: "\n<html>no upstream</html>\nmore"},
			": it answered 502 Bad Gateway: <html>no upstream</html>",
		},
		{
			"no token",
			faultproxy.Answer{Status: 401},
			": it answered 401 Unauthorized; check bearer_token, or the user and password in its URL",
		},
		{
			"another server",
			faultproxy.Answer{Status: 404, Body: "404 page not found"},
			": it answered 404 Not Found: 404 page not found; set --prometheus or PROMETHEUS_URL",
		},
		{
			"a web page",
			faultproxy.Answer{Status: 200, Body: "<html>"},
			": this is not an answer of the prometheus API: invalid character '<' looking for beginning of value; set --prometheus or PROMETHEUS_URL",
		},
		{
			"another JSON",
			faultproxy.Answer{Status: 200, Body: `{"status":"success","data":{"groups":[{"rules":[{"type":"odd"}]}]}}`},
			": this is not an answer of the prometheus API: ",
		},
		{
			"endless",
			faultproxy.Answer{Status: 200, Body: `{"data":"` + strings.Repeat("x", maxAnswer)},
			": its answer is larger than 16 MiB",
		},
	} {
		front.Forward()
		front.Respond(-1, "/api/v1/rules", test.answer)
		_, err := NewAlerts(prom, config.Alertmanager{}, NewBoard(1)).take(t.Context())
		if want := "prometheus " + front.URL() + test.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %.300v, want %q", test.name, err, want)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%s: an error of %d bytes", test.name, len(err.Error()))
		}
	}

	front.Forward()
	front.Respond(-1, "/api/v1/query_range", faultproxy.Answer{Status: 200, Body: strings.Repeat(" ", maxAnswer+1)})
	start, end := hour()
	_, _, err = prom.Range(t.Context(), "up", start, end, time.Minute)
	if err == nil || !strings.Contains(err.Error(), "the query gives more than 16 MiB: aggregate it") {
		t.Errorf("a query with an endless answer: %.300v", err)
	}
}

func TestUnreachableServers(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := closed.Addr().String()
	closed.Close()
	for _, test := range []struct{ url, want string }{
		{"http://op:hunter2@" + addr, "prometheus http://" + addr + ": connection refused; set --prometheus or PROMETHEUS_URL"},
		{"http://op:hunter2@" + addr + "/prom/?token=hunter2", "prometheus http://" + addr + "/prom/: connection refused; set --prometheus or PROMETHEUS_URL"},
		{"http://op:hunter2@no-such-host.invalid:9090", "no-such-host.invalid"},
		{"http://op:hunter2@[::1", "prometheus: its URL cannot be read; set --prometheus or PROMETHEUS_URL to something like http://host:9090"},
		{"ftp://op:hunter2@host", "prometheus: ftp://op:xxxxx@host is not an http:// or https:// URL; set --prometheus or PROMETHEUS_URL"},
		{"", "not configured: set --prometheus or PROMETHEUS_URL"},
	} {
		_, _, err := NewProm(promAt(test.url)).Range(t.Context(), "up", time.Now(), time.Now(), time.Second)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %v, want %q", test.url, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// Prometheus itself checks no credentials and never redirects, so a server of
// the test's own stands for the proxy that does.
func TestCredentialsStayWithTheirServer(t *testing.T) {
	var leaked http.Header
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		leaked = r.Header.Clone()
	}))
	t.Cleanup(other.Close)
	var sent http.Header
	own := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = r.Header.Clone()
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	}))
	t.Cleanup(own.Close)

	cfg := promAt(own.URL)
	cfg.BearerToken = "hunter2"
	if _, err := NewProm(cfg).api.Rules(t.Context(), nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	if got := sent.Get("Authorization"); got != "Bearer hunter2" {
		t.Errorf("the server got the credentials %q", got)
	}
	if leaked == nil || leaked.Get("Authorization") != "" {
		t.Errorf("the server that it redirects to got %v, want a request without credentials", leaked)
	}

	leaked = nil
	cfg = promAt(strings.Replace(own.URL, "://", "://op:hunter2@", 1))
	if _, err := NewProm(cfg).api.Rules(t.Context(), nil); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error %v", err)
	}
	if user, password, _ := (&http.Request{Header: sent}).BasicAuth(); user != "op" || password != "hunter2" {
		t.Errorf("the server got the user %q and the password %q", user, password)
	}
	if leaked == nil || leaked.Get("Authorization") != "" {
		t.Errorf("the server that it redirects to got %v, want a request without credentials", leaked)
	}
}
