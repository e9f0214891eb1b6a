package runbooks

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a folder must be quiet before it is read again: an
	// editor saves in several steps.
	settle = 10 * time.Millisecond
	// vanish is how long a file may be gone before it counts as removed: some
	// editors remove the old one before they rename the new one.
	vanish = 200 * time.Millisecond
	// rescan is how often files are looked at where the system cannot tell of
	// changes (network file systems, too many watches).
	rescan = 5 * time.Second
)

// Watch reloads files when they change, until ctx ends, and calls changed after
// each reload. A file that cannot be read keeps its last good version. The
// embedded books never change: Watch then only waits.
func (l *Library) Watch(ctx context.Context, changed func()) error {
	if len(l.paths) == 0 {
		<-ctx.Done()
		return nil
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		l.poll(ctx, changed)
		return nil
	}
	defer func() { _ = watcher.Close() }()
	complete := l.watchFolders(watcher)

	var again <-chan time.Time // fires when the folders are quiet, or a file may have vanished
	var periodic <-chan time.Time
	if !complete {
		ticker := time.NewTicker(rescan)
		defer ticker.Stop()
		periodic = ticker.C
	}
	reload := func() {
		if missing := l.Reload(changed); missing {
			again = time.After(vanish)
		} else {
			again = nil
		}
	}
	reload() // what changed between Open and now
	for {
		select {
		case <-ctx.Done():
			return nil
		case e, ok := <-watcher.Events:
			if !ok {
				return fmt.Errorf("watch runbooks: the system stopped telling of changes")
			}
			if e.Op == fsnotify.Chmod {
				continue
			}
			if info, err := os.Stat(e.Name); err == nil && info.IsDir() && e.Has(fsnotify.Create) {
				l.watchFolders(watcher)
			}
			again = time.After(settle)
		case <-watcher.Errors: //nolint:errcheck // whatever it was, something was missed
			again = time.After(settle)
		case <-again:
			reload()
		case <-periodic:
			reload()
		}
	}
}

// poll looks at the files again and again.
func (l *Library) poll(ctx context.Context, changed func()) {
	ticker := time.NewTicker(rescan)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.Reload(changed)
		}
	}
}

// watchFolders watches every folder of the library, and tells whether all could
// be.
func (l *Library) watchFolders(w *fsnotify.Watcher) bool {
	complete := true
	watch := func(dir string) {
		if err := w.Add(dir); err != nil {
			complete = false
		}
	}
	for _, root := range l.paths {
		info, err := os.Stat(root)
		if err != nil || !info.IsDir() {
			watch(filepath.Dir(root))
			continue
		}
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return nil
			}
			if path != root && hidden(d.Name()) {
				return fs.SkipDir
			}
			watch(path)
			return nil
		})
	}
	return complete
}

// Reload reads the files that changed since they were last read, calls changed
// if that changed anything, and tells whether a file is missing that may come
// back: it is dropped when it is still missing some time later.
func (l *Library) Reload(changed func()) (missing bool) {
	l.mu.Lock()
	before := map[string]loaded{}
	present := map[string]bool{}
	var stale []string
	for _, path := range l.scan() {
		present[path] = true
		old := l.files[path]
		info, err := os.Stat(path)
		if old != nil && err == nil && info.ModTime().Equal(old.modified) && info.Size() == old.size && !old.unreadable && old.missing.IsZero() {
			continue
		}
		if old != nil {
			before[path] = *old
		}
		stale = append(stale, path)
	}
	dirty := l.drop(present, &missing)
	l.load(stale)
	for _, path := range stale {
		old, known := before[path]
		now := l.files[path]
		dirty = dirty || !known || old.book != now.book || old.problem != now.problem
	}
	if dirty {
		l.reindex()
	}
	l.mu.Unlock()
	if dirty && changed != nil {
		changed()
	}
	return missing
}

// drop forgets the files that have been missing for a while, and tells whether
// there were any; missing is set where some may still come back.
func (l *Library) drop(present map[string]bool, missing *bool) bool {
	dropped := false
	for path, f := range l.files {
		switch {
		case present[path] || f.absent:
		case f.missing.IsZero():
			f.missing, *missing = time.Now(), true
		case time.Since(f.missing) < vanish:
			*missing = true
		default:
			delete(l.files, path)
			dropped = true
		}
	}
	return dropped
}
