package views

import (
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/ui"
)

// leaving asks before the cockpit is left while steps run.
type leaving struct {
	running []*incidents.Run
	quiet   ui.Quiet
}

func newLeaving(running []*incidents.Run, now time.Time) *leaving {
	return &leaving{running: running, quiet: ui.NewQuiet(now)}
}

// Title implements ui.Dialog.
func (d *leaving) Title() string {
	if len(d.running) == 1 {
		return "leave while 1 step runs"
	}
	return "leave while " + count(len(d.running), "step") + " run"
}

// Keys implements ui.Dialog.
func (d *leaving) Keys() []ui.Binding {
	return []ui.Binding{{Keys: []string{"y"}, Does: "cancel them and leave"}, {Keys: []string{"esc"}, Does: "stay"}}
}

// Update implements ui.Dialog.
func (d *leaving) Update(msg tea.Msg) (tea.Cmd, bool) {
	key, ok := msg.(tea.KeyPressMsg)
	if !ok || !d.quiet.Over(time.Now()) {
		return nil, false
	}
	switch key.String() {
	case "y":
		return tea.Quit, true
	case "esc", "n", "q":
		return nil, true
	}
	return nil, false
}

// Lines implements ui.Dialog.
func (d *leaving) Lines(theme ui.Theme, width, height int) []string {
	lines := []string{""}
	for _, run := range d.running {
		if len(lines) == height-3 {
			break
		}
		lines = append(lines, ui.Cut(ui.Clean(oneLine(run.Plan.Script)), width))
	}
	return append(lines, "", theme.Dim.Render("leaving interrupts them, and kills what is left after a second"), "")
}
