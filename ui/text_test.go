package ui

import (
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestFitIsExact(t *testing.T) {
	for _, s := range []string{"", "abc", "a very long line that is cut", "日本語のテキスト", "\x1b[31mred\x1b[0m"} {
		for width := range 12 {
			if w := Width(Fit(s, width)); w != width {
				t.Errorf("Fit(%q, %d) is %d cells wide", s, width, w)
			}
			if w := Width(FitRight(s, width)); w > width {
				t.Errorf("FitRight(%q, %d) is %d cells wide", s, width, w)
			}
			if w := Width(Spread(s, "12", width)); w != width {
				t.Errorf("Spread(%q, %d) is %d cells wide", s, width, w)
			}
		}
	}
}

func TestCutMiddleKeepsBothEnds(t *testing.T) {
	got := CutMiddle("erpgo-api-74777df64b-62v9v", 16)
	if Width(got) != 16 || !strings.HasPrefix(got, "erpg") || !strings.HasSuffix(got, "b-62v9v") {
		t.Errorf("got %q", got)
	}
}

func TestRuleKeepsItsAnswer(t *testing.T) {
	theme := DefaultTheme()
	rule := Rule{Key: "6", Title: "Logs", Detail: "app=erpgo-api,version=green,track=canary", Answer: "paused, 318 new"}
	for _, width := range []int{120, 60, 40, 24} {
		line := rule.Render(theme, width)
		if Width(line) != width {
			t.Errorf("at %d the rule is %d cells wide", width, Width(line))
		}
		if text := ansi.Strip(line); !strings.Contains(text, "318 new") {
			t.Errorf("at %d the answer is lost: %q", width, text)
		}
	}
}

func TestWrapCodeKeepsOptionsWhole(t *testing.T) {
	got := WrapCode("kubectl rollout undo deployment/api --to-revision=<revision-number>", 40)
	want := []string{"kubectl rollout undo deployment/api", "--to-revision=<revision-number>"}
	if !slices.Equal(got, want) {
		t.Errorf("wrapped %q, want %q", got, want)
	}
	if got := strings.Join(WrapCode("has a \ue000 of its own - and more than fits in here", 20), " "); !strings.ContainsRune(got, '\ue000') {
		t.Errorf("a character of the text was taken for a hyphen: %q", got)
	}
}
