//go:build unix

package ui

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/ui/screentest"
)

// copiedInMultiplexer is as long as a text may be.
var copiedInMultiplexer = strings.Repeat("kubectl get pods\n", MaxClipboard/len("kubectl get pods\n"))

// TestCopyProgram is no test but the program that the next ones run inside of a
// multiplexer.
func TestCopyProgram(t *testing.T) {
	if os.Getenv("UI_TEST_COPY") == "" {
		t.Skip("run by the tests of multiplexers")
	}
	if _, err := tea.NewProgram(copier{text: copiedInMultiplexer, env: os.Environ(), stay: true}).Run(); err != nil {
		t.Fatal(err)
	}
}

func TestCopyInTmux(t *testing.T) {
	tmux, err := exec.LookPath("tmux")
	if err != nil {
		t.Skip("tmux is not installed")
	}
	for _, setting := range []string{"set -s set-clipboard on", "set -g allow-passthrough on"} {
		t.Run(setting, func(t *testing.T) {
			dir := t.TempDir()
			config := filepath.Join(dir, "tmux.conf")
			// Off, so that only the setting under test lets the text through.
			text := "set -s set-clipboard off\nset -g allow-passthrough off\n" + setting + "\n"
			if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			socket := filepath.Join(dir, "socket")
			t.Cleanup(func() { _ = exec.Command(tmux, "-S", socket, "kill-server").Run() }) // mostly gone
			copyInMultiplexer(t, exec.Command(tmux, "-S", socket, "-f", config, "new-session",
				"UI_TEST_COPY=1 exec '"+os.Args[0]+"' -test.run='^TestCopyProgram$'"))
		})
	}
}

func TestCopyInScreen(t *testing.T) {
	screen, err := exec.LookPath("screen")
	if err != nil {
		t.Skip("screen is not installed")
	}
	dir := t.TempDir()
	sockets := filepath.Join(dir, "sockets")
	if err := os.Mkdir(sockets, 0o700); err != nil { // demanded by screen
		t.Fatal(err)
	}
	config := filepath.Join(dir, "screenrc")
	if err := os.WriteFile(config, []byte("autodetach off\n"), 0o600); err != nil { // ends with its terminal
		t.Fatal(err)
	}
	cmd := exec.Command(screen, "-c", config, os.Args[0], "-test.run=^TestCopyProgram$")
	cmd.Env = append(os.Environ(), "UI_TEST_COPY=1", "TERM=xterm-256color", "SCREENDIR="+sockets)
	copyInMultiplexer(t, cmd)
}

func copyInMultiplexer(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	term := screentest.Exec(t, cmd, 80, 24)
	term.WaitFor(func(*screentest.Screen) bool { return term.Clipboard() != "" }, "the clipboard")
	if got := term.Clipboard(); got != copiedInMultiplexer {
		t.Errorf("copied %d bytes, want %d: %.60q", len(got), len(copiedInMultiplexer), got)
	}
	term.Send("q")
	_ = term.Wait() // the multiplexer ends with its program
}
