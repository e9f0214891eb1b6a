package runbooks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// write makes a file, with the folders it stands in.
func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func openLibrary(t testing.TB, paths ...string) *Library {
	t.Helper()
	l, err := Open(paths)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func names(list []*Runbook) []string {
	var out []string
	for _, rb := range list {
		out = append(out, rb.Name)
	}
	return out
}

func TestEmbeddedBooks(t *testing.T) {
	l := openLibrary(t)
	if problems := l.Problems(); len(problems) > 0 {
		t.Errorf("problems: %v", problems)
	}
	for alert, want := range map[string]string{
		"HighErrorRate": "high-error-rate", "PostgreSQLDown": "database-connectivity-issues", "HighResponseTime": "high-latency-incidents",
		"HighFailedLoginRate": "authentication-failures", "DatabaseConnectionPoolExhausted": "database-connection-pool-exhaustion", "LowCacheHitRate": "low-cache-hit-rate",
	} {
		m := l.ForAlert(Alert{Name: alert})
		if m.Runbook == nil || m.Runbook.Name != want || m.Runbook.Severity == "" || m.Runbook.Threshold == "" {
			t.Errorf("%s: %+v", alert, m.Runbook)
		}
		if m.Runbook != nil {
			byURL := l.ForAlert(Alert{Name: alert, RunbookURL: "https://runbooks.erpgo.example/RUNBOOKS.md#" + want})
			if byURL.Runbook != m.Runbook || len(m.Runbook.Sections) == 0 || byURL.How != MatchURL {
				t.Errorf("%s by its URL: %+v", alert, byURL)
			}
		}
	}
	if got, want := names(l.Procedures()), []string{"deployment-procedures", "emergency-rollback", "general-troubleshooting", "post-incident-actions"}; !slices.Equal(got, want) {
		t.Errorf("procedures: %q, want %q", got, want)
	}
	if path := l.Escalation(); len(path.Clocks) != 4 || len(path.Contacts) == 0 {
		t.Errorf("the escalation path is %+v", path)
	}
	for _, head := range l.All() {
		rb, ok := l.ByName(head.Name)
		if !ok || len(rb.Sections) == 0 {
			t.Fatalf("%s cannot be read", head.Name)
		}
		for _, s := range rb.Sections {
			for _, st := range s.Steps {
				for _, c := range st.Commands {
					if c.Problem != "" || c.TTY {
						t.Errorf("%s:%d: %s %s", rb.File, c.Line, c.Text, c.Problem)
					}
				}
				for _, q := range st.Queries {
					if !q.Parses {
						t.Errorf("%s:%d: %s does not parse", rb.File, q.Line, q.Original)
					}
				}
			}
		}
	}
}

// TestEmbeddedBooksSayTheSame compares the shipped books with the operators'
// document: the same facts, and no sentence of it.
func TestEmbeddedBooksSayTheSame(t *testing.T) {
	original := parseOriginal(t)
	l := openLibrary(t)
	commands := func(books ...*Book) []string {
		var out []string
		for _, b := range books {
			for _, c := range commandsOf(b) {
				text := strings.NewReplacer(" -it ", " ", "-pod-name>", "-pod>", `"$DB_USER"`, "$DB_USER", `"$DB_HOST"`, "$DB_HOST").Replace(c.Text)
				out = append(out, strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(text, "\\\n", " ")), " ")))
			}
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	shipped := strings.Join(commands(l.Books()...), "\n")
	// What the shipped books do otherwise on purpose: errors that were mended,
	// and selector logs without a number of lines.
	mended := []string{"kubectl patch deployment erpgo-api-canary", "keys \"ratelimit", "explain analyze", "pg_archivecleanup /var/lib/postgresql/data/pg_wal\n", "kubectl scale deployment/erpgo-api --replicas=0", "kubectl scale deployment/erpgo-api-canary --replicas=10"}
	for _, c := range commands(original) {
		words := strings.Fields(c)
		if strings.Contains(shipped, strings.Join(words[:min(len(words), 4)], " ")) || strings.Contains(c, "kubectl logs -l") || c == "kubectl exec <postgres-pod> -- psql -u $db_user -d erpgo" {
			continue
		}
		if !slices.ContainsFunc(mended, func(m string) bool { return strings.Contains(c+"\n", m) }) && !strings.Contains(c, "docker-compose logs") && !strings.Contains(c, "restore-database.sh") {
			t.Errorf("not in the shipped books: %s", c)
		}
	}
	prose := proseOf(string(readOriginal(t)))
	for _, b := range l.Books() {
		src, err := embedded.ReadFile(b.File)
		if err != nil {
			t.Fatal(err)
		}
		for sentence, line := range proseOf(string(src)) {
			if prose[sentence] > 0 {
				t.Errorf("%s:%d is a line of the original: %s", b.File, line, sentence)
			}
		}
	}
}

// proseOf are the lines of Markdown that are sentences, comments in blocks too,
// each with its number; commands, comparisons and short labels are none.
func proseOf(md string) map[string]int {
	out := map[string]int{}
	fenced := false
	for i, line := range strings.Split(md, "\n") {
		t := strings.TrimSpace(line)
		if strings.HasPrefix(t, "```") {
			fenced = !fenced
			continue
		}
		if fenced && !strings.HasPrefix(t, "#") && !strings.HasPrefix(t, "--") {
			continue
		}
		text := strings.ToLower(strings.Trim(flatten(line), " #-*0123456789.:"))
		if len(strings.Fields(text)) >= 5 && !strings.ContainsAny(text, "<>=") {
			out[text] = i + 1
		}
	}
	return out
}

func TestForAlert(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "RUNBOOKS.md"), "# Book\n\n| Alert | Rule | Runbook |\n|--|--|--|\n| Down | `ServiceDown` | [Link](#second) |\n\n## First\n\n**Alert name:** `ServiceDown`\n\n### Investigation\n1. a\n\n## Second\n\n**Alert name:** `ServiceDown`\n\n### Investigation\n1. b\n\n## Third\n\n**Alert name:** `Other`\n\n### Investigation\n1. c\n")
	write(t, filepath.Join(dir, "alerts/KubePodCrashLooping.md"), "# Crash looping\n\n## Diagnosis\n1. x\n")
	write(t, filepath.Join(dir, "team/a/disk.md"), "# Disk A\n## Diagnosis\n1. x\n")
	write(t, filepath.Join(dir, "team/b/disk.md"), "# Disk B\n## Diagnosis\n1. x\n")
	l := openLibrary(t, dir)
	l.Map(map[string]string{"Mapped": "third", "Nowhere": "no-such-runbook"})
	for _, tt := range []struct {
		name      string
		alert     Alert
		want      string
		how       MatchKind
		versions  int
		suggested string
	}{
		{"anchor", Alert{Name: "X", RunbookURL: "#third"}, "third", MatchURL, 0, ""},
		{"anchor decides over the table", Alert{Name: "ServiceDown", RunbookURL: "https://x/RUNBOOKS.md#first"}, "first", MatchURL, 1, ""},
		{"anchor of a section", Alert{Name: "X", RunbookURL: "RUNBOOKS.md#investigation-2"}, "third", MatchURL, 0, ""},
		{"the table decides", Alert{Name: "ServiceDown"}, "second", MatchReference, 1, ""},
		{"a name", Alert{Name: "Other"}, "third", MatchName, 0, ""},
		{"a file by its URL", Alert{Name: "KubePodCrashLooping", RunbookURL: "https://runbooks.example/runbooks/kubernetes/kubepodcrashlooping"}, "crash-looping", MatchURL, 0, ""},
		{"a file with its extension", Alert{Name: "X", RunbookURL: "https://github.com/x/y/blob/main/alerts/KubePodCrashLooping.md"}, "crash-looping", MatchURL, 0, ""},
		{"the longest path", Alert{Name: "X", RunbookURL: "https://github.com/x/y/blob/main/team/b/disk.md"}, "disk-b", MatchURL, 0, ""},
		{"a dead anchor", Alert{Name: "Other", RunbookURL: "#nothing"}, "third", MatchName, 0, ""},
		{"the mapping", Alert{Name: "Mapped"}, "third", MatchMapping, 0, ""},
		{"a mapping to nowhere", Alert{Name: "Nowhere"}, "", MatchNone, 0, ""},
		{"the nearest is offered", Alert{Name: "PodCrashLooping"}, "", MatchNone, 0, "crash-looping"},
		{"nothing like it", Alert{Name: "Watchdog"}, "", MatchNone, 0, ""},
		{"not a URL", Alert{Name: "Other", RunbookURL: "http://[::1"}, "third", MatchName, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := l.ForAlert(tt.alert)
			got, suggested := "", ""
			if m.Runbook != nil {
				got = m.Runbook.Name
			}
			if len(m.Suggested) > 0 {
				suggested = m.Suggested[0].Name
			}
			if got != tt.want || m.How != tt.how || len(m.Versions) != tt.versions || suggested != tt.suggested {
				t.Errorf("%q by %q, %d versions, suggests %q", got, m.How, len(m.Versions), suggested)
			}
		})
	}
}

func TestNamesAreUnique(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"a.md", "b.md", "c/a.md"} {
		write(t, filepath.Join(dir, f), "# Same\n\n1. x\n")
	}
	l := openLibrary(t, dir)
	if got, want := names(l.All()), []string{"same", "same-b", "same-a"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for _, rb := range l.All() {
		if found, ok := l.ByName(rb.Name); !ok || found.Name != rb.Name || found.File != rb.File || len(found.Sections) == 0 {
			t.Errorf("%s is not found by its name", rb.Name)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	if _, err := Open([]string{"/nonexistent"}); err == nil || !strings.Contains(err.Error(), "give a Markdown file or a folder") {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "a.md"), "# A\n\n1. x\n")
	write(t, filepath.Join(dir, "binary.md"), "a\x00b")
	write(t, filepath.Join(dir, ".git/x.md"), "# Hidden\n\n1. x\n")
	write(t, filepath.Join(dir, "notes.txt"), "# No Markdown\n\n1. x\n")
	if err := os.WriteFile(filepath.Join(dir, "large.md"), make([]byte, MaxFileSize+1), 0o644); err != nil {
		t.Fatal(err)
	}
	l := openLibrary(t, dir, "/nonexistent")
	if got := names(l.All()); !slices.Equal(got, []string{"a"}) {
		t.Errorf("%q", got)
	}
	if problems := l.Problems(); len(problems) != 3 {
		t.Errorf("%v", problems)
	}
}

// watched opens a library and watches it; changed gets a value after each
// reload.
func watched(t *testing.T, dir string) (*Library, chan struct{}) {
	t.Helper()
	l := openLibrary(t, dir)
	changed := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); l.Watch(ctx, func() { changed <- struct{}{} }) }()
	t.Cleanup(func() {
		cancel()
		<-done
	})
	return l, changed
}

// eventually waits for a condition, which a reload brings about.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		runtime.Gosched()
		<-time.After(time.Millisecond)
	}
}

func titleIs(l *Library, name, title string) func() bool {
	return func() bool {
		rb, ok := l.ByName(name)
		return ok && (title == "" || rb.Sections[0].Steps[0].Title == title)
	}
}

func TestWatch(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.md")
	write(t, file, "# A\n\n1. one\n")
	l, _ := watched(t, dir)

	// The watch may begin a moment after the file was changed: the first change
	// is written again until it is seen.
	eventually(t, "the first change", func() bool {
		write(t, file, "# A\n\n1. two\n")
		return titleIs(l, "a", "two")()
	})

	write(t, filepath.Join(dir, "new.tmp"), "# A\n\n1. three\n")
	if err := os.Rename(filepath.Join(dir, "new.tmp"), file); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a rename over the file", titleIs(l, "a", "three"))

	write(t, filepath.Join(dir, "sub/folder/b.md"), "# B\n\n1. one\n")
	eventually(t, "a file in a new folder", titleIs(l, "b", "one"))
	write(t, filepath.Join(dir, "sub/folder/b.md"), "# B\n\n1. two\n")
	eventually(t, "a change in a new folder", titleIs(l, "b", "two"))

	before, _ := l.ByName("a")
	write(t, file, "")
	eventually(t, "a broken file is told", func() bool {
		p := l.Problems()
		return len(p) == 1 && strings.Contains(p[0].Message, "its last good version is used")
	})
	if after, ok := l.ByName("a"); !ok || after.Sections[0].Steps[0].Title != before.Sections[0].Steps[0].Title {
		t.Error("the last good version is gone")
	}
	write(t, file, "# A\n\n1. four\n")
	eventually(t, "the file is mended", func() bool { return titleIs(l, "a", "four")() && len(l.Problems()) == 0 })

	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a removed file is dropped", func() bool { _, ok := l.ByName("a"); return !ok })
	if _, ok := l.ByName("b"); !ok {
		t.Error("the other file is gone too")
	}
}

func TestWatchOfOneFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.md")
	write(t, file, "# A\n\n1. one\n")
	l, _ := watched(t, file)
	eventually(t, "a change", func() bool {
		write(t, file, "# A\n\n1. two\n")
		return titleIs(l, "a", "two")()
	})
}

func TestReadersSeeWholeLibraries(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a.md")
	write(t, file, "# A\n\n1. x\n")
	l := openLibrary(t, dir)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			l.Reload(nil)
		}
	}()
	for i := range 200 {
		write(t, file, fmt.Sprintf("# A\n\n1. %d\n", i))
		if rb, ok := l.ByName("a"); !ok || len(rb.Sections) != 1 || l.ForAlert(Alert{Name: "A"}).Runbook != nil {
			t.Fatalf("half a library: %+v", rb)
		}
	}
	cancel()
	<-done
}
