package incidents

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

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

// BenchmarkOpenIncident reads and folds an incident of 100,000 events, which is
// to take under 300 ms.
func BenchmarkOpenIncident(b *testing.B) {
	j, err := OpenSQLite(b.Context(), filepath.Join(b.TempDir(), "journal.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	if _, err := j.write.Exec("PRAGMA synchronous = OFF"); err != nil {
		b.Fatal(err)
	}
	const n = 100_000
	for i := range n / 4 {
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
	for b.Loop() {
		events, err := j.Events(b.Context(), "INC-1", 0)
		if err != nil {
			b.Fatal(err)
		}
		if inc := FoldAll(events)["INC-1"]; inc.Events != n {
			b.Fatalf("%d events", inc.Events)
		}
	}
}
