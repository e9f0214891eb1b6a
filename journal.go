package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/incidents"
)

// journalOpening is how long the journal may take to open before the cockpit
// goes on without it.
const journalOpening = 5 * time.Second

// openedJournal is the journal with what is kept beside it on this machine.
type openedJournal struct {
	incidents.Journal
	snapshot string // file of the folds; empty where none is kept
	close    func() error
}

// inMemory is a journal that ends with the process.
func inMemory() openedJournal {
	return openedJournal{Journal: incidents.NewMemory(), close: func() error { return nil }}
}

// openJournal opens the journal that is configured. Where it cannot be written
// the cockpit runs all the same with one in memory, says so, and the runner
// refuses what would change something without a lasting record.
func openJournal(ctx context.Context, cfg config.Config) (journal openedJournal, trouble error) {
	if cfg.Journal == config.JournalInMemory {
		return inMemory(), nil
	}
	ctx, cancel := context.WithTimeout(ctx, journalOpening)
	defer cancel()
	place := cfg.Journal
	usual, err := config.JournalPath(os.Environ())
	switch {
	case err == nil && config.JournalInPostgres(place):
		journal, err = openPostgres(ctx, place, filepath.Dir(usual))
	case err == nil || place != "":
		if place == "" {
			place = usual
		}
		journal, err = openSQLite(ctx, place)
	}
	if err != nil {
		return inMemory(), fmt.Errorf("%w; steps that change something are refused: set --journal to a file or a server that can be written, or to memory", err)
	}
	return journal, nil
}

func openSQLite(ctx context.Context, path string) (openedJournal, error) {
	j, err := incidents.OpenSQLite(ctx, path)
	if err != nil {
		return openedJournal{}, err
	}
	return openedJournal{Journal: j, snapshot: path + ".folds", close: j.Close}, nil
}

// openPostgres keeps what belongs to one server apart from what belongs to
// another.
func openPostgres(ctx context.Context, url, state string) (openedJournal, error) {
	sum := sha256.Sum256([]byte(url))
	folder := filepath.Join(state, "postgres-"+hex.EncodeToString(sum[:6]))
	j, err := incidents.OpenPostgres(ctx, url, folder)
	if err != nil {
		return openedJournal{}, err
	}
	return openedJournal{Journal: j, snapshot: filepath.Join(folder, "folds"), close: j.Close}, nil
}
