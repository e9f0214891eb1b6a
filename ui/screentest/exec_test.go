//go:build unix

package screentest

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

func startCounter(t *testing.T, env ...string) *Terminal {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(append(environment(), "SCREENTEST_RUN=counter"), env...)
	return Exec(t, cmd, 40, 8)
}

func TestExec(t *testing.T) {
	term := startCounter(t)
	s := term.WaitForText("40×8")
	if !s.AltScreen() {
		t.Error("the program is not on the alternate screen")
	}
	if first, now := term.FirstByte(), term.Since(); first <= 0 || first > now {
		t.Errorf("first byte after %v of %v", first, now)
	}
	term.WaitForText("background #000000")
	drive(t, term)
	Golden(t, "counter", term.Screen()) // the same as in TestStart

	term.Resize(20, 5)
	s = term.WaitForText("20×5")
	if s.Width() != 20 || s.Height() != 5 {
		t.Errorf("%d×%d after the resize", s.Width(), s.Height())
	}
	term.Send("q")
	if err := term.Wait(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	if s := term.Screen(); s.AltScreen() || strings.TrimSpace(s.Text()) != "" {
		t.Errorf("the program left on the shell's screen:\n%s", s.Text())
	}
}

func TestExecEndKillsTheGroup(t *testing.T) {
	// The child holds the terminal and would outlive the shell: without its
	// end there would be none of the output.
	term := Exec(t, exec.Command("sh", "-c", "trap '' HUP TERM; sleep 600 & echo started; wait"), 40, 8)
	term.WaitForText("started")
	term.End()
	var exit *exec.ExitError
	if err := term.Wait(); !errors.As(err, &exit) {
		t.Errorf("a killed program ended with %v", err)
	}
}

func TestExecAnswersQueries(t *testing.T) {
	for _, tt := range []struct{ name, query, answer string }{
		{"device attributes", `\033[c`, "^[[?62;1;6;22c"},
		{"synchronized output", `\033[?2026$p`, "^[[?2026;2$y"},
		{"background colour", `\033]11;?\007`, "^[]11;rgb:0000/0000/0000^G"},
		{"cursor position", `\033[6n`, "^[[1;1R"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			// The line discipline echoes the answer in caret notation.
			term := Exec(t, exec.Command("sh", "-c", "printf '"+tt.query+"'; read answer"), 60, 4)
			term.WaitForText(tt.answer)
			term.End()
		})
	}
}

func TestExecPlainEnvironment(t *testing.T) {
	t.Setenv("TMUX", "/tmp/tmux-0/default,1,0")
	t.Setenv("NO_COLOR", "1")
	term := Exec(t, exec.Command("sh", "-c", `echo "[$TMUX$NO_COLOR] $TERM $COLORTERM"; stty size`), 40, 8)
	if err := term.Wait(); err != nil {
		t.Fatal(err)
	}
	if got, want := term.Screen().Text(), "[] xterm-256color truecolor\n8 40"; strings.TrimSpace(got) != want {
		t.Errorf("the program saw %q, want %q", strings.TrimSpace(got), want)
	}
}
