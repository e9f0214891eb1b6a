package erpgo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// podLogs are the logs of ERPGo's pods, one file a pod, in the format of the
// container runtime interface that the kubelet's side reads.
type podLogs struct {
	folder string

	mu    sync.Mutex
	files map[string]*os.File // by pod
}

func newPodLogs(folder string) (*podLogs, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return &podLogs{folder: folder, files: map[string]*os.File{}}, nil
}

// open begins a pod's log and returns its path.
func (l *podLogs) open(pod string) (string, error) {
	path := filepath.Join(l.folder, pod+".log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return "", fmt.Errorf("open the log of %s: %w", pod, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if before, ok := l.files[pod]; ok {
		_ = before.Close()
	}
	l.files[pod] = file
	return path, nil
}

// close ends a pod's log.
func (l *podLogs) close(pod string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if file, ok := l.files[pod]; ok {
		_ = file.Close()
		_ = os.Remove(file.Name())
		delete(l.files, pod)
	}
}

// write adds a line to a pod's log, if it has one.
func (l *podLogs) write(pod, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if file, ok := l.files[pod]; ok {
		_, _ = fmt.Fprintf(file, "%s stdout F %s\n", time.Now().UTC().Format(time.RFC3339Nano), line)
	}
}

// line writes what ERPGo's runbooks take apart with grep and awk: the date, the
// time, the level and the component are the first four fields, and the fifth is
// whom or what the line is about.
func (l *podLogs) line(pod, level, component, about, format string, arguments ...any) {
	now := time.Now().UTC().Format("2006-01-02 15:04:05.000")
	l.write(pod, fmt.Sprintf("%s %s %s %s ", now, level, component, about)+fmt.Sprintf(format, arguments...))
}

// follow copies a server's own log into a pod's, from its beginning and until
// ctx ends.
func (l *podLogs) follow(ctx context.Context, pod, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("follow %s: %w", path, err)
	}
	defer file.Close()
	reader := bufio.NewReader(file)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	unfinished := ""
	for {
		text, err := reader.ReadString('\n')
		unfinished += text
		if err == nil {
			l.write(pod, strings.TrimSuffix(unfinished, "\n"))
			unfinished = ""
			continue
		}
		if !errors.Is(err, io.EOF) {
			return fmt.Errorf("follow %s: %w", path, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
