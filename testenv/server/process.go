//go:build unix

package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Bounds of what a server may take. They are generous, because tests share
// their processors with compilers; a healthy server needs a tenth of them.
const (
	startTimeout = 60 * time.Second
	stopTimeout  = 10 * time.Second
)

var (
	errNotRunning = errors.New("is not running")
	errExited     = errors.New("it exited")
)

// command is how a server is run: everything that stays the same when it is
// started again.
type command struct {
	name    string // as errors call it: "redis"
	path    string
	args    []string
	env     []string // in addition to the caller's environment
	dir     string   // working folder; output goes to dir/name.log
	owner   *account // nil runs it as the caller
	stop    syscall.Signal
	orphan  syscall.Signal // ends it at once; sent by the kernel when the caller has died
	healthy func(context.Context) error
}

// Process is one server: a child of this process, with the children that it
// makes itself. Its methods may be called from several goroutines.
type Process struct {
	command command

	mu     sync.Mutex
	child  *exec.Cmd
	exited chan struct{} // closed when child has ended
}

// Start runs the server and returns when it answers. It fails, with the end of
// the server's own output, when the server exits or does not answer within a
// minute.
func (p *Process) Start(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running() {
		return fmt.Errorf("start %s: it is running already", p.command.name)
	}
	if err := p.spawn(); err != nil {
		return fmt.Errorf("start %s: %w", p.command.name, err)
	}
	if err := p.await(ctx); err != nil {
		_ = p.end(syscall.SIGKILL, stopTimeout)
		return fmt.Errorf("start %s: %w%s", p.command.name, err, p.LogTail())
	}
	return nil
}

// Stop ends the server as its operator would, and waits until it and its
// children are gone. Stopping a server that is not running does nothing.
func (p *Process) Stop() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end(p.command.stop, stopTimeout)
}

// Kill ends the server at once, as a crash or the kernel's out-of-memory
// killer would.
func (p *Process) Kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end(syscall.SIGKILL, stopTimeout)
}

// Discard ends the server as fast as it can be done without leaving anything
// of it in the kernel; its data may need recovery.
func (p *Process) Discard() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.end(p.command.orphan, stopTimeout)
}

// Restart stops the server and starts it again at the same address, with the
// data that it had.
func (p *Process) Restart(ctx context.Context) error {
	if err := p.Stop(); err != nil {
		return err
	}
	return p.Start(ctx)
}

// Pause freezes the server and its children: connections are still accepted by
// the kernel, and nothing is answered.
func (p *Process) Pause() error {
	family, err := p.signalTree(syscall.SIGSTOP)
	if err != nil {
		return err
	}
	// The signal reaches each thread when that is next scheduled.
	return waitUntil(frozen, family, stopTimeout)
}

// Resume lets a paused server go on where it stood.
func (p *Process) Resume() error {
	_, err := p.signalTree(syscall.SIGCONT)
	return err
}

// Check asks the server for something small, and returns nil when it answers.
func (p *Process) Check(ctx context.Context) error { return p.command.healthy(ctx) }

// Running reports whether the server has been started and has not ended.
func (p *Process) Running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running()
}

// PID is the server's process id, and 0 when it is not running.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return 0
	}
	return p.child.Process.Pid
}

// LogFile is where the server's standard output and error are written.
func (p *Process) LogFile() string {
	return p.command.dir + "/" + p.command.name + ".log"
}

func (p *Process) running() bool {
	if p.child == nil {
		return false
	}
	select {
	case <-p.exited:
		return false
	default:
		return true
	}
}

func (p *Process) spawn() error {
	log, err := os.OpenFile(p.LogFile(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()

	child := exec.Command(p.command.path, p.command.args...)
	child.Dir = p.command.dir
	child.Env = append(os.Environ(), p.command.env...)
	child.Stdout, child.Stderr = log, log
	child.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(child.SysProcAttr, p.command.orphan)
	if p.command.owner != nil {
		child.SysProcAttr.Credential = &syscall.Credential{Uid: p.command.owner.uid, Gid: p.command.owner.gid}
	}
	if err := startOnLastingThread(child); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() {
		_ = child.Wait() // how it ended is in its log
		close(exited)
	}()
	p.child, p.exited = child, exited
	return nil
}

// await polls the health check until the server answers, the server exits, or
// time is up. That the child is alive is checked after the answer too: it may
// have come from a stranger that holds the port.
func (p *Process) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		attempt, done := context.WithTimeout(ctx, 2*time.Second)
		err := p.command.healthy(attempt)
		done()
		select {
		case <-p.exited:
			return fmt.Errorf("%w: %s", errExited, p.child.ProcessState)
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-p.exited:
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", err)
		}
	}
}

// end sends the signal, wakes the server in case it is paused, and resorts to
// SIGKILL when the time is up. The children are looked up before the parent is
// gone, because nothing tells afterwards whose they were.
func (p *Process) end(signal syscall.Signal, within time.Duration) error {
	if !p.running() {
		return nil
	}
	pid := p.child.Process.Pid
	family := descendants(pid)
	_ = p.child.Process.Signal(signal)
	for _, member := range append(family, pid) {
		_ = syscall.Kill(member, syscall.SIGCONT)
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.exited:
	case <-timer.C:
		family = append(family, descendants(pid)...)
		_ = syscall.Kill(-pid, syscall.SIGKILL)
		<-p.exited
		signal = syscall.SIGKILL
	}
	if signal == syscall.SIGKILL {
		for _, member := range family {
			_ = syscall.Kill(member, syscall.SIGKILL)
		}
	}
	return waitUntil(gone, family, within)
}

// signalTree signals the server and its children and returns who they are.
func (p *Process) signalTree(signal syscall.Signal) ([]int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running() {
		return nil, fmt.Errorf("%s %w", p.command.name, errNotRunning)
	}
	pid := p.child.Process.Pid
	// The parent first: it then makes no child that the list below lacks.
	if err := syscall.Kill(pid, signal); err != nil {
		return nil, fmt.Errorf("signal %s: %w", p.command.name, err)
	}
	family := descendants(pid)
	for _, member := range family {
		_ = syscall.Kill(member, signal) // gone is as good as stopped
	}
	return append(family, pid), nil
}

// LogTail is the end of the server's output, on lines of its own, for an
// error.
func (p *Process) LogTail() string {
	const most = 2000
	log, err := os.ReadFile(p.LogFile())
	if err != nil || len(log) == 0 {
		return ""
	}
	if len(log) > most {
		log = log[len(log)-most:]
	}
	return "\n" + string(bytes.TrimSpace(log))
}

// spawner is the thread that starts every child. The kernel's signal on a
// parent's death follows the thread that forked, not the process, so that
// thread must last as long as the process does.
var spawner = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for do := range work {
			do()
		}
	}()
	return work
})

func startOnLastingThread(child *exec.Cmd) error {
	result := make(chan error, 1)
	spawner() <- func() { result <- child.Start() }
	return <-result
}

// waitUntil waits until a condition holds for each of the processes.
func waitUntil(holds func(pid int) bool, pids []int, within time.Duration) error {
	deadline := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for _, pid := range pids {
		for !holds(pid) {
			select {
			case <-tick.C:
			case <-deadline:
				return fmt.Errorf("process %d has not followed its signal after %s", pid, within)
			}
		}
	}
	return nil
}
