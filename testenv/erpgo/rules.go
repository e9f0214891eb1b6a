package erpgo

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
	"time"

	"github.com/prometheus/common/model"
)

// Runbooks is the address that the alerts' runbook_url annotations begin with;
// an anchor follows. Nothing is served there.
const Runbooks = "https://runbooks.erpgo.example/RUNBOOKS.md"

// Timing is how patient the alerts are.
type Timing struct {
	Window      time.Duration // over which rates are taken
	For         time.Duration // how long a condition holds before its alert fires
	ForDatabase time.Duration // the same for PostgreSQLDown
}

var (
	// BookTiming is what the runbooks say.
	BookTiming = Timing{Window: 5 * time.Minute, For: 5 * time.Minute, ForDatabase: time.Minute}
	// TestTiming has an alert fire a few seconds after its cause, and end
	// within a quarter of a minute of it.
	TestTiming = Timing{Window: 10 * time.Second, For: 2 * time.Second, ForDatabase: 2 * time.Second}
)

//go:embed alerts.yaml.tmpl
var alertsTemplate string

// Rules is the content of a Prometheus rule file with the six alerts of the
// runbooks: HighErrorRate, PostgreSQLDown, HighResponseTime,
// HighFailedLoginRate, DatabaseConnectionPoolExhausted and LowCacheHitRate.
func Rules(timing Timing) ([]byte, error) {
	// Alerts have templates of their own in the usual delimiters.
	parsed, err := template.New("alerts").Delims("<<", ">>").Parse(alertsTemplate)
	if err != nil {
		return nil, fmt.Errorf("alert rules: %w", err)
	}
	var rules bytes.Buffer
	err = parsed.Execute(&rules, map[string]string{
		"Window":      model.Duration(timing.Window).String(),
		"For":         model.Duration(timing.For).String(),
		"ForDatabase": model.Duration(timing.ForDatabase).String(),
		"Runbooks":    Runbooks,
	})
	if err != nil {
		return nil, fmt.Errorf("alert rules: %w", err)
	}
	return rules.Bytes(), nil
}
