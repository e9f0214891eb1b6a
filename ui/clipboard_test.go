package ui

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/ui/screentest"
)

// copier copies its text when it starts, and ends when that is done, or at a key
// if it is to stay.
type copier struct {
	text   string
	env    tea.EnvMsg
	stay   bool
	copied Copied
}

func (c copier) Init() tea.Cmd { return Copy(c.text, c.env) }

func (c copier) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case Copied:
		c.copied = msg
		if !c.stay {
			return c, tea.Quit
		}
	case tea.KeyPressMsg:
		return c, tea.Quit
	}
	return c, nil
}

func (c copier) View() tea.View { return tea.NewView("") }

func TestCopy(t *testing.T) {
	long := strings.Repeat("ü", MaxClipboard) // two bytes each
	for _, tt := range []struct {
		name, text, want string
		copied           Copied
	}{
		{"a command", "kubectl get pods\n\tdone", "kubectl get pods\n\tdone", Copied{22, 22}},
		{"CRLF", "a\r\nb\rc", "a\nb^Mc", Copied{6, 6}},
		{"end of a bracketed paste", "\x1b[201~rm -rf /", "^[[201~rm -rf /", Copied{15, 15}},
		{"hidden characters", "a\u202eb\u200b\xff", "a<U+202E>b<U+200B>\ufffd", Copied{21, 21}},
		{"form of a text", "नि ⚠\ufe0f 1\ufe0f\u20e3 e\u0301", "नि ⚠\ufe0f 1\ufe0f\u20e3 e\u0301", Copied{25, 25}},
		{"nothing", "", "", Copied{0, 0}},
		{"too long", long, long[:MaxClipboard], Copied{MaxClipboard, 2 * MaxClipboard}},
		{"too long, not within a character", "x" + long, "x" + long[:MaxClipboard-2], Copied{MaxClipboard - 1, 2*MaxClipboard + 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := screentest.Start(t, copier{text: tt.text}, 40, 4)
			final := p.Wait().(copier)
			if got := p.Clipboard(); got != tt.want {
				t.Errorf("copied %.40q (%d bytes), want %.40q (%d)", got, len(got), tt.want, len(tt.want))
			}
			if final.copied != tt.copied {
				t.Errorf("told %+v, want %+v", final.copied, tt.copied)
			}
			if got := final.copied.Truncated(); got != (tt.copied.Bytes < tt.copied.Total) {
				t.Errorf("truncated: %v", got)
			}
		})
	}
}

// TestCopySequence holds the largest request to the size that terminals take.
func TestCopySequence(t *testing.T) {
	var out bytes.Buffer
	text := strings.Repeat("x", MaxClipboard+1)
	if _, err := tea.NewProgram(copier{text: text}, tea.WithInput(nil), tea.WithOutput(&out)).Run(); err != nil {
		t.Fatal(err)
	}
	want := "\x1b]52;c;" + base64.StdEncoding.EncodeToString([]byte(text[:MaxClipboard])) + "\a"
	if !strings.Contains(out.String(), want) {
		t.Errorf("the sequence is not in the output of %d bytes", out.Len())
	}
	if len(want) != 100_000 {
		t.Errorf("the sequence has %d bytes", len(want))
	}
}

func TestMultiplexer(t *testing.T) {
	for _, tt := range []struct {
		env  tea.EnvMsg
		want string
	}{
		{nil, ""},
		{tea.EnvMsg{"TERM=xterm-256color"}, ""},
		{tea.EnvMsg{"TERM=tmux-256color", "TMUX=/tmp/tmux-0/default,1,0"}, "tmux"},
		{tea.EnvMsg{"TERM=screen-256color", "TMUX=/tmp/tmux-0/default,1,0"}, "tmux"},
		{tea.EnvMsg{"TERM=tmux-256color", "SSH_TTY=/dev/pts/1"}, "tmux"}, // tmux at the other end
		{tea.EnvMsg{"TERM=screen.xterm-256color", "STY=1.pts-0"}, "screen"},
		{tea.EnvMsg{"TERM=screen", "SSH_TTY=/dev/pts/1"}, "screen"},
	} {
		if got := multiplexer(tt.env); got != tt.want {
			t.Errorf("multiplexer(%q) = %q, want %q", tt.env, got, tt.want)
		}
	}
}
