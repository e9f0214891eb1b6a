//go:build linux

package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/testenv"
	"github.com/erpgo/flightdeck/ui/screentest"
)

const (
	besidePods = 5000
	// A run is watched for watched in all. It has settled, after which nothing
	// happens and no key is pressed, to become idle.
	settled = 10 * time.Second
	watched = 25 * time.Second
)

// BenchmarkBeside5000Pods measures what it costs to leave a program open on a
// namespace with 5,000 pods, for this one and for k9s in the same run, one after
// the other: each on its list of these pods, in a terminal of the same size,
// with its own default settings. Neither has another source: k9s knows none.
func BenchmarkBeside5000Pods(b *testing.B) {
	k9s := os.Getenv("K9S")
	if k9s == "" {
		b.Fatal("K9S does not name a k9s to measure beside: run make bench, which installs one")
	}
	const namespace = "erpgo"
	cp := testenv.StartControlPlane(b, testenv.ControlPlaneOptions{Namespace: namespace})
	create := exec.Command(cp.Kubectl, "--kubeconfig", cp.Kubeconfig, "create", "namespace", namespace)
	if out, err := create.CombinedOutput(); err != nil {
		b.Fatalf("kubectl create namespace: %v\n%s", err, out)
	}
	testenv.Load(b, cp.Kubectl, cp.Kubeconfig, namespace, besidePods)

	kubeconfig := "KUBECONFIG=" + cp.Kubeconfig
	b.Run("flightdeck", func(b *testing.B) {
		leaveOpen(b, "5000 pods", func() *exec.Cmd { return cockpit(b, kubeconfig) })
	})
	b.Run("k9s", func(b *testing.B) {
		folder := b.TempDir()
		// What it would ask GitHub at start is not part of the comparison.
		quiet := []byte("k9s: {skipLatestRevCheck: true}\n")
		if err := os.WriteFile(filepath.Join(folder, "config.yaml"), quiet, 0o600); err != nil {
			b.Fatal(err)
		}
		leaveOpen(b, "[5,000]", func() *exec.Cmd {
			cmd := command(b, k9s, kubeconfig, "K9S_CONFIG_DIR="+folder, "K9S_LOGS_DIR="+folder)
			cmd.Args = append(cmd.Args, "--namespace", namespace, "--command", "pods")
			return cmd
		})
	})
}

// leaveOpen measures a program from its start on. Its screen says listed when it
// knows all pods.
func leaveOpen(b *testing.B, listed string, program func() *exec.Cmd) {
	b.Helper()
	for b.Loop() { // once: it takes longer than benchmarks are asked to
		cmd := program()
		term := screentest.Exec(b, cmd, 140, 40)
		term.Deadline = 2 * time.Minute
		term.WaitForText(listed)
		all := term.Since()

		<-time.After(settled - term.Since()) // at once, where that took longer
		idleFrom, before := term.Since(), term.Written()
		<-time.After(watched - settled)
		idle, written := term.Since()-idleFrom, term.Written()-before
		peak := peakMemory(b, term.Pid())
		term.End()

		b.ReportMetric(0, "ns/op") // it is as long as we look
		b.ReportMetric(milliseconds(term.FirstByte()), "first-byte-ms")
		b.ReportMetric(milliseconds(all), "listed-ms")
		b.ReportMetric(float64(peak)/(1<<20), "peak-MiB")
		b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
		b.ReportMetric(float64(written)/idle.Seconds(), "idle-B/s")
	}
}

// peakMemory is the most memory that a running process has had resident, in
// bytes. What a process leaves behind when it ends (ru_maxrss) would not do: it
// counts the memory of whoever started it.
func peakMemory(b *testing.B, pid int) int64 {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatalf("the program has ended: %v", err)
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	kib, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" kB"))
	peak, err := strconv.ParseInt(string(kib), 10, 64)
	if err != nil {
		b.Fatalf("read the peak of resident memory in %q: %v", status, err)
	}
	return peak << 10
}
