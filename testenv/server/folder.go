//go:build unix

package server

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

const (
	folderPrefix = "flightdeck-testenv-"
	lockName     = "in-use"
)

// Folder is a temporary folder whose owner is known to be alive for as long as
// its lock is held. What a killed process left behind is removed by the next
// one that makes a folder.
type Folder struct {
	Path string
	lock *os.File
}

var sweepOnce sync.Once

// NewFolder makes an empty temporary folder. Other users may pass through it
// but not list it: as root, PostgreSQL runs under its own account inside.
func NewFolder() (*Folder, error) {
	sweepOnce.Do(sweep)
	path, err := os.MkdirTemp("", folderPrefix)
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err == nil {
		err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	}
	if err == nil {
		err = os.Chmod(path, 0o711)
	}
	if err != nil {
		_ = os.RemoveAll(path)
		return nil, fmt.Errorf("prepare %s: %w", path, err)
	}
	return &Folder{Path: path, lock: lock}, nil
}

// Remove deletes the folder and all that is in it.
func (f *Folder) Remove() error {
	err := os.RemoveAll(f.Path)
	_ = f.lock.Close()
	return err
}

// sweep removes folders whose owner is gone. A young folder is left alone: its
// owner may be about to take the lock.
func sweep() {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), folderPrefix+"*"))
	for _, path := range found {
		info, err := os.Lstat(path)
		if err != nil || !info.IsDir() || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		if owner, ok := info.Sys().(*syscall.Stat_t); !ok || int(owner.Uid) != os.Getuid() {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(path, lockName), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}
