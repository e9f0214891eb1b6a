package incidents

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What somebody with the file in hand could do to it, each found by name.
func TestVerifyFindsTampering(t *testing.T) {
	const n = 20
	for name, tc := range map[string]struct {
		sql   string
		heads bool // the log of heads is there
		at    int64
	}{
		"a byte of a text":        {`UPDATE events SET body = CAST(replace(CAST(body AS TEXT), 'note 7', 'note 8') AS BLOB) WHERE seq = 7`, false, 7},
		"a byte of a hash":        {`UPDATE events SET hash = zeroblob(32) WHERE seq = 7`, false, 7},
		"a byte of the last hash": {`UPDATE events SET hash = zeroblob(32) WHERE seq = 20`, false, 20},
		"a hash that is none":     {`UPDATE events SET hash = x'00' WHERE seq = 7`, false, 7},
		"another actor":           {`UPDATE events SET actor = 'bob' WHERE seq = 7`, false, 7},
		"another time":            {`UPDATE events SET at = at + 1 WHERE seq = 7`, false, 7},
		"another incident":        {`UPDATE events SET incident = 'INC-9' WHERE seq = 7`, false, 7},
		"a missing row":           {`DELETE FROM events WHERE seq = 7`, false, 7},
		"the first row missing":   {`DELETE FROM events WHERE seq = 1`, false, 1},
		"a missing row, closed up": {
			`DELETE FROM events WHERE seq = 7; UPDATE events SET seq = seq - 1 WHERE seq > 7`, false, 7,
		},
		"two rows swapped": {
			`UPDATE events SET seq = -1 WHERE seq = 7; UPDATE events SET seq = 7 WHERE seq = 8; UPDATE events SET seq = 8 WHERE seq = -1`, false, 7,
		},
		"a row that was made up": {
			`INSERT INTO events SELECT seq + 1, incident, at, actor, host, kind, body, prev, hash FROM events WHERE seq = 20`, false, 21,
		},
		"a cut tail":   {`DELETE FROM events WHERE seq > 15`, true, 16},
		"nothing left": {`DELETE FROM events`, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			j := openJournal(t, path)
			for i := range n {
				if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{Text: fmt.Sprintf("note %d", i+1)}); err != nil {
					t.Fatal(err)
				}
			}
			if head, err := j.Verify(t.Context()); err != nil || head.Seq != n {
				t.Fatalf("before: %+v, %v", head, err)
			}
			if !tc.heads {
				if err := os.Remove(path + ".heads"); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := j.write.Exec(`DROP TRIGGER events_are_not_changed; DROP TRIGGER events_are_not_removed; ` + tc.sql); err != nil {
				t.Fatal(err)
			}
			_, err := j.Verify(t.Context())
			var broken *BrokenChain
			if !errors.As(err, &broken) || broken.Seq != tc.at {
				t.Errorf("%v, want it found at event %d", err, tc.at)
			}
		})
	}
}

// A journal that somebody rewrote as a whole has a good chain, and other heads.
func TestVerifyFindsARewrittenJournal(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	j := openJournal(t, path)
	for _, text := range []string{"one", "two"} {
		if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	forged := openJournal(t, filepath.Join(dir, "forged.db"))
	for _, text := range []string{"one", "other"} {
		if _, err := forged.Append(t.Context(), "INC-1", ann, NoteTaken{Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(path+".heads", filepath.Join(dir, "forged.db.heads")); err != nil {
		t.Fatal(err)
	}
	_, err := forged.Verify(t.Context())
	if broken := (*BrokenChain)(nil); !errors.As(err, &broken) || broken.Seq != 1 {
		t.Errorf("%v, want it found at event 1", err)
	}
}

// Whatever byte of the file is changed, either Verify finds it or it held
// nothing of the journal.
func TestVerifyFindsADamagedFile(t *testing.T) {
	path := newPath(t)
	j, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		if _, err := j.Append(t.Context(), fmt.Sprintf("INC-%d", i%3), ann, NoteTaken{Text: strings.Repeat("x", 50*i)}); err != nil {
			t.Fatal(err)
		}
	}
	want, err := j.Events(t.Context(), "INC-1", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil { // the last to close moves everything into the one file
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	const step = 397 // a prime, so that all parts of a page are met
	for at := 100; at < len(whole); at += step {
		damaged := append([]byte(nil), whole...)
		damaged[at] ^= 0x20
		copied := filepath.Join(t.TempDir(), "journal.db")
		if err := os.WriteFile(copied, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		j, err := OpenSQLite(t.Context(), copied)
		if err != nil {
			found++
			continue
		}
		if _, err := j.Verify(t.Context()); err != nil {
			found++
		} else if got, err := j.Events(t.Context(), "INC-1", 0); err != nil || !cmp.Equal(want, got) {
			t.Errorf("byte %d: verified, and the events are not those that were written (%v)", at, err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d of %d changed bytes were found", found, len(whole)/step)
	if found == 0 {
		t.Error("no change was found")
	}
}

func TestSQLiteKeepsADamagedEventFromHidingOthers(t *testing.T) {
	j := openJournal(t, newPath(t))
	for range 3 {
		if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.write.Exec(`DROP TRIGGER events_are_not_changed; UPDATE events SET body = CAST('{"text' AS BLOB) WHERE seq = 2`); err != nil {
		t.Fatal(err)
	}
	events, err := j.Events(t.Context(), "INC-1", 0)
	if err != nil || len(events) != 3 {
		t.Fatalf("%d events, %v", len(events), err)
	}
	if _, ok := events[1].Fact.(Unrecognised); !ok {
		t.Errorf("the damaged fact is %+v", events[1].Fact)
	}
}
