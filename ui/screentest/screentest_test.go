package screentest

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// counter is a small program that uses what ours use: the alternate screen,
// colours, keys, the window's size, a title, a query of the terminal.
type counter struct {
	width, height int
	pressed       []string
	pasted        string
	background    string
}

func (c counter) Init() tea.Cmd { return tea.RequestBackgroundColor }

func (c counter) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		c.width, c.height = msg.Width, msg.Height
	case tea.BackgroundColorMsg:
		c.background = msg.String()
	case tea.PasteMsg:
		c.pasted = msg.Content
	case tea.KeyPressMsg:
		switch msg.String() {
		case "q":
			return c, tea.Quit
		case "!":
			panic("as asked")
		}
		c.pressed = append(c.pressed[:len(c.pressed):len(c.pressed)], msg.String())
	}
	return c, nil
}

func (c counter) View() tea.View {
	if c.width == 0 {
		return tea.NewView("")
	}
	red := lipgloss.NewStyle().Foreground(lipgloss.Red).Bold(true)
	bar := lipgloss.NewStyle().Foreground(lipgloss.Color("#ff8800")).Background(lipgloss.Color("236"))
	lines := []string{
		red.Render("critical") + " 漢字 " + lipgloss.NewStyle().Faint(true).Render("faint"),
		fmt.Sprintf("%d keys: %s", len(c.pressed), strings.Join(c.pressed, " ")),
		"pasted " + c.pasted,
		"background " + c.background,
	}
	for len(lines) < c.height-1 {
		lines = append(lines, "")
	}
	size := fmt.Sprintf("%d×%d", c.width, c.height)
	lines = append(lines, bar.Width(c.width).Align(lipgloss.Right).Render(size))
	v := tea.NewView(strings.Join(lines, "\n"))
	v.AltScreen = true
	v.WindowTitle = "counter"
	return v
}

// TestMain lets the test binary be the program that the tests of Exec run.
func TestMain(m *testing.M) {
	if os.Getenv("SCREENTEST_RUN") == "counter" {
		if _, err := tea.NewProgram(counter{}).Run(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestStart(t *testing.T) {
	p := Start(t, counter{}, 40, 8)
	s := p.WaitForText("40×8")
	if !s.AltScreen() {
		t.Error("the program is not on the alternate screen")
	}
	if s.Title() != "counter" {
		t.Errorf("title %q", s.Title())
	}
	p.WaitForText("background #000000") // the terminal's answer
	drive(t, p)
	Golden(t, "counter", p.Screen())

	p.Resize(20, 5)
	s = p.WaitForText("20×5")
	if s.Width() != 20 || s.Height() != 5 || s.Row(4) != strings.Repeat(" ", 16)+"20×5" {
		t.Errorf("after the resize:\n%s", s.Text())
	}

	final := p.Quit().(counter)
	if len(final.pressed) != 9 {
		t.Errorf("the last model has %d keys: %q", len(final.pressed), final.pressed)
	}
	if s := p.Screen(); s.AltScreen() || strings.TrimSpace(s.Text()) != "" {
		t.Errorf("the program left on the shell's screen:\n%s", s.Text())
	}
}

// drive presses keys in either kind of program and checks that all arrive.
func drive(t *testing.T, d Driver) {
	t.Helper()
	d.Send("j", "G", "enter", "ctrl+c", "shift+tab", "alt+x", "pgdown")
	d.Type("é ")
	s := d.WaitForText("9 keys:")
	if want := "9 keys: j G enter ctrl+c shift+tab alt+x"; !strings.HasPrefix(s.Row(1), want) {
		t.Errorf("row 1 is %q, want %q", s.Row(1), want)
	}
	d.Paste("one line")
	d.WaitForText("pasted one line")
}

func TestStartOnlyChangesAreWritten(t *testing.T) {
	p := Start(t, counter{}, 80, 24)
	p.WaitForText("background #000000")
	before := p.Written()
	p.Send("j")
	p.WaitForText("1 keys: j")
	if n := p.Written() - before; n == 0 || n > 200 {
		t.Errorf("one key wrote %d bytes", n)
	}
}

func TestWaitForReportsTheEnd(t *testing.T) {
	p := Start(t, counter{}, 40, 8)
	p.WaitForText("40×8")
	failed := make(chan string, 1)
	p.t = &recorder{TB: t, failed: failed}
	p.Send("q")
	go p.WaitForText("never")
	if got := <-failed; !strings.Contains(got, "the text never") || !strings.Contains(got, "ended") {
		t.Errorf("WaitFor failed with %q", got)
	}
	p.t = t
}

func TestWaitForHasADeadline(t *testing.T) {
	p := Start(t, counter{}, 40, 8)
	p.WaitForText("40×8")
	failed := make(chan string, 1)
	p.t = &recorder{TB: t, failed: failed}
	p.Deadline = time.Millisecond
	go p.WaitForText("never")
	if got := <-failed; !strings.Contains(got, "waited 1ms for the text never") || !strings.Contains(got, "critical") {
		t.Errorf("WaitFor failed with %q", got)
	}
	p.t, p.Deadline = t, 10*time.Second
}

func TestRenderRefusesAFrameThatDoesNotFit(t *testing.T) {
	for _, frame := range []string{"12345678901", "1\n2\n3\n4", "漢漢漢漢漢漢"} {
		r := &recorder{TB: t}
		Render(r, frame, 10, 3)
		if r.errors != 1 {
			t.Errorf("%q on a screen of 10×3: %d errors", frame, r.errors)
		}
	}
	r := &recorder{TB: t}
	if s := Render(r, "漢漢漢漢漢\n\nlast row !", 10, 3); r.errors != 0 || s.Row(2) != "last row !" {
		t.Errorf("a frame that fits: %d errors\n%s", r.errors, s.Text())
	}
}

func TestScreen(t *testing.T) {
	s := Render(t, "a漢\x1b[31;1mb\x1b[m\n\x1b[48;5;236m  \x1b[m", 6, 2)
	if got, want := s.Text(), "a漢b\n"; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if x, y, found := s.Find("b"); x != 3 || y != 0 || !found {
		t.Errorf("b is at %d,%d, %v", x, y, found)
	}
	for _, tt := range []struct {
		x, y int
		want string
	}{{0, 0, ""}, {3, 0, "fg=red bold"}, {1, 1, "bg=236"}} {
		if got := s.StyleAt(tt.x, tt.y); got != tt.want {
			t.Errorf("style at %d,%d: %q, want %q", tt.x, tt.y, got, tt.want)
		}
	}
	want := "6×2\n──── text\na漢b\n\n──── style\n...r\naa\n──── legend\nr fg=red bold\na bg=236\n"
	if got := s.Styled(); got != want {
		t.Errorf("styled:\n%s\nwant:\n%s", got, want)
	}
}

func TestGoldenShowsWhatDiffers(t *testing.T) {
	want := Render(t, "same\n\x1b[31mred\x1b[m\nold", 10, 3).Styled()
	got := Render(t, "same\n\x1b[32mred\x1b[m\nnew", 10, 3).Styled()
	if diff := diffRows(want, got); diff != "text 2\n  -old\n  +new\nstyle 1\n  -rrr\n  +ggg\nlegend 0\n  -r fg=red\n  +g fg=green\n" {
		t.Errorf("diff:\n%s", diff)
	}
	if diff := diffRows(want, want); diff != "" {
		t.Errorf("of equal screens:\n%s", diff)
	}
}

func TestParseKeyRefuses(t *testing.T) {
	for _, name := range []string{"", "return", "ctrl+enter", "shift+up", "ctrl+", "two words"} {
		if key, err := parseKey(name); err == nil {
			t.Errorf("%q is the key %v", name, key)
		}
	}
}

// recorder is a test that notes its failures and goes on. Its Fatalf ends the
// goroutine, as that of a test does.
type recorder struct {
	testing.TB
	errors int
	failed chan string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(string, ...any) { r.errors++ }

func (r *recorder) Fatalf(format string, args ...any) {
	r.failed <- fmt.Sprintf(format, args...)
	runtime.Goexit()
}
