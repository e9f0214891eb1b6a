package incidents

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Describe says in one line what a fact is, for a timeline: "ran kubectl
// rollout undo deployment/erpgo-api". Who did it and when stands beside it.
// Text from outside in it is as it came.
func Describe(f Fact) string { return describe(f, CommandRef.String) }

// describe is Describe with names for steps and commands.
func describe(f Fact, name func(CommandRef) string) string {
	switch f := f.(type) {
	case Opened:
		return "opened: " + f.Title
	case AlertAttached:
		return "attached alert " + f.Alert
	case Acknowledged:
		return because("acknowledged", f.Note)
	case SeverityChanged:
		return because("severity is now "+f.Severity, f.Reason)
	case RoleTaken:
		return "is now " + f.Role
	case RoleHandedOver:
		return "handed " + f.Role + " over to " + f.To.Name
	case NoteTaken:
		return f.Text
	case MessageSent:
		return fmt.Sprintf("message %q to %s", f.Title, f.To)
	case Resolved:
		return because("resolved", f.Reason)
	case Reopened:
		return because("reopened", f.Reason)
	case TaskAdded:
		return "task: " + f.Title
	case TaskDone:
		return because("task done", f.Note)
	case TaskReopened:
		return "task not done after all"
	case Pruned:
		return fmt.Sprintf("removed %d events of %s", f.Events, strings.Join(f.Incidents, ", "))
	case Unrecognised:
		return f.Kind
	}
	if text := describeWork(f, name); text != "" {
		return text
	}
	return describeWatch(f)
}

// describeWork is Describe for the facts of working a checklist.
func describeWork(f Fact, name func(CommandRef) string) string {
	switch f := f.(type) {
	case RunbookOpened:
		return "opened runbook " + f.Runbook
	case StepStarted:
		return "ran " + firstLine(f.Script)
	case StepOutput:
		return fmt.Sprintf("%s: %d bytes of output so far", name(f.Ref), f.Bytes)
	case StepFinished:
		return name(f.Ref) + " " + f.Verdict()
	case StepRefused:
		return because("did not run "+firstLine(f.Script), f.Reason)
	case StepApproved:
		return "approved " + firstLine(f.Script)
	case VariablesExported:
		return fmt.Sprintf("%s set %d variables", name(f.Ref), len(f.Values)+len(f.Withheld))
	case SignalsMarked:
		var values []string
		for _, s := range f.Signals {
			value := "no value"
			if s.Value != nil {
				value = FormatValue(*s.Value, s.Unit)
			}
			values = append(values, s.Name+" "+value)
		}
		return fmt.Sprintf("signals %s %s: %s", f.Phase, name(f.Ref), strings.Join(values, ", "))
	case Ticked:
		return because("ticked "+name(f.Ref), f.Note)
	case Unticked:
		return "unticked " + name(f.Ref)
	case RuledOut:
		return because("ruled out "+name(f.Ref), f.Reason)
	case StepSkipped:
		return because("skipped "+name(f.Ref), f.Reason)
	}
	return ""
}

// describeWatch is Describe for gates, clocks and silences.
func describeWatch(f Fact) string {
	switch f := f.(type) {
	case GateMeasured:
		value := "not measured"
		if f.Value != nil {
			value = FormatValue(*f.Value, f.Unit)
		}
		state := "holds"
		switch {
		case f.Breached:
			state = "is breached"
		case f.Value == nil:
			state = "is unknown"
		}
		return fmt.Sprintf("gate %q %s: %s", f.Title, state, value)
	case ClockStarted:
		return fmt.Sprintf("clock %q until %s", f.Title, f.Deadline.UTC().Format(time.TimeOnly))
	case ClockAcknowledged:
		return because("clock acknowledged", f.Note)
	case ClockExpired:
		return "clock expired"
	case SilenceMade:
		return because(fmt.Sprintf("silenced {%s} until %s", strings.Join(f.Matchers, ", "), f.Until.UTC().Format(time.TimeOnly)), f.Comment)
	case SilenceExpired:
		return "ended the silence"
	}
	return f.kind()
}

// String names a step, or a command of it from 1, in its runbook.
func (c CommandRef) String() string {
	name := c.Runbook + "/" + c.Step
	if c.Command == WholeStep {
		return name
	}
	return name + " #" + strconv.Itoa(c.Command+1)
}

// Verdict is how the command ended, in a few words.
func (f StepFinished) Verdict() string {
	took := f.Duration.Round(time.Millisecond).String()
	switch {
	case f.Interrupted:
		return "was interrupted: its cockpit was gone"
	case f.Cancelled:
		return "was stopped after " + took
	case f.Error != "":
		return "failed: " + f.Error
	case f.Signal != "":
		return "was ended by " + f.Signal + " after " + took
	case f.OK:
		return because("succeeded in "+took, f.Note)
	}
	return fmt.Sprintf("failed with exit status %d after %s", f.Exit, took)
}

// FormatValue writes a signal's value in its unit, as the configuration names
// it: a ratio of 0.062 is 6.2 %, 0.84 seconds are 0.84 s.
func FormatValue(v float64, unit string) string {
	switch unit {
	case "ratio":
		return short(100*v) + " %"
	case "percent":
		return short(v) + " %"
	case "seconds":
		return short(v) + " s"
	case "per_second":
		return short(v) + " /s"
	case "per_minute":
		return short(v) + " /min"
	}
	return short(v)
}

// short writes a number with three significant digits.
func short(v float64) string {
	if v >= 1000 || v <= -1000 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// because joins what was done and why.
func because(what, why string) string {
	if why == "" {
		return what
	}
	return what + ": " + why
}

// firstLine is the first line of a script, marked where there are more.
func firstLine(script string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(script), "\n")
	if strings.TrimSpace(rest) != "" {
		line += " …"
	}
	return line
}
