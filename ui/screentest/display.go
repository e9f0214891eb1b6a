package screentest

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"sync"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/vt"
)

// display is a terminal emulator that several goroutines may use. What the
// emulator has to say to the program, answers to its queries and encoded keys,
// comes out of replies.
type display struct {
	replies *queue

	mu        sync.Mutex
	vt        *vt.Emulator
	title     string
	clipboard string
	written   int64
	changed   chan struct{} // closed at the next change
	pumped    chan struct{} // closed when no reply will follow
}

func newDisplay(width, height int) *display {
	d := &display{
		replies: newQueue(),
		vt:      vt.NewEmulator(width, height),
		changed: make(chan struct{}),
		pumped:  make(chan struct{}),
	}
	d.vt.SetCallbacks(vt.Callbacks{Title: func(title string) { d.title = title }})
	d.vt.RegisterCsiHandler(ansi.Command('?', '$', 'p'), d.reportSyncMode)
	d.vt.RegisterOscHandler(52, d.setClipboard)
	// The emulator's own pipe holds no data: unread replies would stop the
	// write that caused them, and with it the program that waits for neither.
	go func() {
		defer close(d.pumped)
		_, _ = io.Copy(d.replies, d.vt)
	}()
	return d
}

// reportSyncMode answers whether the terminal knows synchronized output, as
// current ones do. The emulator does not know it and leaves out nothing by that:
// a screen is looked at between writes.
func (d *display) reportSyncMode(params ansi.Params) bool {
	if mode, _, ok := params.Param(0, 0); !ok || mode != ansi.ModeSynchronizedOutput.Mode() {
		return false
	}
	_, _ = io.WriteString(d.vt.InputPipe(), ansi.ReportMode(ansi.ModeSynchronizedOutput, ansi.ModeReset))
	return true
}

// setClipboard keeps what the program copies: "52;", the clipboard's name, which
// tmux leaves out, ";", and the text in base64.
func (d *display) setClipboard(data []byte) bool {
	fields := strings.SplitN(string(data), ";", 3)
	if len(fields) != 3 {
		return false
	}
	text, err := base64.StdEncoding.DecodeString(fields[2])
	if err != nil {
		text = nil // as a terminal does: it clears the clipboard
	}
	d.clipboard = string(text)
	return true
}

// draw shows what a program wrote.
func (d *display) draw(p []byte) {
	d.change(func() {
		_, _ = d.vt.Write(p) // fails only when closed
		d.written += int64(len(p))
	})
}

// change calls f while nobody else uses the emulator, and wakes who waits.
func (d *display) change(f func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f()
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *display) screen() *Screen {
	screen, _ := d.watch()
	return screen
}

// watch returns the screen, and a channel that is closed when it has changed.
func (d *display) watch() (*Screen, <-chan struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return snapshot(d.vt, d.title), d.changed
}

// Written is the number of bytes that the program has written to the terminal.
func (d *display) Written() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.written
}

// Clipboard is the text that the program has put on the terminal's clipboard.
func (d *display) Clipboard() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.clipboard
}

// close ends the replies. The emulator's own Close may not be called while it
// is read.
func (d *display) close() {
	_ = d.vt.InputPipe().(io.Closer).Close()
	<-d.pumped
	d.replies.close()
}

// queue is a pipe whose writer never waits.
type queue struct {
	mu     sync.Mutex
	ready  sync.Cond
	data   bytes.Buffer
	closed bool
}

func newQueue() *queue {
	q := &queue{}
	q.ready.L = &q.mu
	return q
}

func (q *queue) Write(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ready.Broadcast()
	return q.data.Write(p)
}

// Read waits for data. It returns [io.EOF] when the queue is closed and empty.
func (q *queue) Read(p []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.data.Len() == 0 && !q.closed {
		q.ready.Wait()
	}
	return q.data.Read(p)
}

func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Broadcast()
}
