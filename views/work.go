package views

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// keys are the bindings that work while the step has the keys.
func (p *stepPanel) keys() []ui.Binding {
	scroll := func(n int) func() tea.Cmd {
		return func() tea.Cmd { p.offset = max(0, p.offset+n); return nil }
	}
	page := max(1, p.height-1)
	return []ui.Binding{
		{Keys: []string{"k", "up"}, Show: "k ↑", Does: "scroll up", Quiet: true, Action: scroll(1)},
		{Keys: []string{"j", "down"}, Show: "j ↓", Does: "scroll down", Quiet: true, Action: scroll(-1)},
		{Keys: []string{"ctrl+b", "pgup"}, Does: "page up", Quiet: true, Action: scroll(page)},
		{Keys: []string{"ctrl+f", "pgdown"}, Does: "page down", Quiet: true, Action: scroll(-page)},
	}
}

// actions are what can be done with the selected step, from any part of the
// screen.
func (p *stepPanel) actions() []ui.Binding {
	none, notRunning, single := "", "nothing runs here", "the step has no other command"
	runDoes, run := "run", p.run
	switch {
	case p.current == nil:
		none = "no step is selected"
	case p.selected() == nil && len(p.current.Queries) > 0:
		runDoes, run = "evaluate", p.ask
	case p.selected() == nil:
		none = "the step has no command: tick it with space"
	case p.running() != nil:
		notRunning, none = "", "it runs already"
	case p.selected().Problem != "":
		none = "it does not parse: " + p.selected().Problem
	case p.otherDone(p.command) > 0:
		none = fmt.Sprintf("option %d was run in its place", p.otherDone(p.command))
	}
	if p.current != nil && len(p.current.Commands) > 1 {
		single = ""
	}
	noStep := ""
	if p.current == nil {
		noStep = "no step is selected"
	}
	tickDoes, ruleDoes := "tick", "rule out"
	switch p.stepItem().State {
	case incidents.Done:
		tickDoes = "untick"
	case incidents.Skipped:
		ruleDoes = "rule in"
	}
	noCommand := ""
	if p.selected() == nil {
		noCommand = "the step has no command"
	}
	choose := func(n int) func() tea.Cmd {
		return func() tea.Cmd {
			p.command = (p.command + n + len(p.current.Commands)) % len(p.current.Commands)
			p.offset = 0
			return nil
		}
	}
	return []ui.Binding{
		{Keys: []string{"enter"}, Does: runDoes, Why: none, Action: run},
		{Keys: []string{"c"}, Does: "cancel", Why: notRunning, Action: p.cancel},
		{Keys: []string{"space"}, Does: tickDoes, Why: noStep, Action: p.tick},
		{Keys: []string{"x"}, Does: ruleDoes, Why: noStep, Action: p.ruleOut},
		{Keys: []string{"]", "right"}, Show: "] →", Does: "next command", Quiet: true, Why: single, Action: choose(1)},
		{Keys: []string{"[", "left"}, Show: "[ ←", Does: "previous command", Quiet: true, Why: single, Action: choose(-1)},
		{Keys: []string{"y"}, Does: "copy the command", Quiet: true, Why: noCommand, Action: func() tea.Cmd { return p.c.copyText(p.selected().Text) }},
	}
}

// stepItem is what the journal says of the step as a whole.
func (p *stepPanel) stepItem() incidents.Item {
	if p.current == nil {
		return incidents.Item{}
	}
	return p.screen.incident().Step(p.screen.runbook.Name, *p.current)
}

// running is the selected command's run while it runs.
func (p *stepPanel) running() *incidents.Run {
	run, ok := p.c.deps.Runner.LastRun(p.screen.id, p.ref())
	if !ok {
		return nil
	}
	select {
	case <-run.Done():
		return nil
	default:
		return run
	}
}

// run starts the selected command with what is known.
func (p *stepPanel) run() tea.Cmd {
	cmd := *p.selected()
	return p.bind(cmd, p.known(cmd))
}

// known are the values at hand for the placeholders and variables of a command:
// said earlier in this incident, told by the alert's labels, or in the cockpit's
// own environment.
func (p *stepPanel) known(cmd runbooks.Command) map[string]string {
	known := maps.Clone(p.screen.incident().Values)
	if known == nil {
		known = make(map[string]string)
	}
	for _, name := range cmd.Placeholders {
		if _, said := known[name]; said {
			continue
		}
		if value, ok := runbooks.FromLabels(name, p.screen.alert.Labels); ok {
			known[name] = value
		}
	}
	for _, name := range cmd.Variables {
		if _, said := known[name]; said {
			continue
		}
		if value, ok := os.LookupEnv(name); ok {
			known[name] = value
		}
	}
	return known
}

// bind asks for the values that are missing and goes on with all of them.
func (p *stepPanel) bind(cmd runbooks.Command, values map[string]string) tea.Cmd {
	bound, err := runbooks.Bind(cmd, values)
	var unbound *runbooks.UnboundError
	if errors.As(err, &unbound) {
		missing := slices.Concat(unbound.Placeholders, unbound.Variables)
		p.c.dialogs.Open(newBindForm(p.c, cmd, missing, values, func(all map[string]string) tea.Cmd { return p.bind(cmd, all) }))
		return nil
	}
	if err != nil {
		return func() tea.Msg { return failed(err) }
	}
	if cmd.Language == runbooks.Bash {
		bound.Script = runbooks.WithoutTTY(bound.Script) // its output is captured: there is no terminal
	}
	return p.plan(bound)
}

// plan shows what would run where it has to be confirmed, and starts it
// otherwise. What may not run is given to the runner all the same: it refuses,
// and records that it did.
func (p *stepPanel) plan(bound runbooks.Bound) tea.Cmd {
	plan := p.c.deps.Runner.Plan(p.c.deps.Operator, p.screen.id, bound, p.ref())
	if plan.Refused == "" && plan.Confirm != "" {
		dialog := newConfirm(p.c, plan, func(typed string) tea.Cmd { return p.start(plan, typed) })
		p.c.dialogs.Open(dialog)
		return dialog.look
	}
	return p.start(plan, "")
}

func (p *stepPanel) start(plan incidents.Plan, typed string) tea.Cmd {
	p.offset, p.started = 0, plan.Ref
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		if _, err := p.c.deps.Runner.Start(ctx, plan, p.c.deps.Operator, typed); err != nil {
			return failed(err)
		}
		return nil
	}
}

// advance moves on to the step's next command once the one that was started here
// has done what it was asked, or goes on without an end.
func (p *stepPanel) advance() {
	if p.started != p.ref() || p.command+1 >= len(p.current.Commands) {
		return
	}
	next, now := p.current.Commands[p.command+1], p.current.Commands[p.command]
	done := p.screen.incident().Item(p.started).State == incidents.Done
	if (done || now.Endless && p.running() != nil) && (next.Alternative == 0 || sameOption(next, now)) {
		p.command++
		p.started = incidents.CommandRef{}
	}
}

func (p *stepPanel) cancel() tea.Cmd {
	run := p.running()
	if run == nil {
		return nil
	}
	if err := p.c.deps.Runner.Cancel(p.c.deps.Operator, run.ID); err != nil {
		return func() tea.Msg { return failed(err) }
	}
	return func() tea.Msg { return told("interrupted; what is left of it is killed within a second") }
}

// tick marks the step as done by hand, or takes that back.
func (p *stepPanel) tick() tea.Cmd {
	ref, runner, who := p.whole(), p.c.deps.Runner, p.c.deps.Operator
	if p.stepItem().State == incidents.Done {
		return p.screen.intend("untick", "", func(ctx context.Context) error {
			_, err := runner.Untick(ctx, who, p.screen.id, ref)
			return err
		})
	}
	return p.screen.intend("tick", "", func(ctx context.Context) error {
		_, err := runner.Tick(ctx, who, p.screen.id, ref, "")
		return err
	})
}

// ruleOut says that the step does not apply, with a reason, or takes that back.
func (p *stepPanel) ruleOut() tea.Cmd {
	ref, runner, who := p.whole(), p.c.deps.Runner, p.c.deps.Operator
	if p.stepItem().State == incidents.Skipped {
		return p.screen.intend("rule in", "", func(ctx context.Context) error {
			_, err := runner.Untick(ctx, who, p.screen.id, ref)
			return err
		})
	}
	p.c.prompt = &prompt{Prompt: ui.NewPrompt(p.c.theme, " ruled out because: ", "", nil), enter: func(reason string) tea.Cmd {
		return p.screen.intend("rule out", "", func(ctx context.Context) error {
			_, err := runner.RuleOut(ctx, who, p.screen.id, ref, reason)
			return err
		})
	}}
	return nil
}
