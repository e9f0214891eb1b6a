package incidents

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// A step's end with a usual excerpt of its output.
var usualFact = StepFinished{Run: "R", Ref: rollback, OK: true, Stages: []runbooks.Stage{{Name: "kubectl"}}, Head: strings.Repeat("some output\n", 20)}

// BenchmarkAppend is to cost at most twice BenchmarkBareWrite.
func BenchmarkAppend(b *testing.B) {
	j, err := OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	for b.Loop() {
		if _, err := j.Append(b.Context(), "INC-1", ann, usualFact); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareWrite appends as many bytes to a plain file and waits until they
// are on disk.
func BenchmarkBareWrite(b *testing.B) {
	file, err := os.OpenFile(filepath.Join(b.TempDir(), "file"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	_, body, err := encode(usualFact)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := file.Write(body); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendOverBareWrite does both in turn, on the same disk at the same
// time, and reports how many bare writes an append costs: at most two.
func BenchmarkAppendOverBareWrite(b *testing.B) {
	dir := b.TempDir()
	j, err := OpenSQLite(b.Context(), filepath.Join(dir, "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	file, err := os.OpenFile(filepath.Join(dir, "file"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	_, body, err := encode(usualFact)
	if err != nil {
		b.Fatal(err)
	}
	var appending, writing time.Duration
	for b.Loop() {
		began := time.Now()
		if _, err := j.Append(b.Context(), "INC-1", ann, usualFact); err != nil {
			b.Fatal(err)
		}
		appended := time.Now()
		if _, err := file.Write(body); err != nil {
			b.Fatal(err)
		}
		if err := file.Sync(); err != nil {
			b.Fatal(err)
		}
		appending += appended.Sub(began)
		writing += time.Since(appended)
	}
	b.ReportMetric(float64(appending)/float64(writing), "bare-writes")
}

// manyEvents fills a journal with an incident of 100,000 events, a quarter of
// them notes.
func manyEvents(b *testing.B, path string) *SQLite {
	b.Helper()
	j, err := OpenSQLite(b.Context(), path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = j.Close() })
	if _, err := j.write.Exec("PRAGMA synchronous = OFF"); err != nil {
		b.Fatal(err)
	}
	for i := range manyCount / 4 {
		ref := CommandRef{Runbook: "rb", Step: fmt.Sprintf("step-%d", i%100)}
		run := fmt.Sprint(i)
		for _, fact := range []Fact{
			StepStarted{Run: run, Ref: ref, Script: "kubectl get pods", Values: map[string]string{"pod": "p"}, Risk: runbooks.Reads},
			usualFact,
			Ticked{Ref: ref},
			NoteTaken{Text: "a note"},
		} {
			if _, err := j.Append(b.Context(), "INC-1", ann, fact); err != nil {
				b.Fatal(err)
			}
		}
	}
	return j
}

const manyCount = 100_000

// BenchmarkOpen100000Events opens the journal, has the incident at hand and a
// page of its timeline, as a cockpit does that is started again. It is to take
// under 300 ms.
func BenchmarkOpen100000Events(b *testing.B) {
	path := filepath.Join(b.TempDir(), "journal.db")
	options := Options{Journal: manyEvents(b, path), Snapshot: path + ".folds"}
	open := func(b *testing.B, o Options) {
		r := NewRunner(o)
		if err := r.refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
		inc, _ := r.Incident("INC-1")
		if page, err := r.Latest(b.Context(), inc.ID, math.MaxInt64, 200); err != nil || len(page) != 200 || inc.Events != manyCount {
			b.Fatalf("%d events, a page of %d, %v", inc.Events, len(page), err)
		}
		b.StopTimer()
		if err := r.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	open(b, options) // leaves the snapshot
	for b.Loop() {
		j, err := OpenSQLite(b.Context(), path)
		if err != nil {
			b.Fatal(err)
		}
		options.Journal = j
		open(b, options)
		if err := j.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFold100000Events reads and folds them all, as happens when there is
// no snapshot that the journal bears out.
func BenchmarkFold100000Events(b *testing.B) {
	j := manyEvents(b, filepath.Join(b.TempDir(), "journal.db"))
	for b.Loop() {
		events, err := j.Events(b.Context(), "INC-1", 0)
		if err != nil {
			b.Fatal(err)
		}
		if inc := FoldAll(events)["INC-1"]; inc.Events != manyCount {
			b.Fatalf("%d events", inc.Events)
		}
	}
}
