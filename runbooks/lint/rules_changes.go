package lint

import (
	"regexp"
	"slices"
	"strings"

	"github.com/erpgo/flightdeck/runbooks"
)

var saysBack = regexp.MustCompile(`(?i)\b(way back|undo|undone|revert|roll(ed|s)? ?back|rollback|back out|put back|restore|to go back|uncordon)`)

// noWayBack: a step that makes a setting which stays, or destroys something, has
// to say how to unmake it, or that nothing can.
func noWayBack(l *linter) {
	l.file.steps(func(_ *runbooks.Runbook, st *runbooks.Step) {
		if slices.ContainsFunc(stepTexts(st), saysBack.MatchString) {
			return
		}
		for i := range st.Commands {
			c := &st.Commands[i]
			if c.Risk == runbooks.Destroys || c.Risk == runbooks.Changes && stays(*c) {
				l.find(c.Line, "%s: the step does not say how to undo it", oneLine(c.Text))
			}
		}
	})
}

func stepTexts(st *runbooks.Step) []string {
	out := []string{st.Title, st.Text}
	for _, c := range st.Commands {
		out = append(out, c.Caption, c.Text)
	}
	for _, n := range st.Notes {
		out = append(out, n.Text)
	}
	return out
}

var sqlStays = regexp.MustCompile(`(?is)^\s*(ALTER|CREATE|GRANT|REVOKE)\b`)

// stays tells whether a change remains until somebody takes it back: a setting,
// a number of replicas, an object. A restart or an ended session does not.
func stays(c runbooks.Command) bool {
	if c.Language == runbooks.SQL {
		return sqlStays.MatchString(c.Text)
	}
	for _, call := range runbooks.Calls(c) {
		operands := call.Operands()
		first, second := at(operands, 0), at(operands, 1)
		switch call.Program {
		case "kubectl", "oc":
			switch first {
			case "apply", "create", "patch", "scale", "set", "autoscale", "taint", "cordon", "drain", "edit", "replace", "expose", "label", "annotate":
				return true
			case "rollout":
				return second == "pause"
			}
		case "helm":
			return first == "upgrade" || first == "install"
		case "redis-cli", "valkey-cli":
			return strings.EqualFold(first, "config") && strings.EqualFold(second, "set")
		case "sysctl", "iptables", "ip6tables", "ufw":
			return true
		case "systemctl":
			return first == "stop" || first == "disable" || first == "mask"
		case "aws":
			return strings.HasPrefix(second, "update-") || strings.HasPrefix(second, "modify-") || strings.HasPrefix(second, "put-") || strings.HasPrefix(second, "set-")
		}
	}
	return false
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}
