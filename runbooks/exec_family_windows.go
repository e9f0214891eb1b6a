package runbooks

import (
	"fmt"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/windows"
)

// reportsStages is false: Windows gives a child no further files, so only the
// exit status of the whole is known.
const reportsStages = false

func wrapHead([]string) string { return "" }

// family is the job object that a run's processes live in.
type family struct{ job windows.Handle }

// startFamily starts c and puts it into a job object, which its children
// inherit.
func startFamily(c *exec.Cmd, _ string) (*family, error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, fmt.Errorf("create a job object to end it by: %w", err)
	}
	f := &family{job: job}
	if err := c.Start(); err != nil {
		f.release()
		return nil, err
	}
	if err := f.adopt(c.Process.Pid); err != nil {
		_ = c.Process.Kill()
		_ = c.Wait()
		f.release()
		return nil, fmt.Errorf("put it into a job object: %w", err)
	}
	return f, nil
}

// startInTerminal starts c in the cockpit's console.
func startInTerminal(c *exec.Cmd, mark string) (*family, error) { return startFamily(c, mark) }

func (f *family) adopt(pid int) error {
	process, err := windows.OpenProcess(windows.PROCESS_SET_QUOTA|windows.PROCESS_TERMINATE, false, uint32(pid))
	if err != nil {
		return err
	}
	defer func() { _ = windows.CloseHandle(process) }()
	return windows.AssignProcessToJobObject(f.job, process)
}

// end kills everyone in the job: there is no way to ask a process without a
// console.
func (f *family) end(time.Time) { _ = windows.TerminateJobObject(f.job, 1) }

func (f *family) release() { _ = windows.CloseHandle(f.job) }

func signalName(*os.ProcessState) string { return "" }

func readNow(uintptr, []byte) int { return 0 }
