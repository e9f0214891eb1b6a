package server

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The test's binary is also the process that starts a server and is killed.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "abandon" {
		if err := abandon(os.Args[2], os.Args[3] == "paused"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// abandon starts a PostgreSQL server, tells its process id, and waits for the
// end.
func abandon(folder string, paused bool) error {
	pg, err := NewPostgres(context.Background(), folder, PostgresOptions{})
	if err != nil {
		return err
	}
	if paused {
		if err := pg.Pause(); err != nil {
			return err
		}
	}
	fmt.Println(pg.PID())
	select {}
}

// PostgreSQL is the hard case: it runs under another account, its children lead
// sessions of their own, and it holds shared memory.
func TestPostgresDiesWithItsParent(t *testing.T) {
	for _, state := range []string{"running", "paused"} {
		t.Run(state, func(t *testing.T) {
			folder, err := NewFolder()
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = folder.Remove() })
			parent := exec.Command(os.Args[0], "abandon", folder.Path, state)
			parent.Stderr = os.Stderr
			out, err := parent.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := parent.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			family := append(descendants(pid), pid)
			if len(family) < 3 {
				t.Fatalf("the server has processes %v only", family)
			}
			_ = parent.Process.Kill()
			_ = parent.Wait()
			if err := waitUntil(gone, family, 20*time.Second); err != nil {
				t.Error(err)
			}
			if segments := sharedMemory(t, pid); len(segments) > 0 {
				t.Errorf("shared memory is left: %v", segments)
			}
		})
	}
}

// A killed server cannot give its shared memory back, and the kernel has only so
// many segments.
func TestDiscardAfterKill(t *testing.T) {
	folder, err := NewFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = folder.Remove() })
	pg, err := NewPostgres(t.Context(), folder.Path, PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	pid := pg.PID()
	if err := pg.Kill(); err != nil {
		t.Fatal(err)
	}
	if len(sharedMemory(t, pid)) == 0 {
		t.Error("a killed server left no shared memory: there is nothing to test")
	}
	if err := pg.Discard(); err != nil {
		t.Fatal(err)
	}
	if segments := sharedMemory(t, pid); len(segments) > 0 {
		t.Errorf("shared memory is left: %v", segments)
	}
}

// sharedMemory lists the System V segments that a process has made.
func sharedMemory(t *testing.T, pid int) []string {
	t.Helper()
	table, err := os.ReadFile("/proc/sysvipc/shm")
	if err != nil {
		t.Fatal(err)
	}
	var segments []string
	for line := range strings.Lines(string(table)) {
		// key, shmid, perms, size, cpid, …
		if fields := strings.Fields(line); len(fields) > 4 && fields[4] == strconv.Itoa(pid) {
			segments = append(segments, fields[1])
		}
	}
	return segments
}
