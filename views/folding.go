package views

import (
	"fmt"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// folded tells whether the i-th command of the step is for another platform than
// the one that the cockpit stands on, and folded into a line. What was run is
// shown whatever it is for.
func (p *stepPanel) folded(i int) bool {
	return p.current != nil && i < len(p.current.Commands) && !p.unfolded && p.elsewhere(i)
}

func (p *stepPanel) elsewhere(i int) bool {
	here := runbooks.Kubernetes
	if p.c.deps.Context == "" {
		here = runbooks.Compose
	}
	platform := p.current.Commands[i].Platform
	if platform == "" || platform == here {
		return false
	}
	ref := p.whole()
	ref.Command = i
	return p.screen.incident().Item(ref).State == incidents.ToDo
}

// fold is the one line that stands for folded commands; those behind the first
// of them take none.
func (p *stepPanel) fold(i, width int) []string {
	if i > 0 && p.folded(i-1) {
		return nil
	}
	n := 1
	for p.folded(i + n) {
		n++
	}
	cmd := p.current.Commands[i]
	text := fmt.Sprintf("%s for %s: o shows them", count(n, "command"), platformName(cmd.Platform))
	if n == 1 {
		text = fmt.Sprintf("for %s, o shows it:  %s", platformName(cmd.Platform), ui.Clean(oneLine(cmd.Text)))
	}
	return []string{ui.Cut(" "+p.c.theme.Dim.Render(text), width)}
}

func (p *stepPanel) unfold() tea.Cmd {
	p.unfolded = !p.unfolded
	if p.folded(p.command) {
		return p.choose(1)()
	}
	return nil
}

func (p *stepPanel) foldDoes() string {
	if p.unfolded {
		return "fold the commands for another platform"
	}
	return "show the commands for another platform"
}

// unfoldable is why there is nothing to unfold.
func (p *stepPanel) unfoldable() string {
	for i := range p.current.Commands {
		if p.elsewhere(i) {
			return ""
		}
	}
	return "all commands are for this platform"
}

func platformName(p runbooks.Platform) string {
	if p == runbooks.Compose {
		return "Docker Compose"
	}
	return "Kubernetes"
}
