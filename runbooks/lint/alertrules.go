package lint

import (
	"fmt"
	"os"

	"go.yaml.in/yaml/v3"
)

// AlertRule is an alerting rule of Prometheus.
type AlertRule struct {
	Name       string
	Expr       string // PromQL
	Severity   string // its label
	RunbookURL string // its annotation
	File       string // where it stands; empty for a rule that a server has loaded
	Line       int
}

// ReadRules reads the alerting rules of a Prometheus rule file, or of a
// Kubernetes PrometheusRule.
func ReadRules(path string) ([]AlertRule, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read alerting rules: %w", err)
	}
	type group struct {
		Rules []yaml.Node `yaml:"rules"`
	}
	var doc struct {
		Groups []group `yaml:"groups"`
		Spec   struct {
			Groups []group `yaml:"groups"`
		} `yaml:"spec"`
	}
	if err := yaml.Unmarshal(src, &doc); err != nil {
		return nil, fmt.Errorf("read alerting rules of %s: %w", path, err)
	}
	var out []AlertRule
	for _, g := range append(doc.Groups, doc.Spec.Groups...) {
		for _, n := range g.Rules {
			var r struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			}
			if err := n.Decode(&r); err != nil {
				return nil, fmt.Errorf("read alerting rules: %s:%d: %w", path, n.Line, err)
			}
			if r.Alert != "" {
				out = append(out, AlertRule{Name: r.Alert, Expr: r.Expr, Severity: r.Labels["severity"], RunbookURL: r.Annotations["runbook_url"], File: path, Line: n.Line})
			}
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("read alerting rules of %s: there are none; give a Prometheus rule file", path)
	}
	return out, nil
}
