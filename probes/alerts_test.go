//go:build unix

package probes

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/testenv"
)

// shopRules makes one alert of each kind: Alertmanager's configuration lets a
// critical alert inhibit the warning of the same name about the same service.
const shopRules = `groups:
- name: shop
  interval: 200ms
  rules:
  - record: shop:errors:doubled
    expr: shop_error_ratio * 2
  - alert: HighErrorRate
    expr: shop_error_ratio > 0.05
    labels: {severity: critical, team: shop}
    annotations:
      summary: '{{ $labels.service }} fails {{ $value | humanizePercentage }} of requests'
      runbook_url: https://wiki.example.com/runbooks#high-error-rate
  - alert: PoolExhausted
    expr: shop_pool_ratio > 0.9
    labels: {severity: critical}
  - alert: PoolExhausted
    expr: shop_pool_ratio > 0.8
    labels: {severity: warning}
  - alert: SlowRequests
    expr: shop_latency_seconds > 2
    for: 1h
    labels: {severity: warning}
  - alert: KnownNoise
    expr: shop_noise > 0
    labels: {severity: critical}
  - alert: Calm
    expr: shop_noise > 100
    for: 5m
  - alert: Broken
    expr: label_replace(shop_noise, "x", "$1", "", "(")
`

// shop is an exporter that a test sets the numbers of.
type shop struct {
	addr    string
	numbers map[string]prometheus.Gauge
}

// startShop serves the numbers, each about the service api.
func startShop(t *testing.T, numbers map[string]float64) *shop {
	t.Helper()
	registry := prometheus.NewRegistry()
	s := &shop{numbers: map[string]prometheus.Gauge{}}
	for name, value := range numbers {
		gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, ConstLabels: prometheus.Labels{"service": "api"}})
		gauge.Set(value)
		registry.MustRegister(gauge)
		s.numbers[name] = gauge
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(server.Close)
	s.addr = strings.TrimPrefix(server.URL, "http://")
	return s
}

func amAt(url string) config.Alertmanager {
	return config.Alertmanager{URL: url, Pace: config.Pace{Interval: 200 * time.Millisecond, Timeout: 2 * time.Second}}
}

// silenceAlert silences all alerts of a name, as a person would.
func silenceAlert(t *testing.T, am *alertmanager, name string, d time.Duration) (id string) {
	t.Helper()
	matchers, err := ParseMatchers(fmt.Sprintf("alertname=%q", name))
	if err != nil {
		t.Fatal(err)
	}
	id, err = (&Silencer{am}).Silence(t.Context(), matchers, time.Now().Add(d), "op1", "known since Monday")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// states lists alerts in their order as "name severity state".
func states(a Alerts) []string {
	var list []string
	for _, alert := range a.Alerts {
		list = append(list, strings.TrimSpace(alert.Name+" "+alert.Severity)+" "+string(alert.State))
	}
	return list
}

func awaitStates(t *testing.T, board *Board, want ...string) Alerts {
	t.Helper()
	return awaitReading(t, &board.Alerts, strings.Join(want, ", "), func(r Reading[Alerts]) bool {
		return r.Err == nil && r.Value.AlertmanagerErr == nil && slices.Equal(states(r.Value), want)
	}).Value
}

func TestAlertsOfRealServers(t *testing.T) {
	shop := startShop(t, map[string]float64{
		"shop_error_ratio": 0.062, "shop_pool_ratio": 0.95, "shop_latency_seconds": 2.5, "shop_noise": 1,
	})
	am := testenv.StartAlertmanager(t)
	begun := time.Now()
	prom := testenv.StartPrometheus(t, testenv.PrometheusOptions{
		Jobs:         []testenv.ScrapeJob{{Name: "shop", Target: shop.addr}},
		Rules:        []byte(shopRules),
		Alertmanager: am.Addr,
	})
	board := NewBoard(1)
	probe := NewAlerts(NewProm(promAt(prom.URL())), amAt(am.URL()), board)
	id := silenceAlert(t, probe.alertmanager, "KnownNoise", time.Hour)
	runProbe(t, probe)

	// Those that fire began with the same evaluation, so their names decide.
	got := awaitStates(t, board,
		"HighErrorRate critical firing",
		"PoolExhausted critical firing",
		"SlowRequests warning pending",
		"PoolExhausted warning inhibited",
		"KnownNoise critical silenced",
	)

	high := got.Alerts[0]
	if high.Value != 0.062 || high.Labels["service"] != "api" || high.Labels["team"] != "shop" {
		t.Errorf("value %v, labels %v", high.Value, high.Labels)
	}
	if high.Annotations["runbook_url"] != "https://wiki.example.com/runbooks#high-error-rate" || high.Annotations["summary"] != "api fails 6.2% of requests" {
		t.Errorf("annotations %v", high.Annotations)
	}
	if high.Since.Before(begun) || high.Since.After(time.Now()) {
		t.Errorf("since %v, began after %v", high.Since, begun)
	}
	if high.Rule.Query != "shop_error_ratio > 0.05" || high.Rule.Group != "shop" || high.Silence != nil {
		t.Errorf("rule %+v, silence %v", high.Rule, high.Silence)
	}
	if slow := got.Alerts[2]; slow.Rule.For != time.Hour {
		t.Errorf("the pending alert must hold for %v, want an hour", slow.Rule.For)
	}
	if s := got.Alerts[4].Silence; s == nil || s.ID != id || s.CreatedBy != "op1" ||
		s.Comment != "known since Monday" || time.Until(s.EndsAt).Round(time.Minute) != time.Hour {
		t.Errorf("silence %+v, want that of op1 for an hour", s)
	}

	var rules []string
	for _, r := range got.Rules {
		rules = append(rules, r.Name+" "+r.Health)
		if r.Name == "Broken" && !strings.Contains(r.LastError, "invalid regular expression") {
			t.Errorf("the broken rule says %q", r.LastError)
		}
	}
	if want := []string{"Broken err", "Calm ok", "HighErrorRate ok", "KnownNoise ok", "PoolExhausted ok", "PoolExhausted ok", "SlowRequests ok"}; !slices.Equal(rules, want) {
		t.Errorf("rules %q, want %q", rules, want)
	}

	// The silence is lifted, the errors stop, and the pool recovers by half: the
	// critical alert about it is gone, and its warning comes forward.
	if err := (&Silencer{probe.alertmanager}).Expire(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	shop.numbers["shop_error_ratio"].Set(0.001)
	shop.numbers["shop_pool_ratio"].Set(0.85)
	awaitStates(t, board,
		"KnownNoise critical firing",
		"PoolExhausted warning firing",
		"SlowRequests warning pending",
	)
}

func TestAlertsWithoutAlertmanager(t *testing.T) {
	prom := testenv.StartPrometheus(t, testenv.PrometheusOptions{})
	board := NewBoard(1)
	runProbe(t, NewAlerts(NewProm(promAt(prom.URL())), config.Alertmanager{}, board))
	r := awaitGood(t, &board.Alerts, time.Time{})
	if err := r.Value.AlertmanagerErr; !errors.Is(err, ErrNotConfigured) || !strings.Contains(err.Error(), "ALERTMANAGER_URL") {
		t.Errorf("AlertmanagerErr is %v, want that it is not configured, and what to set", err)
	}
}

func TestAlertsWithoutPrometheus(t *testing.T) {
	board := NewBoard(1)
	runProbe(t, NewAlerts(NewProm(config.Prometheus{}), config.Alertmanager{}, board))
	r := awaitReading(t, &board.Alerts, "an error", func(r Reading[Alerts]) bool { return r.Err != nil })
	if r.State(time.Now()) != NotConfigured || !strings.Contains(r.Err.Error(), "PROMETHEUS_URL") {
		t.Errorf("the reading says %v", r.Err)
	}
}

func TestAlertsAreSortedWorstFirst(t *testing.T) {
	now := time.Now()
	sorted := []Alert{
		{Name: "Z", State: Firing, Severity: "critical", Since: now.Add(-time.Hour)},
		{Name: "A", State: Firing, Severity: "critical", Since: now},
		{Name: "B", State: Firing, Severity: "critical", Since: now, Labels: map[string]string{"pod": "a"}},
		{Name: "B", State: Firing, Severity: "critical", Since: now, Labels: map[string]string{"pod": "b"}},
		{Name: "A", State: Firing, Severity: "warning", Since: now.Add(-24 * time.Hour)},
		{Name: "A", State: Firing, Severity: "info", Since: now.Add(-24 * time.Hour)},
		{Name: "A", State: Pending, Severity: "critical", Since: now},
		{Name: "A", State: Pending, Severity: "warning", Since: now},
		{Name: "A", State: Suppressed, Severity: "critical", Since: now},
		{Name: "A", State: Silenced, Severity: "critical", Since: now.Add(-time.Hour)},
	}
	for range 50 {
		alerts := slices.Clone(sorted)
		rand.Shuffle(len(alerts), func(i, j int) { alerts[i], alerts[j] = alerts[j], alerts[i] })
		sortAlerts(alerts)
		for i := range alerts {
			if alerts[i].Key() != sorted[i].Key() || alerts[i].State != sorted[i].State || alerts[i].Severity != sorted[i].Severity {
				t.Fatalf("at %d: %+v, want %+v", i, alerts[i], sorted[i])
			}
		}
	}
}

func TestAlertKeyTellsAlertsApart(t *testing.T) {
	a := Alert{Name: "Down", Labels: map[string]string{"a": "1", "b": "2"}}
	same := Alert{Name: "Down", Labels: map[string]string{"b": "2", "a": "1"}, State: Pending, Value: math.Pi}
	if a.Key() != same.Key() {
		t.Error("the same alert has two keys")
	}
	for _, other := range []Alert{
		{Name: "Down", Labels: map[string]string{"a": "1"}},
		{Name: "Down", Labels: map[string]string{"a": "1b2"}},
		{Name: "Down", Labels: map[string]string{"a": `1",b="2`}},
		{Name: "Down", Labels: map[string]string{`a="1",b`: "2"}},
		{Name: "Down", Labels: map[string]string{"a": "2", "b": "1"}},
		{Name: "Downa", Labels: map[string]string{"": "1", "b": "2"}},
		{Name: "Up", Labels: a.Labels},
	} {
		if other.Key() == a.Key() {
			t.Errorf("%+v has the key of %+v", other, a)
		}
	}
}

// An incident is found again by the key of its alert.
func TestAlertKeyIsTheSameInAJournal(t *testing.T) {
	a := Alert{Name: "Down", Labels: map[string]string{"b": "2", "größe": "é\"\n", "a": "\xff"}}
	written, err := json.Marshal(a.Key())
	if err != nil {
		t.Fatal(err)
	}
	var read string
	if err := json.Unmarshal(written, &read); err != nil {
		t.Fatal(err)
	}
	if want := `Down{a="\xff",b="2","größe"="é\"\n"}`; read != want || a.Key() != want {
		t.Errorf("the key is %s, and %s in a journal; want %s", a.Key(), read, want)
	}
}

// Prometheus adds its external labels to what it sends.
func TestSuppressionFindsAlertsByPartOfTheirLabels(t *testing.T) {
	now := time.Now()
	alert := func(pairs ...string) Alert {
		a := Alert{Name: pairs[0], State: Firing, Labels: map[string]string{"alertname": pairs[0]}}
		for i := 1; i < len(pairs); i += 2 {
			a.Labels[pairs[i]] = pairs[i+1]
		}
		return a
	}
	sent := func(a Alert) map[string]string {
		labels := map[string]string{"cluster": "eu", "replica": "b"}
		for k, v := range a.Labels {
			labels[k] = v
		}
		return labels
	}
	plain, pod1, pod2, slow := alert("Down"), alert("Down", "pod", "1"), alert("Down", "pod", "2"), alert("Slow", "cluster", "us")
	waiting := alert("Waits")
	waiting.State = Pending
	published := Alerts{Alerts: []Alert{plain, pod1, pod2, slow, waiting}}
	hour := &Silence{ID: "s1", EndsAt: now.Add(time.Hour)}
	ended := &Silence{ID: "s2", EndsAt: now.Add(-time.Second)}
	reading := Reading[[]suppression]{TakenAt: now, Every: time.Second, Value: []suppression{
		{labels: sent(pod1), silence: hour},
		{labels: sent(pod2)},
		{labels: sent(slow), silence: ended},
		{labels: sent(waiting), silence: hour},
		{labels: sent(alert("Gone"))},
	}}

	got := map[string]AlertState{}
	for _, a := range published.suppressed(reading, now).Alerts {
		got[a.Name+a.Labels["pod"]] = a.State
	}
	for name, want := range map[string]AlertState{"Down": Firing, "Down1": Silenced, "Down2": Suppressed, "Slow": Firing, "Waits": Pending} {
		if got[name] != want {
			t.Errorf("%s is %s, want %s", name, got[name], want)
		}
	}
	for _, a := range published.Alerts {
		if a.State != Firing && a.State != Pending || a.Silence != nil {
			t.Errorf("the published alert %s was changed to %s", a.Key(), a.State)
		}
	}

	reading.Err = errors.New("refused")
	if a := published.suppressed(reading, now.Add(50*time.Second)); a.AlertmanagerErr == nil || !a.AlertmanagerAt.Equal(now) || a.Alerts[len(a.Alerts)-1].State != Silenced {
		t.Errorf("50 s after Alertmanager went away: %v, %v", a.AlertmanagerErr, states(a))
	}
	for _, a := range published.suppressed(reading, now.Add(2*time.Minute)).Alerts {
		if a.State == Silenced || a.State == Suppressed {
			t.Errorf("2 minutes after Alertmanager went away %s is still %s", a.Key(), a.State)
		}
	}
}

func TestLongestSilenceIsShown(t *testing.T) {
	now := time.Now()
	known := map[string]*Silence{"short": {ID: "short", EndsAt: now.Add(time.Minute)}, "long": {ID: "long", EndsAt: now.Add(time.Hour)}}
	if s := longest(known, []string{"short", "long"}); s == nil || s.ID != "long" {
		t.Errorf("got %+v, want the one that lasts longest", s)
	}
	if s := longest(known, []string{"new"}); s == nil || s.ID != "new" {
		t.Errorf("got %+v, want the silence whose id alone is known", s)
	}
	if s := longest(known, nil); s != nil {
		t.Errorf("got %+v for an alert that nothing silences", s)
	}
}
