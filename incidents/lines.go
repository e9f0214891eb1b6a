package incidents

import (
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// Bounds of what is kept of a run's output. A line costs lineCost beside its
// text, so that a flood of empty lines is bounded too.
const (
	headBytes = 64 << 10 // the beginning, kept for good
	tailBytes = 1 << 20  // the end, in which new lines push out old ones
	lineBytes = 16 << 10 // a longer line is broken
	lineCost  = 64
)

// Line is one line of output.
type Line struct {
	N      int64 // number, consecutive from 0 over both streams
	Stream runbooks.Stream
	At     time.Time // when its first byte came
	Text   string    // without the newline; secrets masked; never drawn without ui.Clean
	Open   bool      // no newline has come yet: it may grow
}

func (l *Line) cost() int { return len(l.Text) + lineCost }

// lines is the first lines and the last ones, with a gap between them once
// there are too many. It is not safe for concurrent use.
type lines struct {
	head     []Line
	headCost int
	tail     []Line // its first gone lines have been dropped
	gone     int
	tailCost int
	next     int64    // number of the next line
	open     [3]int64 // by stream, the number of the line that it writes on; -1 for none
	dropped  int64    // lines, from len(head) on
	lost     int64    // their bytes
}

func newLines() lines { return lines{open: [3]int64{-1, -1, -1}} }

// since returns the kept lines that are numbered n and above.
func (l *lines) since(n int64) []Line {
	var found []Line
	for _, part := range [][]Line{l.head, l.tail[l.gone:]} {
		if len(part) > 0 {
			found = append(found, part[min(max(n-part[0].N, 0), int64(len(part))):]...)
		}
	}
	return found
}

// complete is the number below which no line will change.
func (l *lines) complete() int64 {
	n := l.next
	for _, open := range l.open {
		if open >= 0 {
			n = min(n, open)
		}
	}
	return n
}

// grow puts text at the end of the stream's open line, or of a new one, and
// breaks what gets too long.
func (l *lines) grow(s runbooks.Stream, at time.Time, text string) {
	for {
		line := l.openLine(s, at)
		piece := text[:min(lineBytes-len(line.Text), len(text))]
		line.Text += piece
		if line.N < int64(len(l.head)) {
			l.headCost += len(piece)
		} else {
			l.tailCost += len(piece)
			l.evict()
		}
		if text = text[len(piece):]; text == "" {
			return
		}
		l.close(s)
	}
}

// close ends the stream's open line.
func (l *lines) close(s runbooks.Stream) {
	if line := l.line(l.open[s]); line != nil {
		line.Open = false
	}
	l.open[s] = -1
}

// openLine returns the line that a stream writes on. A line that was dropped
// while it was open is begun anew.
func (l *lines) openLine(s runbooks.Stream, at time.Time) *Line {
	if line := l.line(l.open[s]); line != nil {
		return line
	}
	line := Line{N: l.next, Stream: s, At: at, Open: true}
	l.open[s] = l.next
	l.next++
	if len(l.tail) == 0 && l.headCost < headBytes {
		l.head = append(l.head, line)
		l.headCost += lineCost
		return &l.head[len(l.head)-1]
	}
	if l.gone > len(l.tail)/2 { // now moving them costs less than a line a line
		kept := copy(l.tail, l.tail[l.gone:])
		clear(l.tail[kept:])
		l.tail, l.gone = l.tail[:kept], 0
	}
	l.tail = append(l.tail, line)
	l.tailCost += lineCost
	return &l.tail[len(l.tail)-1]
}

// line returns a kept line, nil when there is none of that number.
func (l *lines) line(n int64) *Line {
	if n >= 0 && n < int64(len(l.head)) {
		return &l.head[n]
	}
	kept := l.tail[l.gone:]
	if len(kept) == 0 || n < kept[0].N {
		return nil
	}
	return &kept[n-kept[0].N]
}

// evict drops the oldest lines of the tail until it fits, but never the newest.
func (l *lines) evict() {
	for l.tailCost > tailBytes && l.gone < len(l.tail)-1 {
		line := &l.tail[l.gone]
		l.tailCost -= line.cost()
		l.dropped++
		l.lost += int64(len(line.Text)) + 1
		line.Text = "" // free at once
		l.gone++
	}
}
