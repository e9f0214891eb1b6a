package ui

import (
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"
)

// Binding is a key and what it does, as data: the bottom line, the help and the
// reason why it is refused all come from it, so that they cannot differ from
// what the key does.
type Binding struct {
	Keys   []string // as Bubble Tea names them: "enter", "ctrl+c", "/"
	Show   string   // how the bottom line names them; the first key when empty
	Does   string   // a verb and an object, lower case
	Why    string   // why it does nothing now; empty when it works
	Quiet  bool     // left out of the bottom line, kept in help
	Action func() tea.Cmd
}

// Name is how the key is shown.
func (b Binding) Name() string {
	if b.Show != "" {
		return b.Show
	}
	return b.Keys[0]
}

// Refused says that a key was pressed that does nothing now, and why.
type Refused struct{ Reason string }

// Press runs the action of the first binding that has the key. handled is false
// where no binding has it. A disabled binding answers with Refused.
func Press(bindings []Binding, key tea.KeyPressMsg) (cmd tea.Cmd, handled bool) {
	name := key.String()
	for _, b := range bindings {
		if !slices.Contains(b.Keys, name) {
			continue
		}
		if b.Why != "" {
			return func() tea.Msg { return Refused{Reason: b.Does + ": " + b.Why} }, true
		}
		return b.Action(), true
	}
	return nil, false
}

// Reachable leaves out the bindings all of whose keys are taken by an earlier one
// of them: pressing such a key does something else.
func Reachable(bindings []Binding) []Binding {
	taken := make(map[string]bool)
	out := make([]Binding, 0, len(bindings))
	for _, b := range bindings {
		free := false
		for _, key := range b.Keys {
			free = free || !taken[key]
			taken[key] = true
		}
		if free {
			out = append(out, b)
		}
	}
	return out
}

// KeyLine is the bottom line: the keys that do something here and now, and at
// its right end a mode. What does not fit is left out from the end, never cut
// in the middle of a word.
func KeyLine(theme Theme, bindings []Binding, mode string, width int) string {
	room := width - Width(mode) - 2
	var b strings.Builder
	used := 1
	b.WriteByte(' ')
	for _, k := range Reachable(bindings) {
		if k.Quiet || k.Why != "" {
			continue
		}
		w := Width(k.Name()) + 1 + Width(k.Does)
		if used > 1 {
			w += 3
		}
		if used+w > room {
			break
		}
		if used > 1 {
			b.WriteString("   ")
		}
		b.WriteString(theme.Accent.Render(k.Name()) + " " + k.Does)
		used += w
	}
	return Spread(b.String(), mode+" ", width)
}
