package runbooks

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestMappedAlert: the mapping comes after what an alert and the books say, and
// names runbooks that there are.
func TestMappedAlert(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.md"), "# Book\n## Down\n**Alert name:** `Down`\n### Steps\n1. x\n## Other\n### Steps\n1. x\n")
	l := openLibrary(t, dir)
	l.Map(map[string]string{"Odd": "other", "Down": "other", "Lost": "no-such-runbook"})
	for alert, want := range map[string]struct {
		name string
		how  MatchKind
	}{"Odd": {"other", MatchMapping}, "Down": {"down", MatchName}} {
		if m := l.ForAlert(Alert{Name: alert}); m.Runbook == nil || m.Runbook.Name != want.name || m.How != want.how {
			t.Errorf("%s: %+v", alert, m)
		}
	}
	if m := l.ForAlert(Alert{Name: "Lost"}); m.Runbook != nil {
		t.Errorf("Lost: %+v", m)
	}
	problems := l.Problems()
	if len(problems) != 1 || problems[0].File != "configuration" || !strings.Contains(problems[0].Message, "no-such-runbook") {
		t.Errorf("problems %+v", problems)
	}
}

// TestChanges: everyone who listens is told that a file was read anew, until
// they stop, and a file that is broken says that its last good version is used.
func TestChanges(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.md")
	write(t, file, "# A\n1. one\n")
	l := openLibrary(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); l.Watch(ctx, nil) }()
	one, stopOne := l.Changes()
	two, stopTwo := l.Changes()
	await := func(what string, changed <-chan struct{}, ok func() bool) {
		t.Helper()
		late := time.After(20 * time.Second)
		for !ok() {
			select {
			case <-changed:
			case <-late:
				t.Fatalf("not told that %s", what)
			}
		}
	}
	title := func(want string) func() bool {
		return func() bool { return l.All()[0].Title == want }
	}
	write(t, file, "# B\n1. one\n")
	await("the file changed", one, title("B"))
	await("the file changed", two, title("B"))
	stopTwo()
	write(t, file, "\x00")
	await("the file is broken", one, func() bool { return len(l.Problems()) > 0 })
	if p := l.Problems()[0]; !p.LastGood || p.File != file || !title("B")() {
		t.Errorf("problem %+v, shown %q", p, l.All()[0].Title)
	}
	write(t, file, "# C\n1. one\n")
	await("the file is mended", one, func() bool { return len(l.Problems()) == 0 && title("C")() })
	stopOne()
	cancel()
	<-done
}
