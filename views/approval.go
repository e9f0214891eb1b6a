package views

import (
	"context"
	"errors"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// unapprovable is why the selected command needs nobody's agreement.
func (p *stepPanel) unapprovable() string {
	switch cmd := p.selected(); {
	case cmd == nil:
		return "the step has no command"
	case !cmd.Risk.NeedsConfirmation():
		return "it changes nothing"
	}
	return ""
}

// approve says that the operator agrees to the selected command with the values
// that it has: what it would do is shown and confirmed as if it ran, and it is
// left to somebody else to run.
func (p *stepPanel) approve() tea.Cmd {
	cmd := p.carried(*p.selected())
	return p.bind(cmd, p.known(cmd), func(bound runbooks.Bound) tea.Cmd {
		if bound.Command.Language == runbooks.Bash {
			bound.Script = runbooks.WithoutTTY(bound.Script)
		}
		plan := p.c.deps.Runner.Plan(p.c.deps.Operator, p.screen.id, bound, p.ref())
		if plan.Refused != "" {
			return func() tea.Msg { return failed(errors.New(plan.Refused)) }
		}
		dialog := newConfirm(p.c, plan, func(typed string) tea.Cmd { return p.agree(plan, typed) })
		dialog.does = "approve it"
		p.c.dialogs.Open(dialog)
		return dialog.look
	})
}

func (p *stepPanel) agree(plan incidents.Plan, typed string) tea.Cmd {
	return p.screen.intend("approve", "approved: somebody else may run it", func(ctx context.Context) error {
		_, err := p.c.deps.Runner.Approve(ctx, p.c.deps.Operator, plan, typed)
		return err
	})
}

// approvals are who agreed to the command since it last ran, and to what where
// that is not what the book has.
func (p *stepPanel) approvals(item incidents.Item, width int) []string {
	theme := p.c.theme
	var lines []string
	for _, a := range item.Approvals {
		text := "   " + theme.Good.Render(ui.GlyphDone+" approved by "+ui.Clean(a.By.Name)) + theme.Dim.Render("   "+a.At.Local().Format("15:04:05"))
		if script := strings.TrimSpace(a.Script); script != strings.TrimSpace(p.selected().Text) {
			text += theme.Dim.Render("   " + ui.Clean(oneLine(script)))
		}
		lines = append(lines, ui.Cut(text, width))
	}
	return lines
}
