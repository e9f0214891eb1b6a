package probes

import (
	"hash/maphash"
	"maps"
	"time"
)

// maxRemembered bounds the lines of a second that are remembered one by one, at
// some 32 bytes each.
const maxRemembered = 20_000

// resume is where a container's log goes on after its stream broke, such that
// no line is lost and none is shown twice.
//
// The API takes a time to begin at in whole seconds, so the stream begins again
// up to two seconds before the break and repeats lines. Skipping as many lines
// as were seen would skip unseen ones after the log was rotated. What is skipped
// here is what is known: a line with the same nanosecond timestamp and the same
// text, as often as it was seen. The second before the current one is kept too,
// because the lines of stdout and stderr may pass each other.
type resume struct {
	begin    time.Time      // where the first stream began
	begun    bool           // a line was seen
	covered  time.Time      // everything up to here was seen, zero when that is not known
	second   int64          // Unix second that current is of
	current  map[lineID]int // how often each line of that second was seen
	previous map[lineID]int // of the second before, or of an earlier one
	replay   map[lineID]int // lines that this stream will repeat
}

// lineID tells lines of one container apart.
type lineID struct {
	at   int64
	hash uint64
}

var lineSeed = maphash.MakeSeed()

// from is the whole second to begin the next stream at.
func (r *resume) from() time.Time {
	if r.begun && r.second-1 > r.begin.Unix() {
		return time.Unix(r.second-1, 0)
	}
	return time.Unix(r.begin.Unix(), 0)
}

// clone returns a resume that goes on independently.
func (r *resume) clone() resume {
	c := *r
	c.current, c.previous = maps.Clone(r.current), maps.Clone(r.previous)
	return c
}

// reconnect prepares for a stream that begins at from.
func (r *resume) reconnect() {
	r.replay = maps.Clone(r.previous)
	if r.replay == nil {
		r.replay = maps.Clone(r.current)
		return
	}
	for id, n := range r.current {
		r.replay[id] += n
	}
}

// fresh tells whether a line was not seen on an earlier stream, and remembers it.
func (r *resume) fresh(at time.Time, text []byte) bool {
	if !r.begun {
		r.begun, r.second = true, at.Unix()
		r.current = make(map[lineID]int)
	}
	id := lineID{at.UnixNano(), maphash.Bytes(lineSeed, text)}
	if r.replay != nil {
		if !at.After(r.covered) {
			return false
		}
		if n := r.replay[id]; n > 0 {
			r.replay[id] = n - 1
			return false
		}
	}
	r.remember(id, at)
	return true
}

func (r *resume) remember(id lineID, at time.Time) {
	switch second := at.Unix(); {
	case second > r.second:
		r.second = second
		r.previous, r.current = r.current, make(map[lineID]int)
		r.current[id]++
	case second == r.second:
		r.current[id]++
	default:
		if r.previous == nil {
			r.previous = make(map[lineID]int)
		}
		r.previous[id]++
	}
	if len(r.current) > maxRemembered {
		// So many lines in a second that their order alone has to do.
		r.covered = at
		clear(r.current)
		clear(r.previous)
	}
}
