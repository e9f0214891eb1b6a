package runbooks

import "strings"

// EscalationPath is who is called while an incident goes on.
type EscalationPath struct {
	Clocks   []Clock  // who, and when
	Contacts []string // how, as the books word it: "Database Team: db-team@example.com"
}

// Escalation is the escalation path of the books, in the order they give it, with
// the contacts that stand in the same runbook.
func (l *Library) Escalation() EscalationPath {
	var path EscalationPath
	ix := l.index.Load()
	for _, head := range ix.all {
		if !head.escalates {
			continue
		}
		for _, s := range ix.read(head).Sections {
			path.Clocks = append(path.Clocks, s.Clocks...)
			if strings.Contains(strings.ToLower(s.Title), "contact") {
				path.Contacts = append(path.Contacts, items(s.Text)...)
			}
		}
	}
	return path
}

// items are the lines of a list without its markers.
func items(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(strings.TrimLeft(strings.TrimSpace(line), "-*+ ")); line != "" {
			out = append(out, line)
		}
	}
	return out
}
