package screentest

import (
	"context"
	"testing"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/charmbracelet/x/ansi"
)

var _ Driver = (*Program)(nil)

// Program is a Bubble Tea model that runs on a screen.
type Program struct {
	driver
	tea   *tea.Program
	final tea.Model // set before ended is closed
}

// Start runs model in a Bubble Tea program of its own, on a screen of the given
// size in cells, in true colour. Options come after those that Start sets and
// replace them; [tea.WithColorProfile] chooses fewer colours. The program is
// ended with the test if it has not ended by then.
func Start(t testing.TB, model tea.Model, width, height int, options ...tea.ProgramOption) *Program {
	t.Helper()
	p := &Program{driver: newDriver(t, width, height)}
	ctx, cancel := context.WithCancel(context.Background())
	// Bubble Tea writes bare line feeds when it has no terminal device.
	p.change(func() { _, _ = p.vt.WriteString(ansi.SetModeLineFeedNewLine) })
	p.tea = tea.NewProgram(model, append([]tea.ProgramOption{
		tea.WithContext(ctx),
		tea.WithInput(p.replies),
		tea.WithOutput(output{p.display}),
		tea.WithWindowSize(width, height),
		tea.WithColorProfile(colorprofile.TrueColor),
		tea.WithEnvironment([]string{"TERM=xterm-256color", "COLORTERM=truecolor"}),
		tea.WithoutSignalHandler(),
	}, options...)...)
	go func() {
		final, err := p.tea.Run()
		p.final = final
		p.end(err)
	}()
	t.Cleanup(func() {
		cancel()
		p.waitEnd()
		p.close()
	})
	return p
}

// Message sends a message to the model.
func (p *Program) Message(msg tea.Msg) { p.tea.Send(msg) }

// Resize implements [Driver].
func (p *Program) Resize(width, height int) {
	p.change(func() { p.vt.Resize(width, height) })
	p.tea.Send(tea.WindowSizeMsg{Width: width, Height: height})
}

// Quit ends the program and returns its last model.
func (p *Program) Quit() tea.Model {
	p.t.Helper()
	p.tea.Quit()
	return p.Wait()
}

// Wait waits until the program ends by itself and returns its last model. It
// fails the test when the program ended by an error or a panic.
func (p *Program) Wait() tea.Model {
	p.t.Helper()
	p.waitEnd()
	if p.err != nil {
		p.t.Fatalf("the program ended: %v", p.err)
	}
	return p.final
}

// output is a display as a writer, without its methods that would make it look
// like a file.
type output struct{ *display }

func (o output) Write(p []byte) (int, error) {
	o.draw(p)
	return len(p), nil
}
