package ui

import (
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func TestDisabledBindingSaysWhy(t *testing.T) {
	ran := false
	bindings := []Binding{
		{Keys: []string{"x"}, Does: "delete", Why: "read-only", Action: func() tea.Cmd { ran = true; return nil }},
		{Keys: []string{"enter"}, Does: "open", Action: func() tea.Cmd { ran = true; return nil }},
	}
	cmd, handled := Press(bindings, tea.KeyPressMsg{Code: 'x', Text: "x"})
	if !handled || ran {
		t.Fatalf("handled %v, ran %v: want a refusal", handled, ran)
	}
	if got := cmd().(Refused).Reason; got != "delete: read-only" {
		t.Errorf("the reason is %q", got)
	}
	if _, handled := Press(bindings, tea.KeyPressMsg{Code: tea.KeyEnter}); !handled || !ran {
		t.Errorf("enter did nothing")
	}
	if _, handled := Press(bindings, tea.KeyPressMsg{Code: 'z', Text: "z"}); handled {
		t.Error("a key without a binding was handled")
	}
}

func TestKeyLineNeverCutsAWord(t *testing.T) {
	bindings := []Binding{{Keys: []string{"enter"}, Does: "runbook"}, {Keys: []string{"/"}, Does: "filter"}, {Keys: []string{"x"}, Does: "hidden", Why: "not now"}}
	for width := 20; width < 60; width++ {
		line := ansi.Strip(KeyLine(DefaultTheme(), bindings, "read-only", width))
		if Width(line) != width || !strings.HasSuffix(line, "read-only ") {
			t.Errorf("at %d: %q", width, line)
		}
		if strings.Contains(line, "filte") && !strings.Contains(line, "filter") || strings.Contains(line, "hidden") {
			t.Errorf("at %d: %q", width, line)
		}
	}
}

func TestQuietHoldsBackAFastTypist(t *testing.T) {
	start := time.Now()
	q := NewQuiet(start)
	if q.Over(start.Add(100*time.Millisecond)) || q.Over(start.Add(450*time.Millisecond)) {
		t.Error("a key came through while somebody was typing")
	}
	if !q.Over(start.Add(900 * time.Millisecond)) {
		t.Error("a key after the quiet time did not come through")
	}
	if !q.Over(start.Add(910 * time.Millisecond)) {
		t.Error("the second key was held back too")
	}
}

func TestScrollFollowsTheCursor(t *testing.T) {
	var s Scroll
	s.Move(7, 10)
	if from, to := s.Window(10, 4); from != 4 || to != 8 {
		t.Errorf("the window is %d to %d, want 4 to 8", from, to)
	}
	s.Move(-1, 10)
	if from, to := s.Window(10, 4); from != 4 || to != 8 {
		t.Errorf("the window moved to %d to %d without need", from, to)
	}
	if from, to := s.Window(2, 4); from != 0 || to != 2 || s.Cursor != 1 {
		t.Errorf("after the list shrank: %d to %d, cursor %d", from, to, s.Cursor)
	}
	if from, to := s.Window(0, 4); from != 0 || to != 0 {
		t.Errorf("an empty list shows %d to %d", from, to)
	}
}

func TestReachableLeavesOutWhatAnEarlierBindingTakes(t *testing.T) {
	got := Reachable([]Binding{{Keys: []string{"c"}, Does: "stop"}, {Keys: []string{"c"}, Does: "cancel"}, {Keys: []string{"c", "x"}, Does: "both"}})
	if len(got) != 2 || got[0].Does != "stop" || got[1].Does != "both" {
		t.Errorf("reachable: %+v", got)
	}
}
