package incidents

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// unsent is a file of events that wait for a journal that is away. One process
// has it open and holds a lock on it; what a process that has crashed left is
// taken over by the next one. It is not safe for concurrent use.
type unsent struct {
	path    string
	file    *os.File
	entries []entry // oldest first
}

const unsentSuffix = ".unsent"

// openUnsent makes a process's own file in a folder and takes over what others
// have left there.
func openUnsent(dir, session string) (*unsent, error) {
	u := &unsent{path: filepath.Join(dir, session+unsentSuffix)}
	file, err := lockedFile(u.path + pending)
	if err != nil {
		return nil, err
	}
	u.file = file
	if err := os.Rename(u.path+pending, u.path); err != nil { // what is seen is locked
		return nil, errors.Join(err, file.Close())
	}
	left, err := filepath.Glob(filepath.Join(dir, "*"+unsentSuffix))
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	for _, path := range left {
		if path == u.path || held(path) {
			continue
		}
		if err := u.takeOver(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // another one was faster
			return nil, errors.Join(fmt.Errorf("take over %s: %w", path, err), file.Close())
		}
	}
	return u, nil
}

// takeOver moves the events of another file into this one. If it is cut short
// they are in both, and arrive once all the same.
func (u *unsent) takeOver(path string) error {
	entries, err := readUnsent(path)
	if err != nil {
		return err
	}
	if err := u.add(entries...); err != nil {
		return err
	}
	return os.Remove(path)
}

// add puts events at the end; they are on disk when it returns nil, and not
// there at all when it does not.
func (u *unsent) add(entries ...entry) error {
	if len(entries) == 0 {
		return nil
	}
	var lines bytes.Buffer
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		lines.Write(append(line, '\n'))
	}
	size, err := u.file.Seek(0, 2)
	if err != nil {
		return err
	}
	if _, err = u.file.Write(lines.Bytes()); err == nil {
		err = u.file.Sync()
	}
	if err != nil {
		return errors.Join(err, u.file.Truncate(size)) // half a line would hide those after it
	}
	u.entries = append(u.entries, entries...)
	return nil
}

// sent takes that the first event has arrived. That it is still in the file
// does no harm: it would arrive once.
func (u *unsent) sent() error {
	u.entries = u.entries[1:]
	if len(u.entries) > 0 {
		return nil
	}
	u.entries = nil
	if err := u.file.Truncate(0); err != nil {
		return err
	}
	return nil
}

// close leaves the file where there is something in it.
func (u *unsent) close() error {
	var err error
	if len(u.entries) == 0 {
		err = os.Remove(u.path)
	}
	return errors.Join(err, u.file.Close())
}

// readUnsent reads a file of events. A last line that a crash has cut off was
// not acknowledged and is left out.
func readUnsent(path string) ([]entry, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	var entries []entry
	for lines := bufio.NewReader(file); ; {
		line, err := lines.ReadString('\n')
		if err != nil {
			return entries, nil
		}
		var e entry
		if err := json.Unmarshal([]byte(strings.TrimSuffix(line, "\n")), &e); err != nil {
			return nil, fmt.Errorf("event %d: %w", len(entries)+1, err)
		}
		e.tried, e.late = true, true
		entries = append(entries, e)
	}
}
