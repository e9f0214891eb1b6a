package views

import (
	"context"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// addTasks turns what the books want done after an incident into its tasks, with
// the deadlines that they name. The runner leaves those that it has already.
func (c *Cockpit) addTasks(ctx context.Context, inc incidents.Incident) error {
	for _, head := range c.deps.Library.For(runbooks.AfterIncident) {
		rb, ok := c.deps.Library.ByName(head.Name)
		if !ok {
			continue
		}
		for _, section := range rb.Sections {
			for _, step := range section.Steps {
				task := incidents.TaskAdded{Title: step.Title, Ref: incidents.CommandRef{Runbook: rb.Name, Step: step.ID, Command: incidents.WholeStep}}
				if deadline := firstDeadline(step); deadline > 0 {
					task.Due = inc.Resolved.Add(deadline)
				}
				if _, err := c.deps.Runner.AddTask(ctx, c.deps.Operator, inc.ID, task); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// firstDeadline is the nearest time that a step names to be done within; 0 for
// none.
func firstDeadline(step runbooks.Step) time.Duration {
	var least time.Duration
	for _, clock := range step.Clocks {
		if clock.Kind == runbooks.ClockDeadline && (least == 0 || clock.After < least) {
			least = clock.After
		}
	}
	for _, nested := range step.Steps {
		if d := firstDeadline(nested); d > 0 && (least == 0 || d < least) {
			least = d
		}
	}
	return least
}

// taskList is the dialog with what is to do after the incident.
type taskList struct {
	s      *incidentScreen
	scroll ui.Scroll
}

// Title implements ui.Dialog.
func (d *taskList) Title() string { return "after the incident" }

// Keys implements ui.Dialog.
func (d *taskList) Keys() []ui.Binding {
	none := ""
	if len(d.s.incident().Tasks) == 0 {
		none = "there is no task"
	}
	return []ui.Binding{
		{Keys: []string{"space"}, Does: "done, or not", Why: none},
		{Keys: []string{"+"}, Does: "add one"},
		{Keys: []string{"j"}, Show: "j k", Does: "choose", Why: none},
		{Keys: []string{"esc"}, Does: "close"},
	}
}

// Update implements ui.Dialog.
func (d *taskList) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok {
		return nil, false
	}
	tasks := d.s.incident().Tasks
	switch key.String() {
	case "esc", "q", "K":
		return nil, true
	case "j", "down":
		d.scroll.Move(1, len(tasks))
	case "k", "up":
		d.scroll.Move(-1, len(tasks))
	case "+":
		return d.s.askTask(), true
	case "space", "enter":
		if len(tasks) > 0 {
			return d.s.toggleTask(tasks[min(d.scroll.Cursor, len(tasks)-1)]), false
		}
	}
	return nil, false
}

// Lines implements ui.Dialog.
func (d *taskList) Lines(theme ui.Theme, width, height int) []string {
	inc, now := d.s.incident(), d.s.c.now
	lines := append([]string{""}, figures(theme, inc, now)...)
	if len(inc.Tasks) == 0 {
		return append(lines, theme.Dim.Render("resolving the incident brings the books' tasks here; + adds your own"), "")
	}
	from, to := d.scroll.Window(len(inc.Tasks), max(1, height-len(lines)-1))
	for i := from; i < to; i++ {
		task := inc.Tasks[i]
		mark, glyph, style, right := " ", ui.GlyphToDo, theme.Plain, ""
		switch {
		case !task.Done.IsZero():
			glyph, style = ui.GlyphDone, theme.Good
			right = theme.Dim.Render(ui.Clean(task.DoneBy.Name) + "  " + task.Done.Local().Format("2006-01-02 15:04"))
		case task.Due.IsZero():
		case now.After(task.Due):
			right = theme.Warn.Render(ui.GlyphOver + " was due " + task.Due.Local().Format("2006-01-02 15:04"))
		default:
			right = theme.Dim.Render("due " + task.Due.Local().Format("2006-01-02 15:04"))
		}
		if i == d.scroll.Cursor {
			mark, style = theme.Accent.Render(ui.GlyphCursor), theme.Selected
		}
		left := mark + " " + style.Render(glyph+" "+ui.Clean(oneLine(task.Title)))
		lines = append(lines, ui.Spread(ui.Cut(left, width-ui.Width(right)-2), right, width))
	}
	return append(lines, "")
}

// figures are how long it took until it was noticed, ended, and over.
func figures(theme ui.Theme, inc incidents.Incident, now time.Time) []string {
	line := theme.Dim.Render("lasted ") + ui.Duration(inc.Duration(now))
	add := func(label string, took time.Duration, known bool) {
		value := theme.Dim.Render("–")
		if known {
			value = ui.Duration(took)
		}
		line += theme.Dim.Render("   "+label+" ") + value
	}
	took, known := inc.TimeToAcknowledge()
	add("to acknowledge", took, known)
	took, known = inc.TimeToMitigate()
	add("to mitigate", took, known)
	took, known = inc.TimeToRecover()
	add("to recover", took, known)
	return []string{line, ""}
}

func (s *incidentScreen) toggleTask(task incidents.Task) tea.Cmd {
	return s.intend("change the task", "", func(ctx context.Context) (err error) {
		if task.Done.IsZero() {
			_, err = s.c.deps.Runner.FinishTask(ctx, s.c.deps.Operator, s.id, task.Task, "")
		} else {
			_, err = s.c.deps.Runner.ReopenTask(ctx, s.c.deps.Operator, s.id, task.Task)
		}
		return err
	})
}

func (s *incidentScreen) askTask() tea.Cmd {
	s.c.prompt = &prompt{Prompt: ui.NewPrompt(s.c.theme, " task: ", "", nil), enter: func(title string) tea.Cmd {
		if title == "" {
			return nil
		}
		return s.intend("add the task", "added", func(ctx context.Context) error {
			_, err := s.c.deps.Runner.AddTask(ctx, s.c.deps.Operator, s.id, incidents.TaskAdded{Title: title})
			return err
		})
	}}
	return nil
}
