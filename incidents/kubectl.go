package incidents

import (
	"path"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/erpgo/flightdeck/runbooks"
)

// kubectlCall is one call of kubectl in a script, as far as its text tells.
type kubectlCall struct {
	words []string          // verb and arguments without flags, up to "--"
	flags map[string]string // flag with its dashes to its value; "" where it has none in the text
}

// shellText is what a bash script says of the cluster it would reach.
type shellText struct {
	calls      []kubectlCall
	assigned   []string // names of the variables that it sets
	unreadable bool     // it does not parse
}

// shellOf reads a bound command; the text of one that is not bash is empty.
func shellOf(bound runbooks.Bound) shellText {
	if bound.Command.Language != runbooks.Bash {
		return shellText{}
	}
	text, ok := readShell(bound.Script)
	text.unreadable = !ok
	return text
}

// readShell finds the kubectl calls of a script, also those inside the quoted
// text that sh -c, bash -c and watch are given. ok is false for a script that
// does not parse.
func readShell(script string) (text shellText, ok bool) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		return shellText{}, false
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.Assign:
			if n.Name != nil {
				text.assigned = append(text.assigned, n.Name.Value)
			}
		case *syntax.CallExpr:
			text.read(n.Args)
		}
		return true
	})
	return text, true
}

// read takes one simple command.
func (t *shellText) read(args []*syntax.Word) {
	words := make([]string, len(args))
	for i, w := range args {
		words[i] = wordText(w)
	}
	for i, word := range words {
		switch name := path.Base(word); name {
		case "kubectl":
			t.calls = append(t.calls, readKubectl(words[i+1:]))
			return
		case "sh", "bash", "watch":
			for _, inner := range words[i+1:] {
				if nested, ok := readShell(inner); ok && strings.ContainsAny(inner, " \t\n") {
					t.calls = append(t.calls, nested.calls...)
					t.assigned = append(t.assigned, nested.assigned...)
				}
			}
		case "env", "unset": // export and declare are assignments to the parser
			for _, assigned := range words[i+1:] {
				name, _, _ := strings.Cut(assigned, "=")
				t.assigned = append(t.assigned, name)
			}
		}
	}
}

// wordText is a word with its quotes removed; what is expanded in it is "$".
func wordText(w *syntax.Word) string {
	var b strings.Builder
	var add func([]syntax.WordPart)
	add = func(parts []syntax.WordPart) {
		for _, part := range parts {
			switch p := part.(type) {
			case *syntax.Lit:
				b.WriteString(strings.ReplaceAll(p.Value, `\`, ""))
			case *syntax.SglQuoted:
				b.WriteString(p.Value)
			case *syntax.DblQuoted:
				add(p.Parts)
			default:
				b.WriteByte('$')
			}
		}
	}
	add(w.Parts)
	return b.String()
}

// valueFlags are the flags of kubectl's changing commands whose value may be
// the next word (kubectl options, kubectl VERB --help; 1.36).
var valueFlags = []string{
	"-n", "--namespace", "--context", "--cluster", "--user", "--kubeconfig", "-s", "--server", "--token",
	"--as", "--as-group", "--as-uid", "--request-timeout", "--cache-dir", "--certificate-authority",
	"--client-certificate", "--client-key", "--tls-server-name", "-v", "--v",
	"-l", "--selector", "--field-selector", "-o", "--output", "-f", "--filename", "-k", "--kustomize",
	"-c", "--container", "--patch", "--patch-file", "--type", "--subresource", "--replicas", "--current-replicas",
	"--resource-version", "--to-revision", "--revision", "--timeout", "--grace-period", "--cascade", "--dry-run",
	"--image", "--limits", "--requests", "--env", "-e", "--from", "--keys", "--prefix", "--overrides", "--port",
	"--pod-running-timeout", "--tail", "--since", "--since-time", "--template", "--for", "--field-manager",
	"--min", "--max", "--cpu-percent", "--name", "--target-port", "--protocol", "--labels", "--restart",
}

// readKubectl parts the words behind kubectl into arguments and flags.
func readKubectl(words []string) kubectlCall {
	call := kubectlCall{flags: map[string]string{}}
	for i := 0; i < len(words); i++ {
		word := words[i]
		name, value, glued := strings.Cut(word, "=")
		switch {
		case word == "--":
			return call
		case !strings.HasPrefix(word, "-") || word == "-":
			call.words = append(call.words, word)
		case glued:
			call.flags[name] = value
		case call.takesNext(word):
			if i++; i < len(words) {
				call.flags[word] = words[i]
			}
		case len(word) > 2 && word[1] != '-' && slices.Contains(valueFlags, word[:2]):
			call.flags[word[:2]] = word[2:] // -nerpgo
		default:
			call.flags[word] = ""
		}
	}
	return call
}

// takesNext tells whether a flag's value is the next word. -p is --patch for
// patch, and --previous, without a value, for logs.
func (c kubectlCall) takesNext(flag string) bool {
	return slices.Contains(valueFlags, flag) || flag == "-p" && len(c.words) > 0 && c.words[0] == "patch"
}

// flag returns the value of a flag by any of its names.
func (c kubectlCall) flag(names ...string) (string, bool) {
	for _, name := range names {
		if value, ok := c.flags[name]; ok {
			return value, true
		}
	}
	return "", false
}

// changes tells whether the verb is one that can change something. It decides
// which object a confirmation names, not whether one is asked for.
func (c kubectlCall) changes() bool {
	if len(c.words) == 0 {
		return false
	}
	switch c.words[0] {
	case "get", "describe", "logs", "top", "explain", "version", "api-resources", "api-versions", "auth",
		"diff", "wait", "events", "cluster-info", "config", "port-forward", "completion", "options":
		return false
	case "rollout":
		return len(c.words) > 1 && c.words[1] != "history" && c.words[1] != "status"
	}
	return true
}

// object is the name of what the call acts on, without its type; empty where
// the text does not name one.
func (c kubectlCall) object() string {
	if len(c.words) == 0 {
		return ""
	}
	verb, rest := c.words[0], c.words[1:]
	switch verb {
	case "rollout", "set":
		rest = rest[min(1, len(rest)):]
	case "create":
		rest = rest[min(1, len(rest)):]
		if len(rest) > 1 && (c.words[1] == "secret" || c.words[1] == "service" || c.words[1] == "quota") {
			rest = rest[1:] // create secret generic NAME
		}
		return first(rest)
	case "exec", "attach", "debug", "run", "cordon", "uncordon", "drain":
		_, name, found := strings.Cut(first(rest), "/")
		if !found {
			name = first(rest)
		}
		return name
	case "apply", "replace", "cp":
		return ""
	}
	if kind, name, found := strings.Cut(first(rest), "/"); found && kind != "" {
		return name
	}
	if len(rest) > 1 && !strings.ContainsAny(rest[1], "=/") {
		return rest[1]
	}
	return ""
}

func first(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return words[0]
}
