//go:build unix

package incidents

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/erpgo/flightdeck/runbooks"
)

// writerVariable makes the test binary a process that appends to the journal
// it names.
const writerVariable = "FLIGHTDECK_TEST_JOURNAL"

func TestMain(m *testing.M) {
	if path := os.Getenv(cockpitVariable); path != "" {
		os.Exit(runOn(path))
	}
	if path := os.Getenv(writerVariable); path != "" {
		os.Exit(writeOn(path))
	}
	os.Exit(m.Run())
}

// cockpitVariable makes it a process that runs a command, and records that in
// the journal it names, until it is killed.
const cockpitVariable = "FLIGHTDECK_TEST_COCKPIT"

func runOn(path string) int {
	j, err := OpenSQLite(context.Background(), path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	r := NewRunner(Options{
		Journal: j, Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: runbooks.BashExecutor{}},
	})
	inc, _, err := r.Open(context.Background(), driver, Opened{Title: "t"}, "rb")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p := r.Plan(driver, inc.ID, bash("echo group $$; exec sleep 300", runbooks.Reads), first0)
	run, err := r.Start(context.Background(), p, driver, "")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	<-run.Done()
	return 1
}

// writeOn appends as fast as it can, and after each event that was acknowledged
// prints its number and text. Arguments: a name, and how many (0: until killed).
func writeOn(path string) int {
	name := os.Args[1]
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	if err := limitFiles(os.Getenv(limitVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	j, err := openAny(path)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := 0; count == 0 || i < count; i++ {
		text := fmt.Sprintf("%s-%d", name, i)
		e, err := j.Append(context.Background(), "INC-1", Actor{Name: name}, NoteTaken{Text: text})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if _, err := fmt.Println(e.Seq, text); err != nil {
			return 1
		}
	}
	if err := j.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// limitVariable bounds how many bytes a file of such a process may have.
const limitVariable = "FLIGHTDECK_TEST_FILE_SIZE"

func limitFiles(bytes string) error {
	if bytes == "" {
		return nil
	}
	limit, err := strconv.ParseUint(bytes, 10, 64)
	if err != nil {
		return err
	}
	signal.Ignore(unix.SIGXFSZ) // the write fails instead
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit})
}

// A file may not grow any more, which anybody can bring about, and not only
// root: what was acknowledged is there, and the next start goes on.
func TestSQLiteWhoseFilesMayNotGrow(t *testing.T) {
	path := newPath(t)
	t.Setenv(limitVariable, "200000")
	w := startWriter(t, path, "w", 0)
	if err := w.wait(); err == nil || !strings.Contains(w.stderr.String(), "write "+path) {
		t.Errorf("it ended with %v and said %s", err, w.stderr.String())
	}
	if len(w.acknowledged) == 0 {
		t.Fatal("nothing was acknowledged")
	}
	j := openJournal(t, path)
	if head, err := j.Verify(t.Context()); err != nil {
		t.Errorf("after event %d: %v", head.Seq, err)
	}
	got := content(t, j)
	if diff := cmp.Diff(w.acknowledged, got[:min(len(w.acknowledged), len(got))]); diff != "" || len(got) > len(w.acknowledged)+1 {
		t.Errorf("%d acknowledged, %d in the journal: %s", len(w.acknowledged), len(got), diff)
	}
	if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// closing is a journal that is closed.
type closing interface {
	Journal
	Close() error
}

// openAny opens the journal in a file, or at a postgres:// URL. What belongs to
// the latter on this machine is in the folder that TMPDIR names.
func openAny(place string) (closing, error) {
	if strings.HasPrefix(place, "postgres://") {
		return OpenPostgres(context.Background(), place, filepath.Join(os.TempDir(), "journal"))
	}
	return OpenSQLite(context.Background(), place)
}

// writer is a process that appends.
type writer struct {
	cmd    *exec.Cmd
	stderr strings.Builder
	first  chan struct{} // closed at the first acknowledgement
	read   chan struct{} // closed when all were read

	acknowledged []string // "SEQ TEXT", to be read after read is closed
}

func startWriter(t *testing.T, path, name string, count int) *writer {
	t.Helper()
	w := &writer{first: make(chan struct{}), read: make(chan struct{})}
	w.cmd = exec.Command(os.Args[0], name, strconv.Itoa(count))
	w.cmd.Env = append(os.Environ(), writerVariable+"="+path)
	w.cmd.Stderr = &w.stderr
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(w.read)
		for lines := bufio.NewReader(out); ; {
			line, err := lines.ReadString('\n')
			if err != nil {
				return // a line without its end was not acknowledged
			}
			if w.acknowledged == nil {
				close(w.first)
			}
			w.acknowledged = append(w.acknowledged, strings.TrimSuffix(line, "\n"))
		}
	}()
	return w
}

// wait waits for the process to end.
func (w *writer) wait() error {
	<-w.read
	return w.cmd.Wait()
}

// content is a journal as writers print it.
func content(t *testing.T, j Journal) []string {
	t.Helper()
	events, err := j.Events(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	lines := make([]string, len(events))
	for i, e := range events {
		lines[i] = fmt.Sprint(e.Seq, " ", e.Fact.(NoteTaken).Text)
	}
	return lines
}

// Promise 5: processes that share a journal are killed at random moments while
// they append. This does not test a loss of power.
func TestKilledWritersLoseNothing(t *testing.T) {
	kills := 1000
	if testing.Short() || raceDetector { // the writers are processes: there is no race between them to see
		kills = 60
	}
	path := newPath(t)
	killWriters(t, openJournal(t, path), path, kills)
}

func killWriters(t *testing.T, j Journal, path string, kills int) {
	t.Helper()
	const together = 3
	var acknowledged []string
	killed := 0
	for round := 0; killed < kills; round++ {
		var writers []*writer
		for i := range together {
			writers = append(writers, startWriter(t, path, fmt.Sprintf("w%d.%d", round, i), 0))
		}
		var wg sync.WaitGroup
		for _, w := range writers {
			wg.Go(func() {
				select {
				case <-w.first:
				case <-w.read: // it failed; said below
				}
				<-time.After(time.Duration(rand.IntN(15_000)) * time.Microsecond)
				_ = w.cmd.Process.Kill()
			})
		}
		wg.Wait()
		for _, w := range writers {
			if err := w.wait(); err == nil || w.stderr.Len() > 0 {
				t.Fatalf("a writer ended by itself: %v %s", err, w.stderr.String())
			}
			acknowledged = append(acknowledged, w.acknowledged...)
			killed++
		}
	}
	if head, err := j.Verify(t.Context()); err != nil {
		t.Errorf("after event %d: %v", head.Seq, err)
	}
	written := map[string]bool{}
	for _, line := range content(t, j) {
		written[line] = true
	}
	for _, line := range acknowledged {
		if !written[line] {
			t.Errorf("%s was acknowledged and is lost", line)
		}
	}
	t.Logf("%d kills, %d events acknowledged, %d in the journal", killed, len(acknowledged), len(written))
}

// Two cockpits that write all the time: every event is there, once, in the
// order in which each of them wrote, and both see all.
func TestProcessesShareAJournal(t *testing.T) {
	path := newPath(t)
	shareJournal(t, openJournal(t, path), path)
}

func shareJournal(t *testing.T, j Journal, path string) {
	t.Helper()
	each := 10_000
	if testing.Short() || raceDetector { // the writers are processes: there is no race between them to see
		each = 300
	}
	a, b := startWriter(t, path, "a", each), startWriter(t, path, "b", each)
	for _, w := range []*writer{a, b} {
		if err := w.wait(); err != nil {
			t.Fatalf("%v %s", err, w.stderr.String())
		}
	}
	got := content(t, j)
	want := slices.Concat(a.acknowledged, b.acknowledged)
	number := func(line string) int {
		n, _ := strconv.Atoi(line[:strings.IndexByte(line, ' ')])
		return n
	}
	slices.SortFunc(want, func(x, y string) int { return number(x) - number(y) })
	if diff := cmp.Diff(want, got); diff != "" || len(got) != 2*each {
		t.Errorf("%d events, want %d; %.2000s", len(got), 2*each, diff)
	}
	next := map[string]int{}
	for _, line := range got {
		_, text, _ := strings.Cut(line, " ")
		name, n, _ := strings.Cut(text, "-")
		if n != strconv.Itoa(next[name]) {
			t.Fatalf("%s stands where %s-%d should", text, name, next[name])
		}
		next[name]++
	}
	if _, err := j.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A cockpit is killed while a command runs. The next one, and one that was
// there all the time, show it as interrupted with the output it had.
func TestAKilledCockpitLeavesItsRunInterrupted(t *testing.T) {
	path := newPath(t)
	witness := newRunner(t, Options{Journal: openJournal(t, path)})
	cockpit := exec.Command(os.Args[0])
	cockpit.Env = append(os.Environ(), cockpitVariable+"="+path)
	var stderr strings.Builder
	cockpit.Stderr = &stderr
	if err := cockpit.Start(); err != nil {
		t.Fatal(err)
	}
	item := func(r *Runner) Item {
		inc, _ := r.Incident("INC-1")
		return inc.Item(first0)
	}
	eventually(t, "output of the running command is recorded", func() bool { return item(witness).Output != nil })
	if state := item(witness).State; state != Running {
		t.Errorf("while it runs it is %q", state)
	}
	if err := cockpit.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cockpit.Wait()
	var group int
	if _, err := fmt.Sscanf(item(witness).Output.Head, "group %d", &group); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Kill(-group, unix.SIGKILL) }() // what the killed one could not end

	next := newRunner(t, Options{Journal: openJournal(t, path)})
	for name, r := range map[string]*Runner{"the next one": next, "the one that was there": witness} {
		eventually(t, name+" shows it as interrupted", func() bool { return item(r).State == Interrupted })
		if result := item(r).Result; !strings.HasPrefix(result.Head, "group ") || result.Bytes == 0 {
			t.Errorf("%s has %+v %s", name, result, stderr.String())
		}
	}
	if ends := slices.DeleteFunc(history(t, next), func(f Fact) bool { _, ok := f.(StepFinished); return !ok }); len(ends) != 1 {
		t.Errorf("its end was recorded %d times", len(ends))
	}
	p := next.Plan(driver, "INC-1", bash("true", runbooks.Reads), first0)
	run, err := next.Start(t.Context(), p, driver, "")
	if err != nil {
		t.Fatalf("it cannot be run again: %v", err)
	}
	ended(t, run)
}

// smallDisk mounts a file system of a given size.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs a tmpfs")
	}
	dir := t.TempDir()
	if err := mount(dir, "size="+size); err != nil {
		if errors.Is(err, unix.EPERM) {
			t.Skip("needs the right to mount a tmpfs (root)")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return dir
}

func TestSQLiteOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "1m")
	j := openJournal(t, filepath.Join(dir, "journal.db"))
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 300_000), 0o600); err != nil {
		t.Fatal(err)
	}
	checkFull(t, j, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}

func TestSQLiteOnAReadOnlyDisk(t *testing.T) {
	dir := smallDisk(t, "4m")
	path := filepath.Join(dir, "journal.db")
	j, err := OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := remount(dir, true); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, filepath.Join(dir, "new.db"), filepath.Join(dir, "folder", "new.db")} {
		if j, err := OpenSQLite(t.Context(), path); err == nil {
			_ = j.Close()
			t.Errorf("%s is opened on a read-only disk", path)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%v does not name the file", err)
		}
	}
	if err := remount(dir, false); err != nil {
		t.Fatal(err)
	}
	if e, err := openJournal(t, path).Append(t.Context(), "INC-1", ann, NoteTaken{}); err != nil || e.Seq != 2 {
		t.Errorf("once it can be written: event %d, %v", e.Seq, err)
	}
}
