package runbooks

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// kin finds the processes of a run in /proc: the leader's session, everyone
// whose ancestors lead to it, and everyone whose environment carries the run's
// mark. Who was found once is remembered by pid and start time, so that a child
// is not lost when its parent ends.
type kin struct {
	leader  int
	mark    []byte
	members map[int]string // pid to start time
	checked map[int]string // pid to start time of those whose environment has no mark
}

func newKin(leader int, mark string) *kin {
	return &kin{leader: leader, mark: []byte(mark), members: map[int]string{}, checked: map[int]string{}}
}

// process is what /proc/PID/stat says.
type process struct {
	parent  int
	session int
	started string // in clock ticks after boot: with the pid it names a process for good
	dead    bool   // a zombie, which only waits to be reaped
}

// look returns the pids of everyone alive, the leader among them.
func (k *kin) look() []int {
	all := processes()
	if all == nil {
		return groupOf(k.leader)
	}
	delete(all, os.Getpid())
	for pid, p := range all {
		if p.session == k.leader || k.members[pid] == p.started || k.marked(pid, p.started) {
			k.members[pid] = p.started
		}
	}
	for grown := true; grown; {
		grown = false
		for pid, p := range all {
			parent, ok := all[p.parent]
			if ok && k.members[pid] != p.started && k.members[p.parent] == parent.started {
				k.members[pid] = p.started
				grown = true
			}
		}
	}
	var alive []int
	for pid, started := range k.members {
		if p, ok := all[pid]; ok && p.started == started && !p.dead {
			alive = append(alive, pid)
		}
	}
	return alive
}

// marked tells whether a process was started with the run's mark. A process
// whose environment may not be read belongs to somebody else.
func (k *kin) marked(pid int, started string) bool {
	if k.checked[pid] == started {
		return false
	}
	env, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "environ"))
	if err == nil {
		for entry := range bytes.SplitSeq(env, []byte{0}) {
			if bytes.Equal(entry, k.mark) {
				return true
			}
		}
	}
	k.checked[pid] = started
	return false
}

// processes reads the process table; nil where there is none.
func processes() map[int]process {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil // not mounted
	}
	defer func() { _ = dir.Close() }()
	names, _ := dir.Readdirnames(-1)
	all := make(map[int]process, len(names))
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", name, "stat"))
		if err != nil {
			continue // it has ended since
		}
		if p, ok := parseStat(string(stat)); ok {
			all[pid] = p
		}
	}
	return all
}

// parseStat reads a line of proc_pid_stat(5). The second field is the command's
// name in parentheses and may itself hold spaces and parentheses.
func parseStat(stat string) (process, bool) {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 20 {
		return process{}, false
	}
	parent, err1 := strconv.Atoi(fields[1])
	session, err2 := strconv.Atoi(fields[3])
	return process{
		parent:  parent,
		session: session,
		started: fields[19],
		dead:    fields[0] == "Z" || fields[0] == "X",
	}, err1 == nil && err2 == nil
}
