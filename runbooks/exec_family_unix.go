//go:build unix

package runbooks

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// reportsStages tells that a child can be given a further file to report on.
const reportsStages = true

// statusFD is where the script's stages are reported. It is high, so that a
// script that uses 3 for its own purposes does not meet it.
const statusFD = 97

// wrapHead is what stands before a script so that bash reports on statusFD as it
// ends: the statuses of the last pipeline's stages, then the named variables.
// The names are of parsed assignments, so they are no shell syntax.
func wrapHead(names []string) string {
	fd := strconv.Itoa(statusFD)
	var b strings.Builder
	b.WriteString("exec " + fd + ">&3 3>&-; trap '{ printf \"%s \" \"${PIPESTATUS[@]}\" >&" + fd + "; ")
	for _, name := range names {
		fmt.Fprintf(&b, `if [[ -n ${%[1]s+x} && ${#%[1]s} -le %[2]d ]]; then printf "\0%%s=%%s" %[1]s "$%[1]s" >&%[3]s; fi; `, name, maxKeptValue, fd)
	}
	b.WriteString("} 2>/dev/null' EXIT; ")
	return b.String()
}

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

// startInTerminal starts c in the cockpit's own session and process group, whose
// terminal it is lent.
func startInTerminal(c *exec.Cmd, mark string) (*family, error) {
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
