package incidents

import (
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/erpgo/flightdeck/runbooks"
)

// journalBytes is how much of the beginning and of the end of a run's output
// goes into the journal.
const journalBytes = 4 << 10

// OutputStats counts output. Between the beginning and the end that are kept
// there may be a gap.
type OutputStats struct {
	Lines        int64 // in all
	Bytes        int64 // in all
	DroppedLines int64 // those numbered DroppedFrom up to and without DroppedTo
	DroppedBytes int64
	DroppedFrom  int64
	DroppedTo    int64
}

// Output is the output of a run by lines: the first 64 KiB and the last MiB.
// One goroutine writes it, any number read it.
type Output struct {
	mu    sync.Mutex
	masks [3]stream // by runbooks.Stream
	lines lines
	bytes int64
	first []byte // the first journalBytes
	last  []byte // the end of what came behind them, at most twice journalBytes
}

func newOutput(m *masker) *Output {
	return &Output{lines: newLines(), masks: [3]stream{{masker: m}, {masker: m}, {masker: m}}}
}

// Since returns the kept lines that are numbered n and above, and the number to
// ask with next. An open line is returned again when it has grown, so what is
// held from the first returned line on is to be replaced.
func (o *Output) Since(n int64) (lines []Line, next int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lines.since(n), o.lines.complete()
}

// Stats counts what came and what was dropped.
func (o *Output) Stats() OutputStats {
	o.mu.Lock()
	defer o.mu.Unlock()
	stats := OutputStats{Lines: o.lines.next, Bytes: o.bytes, DroppedLines: o.lines.dropped, DroppedBytes: o.lines.lost}
	if stats.DroppedLines > 0 {
		stats.DroppedFrom = int64(len(o.lines.head))
		stats.DroppedTo = stats.DroppedFrom + stats.DroppedLines
	}
	return stats
}

// write takes a chunk. What is not standard error is shown as standard output.
func (o *Output) write(c runbooks.Chunk) {
	s := runbooks.Stdout
	if c.Stream == runbooks.Stderr {
		s = runbooks.Stderr
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.bytes += int64(len(c.Data))
	o.add(s, c.At, o.masks[s].write(c.Data))
}

// end takes that nothing more will come.
func (o *Output) end(at time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range []runbooks.Stream{runbooks.Stdout, runbooks.Stderr} {
		o.add(s, at, o.masks[s].flush())
		o.lines.close(s)
	}
}

// add splits text into lines, and keeps its ends for the journal.
func (o *Output) add(s runbooks.Stream, at time.Time, data []byte) {
	room := min(journalBytes-len(o.first), len(data))
	o.first = append(o.first, data[:room]...)
	rest := data[room:]
	o.last = append(o.last, rest[max(0, len(rest)-journalBytes):]...)
	if len(o.last) > 2*journalBytes {
		o.last = append(o.last[:0], o.last[len(o.last)-journalBytes:]...)
	}

	text := string(data) // the lines share it
	for text != "" {
		line, after, ended := strings.Cut(text, "\n")
		o.lines.grow(s, at, line)
		if ended {
			o.lines.close(s)
		}
		text = after
	}
}

// excerpt returns the beginning and the end for the journal; the end is empty
// when the beginning is all.
func (o *Output) excerpt() (head, tail string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return whole(o.first), whole(o.last[max(0, len(o.last)-journalBytes):])
}

// whole drops the part of a character that a cut left at either end.
func whole(b []byte) string {
	for i := 0; i < utf8.UTFMax && len(b) > 0 && !utf8.RuneStart(b[0]); i++ {
		b = b[1:]
	}
	for i := 0; i < utf8.UTFMax && len(b) > 0; i++ {
		if r, size := utf8.DecodeLastRune(b); r != utf8.RuneError || size > 1 {
			break
		}
		b = b[:len(b)-1]
	}
	return strings.ToValidUTF8(string(b), string(utf8.RuneError))
}
