//go:build unix

package runbooks

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// reportsStages tells that a child can be given a further file to report on.
const reportsStages = true

// statusFD is where the script's stages are reported. It is high, so that a
// script that uses 3 for its own purposes does not meet it.
const statusFD = 97

var wrapHead = "exec " + strconv.Itoa(statusFD) + ">&3 3>&-; " +
	`trap '{ printf "%s " "${PIPESTATUS[@]}" >&` + strconv.Itoa(statusFD) + `; } 2>/dev/null' EXIT; `

// family is everything that a run has started.
type family struct {
	leader int // pid of bash, which leads its own session and process group
	kin    *kin
}

// startFamily starts c in a session of its own. Without a controlling terminal
// nothing in it can read the operator's keys or draw on the screen: psql, ssh
// and sudo fail at once instead of asking for a password.
func startFamily(c *exec.Cmd, mark string) (*family, error) {
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return nil, err
	}
	return &family{leader: c.Process.Pid, kin: newKin(c.Process.Pid, mark)}, nil
}

// end asks, tells, and then kills, until nothing is left or deadline has come.
func (f *family) end(deadline time.Time) {
	begin := time.Now()
	steps := []struct {
		after  time.Duration
		signal syscall.Signal
	}{
		{0, syscall.SIGINT},
		{interruptGrace, syscall.SIGTERM},
		{interruptGrace + terminateGrace, syscall.SIGKILL},
	}
	const look = 15 * time.Millisecond
	for next := 0; time.Now().Before(deadline); time.Sleep(look) {
		last := next == len(steps)
		if !last && time.Since(begin) >= steps[next].after {
			f.signal(steps[next].signal)
			next++
			continue
		}
		if last {
			f.signal(syscall.SIGKILL) // again, for what was forked meanwhile
		}
		if !f.alive() {
			return
		}
	}
}

// signal sends to the whole process group at once, and to everyone else of the
// family one by one.
func (f *family) signal(s syscall.Signal) {
	others := f.kin.look() // before the parents that lead to them are gone
	_ = syscall.Kill(-f.leader, s)
	for _, pid := range others {
		_ = syscall.Kill(pid, s)
	}
}

func (f *family) alive() bool { return len(f.kin.look()) > 0 }

func (f *family) release() {}

// signalName is the signal that ended a process, empty when it exited.
func signalName(s *os.ProcessState) string {
	status, ok := s.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() {
		return ""
	}
	return unix.SignalName(status.Signal())
}

// groupOf returns the leader's pid while anyone is left in its process group.
func groupOf(leader int) []int {
	if syscall.Kill(-leader, 0) != nil {
		return nil
	}
	return []int{leader}
}

// readNow reads what a pipe holds at this moment.
func readNow(fd uintptr, buf []byte) int {
	n, err := syscall.Read(int(fd), buf)
	if err != nil {
		return 0
	}
	return n
}
