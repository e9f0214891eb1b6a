package runbooks

import (
	"fmt"
	"os"
	"os/exec"
)

// pipes are a command's ways out, as its parent holds them.
type pipes struct {
	stdout *os.File
	stderr *os.File
	status *os.File   // what wrap reports; nil where a child cannot be given more files
	theirs []*os.File // the child's ends
}

// openPipes gives c pipes to write to, and nothing to read from.
func openPipes(c *exec.Cmd) (*pipes, error) {
	p := &pipes{}
	open := func(ours **os.File) (theirs *os.File, err error) {
		if *ours, theirs, err = os.Pipe(); err != nil {
			p.close()
			return nil, fmt.Errorf("open a pipe for its output: %w", err)
		}
		p.theirs = append(p.theirs, theirs)
		return theirs, nil
	}
	w, err := open(&p.stdout)
	if err != nil {
		return nil, err
	}
	c.Stdout = w
	if w, err = open(&p.stderr); err != nil {
		return nil, err
	}
	c.Stderr = w
	if reportsStages {
		if w, err = open(&p.status); err != nil {
			return nil, err
		}
		c.ExtraFiles = []*os.File{w}
	}
	return p, nil
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

// report returns what the ended command wrote about its stages, without waiting
// for those who may still hold the pipe.
func (p *pipes) report() string {
	if p.status == nil {
		return ""
	}
	conn, err := p.status.SyscallConn()
	if err != nil {
		return ""
	}
	buf := make([]byte, 4096)
	n := 0
	_ = conn.Read(func(fd uintptr) bool {
		n = readNow(fd, buf)
		return true
	})
	return string(buf[:max(n, 0)])
}
