package views

import (
	"context"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// terminalReady brings a run that waits for the operator's terminal.
type terminalReady struct{ run *incidents.TerminalRun }

// noTerminal is why the selected command cannot have the terminal.
func (p *stepPanel) noTerminal() string {
	switch cmd := p.selected(); {
	case cmd == nil:
		return "the step has no command"
	case cmd.Language != runbooks.Bash:
		return "a statement for the configured database has none"
	}
	return p.notNow()
}

// inTerminal gives the selected command the operator's own terminal, with its
// wish for one left in.
func (p *stepPanel) inTerminal() tea.Cmd {
	cmd := *p.selected()
	return p.bind(cmd, p.known(cmd), func(bound runbooks.Bound) tea.Cmd { return p.plan(bound, p.lend) })
}

// lend records the start; the program gives up its screen once that is done.
func (p *stepPanel) lend(plan incidents.Plan, typed string) tea.Cmd {
	p.offset, p.started = 0, plan.Ref
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		run, err := p.c.deps.Runner.StartTerminal(ctx, plan, p.c.deps.Operator, typed)
		if err != nil {
			return failed(err)
		}
		return terminalReady{run}
	}
}

// exec hands the screen to a run and takes it back when it has ended.
func (s *incidentScreen) exec(run *incidents.TerminalRun) tea.Cmd {
	hand := func() tea.Msg { return runBegan{screen: s, run: run.Recorded} }
	return tea.Batch(hand, tea.Exec(&announced{TerminalRun: run}, func(err error) tea.Msg {
		if err != nil {
			return failed(fmt.Errorf("in the terminal: %w", err))
		}
		return told("back from the terminal; what was typed and shown there is not in the journal")
	}))
}

// announced says what has the terminal before it gets it.
type announced struct {
	*incidents.TerminalRun
	out io.Writer
}

// SetStdout implements tea.ExecCommand.
func (a *announced) SetStdout(w io.Writer) {
	a.out = w
	a.TerminalRun.SetStdout(w)
}

// Run implements tea.ExecCommand.
func (a *announced) Run() error {
	plan := a.Recorded.Plan
	_, err := fmt.Fprintf(a.out, "flightdeck: %s / %s\r\n$ %s\r\nits end brings you back to the checklist\r\n\r\n",
		ui.Clean(plan.Context), ui.Clean(plan.Namespace), ui.Clean(oneLine(plan.Script)))
	if err != nil {
		return fmt.Errorf("write to the terminal: %w", err)
	}
	return a.TerminalRun.Run()
}
