package incidents

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// openJournal opens a journal for the length of a test.
func openJournal(t *testing.T, path string) *SQLite {
	t.Helper()
	j, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return j
}

func newPath(t *testing.T) string {
	return filepath.Join(t.TempDir(), "state ?#%41", "journal.db")
}

func TestSQLiteConforms(t *testing.T) {
	journalConforms(t, func(t *testing.T) Journal { return openJournal(t, newPath(t)) })
}

func TestSQLiteOutlivesItsProcess(t *testing.T) {
	path := newPath(t)
	j, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	var written []Event
	for _, fact := range everyFact() {
		e, err := j.Append(t.Context(), "INC-1", ann, fact)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, e)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	read, err := openJournal(t, path).Events(t.Context(), "INC-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(written, read); diff != "" {
		t.Error(diff)
	}
}

func TestSQLiteFilesAreTheOwnersAlone(t *testing.T) {
	path := newPath(t)
	j := openJournal(t, path)
	if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range append(files, filepath.Dir(path)) {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			t.Errorf("%s has mode %v", file, mode)
		}
	}
}

// Two connections stand for two processes; the real ones are in crash_test.go.
func TestSQLiteShowsWhatOthersAppend(t *testing.T) {
	path := newPath(t)
	a, b := openJournal(t, path), openJournal(t, path)
	shownSoon(t, a, b)
	events, err := b.Events(t.Context(), "", 0)
	if err != nil || len(events) != shownTries {
		t.Errorf("%d events, %v; want %d", len(events), err, shownTries)
	}
}

func TestSQLiteRefusesWhatIsNoJournal(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.db")
	db, err := sql.Open("sqlite", other)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE mine (a)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	newer := newPath(t)
	j := openJournal(t, newer)
	if _, err := j.write.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database\n", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{other: "something else", newer: "has version 99", text: "not a database"} {
		if opened, err := OpenSQLite(t.Context(), path); err == nil {
			_ = opened.Close()
			t.Errorf("%s is opened", path)
		} else if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if left, err := os.ReadFile(text); err != nil || !strings.HasPrefix(string(left), "no database\n") {
		t.Error("a file that is no journal was changed")
	}
}

func TestSQLiteIsAppendOnly(t *testing.T) {
	j := openJournal(t, newPath(t))
	if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE events SET actor = 'bob'", "DELETE FROM events"} {
		if _, err := j.write.Exec(statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// SQLite's own answer to a full disk, which it gives the same way when its file
// may not grow. See TestSQLiteOnAFullDisk for a real one.
func TestSQLiteThatCannotGrow(t *testing.T) {
	j := openJournal(t, newPath(t))
	if _, err := j.write.Exec(`PRAGMA max_page_count = 1`); err != nil { // it is not made less than it has
		t.Fatal(err)
	}
	checkFull(t, j, func() {
		if _, err := j.write.Exec(`PRAGMA max_page_count = 100000`); err != nil {
			t.Fatal(err)
		}
	})
}

// checkFull appends until the journal is full: what was acknowledged is there,
// what was not is not, and it goes on once there is room.
func checkFull(t *testing.T, j *SQLite, makeRoom func()) {
	t.Helper()
	acknowledged := int64(0)
	for {
		e, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{Text: strings.Repeat("x", 3000)})
		if err != nil {
			if !strings.Contains(err.Error(), "full") {
				t.Errorf("%v, want it to say that it is full", err)
			}
			break
		}
		if acknowledged = e.Seq; acknowledged > 5000 {
			t.Fatal("it is never full")
		}
	}
	if head, err := j.Verify(t.Context()); err != nil || head.Seq != acknowledged {
		t.Errorf("verified up to %d, %v; acknowledged were %d", head.Seq, err, acknowledged)
	}
	makeRoom()
	if e, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil || e.Seq != acknowledged+1 {
		t.Errorf("with room again: event %d, %v; want %d", e.Seq, err, acknowledged+1)
	}
}

func TestSQLiteThatIsLockedSaysSo(t *testing.T) {
	path := newPath(t)
	j, other := openJournal(t, path), openJournal(t, path)
	tx, err := other.write.Begin()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := j.Append(ctx, "INC-1", ann, NoteTaken{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with 300 ms of patience: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	j.patience = 0
	if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err == nil || !strings.Contains(err.Error(), "locked") {
		t.Errorf("without: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if e, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil || e.Seq != 1 {
		t.Errorf("once it is free: event %d, %v", e.Seq, err)
	}
}

func TestSQLiteReadsWhileItIsWritten(t *testing.T) {
	j := openJournal(t, newPath(t))
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 200 {
			if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var seen int64
	for seen < 200 && !t.Failed() {
		events, err := j.Events(t.Context(), "", seen)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range events {
			if e.Seq != seen+1 {
				t.Fatalf("event %d after %d", e.Seq, seen)
			}
			seen = e.Seq
		}
	}
	wg.Wait()
}
