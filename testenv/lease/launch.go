//go:build unix

package lease

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/erpgo/flightdeck/testenv/server"
)

// checkout is the folder in the user's cache that belongs to this checkout of
// the module. Two checkouts do not share an environment, and neither do two
// builds: whoever changes testenv gets an environment of the changed code.
func checkout(ctx context.Context) (string, error) {
	root, err := server.ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	cache, err := server.CacheFolder()
	if err != nil {
		return "", err
	}
	folder := filepath.Join(cache, fmt.Sprintf("checkout-%.4x", sha256.Sum256([]byte(root))))
	return folder, os.MkdirAll(folder, 0o700)
}

// BuildProgram builds testenv/cmd/testenv into the user's cache and returns its
// path. It is quick when nothing has changed.
func BuildProgram(ctx context.Context) (string, error) {
	folder, err := checkout(ctx)
	if err != nil {
		return "", err
	}
	unlock, err := server.LockFile(ctx, filepath.Join(folder, "build.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	program := filepath.Join(folder, "testenv")
	_, err = server.GoCommand(ctx, "", nil, "build", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "github.com/erpgo/flightdeck/testenv/cmd/testenv")
	if err != nil {
		return "", fmt.Errorf("build the test environment: %w", err)
	}
	return program, nil
}

// ensureSupervisor starts a program's supervisor where none listens, and returns
// its socket. One process starts it while the others wait for the lock.
func ensureSupervisor(ctx context.Context, program string) (socket string, err error) {
	folder, err := checkout(ctx)
	if err != nil {
		return "", err
	}
	sum, err := checksum(program)
	if err != nil {
		return "", err
	}
	socket = filepath.Join(folder, fmt.Sprintf("supervisor-%.4x.sock", sum))
	unlock, err := server.LockFile(ctx, filepath.Join(folder, "supervisor.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	if listens(socket) {
		return socket, nil
	}
	return socket, launch(ctx, program, socket, filepath.Join(folder, "supervisor.log"))
}

// launch runs a supervisor and returns when it listens.
func launch(ctx context.Context, program, socket, logFile string) error {
	log, err := os.Create(logFile)
	if err != nil {
		return err
	}
	defer log.Close()
	supervisor := exec.Command(program, "supervise", socket)
	supervisor.Stdout, supervisor.Stderr = log, log
	// A session of its own: what ends a client together with its terminal is not
	// to end the supervisor of all.
	supervisor.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := supervisor.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	go func() { exited <- supervisor.Wait() }()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !listens(socket) {
		select {
		case <-tick.C:
		case err := <-exited:
			output, _ := os.ReadFile(logFile)
			return fmt.Errorf("the supervisor ended: %w\n%s", err, output)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// runningSocket finds a supervisor of this checkout, whatever its build.
func runningSocket(ctx context.Context) (string, error) {
	folder, err := checkout(ctx)
	if err != nil {
		return "", err
	}
	sockets, _ := filepath.Glob(filepath.Join(folder, "supervisor-*.sock"))
	for _, socket := range sockets {
		if listens(socket) {
			return socket, nil
		}
	}
	return "", errors.New("no test environment runs here; start one with: make env")
}

func listens(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

func checksum(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, err
	}
	return hash.Sum(nil), nil
}
