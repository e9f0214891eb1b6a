package views

import (
	"context"
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// incidentAlert is the alert that an incident is about; the zero value for a
// procedure that was opened by name.
type incidentAlert struct{ probes.Alert }

func (a incidentAlert) known() bool { return a.Name != "" }

// The parts of the incident screen that can have the keys.
const (
	partChecklist = iota
	partStep
	partLive
	partLogs
	parts
)

// incidentScreen is a runbook being worked: the checklist on the left, on the
// right the step as it runs and under it the alert's own expression, the log
// tail below. Everything that was done is read from the journal's fold.
type incidentScreen struct {
	c        *Cockpit
	id       string
	runbook  *runbooks.Runbook
	alert    incidentAlert
	list     *checklist
	step     *stepPanel
	chart    *chartPanel
	live     *livePanes
	outputs  outputs
	logs     *logsPane
	stopLogs func()
	part     int
	full     bool
	// listHadKeys: the checklist gave its keys to the step for the full screen.
	listHadKeys bool

	opened    []string // names of the runbooks that were opened here
	gates     []gate   // of the runbook, and of those for rolling back
	stood     []standing
	stoodAt   uint64 // the reading of the signals that stood is of
	measuring bool   // how the gates stand is being written down
	expiring  bool   // that clocks ran out is being written down
}

// operation bounds one intent: a journal that does not answer must not leave a
// key press hanging for ever.
const operation = 10 * time.Second

// openRunbook starts or joins the incident of an alert, or starts one for a
// procedure, and opens its screen.
func (c *Cockpit) openRunbook(rb *runbooks.Runbook, alert incidentAlert) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		inc, err := c.open(ctx, rb, alert)
		if err != nil {
			return failed(fmt.Errorf("open %s: %w", rb.Title, err))
		}
		return push{newIncidentScreen(c, inc.ID, rb, alert)}
	}
}

// open starts or joins an incident, with a runbook where there is one. Of an
// alert's the escalation clocks begin to run.
func (c *Cockpit) open(ctx context.Context, rb *runbooks.Runbook, alert incidentAlert) (incidents.Incident, error) {
	var opened incidents.Opened
	name := ""
	if rb != nil {
		name = rb.Name
		opened = incidents.Opened{Title: rb.Title, Severity: rb.Severity, Type: c.typeOf(rb, alert)}
	}
	if alert.known() {
		opened = incidents.Opened{Title: alert.Name, Type: incidents.FromAlert, Alert: alert.Name, Severity: alert.Severity, Labels: alert.Labels, Key: alert.Key(), Since: alert.Since}
	}
	inc, _, err := c.deps.Runner.Open(ctx, c.deps.Operator, opened, name)
	if err == nil {
		err = c.startEscalation(ctx, inc)
	}
	return inc, err
}

// runbookOf is the runbook of an alert; nil where none certainly is.
func (c *Cockpit) runbookOf(alert probes.Alert) *runbooks.Runbook {
	return c.matchOf(alert).Runbook
}

func (c *Cockpit) matchOf(alert probes.Alert) runbooks.Match {
	return c.deps.Library.ForAlert(runbooks.Alert{Name: alert.Name, RunbookURL: alert.Annotations["runbook_url"]})
}

// openAlert opens the runbook of the alert under the cursor. Without one the
// operator chooses from the index.
func (h *home) openAlert() tea.Cmd {
	alert, ok := h.alerts.selected()
	if !ok {
		return nil
	}
	match := h.c.matchOf(alert)
	if match.Runbook == nil {
		return func() tea.Msg { return push{newIndexFor(h.c, incidentAlert{alert}, match.Suggested)} }
	}
	return h.c.openRunbook(match.Runbook, incidentAlert{alert})
}

func newIncidentScreen(c *Cockpit, id string, rb *runbooks.Runbook, alert incidentAlert) *incidentScreen {
	s := &incidentScreen{c: c, id: id, alert: alert, outputs: make(outputs)}
	s.live = &livePanes{c: c, screen: s}
	s.step = newStepPanel(c, s)
	s.use(rb)
	s.chart = newChartPanel(c, alert)
	tail, stop := c.deps.Follow(logSelector(c.deps.Config.Service.Selector, alert))
	s.stopLogs = stop
	s.logs = &logsPane{theme: c.theme, tail: tail, copy: c.copyText}
	return s
}

// logSelector is what the tail beside an incident follows: the pod that the
// alert's labels name, their app, or the service's selector.
func logSelector(service string, alert incidentAlert) string {
	for _, label := range []string{"app", "app.kubernetes.io/name"} {
		if value := alert.Labels[label]; value != "" {
			return label + "=" + value
		}
	}
	return service
}

func (s *incidentScreen) incident() incidents.Incident {
	inc, _ := s.c.deps.Runner.Incident(s.id)
	return inc
}

func (s *incidentScreen) close() { s.stopLogs() }

func (s *incidentScreen) filterable() filterable { return s.logs }

func (s *incidentScreen) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case second:
		return tea.Batch(s.chart.refresh(time.Time(msg)), s.reread(), s.measureGates(), s.expireClocks(time.Time(msg)))
	case gatesMeasured:
		msg.screen.measuring = false
	case clocksExpired:
		msg.screen.expiring = false
	case chartRead:
		s.chart.read(msg)
	case versionRead:
		if msg.screen == s {
			s.use(msg.runbook)
			return func() tea.Msg { return told(msg.says) }
		}
	case runBegan:
		return msg.screen.mark(msg.run)
	case terminalReady:
		return s.exec(msg.run)
	case queryRead:
		if msg.panel == s.step {
			s.step.answers[msg.query] = &msg.answer
		}
	}
	return nil
}

func (s *incidentScreen) keys() []ui.Binding {
	keys := []ui.Binding{}
	switch s.focused() {
	case partLogs:
		keys = append(keys, s.logs.keys()...)
	case partStep:
		keys = append(keys, s.step.keys()...)
	case partLive:
		keys = append(keys, s.live.keys()...)
	default:
		keys = append(keys, s.list.keys(func() { s.step.shown(s.list.selected()) })...)
	}
	fullDoes := "full screen"
	if s.full {
		fullDoes = "everything"
	}
	keys = append(keys, s.step.actions()...)
	keys = append(keys, s.always()...)
	return append(keys,
		ui.Binding{Keys: []string{"B"}, Does: "read the book", Quiet: len(s.list.items) > 0, Why: wordless(s.runbook), Action: s.readBook},
		ui.Binding{Keys: []string{"v"}, Does: "other version", Why: s.onlyVersion(), Action: s.otherVersion},
		ui.Binding{Keys: []string{"w"}, Does: "what runs", Quiet: len(s.live.runs()) == 0, Why: s.idle(), Action: s.listRunning},
		ui.Binding{Keys: []string{"tab"}, Does: "next part", Quiet: true, Action: func() tea.Cmd { s.nextPart(1); return nil }},
		ui.Binding{Keys: []string{"shift+tab"}, Does: "previous part", Quiet: true, Action: func() tea.Cmd { s.nextPart(-1); return nil }},
		ui.Binding{Keys: []string{"f"}, Does: fullDoes, Quiet: true, Action: s.toggleFull},
		ui.Binding{Keys: []string{"esc"}, Does: "back", Action: s.back},
	)
}

// idle is why there is nothing to list of what runs.
func (s *incidentScreen) idle() string {
	if len(s.c.deps.Runner.Running()) == 0 {
		return "nothing runs"
	}
	return ""
}

func (s *incidentScreen) listRunning() tea.Cmd {
	s.c.dialogs.Open(newRunningList(s.c, s))
	return nil
}

// focused is the part that has the keys: not the live panes when none is open.
func (s *incidentScreen) focused() int {
	if s.part == partLive && len(s.live.runs()) == 0 {
		s.part = partStep
	}
	return s.part
}

// nextPart gives the keys to the next part, or the previous one.
func (s *incidentScreen) nextPart(n int) {
	s.part = (s.part + n + parts) % parts
	if s.part == partLive && len(s.live.runs()) == 0 {
		s.part = (s.part + n + parts) % parts
	}
}

func (s *incidentScreen) toggleFull() tea.Cmd {
	s.full = !s.full
	switch {
	case s.full && s.part == partChecklist:
		s.part, s.listHadKeys = partStep, true // the checklist alone is worth no screen
	case !s.full && s.listHadKeys:
		s.part, s.listHadKeys = partChecklist, false
	}
	return nil
}

func (s *incidentScreen) back() tea.Cmd {
	if s.full {
		return s.toggleFull()
	}
	return s.c.back()
}

// intend runs an intent away from the screen and says how it went; an empty
// sentence says nothing where it went well.
func (s *incidentScreen) intend(what, done string, act func(context.Context) error) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		if err := act(ctx); err != nil {
			return failed(fmt.Errorf("%s: %w", what, err))
		}
		if done == "" {
			return nil
		}
		return told(done)
	}
}
