//go:build unix

package server

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// CacheFolder is where things are kept that are slow to make: built binaries
// and an initialised database cluster. It is the user's own.
func CacheFolder() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w; set HOME or XDG_CACHE_HOME", err)
	}
	folder := filepath.Join(base, "flightdeck", "testenv")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the cache folder: %w", err)
	}
	return folder, nil
}

// cached returns the folder, and makes it first where it does not exist. One
// process makes it while the others wait. It appears under its name only when
// it is whole: whatever stops the making leaves nothing that looks finished.
func cached(ctx context.Context, folder string, build func(folder string) error) (string, error) {
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	unlock, err := LockFile(ctx, folder+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(folder); err == nil {
		return folder, nil // made while this process waited
	}
	unfinished := folder + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return "", err
	}
	if err := os.MkdirAll(unfinished, 0o700); err != nil {
		return "", err
	}
	if err := build(unfinished); err != nil {
		_ = os.RemoveAll(unfinished)
		return "", fmt.Errorf("make %s: %w", filepath.Base(folder), err)
	}
	return folder, os.Rename(unfinished, folder)
}

// LockFile takes an exclusive lock, which the kernel releases when the process
// ends. It waits until the lock is free or ctx ends.
func LockFile(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = file.Close()
			return nil, fmt.Errorf("wait for the lock %s: %w", path, ctx.Err())
		}
	}
}
