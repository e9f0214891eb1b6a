package probes

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTailHandsOutEachLineOnce(t *testing.T) {
	tail := NewTail(100)
	written := 0
	write := func(n int) {
		for range n {
			written++
			tail.append(Line{Raw: fmt.Sprint(written)})
		}
	}
	var seen uint64
	var dropped uint64
	read := func(limit int) (got []string) {
		lines, lost := tail.Since(seen, limit)
		dropped += lost
		for _, line := range lines {
			if fmt.Sprint(line.Seq) != line.Raw {
				t.Errorf("line %q has sequence number %d", line.Raw, line.Seq)
			}
			seen = line.Seq
			got = append(got, line.Raw)
		}
		return got
	}

	if got := read(10); got != nil {
		t.Errorf("an empty tail returned %v", got)
	}
	write(3)
	if diff := cmp.Diff([]string{"1", "2"}, read(2)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"3"}, read(2)); diff != "" {
		t.Error(diff)
	}
	write(250) // 153 of them push others out: 4 to 153
	if got := read(1000); len(got) != 100 || got[0] != "154" || got[99] != "253" {
		t.Errorf("%d lines, from %s to %s", len(got), got[0], got[len(got)-1])
	}
	if dropped != 150 {
		t.Errorf("%d lines dropped, want 150", dropped)
	}
	if got := read(10); got != nil {
		t.Errorf("lines came twice: %v", got)
	}
	last := tail.Last(2)
	if len(last) != 2 || last[0].Seq != 252 || last[1].Seq != 253 {
		t.Errorf("Last(2) = %v", last)
	}
	if all := tail.Last(1000); len(all) != 100 {
		t.Errorf("Last(1000) returned %d lines, want the 100 that are kept", len(all))
	}
	state := tail.State()
	if state.First != 154 || state.Last != 253 || state.Dropped != 153 {
		t.Errorf("first %d, last %d, dropped %d", state.First, state.Last, state.Dropped)
	}
}

func TestTailBoundsItsMemory(t *testing.T) {
	tail := NewTail(64)
	long := strings.Repeat("x", maxLine)
	for range 100 {
		tail.append(Line{Raw: long})
	}
	kept := 0
	for _, line := range tail.Last(100) {
		kept += len(line.Raw)
	}
	if limit := 64 * meanLine; kept > limit || kept == 0 {
		t.Errorf("%d bytes kept, at most %d are allowed", kept, limit)
	}
	for range 64 {
		tail.append(Line{Raw: "short"})
	}
	if got := len(tail.Last(100)); got != 64 {
		t.Errorf("after long lines %d of 64 short ones are kept", got)
	}
}

func TestTailTellsItsViewersOnceABatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := NewTail(10_000)
		changed, stop := tail.Watch()
		defer stop()
		told := 0
		count := func() {
			synctest.Wait()
			select {
			case <-changed:
				told++
			default:
			}
		}
		tail.append(Line{})
		if count(); told != 1 {
			t.Fatal("the first line after a quiet time was not told at once")
		}
		for range 1000 { // a line a millisecond
			tail.append(Line{})
			pass(time.Millisecond)
			count()
		}
		if most := 1 + int(time.Second/notifyEvery); told < most-1 || told > most+1 {
			t.Errorf("told %d times of 1000 lines in a second, want about %d", told, most)
		}
		pass(notifyEvery)
		count()
		told = 0
		pass(time.Second)
		if count(); told != 0 {
			t.Error("told of nothing")
		}
	})
}

func TestTailMeasuresItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tail := NewTail(10)
		for range 500 {
			tail.append(Line{})
			pass(10 * time.Millisecond)
		}
		if got := tail.State().PerSecond; got < 80 || got > 100 {
			t.Errorf("%v lines a second, want about 100", got)
		}
		pass(rateWindow * time.Second)
		if got := tail.State().PerSecond; got != 0 {
			t.Errorf("%v lines a second after silence", got)
		}
	})
}

func TestTailTellsOfAStateOnlyWhenItChanged(t *testing.T) {
	tail := NewTail(10)
	changed, stop := tail.Watch()
	defer stop()
	since := time.Now()
	state := func() []PodTail {
		return []PodTail{{Pod: "a", State: TailReconnecting, Since: since, Err: errors.New("reset")}}
	}
	tail.describe("app=a", state(), 0, nil)
	<-changed
	tail.describe("app=a", state(), 0, nil)
	select {
	case <-changed:
		t.Error("told of the same state again")
	case <-time.After(2 * notifyEvery):
	}
}

func TestTailIsSharedSafely(t *testing.T) {
	tail := NewTail(1000)
	const writers, lines = 4, 5000
	var writing, reading sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range lines {
				tail.append(Line{Raw: "x"})
			}
		})
	}
	done := make(chan struct{})
	for range 2 {
		reading.Go(func() {
			var seen, got, lost uint64
			for {
				finished := false
				select {
				case <-done:
					finished = true
				default:
				}
				lines, dropped := tail.Since(seen, 100)
				lost += dropped
				for _, line := range lines {
					if line.Seq != seen+dropped+1 {
						t.Errorf("line %d after %d", line.Seq, seen)
						return
					}
					seen, dropped = line.Seq, 0
					got++
				}
				if finished && len(lines) == 0 {
					break
				}
			}
			if got+lost != writers*lines {
				t.Errorf("%d lines read and %d dropped of %d", got, lost, writers*lines)
			}
		})
	}
	writing.Wait()
	close(done)
	reading.Wait()
}

func BenchmarkTailAppend(b *testing.B) {
	tail := NewTail(10_000)
	_, stop := tail.Watch()
	defer stop()
	line := Line{Pod: "erpgo-api-74777df64b-62v9v", Raw: strings.Repeat("x", 200), Message: "m"}
	b.ReportAllocs()
	for b.Loop() {
		tail.append(line)
	}
}
