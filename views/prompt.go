package views

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// askFilter opens the filter of the pane that has the keys. A list narrows
// while one types; enter keeps the filter and esc takes it back.
func (c *Cockpit) askFilter() tea.Cmd {
	f := c.top().filterable()
	before := f.filtered()
	apply := func(text string) tea.Cmd {
		if err := f.filter(text); err != nil {
			return func() tea.Msg { return failed(err) }
		}
		return nil
	}
	c.prompt = &prompt{
		Prompt: ui.NewPrompt(c.theme, " / ", before, nil),
		enter:  apply,
		typed:  func(text string) { _ = f.filter(text) }, // a half-typed expression keeps the last good one
		leave:  func() { _ = f.filter(before) },
	}
	return nil
}

// askCommand opens the command line, as in k9s.
func (c *Cockpit) askCommand() tea.Cmd {
	commands := c.commands()
	names := make([]string, 0, len(commands))
	for _, cmd := range commands {
		names = append(names, cmd.name)
	}
	for _, rb := range c.deps.Library.All() {
		names = append(names, "runbook "+rb.Name)
	}
	c.prompt = &prompt{
		Prompt: ui.NewPrompt(c.theme, " : ", "", names),
		enter:  func(text string) tea.Cmd { return c.command(commands, text) },
	}
	return nil
}

// command is something that can be typed after a colon.
type command struct {
	name  string
	other []string // shorter names
	does  string
	run   func(argument string) tea.Cmd
}

func (c *Cockpit) commands() []command {
	focus := func(i int) func(string) tea.Cmd {
		return func(string) tea.Cmd { return c.focusHome(i) }
	}
	var here []command
	if top, ok := c.top().(interface{ commands() []command }); ok {
		here = top.commands()
	}
	return append(here, []command{
		{"alerts", []string{"a"}, "the alerts", focus(0)},
		{"pods", []string{"po", "pod"}, "the pods", focus(1)},
		{"database", []string{"db", "pg"}, "the database", focus(2)},
		{"cache", []string{"redis"}, "the cache", focus(3)},
		{"logins", nil, "the failed logins", focus(4)},
		{"logs", []string{"log"}, "the log tail", focus(5)},
		{"runbook", []string{"runbooks", "rb"}, "a runbook by name, or the index", c.openByName},
		{"help", []string{"h"}, "every key", func(string) tea.Cmd { return c.help() }},
		{"incidents", []string{"inc"}, "all incidents", c.listIncidents},
		{"deploy", nil, "the books' deployment, as an incident of its own", func(string) tea.Cmd { return c.openProcedure(runbooks.Deploying) }},
		{"rollback", nil, "the books' rollback, as an incident of its own", func(string) tea.Cmd { return c.openProcedure(runbooks.RollingBack) }},
		{"quit", []string{"q", "q!"}, "leave", func(string) tea.Cmd { return c.quit() }},
	}...)
}

// command runs what was typed.
func (c *Cockpit) command(commands []command, text string) tea.Cmd {
	name, argument, _ := strings.Cut(strings.TrimSpace(text), " ")
	if name == "" {
		return nil
	}
	for _, cmd := range commands {
		if cmd.name == name || slices.Contains(cmd.other, name) {
			return cmd.run(strings.TrimSpace(argument))
		}
	}
	known := make([]string, len(commands))
	for i, cmd := range commands {
		known[i] = cmd.name
	}
	err := fmt.Errorf("no command %q; there are %s", name, strings.Join(known, ", "))
	return func() tea.Msg { return failed(err) }
}

// promptKey gives a key to the open prompt.
func (c *Cockpit) promptKey(key tea.KeyPressMsg) tea.Cmd {
	p := c.prompt
	switch key.String() {
	case "esc":
		c.prompt = nil
		if p.leave != nil {
			p.leave()
		}
		return nil
	case "enter":
		c.prompt = nil
		return p.enter(p.Text())
	}
	cmd := p.Update(key)
	if p.typed != nil {
		p.typed(p.Text())
	}
	return cmd
}

// openByName opens a runbook by its name, or the index where there is none.
func (c *Cockpit) openByName(name string) tea.Cmd {
	if name == "" {
		return func() tea.Msg { return push{newIndex(c, "")} }
	}
	rb, ok := c.deps.Library.ByName(name)
	if !ok {
		return func() tea.Msg { return push{newIndex(c, name)} }
	}
	return c.openRunbook(rb, incidentAlert{})
}

// focusHome goes back to the home screen and focuses a pane of it.
func (c *Cockpit) focusHome(pane int) tea.Cmd {
	for len(c.screens) > 1 {
		c.top().close()
		c.screens = c.screens[:len(c.screens)-1]
	}
	home, ok := c.top().(*home)
	if !ok {
		return func() tea.Msg { return failed(errors.New("the home screen is not open")) }
	}
	home.focus = pane
	return nil
}
