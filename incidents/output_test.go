package incidents

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

func stdout(o *Output, text string) {
	o.write(runbooks.Chunk{Stream: runbooks.Stdout, At: time.Unix(1, 0), Data: []byte(text)})
}

func stderr(o *Output, text string) {
	o.write(runbooks.Chunk{Stream: runbooks.Stderr, At: time.Unix(2, 0), Data: []byte(text)})
}

// draw is what a viewer has on screen after a number of looks.
type viewer struct {
	lines []Line
	next  int64
}

func (v *viewer) look(o *Output) {
	lines, next := o.Since(v.next)
	if len(lines) > 0 {
		keep := 0
		for keep < len(v.lines) && v.lines[keep].N < lines[0].N {
			keep++
		}
		v.lines = append(v.lines[:keep], lines...)
	}
	v.next = next
}

func (v *viewer) text() string {
	var b strings.Builder
	for _, l := range v.lines {
		fmt.Fprintf(&b, "%d:%s", l.N, l.Text)
		if l.Open {
			b.WriteString("…")
		}
		b.WriteString("|")
	}
	return b.String()
}

func TestOutputGrowsByLines(t *testing.T) {
	o := newOutput(newMasker())
	var v viewer
	for _, step := range []struct {
		write func()
		want  string
	}{
		{func() {}, ""},
		{func() { stdout(o, "one\ntw") }, "0:one|1:tw…|"},
		{func() { stderr(o, "oops\n") }, "0:one|1:tw…|2:oops|"},
		{func() { stdout(o, "o\n\nfour") }, "0:one|1:two|2:oops|3:|4:four…|"},
		{func() { stdout(o, "\n") }, "0:one|1:two|2:oops|3:|4:four|"},
		{func() { stdout(o, "last") }, "0:one|1:two|2:oops|3:|4:four|5:last…|"},
		{func() { o.end(time.Unix(3, 0)) }, "0:one|1:two|2:oops|3:|4:four|5:last|"},
	} {
		step.write()
		v.look(o)
		if got := v.text(); got != step.want {
			t.Errorf("got %s, want %s", got, step.want)
		}
	}
	if s := o.Stats(); s.Lines != 6 || s.Bytes != int64(len("one\ntwo\n\nfour\nlast")+len("oops\n")) || s.DroppedLines != 0 {
		t.Errorf("%+v", s)
	}
}

func TestOutputKeepsHeadAndTail(t *testing.T) {
	o := newOutput(newMasker())
	const n = 200_000
	for i := range n {
		stdout(o, fmt.Sprintf("line %d\n", i))
	}
	o.end(time.Now())
	lines, next := o.Since(0)
	stats := o.Stats()
	if next != n || stats.Lines != n {
		t.Errorf("next %d, %+v, want %d lines", next, stats, n)
	}
	kept, size := int64(0), 0
	for i, l := range lines {
		if l.Text != fmt.Sprintf("line %d", l.N) {
			t.Fatalf("line %d reads %q", l.N, l.Text)
		}
		if i > 0 && l.N != lines[i-1].N+1 && (lines[i-1].N+1 != stats.DroppedFrom || l.N != stats.DroppedTo) {
			t.Errorf("a gap from %d to %d, counted as %+v", lines[i-1].N+1, l.N, stats)
		}
		kept++
		size += l.cost()
	}
	if lines[0].N != 0 || lines[len(lines)-1].N != n-1 {
		t.Errorf("kept %d to %d, want the first and the last", lines[0].N, lines[len(lines)-1].N)
	}
	if kept+stats.DroppedLines != n || stats.DroppedLines == 0 {
		t.Errorf("kept %d and dropped %d of %d", kept, stats.DroppedLines, n)
	}
	if size > headBytes+tailBytes+lineBytes {
		t.Errorf("%d bytes are kept, bound %d", size, headBytes+tailBytes)
	}
}

func TestOutputBreaksLongLines(t *testing.T) {
	o := newOutput(newMasker())
	for range 100 {
		stdout(o, strings.Repeat("x", 1000))
	}
	lines, _ := o.Since(0)
	total := 0
	for _, l := range lines {
		total += len(l.Text)
		if len(l.Text) > lineBytes {
			t.Errorf("a line of %d bytes", len(l.Text))
		}
	}
	if total != 100_000 {
		t.Errorf("%d bytes, want 100000", total)
	}
}

// A line that is open on one stream while the other floods is dropped, and what
// comes for it later is not lost.
func TestOutputLosesAnOpenLineToAFlood(t *testing.T) {
	o := newOutput(newMasker())
	for range 2000 {
		stdout(o, strings.Repeat("h", 99)+"\n") // fills the head
	}
	stderr(o, "begin ")
	for range 20_000 {
		stdout(o, strings.Repeat("y", 99)+"\n")
	}
	stderr(o, "end\n")
	lines, _ := o.Since(0)
	if last := lines[len(lines)-1]; last.Text != "end" || last.Stream != runbooks.Stderr || last.Open {
		t.Errorf("last line %+v", last)
	}
}

func TestOutputExcerptForTheJournal(t *testing.T) {
	for name, tc := range map[string]struct {
		text       string
		head, tail string
	}{
		"nothing":       {"", "", ""},
		"little":        {"abc\n", "abc\n", ""},
		"just the head": {strings.Repeat("x", journalBytes), strings.Repeat("x", journalBytes), ""},
		"some more":     {strings.Repeat("x", journalBytes) + "tail", strings.Repeat("x", journalBytes), "tail"},
		"much": {
			strings.Repeat("x", journalBytes) + strings.Repeat("-", 1<<20) + strings.Repeat("y", journalBytes),
			strings.Repeat("x", journalBytes), strings.Repeat("y", journalBytes),
		},
		"a character in the cut": {strings.Repeat("x", journalBytes-1) + "€uro", strings.Repeat("x", journalBytes-1), "uro"},
	} {
		o := newOutput(newMasker())
		for text := tc.text; text != ""; {
			n := min(777, len(text))
			stdout(o, text[:n])
			text = text[n:]
		}
		o.end(time.Now())
		if head, tail := o.excerpt(); head != tc.head || tail != tc.tail {
			t.Errorf("%s: head of %d and tail of %d bytes, want %d and %d", name, len(head), len(tail), len(tc.head), len(tc.tail))
		}
	}
}

func TestOutputMasksAcrossChunks(t *testing.T) {
	o := newOutput(newMasker("hunter2"))
	stdout(o, "pw=hun")
	stderr(o, "noise\n")
	if lines, _ := o.Since(0); strings.Contains(lines[0].Text, "hun") {
		t.Errorf("the beginning of the secret is shown: %+v", lines)
	}
	stdout(o, "ter2 ok\nhun")
	o.end(time.Now())
	var v viewer
	v.look(o)
	if got, want := v.text(), "0:pw="+Mask+" ok|1:noise|2:hun|"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if head, _ := o.excerpt(); strings.Contains(head, "hunter2") {
		t.Errorf("head %q", head)
	}
}

func TestOutputIsReadWhileItIsWritten(t *testing.T) {
	o := newOutput(newMasker())
	const n = 20_000
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 3 {
		wg.Go(func() {
			var v viewer
			for {
				select {
				case <-done:
					v.look(o)
					if last := v.lines[len(v.lines)-1]; last.Text != fmt.Sprint(n-1) || last.Open {
						t.Errorf("a viewer ends with %+v", last)
					}
					return
				default:
					v.look(o)
				}
			}
		})
	}
	for i := range n {
		stdout(o, fmt.Sprintf("%d\n", i))
	}
	o.end(time.Now())
	close(done)
	wg.Wait()
}
