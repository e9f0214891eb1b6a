package runbooks

import (
	"slices"
	"strings"
)

// Purpose is what a procedure without an alert is for.
type Purpose string

// The purposes that the cockpit offers procedures for.
const (
	Deploying     Purpose = "deploying"
	RollingBack   Purpose = "rolling back"
	AfterIncident Purpose = "after an incident"
)

// titles are words of which one stands in the title of a procedure that serves a
// purpose.
var titles = map[Purpose][]string{
	Deploying:     {"deployment", "deploy", "release procedure"},
	RollingBack:   {"rollback", "roll back", "roll-back"},
	AfterIncident: {"post-incident", "post incident", "after an incident", "post-mortem", "postmortem"},
}

// For returns the procedures that serve a purpose, in the library's order. As
// All, it gives what a list shows.
func (l *Library) For(purpose Purpose) []*Runbook {
	return slices.DeleteFunc(l.Procedures(), func(rb *Runbook) bool {
		title := strings.ToLower(rb.Title)
		return !slices.ContainsFunc(titles[purpose], func(words string) bool { return strings.Contains(title, words) })
	})
}
