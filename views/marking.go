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

// tick marks the step as done by hand, with a note where there is something to
// say, or takes that back.
func (p *stepPanel) tick() tea.Cmd {
	if p.stepItem().State == incidents.Done {
		return p.unmark("untick")
	}
	ref, runner, who := p.whole(), p.c.deps.Runner, p.c.deps.Operator
	return p.because(" done, with a note (enter for none): ", "tick", false, func(ctx context.Context, note string) error {
		_, err := runner.Tick(ctx, who, p.screen.id, ref, note)
		return err
	})
}

// ruleOut says that the step does not apply, and why, or takes that back.
func (p *stepPanel) ruleOut() tea.Cmd {
	if p.stepItem().State == incidents.Excluded {
		return p.unmark("rule in")
	}
	ref, runner, who := p.whole(), p.c.deps.Runner, p.c.deps.Operator
	return p.because(" ruled out because: ", "rule out", true, func(ctx context.Context, reason string) error {
		_, err := runner.RuleOut(ctx, who, p.screen.id, ref, reason)
		return err
	})
}

// skip leaves the step out although it applies, with the reason, or takes that
// back.
func (p *stepPanel) skip() tea.Cmd {
	if p.stepItem().State == incidents.Skipped {
		return p.unmark("unskip")
	}
	ref, runner, who := p.whole(), p.c.deps.Runner, p.c.deps.Operator
	return p.because(" skipped because: ", "skip", true, func(ctx context.Context, reason string) error {
		_, err := runner.Skip(ctx, who, p.screen.id, ref, reason)
		return err
	})
}

// unmark takes back what was said of the step.
func (p *stepPanel) unmark(what string) tea.Cmd {
	ref, runner, who := p.whole(), p.c.deps.Runner, p.c.deps.Operator
	return p.screen.intend(what, "", func(ctx context.Context) error {
		_, err := runner.Untick(ctx, who, p.screen.id, ref)
		return err
	})
}
