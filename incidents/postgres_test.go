//go:build unix

package incidents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/testenv"
)

// openPostgresJournal opens a journal for the length of a test; folder is its
// place on the local disk.
func openPostgresJournal(t *testing.T, url, folder string) *Postgres {
	t.Helper()
	p, err := OpenPostgres(t.Context(), url, folder)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// emptied forgets everything that a server's journal holds.
func emptied(t *testing.T, p *Postgres) *Postgres {
	t.Helper()
	tamper(t, p, `DELETE FROM flightdeck.events; UPDATE flightdeck.head SET seq = 0, at = 0, hash = decode(repeat('00', 32), 'hex')`)
	if err := os.Truncate(p.file, 0); err != nil {
		t.Fatal(err)
	}
	return p
}

// tamper changes what may not be changed.
func tamper(t *testing.T, p *Postgres, sql string) {
	t.Helper()
	if _, err := p.log.pool.Exec(t.Context(), `ALTER TABLE flightdeck.events DISABLE TRIGGER append_only`); err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(sql, ";") {
		if _, err := p.log.pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
}

func TestPostgresConforms(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	journalConforms(t, func(t *testing.T) Journal {
		return emptied(t, openPostgresJournal(t, server.AdminURL(), t.TempDir()))
	})
}

func TestPostgresShowsWhatOthersAppend(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	a, b := openPostgresJournal(t, server.AdminURL(), t.TempDir()), openPostgresJournal(t, server.AdminURL(), t.TempDir())
	shownSoon(t, a, b)
	if !a.Alive(b.Session()) || !b.Alive(a.Session()) {
		t.Error("one does not see that the other lives")
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if a.Alive(b.Session()) {
		t.Error("one that has left is seen as alive")
	}
}

func TestPostgresIsAppendOnly(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	p := openPostgresJournal(t, server.AdminURL(), t.TempDir())
	if _, err := p.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		`UPDATE flightdeck.events SET actor = 'bob'`, `DELETE FROM flightdeck.events`, `TRUNCATE flightdeck.events`,
	} {
		if _, err := p.log.pool.Exec(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

func TestPostgresErrorsHoldNoPassword(t *testing.T) {
	for _, url := range []string{
		"postgres://u:hunter2@127.0.0.1:1/d", "postgres://u:hunter2@127.0.0.1:nowhere/d", "postgres://u:hunter2@%zz/d",
	} {
		p, err := OpenPostgres(t.Context(), url, t.TempDir())
		if err == nil {
			_ = p.Close()
			t.Fatalf("%s is opened", url)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}

// The server is stopped and started again during an incident: what is done
// meanwhile is on disk and shown as unsent, and arrives once each and in order.
func TestPostgresIsAwayDuringAnIncident(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	folder := t.TempDir()
	journal := openPostgresJournal(t, server.AdminURL(), folder)
	r := newRunner(t, Options{Journal: journal, Target: pinned, OnRecord: true})
	id := opened(t, r)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	want := []string{}
	for n := range 5 {
		text := fmt.Sprint("note ", n)
		if inc, err := r.Note(t.Context(), driver, id, text); err != nil || len(inc.Notes) != n+1 || !inc.Notes[n].Unsent {
			t.Fatalf("note %d: %v, shown %+v", n, err, inc.Notes)
		}
		want = append(want, text)
	}
	file := filepath.Join(t.TempDir(), "touched")
	run := start(t, r, id, bash("touch "+file, runbooks.Changes)) // its start is on this machine's disk
	ended(t, run)
	if _, err := os.Stat(file); err != nil || run.Err() != nil {
		t.Errorf("a change: %v, %v", err, run.Err())
	}
	inc, joined, err := r.Open(t.Context(), driver, Opened{Title: "another", Key: "k"}, "")
	if err != nil || joined || !strings.HasPrefix(inc.ID, "INC-2-") {
		t.Errorf("an incident meanwhile: %s, %v", inc.ID, err)
	}
	if again, joined, err := r.Open(t.Context(), driver, Opened{Title: "another", Key: "k"}, ""); err != nil || !joined || again.ID != inc.ID {
		t.Errorf("the same again: %s, joined %v, %v", again.ID, joined, err)
	}
	if !journal.Alive("somebody") {
		t.Error("somebody is given up while nobody can tell")
	}
	unsent, away := r.Unsent()
	if len(unsent) != 8 || away == nil {
		t.Errorf("%d events are shown as unsent, because of %v", len(unsent), away)
	}
	if err := r.JournalErr(); err != nil {
		t.Errorf("the journal takes everything, and JournalErr is %v", err)
	}
	onDisk, err := readUnsent(journal.unsent.path)
	if err != nil || len(onDisk) != len(unsent) {
		t.Errorf("%d events are on disk, %v", len(onDisk), err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything has arrived", func() bool {
		unsent, away := r.Unsent()
		return len(unsent) == 0 && away == nil
	})
	events, err := journal.Events(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		if note, ok := e.Fact.(NoteTaken); ok {
			got = append(got, note.Text)
			if e.Happened.IsZero() || e.Happened.After(e.At) || e.Unsent {
				t.Errorf("note %q happened at %v and is of %v", note.Text, e.Happened, e.At)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(events) != 10 {
		t.Errorf("%d events; notes: %s", len(events), diff)
	}
	shown, _ := r.Incident(id)
	if diff := cmp.Diff(FoldAll(events)[id], shown, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
	if head, err := journal.Verify(t.Context()); err != nil || head.Seq != 10 {
		t.Errorf("%+v, %v", head, err)
	}
	if inc, err := r.Note(t.Context(), driver, id, "after"); err != nil || inc.Notes[5].Unsent {
		t.Errorf("after it is back: %v", err)
	}
	if left, err := os.ReadFile(journal.unsent.path); err != nil || len(left) != 0 {
		t.Errorf("%d bytes are left in the file, %v", len(left), err)
	}
}

// A cockpit is started while the server is away: where it has been before it
// shows what it knows and goes on; a snapshot of another journal is thrown away
// once that can be told.
func TestACockpitStartsWhilePostgresIsAway(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	folder := t.TempDir()
	snapshot := filepath.Join(folder, "folds")
	before := openPostgresJournal(t, server.AdminURL(), folder)
	r := NewRunner(Options{Journal: before, Snapshot: snapshot})
	id := opened(t, r)
	if _, err := r.Note(t.Context(), driver, id, "before"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), before.Close(), server.Stop()); err != nil {
		t.Fatal(err)
	}
	if p, err := OpenPostgres(t.Context(), server.AdminURL(), t.TempDir()); err == nil {
		_ = p.Close()
		t.Error("a server that nobody has seen is opened")
	}
	again := newRunner(t, Options{Journal: openPostgresJournal(t, server.AdminURL(), folder), Snapshot: snapshot})
	eventually(t, "it shows what it knows", func() bool {
		inc, ok := again.Incident(id)
		_, away := again.Unsent()
		return ok && len(inc.Notes) == 1 && away != nil
	})
	if inc, err := again.Note(t.Context(), driver, id, "meanwhile"); err != nil || len(inc.Notes) != 2 {
		t.Errorf("%v, %d notes", err, len(inc.Notes))
	}
	if _, _, err := again.Open(t.Context(), driver, Opened{Title: "another"}, ""); err != nil {
		t.Errorf("what is decided on the newest state: %v", err)
	}
	if err := server.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "everything arrives", func() bool {
		unsent, away := again.Unsent()
		inc, _ := again.Incident(id)
		return len(unsent) == 0 && away == nil && len(inc.Notes) == 2 && !inc.Notes[1].Unsent
	})
	if len(again.Incidents()) != 2 {
		t.Errorf("%d incidents", len(again.Incidents()))
	}

	other := testenv.StartPostgres(t, testenv.PostgresOptions{})
	stranger := newRunner(t, Options{Journal: openPostgresJournal(t, other.AdminURL(), t.TempDir()), Snapshot: snapshot})
	if err := stranger.refresh(t.Context()); err != nil || len(stranger.Incidents()) != 0 || stranger.head.Seq != 0 {
		t.Errorf("another journal's snapshot is kept: %v, %d incidents, event %d", err, len(stranger.Incidents()), stranger.head.Seq)
	}
}

// An answer that never came: whether the event arrived is not known, and it is
// there once.
func TestPostgresWhoseAnswerIsLost(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	p := openPostgresJournal(t, server.AdminURL(), t.TempDir())
	first, err := p.Append(t.Context(), "INC-1", ann, NoteTaken{Text: "arrived"})
	if err != nil {
		t.Fatal(err)
	}
	var id string
	if err := p.log.pool.QueryRow(t.Context(), `SELECT id FROM flightdeck.events`).Scan(&id); err != nil {
		t.Fatal(err)
	}
	kind, body, err := encode(NoteTaken{Text: "arrived"})
	if err != nil {
		t.Fatal(err)
	}
	row, err := p.log.append(t.Context(), nil, entry{ID: id, Incident: "INC-1", Actor: ann, Kind: kind, Body: body, tried: true})
	if err != nil || row.sum != first.Hash {
		t.Errorf("it is event %d, %v; want the first", row.seq, err)
	}
	if events, _ := p.Events(t.Context(), "", 0); len(events) != 1 {
		t.Errorf("%d events", len(events))
	}
}

// A cockpit is gone before the server is back: the next one on the machine
// sends what it left.
func TestWhatACrashLeftUnsentIsSent(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	folder := t.TempDir()
	gone := openPostgresJournal(t, server.AdminURL(), folder)
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		if e, err := gone.Append(t.Context(), "INC-1", ann, NoteTaken{Text: fmt.Sprint(n)}); err != nil || !e.Unsent {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	cut, err := os.OpenFile(gone.unsent.path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := cut.WriteString(`{"id":"half a li`); err != nil { // the machine's power went
		t.Fatal(err)
	}
	if err := errors.Join(cut.Close(), server.Start(t.Context())); err != nil {
		t.Fatal(err)
	}
	next := openPostgresJournal(t, server.AdminURL(), folder)
	eventually(t, "what was left is sent", func() bool {
		events, err := next.Events(t.Context(), "", 0)
		return err == nil && len(events) == 3
	})
	if _, err := os.Stat(gone.unsent.path); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
	if _, err := next.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// Where not even the local disk takes an event it is not acknowledged.
func TestNeitherPostgresNorDisk(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	p := openPostgresJournal(t, server.AdminURL(), t.TempDir())
	if err := errors.Join(server.Stop(), p.unsent.file.Close()); err != nil {
		t.Fatal(err)
	}
	if e, err := p.Append(t.Context(), "INC-1", ann, NoteTaken{}); err == nil || !strings.Contains(err.Error(), "keep it in") {
		t.Errorf("%+v, %v", e, err)
	}
	if events, _, _ := p.Unsent(0); len(events) != 0 {
		t.Errorf("%d events are shown as unsent", len(events))
	}
}

func TestVerifyFindsTamperingInPostgres(t *testing.T) {
	const n = 20
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	folder := t.TempDir()
	for name, tc := range map[string]struct {
		sql string
		at  int64
	}{
		"a byte of a text":      {`UPDATE flightdeck.events SET body = set_byte(body, 12, get_byte(body, 12) # 1) WHERE seq = 7`, 7},
		"a byte of a hash":      {`UPDATE flightdeck.events SET hash = set_byte(hash, 3, get_byte(hash, 3) # 1) WHERE seq = 7`, 7},
		"a hash that is none":   {`UPDATE flightdeck.events SET hash = '' WHERE seq = 7`, 7},
		"another actor":         {`UPDATE flightdeck.events SET actor = 'bob' WHERE seq = 7`, 7},
		"a missing row":         {`DELETE FROM flightdeck.events WHERE seq = 7`, 7},
		"the first row missing": {`DELETE FROM flightdeck.events WHERE seq = 1`, 1},
		"two rows swapped": {
			`UPDATE flightdeck.events SET seq = -1 WHERE seq = 7; UPDATE flightdeck.events SET seq = 7 WHERE seq = 8; UPDATE flightdeck.events SET seq = 8 WHERE seq = -1`, 7,
		},
		"a cut tail":   {`DELETE FROM flightdeck.events WHERE seq > 15`, 16},
		"nothing left": {`DELETE FROM flightdeck.events`, 1},
		"a cut tail, and the head of it": {
			`DELETE FROM flightdeck.events WHERE seq > 15; UPDATE flightdeck.head SET (seq, at, hash) = (SELECT seq, at, hash FROM flightdeck.events WHERE seq = 15)`, 16,
		},
		"a row passed off as pruned": {
			`INSERT INTO flightdeck.pruned SELECT seq, at, prev, hash, 20 FROM flightdeck.events WHERE seq = 7; DELETE FROM flightdeck.events WHERE seq = 7`, 7,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := openPostgresJournal(t, server.AdminURL(), folder)
			tamper(t, emptied(t, p), `DELETE FROM flightdeck.pruned`)
			for i := range n {
				if _, err := p.Append(t.Context(), "INC-1", ann, NoteTaken{Text: fmt.Sprintf("note %d", i+1)}); err != nil {
					t.Fatal(err)
				}
			}
			if head, err := p.Verify(t.Context()); err != nil || head.Seq != n {
				t.Fatalf("before: %+v, %v", head, err)
			}
			tamper(t, p, tc.sql)
			_, err := p.Verify(t.Context())
			var broken *BrokenChain
			if !errors.As(err, &broken) || broken.Seq != tc.at {
				t.Errorf("%v, want it found at event %d", err, tc.at)
			}
		})
	}
}

// A server that hangs slows one append by a bounded time, and the next ones not
// at all.
func TestPostgresThatHangs(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	p := openPostgresJournal(t, server.AdminURL(), t.TempDir())
	if _, err := p.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
		t.Fatal(err)
	}
	if err := server.Pause(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Resume() })
	ctx, cancel := context.WithTimeout(t.Context(), 4*logTimeout)
	defer cancel()
	for range 2 {
		if e, err := p.Append(ctx, "INC-1", ann, NoteTaken{}); err != nil || !e.Unsent {
			t.Fatalf("%+v, %v", e, err)
		}
	}
	if err := server.Resume(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both arrive", func() bool {
		events, err := p.Events(t.Context(), "", 0)
		return err == nil && len(events) == 3
	})
}

func TestPostgresPrunes(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	p := openPostgresJournal(t, server.AdminURL(), t.TempDir())
	prunes(t, p, func(sql string) {
		sql = strings.ReplaceAll(strings.ReplaceAll(sql, "UPDATE pruned", "UPDATE flightdeck.pruned"), "FROM pruned", "FROM flightdeck.pruned")
		if _, err := p.log.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	})
	if _, err := p.log.pool.Exec(t.Context(), `DELETE FROM flightdeck.events`); err == nil {
		t.Error("after pruning the journal is not append-only any more")
	}
}

func TestProcessesShareAJournalInPostgres(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	t.Setenv("TMPDIR", t.TempDir())
	shareJournal(t, openPostgresJournal(t, server.AdminURL(), t.TempDir()), server.AdminURL())
}

func TestKilledWritersLoseNothingInPostgres(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	t.Setenv("TMPDIR", t.TempDir())
	killWriters(t, openPostgresJournal(t, server.AdminURL(), t.TempDir()), server.AdminURL(), 60)
}
