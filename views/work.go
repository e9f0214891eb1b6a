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
		return func() tea.Cmd { p.offset += n; return nil } // drawn within bounds
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
	if p.current == nil {
		return nil
	}
	state := p.stepItem().State
	toggle := func(of incidents.ItemState, does, back string) string {
		if state == of {
			return back
		}
		return does
	}
	notRunning, single := "nothing runs here", "the step has no other command"
	if p.running() != nil {
		notRunning = ""
	}
	if len(p.current.Commands) > 1 {
		single = ""
	}
	main := p.main()
	bindings := []ui.Binding{
		main,
		{Keys: []string{"c"}, Does: "cancel", Why: notRunning, Action: p.cancel},
		{Keys: []string{"space"}, Does: toggle(incidents.Done, "tick", "untick"), Action: p.tick},
		{Keys: []string{"s"}, Does: toggle(incidents.Skipped, "skip", "unskip"), Action: p.skip},
		{Keys: []string{"x"}, Does: toggle(incidents.Excluded, "rule out", "rule in"), Action: p.ruleOut},
		{Keys: []string{"a"}, Does: "answer", Why: p.unasked(), Action: p.answer},
		{Keys: []string{"u"}, Does: "repair the query", Quiet: len(p.askables()) == len(p.current.Queries), Why: p.unbroken(), Action: p.repair},
		{Keys: []string{"e"}, Does: "explain", Why: p.unexplained(), Action: p.explain},
		{Keys: []string{"i"}, Does: "run in a terminal", Quiet: true, Why: p.noTerminal(), Action: p.inTerminal},
		{Keys: []string{"P"}, Does: "approve, for somebody else to run", Quiet: true, Why: p.unapprovable(), Action: p.approve},
		{Keys: []string{"b"}, Does: "run with other values", Quiet: true, Why: p.noValues(), Action: p.rebind},
		{Keys: []string{"o"}, Does: p.foldDoes(), Quiet: true, Why: p.unfoldable(), Action: p.unfold},
		{Keys: []string{"]", "right"}, Show: "] →", Does: "next command", Quiet: true, Why: single, Action: p.choose(1)},
		{Keys: []string{"[", "left"}, Show: "[ ←", Does: "previous command", Quiet: true, Why: single, Action: p.choose(-1)},
		{Keys: []string{"y"}, Does: "copy the command", Quiet: true, Why: p.noCommand(), Action: func() tea.Cmd { return p.c.copyText(p.selected().Text) }},
	}
	// What a step has beside its commands has a key of its own.
	if len(p.current.Queries) > 0 && (p.selected() != nil || p.current.Message != nil) {
		bindings = append(bindings, ui.Binding{Keys: []string{"p"}, Does: "evaluate the queries", Why: p.unaskable(), Action: p.ask})
	}
	if p.current.Message != nil && p.selected() != nil {
		bindings = append(bindings, ui.Binding{Keys: []string{"m"}, Does: "write the message", Action: p.write})
	}
	if clock, running, ok := p.nextClock(p.screen.incident()); ok && (p.selected() != nil || p.current.Message != nil || len(p.current.Queries) > 0) {
		does := "start the clock of " + ui.Duration(clock.After)
		if running {
			does = "end the clock"
		}
		bindings = append(bindings, ui.Binding{Keys: []string{"t"}, Does: does, Action: p.startClock})
	}
	return bindings
}

// main is what enter does: it runs the selected command, or does what a step
// without one is for.
func (p *stepPanel) main() ui.Binding {
	enter := ui.Binding{Keys: []string{"enter"}, Does: "run", Action: p.run}
	switch {
	case p.selected() != nil && p.selected().Interactive && p.noTerminal() == "":
		enter.Does, enter.Action = "run in a terminal", p.inTerminal
	case p.selected() != nil:
		enter.Why = p.notNow()
	case p.current.Message != nil:
		enter.Does, enter.Action = "write the message", p.write
	case len(p.current.Queries) > 0:
		enter.Does, enter.Action, enter.Why = "evaluate", p.ask, p.unaskable()
	case len(p.current.Clocks) > 0:
		enter.Does, enter.Action = "start the clock", p.startClock
		if _, running, ok := p.nextClock(p.screen.incident()); running {
			enter.Does = "end the clock"
		} else if !ok {
			enter.Why = "its clock is over"
		}
	case len(p.asked()) > 0:
		enter.Does, enter.Action = "answer", p.answer
	case len(p.current.Steps) > 0:
		enter.Does, enter.Action = "go to the first of them", p.enterNested
	default:
		enter.Why = "the step has no command: tick it with space"
	}
	return enter
}

// notNow is why the selected command cannot be run now; empty when it can.
func (p *stepPanel) notNow() string {
	switch {
	case p.running() != nil:
		return "it runs already"
	case p.selected().Problem != "":
		return "it does not parse: " + p.selected().Problem
	case p.otherDone(p.command) > 0:
		return fmt.Sprintf("option %d was run in its place", p.otherDone(p.command))
	}
	return ""
}

func (p *stepPanel) noCommand() string {
	if p.selected() == nil {
		return "the step has no command"
	}
	return ""
}

// noValues is why the selected command cannot be given other values.
func (p *stepPanel) noValues() string {
	cmd := p.selected()
	switch {
	case cmd == nil:
		return "the step has no command"
	case len(cmd.Placeholders)+len(cmd.Variables) == 0:
		return "the command takes none"
	}
	return p.notNow()
}

// unaskable is why no query of the step can be evaluated.
func (p *stepPanel) unaskable() string {
	switch {
	case len(p.askables()) > 0:
		return ""
	case len(p.broken()) > 0:
		return "it does not parse: u shows what it may mean"
	}
	return "no query of the step parses"
}

// choose goes n commands on, over those that are folded.
func (p *stepPanel) choose(n int) func() tea.Cmd {
	return func() tea.Cmd {
		total := len(p.current.Commands)
		for range total {
			p.command = (p.command + n + total) % total
			if !p.folded(p.command) {
				break
			}
		}
		p.offset = 0
		return nil
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
	cmd := p.carried(*p.selected())
	return p.bind(cmd, p.known(cmd), p.captured)
}

// rebind starts the selected command with values that are asked for anew.
func (p *stepPanel) rebind() tea.Cmd {
	cmd := p.carried(*p.selected())
	names := slices.Concat(cmd.Placeholders, cmd.Variables)
	return p.askValues(cmd, names, p.known(cmd), p.captured)
}

// known are the values at hand for the placeholders and variables of a command:
// said earlier in this incident or left by a command, told by the alert's labels,
// configured, or in the cockpit's own environment.
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
		} else if value, ok := p.configured(name); ok {
			known[name] = value
		}
	}
	for _, name := range cmd.Variables {
		if _, said := known[name]; said {
			continue
		}
		if value, ok := p.configured(name); ok {
			known[name] = value
		} else if value, ok := os.LookupEnv(name); ok {
			known[name] = value
		}
	}
	return known
}

// bind asks for the values that are missing and goes on with all of them.
func (p *stepPanel) bind(cmd runbooks.Command, values map[string]string, use func(runbooks.Bound) tea.Cmd) tea.Cmd {
	bound, err := runbooks.Bind(cmd, values)
	var unbound *runbooks.UnboundError
	if errors.As(err, &unbound) {
		missing := slices.Concat(unbound.Placeholders, unbound.Variables)
		return p.askValues(cmd, missing, values, use)
	}
	if err != nil {
		return func() tea.Msg { return failed(err) }
	}
	return use(bound)
}

// askValues opens the form for the values of a command and goes on with all of
// them.
func (p *stepPanel) askValues(cmd runbooks.Command, missing []string, values map[string]string, use func(runbooks.Bound) tea.Cmd) tea.Cmd {
	form := newBindForm(p, cmd, missing, values, func(all map[string]string) tea.Cmd { return p.bind(cmd, all, use) })
	p.c.dialogs.Open(form)
	return form.look()
}

// captured runs a command whose output is read and kept: it has no terminal.
func (p *stepPanel) captured(bound runbooks.Bound) tea.Cmd {
	if bound.Command.Language == runbooks.Bash {
		bound.Script = runbooks.WithoutTTY(bound.Script)
	}
	return p.plan(bound, p.start)
}

// plan shows what would run where it has to be confirmed, and starts it
// otherwise. What may not run is given to the runner all the same: it refuses,
// and records that it did.
func (p *stepPanel) plan(bound runbooks.Bound, start func(plan incidents.Plan, typed string) tea.Cmd) tea.Cmd {
	plan := p.c.deps.Runner.Plan(p.c.deps.Operator, p.screen.id, bound, p.ref())
	if plan.Refused == "" && plan.Confirm != "" {
		dialog := newConfirm(p.c, plan, func(typed string) tea.Cmd { return start(plan, typed) })
		p.c.dialogs.Open(dialog)
		return dialog.look
	}
	return start(plan, "")
}

func (p *stepPanel) start(plan incidents.Plan, typed string) tea.Cmd {
	p.offset, p.started = 0, plan.Ref
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		run, err := p.c.deps.Runner.Start(ctx, plan, p.c.deps.Operator, typed)
		if err != nil {
			return failed(err)
		}
		return runBegan{screen: p.screen, run: run}
	}
}

// advance moves on to the step's next command once the one that was started here
// has done what it was asked, or goes on without an end.
func (p *stepPanel) advance() {
	following := p.command + 1
	for following < len(p.current.Commands) && p.folded(following) {
		following++
	}
	if p.started != p.ref() || following >= len(p.current.Commands) {
		return
	}
	next, now := p.current.Commands[following], p.current.Commands[p.command]
	done := p.screen.incident().Item(p.started).State == incidents.Done
	if (done || now.Endless && p.running() != nil) && (next.Alternative == 0 || sameOption(next, now)) {
		p.command = following
		p.started = incidents.CommandRef{}
	}
}

func (p *stepPanel) cancel() tea.Cmd { return p.c.stopRun(p.running()) }
