package probes

import (
	"slices"
	"sync"
	"time"
)

const (
	// maxLine is how much of one log line is kept. Longer lines are data dumps
	// that no pane shows whole; 16 KiB is also where the container runtimes
	// themselves split a line.
	maxLine = 16 << 10
	// meanLine bounds the tail's memory: it keeps its n lines only as long as
	// they are no longer than this on average.
	meanLine = 1 << 10
	// notifyEvery is how long appended lines are gathered before viewers are
	// told: a scrolled pane costs the same whether one line came or twenty.
	notifyEvery = 75 * time.Millisecond
	// rateWindow is the number of seconds that PerSecond is measured over.
	rateWindow = 5
)

// Tail is the bounded, merged tail of log lines of all followed pods, in the
// order in which they arrived. Writers append; each viewer reads what is after
// the last sequence number it saw. It is safe for concurrent use, and neither
// side waits for the other.
type Tail struct {
	viewers *viewers
	limit   int // lines

	mu       sync.Mutex
	ring     []Line // grows to limit, then wraps
	first    int    // index of the oldest line in ring
	count    int    // lines in ring
	bytes    int    // of Raw of all lines in ring
	last     uint64 // sequence number of the newest line
	rate     rate
	selector string
	pods     []PodTail
	beyond   int
	err      error
	notified time.Time
	pending  bool // a notification is due
}

// NewTail returns a tail of its own, beside the board's, that keeps the last n
// lines: for the pods of another selector. Lines longer than 1 KiB on average
// make it keep fewer, so that it never holds more than n KiB of text.
func NewTail(n int) *Tail { return newTail(n, &viewers{}) }

// newTail returns a tail that keeps the last n lines and tells v.
func newTail(n int, v *viewers) *Tail { return &Tail{viewers: v, limit: max(1, n)} }

// Line is one log line as it came, with what could be read from it.
type Line struct {
	Seq       uint64    // consecutive from 1 over the whole tail
	At        time.Time // when the container runtime got it
	Pod       string
	Container string
	Raw       string  // as written, at most 16 KiB; never drawn without ui.Clean
	Cut       int     // bytes that were cut from Raw
	Level     string  // DEBUG, INFO, WARN, ERROR, FATAL, or empty
	Message   string  // the message field of a JSON or logfmt line; Raw otherwise
	Fields    []Field // the other fields, in the order they were written
}

// Field is one key and value of a structured log line.
type Field struct{ Key, Value string }

// TailState is the health of the whole tail.
type TailState struct {
	Selector  string    // what is followed, as it was asked for
	Pods      []PodTail // one a container, by pod and container
	Beyond    int       // containers that are not followed because too many are already
	PerSecond float64   // lines a second over the last 5 s
	Dropped   uint64    // lines that have left the buffer
	Err       error     // why nothing is followed at all; nil otherwise
	First     uint64    // the oldest sequence number still kept, 0 when there is none
	Last      uint64    // the newest
}

// PodTail is the health of one container's tail.
type PodTail struct {
	Pod, Container string
	State          string // following, reconnecting, ended, waiting
	Since          time.Time
	Err            error // why it is reconnecting or waiting; nil otherwise
}

// The states of a container's tail.
const (
	TailWaiting      = "waiting"      // the container has not started
	TailFollowing    = "following"    // lines arrive as they are written
	TailReconnecting = "reconnecting" // the stream broke; it goes on where it was
	TailEnded        = "ended"        // the container ended and all it wrote was read
)

// Since returns the lines after sequence number seq, oldest first and at most
// limit of them, and how many lines after seq had left the tail before they
// could be returned. A reader passes the Seq of the last line it was given,
// or 0.
func (t *Tail) Since(seq uint64, limit int) (lines []Line, dropped uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if seq >= t.last {
		return nil, 0
	}
	oldest := t.last - uint64(t.count) + 1
	if seq+1 < oldest {
		dropped = oldest - (seq + 1)
		seq = oldest - 1
	}
	return t.slice(int(seq+1-oldest), limit), dropped
}

// Last returns the newest n lines, oldest first; fewer where there are fewer.
func (t *Tail) Last(n int) []Line {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.slice(max(0, t.count-n), n)
}

// slice copies up to limit lines from the i-th oldest on.
func (t *Tail) slice(i, limit int) []Line {
	n := min(limit, t.count-i)
	if n <= 0 {
		return nil
	}
	lines := make([]Line, 0, n)
	for ; n > 0; i, n = i+1, n-1 {
		lines = append(lines, t.ring[(t.first+i)%len(t.ring)])
	}
	return lines
}

// State returns the health of the tail at this moment.
func (t *Tail) State() TailState {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := TailState{
		Selector:  t.selector,
		Pods:      t.pods,
		Beyond:    t.beyond,
		PerSecond: t.rate.perSecond(time.Now()),
		Dropped:   t.last - uint64(t.count),
		Err:       t.err,
		Last:      t.last,
	}
	if t.count > 0 {
		s.First = t.last - uint64(t.count) + 1
	}
	return s
}

// Watch returns a channel that holds at most one token: it can be received from
// when lines were appended or the state changed since the last receive. The
// board's tail shares the board's. Call stop to end it.
func (t *Tail) Watch() (changed <-chan struct{}, stop func()) { return t.viewers.add() }

// append adds a line and gives it its sequence number.
func (t *Tail) append(line Line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last++
	line.Seq = t.last
	t.rate.add(time.Now(), 1)
	for t.count > 0 && (t.count == t.limit || t.bytes+len(line.Raw) > t.limit*meanLine) {
		t.bytes -= len(t.ring[t.first].Raw)
		t.ring[t.first] = Line{}
		t.first = (t.first + 1) % len(t.ring)
		t.count--
	}
	t.room()
	t.ring[(t.first+t.count)%len(t.ring)] = line
	t.count++
	t.bytes += len(line.Raw)
	t.changed()
}

// room makes sure that one more line fits: the ring doubles until it has its
// full size, so that a quiet tail stays small.
func (t *Tail) room() {
	if t.count < len(t.ring) {
		return
	}
	grown := make([]Line, min(t.limit, max(64, 2*len(t.ring))))
	for i := range t.count {
		grown[i] = t.ring[(t.first+i)%len(t.ring)]
	}
	t.ring, t.first = grown, 0
}

// describe replaces what the state says of the streams. pods must not be
// modified afterwards.
func (t *Tail) describe(selector string, pods []PodTail, beyond int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.selector == selector && t.beyond == beyond && sameError(t.err, err) && slices.EqualFunc(t.pods, pods, samePodTail) {
		return
	}
	t.selector, t.pods, t.beyond, t.err = selector, pods, beyond, err
	t.changed()
}

func samePodTail(a, b PodTail) bool {
	return a.Pod == b.Pod && a.Container == b.Container && a.State == b.State &&
		a.Since.Equal(b.Since) && sameError(a.Err, b.Err)
}

// sameError tells whether two errors read the same.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}

// changed tells the viewers, at once after a quiet time and otherwise once for
// everything that came within notifyEvery. The caller holds mu.
func (t *Tail) changed() {
	if t.pending {
		return
	}
	if wait := notifyEvery - time.Since(t.notified); wait > 0 {
		t.pending = true
		time.AfterFunc(wait, func() {
			t.mu.Lock()
			t.pending = false
			t.notified = time.Now()
			t.mu.Unlock()
			t.viewers.notify()
		})
		return
	}
	t.notified = time.Now()
	t.viewers.notify()
}

// rate counts events by the second, over the last rateWindow seconds.
type rate struct {
	counts  [rateWindow]int
	seconds [rateWindow]int64 // the Unix second that counts is of
}

func (r *rate) add(now time.Time, n int) {
	second := now.Unix()
	i := second % rateWindow
	if r.seconds[i] != second {
		r.seconds[i], r.counts[i] = second, 0
	}
	r.counts[i] += n
}

func (r *rate) perSecond(now time.Time) float64 {
	sum := 0
	for i, second := range r.seconds {
		if now.Unix()-second < rateWindow {
			sum += r.counts[i]
		}
	}
	return float64(sum) / rateWindow
}

// Append adds a line that no probe read: a replay's, or a test's.
func (t *Tail) Append(line Line) { t.append(line) }

// Describe says what the tail follows and how it is, as the probe that feeds it
// does.
func (t *Tail) Describe(selector string, pods []PodTail, beyond int, err error) {
	t.describe(selector, pods, beyond, err)
}
