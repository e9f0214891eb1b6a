package ui

import (
	"bytes"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"github.com/erpgo/flightdeck/ui/screentest"
)

// prober asks for synchronized output and draws a new number for each key.
type prober struct {
	env   tea.EnvMsg
	keys  int
	knows bool
}

func (p prober) Init() tea.Cmd { return ProbeSync(p.env) }

func (p prober) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.ModeReportMsg:
		p.knows = p.knows || msg.Mode == ansi.ModeSynchronizedOutput
	case tea.KeyPressMsg:
		p.keys++
	}
	return p, nil
}

func (p prober) View() tea.View {
	text := "frame " + strings.Repeat("#", p.keys)
	if p.knows {
		text += " synchronized"
	}
	v := tea.NewView(text)
	v.AltScreen = true
	return v
}

func TestProbeSync(t *testing.T) {
	for _, tt := range []struct {
		name  string
		env   tea.EnvMsg
		asks  bool // ourselves
		knows bool
	}{
		{"local: Bubble Tea asks", tea.EnvMsg{"TERM=xterm-256color"}, false, true},
		{"over SSH", tea.EnvMsg{"TERM=xterm-256color", "SSH_TTY=/dev/pts/1"}, true, true},
		{"over SSH from Apple's Terminal", tea.EnvMsg{"TERM=xterm-256color", "SSH_TTY=/dev/pts/1", "TERM_PROGRAM=Apple_Terminal"}, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if asks := ProbeSync(tt.env) != nil; asks != tt.asks {
				t.Errorf("asks: %v, want %v", asks, tt.asks)
			}
			p := screentest.Start(t, prober{env: tt.env}, 40, 3, tea.WithEnvironment(tt.env))
			if tt.knows {
				p.WaitForText("synchronized")
			}
			p.Send("x")
			p.WaitForText("frame #")
			if final := p.Quit().(prober); final.knows != tt.knows {
				t.Errorf("knows: %v, want %v", final.knows, tt.knows)
			}
		})
	}
}

// TestProbeSyncErasesAStrayLetter plays the terminal that prints the end of the
// question, asked before the first frame and after it.
func TestProbeSyncErasesAStrayLetter(t *testing.T) {
	for _, afterFrame := range []bool{false, true} {
		written := askAndQuit(t, afterFrame)
		if n := strings.Count(written, ansi.RequestModeSynchronizedOutput); n != 1 {
			t.Fatalf("asked %d times: %q", n, written)
		}
		shown := strings.ReplaceAll(written, ansi.RequestModeSynchronizedOutput, "p")
		frame, _, _ := strings.Cut(shown, ansi.ResetModeAltScreenSaveCursor)
		if s := screentest.Render(t, frame, 40, 3); !s.AltScreen() || !strings.HasPrefix(s.Row(0), "frame") || strings.Contains(s.Text(), "p") {
			t.Errorf("asked after the frame: %v; the letter stays in it:\n%s", afterFrame, s.Text())
		}
		if s := screentest.Render(t, shown, 40, 3); s.AltScreen() || strings.Contains(s.Text(), "p") {
			t.Errorf("asked after the frame: %v; the letter stays on the shell's screen:\n%s", afterFrame, s.Text())
		}
	}
}

// askAndQuit returns what a program writes over SSH that only asks.
func askAndQuit(t *testing.T, afterFrame bool) string {
	t.Helper()
	env := tea.EnvMsg{"TERM=xterm-256color", "SSH_TTY=/dev/pts/1"}
	out := &tape{framed: make(chan struct{})}
	var wait tea.Cmd
	if afterFrame {
		wait = func() tea.Msg { <-out.framed; return nil }
	}
	_, err := tea.NewProgram(starter{prober{env: env}, tea.Sequence(wait, ProbeSync(env), tea.Quit)},
		tea.WithEnvironment(env), tea.WithInput(nil), tea.WithOutput(out), tea.WithWindowSize(40, 3)).Run()
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// starter is a prober that begins with another command.
type starter struct {
	prober
	first tea.Cmd
}

func (s starter) Init() tea.Cmd { return s.first }

// tape keeps what is written to it and tells when the first frame is there.
type tape struct {
	bytes.Buffer
	framed chan struct{}
}

func (t *tape) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte("frame")) {
		select {
		case <-t.framed:
		default:
			close(t.framed)
		}
	}
	return t.Buffer.Write(p)
}
