package lint

import (
	"context"
	"fmt"
	"time"

	promapi "github.com/prometheus/client_golang/api/prometheus/v1"
)

// lately is how far back a series counts as existing.
const lately = 24 * time.Hour

// answerLimit bounds one question, so that a server that hangs fails the linter
// instead of the build's time limit.
const answerLimit = 30 * time.Second

// FromAPI asks a Prometheus server through its HTTP API.
func FromAPI(api promapi.API) Prometheus { return server{api} }

type server struct{ api promapi.API }

// AlertRules are the alerting rules that the server has loaded.
func (s server) AlertRules(ctx context.Context) ([]AlertRule, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	result, err := s.api.Rules(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("read rules: %w", err)
	}
	var out []AlertRule
	for _, g := range result.Groups {
		for _, r := range g.Rules {
			if a, ok := r.(promapi.AlertingRule); ok {
				out = append(out, AlertRule{Name: a.Name, Expr: a.Query, Severity: string(a.Labels["severity"]), RunbookURL: string(a.Annotations["runbook_url"])})
			}
		}
	}
	return out, nil
}

// HasSeries tells whether a selector has matched any series in the last day.
func (s server) HasSeries(ctx context.Context, selector string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	now := time.Now()
	found, _, _, err := s.api.Series(ctx, []string{selector}, now.Add(-lately), now, promapi.WithLimit(1))
	if err != nil {
		return false, fmt.Errorf("look for series: %w", err)
	}
	return len(found) > 0, nil
}
