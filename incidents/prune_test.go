package incidents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// pruner is a journal that can be pruned.
type pruner interface {
	Journal
	Prune(ctx context.Context, head int64, actor Actor, incidents []string) (Event, error)
}

// prunes is what every journal that can be pruned must do. exec runs SQL on its
// tables, events and pruned.
func prunes(t *testing.T, j pruner, exec func(sql string)) {
	t.Helper()
	for i := range 12 {
		if _, err := j.Append(t.Context(), fmt.Sprintf("INC-%d", i%3+1), ann, NoteTaken{Text: fmt.Sprint("secret ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	r := newRunner(t, Options{Journal: j})
	if err := r.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Prune(t.Context(), 11, bob, []string{"INC-1"}); !errors.Is(err, ErrMoved) {
		t.Errorf("on an older state: %v", err)
	}
	if _, err := j.Prune(t.Context(), 12, bob, []string{"INC-8"}); err == nil || !strings.Contains(err.Error(), "INC-8") {
		t.Errorf("what there is not: %v", err)
	}
	e, err := j.Prune(t.Context(), 12, bob, []string{"INC-1", "INC-2"})
	if err != nil {
		t.Fatal(err)
	}
	if fact := e.Fact.(Pruned); fact.Events != 8 || e.Actor != bob || e.Seq != 13 {
		t.Errorf("%+v", e)
	}
	if head, err := j.Verify(t.Context()); err != nil || head.Seq != 13 {
		t.Errorf("verify: %+v, %v", head, err)
	}
	events, err := j.Events(t.Context(), "", 0)
	if err != nil || len(events) != 5 {
		t.Errorf("%d events are left, %v; want 5", len(events), err)
	}
	eventually(t, "running cockpits forget them too", func() bool { return len(r.Incidents()) == 1 })
	if _, err := j.Append(t.Context(), "INC-3", ann, NoteTaken{}); err != nil {
		t.Errorf("append: %v", err)
	}
	if _, err := j.Prune(t.Context(), 14, bob, []string{"INC-3"}); err != nil {
		t.Errorf("again: %v", err)
	}
	if head, err := j.Verify(t.Context()); err != nil || head.Seq != 15 {
		t.Errorf("verify: %+v, %v", head, err)
	}

	// Whoever removes more has to say so.
	exec(`UPDATE pruned SET at = at + 0, hash = prev WHERE seq = 4`)
	var broken *BrokenChain
	if _, err := j.Verify(t.Context()); !errors.As(err, &broken) || broken.Seq > 5 {
		t.Errorf("a changed remainder: %v", err)
	}
	exec(`UPDATE pruned SET hash = (SELECT prev FROM pruned AS p WHERE p.seq = 5) WHERE seq = 4`)
	if _, err := j.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(`UPDATE pruned SET seal = 15 WHERE seq = 1`)
	if _, err := j.Verify(t.Context()); !errors.As(err, &broken) || broken.Seq != 1 {
		t.Errorf("one that is said to be removed with others: %v", err)
	}
	exec(`UPDATE pruned SET seal = 13 WHERE seq = 1`)
	exec(`UPDATE pruned SET at = at - 1 WHERE seq = 1`)
	if _, err := j.Verify(t.Context()); !errors.As(err, &broken) || broken.Seq != 1 {
		t.Errorf("another time: %v", err)
	}
}

func TestSQLitePrunes(t *testing.T) {
	path := newPath(t)
	j := openJournal(t, path)
	prunes(t, j, func(sql string) {
		if _, err := j.write.Exec(sql); err != nil {
			t.Fatal(err)
		}
	})
	for _, file := range []string{path, path + "-wal"} {
		if content, err := os.ReadFile(file); err == nil && strings.Contains(string(content), "secret") {
			t.Errorf("what was removed is still in %s", file)
		}
	}
	if _, err := j.write.Exec(`DELETE FROM events`); err == nil {
		t.Error("after pruning the journal is not append-only any more")
	}
}

func TestSQLiteFindsWhatWasPrunedInSilence(t *testing.T) {
	j := openJournal(t, newPath(t))
	for range 9 {
		if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.write.Exec(`DROP TRIGGER events_are_not_removed;
		INSERT INTO pruned SELECT seq, at, prev, hash, 9 FROM events WHERE seq IN (4, 6); DELETE FROM events WHERE seq IN (4, 6)`); err != nil {
		t.Fatal(err)
	}
	var broken *BrokenChain
	if _, err := j.Verify(t.Context()); !errors.As(err, &broken) || broken.Seq != 4 {
		t.Errorf("%v, want it found at event 4", err)
	}
}

func TestAnOlderJournalIsUpgraded(t *testing.T) {
	path := newPath(t)
	j, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.write.Exec(`DROP TABLE pruned; PRAGMA user_version = 1`); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if head, err := openJournal(t, path).Verify(t.Context()); err != nil || head.Seq != 1 {
		t.Errorf("%+v, %v", head, err)
	}
}

func TestPrunePolicy(t *testing.T) {
	old, young := noon.AddDate(0, -6, 0), noon.Add(-time.Hour)
	all := []Incident{
		{ID: "INC-1", Last: old, Resolved: old},
		{ID: "INC-2", Last: old},
		{ID: "INC-10", Last: old, Resolved: old},
		{ID: "INC-9-ab2c", Last: old, Resolved: old},
		{ID: "INC-11", Last: young, Resolved: young},
		{ID: "INC-12", Last: old, Resolved: old}, // the newest
	}
	for keepOpen, want := range map[bool][]string{true: {"INC-1", "INC-9-ab2c", "INC-10"}, false: {"INC-1", "INC-2", "INC-9-ab2c", "INC-10"}} {
		var got []string
		for _, i := range Prunable(all, noon.AddDate(0, -3, 0), keepOpen) {
			got = append(got, i.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("keep open %v: %s", keepOpen, diff)
		}
	}
}
