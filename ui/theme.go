// Package ui answers one question: how does a terminal program behave here? It
// is the toolkit of the cockpit (theme, rules, tables, gauges, key bindings,
// prompts, dialogs, the clipboard) and knows no alert and no pod.
package ui

import "charm.land/lipgloss/v2"

// Theme is the few styles that everything is drawn with. It uses the terminal's
// own sixteen colours, so that it is readable on whatever the operator chose,
// and never tells a state by colour alone.
type Theme struct {
	Plain    lipgloss.Style // healthy things
	Dim      lipgloss.Style // what may be overlooked: rules, units, thresholds, disabled keys
	Strong   lipgloss.Style // titles and the value that a pane is about
	Accent   lipgloss.Style // the cursor and what can be acted on
	Warn     lipgloss.Style // a threshold is passed, or data is stale
	Critical lipgloss.Style // critical, and nothing else
	Good     lipgloss.Style // a step that ended well
	Selected lipgloss.Style // the row under the cursor of the focused pane
	Drill    lipgloss.Style // a banner that nobody can miss
}

// DefaultTheme is the theme of the cockpit.
//
// Dim is faint and not "bright black": in several popular palettes the latter
// is the background's own colour.
func DefaultTheme() Theme {
	plain := lipgloss.NewStyle()
	return Theme{
		Plain:    plain,
		Dim:      plain.Faint(true),
		Strong:   plain.Bold(true),
		Accent:   plain.Foreground(lipgloss.Cyan),
		Warn:     plain.Foreground(lipgloss.Yellow),
		Critical: plain.Foreground(lipgloss.Red).Bold(true),
		Good:     plain.Foreground(lipgloss.Green),
		Selected: plain.Foreground(lipgloss.Cyan).Bold(true),
		Drill:    plain.Foreground(lipgloss.Black).Background(lipgloss.Yellow).Bold(true),
	}
}

// The glyphs that go with the colours, for those who do not see them.
const (
	GlyphCursor   = "▌"
	GlyphWrong    = "!"
	GlyphOver     = "▲" // above its threshold
	GlyphUnder    = "▼" // below its threshold
	GlyphToDo     = "·"
	GlyphBranch   = "◦" // a branch that is not decided yet
	GlyphRunning  = "▶"
	GlyphDone     = "✓"
	GlyphFailed   = "✗"
	GlyphRuledOut = "–"
	GlyphSkipped  = "»"
	Ellipsis      = "…"
)
