package incidents

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/erpgo/flightdeck/runbooks"
)

// faulty is a journal that can be made to refuse, as a full disk does.
type faulty struct {
	*Memory
	broken atomic.Bool
}

var errDiskFull = errors.New("no space left on device")

func (f *faulty) Append(ctx context.Context, incident string, actor Actor, fact Fact) (Event, error) {
	if f.broken.Load() {
		return Event{}, errDiskFull
	}
	return f.Memory.Append(ctx, incident, actor, fact)
}

func (f *faulty) AppendIf(ctx context.Context, head int64, incident string, actor Actor, fact Fact) (Event, error) {
	if f.broken.Load() {
		return Event{}, errDiskFull
	}
	return f.Memory.AppendIf(ctx, head, incident, actor, fact)
}

func TestNothingRunsThatCannotBeRecorded(t *testing.T) {
	journal := &faulty{Memory: NewMemory()}
	r := newRunner(t, Options{Journal: journal, Target: pinned})
	id := opened(t, r)
	journal.broken.Store(true)
	for _, risk := range []runbooks.Risk{runbooks.Reads, runbooks.Changes} {
		file := filepath.Join(t.TempDir(), "touched")
		p := r.Plan(driver, id, bash("touch "+file, risk), first0)
		if _, err := r.Start(t.Context(), p, driver, p.Confirm); !errors.Is(err, errDiskFull) || !strings.Contains(err.Error(), "nothing was run") {
			t.Errorf("%s: %v", risk, err)
		}
		if _, err := os.Stat(file); err == nil {
			t.Errorf("%s was run", risk)
		}
	}
	if len(r.Running()) != 0 {
		t.Errorf("running: %v", r.Running())
	}
	if err := r.JournalErr(); !errors.Is(err, errDiskFull) {
		t.Errorf("JournalErr is %v", err)
	}
	if _, err := r.Tick(t.Context(), driver, id, check, ""); !errors.Is(err, errDiskFull) {
		t.Errorf("tick: %v", err)
	}
	if inc, _ := r.Incident(id); inc.Item(check).State != ToDo {
		t.Error("a tick that was not recorded is shown")
	}
	journal.broken.Store(false)
	if _, err := r.Tick(t.Context(), driver, id, check, ""); err != nil || r.JournalErr() != nil {
		t.Errorf("after it works again: %v, %v", err, r.JournalErr())
	}
}

// The end of a run that the journal does not take is kept and arrives later;
// until then nothing that changes anything is started.
func TestAnEndThatIsNotRecordedArrivesLater(t *testing.T) {
	journal := &faulty{Memory: NewMemory()}
	r := newRunner(t, Options{Journal: journal, Target: pinned})
	id := opened(t, r)
	fifo := filepath.Join(t.TempDir(), "go-on")
	run := start(t, r, id, bash("mkfifo "+fifo+"; echo ready; cat "+fifo, runbooks.Reads))
	eventually(t, "the run waits", func() bool { return run.Output().Stats().Lines == 1 })
	journal.broken.Store(true)
	if err := os.WriteFile(fifo, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	ended(t, run)
	if !errors.Is(run.Err(), errDiskFull) {
		t.Errorf("Err is %v", run.Err())
	}
	if inc, _ := r.Incident(id); inc.Item(first0).State != Running {
		t.Errorf("an end that is not recorded is shown: %+v", inc.Item(first0))
	}
	other := CommandRef{Runbook: "rb", Step: "resolution-1"}
	p := r.Plan(driver, id, bash("true", runbooks.Changes), other)
	if _, err := r.Start(t.Context(), p, driver, p.Confirm); err == nil || !strings.Contains(err.Error(), "does not take how 1 runs ended") {
		t.Errorf("a change meanwhile: %v", err)
	}
	journal.broken.Store(false)
	eventually(t, "the end is recorded", func() bool { return run.Err() == nil })
	eventually(t, "a change may run again", func() bool {
		again, err := r.Start(t.Context(), p, driver, p.Confirm)
		if err == nil {
			ended(t, again)
		}
		return err == nil
	})
	ends := 0
	for _, f := range history(t, r) {
		if finished, ok := f.(StepFinished); ok && finished.Run == run.ID {
			ends++
		}
	}
	if ends != 1 {
		t.Errorf("the end was recorded %d times", ends)
	}
}
