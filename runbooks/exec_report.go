package runbooks

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

const (
	// maxKeptVariables bounds how many variables of a script are kept.
	maxKeptVariables = 16
	// maxKeptValue bounds a value, in characters: it is meant for a pod's name
	// or an address. A longer one is left out, and never cut.
	maxKeptValue = 1024
	// maxReport bounds what bash reports of an ended script, in bytes.
	maxReport = 128 << 10
)

// report is what bash said of a script as it ended.
type report struct {
	statuses  string            // of the stages of the last pipeline, as in PIPESTATUS
	variables map[string]string // that the script left set
}

// readReport splits what trap made bash write: the statuses, then NAME=value
// behind a NUL each.
func readReport(text string, names []string) report {
	fields := strings.Split(text, "\x00")
	r := report{statuses: fields[0]}
	for _, field := range fields[1:] {
		name, value, ok := strings.Cut(field, "=")
		if !ok || !slices.Contains(names, name) {
			continue // a script may write to any descriptor
		}
		if r.variables == nil {
			r.variables = map[string]string{}
		}
		r.variables[name] = value
	}
	return r
}

// keptVariables are the names of the variables that a script sets and that the
// commands after it can use: assigned or exported at its top level, without
// those that decide what other programs run. What looks like a secret, by its
// name or by where the script gets it from, is withheld.
func keptVariables(script string) (kept, withheld []string) {
	file, err := parseShell(script)
	if err != nil {
		return nil, nil
	}
	var c Command
	for _, stmt := range file.Stmts {
		c.sets(stmt)
	}
	secret := len(c.Sets) > 0 && readsSecrets(file)
	for _, name := range c.Sets {
		switch {
		case !syntax.ValidName(name) || ambientVariables[name] || decides(name) || pinned(name):
		case secret || Describe(name).Secret:
			withheld = append(withheld, name)
		default:
			kept = append(kept, name)
		}
	}
	return kept[:min(len(kept), maxKeptVariables)], withheld
}

// readsSecrets tells whether a script asks a keeper of secrets for one, so that
// a variable of whatever name may hold it.
func readsSecrets(file *syntax.File) bool {
	found := false
	shellVisitor{call: func(inv invocation, _ bool) {
		call := Call{Program: inv.name}
		for _, a := range inv.args {
			call.Args = append(call.Args, a.text)
		}
		operands := call.Operands()
		first, second := "", ""
		if len(operands) > 0 {
			first = operands[0]
		}
		if len(operands) > 1 {
			second, _, _ = strings.Cut(operands[1], "/")
		}
		switch inv.name {
		case "kubectl", "oc":
			found = found || first == "get" && slices.ContainsFunc(strings.Split(second, ","), isSecretKind) ||
				first == "create" && second == "token"
		case "aws":
			found = found || first == "secretsmanager" || first == "ssm" || first == "sts"
		case "vault", "pass", "op", "gopass", "sops":
			found = true
		case "gcloud", "az":
			found = found || first == "secrets" || first == "keyvault" || first == "auth" || first == "account"
		}
	}}.visit(file, local, 0)
	return found
}

func isSecretKind(kind string) bool { return kind == "secret" || kind == "secrets" }
