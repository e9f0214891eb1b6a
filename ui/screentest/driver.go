package screentest

import (
	"testing"
	"time"
)

// Driver works a running program as a person would: by its keys, its window's
// size, and what is on its screen.
type Driver interface {
	// Send presses keys, named as Bubble Tea names them: "enter", "ctrl+c",
	// "shift+tab", "alt+x", "pgdown", "f1", "j", "G". It fails the test for a
	// name that it does not know.
	Send(keys ...string)
	// Type presses the key of each character of text.
	Type(text string)
	// Paste pastes text, bracketed if the program asked for that.
	Paste(text string)
	// Resize changes the size of the window, in cells.
	Resize(width, height int)
	// WaitFor waits until the screen satisfies condition and returns it. The
	// screen is looked at now and after each of the program's writes. What
	// names the condition in the failure after the deadline, or when the
	// program ends before.
	WaitFor(condition func(*Screen) bool, what string) *Screen
	// WaitForText waits until text stands in a row of the screen.
	WaitForText(text string) *Screen
	// Screen is what is seen now.
	Screen() *Screen
	// Clipboard is the text that the program has put on the terminal's
	// clipboard.
	Clipboard() string
	// Written is the number of bytes that the program has written to the
	// terminal.
	Written() int64
}

// driver is what the ways to run a program have in common.
type driver struct {
	*display

	// Deadline is how long WaitFor and Wait wait: 30 seconds, for a machine
	// that does much else.
	Deadline time.Duration

	t     testing.TB
	start time.Time
	ended chan struct{} // closed when the program has ended and all is drawn
	err   error         // how it ended; set before ended is closed
}

func newDriver(t testing.TB, width, height int) driver {
	return driver{
		display:  newDisplay(width, height),
		Deadline: 30 * time.Second,
		t:        t,
		start:    time.Now(),
		ended:    make(chan struct{}),
	}
}

// end records how the program ended.
func (d *driver) end(err error) {
	d.err = err
	close(d.ended)
}

// Since is the time since the program was started.
func (d *driver) Since() time.Duration { return time.Since(d.start) }

// Screen implements [Driver].
func (d *driver) Screen() *Screen { return d.screen() }

// Send implements [Driver].
func (d *driver) Send(keys ...string) {
	d.t.Helper()
	for _, name := range keys {
		key, err := parseKey(name)
		if err != nil {
			d.t.Fatal(err)
		}
		d.change(func() { d.vt.SendKey(key) })
	}
}

// Type implements [Driver].
func (d *driver) Type(text string) {
	d.change(func() { d.vt.SendText(text) })
}

// Paste implements [Driver].
func (d *driver) Paste(text string) {
	d.change(func() { d.vt.Paste(text) })
}

// WaitForText implements [Driver].
func (d *driver) WaitForText(text string) *Screen {
	d.t.Helper()
	return d.WaitFor(func(s *Screen) bool { return s.Contains(text) }, "the text "+text)
}

// WaitFor implements [Driver].
func (d *driver) WaitFor(condition func(*Screen) bool, what string) *Screen {
	d.t.Helper()
	timeout := time.NewTimer(d.Deadline)
	defer timeout.Stop()
	for {
		// Whether it has ended is asked before the screen is looked at, so
		// that its last frame is not missed.
		ended := isClosed(d.ended)
		screen, changed := d.watch()
		if condition(screen) {
			return screen
		}
		if ended {
			d.t.Fatalf("waited for %s, but the program ended (%v); its screen was:\n%s", what, d.err, screen.Text())
		}
		select {
		case <-changed:
		case <-d.ended:
		case <-timeout.C:
			d.t.Fatalf("waited %v for %s; the screen is:\n%s", d.Deadline, what, screen.Text())
		}
	}
}

// waitEnd waits for the program's end.
func (d *driver) waitEnd() {
	d.t.Helper()
	timeout := time.NewTimer(d.Deadline)
	defer timeout.Stop()
	select {
	case <-d.ended:
	case <-timeout.C:
		d.t.Fatalf("waited %v for the program to end; the screen is:\n%s", d.Deadline, d.screen().Text())
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
