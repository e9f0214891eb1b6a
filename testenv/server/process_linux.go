package server

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// dieWithParent has the kernel send the signal to the child when the thread
// that starts it ends.
func dieWithParent(attributes *syscall.SysProcAttr, signal syscall.Signal) {
	attributes.Pdeathsig = signal
}

// descendants lists the children of a process, and theirs. PostgreSQL's
// backends each lead a session of their own, so the process group does not
// name them.
func descendants(pid int) []int {
	children := map[int][]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	for _, entry := range entries {
		child, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if _, parent, ok := stat(entry.Name()); ok {
			children[parent] = append(children[parent], child)
		}
	}
	var found []int
	for queue := children[pid]; len(queue) > 0; queue = queue[1:] {
		found = append(found, queue[0])
		queue = append(queue, children[queue[0]]...)
	}
	return found
}

// gone reports whether a process has ended. A zombie has: only its parent has
// not fetched its exit status yet.
func gone(pid int) bool {
	state, _, ok := stat(strconv.Itoa(pid))
	return !ok || state == 'Z' || state == 'X'
}

// frozen reports whether every thread of a process is stopped, or has ended: a
// zombie stays one for as long as its parent is stopped.
func frozen(pid int) bool {
	tasks := strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir("/proc/" + tasks)
	if err != nil {
		return true
	}
	for _, thread := range threads {
		if state, _, ok := stat(tasks + "/" + thread.Name()); ok && !strings.ContainsRune("TZX", rune(state)) {
			return false
		}
	}
	return true
}

// stat reads the state and the parent of a process or of one of its threads.
// The command's name, in parentheses, may hold anything, so the fields are
// counted after its end.
func stat(task string) (state byte, parent int, ok bool) {
	line, err := os.ReadFile("/proc/" + task + "/stat")
	if err != nil {
		return 0, 0, false
	}
	end := bytes.LastIndexByte(line, ')')
	fields := bytes.Fields(line[end+1:])
	if end < 0 || len(fields) < 2 {
		return 0, 0, false
	}
	parent, err = strconv.Atoi(string(fields[1]))
	return fields[0][0], parent, err == nil
}

// freeSharedMemory removes a System V segment. One that is gone is no error.
func freeSharedMemory(id string) error {
	number, err := strconv.Atoi(id)
	if err != nil {
		return fmt.Errorf("postmaster.pid names shared memory %q: %w", id, err)
	}
	_, err = unix.SysvShmCtl(number, unix.IPC_RMID, nil)
	if err != nil && !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.EIDRM) {
		return fmt.Errorf("free shared memory %d: %w", number, err)
	}
	return nil
}
