package views

import (
	"context"
	"errors"
	"fmt"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
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

// noRollback is why there is no procedure to go to.
func (s *incidentScreen) noRollback() string {
	all := s.c.deps.Library.For(runbooks.RollingBack)
	switch {
	case len(all) == 0:
		return "the books have no procedure for rolling back"
	case s.runbook.Name == all[0].Name:
		return "it is open already"
	}
	return ""
}

// rollBack makes the procedure for rolling back the checklist of this incident.
// What was done on the other one stays known, and v goes back to it.
func (s *incidentScreen) rollBack() tea.Cmd {
	name := s.c.deps.Library.For(runbooks.RollingBack)[0].Name
	if t, ok := s.c.top().(*timeline); ok && t.s == s {
		_ = s.c.back()
	}
	return s.turnTo(name, "rolling back: what was done until now stays in the timeline")
}

// turnTo makes another runbook the incident's checklist.
func (s *incidentScreen) turnTo(name, says string) tea.Cmd {
	return func() tea.Msg {
		rb, ok := s.c.deps.Library.ByName(name)
		if !ok {
			return failed(fmt.Errorf("runbook %s is gone: its file changed", name))
		}
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		if _, err := s.c.deps.Runner.OpenRunbook(ctx, s.c.deps.Operator, s.id, rb.Name); err != nil {
			return failed(fmt.Errorf("open %s: %w", rb.Title, err))
		}
		return versionRead{s, rb, says}
	}
}

// openProcedure opens what the books have for a purpose, as an incident of its
// own kind; where they have several the operator chooses.
func (c *Cockpit) openProcedure(purpose runbooks.Purpose) tea.Cmd {
	all := c.deps.Library.For(purpose)
	if len(all) != 1 {
		if len(all) == 0 {
			return func() tea.Msg { return failed(fmt.Errorf("the books have no procedure for %s", purpose)) }
		}
		return func() tea.Msg { return push{newIndexFor(c, incidentAlert{}, all)} }
	}
	return c.openByName(all[0].Name)
}

// typeOf is what an incident is about that is opened with a runbook.
func (c *Cockpit) typeOf(rb *runbooks.Runbook, alert incidentAlert) incidents.Type {
	if alert.known() {
		return incidents.FromAlert
	}
	for purpose, kind := range map[runbooks.Purpose]incidents.Type{runbooks.RollingBack: incidents.Rollback, runbooks.Deploying: incidents.Deploy} {
		for _, head := range c.deps.Library.For(purpose) {
			if head.Name == rb.Name {
				return kind
			}
		}
	}
	return incidents.ByHand
}

// attach adds the alert under the cursor to an incident that is open already.
func (h *home) attach() tea.Cmd {
	alert, _ := h.alerts.selected()
	var open []incidents.Incident
	for _, inc := range h.c.deps.Runner.Incidents() {
		if inc.Open() {
			open = append(open, inc)
		}
	}
	h.c.dialogs.Open(&attaching{c: h.c, alert: alert, open: open})
	return nil
}

// unattachable is why the alert under the cursor can belong to no other incident.
func (h *home) unattachable() string {
	alert, ok := h.alerts.selected()
	if !ok {
		return "no alert is selected"
	}
	if inc, ok := h.c.deps.Runner.OpenFor(alert.Key()); ok {
		return "it belongs to " + inc.ID
	}
	for _, inc := range h.c.deps.Runner.Incidents() {
		if inc.Open() {
			return ""
		}
	}
	return "no incident is open"
}

// attaching asks which incident an alert belongs to.
type attaching struct {
	c      *Cockpit
	alert  probes.Alert
	open   []incidents.Incident
	scroll ui.Scroll
}

// Title implements ui.Dialog.
func (d *attaching) Title() string {
	return ui.Clean(d.alert.Name) + " belongs to which incident?"
}

// Keys implements ui.Dialog.
func (d *attaching) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"enter"}, Does: "attach"}, {Keys: []string{"j"}, Show: "j k", Does: "choose"}, {Keys: []string{"esc"}, Does: "leave it"}}
}

// Update implements ui.Dialog.
func (d *attaching) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	switch key.String() {
	case "esc", "q":
		return nil, true
	case "j", "down":
		d.scroll.Move(1, len(d.open))
	case "k", "up":
		d.scroll.Move(-1, len(d.open))
	case "enter":
		return d.attach(d.open[d.scroll.Cursor]), true
	}
	return nil, false
}

func (d *attaching) attach(inc incidents.Incident) tea.Cmd {
	runner, who, a := d.c.deps.Runner, d.c.deps.Operator, d.alert
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		_, err := runner.Attach(ctx, who, inc.ID, incidents.AlertAttached{Alert: a.Name, Severity: a.Severity, Key: a.Key(), Labels: a.Labels, Since: a.Since})
		if err != nil {
			return failed(fmt.Errorf("attach %s to %s: %w", a.Name, inc.ID, err))
		}
		return told(a.Name + " belongs to " + inc.ID)
	}
}

// Lines implements ui.Dialog.
func (d *attaching) Lines(theme ui.Theme, width, height int) []string {
	lines := []string{""}
	from, to := d.scroll.Window(len(d.open), max(1, height-2))
	for i := from; i < to; i++ {
		mark, style := " ", theme.Plain
		if i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		inc := d.open[i]
		right := theme.Dim.Render(ui.Clean(ownerOf(inc))+"  ") + ui.Duration(inc.Duration(d.c.now))
		lines = append(lines, ui.Spread(mark+" "+style.Render(ui.Clean(inc.ID+"  "+inc.Title)), right, width))
	}
	return append(lines, "")
}

// noteOf is the incident that a note from the home screen belongs to: that of
// the alert under the cursor, or else the newest that is open.
func (h *home) noteOf() (incidents.Incident, bool) {
	if alert, ok := h.alerts.selected(); ok && h.focus == paneAlerts {
		if inc, ok := h.c.deps.Runner.OpenFor(alert.Key()); ok {
			return inc, true
		}
	}
	for _, inc := range h.c.deps.Runner.Incidents() {
		if inc.Open() {
			return inc, true
		}
	}
	return incidents.Incident{}, false
}

// noteless is why there is nothing to write a note for.
func (h *home) noteless() string {
	if _, ok := h.noteOf(); !ok {
		return "no incident is open"
	}
	return ""
}

func (h *home) note() tea.Cmd {
	inc, _ := h.noteOf()
	h.c.prompt = &prompt{Prompt: ui.NewPrompt(h.c.theme, " note for "+ui.Clean(inc.ID)+": ", "", nil), enter: func(text string) tea.Cmd {
		return h.c.note(inc.ID, text)
	}}
	return nil
}

// note writes a note down.
func (c *Cockpit) note(incident, text string) tea.Cmd {
	if text = strings.TrimSpace(text); text == "" {
		return nil
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		if _, err := c.deps.Runner.Note(ctx, c.deps.Operator, incident, text); err != nil {
			return failed(fmt.Errorf("note: %w", err))
		}
		return told("noted in " + incident)
	}
}
