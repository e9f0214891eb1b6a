package erpgo

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

type ruleFile struct {
	Groups []struct {
		Rules []struct {
			Alert       string
			For         string
			Labels      map[string]string
			Annotations map[string]string
		}
	}
}

func parseRules(t *testing.T, timing Timing) ruleFile {
	t.Helper()
	text, err := Rules(timing)
	if err != nil {
		t.Fatal(err)
	}
	var rules ruleFile
	if err := yaml.Unmarshal(text, &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

// Each alert leads to a section of the operators' own document that is about
// this alert and gives it the same severity.
func TestRulesFollowTheBook(t *testing.T) {
	book, err := os.ReadFile("../../../shared/erpgo/RUNBOOKS.md")
	if err != nil {
		t.Skipf("the operators' document is not beside this checkout: %v", err)
	}
	sections := map[string]string{} // by anchor
	for _, section := range strings.Split(string(book), "\n## ")[1:] {
		title, _, _ := strings.Cut(section, "\n")
		sections[strings.ReplaceAll(strings.ToLower(title), " ", "-")] = section
	}
	severity := regexp.MustCompile(`\*\*Severity:\*\* (\w+)`)
	rules := parseRules(t, BookTiming)
	if got := len(rules.Groups[0].Rules); got != 6 {
		t.Errorf("%d alerts, the book has 6", got)
	}
	for _, rule := range rules.Groups[0].Rules {
		_, anchor, _ := strings.Cut(rule.Annotations["runbook_url"], "#")
		section := sections[anchor]
		if !strings.Contains(section, "**Alert Name:** `"+rule.Alert+"`") {
			t.Errorf("%s leads to #%s, which is not about it", rule.Alert, anchor)
		}
		if m := severity.FindStringSubmatch(section); m == nil || strings.ToLower(m[1]) != rule.Labels["severity"] {
			t.Errorf("%s has severity %s, the book says %v", rule.Alert, rule.Labels["severity"], m)
		}
	}
}

func TestRulesAreValid(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed")
	}
	for name, timing := range map[string]Timing{"book": BookTiming, "test": TestTiming} {
		text, err := Rules(timing)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "rules.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if output, err := exec.Command(promtool, "check", "rules", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, output)
		}
	}
	if got := parseRules(t, BookTiming).Groups[0].Rules[0].For; got != "5m" {
		t.Errorf("the book's HighErrorRate holds for %s", got)
	}
}
