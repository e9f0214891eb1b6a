package probes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/config"
)

// answering is a server whose answer costs nothing: what is measured is ours.
type answering []byte

func (body answering) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{},
		Body:       io.NopCloser(bytes.NewReader(body)),
		Request:    req,
	}, nil
}

// promAnswering is a client of a Prometheus that answers everything with data.
func promAnswering(b *testing.B, data any) *Prom {
	b.Helper()
	body, err := json.Marshal(map[string]any{"status": "success", "data": data})
	if err != nil {
		b.Fatal(err)
	}
	prom := NewProm(config.Prometheus{URL: "http://prometheus:9090", Pace: config.Pace{Interval: time.Second, Timeout: time.Minute}})
	prom.endpoint.client.Transport.(*transport).next = answering(body)
	return prom
}

// BenchmarkAlertsTake parses and sorts 1,000 alerts of 20 rules.
func BenchmarkAlertsTake(b *testing.B) {
	begun := time.Now()
	var rules []any
	for r := range 20 {
		var alerts []any
		for a := range 50 {
			alerts = append(alerts, map[string]any{
				"labels": map[string]string{
					"alertname": fmt.Sprintf("Alert%d", r), "severity": []string{"warning", "critical"}[a%2],
					"namespace": "erpgo", "pod": fmt.Sprintf("erpgo-api-74777df64b-%05d", a), "service": "api", "job": "erpgo",
				},
				"annotations": map[string]string{
					"summary":     "The error rate of the API is above the threshold of five percent.",
					"runbook_url": "https://wiki.example.com/runbooks#high-error-rate",
				},
				"state": "firing", "activeAt": begun.Add(-time.Duration(a*37%50) * time.Minute), "value": "6.2e-02",
			})
		}
		rules = append(rules, map[string]any{
			"type": "alerting", "name": fmt.Sprintf("Alert%d", r), "query": "rate(errors_total[5m]) > 0.05", "duration": 300,
			"labels": map[string]string{"severity": "warning"}, "annotations": map[string]string{}, "alerts": alerts, "health": "ok",
		})
	}
	prom := promAnswering(b, map[string]any{"groups": []any{map[string]any{"name": "shop", "file": "shop.yaml", "interval": 15, "rules": rules}}})
	probe := NewAlerts(prom, config.Alertmanager{}, NewBoard(1))
	b.ReportAllocs()
	for b.Loop() {
		got, err := probe.take(b.Context())
		if err != nil || len(got.Alerts) != 1000 {
			b.Fatalf("%d alerts, error %v", len(got.Alerts), err)
		}
	}
}

// BenchmarkAlertsSuppressed joins 1,000 alerts with as many silenced ones.
func BenchmarkAlertsSuppressed(b *testing.B) {
	now := time.Now()
	var all Alerts
	reading := Reading[[]suppression]{TakenAt: now, Every: time.Second}
	for i := range 1000 {
		labels := map[string]string{"alertname": "Down", "namespace": "erpgo", "pod": fmt.Sprint(i), "service": "api"}
		all.Alerts = append(all.Alerts, Alert{Name: "Down", State: Firing, Labels: labels, Since: now, key: labelKey("Down", labels)})
		sent := map[string]string{"cluster": "eu", "replica": "b"}
		for k, v := range labels {
			sent[k] = v
		}
		reading.Value = append(reading.Value, suppression{labels: sent, silence: &Silence{EndsAt: now.Add(time.Hour)}})
	}
	b.ReportAllocs()
	for b.Loop() {
		if got := all.suppressed(reading, now); got.Alerts[999].State != Silenced {
			b.Fatal("not silenced")
		}
	}
}

// BenchmarkSignalsIncrement brings eight signals with a full hour up to date,
// once for each second of time that passes.
func BenchmarkSignalsIncrement(b *testing.B) {
	prom := promAnswering(b, map[string]any{"resultType": "matrix", "result": []any{
		map[string]any{"metric": map[string]string{}, "values": []any{[]any{time.Now().Unix(), "0.062"}}},
	}})
	probe := NewSignals(prom, make([]config.Signal, 8), NewBoard(1))
	now := time.Now()
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		for _, h := range probe.histories {
			if err := h.advance(b.Context(), prom, now); err != nil {
				b.Fatal(err)
			}
			if s := h.read(nil); len(s.Points) > 242 {
				b.Fatalf("%d points", len(s.Points))
			}
		}
	}
}
