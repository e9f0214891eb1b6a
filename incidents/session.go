package incidents

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sessions is a folder beside a journal with a file for each process that has
// it open. Each holds a lock on its file, which ends with the process however
// that ends, so another one can tell who is gone.
type sessions struct {
	dir  string
	name string
	file *os.File
}

// pending is the suffix of a file whose lock is still being taken.
const pending = ".new"

// joinSessions adds this process, and removes the files of those that are gone.
func joinSessions(dir string) (*sessions, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &sessions{dir: dir, name: rand.Text()[:12]}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), pending) && !s.alive(f.Name()) {
			_ = os.Remove(filepath.Join(dir, f.Name()))
		}
	}
	path := filepath.Join(dir, s.name)
	if s.file, err = lockedFile(path + pending); err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := os.Rename(path+pending, path); err != nil { // what is seen is locked
		return nil, errors.Join(err, s.file.Close())
	}
	return s, nil
}

// alive tells whether the process of a session still has the journal open.
func (s *sessions) alive(name string) bool {
	if name == "" || name != filepath.Base(name) {
		return false
	}
	return name == s.name || held(filepath.Join(s.dir, name))
}

func (s *sessions) leave() error {
	return errors.Join(os.Remove(filepath.Join(s.dir, s.name)), s.file.Close())
}
