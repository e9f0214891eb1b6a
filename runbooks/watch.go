package runbooks

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// settle is how long a folder must be quiet before it is read again: an
	// editor saves in several steps.
	settle = 10 * time.Millisecond
	// unrest is how long a folder that is never quiet waits to be read.
	unrest = 100 * time.Millisecond
	// vanish is how long a file may be gone before it counts as removed: some
	// editors remove the old one before they rename the new one.
	vanish = 200 * time.Millisecond
	// rescan is how often files are looked at where the system cannot tell of
	// changes (network file systems, too many watches).
	rescan = 5 * time.Second
)

// Watch reloads files when they change, until ctx ends, and calls changed after
// each reload; changed may be nil, and Changes tells more than one. A file that
// cannot be read keeps its last good version. Where the system does not tell of
// changes the files are looked at again and again. The embedded books never
// change: Watch then only waits.
func (l *Library) Watch(ctx context.Context, changed func()) {
	if len(l.paths) == 0 {
		<-ctx.Done()
		return
	}
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		l.poll(ctx, changed)
		return
	}
	defer func() { _ = watcher.Close() }()
	complete := l.watchFolders(watcher)

	var again <-chan time.Time       // fires when the folders are quiet, or a file may have vanished
	ticker := time.NewTicker(rescan) // for the folders that cannot be watched
	defer ticker.Stop()
	touched := map[string]bool{} // the files that events were about
	everything := true           // what changed between Open and now; later, more than files that are known
	again = time.After(0)
	var first time.Time // of the changes that were not looked at yet
	soon := func() {
		if first.IsZero() {
			first = time.Now()
		}
		again = time.After(min(settle, max(0, unrest-time.Since(first))))
	}
	for {
		select {
		case <-ctx.Done():
			return
		case e, ok := <-watcher.Events:
			if !ok {
				l.poll(ctx, changed)
				return
			}
			if e.Op == fsnotify.Chmod {
				continue
			}
			if !e.Has(fsnotify.Write) && !e.Has(fsnotify.Create) || !isMarkdown(e.Name) {
				everything = true
				if info, err := os.Stat(e.Name); err == nil && info.IsDir() {
					complete = l.watchFolders(watcher) && complete
				}
			}
			touched[e.Name] = true
			soon()
		case _, ok := <-watcher.Errors: // an overflow: something was missed
			if !ok {
				l.poll(ctx, changed)
				return
			}
			everything = true
			soon()
		case <-ticker.C:
			if !complete {
				everything = true
				again = time.After(0)
			}
		case <-again:
			again, first = nil, time.Time{}
			missing := false
			if everything {
				missing = l.Reload(changed)
			} else {
				l.reload(slices.Sorted(maps.Keys(touched)), changed)
			}
			clear(touched)
			if everything = missing; missing {
				again = time.After(vanish)
			}
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

// Reload looks at every file, reads those that changed since they were last
// read, calls changed if that changed anything, and tells whether a file is
// missing that may come back: it is dropped when it is still missing some time
// later.
func (l *Library) Reload(changed func()) (missing bool) {
	l.mu.Lock()
	files := l.scan()
	present := make(map[string]bool, len(files))
	for _, f := range files {
		present[f] = true
	}
	dirty := l.drop(present, &missing)
	dirty = l.refresh(files) || dirty
	if dirty {
		l.reindex()
	}
	l.mu.Unlock()
	if dirty && changed != nil {
		changed()
	}
	return missing
}

// reload reads those of the library's files among paths that changed, new ones
// too.
func (l *Library) reload(paths []string, changed func()) {
	l.mu.Lock()
	known := slices.DeleteFunc(paths, func(p string) bool { return l.files[p] == nil && !l.covers(p) })
	dirty := l.refresh(known)
	if dirty {
		l.reindex()
	}
	l.mu.Unlock()
	if dirty && changed != nil {
		changed()
	}
}

// covers tells whether a new file belongs to the library.
func (l *Library) covers(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || !isMarkdown(path) {
		return false
	}
	for _, root := range l.paths {
		rel, err := filepath.Rel(root, path)
		if err != nil || rel == "." || strings.HasPrefix(rel, "..") {
			continue
		}
		if !slices.ContainsFunc(strings.Split(filepath.Dir(rel), string(filepath.Separator)), hidden) {
			return true
		}
	}
	return false
}

// refresh reads the files that look changed, and tells whether any was.
func (l *Library) refresh(files []string) bool {
	before := map[string]loaded{}
	var stale []string
	for _, path := range files {
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
	l.load(stale)
	for _, path := range stale {
		old, known := before[path]
		if now := l.files[path]; !known || old.text != now.text || old.problem != now.problem {
			return true
		}
	}
	return false
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
