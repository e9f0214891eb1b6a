package incidents

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// foldVersion is raised whenever the fold, or the JSON form of an incident,
// changes: a snapshot of another version is thrown away.
const foldVersion = 1

// snapshotEvery is how often it is looked whether a snapshot is worth writing:
// when the journal has grown by a hundredth since the last one.
const (
	snapshotEvery = time.Minute
	snapshotShare = 100
)

// snapshot is the folds of all incidents as of an event. It is a cache, so that
// a journal of many events need not be read from its beginning at each start,
// and so that a cockpit that starts while the journal is away shows what it
// knows. It counts only while the journal still has that event with that hash,
// and verifying a journal does not look at it.
type snapshot struct {
	Version int
	Head    Head
	Folds   []foldForm
}

// foldForm is a fold: notes and messages, of which there may be many, apart
// from the rest.
type foldForm struct {
	Incident []byte // JSON
	Notes    []eventRow
	Messages []eventRow
}

// eventRow is an event as gob writes it fast.
type eventRow struct {
	Seq, At, Happened       int64
	Name, Host, Kind        string
	Body, PrevHash, OwnHash []byte
}

// writeSnapshot replaces the file by the folds as of head. Nobody ever sees
// half of one.
func writeSnapshot(path string, head Head, folds map[string]*Incident) error {
	snap := snapshot{Version: foldVersion, Head: head}
	for _, f := range folds {
		rest := *f
		form := foldForm{}
		var err, err2 error
		form.Notes, err = toRows(rest.Notes)
		form.Messages, err2 = toRows(rest.Messages)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		rest.Notes, rest.Messages = nil, nil
		if form.Incident, err = json.Marshal(rest); err != nil {
			return err
		}
		snap.Folds = append(snap.Folds, form)
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(snap); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // its owner's alone
	if err != nil {
		return err
	}
	_, err = file.Write(buf.Bytes())
	if err = errors.Join(err, file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

// readSnapshot returns the folds of a snapshot. Whether the journal bears it out
// is another question.
func readSnapshot(path string) (Head, map[string]*Incident, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Head{}, nil, err
	}
	var snap snapshot
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&snap); err != nil {
		return Head{}, nil, fmt.Errorf("read %s: %w", path, err)
	}
	if snap.Version != foldVersion {
		return Head{}, nil, fmt.Errorf("%s is of version %d, not %d", path, snap.Version, foldVersion)
	}
	folds := make(map[string]*Incident, len(snap.Folds))
	for _, form := range snap.Folds {
		f := new(Incident)
		if err := json.Unmarshal(form.Incident, f); err != nil {
			return Head{}, nil, fmt.Errorf("read %s: %w", path, err)
		}
		f.Notes, f.Messages = fromRows(f.ID, form.Notes), fromRows(f.ID, form.Messages)
		folds[f.ID] = f
	}
	return snap.Head, folds, nil
}

// bears tells whether a journal has an event with its hash.
func bears(ctx context.Context, journal Journal, head Head) (bool, error) {
	events, err := journal.Latest(ctx, "", head.Seq+1, 1)
	return len(events) == 1 && (Head{events[0].Seq, events[0].Hash}) == head, err
}

// ReadAll returns all incidents of a journal, newest first, and its last event,
// for who looks once and does not follow it. A snapshot spares reading it from
// the beginning; an empty path is none.
func ReadAll(ctx context.Context, journal Journal, path string) ([]Incident, Head, error) {
	head, folds := Head{}, map[string]*Incident{}
	if path != "" {
		if h, f, err := readSnapshot(path); err == nil { // otherwise everything is read
			if ok, err := bears(ctx, journal, h); ok && err == nil {
				head, folds = h, f
			}
		}
	}
	events, err := journal.Events(ctx, "", head.Seq)
	if err != nil {
		return nil, head, fmt.Errorf("read the journal: %w", err)
	}
	if n := len(events); n > 0 {
		head = Head{events[n-1].Seq, events[n-1].Hash}
	}
	return newestFirst(applied(folds, events, true)), head, nil
}

func toRows(events []Event) ([]eventRow, error) {
	rows := make([]eventRow, len(events))
	for i, e := range events {
		kind, body, err := encode(e.Fact)
		if err != nil {
			return nil, err
		}
		if !e.Happened.IsZero() {
			body = happened(body, e.Happened)
		}
		rows[i] = eventRow{
			Seq: e.Seq, At: e.At.UnixNano(), Name: e.Actor.Name, Host: e.Actor.Host,
			Kind: kind, Body: body, PrevHash: e.Prev[:], OwnHash: e.Hash[:],
		}
	}
	return rows, nil
}

func fromRows(incident string, rows []eventRow) []Event {
	events := make([]Event, len(rows))
	for i, row := range rows {
		r := sealed{record: record{seq: row.Seq, incident: incident, at: row.At, actor: Actor{row.Name, row.Host}, kind: row.Kind, body: row.Body}}
		copy(r.prev[:], row.PrevHash)
		copy(r.sum[:], row.OwnHash)
		events[i] = r.event()
	}
	return events
}

// moment is a time as the journal keeps it.
func moment(ns int64) time.Time { return time.Unix(0, ns).UTC() }
