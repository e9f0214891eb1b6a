package incidents

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/erpgo/flightdeck/runbooks"
)

// Plan is what would happen if a command were started: what is drawn before it
// runs, and what is checked again when it does.
type Plan struct {
	Incident  string
	Ref       CommandRef
	Bound     runbooks.Bound
	Script    string // what runs, secrets masked: the text to draw
	Risk      runbooks.Risk
	Context   string   // pinned
	Namespace string   // pinned
	Elsewhere []string // other namespaces that the text itself names, or "all namespaces"
	Confirm   string   // what has to be typed; empty when it runs unasked
	Refused   string   // why it may not run; empty when it may
}

// Plan tells what starting a bound command would do. It does no I/O.
func (r *Runner) Plan(op Operator, incident string, bound runbooks.Bound, ref CommandRef) Plan {
	p := Plan{
		Incident:  incident,
		Ref:       ref,
		Bound:     bound,
		Script:    r.masker(bound).text(bound.Script),
		Risk:      bound.Command.Risk,
		Context:   r.target.Context,
		Namespace: r.target.Namespace,
	}
	switch p.Risk {
	case runbooks.Reads, runbooks.Changes, runbooks.Destroys:
	default:
		p.Risk = runbooks.Unknown
	}
	text := shellOf(bound)
	p.Elsewhere = elsewhere(text, r.target)
	if p.Risk.NeedsConfirmation() {
		p.Confirm = r.masker(bound).text(confirmWord(bound, text, r.target))
	}
	if err := r.refusal(op, p, text); err != nil {
		p.Refused = err.Error()
	}
	return p
}

// refusal is why a plan may not run, whoever typed whatever.
func (r *Runner) refusal(op Operator, p Plan, text shellText) error {
	if err := (Authority{Role: op.Role, ReadOnly: r.readOnly}).Check(running(p.Risk)); err != nil {
		return err
	}
	if err := r.lasting(running(p.Risk)); err != nil {
		return err
	}
	if r.executors[p.Bound.Command.Language] == nil {
		return fmt.Errorf("%w: nothing here executes %q", ErrNotAllowed, p.Bound.Command.Language)
	}
	if text.unreadable {
		return fmt.Errorf("%w: it does not parse as bash, so what it would do cannot be told", ErrNotAllowed)
	}
	if why := escape(text, r.target); why != "" {
		return fmt.Errorf("%w: %s", ErrNotAllowed, why)
	}
	return nil
}

// lasting refuses what changes something while it leaves no lasting record,
// unless that was asked for.
func (r *Runner) lasting(action Action) error {
	if r.onRecord && action.outside() && !r.journal.Durable() {
		return fmt.Errorf("%w: the journal is in memory and would not outlive the cockpit; start it with --journal memory to %s all the same",
			ErrNotAllowed, action)
	}
	return nil
}

// escape is why a script would leave the pinned cluster, empty when it stays.
func escape(text shellText, target runbooks.Target) string {
	where := target.Context + " / " + target.Namespace
	for _, name := range text.assigned {
		if strings.HasPrefix(name, "KUBE") {
			return fmt.Sprintf("it sets %s, and kubectl is pinned to %s; take the assignment out", name, where)
		}
	}
	for _, call := range text.calls {
		if target.Kubeconfig == "" {
			return "it calls kubectl, and no cluster is configured; set --kubeconfig or KUBECONFIG"
		}
		for _, flag := range []string{"--kubeconfig", "--cluster", "--server", "-s", "--user", "--token"} {
			if _, ok := call.flags[flag]; ok {
				return fmt.Sprintf("it calls kubectl with %s, and kubectl is pinned to %s; take the flag out", flag, where)
			}
		}
		if context, ok := call.flag("--context"); ok && context != target.Context {
			return fmt.Sprintf("it calls kubectl with --context %s, and kubectl is pinned to %s; take the flag out, or start a cockpit on that context", context, where)
		}
		if len(call.words) > 1 && call.words[0] == "config" &&
			!slices.Contains([]string{"view", "current-context", "get-contexts", "get-clusters", "get-users"}, call.words[1]) {
			return fmt.Sprintf("kubectl config %s would change what the cockpit is pinned to (%s)", call.words[1], where)
		}
	}
	return ""
}

// elsewhere lists the namespaces that a script names beside the pinned one.
func elsewhere(text shellText, target runbooks.Target) []string {
	found := map[string]bool{}
	for _, call := range text.calls {
		if namespace, ok := call.flag("-n", "--namespace"); ok && namespace != target.Namespace {
			found[namespace] = true
		}
		for _, flag := range []string{"-A", "--all-namespaces"} {
			if value, ok := call.flags[flag]; ok && value != "false" {
				found["all namespaces"] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// sqlObject finds the table, index, database or role that a statement changes.
var sqlObject = regexp.MustCompile(`(?is)^\s*(?:` +
	`(?:drop|alter|create|reindex)\s+(?:unique\s+)?(?:table|index|database|schema|view|materialized\s+view|role|user|sequence)\s+(?:concurrently\s+)?(?:if\s+(?:not\s+)?exists\s+)?` +
	`|truncate\s+(?:table\s+)?(?:only\s+)?|delete\s+from\s+(?:only\s+)?|update\s+(?:only\s+)?|insert\s+into\s+|vacuum\s+(?:full\s+)?(?:analyze\s+)?` +
	`)"?([\w.$]+)"?`)

// sqlComment is what may stand before a statement.
var sqlComment = regexp.MustCompile(`(?s)^\s*(?:--[^\n]*\n|/\*.*?\*/)`)

// confirmWord is what an operator types to run a command: the name of the
// object that it acts on where the text has one, otherwise the namespace, or
// the context, so that whoever types it has read where it runs.
func confirmWord(bound runbooks.Bound, text shellText, target runbooks.Target) string {
	if bound.Command.Language == runbooks.SQL {
		statement := bound.Script
		for loc := sqlComment.FindStringIndex(statement); loc != nil; loc = sqlComment.FindStringIndex(statement) {
			statement = statement[loc[1]:]
		}
		if m := sqlObject.FindStringSubmatch(statement); m != nil {
			return m[1]
		}
	}
	for _, call := range text.calls {
		if name := call.object(); call.changes() && name != "" && !strings.Contains(name, "$") {
			return name
		}
	}
	for _, place := range []string{target.Namespace, target.Context} {
		if place != "" {
			return place
		}
	}
	return "run"
}
