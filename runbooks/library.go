package runbooks

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// embedded are the shipped books.
//
//go:embed erpgo/*.md
var embedded embed.FS

// MaxFileSize is the largest Markdown file that is read, in bytes.
const MaxFileSize = 8 << 20

// SizeError says that a file is too large to be a runbook.
type SizeError struct {
	File string
	Size int64 // bytes
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s: %d bytes is more than a runbook may have (%d)", e.File, e.Size, MaxFileSize)
}

// FileProblem is something about a file that its owner would want to know: it
// cannot be read any more and its last good version is used, a fence in it is
// never closed.
type FileProblem struct {
	File string
	Problem
	LastGood bool // the file cannot be read any more, and what is shown of it is its last good version
}

// Library holds the runbooks of files and folders. Of each file it reads what it
// has to know to find the runbooks; a runbook itself is read when it is first
// asked for. Its methods may be called from anywhere at any time; what they
// return is never modified afterwards.
type Library struct {
	paths   []string // empty: the embedded books
	mapping map[string]string
	mu      sync.Mutex // guards files while they are (re)loaded
	files   map[string]*loaded
	index   atomic.Pointer[index]
	changes changes
}

// loaded is a file as it was last read.
type loaded struct {
	modified time.Time
	size     int64
	text     *fileText // the last good version; nil where there was none
	problem  string
	missing  time.Time // since when the file is gone; zero while it is there

	unreadable bool // it is tried again although it does not look changed
	absent     bool // it never was there: a path that was given and does not exist
}

// fileText is one good version of a file.
type fileText struct {
	source []byte
	heads  *Book // what is needed to find its runbooks
	whole  func() *Book
}

func newFileText(path string, source []byte) *fileText {
	return &fileText{
		source: source,
		heads:  read(path, source, false),
		whole:  sync.OnceValue(func() *Book { return read(path, source, true) }),
	}
}

// Open loads the runbooks of files and folders (Markdown files in them, hidden
// folders left out); without paths the embedded books. A file that cannot be
// read is a problem of the library and no error, unless nothing could be read
// at all.
func Open(paths []string) (*Library, error) {
	l := &Library{paths: slices.Clone(paths), files: map[string]*loaded{}}
	if len(paths) == 0 {
		if err := l.loadEmbedded(); err != nil {
			return nil, err
		}
		l.reindex()
		return l, nil
	}
	var missing []error
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			missing = append(missing, fmt.Errorf("open runbooks %s: %w; give a Markdown file or a folder of them", p, err))
		}
	}
	if len(missing) == len(paths) {
		return nil, errors.Join(missing...)
	}
	l.load(l.scan())
	for _, err := range missing {
		l.files[err.Error()] = &loaded{problem: err.Error(), absent: true}
	}
	l.reindex()
	return l, nil
}

// Map says which runbook an alert belongs to where neither the alert nor a book
// does: alert name to runbook name. A runbook that there is not is a problem of
// the library.
func (l *Library) Map(alerts map[string]string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mapping = alerts
	l.reindex()
}

func (l *Library) loadEmbedded() error {
	return fs.WalkDir(embedded, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		src, err := embedded.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read embedded runbook %s: %w", path, err)
		}
		l.files[path] = &loaded{text: newFileText(path, src)}
		return nil
	})
}

// isMarkdown tells by its name whether a file is Markdown.
func isMarkdown(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".md", ".markdown", ".mdown":
		return true
	}
	return false
}

// scan lists the Markdown files of the library's paths. A path that is a file
// is taken whatever its name is.
func (l *Library) scan() []string {
	var files []string
	for _, root := range l.paths {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return nil
			case d.IsDir():
				if path != root && hidden(d.Name()) {
					return fs.SkipDir
				}
			case path == root || isMarkdown(path):
				files = append(files, path)
			}
			return nil
		})
	}
	slices.Sort(files)
	return slices.Compact(files)
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") && name != "." && name != ".." || name == "node_modules"
}

// load reads files on all processors. l.mu is held, or nobody else knows l yet.
func (l *Library) load(files []string) {
	type result struct {
		path string
		file *loaded
	}
	work, results := make(chan string), make(chan result)
	var workers sync.WaitGroup
	for range max(1, min(runtime.GOMAXPROCS(0), len(files))) {
		workers.Go(func() {
			for path := range work {
				results <- result{path, readFile(path)}
			}
		})
	}
	go func() {
		for _, f := range files {
			work <- f
		}
		close(work)
		workers.Wait()
		close(results)
	}()
	for r := range results {
		if old := l.files[r.path]; old != nil && r.file.text == nil {
			r.file.text = old.text // the last good version
		}
		l.files[r.path] = r.file
	}
}

// readFile reads one file.
func readFile(path string) *loaded {
	info, err := os.Stat(path)
	if err != nil {
		return &loaded{problem: fmt.Sprintf("cannot be read: %v", err), unreadable: true}
	}
	f := &loaded{modified: info.ModTime(), size: info.Size()}
	if info.Size() > MaxFileSize {
		f.problem = (&SizeError{File: path, Size: info.Size()}).Error()
		return f
	}
	src, err := os.ReadFile(path)
	switch {
	case err != nil:
		f.problem, f.unreadable = fmt.Sprintf("cannot be read: %v", err), true
		return f
	case len(bytes.TrimSpace(src)) == 0:
		f.problem = "is empty"
		return f
	case bytes.IndexByte(src, 0) >= 0:
		f.problem = "is not a text file"
		return f
	}
	f.text = newFileText(path, src)
	return f
}

// index is the library's content, made anew whenever a file changes. The
// runbooks in it are heads: without what is read when they are asked for.
type index struct {
	all      []*Runbook
	byName   map[string]*Runbook
	byAlert  map[string][]*Runbook
	texts    []*fileText
	of       map[*Book][]*Runbook
	from     map[*Runbook]origin
	problems []FileProblem
	mapping  map[string]string

	mu    sync.Mutex
	whole map[*Runbook]*Runbook // those that were asked for
}

// origin is where a head comes from.
type origin struct {
	text *fileText
	nth  int // runbook of the file
}

// reindex publishes what the files hold now.
func (l *Library) reindex() {
	n := len(l.files)
	ix := &index{
		byName: make(map[string]*Runbook, n), byAlert: map[string][]*Runbook{}, of: make(map[*Book][]*Runbook, n),
		from: make(map[*Runbook]origin, n), whole: map[*Runbook]*Runbook{}, mapping: l.mapping,
	}
	paths := make([]string, 0, n)
	for p := range l.files {
		paths = append(paths, p)
	}
	slices.Sort(paths)
	for _, path := range paths {
		f := l.files[path]
		if f.problem != "" {
			p := FileProblem{File: path, Problem: Problem{1, f.problem}, LastGood: f.text != nil}
			if p.LastGood {
				p.Message += "; its last good version is used"
			}
			ix.problems = append(ix.problems, p)
		}
		if f.text != nil {
			ix.add(f.text)
		}
	}
	for _, alert := range slices.Sorted(maps.Keys(l.mapping)) {
		if name := l.mapping[alert]; ix.byName[name] == nil {
			ix.problems = append(ix.problems, FileProblem{File: "configuration", Problem: Problem{
				1, fmt.Sprintf("the alert %s is mapped to the runbook %s, which there is not; flightdeck runbook list names them", alert, name),
			}})
		}
	}
	l.index.Store(ix)
	l.changes.tell()
}

// add takes a file's runbooks in under names that are unique.
func (ix *index) add(text *fileText) {
	book := text.heads
	ix.texts = append(ix.texts, text)
	for _, p := range book.Problems {
		ix.problems = append(ix.problems, FileProblem{File: book.File, Problem: p})
	}
	heads := slices.Clone(book.Runbooks) // copies: the book stays as it was read
	for i := range heads {
		rb := &heads[i]
		rb.Name = ix.unique(rb)
		ix.byName[rb.Name] = rb
		ix.all = append(ix.all, rb)
		ix.of[book] = append(ix.of[book], rb)
		ix.from[rb] = origin{text, i}
		if rb.Alert != "" {
			ix.byAlert[rb.Alert] = append(ix.byAlert[rb.Alert], rb)
		}
	}
}

// unique is a runbook's name, with the file's name behind it where another has
// it already, and a number where that is not enough.
func (ix *index) unique(rb *Runbook) string {
	if ix.byName[rb.Name] == nil {
		return rb.Name
	}
	base := strings.TrimSuffix(filepath.Base(rb.File), filepath.Ext(rb.File))
	name := rb.Name + "-" + slug(base)
	for n := 2; ix.byName[name] != nil; n++ {
		name = rb.Name + "-" + slug(base) + "-" + itoa(n)
	}
	return name
}

// read is the whole runbook of a head.
func (ix *index) read(head *Runbook) *Runbook {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if rb := ix.whole[head]; rb != nil {
		return rb
	}
	from := ix.from[head]
	rb := from.text.whole().Runbooks[from.nth]
	rb.Name = head.Name
	for _, other := range ix.byAlert[rb.Alert] {
		if other != head && rb.Alert != "" {
			rb.Versions = append(rb.Versions, other.Name)
		}
	}
	ix.whole[head] = &rb
	return &rb
}

// All are the runbooks, by file and line, with what a list of them shows: Name,
// Title, Alert, Severity, Threshold, File, Line. ByName reads one whole.
func (l *Library) All() []*Runbook { return slices.Clone(l.index.Load().all) }

// Books are the files as they were understood, by name. It reads all of them.
func (l *Library) Books() []*Book {
	var out []*Book
	for _, text := range l.index.Load().texts {
		out = append(out, text.whole())
	}
	return out
}

// ByName finds a runbook by its unique name and reads it.
func (l *Library) ByName(name string) (*Runbook, bool) {
	ix := l.index.Load()
	head, ok := ix.byName[name]
	if !ok {
		return nil, false
	}
	return ix.read(head), true
}

// Procedures are the runbooks that are for no alert: deployment, rollback,
// troubleshooting, what to do after an incident. As All, it gives what a list
// shows.
func (l *Library) Procedures() []*Runbook {
	return slices.DeleteFunc(l.All(), func(rb *Runbook) bool { return rb.Alert != "" })
}

// Problems are what the owners of the files would want to know, by file and
// line.
func (l *Library) Problems() []FileProblem { return slices.Clone(l.index.Load().problems) }
