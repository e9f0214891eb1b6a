package probes

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/erpgo/flightdeck/config"
)

// Alerts is what Prometheus and Alertmanager say about alerts, worst first:
// firing before pending before inhibited and silenced, critical before warning
// before any other severity, then longest first.
type Alerts struct {
	Alerts []Alert
	Rules  []AlertRule // every alerting rule, firing or not, by name
	// AlertmanagerErr is why silences and inhibitions are unknown, or as old as
	// AlertmanagerAt; nil when they are known. Alerts themselves come from
	// Prometheus alone.
	AlertmanagerErr error
	AlertmanagerAt  time.Time // when Alertmanager was last read; zero when never
}

// AlertState is how far an alert has come.
type AlertState string

// The states of an alert.
const (
	Firing     AlertState = "firing"
	Pending    AlertState = "pending"
	Silenced   AlertState = "silenced"  // firing, and an active silence matches it
	Suppressed AlertState = "inhibited" // firing, and another alert inhibits it
)

// Alert is one active alert instance of a rule.
type Alert struct {
	Name        string
	State       AlertState
	Severity    string // the label severity: critical, warning, or whatever the rule says
	Labels      map[string]string
	Annotations map[string]string
	Since       time.Time // when its expression became true (activeAt)
	Value       float64   // the expression's value at the last evaluation
	Rule        AlertRule
	Silence     *Silence // the silence that matches it, of several the one that lasts longest; nil when none does

	key string // see Key; computed once for an alert that was read
}

// Key identifies an alert instance across readings: its name and labels.
func (a Alert) Key() string {
	if a.key != "" {
		return a.key
	}
	return labelKey(a.Name, a.Labels)
}

// AlertRule is an alerting rule as Prometheus evaluates it.
type AlertRule struct {
	Name        string
	Group       string
	Query       string        // the whole PromQL expression, with its comparison
	For         time.Duration // how long it must hold before it fires
	Labels      map[string]string
	Annotations map[string]string
	Health      string // ok, err or unknown
	LastError   string // why Health is err
}

// Silence is who silenced an alert, why, and until when.
type Silence struct {
	ID        string
	CreatedBy string
	Comment   string
	StartsAt  time.Time
	EndsAt    time.Time
}

// AlertsProbe reads the rules with their alerts from Prometheus, and what is
// silenced or inhibited from Alertmanager, each at its own pace.
type AlertsProbe struct {
	prom         *Prom
	alertmanager *alertmanager
	cell         *Cell[Alerts]
}

// NewAlerts returns the probe of board.Alerts.
func NewAlerts(prom *Prom, am config.Alertmanager, board *Board) *AlertsProbe {
	return &AlertsProbe{prom: prom, alertmanager: newAlertmanager(am), cell: &board.Alerts}
}

// Name is the source as the header shows it.
func (p *AlertsProbe) Name() string { return "alerts" }

// alertmanagerGrace is how long the first reading waits for Alertmanager, so
// that a silenced alert is not shown as firing for a moment at every start.
const alertmanagerGrace = time.Second

// Run reads until ctx ends. The two servers are polled side by side, and a
// reading is published whenever either has something new, so that neither can
// hold up the other.
func (p *AlertsProbe) Run(ctx context.Context) error {
	if p.prom.err != nil {
		p.cell.fail(p.prom.err, time.Now())
		return nil
	}
	var news viewers
	changed, stop := news.add()
	defer stop()
	active := Cell[Alerts]{viewers: &news}
	muted := Cell[[]suppression]{viewers: &news}

	var polls sync.WaitGroup
	defer polls.Wait()
	polls.Go(func() { poll(ctx, &active, p.prom.pace, p.take) })
	if p.alertmanager.err != nil {
		muted.fail(p.alertmanager.err, time.Now())
	} else {
		polls.Go(func() { poll(ctx, &muted, p.alertmanager.pace, p.alertmanager.take) })
	}

	grace := time.NewTimer(alertmanagerGrace)
	defer grace.Stop()
	waiting := true
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-grace.C:
			waiting = false
		case <-changed:
		}
		now := time.Now()
		a, m := active.Load(), muted.Load()
		if a.State(now) == Waiting || waiting && a.Err == nil && m.State(now) == Waiting {
			continue
		}
		a.Value = a.Value.suppressed(m, now)
		p.cell.put(a)
	}
}

// take reads the rules. Prometheus lists the alerts of each rule with it, so one
// request sees both at the same moment.
func (p *AlertsProbe) take(ctx context.Context) (Alerts, error) {
	rules, err := p.prom.api.Rules(ctx, nil)
	if err != nil {
		return Alerts{}, p.prom.failure(err)
	}
	return alertsOf(rules), nil
}

// alertsOf copies what panes use out of Prometheus's answer, sorted.
func alertsOf(result v1.RulesResult) Alerts {
	var all Alerts
	for _, group := range result.Groups {
		for _, r := range group.Rules {
			source, ok := r.(v1.AlertingRule)
			if !ok {
				continue // a recording rule
			}
			rule := AlertRule{
				Name:        source.Name,
				Group:       group.Name,
				Query:       source.Query,
				For:         time.Duration(source.Duration * float64(time.Second)),
				Labels:      labelMap(source.Labels),
				Annotations: labelMap(source.Annotations),
				Health:      string(source.Health),
				LastError:   source.LastError,
			}
			all.Rules = append(all.Rules, rule)
			for _, a := range source.Alerts {
				all.Alerts = append(all.Alerts, alertOf(a, rule))
			}
		}
	}
	slices.SortStableFunc(all.Rules, func(a, b AlertRule) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Group, b.Group))
	})
	sortAlerts(all.Alerts)
	return all
}

func alertOf(a *v1.Alert, rule AlertRule) Alert {
	value, err := strconv.ParseFloat(a.Value, 64)
	if err != nil {
		value = math.NaN()
	}
	labels := labelMap(a.Labels)
	return Alert{
		Name:        rule.Name,
		State:       AlertState(a.State),
		Severity:    labels["severity"],
		Labels:      labels,
		Annotations: labelMap(a.Annotations),
		Since:       a.ActiveAt,
		Value:       value,
		Rule:        rule,
		key:         labelKey(rule.Name, labels),
	}
}

// sortAlerts puts the worst first; what is left equal is ordered by name and
// labels, so that rows do not jump between readings.
func sortAlerts(alerts []Alert) {
	slices.SortFunc(alerts, func(a, b Alert) int {
		return cmp.Or(
			cmp.Compare(stateRank(a.State), stateRank(b.State)),
			cmp.Compare(severityRank(a.Severity), severityRank(b.Severity)),
			a.Since.Compare(b.Since),
			strings.Compare(a.Key(), b.Key()),
		)
	})
}

func stateRank(s AlertState) int {
	switch s {
	case Firing:
		return 0
	case Pending:
		return 1
	case Suppressed:
		return 2
	}
	return 3
}

func severityRank(severity string) int {
	switch severity {
	case "critical":
		return 0
	case "warning":
		return 1
	}
	return 2
}

// labelKey is a text that is the same for the same name and labels only, in
// Prometheus's notation: it is kept in journals, and comes back from JSON as it
// was.
func labelKey(name string, labels map[string]string) string {
	key := []byte(name)
	for i, n := range slices.Sorted(maps.Keys(labels)) {
		key = append(key, "{,"[min(i, 1)])
		if model.LegacyValidation.IsValidLabelName(n) {
			key = append(key, n...)
		} else {
			key = strconv.AppendQuote(key, n)
		}
		key = append(key, '=')
		key = strconv.AppendQuote(key, labels[n])
	}
	if len(labels) > 0 {
		key = append(key, '}')
	}
	return string(key)
}
