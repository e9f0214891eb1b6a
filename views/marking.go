package views

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// because asks at the bottom of the screen why something is marked as it will
// be, and then marks it. Where a reason is needed, none marks nothing.
func (p *stepPanel) because(label, what string, needed bool, mark func(ctx context.Context, reason string) error) tea.Cmd {
	p.c.prompt = &prompt{Prompt: ui.NewPrompt(p.c.theme, label, "", nil), enter: func(reason string) tea.Cmd {
		reason = strings.TrimSpace(reason)
		if needed && reason == "" {
			return func() tea.Msg { return told("nothing was marked: say why, so that others can read it") }
		}
		return p.screen.intend(what, "", func(ctx context.Context) error { return mark(ctx, reason) })
	}}
	return nil
}

// markStep is one of the runner's ways to say of a step how it stands.
type markStep func(ctx context.Context, op incidents.Operator, incident string, ref incidents.CommandRef, reason string) (incidents.Incident, error)

// toggle marks the step by hand, or takes back what was said of it where it has
// that state already.
func (p *stepPanel) toggle(state incidents.ItemState, back, label, what string, needed bool, say markStep) tea.Cmd {
	if p.stepItem().State == state {
		return p.unmark(back)
	}
	ref, who := p.whole(), p.c.deps.Operator
	return p.because(label, what, needed, func(ctx context.Context, reason string) error {
		_, err := say(ctx, who, p.screen.id, ref, reason)
		return err
	})
}

// tick says that the step was done, with a note where there is something to say.
func (p *stepPanel) tick() tea.Cmd {
	return p.toggle(incidents.Done, "untick", " done, with a note (enter for none): ", "tick", false, p.c.deps.Runner.Tick)
}

// ruleOut says that the step does not apply, and why.
func (p *stepPanel) ruleOut() tea.Cmd {
	return p.toggle(incidents.Excluded, "rule in", " ruled out because: ", "rule out", true, p.c.deps.Runner.RuleOut)
}

// skip leaves the step out although it applies, and says why.
func (p *stepPanel) skip() tea.Cmd {
	return p.toggle(incidents.Skipped, "unskip", " skipped because: ", "skip", true, p.c.deps.Runner.Skip)
}

// unmark takes back what was said of the step.
func (p *stepPanel) unmark(what string) tea.Cmd {
	ref, runner, who := p.whole(), p.c.deps.Runner, p.c.deps.Operator
	return p.screen.intend(what, "", func(ctx context.Context) error {
		_, err := runner.Untick(ctx, who, p.screen.id, ref)
		return err
	})
}
