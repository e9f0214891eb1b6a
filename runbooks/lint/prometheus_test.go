//go:build unix

package lint

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	promclient "github.com/prometheus/client_golang/api"
	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/erpgo/flightdeck/testenv"
)

// TestPrometheus lints against a real server that scrapes one metric and has
// loaded three alerting rules.
func TestPrometheus(t *testing.T) {
	registry := prometheus.NewRegistry()
	there := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "there_total", Help: "it is there"}, []string{"status"})
	there.WithLabelValues("500").Inc()
	registry.MustRegister(there)
	exporter := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer exporter.Close()

	server := testenv.StartPrometheus(t, testenv.PrometheusOptions{
		Jobs: []testenv.ScrapeJob{{Name: "x", Target: strings.TrimPrefix(exporter.URL, "http://")}}, Interval: 200 * time.Millisecond,
		Rules: []byte("groups:\n- name: a\n  rules:\n  - alert: Works\n    expr: rate(there_total{status=\"500\"}[1m]) > 5\n    labels: {severity: warning}\n  - alert: NeverFires\n    expr: rate(gone_total[1m]) > 5\n  - alert: WrongLabel\n    expr: there_total{status=\"501\"} > 5\n"),
	})
	client, err := promclient.NewClient(promclient.Config{Address: server.URL()})
	if err != nil {
		t.Fatal(err)
	}
	api := promapi.NewAPI(client)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for { // until it has scraped once
		value, _, _, err := api.Query(ctx, "there_total", time.Now())
		if err == nil && value.String() != "" {
			break
		}
		if ctx.Err() != nil {
			t.Fatal("prometheus does not scrape")
		}
		<-time.After(50 * time.Millisecond)
	}

	book := filepath.Join(t.TempDir(), "book.md")
	text := "# Book\n## Works\n**Alert name:** `Works`\n### Steps\n1. x\n   ```promql\n   sum(there_total)\n\n   sum(missing_total)\n   ```\n## Gone\n**Alert name:** `NoSuchRule`\n### Steps\n1. x\n"
	if err := os.WriteFile(book, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	findings, err := Lint(ctx, []string{book}, Options{Prometheus: FromAPI(api)})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range findings {
		got = append(got, fmt.Sprintf("%d %s: %s", f.Line, f.Rule, f.Message))
	}
	want := []string{
		"1 alert-without-runbook: no runbook belongs to the alert NeverFires; name it in a runbook, or set its annotation runbook_url",
		"1 alert-without-runbook: no runbook belongs to the alert WrongLabel; name it in a runbook, or set its annotation runbook_url",
		"1 missing-series: NeverFires: no series matches gone_total",
		`1 missing-series: WrongLabel: no series matches there_total{status="501"}`,
		"9 missing-series: no series matches missing_total",
		"11 runbook-without-alert: there is no alerting rule NoSuchRule",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPrometheusDoesNotAnswer(t *testing.T) {
	broken := httptest.NewServer(http.NotFoundHandler())
	defer broken.Close()
	client, err := promclient.NewClient(promclient.Config{Address: broken.URL})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Lint(context.Background(), []string{"../erpgo"}, Options{Prometheus: FromAPI(promapi.NewAPI(client))})
	if err == nil || !strings.Contains(err.Error(), "leave --prometheus out") {
		t.Errorf("%v", err)
	}
}
