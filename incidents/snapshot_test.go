package incidents

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file, or writes it.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: %s", path, diff)
	}
}

// Whoever changes the fold or its form changes this file, and is to raise
// foldVersion, or older snapshots would be taken for new ones.
func TestFormOfAnIncident(t *testing.T) {
	inc := FoldAll(story(ann, append(everyFact(), change("1", true)...)...))["INC-1"]
	form, err := json.MarshalIndent(inc, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, filepath.Join("testdata", "incident.json"), append(form, '\n'))
	var back Incident
	if err := json.Unmarshal(form, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(inc, back, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// A runner that begins with a snapshot has what one has that reads everything;
// it reads everything when the snapshot is not the journal's.
func TestSnapshot(t *testing.T) {
	journal := NewMemory()
	write := func(j Journal, facts ...Fact) {
		for _, fact := range facts {
			if _, err := j.Append(t.Context(), "INC-1", ann, fact); err != nil {
				t.Fatal(err)
			}
		}
	}
	write(journal, everyFact()...)
	file := filepath.Join(t.TempDir(), "journal.folds")
	keep := func(r *Runner) {
		r.mu.RLock()
		defer r.mu.RUnlock()
		if err := writeSnapshot(file, r.head, r.folds); err != nil {
			t.Fatal(err)
		}
	}
	begin := func(j Journal, path string) *Runner {
		r := newRunner(t, Options{Journal: j, Snapshot: path})
		if err := r.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return r
	}
	same := func(what string, got *Runner, j Journal, restored int64) {
		t.Helper()
		if got.kept != restored {
			t.Errorf("%s: it began after event %d, want %d", what, got.kept, restored)
		}
		want := begin(j, "")
		if diff := cmp.Diff(want.Incidents(), got.Incidents(), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if got.head != want.head {
			t.Errorf("%s: at %v, want %v", what, got.head, want.head)
		}
	}
	n := int64(len(everyFact()))
	keep(begin(journal, ""))
	same("nothing has come since", begin(journal, file), journal, n)
	write(journal, Opened{Title: "again"}, NoteTaken{Text: "later"})
	same("something has", begin(journal, file), journal, n)

	other := NewMemory()
	write(other, everyFact()...)
	write(other, NoteTaken{})
	same("of another journal", begin(other, file), other, 0)
	shorter := NewMemory()
	write(shorter, NoteTaken{})
	same("of a journal that was longer", begin(shorter, file), shorter, 0)

	if err := os.WriteFile(file, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	same("damaged", begin(journal, file), journal, 0)
	same("missing", begin(journal, filepath.Join(t.TempDir(), "none")), journal, 0)
}

func TestSnapshotIsLeftForTheNextStart(t *testing.T) {
	const count = 20
	journal, file := NewMemory(), filepath.Join(t.TempDir(), "journal.folds")
	r := NewRunner(Options{Journal: journal, Snapshot: file})
	for range count {
		if _, err := journal.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all are folded", func() bool {
		inc, _ := r.Incident("INC-1")
		return inc.Events == count
	})
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v", info.Mode())
	}
	next := newRunner(t, Options{Journal: journal, Snapshot: file})
	if err := next.refresh(t.Context()); err != nil || next.kept != count {
		t.Errorf("the next one began after event %d, %v", next.kept, err)
	}
}
