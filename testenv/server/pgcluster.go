//go:build unix

package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// copyCluster makes a data folder out of an initialised one that is kept in
// the cache, because initdb takes a second and copying its result a tenth of
// that. It returns the superuser's password.
func copyCluster(ctx context.Context, data string, owner *account) (password string, err error) {
	template, err := templateCluster(ctx)
	if err != nil {
		return "", err
	}
	secret, err := os.ReadFile(filepath.Join(template, "password"))
	if err != nil {
		return "", fmt.Errorf("read the cached cluster's password; remove %s and try again: %w", template, err)
	}
	if err := copyFolder(filepath.Join(template, "data"), data, owner); err != nil {
		return "", fmt.Errorf("copy the cached cluster: %w", err)
	}
	return strings.TrimSpace(string(secret)), nil
}

// templateCluster returns the cached cluster of the installed version, and
// makes it when it is not there.
func templateCluster(ctx context.Context) (string, error) {
	postgres, err := Find("postgres")
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, postgres, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", postgres, err)
	}
	fields := strings.Fields(string(version)) // postgres (PostgreSQL) 15.18 (Debian …)
	if len(fields) < 3 {
		return "", fmt.Errorf("%s --version printed %q", postgres, version)
	}
	cache, err := CacheFolder()
	if err != nil {
		return "", err
	}
	return cached(ctx, filepath.Join(cache, "postgresql-"+fields[2]), func(folder string) error {
		return initCluster(ctx, folder)
	})
}

func initCluster(ctx context.Context, folder string) error {
	initdb, err := Find("initdb")
	if err != nil {
		return err
	}
	owner, err := postgresAccount()
	if err != nil {
		return err
	}
	// initdb refuses to run as root, and PostgreSQL's account cannot enter
	// root's cache: it works in a temporary folder, and the result is copied.
	work, err := NewFolder()
	if err != nil {
		return err
	}
	defer func() { _ = work.Remove() }()
	secret, data := filepath.Join(work.Path, "password"), filepath.Join(work.Path, "data")
	if err := os.WriteFile(secret, []byte(NewPassword()), 0o600); err != nil {
		return err
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return err
	}
	run := exec.CommandContext(ctx, initdb, "--pgdata", data, "--username=postgres", "--pwfile", secret,
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
	run.Dir = work.Path
	if owner != nil {
		run.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.uid, Gid: owner.gid}}
		for _, path := range []string{secret, data} {
			if err := os.Chown(path, int(owner.uid), int(owner.gid)); err != nil {
				return err
			}
		}
	}
	if output, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, output)
	}
	if err := copyFolder(data, filepath.Join(folder, "data"), nil); err != nil {
		return err
	}
	password, err := os.ReadFile(secret)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "password"), password, 0o600)
}

// copyFolder copies regular files and folders, with their modes, for an owner;
// nil means the caller.
func copyFolder(from, to string, owner *account) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, name)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			err = os.Mkdir(target, info.Mode().Perm())
		case entry.Type().IsRegular():
			err = copyFile(path, target, info.Mode().Perm())
		default:
			err = fmt.Errorf("%s is neither a file nor a folder", path)
		}
		if err != nil || owner == nil {
			return err
		}
		return os.Chown(target, int(owner.uid), int(owner.gid))
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	if closing := target.Close(); err == nil {
		err = closing
	}
	return err
}

// NewPassword makes a random password that needs no quoting anywhere.
func NewPassword() string {
	var bytes [16]byte
	_, _ = rand.Read(bytes[:]) // never fails
	return hex.EncodeToString(bytes[:])
}
