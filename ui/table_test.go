package ui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestTableKeepsColumnsAndEnds(t *testing.T) {
	theme := DefaultTheme()
	columns := []Column{{Title: "NAME", Ends: true}, {Title: "READY", Width: 5}, {Title: "RESTARTS", Width: 8, Right: true}}
	rows := [][]Cell{
		{{Text: "erpgo-api-74777df64b-62v9v"}, {Text: "1/1"}, {Text: "0"}},
		{{Text: "postgres-0"}, {Text: "0/1"}, {Text: "12", Style: theme.Critical}},
	}
	lines := Table(theme, columns, true, rows, 36)
	for i, line := range lines {
		if w := Width(line); w != 36 {
			t.Errorf("line %d is %d cells wide, want 36: %q", i, w, ansi.Strip(line))
		}
	}
	got := make([]string, len(lines))
	for i, line := range lines {
		got[i] = strings.TrimRight(ansi.Strip(line), " ")
	}
	if want := "NAME                 READY  RESTARTS"; got[0] != want {
		t.Errorf("header\n got %q\nwant %q", got[0], want)
	}
	if !strings.Contains(got[1], "62v9v") {
		t.Errorf("the pod's hash was cut: %q", got[1])
	}
	if !strings.HasSuffix(got[2], "12") {
		t.Errorf("the number is not at the right edge: %q", got[2])
	}
}

func BenchmarkTable(b *testing.B) {
	theme := DefaultTheme()
	columns := []Column{{Title: "NAME", Ends: true}, {Title: "READY", Width: 5}, {Title: "STATUS", Width: 18}, {Title: "RESTARTS", Width: 8, Right: true}, {Title: "AGE", Width: 4, Right: true}}
	rows := make([][]Cell, 50)
	for i := range rows {
		rows[i] = []Cell{{Text: "erpgo-api-74777df64b-62v9v"}, {Text: "1/1"}, {Text: "CrashLoopBackOff"}, {Text: "0"}, {Text: "6m"}}
	}
	for b.Loop() {
		Table(theme, columns, true, rows, 120)
	}
}
