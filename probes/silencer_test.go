//go:build unix

package probes

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
)

func TestSilencerMakesAndEndsSilences(t *testing.T) {
	shop := startShop(t, map[string]float64{
		"shop_error_ratio": 0.062, "shop_pool_ratio": 0.5, "shop_latency_seconds": 0.1, "shop_noise": 1,
	})
	am := testenv.StartAlertmanager(t)
	prom := testenv.StartPrometheus(t, testenv.PrometheusOptions{
		Jobs:         []testenv.ScrapeJob{{Name: "shop", Target: shop.addr}},
		Rules:        []byte(shopRules),
		Alertmanager: am.Addr,
	})
	board := NewBoard(1)
	runProbe(t, NewAlerts(NewProm(promAt(prom.URL())), amAt(am.URL()), board))
	silencer := NewSilencer(amAt(am.URL()))
	state := func(want AlertState) Alert {
		t.Helper()
		var found Alert
		awaitReading(t, &board.Alerts, "HighErrorRate "+string(want), func(r Reading[Alerts]) bool {
			for _, a := range r.Value.Alerts {
				if a.Name == "HighErrorRate" && a.State == want {
					found = a
					return true
				}
			}
			return false
		})
		return found
	}

	matchers := MatchersOf(state(Firing))
	id, err := silencer.Silence(t.Context(), matchers, time.Now().Add(time.Hour), "op1", "INC-1 is being worked")
	if err != nil {
		t.Fatal(err)
	}
	silenced := state(Silenced)
	if s := silenced.Silence; s == nil || s.ID != id || s.CreatedBy != "op1" || s.Comment != "INC-1 is being worked" || time.Until(s.EndsAt) < 50*time.Minute {
		t.Errorf("the silence is %+v", s)
	}
	for _, a := range board.Alerts.Load().Value.Alerts {
		if a.Name != "HighErrorRate" && a.State == Silenced {
			t.Errorf("%s is silenced too", a.Name)
		}
	}
	if err := silencer.Expire(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	state(Firing)

	if _, err := silencer.Silence(t.Context(), matchers, time.Now().Add(-time.Hour), "op1", "too late"); err == nil || !strings.Contains(err.Error(), "make a silence: ") {
		t.Errorf("a silence of the past: %v", err)
	}
	if err := silencer.Expire(t.Context(), "2b3c1c86-6a8b-4f1b-9a5e-0d1f6f6f0000"); err == nil {
		t.Error("a silence that nobody made was ended")
	}
}

func TestSilencerWithoutAlertmanager(t *testing.T) {
	silencer := NewSilencer(amAt(""))
	if err := silencer.Available(); err == nil {
		t.Error("there is no Alertmanager, and it is available")
	}
	if _, err := silencer.Silence(t.Context(), Matchers{}, time.Now(), "", ""); err == nil {
		t.Error("a silence was made nowhere")
	}
	if err := silencer.Expire(t.Context(), "x"); err == nil {
		t.Error("a silence was ended nowhere")
	}
}

func TestMatchers(t *testing.T) {
	a := Alert{Name: "Down", Labels: map[string]string{"alertname": "Down", "severity": "critical", "path": `a"b\c`, "größe": "1,2"}}
	matchers := MatchersOf(a)
	if want := []string{`alertname="Down"`, `größe="1,2"`, `path="a\"b\\c"`, `severity="critical"`}; !slices.EqualFunc(matchers.Strings(), want, func(got, want string) bool {
		return strings.ReplaceAll(got, `"größe"`, "größe") == want
	}) {
		t.Errorf("the matchers are %q, want %q", matchers.Strings(), want)
	}
	again, err := ParseMatchers(matchers.String())
	if err != nil {
		t.Fatal(err)
	}
	if again.String() != matchers.String() || !again.Match(a) {
		t.Errorf("%s is read as %s", matchers, again)
	}
	for text, want := range map[string]bool{
		`severity=~"crit.*|warning"`:              true,
		`{alertname="Down", severity!="warning"}`: true,
		`alertname="Up"`:                          false,
		`severity="critical", team="a"`:           false,
		`severity="critical", team!="a"`:          true,
	} {
		m, err := ParseMatchers(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if m.Match(a) != want {
			t.Errorf("%s matches: %v, want %v", text, !want, want)
		}
	}
	for _, text := range []string{"", `team!="a"`, `x=~"("`, `nonsense`, `a="b" c="d"`} {
		if m, err := ParseMatchers(text); err == nil {
			t.Errorf("%q is read as %s", text, m)
		}
	}
}
