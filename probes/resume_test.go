package probes

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// written is one line of a simulated log.
type written struct {
	at   time.Time
	text string
}

// simulateLog makes a log as a container runtime writes it: several lines may
// have the same timestamp and the same text, and two streams may pass each
// other by less than a second.
func simulateLog(random *rand.Rand, lines int) []written {
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	log := make([]written, 0, lines)
	for i := range lines {
		switch random.IntN(10) {
		case 0: // at the very same time
		case 1:
			at = at.Add(time.Duration(random.IntN(2500)) * time.Millisecond)
		default:
			at = at.Add(time.Duration(random.IntN(50_000_000)))
		}
		line := written{at, fmt.Sprintf("line %d", i)}
		if random.IntN(4) == 0 {
			line.text = "again"
		}
		if random.IntN(8) == 0 {
			line.at = at.Add(-time.Duration(random.IntN(900)) * time.Millisecond)
		}
		log = append(log, line)
	}
	return log
}

// TestResumeLosesAndRepeatsNoLine breaks a stream 100 times at random places,
// and begins again at a whole second as the API does.
func TestResumeLosesAndRepeatsNoLine(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		log := simulateLog(random, 3000)
		r := resume{begin: log[0].at.Add(-time.Minute)}
		var got []written
		position := 0 // lines that exist so far
		for position < len(log) {
			position = min(len(log), position+random.IntN(60))
			if r.begun {
				r.reconnect()
			}
			from := r.from()
			// The stream may break again while it still repeats lines.
			broken := random.IntN(position + 1)
			if position == len(log) {
				broken = position
			}
			for _, line := range log[:broken] {
				if line.at.Before(from) {
					continue
				}
				if r.fresh(line.at, []byte(line.text)) {
					got = append(got, line)
				}
			}
		}
		want := make(map[written]int)
		for _, line := range log {
			want[line]++
		}
		for _, line := range got {
			want[line]--
		}
		for line, n := range want {
			if n > 0 {
				t.Errorf("seed %d: %v was lost %d times", seed, line, n)
			}
			if n < 0 {
				t.Errorf("seed %d: %v came %d times too often", seed, line, -n)
			}
		}
	}
}

func TestResumeAfterAFloodGoesByTime(t *testing.T) {
	var r resume
	at := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)
	const lines = 3 * maxRemembered
	for i := range lines {
		r.fresh(at.Add(time.Duration(i)*time.Microsecond), []byte("flood"))
	}
	if n := len(r.current) + len(r.previous); n > maxRemembered {
		t.Errorf("%d lines are remembered, at most %d may be", n, maxRemembered)
	}
	r.reconnect()
	for i := range lines {
		if r.fresh(at.Add(time.Duration(i)*time.Microsecond), []byte("flood")) {
			t.Fatalf("line %d came twice", i)
		}
	}
	if !r.fresh(at.Add(lines*time.Microsecond), []byte("flood")) {
		t.Error("the next line was lost")
	}
}

func TestResumeBeginsAtWholeSeconds(t *testing.T) {
	begin := time.Date(2026, 1, 2, 15, 4, 5, 500, time.UTC)
	second := begin.Truncate(time.Second)
	r := resume{begin: begin}
	for _, step := range []struct {
		line time.Duration // after the begin; 0 is none
		want time.Duration // after the second that it began in
	}{
		{0, 0},
		{100 * time.Millisecond, 0},
		{1500 * time.Millisecond, 0},
		{7500 * time.Millisecond, 6 * time.Second},
		{7100 * time.Millisecond, 6 * time.Second}, // one of the other stream
	} {
		if step.line > 0 {
			r.fresh(begin.Add(step.line), nil)
		}
		if got, want := r.from(), second.Add(step.want); !got.Equal(want) {
			t.Errorf("after a line at %v it goes on at %v, want %v", step.line, got, want)
		}
	}
}

func BenchmarkResumeFresh(b *testing.B) {
	var r resume
	at := time.Now()
	text := []byte(`{"level":"info","msg":"login ok","user":"user42"}`)
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(100 * time.Microsecond) // 10,000 lines a second
		r.fresh(at, text)
	}
}
