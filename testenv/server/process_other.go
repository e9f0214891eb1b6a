//go:build unix && !linux

package server

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// dieWithParent does nothing here: only Linux can signal a child when its
// parent dies. Servers are then ended by the process that started them, and
// outlive it when it is killed.
func dieWithParent(*syscall.SysProcAttr, syscall.Signal) {}

// descendants lists the children of a process, and theirs.
func descendants(pid int) []int {
	listing, err := exec.Command("ps", "-A", "-o", "pid=,ppid=").Output()
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for line := range strings.Lines(string(listing)) {
		fields := strings.Fields(line)
		if len(fields) != 2 {
			continue
		}
		child, _ := strconv.Atoi(fields[0])
		parent, _ := strconv.Atoi(fields[1])
		children[parent] = append(children[parent], child)
	}
	var found []int
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		found = append(found, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return found
}

func gone(pid int) bool { return syscall.Kill(pid, 0) != nil }

// frozen trusts the kernel: there is no /proc to look at.
func frozen(int) bool { return true }

// freeSharedMemory leaves the segment to the kernel.
func freeSharedMemory(string) error { return nil }
