//go:build unix

package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"
)

// starts is how many starts one figure is taken from.
const starts = 10

var (
	buildOnce sync.Once
	program   string // path of the program as it is released
	buildErr  error
)

// TestMain removes the program that the benchmarks built.
func TestMain(m *testing.M) {
	status := m.Run()
	if program != "" {
		_ = os.RemoveAll(filepath.Dir(program))
	}
	os.Exit(status)
}

// cockpit is a command that starts the program as it is released, for an
// operator who has no settings but the variables given.
func cockpit(b *testing.B, variables ...string) *exec.Cmd {
	b.Helper()
	buildOnce.Do(func() { program, buildErr = build() })
	if buildErr != nil {
		b.Fatal(buildErr)
	}
	return command(b, program, variables...)
}

func build() (string, error) {
	folder, err := os.MkdirTemp("", "flightdeck-bench-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, "flightdeck")
	out, err := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "github.com/erpgo/flightdeck").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// command runs a program in a home folder of its own, with no settings but the
// variables given and with true colour.
func command(b *testing.B, path string, variables ...string) *exec.Cmd {
	b.Helper()
	cmd := exec.Command(path)
	cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + b.TempDir(),
		"TERM=xterm-256color", "COLORTERM=truecolor", "LANG=C.UTF-8",
	}, variables...)
	return cmd
}

// report adds the least, the middle and the most of the times as metrics, in
// milliseconds.
func report(b *testing.B, name string, times []time.Duration) {
	slices.Sort(times)
	for suffix, t := range map[string]time.Duration{
		"-min-ms": times[0],
		"-ms":     times[len(times)/2],
		"-max-ms": times[len(times)-1],
	} {
		b.ReportMetric(milliseconds(t), name+suffix)
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
