package runbooks

import (
	"fmt"
	"os"
	"os/exec"
	"time"
)

// pipes are a command's ways out, as its parent holds them.
type pipes struct {
	stdout *os.File
	stderr *os.File
	status *os.File      // what wrap reports; nil where a child cannot be given more files
	heard  []byte        // of that, at most maxReport
	silent chan struct{} // closed when nobody reads status any more; nil before
	theirs []*os.File    // the child's ends
}

// openPipes gives c pipes to write to, and nothing to read from.
func openPipes(c *exec.Cmd) (*pipes, error) {
	p := &pipes{}
	w, err := p.open(&p.stdout)
	if err != nil {
		return nil, err
	}
	c.Stdout = w
	if w, err = p.open(&p.stderr); err != nil {
		return nil, err
	}
	c.Stderr = w
	return p, p.openStatus(c)
}

// openStatus gives c the pipe that wrap reports on, where it can have one.
func (p *pipes) openStatus(c *exec.Cmd) error {
	if !reportsStages {
		return nil
	}
	w, err := p.open(&p.status)
	if err != nil {
		return err
	}
	c.ExtraFiles = []*os.File{w}
	return nil
}

// open makes a pipe. On an error everything is closed.
func (p *pipes) open(ours **os.File) (theirs *os.File, err error) {
	if *ours, theirs, err = os.Pipe(); err != nil {
		p.close()
		return nil, fmt.Errorf("open a pipe for its output: %w", err)
	}
	p.theirs = append(p.theirs, theirs)
	return theirs, nil
}

// started lets go of the child's ends, so that reading ends when the last
// process that holds one does.
func (p *pipes) started() {
	closeAll(p.theirs...)
	p.theirs = nil
}

// closeOutput lets go of the output; reads under way end.
func (p *pipes) closeOutput() { closeAll(p.stdout, p.stderr) }

// close lets go of everything. It may be called again.
func (p *pipes) close() {
	p.started()
	closeAll(p.stdout, p.stderr, p.status)
}

func closeAll(files ...*os.File) {
	for _, f := range files {
		if f != nil {
			_ = f.Close()
		}
	}
}

// listen begins to read what wrap reports, so that bash never waits for a full
// pipe.
func (p *pipes) listen() {
	if p.status == nil {
		return
	}
	p.silent = make(chan struct{})
	go func() {
		defer close(p.silent)
		buf := make([]byte, 4096)
		for {
			n, err := p.status.Read(buf)
			p.hear(buf[:n])
			if err != nil {
				return // the end, or nothing more is waited for
			}
		}
	}()
}

func (p *pipes) hear(data []byte) {
	p.heard = append(p.heard, data[:min(len(data), maxReport-len(p.heard))]...)
}

// report returns what the ended command reported, without waiting for those who
// may still hold the pipe.
func (p *pipes) report() string {
	if p.silent == nil {
		return ""
	}
	_ = p.status.SetReadDeadline(time.Now())
	<-p.silent
	_ = p.status.SetReadDeadline(time.Time{})
	conn, err := p.status.SyscallConn()
	if err != nil {
		return string(p.heard)
	}
	buf := make([]byte, 4096)
	for n := len(buf); n > 0; {
		n = 0
		_ = conn.Read(func(fd uintptr) bool {
			n = max(readNow(fd, buf), 0)
			return true
		})
		p.hear(buf[:n])
	}
	return string(p.heard)
}
