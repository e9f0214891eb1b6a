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
	logs     *logsPane
	stopLogs func()
	part     int
	full     bool
}

// operation bounds one intent: a journal that does not answer must not leave a
// key press hanging for ever.
const operation = 10 * time.Second

// openRunbook starts or joins the incident of an alert, or starts one for a
// procedure, and opens its screen.
func (c *Cockpit) openRunbook(rb *runbooks.Runbook, alert incidentAlert) tea.Cmd {
	opened := incidents.Opened{Title: rb.Title, Severity: rb.Severity}
	if alert.known() {
		opened = incidents.Opened{Title: alert.Name, Alert: alert.Name, Severity: alert.Severity, Labels: alert.Labels, Key: alert.Key()}
	}
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		inc, _, err := c.deps.Runner.Open(ctx, c.deps.Operator, opened, rb.Name)
		if err != nil {
			return failed(fmt.Errorf("open %s: %w", rb.Title, err))
		}
		return push{newIncidentScreen(c, inc.ID, rb, alert)}
	}
}

// openAlert opens the runbook of the alert under the cursor. Without one the
// operator chooses from the index.
func (h *home) openAlert() tea.Cmd {
	alert, ok := h.alerts.selected()
	if !ok {
		return nil
	}
	match := h.c.deps.Library.ForAlert(runbooks.Alert{Name: alert.Name, RunbookURL: alert.Annotations["runbook_url"]})
	if match.Runbook == nil {
		return func() tea.Msg { return push{newIndexFor(h.c, incidentAlert{alert}, match.Suggested)} }
	}
	return h.c.openRunbook(match.Runbook, incidentAlert{alert})
}

func newIncidentScreen(c *Cockpit, id string, rb *runbooks.Runbook, alert incidentAlert) *incidentScreen {
	s := &incidentScreen{c: c, id: id, runbook: rb, alert: alert}
	s.list = newChecklist(c.theme, rb)
	s.step = newStepPanel(c, s)
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
		return s.chart.refresh(time.Time(msg))
	case chartRead:
		s.chart.read(msg)
	case queryRead:
		if msg.panel == s.step {
			s.step.answers[msg.query] = &msg.answer
		}
	}
	return nil
}

func (s *incidentScreen) render(now time.Time, width, height int) []string {
	inc := s.incident()
	lines := []string{s.header(inc, now, width)}
	body := height - len(lines)
	if s.full {
		switch s.part {
		case partLogs:
			return append(lines, s.logBlock(now, width, body)...)
		case partStep:
			return append(lines, s.step.block(inc, now, width, body, true)...)
		}
	}
	logs := max(4, body*28/100)
	top := body - logs
	left := min(max(28, width*38/100), 56)
	right := width - left - 1
	chart := s.chart.height(top)
	side := s.step.block(inc, now, right, top-chart, s.part == partStep)
	side = append(side, s.chart.block(now, right, chart)...)
	lines = append(lines, ui.Columns(s.c.theme, s.list.block(inc, left, top, s.part == partChecklist), side)...)
	return append(lines, s.logBlock(now, width, logs)...)
}

func (s *incidentScreen) logBlock(now time.Time, width, height int) []string {
	rule := s.logs.rule(now)
	rule.Focused = s.part == partLogs
	return append([]string{rule.Render(s.c.theme, width)}, s.logs.render(now, width, height-1, false, s.part == partLogs)...)
}

// header says which incident this is, how bad, and for how long.
func (s *incidentScreen) header(inc incidents.Incident, now time.Time, width int) string {
	theme := s.c.theme
	left := " " + theme.Accent.Bold(true).Render("FLIGHTDECK") + "  " + s.c.where() + "   " +
		theme.Strong.Render(inc.ID+" "+ui.Clean(inc.Title))
	if inc.Severity != "" {
		left += "   " + severityStyle(theme, inc.Severity).Render(ui.Clean(inc.Severity))
	}
	left += "   " + ui.Duration(inc.Duration(now))
	if !inc.Open() {
		left += "   " + theme.Good.Render("resolved")
	} else if s.alert.known() && !s.fires() {
		left += "   " + theme.Good.Render("alert resolved")
	}
	clock := "15:04"
	if width >= 110 {
		clock = "15:04:05"
	}
	return ui.Spread(left, now.Local().Format(clock)+" ", width)
}

// fires tells whether the incident's alert is still active. While alerts cannot
// be read it is assumed to be.
func (s *incidentScreen) fires() bool {
	r := s.c.deps.Board.Alerts.Load()
	if r.Err != nil || r.TakenAt.IsZero() {
		return true
	}
	for _, a := range r.Value.Alerts {
		if a.Key() == s.alert.Key() {
			return true
		}
	}
	return false
}

func (s *incidentScreen) keys() []ui.Binding {
	keys := []ui.Binding{}
	switch s.part {
	case partLogs:
		keys = append(keys, s.logs.keys()...)
	case partStep:
		keys = append(keys, s.step.keys()...)
	default:
		keys = append(keys, s.list.keys(func() { s.step.shown(s.list.selected()) })...)
	}
	fullDoes := "full screen"
	if s.full {
		fullDoes = "everything"
	}
	keys = append(keys, s.step.actions()...)
	return append(keys,
		ui.Binding{Keys: []string{"n"}, Does: "note", Action: s.askNote},
		ui.Binding{Keys: []string{"tab"}, Does: "next part", Quiet: true, Action: func() tea.Cmd { s.part = (s.part + 1) % parts; return nil }},
		ui.Binding{Keys: []string{"shift+tab"}, Does: "previous part", Quiet: true, Action: func() tea.Cmd { s.part = (s.part + parts - 1) % parts; return nil }},
		ui.Binding{Keys: []string{"f"}, Does: fullDoes, Quiet: true, Action: s.toggleFull},
		ui.Binding{Keys: []string{"D"}, Does: "resolve the incident", Quiet: true, Why: s.resolved(), Action: s.resolve},
		ui.Binding{Keys: []string{"esc"}, Does: "back", Action: s.back},
	)
}

func (s *incidentScreen) resolved() string {
	if inc := s.incident(); !inc.Open() {
		return "it is resolved already"
	}
	return ""
}

func (s *incidentScreen) toggleFull() tea.Cmd {
	s.full = !s.full
	if s.full && s.part == partChecklist {
		s.part = partStep
	}
	return nil
}

func (s *incidentScreen) back() tea.Cmd {
	if s.full {
		s.full = false
		return nil
	}
	return s.c.back()
}

// askNote asks for a note at the bottom of the screen.
func (s *incidentScreen) askNote() tea.Cmd {
	s.c.prompt = &prompt{Prompt: ui.NewPrompt(s.c.theme, " note: ", "", nil), enter: func(text string) tea.Cmd {
		if text == "" {
			return nil
		}
		return s.intend("note", "noted", func(ctx context.Context) error {
			_, err := s.c.deps.Runner.Note(ctx, s.c.deps.Operator, s.id, text)
			return err
		})
	}}
	return nil
}

func (s *incidentScreen) resolve() tea.Cmd {
	return s.intend("resolve", s.id+" is resolved", func(ctx context.Context) error {
		_, err := s.c.deps.Runner.Resolve(ctx, s.c.deps.Operator, s.id, "")
		return err
	})
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
