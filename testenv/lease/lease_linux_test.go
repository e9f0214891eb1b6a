package lease_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv/lease"
	"github.com/erpgo/flightdeck/testenv/server"
)

// The test's binary is also the supervisor of a small environment, a Redis
// alone, and the client that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "supervise":
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		if err := lease.Supervise(ctx, os.Args[2], startRedis); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "client":
		if err := holdLease(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	default:
		os.Exit(m.Run())
	}
}

// redisOnly is the smallest environment with a process and a file.
type redisOnly struct {
	folder *server.Folder
	redis  *server.Redis
}

func startRedis(ctx context.Context, progress io.Writer) (lease.Environment, error) {
	fmt.Fprintln(progress, "starting redis")
	folder, err := server.NewFolder()
	if err != nil {
		return nil, err
	}
	rd, err := server.NewRedis(ctx, folder.Path, server.RedisOptions{})
	if err != nil {
		return nil, errors.Join(err, folder.Remove())
	}
	return &redisOnly{folder: folder, redis: rd}, nil
}

// Settings carry what the test looks for afterwards, in fields of other use.
func (r *redisOnly) Settings() lease.Settings {
	return lease.Settings{RedisURL: r.redis.URL(), Bin: r.folder.Path, Context: strconv.Itoa(r.redis.PID())}
}

func (r *redisOnly) SetFault(_ context.Context, name string, on bool) error {
	if name != "paused" {
		return fmt.Errorf("there is no fault %q", name)
	}
	if on {
		return r.redis.Pause()
	}
	return r.redis.Resume()
}

func (r *redisOnly) Release(context.Context, string) error {
	return errors.New("there are no releases")
}

func (r *redisOnly) Close() error { return errors.Join(r.redis.Discard(), r.folder.Remove()) }

// holdLease prints where the environment is and holds on to it.
func holdLease() error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	l, err := lease.Acquire(context.Background(), lease.Options{Program: program, Brief: true, Progress: os.Stderr})
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(view{l.Settings, l.Socket}); err != nil {
		return err
	}
	select {}
}

type view struct {
	Settings lease.Settings
	Socket   string
}

// client is a process that holds a lease.
type client struct {
	*exec.Cmd
	view

	redisPID int
}

func startClient(t *testing.T) *client {
	t.Helper()
	c := &client{Cmd: exec.Command(os.Args[0], "client")}
	c.Env = append(os.Environ(), lease.Variable+"=")
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.kill() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the client ended: %v", err)
	}
	if err := json.Unmarshal(line, &c.view); err != nil {
		t.Fatal(err)
	}
	if c.redisPID, err = strconv.Atoi(c.Settings.Context); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) kill() {
	_ = c.Process.Kill()
	_ = c.Wait()
}

func TestNothingIsLeftOfAKilledClient(t *testing.T) {
	first := startClient(t)
	second := startClient(t)
	if first.redisPID != second.redisPID {
		t.Fatalf("two environments: redis %d and %d", first.redisPID, second.redisPID)
	}
	if _, err := os.Stat(first.Settings.Bin); err != nil {
		t.Fatal(err)
	}
	supervisor := parent(t, first.redisPID)

	first.kill()
	if !runs(second.redisPID) {
		t.Fatal("the environment ended with the first of two clients")
	}
	second.kill()
	eventually(t, "the supervisor and its server end", func() bool { return !runs(supervisor) && !runs(second.redisPID) })
	for _, path := range []string{second.Settings.Bin, second.Socket} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", path, err)
		}
	}
}

func TestServersDieWithAKilledSupervisor(t *testing.T) {
	c := startClient(t)
	if err := syscall.Kill(parent(t, c.redisPID), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the server ends", func() bool { return !runs(c.redisPID) })
	c.kill()

	// The next one starts over the remains.
	again := startClient(t)
	if !runs(again.redisPID) {
		t.Error("no server after a supervisor was killed")
	}
	_ = os.RemoveAll(c.Settings.Bin) // what the sweep removes once it is a minute old
}

func TestFaultsReachTheEnvironment(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(lease.Variable, "")
	l, err := lease.Acquire(t.Context(), lease.Options{Program: program, Brief: true})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	pid, err := strconv.Atoi(l.Settings.Context)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.SetFault(t.Context(), "paused", true); err != nil {
		t.Fatal(err)
	}
	if state := status(t, pid); !strings.HasPrefix(state, "T") {
		t.Errorf("the fault is on, and the server's state is %s", state)
	}
	if err := l.SetFault(t.Context(), "paused", false); err != nil {
		t.Fatal(err)
	}
	if state := status(t, pid); strings.HasPrefix(state, "T") {
		t.Errorf("the fault is off, and the server's state is %s", state)
	}
	if err := l.SetFault(t.Context(), "unheard-of", true); err == nil || !strings.Contains(err.Error(), "unheard-of") {
		t.Errorf("an unknown fault: %v", err)
	}
}

func runs(pid int) bool {
	state, err := field(pid, "State:")
	return err == nil && !strings.HasPrefix(state, "Z")
}

func status(t *testing.T, pid int) string {
	t.Helper()
	state, err := field(pid, "State:")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

func parent(t *testing.T, pid int) int {
	t.Helper()
	text, err := field(pid, "PPid:")
	if err != nil {
		t.Fatal(err)
	}
	parent, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return parent
}

// field reads one line of what the kernel says of a process.
func field(pid int, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name); ok {
			return strings.TrimSpace(value), nil
		}
	}
	return "", fmt.Errorf("process %d has no %s", pid, name)
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}
