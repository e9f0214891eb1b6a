package incidents

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/erpgo/flightdeck/runbooks"
)

// WritePostMortem puts together what is known of an incident. It does no I/O.
func WritePostMortem(incident Incident, evidence Evidence) PostMortem {
	n := narrator{clean: evidence.Clean, titles: stepTitles(evidence.Books)}
	if n.clean == nil {
		n.clean = func(s string) string { return s }
	}
	pm := PostMortem{
		WrittenAt: evidence.WrittenAt, Unknown: n.clean(evidence.Unknown),
		Summary: n.summary(incident), Figures: figuresOf(incident, evidence.WrittenAt),
	}
	people := map[string]bool{}
	for _, e := range evidence.Events {
		if _, output := e.Fact.(StepOutput); !output { // the run's end has it
			pm.Timeline = append(pm.Timeline, Entry{e.Seq, e.When(), n.clean(e.Actor.Name), Kind(e.Fact), n.clean(describe(e.Fact, n.quoted))})
		}
		if e.Actor.Name != self().Name && !people[e.Actor.Name] {
			people[e.Actor.Name] = true
			pm.Summary.People = append(pm.Summary.People, n.clean(e.Actor.Name))
		}
	}
	pm.Commands = n.commands(evidence.Events)
	pm.Excluded, pm.Skipped, pm.Failed = n.left(incident)
	pm.Gates = n.gates(evidence.Events)
	for _, t := range incident.Tasks {
		pm.Tasks = append(pm.Tasks, ToDoItem{n.clean(t.Title), t.Due, t.Done, n.clean(t.DoneBy.Name), n.clean(t.Note)})
	}
	for _, f := range evidence.Findings {
		f.File, f.Message = n.clean(f.File), n.clean(f.Message)
		pm.Findings = append(pm.Findings, f)
	}
	marks := n.marks(incident, pm.Commands)
	for _, s := range evidence.Signals {
		if len(s.Points) == 0 {
			continue
		}
		s.Title = n.clean(s.Title)
		pm.Impact = append(pm.Impact, impactOf(s, incident.Began))
		pm.Charts = append(pm.Charts, Chart{Series: s, Marks: marks})
	}
	return pm
}

// narrator turns what is known into what is said.
type narrator struct {
	clean  func(string) string
	titles map[CommandRef]string
}

// summary says what happened.
func (n narrator) summary(i Incident) Summary {
	s := Summary{
		ID: i.ID, Type: i.Type, Title: n.clean(i.Title), Severity: n.clean(i.Severity), Runbook: n.clean(i.Runbook),
		Began: i.Began, Opened: i.OpenedAt, OpenedBy: n.clean(i.OpenedBy.Name), Acknowledged: i.Acknowledged,
		Mitigated: i.Mitigation.At, Resolved: i.Resolved, Outcome: n.clean(i.Outcome), Reopened: i.Reopened,
	}
	if i.Alert != "" {
		s.Alerts = append(s.Alerts, n.clean(i.Alert))
	}
	for _, a := range i.Alerts {
		s.Alerts = append(s.Alerts, n.clean(a.Alert))
	}
	if !i.Mitigation.At.IsZero() {
		s.MitigatedBy = n.step(i.Mitigation.Ref)
	}
	for _, role := range slices.Sorted(maps.Keys(i.Roles)) {
		s.Roles = append(s.Roles, n.clean(role+": "+i.Roles[role].Name))
	}
	return s
}

func figuresOf(i Incident, now time.Time) Figures {
	took := func(d time.Duration, ok bool) Took {
		if !ok {
			return -1
		}
		return Took(d)
	}
	return Figures{
		Duration:    Took(i.Duration(now)),
		Acknowledge: took(i.TimeToAcknowledge()),
		Mitigate:    took(i.TimeToMitigate()),
		Recover:     took(i.TimeToRecover()),
	}
}

// step is what the book calls a step, or its name where the book is not known.
func (n narrator) step(ref CommandRef) string { return n.clean(cmp.Or(n.titles[ref], ref.String())) }

// quoted is step within a sentence.
func (n narrator) quoted(ref CommandRef) string {
	if title := n.titles[ref]; title != "" {
		return "“" + title + "”"
	}
	return ref.String()
}

// stepTitles finds what the books call their steps.
func stepTitles(books []*runbooks.Runbook) map[CommandRef]string {
	titles := map[CommandRef]string{}
	var name func(book string, steps []runbooks.Step)
	name = func(book string, steps []runbooks.Step) {
		for _, s := range steps {
			titles[CommandRef{book, s.ID, WholeStep}] = s.Title
			for n, c := range s.Commands {
				title := s.Title
				if c.Caption != "" && c.Caption != s.Title {
					title += ": " + c.Caption
				}
				titles[CommandRef{book, s.ID, n}] = title
			}
			name(book, s.Steps)
		}
	}
	for _, b := range books {
		for _, section := range b.Sections {
			name(b.Name, section.Steps)
		}
	}
	return titles
}

// commands lists the runs, in the order in which they were started.
func (n narrator) commands(events []Event) []Command {
	var commands []Command
	before := map[string][]SignalValue{} // by run
	find := func(run string) *Command {
		at := slices.IndexFunc(commands, func(c Command) bool { return c.run == run })
		if at < 0 {
			return nil
		}
		return &commands[at]
	}
	for _, e := range events {
		switch f := e.Fact.(type) {
		case StepStarted:
			c := Command{
				Step: n.step(f.Ref), Script: n.clean(f.Script), Risk: f.Risk, Where: n.clean(f.Context + " / " + f.Namespace),
				At: e.At, By: n.clean(e.Actor.Name), Confirmed: n.clean(f.Confirmed), Verdict: "still runs", run: f.Run,
			}
			for _, a := range f.Approved {
				c.Approved = append(c.Approved, n.clean(a.Name))
			}
			commands = append(commands, c)
		case StepFinished:
			if c := find(f.Run); c != nil {
				c.Verdict, c.OK, c.Output, c.Tail, c.Bytes, c.SHA256 = n.clean(f.Verdict()), f.OK, n.clean(f.Head), n.clean(f.Tail), f.Bytes, f.SHA256
			}
		case SignalsMarked:
			if f.Phase == Before {
				before[f.Run] = f.Signals
			} else if c := find(f.Run); c != nil {
				c.Effects = n.effects(before[f.Run], f.Signals)
			}
		}
	}
	return commands
}

// effects pairs what was measured before a run with what was measured after it.
func (n narrator) effects(before, after []SignalValue) []Effect {
	written := func(s SignalValue) string {
		if s.Value == nil {
			return "no value"
		}
		return FormatValue(*s.Value, s.Unit)
	}
	var all []Effect
	for _, a := range after {
		e := Effect{Signal: n.clean(a.Name), Before: "no value", After: written(a)}
		for _, b := range before {
			if b.Name == a.Name {
				e.Before = written(b)
			}
		}
		all = append(all, e)
	}
	return all
}

// left lists the steps that were ruled out, skipped, or whose latest run did
// not succeed, each in the order of time.
func (n narrator) left(i Incident) (excluded, skipped, failed []Left) {
	for ref, item := range i.Items {
		left := Left{Step: n.step(ref), Reason: n.clean(item.Reason), By: n.clean(item.By.Name), At: item.At}
		switch item.State {
		case Excluded:
			excluded = append(excluded, left)
		case Skipped:
			skipped = append(skipped, left)
		case Failed, Cancelled, Interrupted:
			left.Reason = n.clean(item.Result.Verdict())
			failed = append(failed, left)
		}
	}
	for _, all := range [][]Left{excluded, skipped, failed} {
		slices.SortFunc(all, func(a, b Left) int {
			return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Step, b.Step))
		})
	}
	return excluded, skipped, failed
}

// gates follows the gates, in the order in which they were first measured.
func (n narrator) gates(events []Event) []GateCourse {
	var courses []GateCourse
	place := map[string]int{}
	for _, e := range events {
		f, ok := e.Fact.(GateMeasured)
		if !ok {
			continue
		}
		at, known := place[f.Gate]
		if !known {
			at = len(courses)
			place[f.Gate] = at
			courses = append(courses, GateCourse{})
		}
		g := &courses[at]
		g.Title, g.Rollback, g.Last = n.clean(f.Title), f.Rollback, "no value"
		if f.Value != nil {
			g.Last = FormatValue(*f.Value, f.Unit)
		}
		switch {
		case f.Breached && !g.Breached:
			from := f.Since
			if from.IsZero() {
				from = e.At
			}
			g.Breaches = append(g.Breaches, Breach{From: from})
		case !f.Breached && g.Breached:
			g.Breaches[len(g.Breaches)-1].To = e.At
		}
		g.Breached = f.Breached
	}
	return courses
}

// marks numbers what is marked on the charts: the changes, and the turns of
// the incident itself.
func (n narrator) marks(i Incident, commands []Command) []Mark {
	marks := []Mark{{At: i.Began, Text: "began"}}
	if !i.Acknowledged.IsZero() {
		marks = append(marks, Mark{At: i.Acknowledged, Text: n.clean("acknowledged by " + i.AcknowledgedBy.Name)})
	}
	for _, c := range commands {
		if c.Risk.NeedsConfirmation() {
			marks = append(marks, Mark{At: c.At, Text: firstLine(c.Script)})
		}
	}
	if !i.Resolved.IsZero() {
		marks = append(marks, Mark{At: i.Resolved, Text: "resolved"})
	}
	slices.SortStableFunc(marks, func(a, b Mark) int { return a.At.Compare(b.At) })
	for n := range marks {
		marks[n].Number = n + 1
	}
	return marks
}

// impactOf sums a signal up.
func impactOf(s Series, began time.Time) Impact {
	impact := Impact{Title: s.Title, Unit: s.Unit, Worst: math.NaN(), After: s.Points[len(s.Points)-1].Value}
	var calm []float64
	threshold, limited := s.beyond()
	if limited {
		impact.Threshold = &threshold
	}
	for n, p := range s.Points {
		if p.At.Before(began) {
			calm = append(calm, p.Value)
		}
		if math.IsNaN(impact.Worst) || s.bad(p.Value, impact.Worst) {
			impact.Worst, impact.WorstAt = p.Value, p.At
		}
		if limited && n > 0 && s.bad(s.Points[n-1].Value, threshold) {
			impact.Beyond += Took(p.At.Sub(s.Points[n-1].At))
		}
	}
	if len(calm) > 0 {
		slices.Sort(calm)
		impact.Before = &calm[len(calm)/2]
	}
	return impact
}
