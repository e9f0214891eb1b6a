package views

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// always are the bindings that work on every screen of an incident.
func (s *incidentScreen) always() []ui.Binding {
	inc := s.incident()
	taken, resolved, open := "", "", "it is open"
	if !inc.Acknowledged.IsZero() {
		taken = ui.Clean(inc.AcknowledgedBy.Name) + " has acknowledged it"
	}
	if !inc.Open() {
		resolved, open = "it is resolved already", ""
	}
	return []ui.Binding{
		{Keys: []string{"n"}, Does: "note", Action: s.askNote},
		{Keys: []string{"R"}, Does: "roll back", Quiet: len(s.breaches()) == 0, Why: s.noRollback(), Action: s.rollBack},
		{Keys: []string{"T"}, Does: "timeline", Quiet: s.c.top() != screen(s), Action: s.openTimeline},
		{Keys: []string{"W"}, Does: "gates and clocks", Quiet: true, Action: s.openWatchList},
		{Keys: []string{"A"}, Does: "acknowledge", Quiet: true, Why: taken, Action: s.acknowledge},
		{Keys: []string{"K"}, Does: "tasks after it", Quiet: true, Action: s.openTasks},
		{Keys: []string{"D"}, Does: "resolve the incident", Quiet: true, Why: resolved, Action: s.resolve},
		{Keys: []string{"O"}, Does: "reopen the incident", Quiet: true, Why: open, Action: s.reopen},
	}
}

// commands are what can be typed after a colon on an incident's screens.
func (s *incidentScreen) commands() []command {
	return []command{
		{"severity", nil, "how bad it is, and why", s.setSeverity},
		{"role", nil, "take a role: role commander", s.takeRole},
		{"handover", nil, "give a role to somebody: handover commander alice", s.handOver},
		{"timeline", []string{"tl"}, "what happened", func(string) tea.Cmd { return s.openTimeline() }},
		{"message", []string{"msg"}, "write a message of your own", func(string) tea.Cmd { return s.ownMessage() }},
	}
}

func (t *timeline) commands() []command { return t.s.commands() }

func (s *incidentScreen) openWatchList() tea.Cmd {
	s.c.dialogs.Open(&watchList{s: s, quiet: ui.NewQuiet(s.c.now)})
	return nil
}

func (s *incidentScreen) openTasks() tea.Cmd {
	s.c.dialogs.Open(&taskList{s: s})
	return nil
}

func (s *incidentScreen) acknowledge() tea.Cmd {
	return s.intend("acknowledge", "it is yours", func(ctx context.Context) error {
		_, err := s.c.deps.Runner.Acknowledge(ctx, s.c.deps.Operator, s.id, "")
		return err
	})
}

func (s *incidentScreen) setSeverity(argument string) tea.Cmd {
	severity, reason, _ := strings.Cut(argument, " ")
	if severity == "" {
		return func() tea.Msg { return failed(errors.New("which severity? type: severity critical, and why")) }
	}
	return s.intend("change the severity", "", func(ctx context.Context) error {
		_, err := s.c.deps.Runner.SetSeverity(ctx, s.c.deps.Operator, s.id, severity, strings.TrimSpace(reason))
		return err
	})
}

func (s *incidentScreen) takeRole(role string) tea.Cmd {
	if role == "" {
		return func() tea.Msg { return failed(errors.New("which role? type: role commander")) }
	}
	return s.intend("take the role", "you are "+ui.Clean(role), func(ctx context.Context) error {
		_, err := s.c.deps.Runner.TakeRole(ctx, s.c.deps.Operator, s.id, role)
		return err
	})
}

func (s *incidentScreen) handOver(argument string) tea.Cmd {
	i := strings.LastIndex(argument, " ")
	if i < 0 {
		return func() tea.Msg { return failed(errors.New("which role, and to whom? type: handover commander alice")) }
	}
	role, to := strings.TrimSpace(argument[:i]), argument[i+1:]
	return s.intend("hand the role over", ui.Clean(to+" is "+role), func(ctx context.Context) error {
		_, err := s.c.deps.Runner.HandOver(ctx, s.c.deps.Operator, s.id, role, incidents.Actor{Name: to})
		return err
	})
}

// resolve asks how it ended, ends the incident, and shows what is to do after
// it.
func (s *incidentScreen) resolve() tea.Cmd {
	s.c.prompt = &prompt{Prompt: ui.NewPrompt(s.c.theme, " resolved because (enter for no reason): ", "", nil), enter: func(reason string) tea.Cmd {
		return func() tea.Msg {
			ctx, cancel := context.WithTimeout(context.Background(), operation)
			defer cancel()
			inc, err := s.c.deps.Runner.Resolve(ctx, s.c.deps.Operator, s.id, strings.TrimSpace(reason))
			if err == nil {
				err = s.c.addTasks(ctx, inc)
			}
			if err != nil {
				return failed(fmt.Errorf("resolve: %w", err))
			}
			return ask{&taskList{s: s}}
		}
	}}
	return nil
}

func (s *incidentScreen) reopen() tea.Cmd {
	s.c.prompt = &prompt{Prompt: ui.NewPrompt(s.c.theme, " not over because: ", "", nil), enter: func(reason string) tea.Cmd {
		return s.intend("reopen", s.id+" is open again", func(ctx context.Context) error {
			_, err := s.c.deps.Runner.Reopen(ctx, s.c.deps.Operator, s.id, strings.TrimSpace(reason))
			return err
		})
	}}
	return nil
}
