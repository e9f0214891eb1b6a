package incidents

import "github.com/erpgo/flightdeck/runbooks"

// WholeStep is the index that stands for a step and not for one of its
// commands.
const WholeStep = -1

// Item returns what is known of a step or a command; the zero Item, which is to
// do, where nothing is.
func (i Incident) Item(ref CommandRef) Item { return i.Items[ref] }

// Command returns what is known of one command of a step.
func (i Incident) Command(runbook, step string, index int) Item {
	return i.Items[CommandRef{Runbook: runbook, Step: step, Command: index}]
}

// Step returns the state of a step. What a person said of the step itself
// counts first; otherwise it follows from its commands, of which alternatives
// count as one, and from its nested steps, of which a choice needs one.
func (i Incident) Step(runbook string, step runbooks.Step) Item {
	if own, ok := i.Items[CommandRef{Runbook: runbook, Step: step.ID, Command: WholeStep}]; ok && own.State != ToDo {
		return own
	}
	var parts []Item
	group := map[int]int{} // alternative number to its place in parts
	elsewhere := i.unusedPlatform(runbook, step)
	for n, command := range step.Commands {
		if elsewhere != "" && command.Platform == elsewhere {
			continue
		}
		item := i.Command(runbook, step.ID, n)
		at, seen := group[command.Alternative]
		switch {
		case command.Alternative > 0 && seen:
			parts[at] = furthest(parts[at], item)
		default:
			group[command.Alternative] = len(parts)
			parts = append(parts, item)
		}
	}
	var nested []Item
	for _, s := range step.Steps {
		nested = append(nested, i.Step(runbook, s))
	}
	if step.Kind == runbooks.StepChoice && len(nested) > 0 {
		chosen := nested[0]
		for _, item := range nested[1:] {
			chosen = furthest(chosen, item)
		}
		nested = []Item{chosen}
	}
	return together(append(parts, nested...))
}

// unusedPlatform is the platform for which no command of a step was touched,
// while those for another one were: a book that has both for Kubernetes and for
// Docker Compose wants one of them. Empty where there is none.
func (i Incident) unusedPlatform(runbook string, step runbooks.Step) runbooks.Platform {
	touched := map[runbooks.Platform]bool{}
	for n, command := range step.Commands {
		if command.Platform != "" {
			touched[command.Platform] = touched[command.Platform] || i.Command(runbook, step.ID, n).State != ToDo
		}
	}
	for _, platform := range []runbooks.Platform{runbooks.Kubernetes, runbooks.Compose} {
		was, named := touched[platform]
		if named && !was && (touched[runbooks.Kubernetes] || touched[runbooks.Compose]) {
			return platform
		}
	}
	return ""
}

// furthest returns that one of two alternatives which has been worked.
func furthest(a, b Item) Item {
	rank := map[ItemState]int{ToDo: 0, Excluded: 1, Skipped: 2, Cancelled: 3, Interrupted: 4, Failed: 5, Done: 6, Running: 7}
	if rank[b.State] > rank[a.State] {
		return b
	}
	return a
}

// together is the state of a whole whose parts are all wanted: running or
// failed where a part is, done when none is left to do.
func together(parts []Item) Item {
	var latest Item
	count := map[ItemState]int{}
	for _, p := range parts {
		count[p.State]++
		if p.At.After(latest.At) {
			latest = p
		}
	}
	switch {
	case count[Running] > 0:
		latest.State = Running
	case count[Failed] > 0:
		latest.State = Failed
	case count[Interrupted] > 0:
		latest.State = Interrupted
	case count[Cancelled] > 0:
		latest.State = Cancelled
	case count[ToDo] > 0 || len(parts) == 0:
		return Item{}
	case count[Done] > 0:
		latest.State = Done
	case count[Skipped] > 0:
		latest.State = Skipped
	default:
		latest.State = Excluded
	}
	return Item{State: latest.State, At: latest.At, By: latest.By}
}

// Progress counts the steps of a runbook and those of them that are done, ruled
// out or skipped. Nested steps count as steps, the options of a choice as one.
func (i Incident) Progress(rb runbooks.Runbook) (done, total int) {
	var count func([]runbooks.Step)
	count = func(steps []runbooks.Step) {
		for _, s := range steps {
			total++
			if i.Step(rb.Name, s).State.Settled() {
				done++
			}
			if s.Kind != runbooks.StepChoice {
				count(s.Steps)
			}
		}
	}
	for _, section := range rb.Sections {
		count(section.Steps)
	}
	return done, total
}
