package runbooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	interpreted "mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// kubectlCall is one call of kubectl on this machine, as a script would make
// it.
type kubectlCall struct {
	verb     string   // "scale", "rollout undo", "set env"
	operands []string // behind the verb, up to "--"
	options  []string // with their values
	rest     []string // behind "--"
	stdin    string   // what a heredoc gives it
	unclear  bool     // a word of it is known only when it runs
}

// verbsOfTwo are kubectl's verbs that have a second word.
var verbsOfTwo = optionSet("rollout set auth config certificate top cluster-info create")

// newKubectlCall reads an invocation. env are the variables that the words may
// use.
func newKubectlCall(inv invocation, env []string) kubectlCall {
	call := kubectlCall{unclear: inv.appended}
	args := slices.Clone(inv.args)
	for i, a := range args {
		if a.static {
			continue
		}
		text, ok := expandWord(a, env)
		if !ok {
			call.unclear = true
			continue
		}
		args[i] = arg{text: text, static: true, word: a.word}
	}
	operands, options, rest := words(args, kubectlTakes)
	call.operands, call.options, call.rest = texts(operands), texts(options), texts(rest)
	if len(call.operands) > 0 {
		call.verb, call.operands = call.operands[0], call.operands[1:]
	}
	if verbsOfTwo[call.verb] && len(call.operands) > 0 && !strings.Contains(call.operands[0], "/") {
		call.verb, call.operands = call.verb+" "+call.operands[0], call.operands[1:]
	}
	return call
}

func texts(args []arg) []string {
	var out []string
	for _, a := range args {
		out = append(out, a.text)
	}
	return out
}

// expandWord is a word with the values of its variables in it, where it stays
// one word and nothing has to be run for it.
func expandWord(a arg, env []string) (string, bool) {
	if a.word == nil {
		return "", false
	}
	config := &interpreted.Config{Env: interpreted.ListEnviron(env...), NoUnset: true}
	text, err := interpreted.Literal(config, a.word)
	return text, err == nil && (oneWord(a.word) || !strings.ContainsAny(text, " \t\n*?["))
}

// kubectlCalls lists the calls of kubectl on this machine, and whether anything
// else than kubectl changes something in the script.
func kubectlCalls(script string, env []string) (calls []kubectlCall, others bool) {
	file, err := parseShell(mask(script, findPlaceholders(script)))
	if err != nil {
		return nil, true
	}
	stdin := ""
	shellVisitor{
		node: func(n syntax.Node, _ place) {
			switch n := n.(type) {
			case *syntax.Stmt:
				stdin = heredocText(n)
			case *syntax.IfClause, *syntax.WhileClause, *syntax.ForClause, *syntax.CaseClause, *syntax.FuncDecl, *syntax.CmdSubst:
				others = true
			}
		},
		call: func(inv invocation, fed bool) {
			if inv.name != "kubectl" || inv.place != local {
				risk := Unknown
				if p, ok := programs[inv.name]; ok {
					risk, _ = p.judge(inv, fed)
				}
				others = others || risk != Reads
				return
			}
			call := newKubectlCall(inv, env)
			call.stdin = stdin
			call.unclear = call.unclear || fed && stdin == ""
			calls = append(calls, call)
		},
	}.visit(file, local, 0)
	return calls, others
}

// heredocText is what a statement's heredoc holds, where that is known.
func heredocText(stmt *syntax.Stmt) string {
	for _, r := range stmt.Redirs {
		if r.Hdoc == nil {
			continue
		}
		if text, static := quotedText(r.Hdoc.Parts, "\\$`\n"); static {
			return text
		}
	}
	return ""
}

// changes tells whether the call is one that changes something.
func (c kubectlCall) changes() bool {
	risk, known := kubectlVerbs[c.verb]
	if !known {
		first, _, _ := strings.Cut(c.verb, " ")
		risk, known = kubectlVerbs[first]
	}
	return !known && c.verb != "exec" || known && risk != Reads
}

// option is the last value of an option by any of its names.
func (c kubectlCall) option(names ...string) (value string, given bool) {
	for i, o := range c.options {
		for _, name := range names {
			switch {
			case o == name && i+1 < len(c.options) && kubectlTakes[name]:
				value, given = c.options[i+1], true
			case o == name:
				value, given = "", true
			case strings.HasPrefix(o, name+"="):
				value, given = strings.TrimPrefix(o, name+"="), true
			}
		}
	}
	return value, given
}

// only are the options of these names, with their values.
func (c kubectlCall) only(names ...string) []string {
	var out []string
	for i, o := range c.options {
		name, _, glued := strings.Cut(o, "=")
		if !slices.Contains(names, name) {
			continue
		}
		out = append(out, o)
		if !glued && kubectlTakes[name] && i+1 < len(c.options) {
			out = append(out, c.options[i+1])
		}
	}
	return out
}

// namespaced are the options that say in which namespace a call acts.
func (c kubectlCall) namespaced() []string { return c.only("-n", "--namespace") }

// where is the namespace that a call acts in.
func (c kubectlCall) where(t Target) string {
	if all, given := c.option("-A", "--all-namespaces"); given && all != "false" {
		return "all namespaces"
	}
	if namespace, given := c.option("-n", "--namespace"); given {
		return namespace
	}
	return t.Namespace
}

// leavesTarget tells whether a call names another cluster or user than the
// pinned one. The runner refuses it; nothing is asked of that cluster either.
func (c kubectlCall) leavesTarget() bool {
	return len(c.only("--kubeconfig", "--context", "--cluster", "--server", "-s", "--user", "--token", "--as", "--as-group", "--as-uid")) > 0
}

// objects are the operands that name what a call acts on: KIND NAME…, or
// KIND/NAME…, without the assignments of set, label and annotate.
func (c kubectlCall) objects() []string {
	if first, _, _ := strings.Cut(c.verb, " "); first != "set" && first != "label" && first != "annotate" && first != "taint" {
		return c.operands
	}
	return slices.DeleteFunc(slices.Clone(c.operands), func(o string) bool {
		return strings.Contains(o, "=") || strings.HasSuffix(o, "-")
	})
}

const (
	// maxKubectlOutput bounds what one look at the cluster may bring, in bytes.
	maxKubectlOutput = 8 << 20
	// kubectlGrace is how long a kubectl whose time is up may hold its pipes.
	kubectlGrace = 200 * time.Millisecond
)

// kubectl asks the pinned cluster. Callers give it only what reads, or
// --dry-run=server. The error is what kubectl said.
func (t Target) kubectl(ctx context.Context, stdin string, args ...string) ([]byte, error) {
	if t.Kubeconfig == "" {
		return nil, errors.New("no cluster is configured; set --kubeconfig or KUBECONFIG")
	}
	c := exec.CommandContext(ctx, "kubectl", args...)
	c.Env = environment(os.Environ(), nil, t, runVariable+"=preview")
	c.WaitDelay = kubectlGrace
	c.Stdin = strings.NewReader(stdin)
	var stdout, stderr limitedBuffer
	c.Stdout, c.Stderr = &stdout, &stderr
	err := c.Run()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("kubectl %s: %w; the cluster answers slowly or not at all", args[0], ctx.Err())
	case stdout.over:
		return nil, fmt.Errorf("kubectl %s: more than %d MiB came back", args[0], maxKubectlOutput>>20)
	case err != nil && stderr.Len() > 0:
		return stdout.Bytes(), fmt.Errorf("kubectl %s: %s", args[0], bounded(strings.TrimSpace(stderr.String())))
	case err != nil:
		return stdout.Bytes(), fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return stdout.Bytes(), nil
}

// limitedBuffer keeps the first maxKubectlOutput bytes.
type limitedBuffer struct {
	bytes.Buffer
	over bool
}

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxKubectlOutput {
		b.over = true
		return len(p), nil
	}
	return b.Buffer.Write(p)
}
