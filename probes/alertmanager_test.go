//go:build unix

package probes

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	openapi "github.com/go-openapi/runtime/client"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/testenv/faultproxy"
)

func TestAlertmanagerErrorsSayWhatToDo(t *testing.T) {
	upstream, err := url.Parse(testenv.StartAlertmanager(t).URL())
	if err != nil {
		t.Fatal(err)
	}
	front, err := faultproxy.NewHTTP(upstream, http.DefaultTransport, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(front.Close)
	cfg := amAt(front.URL())
	cfg.Timeout = patience // 16 MiB take a while
	am := newAlertmanager(cfg)
	if _, err := am.take(t.Context()); err != nil {
		t.Fatalf("without a fault: %v", err)
	}
	json := http.Header{"Content-Type": {"application/json"}}
	html := http.Header{"Content-Type": {"text/html"}}
	silenced := `[{"labels":{"alertname":"A"},"status":{"state":"suppressed","silencedBy":["x"],"inhibitedBy":[]}}]`
	const wrong = ": this is not an answer of the alertmanager API: "
	for _, test := range []struct {
		name, path string
		answer     faultproxy.Answer
		want       string
	}{
		{"its own error", "/api/v2/alerts", faultproxy.Answer{Status: 500, Header: json, Body: `"out of memory"`}, ": it answered 500 Internal Server Error: out of memory"},
		{"behind a proxy", "/api/v2/alerts", faultproxy.Answer{Status: 502, Header: html, Body: "<html>"}, ": it answered 502 Bad Gateway"},
		{"no token", "/api/v2/alerts", faultproxy.Answer{Status: 403, Header: html}, ": it answered 403 Forbidden; check bearer_token"},
		{"another server", "/api/v2/alerts", faultproxy.Answer{Status: 404, Header: html}, ": it answered 404 Not Found; set --alertmanager or ALERTMANAGER_URL"},
		{"a web page", "/api/v2/alerts", faultproxy.Answer{Status: 200, Header: html, Body: "<html>"}, wrong},
		{"half an answer", "/api/v2/alerts", faultproxy.Answer{Status: 200, Header: json, Body: `[{"labels":`}, ": it closed the connection in the middle of an answer"},
		{"another JSON", "/api/v2/alerts", faultproxy.Answer{Status: 200, Header: json, Body: `{"status":"success"}`}, wrong},
		{"nothing", "/api/v2/alerts", faultproxy.Answer{Status: 200, Header: json, Body: `[null]`}, wrong + "an alert without a status"},
		{"endless", "/api/v2/alerts", faultproxy.Answer{Status: 200, Header: json, Body: `["` + strings.Repeat("x", maxAnswer)}, ": its answer is larger than 16 MiB"},
		{"odd silences", "/api/v2/silences", faultproxy.Answer{Status: 200, Header: json, Body: `[{"id":"x"}]`}, wrong + "an incomplete silence"},
	} {
		front.Forward()
		if test.path == "/api/v2/silences" {
			front.Respond(-1, "/api/v2/alerts", faultproxy.Answer{Status: 200, Header: json, Body: silenced})
		}
		front.Respond(-1, test.path, test.answer)
		_, err := am.take(t.Context())
		if want := "alertmanager " + front.URL() + test.want; err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: error %.300v, want %q", test.name, err, want)
		}
		if err != nil && len(err.Error()) > 500 {
			t.Errorf("%s: an error of %d bytes", test.name, len(err.Error()))
		}
	}
}

func TestAlertmanagerIsQuietWhereTheEnvironmentDebugs(t *testing.T) {
	t.Setenv("DEBUG", "1")
	am := newAlertmanager(amAt("http://127.0.0.1:1"))
	if am.api.Transport.(*openapi.Runtime).Debug {
		t.Error("requests would be dumped over the screen")
	}
}
