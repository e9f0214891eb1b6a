package runbooks

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// Verdict is what a command can do, and what made it so.
type Verdict struct {
	Risk     Risk
	Findings []Finding // everything in it that is not certain to only read, as it stands in the command
}

// Finding is one part of a command that is not certain to only read.
type Finding struct {
	Text string // the part, shortened
	Risk Risk
	Why  string // "deletes files", "runs ./scripts/warm-cache.sh, which cannot be looked into"
}

// Judge tells what a command can do, from what it parses to: every stage of a
// pipe, every redirection and substitution, and every command inside a command
// (kubectl exec, sudo, sh -c, xargs, psql -c). What cannot be told is Unknown,
// never Reads. Placeholders count as words that are neither options nor
// commands, which is what Bind makes sure of.
func Judge(language Language, text string) Verdict {
	masked := mask(text, findPlaceholders(text))
	if language == SQL {
		return judgeSQL(masked)
	}
	file, err := parseShell(masked)
	if err != nil {
		return Verdict{Unknown, []Finding{{shorten(text), Unknown, "does not parse: " + shellError(err)}}}
	}
	return judgeShell(file)
}

// judge collects findings.
type judge struct {
	findings []Finding
}

func (j *judge) add(risk Risk, text, why string) {
	if risk != Reads {
		j.findings = append(j.findings, Finding{shorten(text), risk, why})
	}
}

func (j *judge) verdict() Verdict {
	v := Verdict{Risk: Reads, Findings: j.findings}
	for _, f := range j.findings {
		v.Risk = v.Risk.worse(f.Risk)
	}
	return v
}

const maxFindingText = 120 // bytes

func shorten(s string) string {
	s = strings.Join(strings.Fields(strings.ReplaceAll(s, hole, "…")), " ")
	if len(s) > maxFindingText {
		s = strings.ToValidUTF8(s[:maxFindingText], "") + "…"
	}
	return s
}

// judgeShell judges a parsed script.
func judgeShell(file *syntax.File) Verdict {
	j := &judge{}
	shellVisitor{node: j.node, call: j.call}.visit(file, local, 0)
	return j.verdict()
}

// decidingVariables decide what other programs run, or where.
var decidingVariables = optionSet("PATH LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT DYLD_INSERT_LIBRARIES BASH_ENV ENV IFS PROMPT_COMMAND SHELLOPTS BASHOPTS PS0 PS4 " +
	"EDITOR VISUAL PAGER MANPAGER LESSOPEN LESSCLOSE BROWSER PSQL_PAGER PSQL_EDITOR PSQLRC KUBE_EDITOR KUBECTL_EXTERNAL_DIFF KUBECONFIG " +
	"GIT_SSH GIT_SSH_COMMAND GIT_EDITOR GIT_PAGER GIT_EXTERNAL_DIFF GIT_ASKPASS GIT_CONFIG_GLOBAL GIT_DIR GIT_EXEC_PATH SSH_ASKPASS " +
	"PERL5OPT PERL5LIB PYTHONPATH PYTHONSTARTUP PYTHONHOME RUBYOPT RUBYLIB NODE_OPTIONS NODE_PATH JAVA_TOOL_OPTIONS RIPGREP_CONFIG_PATH " +
	"DOCKER_HOST HELM_PLUGINS HELM_KUBECONTEXT AWS_CONFIG_FILE HOME SHELL TAR_OPTIONS GREP_OPTIONS MAKEFLAGS GOFLAGS WATCH_INTERVAL")

// decides tells whether a variable decides what other programs run, or where.
func decides(name string) bool {
	return decidingVariables[name] || strings.HasPrefix(name, "BASH_FUNC_")
}

// hidesSubstitution tells whether a text holds a subscript with a substitution,
// which the shell evaluates where it wants a variable's name: 'a[$(rm x)]'.
func hidesSubstitution(a arg) bool {
	_, subscript, ok := strings.Cut(a.text, "[")
	return ok && (strings.Contains(subscript, "$(") || strings.Contains(subscript, "`"))
}

// takesNames are builtins whose arguments may be names of variables.
var takesNames = optionSet("test [ unset printf read let declare export typeset local readonly mapfile readarray getopts wait")

// node judges what a script does beside starting programs.
func (j *judge) node(n syntax.Node, _ place) {
	switch n := n.(type) {
	case *syntax.Assign:
		switch {
		case n.Name != nil && decides(n.Name.Value) && !n.Naked:
			j.add(Unknown, n.Name.Value+"=…", "decides what other programs run, or where")
		case n.Name == nil && n.Value != nil && !newArg(n.Value).static:
			j.add(Unknown, "export …", "sets variables that are known only when it runs")
		case n.Name == nil && n.Value != nil && strings.Contains(newArg(n.Value).text, "n") && strings.HasPrefix(newArg(n.Value).text, "-"):
			j.add(Unknown, "declare -n", "makes one variable stand for another")
		}
	case *syntax.WordIter:
		if decides(n.Name.Value) {
			j.add(Unknown, n.Name.Value, "decides what other programs run, or where")
		}
	case *syntax.TestClause, *syntax.ArithmCmd, *syntax.ArithmExp, *syntax.LetClause:
		syntax.Walk(n, func(inner syntax.Node) bool {
			if w, ok := inner.(*syntax.Word); ok && hidesSubstitution(newArg(w)) {
				j.add(Unknown, newArg(w).text, "evaluates a subscript that runs something")
			}
			return true
		})
	case *syntax.Redirect:
		j.redirect(n)
	case *syntax.ParamExp:
		if n.Exp != nil && n.Exp.Op == syntax.OtherParamOps || n.Excl {
			j.add(Unknown, "${…}", "expands to what another variable names")
		}
	}
}

// redirect judges a redirection by the file it writes.
func (j *judge) redirect(r *syntax.Redirect) {
	if r.Word == nil {
		return
	}
	target := newArg(r.Word)
	switch r.Op {
	case syntax.RdrOut, syntax.RdrClob, syntax.RdrAll, syntax.AppOut, syntax.AppAll, syntax.RdrInOut:
	case syntax.DplOut:
		if isNumber(target.text) || target.text == "-" {
			return
		}
	case syntax.RdrIn:
		if strings.HasPrefix(target.text, "/dev/tcp/") || strings.HasPrefix(target.text, "/dev/udp/") || !target.static {
			j.add(Unknown, "< "+target.text, "reads from a place that cannot be told")
		}
		return
	default:
		return
	}
	text := r.Op.String() + " " + target.text
	switch name := target.text; {
	case !target.static:
		j.add(Unknown, text, "writes to a place that cannot be told")
	case name == "/dev/null", name == "/dev/stdout", name == "/dev/stderr", name == "/dev/tty", strings.HasPrefix(name, "/dev/fd/"):
	case strings.HasPrefix(name, "/dev/"), strings.HasPrefix(name, "/proc/"), strings.HasPrefix(name, "/sys/"):
		j.add(Destroys, text, "writes to a device or the kernel")
	case r.Op == syntax.AppOut || r.Op == syntax.AppAll:
		j.add(Changes, text, "appends to a file")
	default:
		j.add(Changes, text, "overwrites a file")
	}
}

// call judges one program of a command line. What it starts is judged by
// itself.
func (j *judge) call(inv invocation, fed bool) {
	found := func(risk Risk, why string) {
		if risk != Reads {
			j.add(risk, inv.String(), why)
		}
	}
	if inv.name == "" {
		found(unknownProgram(inv))
		return
	}
	if script, ok := inv.scriptText(); ok {
		if _, err := parseShell(script); err != nil {
			found(Unknown, "holds a script that does not parse")
		}
	} else if inv.script != nil || len(inv.scripts) > 0 {
		found(Unknown, "runs a text that is known only when it runs")
	}
	if inv.appended && (inv.script != nil || len(inv.scripts) > 0) {
		found(Unknown, "puts data into a script")
	}
	if takesNames[inv.name] {
		for _, a := range inv.args {
			if hidesSubstitution(a) {
				found(Unknown, "evaluates a subscript that runs something")
			}
			if name, _, set := strings.Cut(a.text, "="); set && decides(name) {
				found(Unknown, "sets "+name+", which decides what other programs run, or where")
			}
			if decides(a.text) && (inv.name == "read" || inv.name == "printf" && hasOption(inv.args, "-v")) {
				found(Unknown, "sets "+a.text+", which decides what other programs run, or where")
			}
		}
	}
	p, known := programs[inv.name]
	if !known {
		found(unknownProgram(inv))
		return
	}
	risk, why := p.judge(inv, fed)
	if risk != Reads {
		found(risk, firstOf(why, inv.name+" "+verbFor(risk)))
	}
}

func verbFor(r Risk) string {
	switch r {
	case Changes:
		return "changes something"
	case Destroys:
		return "destroys something"
	}
	return "cannot be looked into"
}

// String is the invocation as one line.
func (inv invocation) String() string {
	parts := []string{inv.word.text}
	for _, a := range inv.args {
		parts = append(parts, a.text)
	}
	return strings.Join(parts, " ")
}

// unknownProgram judges a program that nothing is known about: a script of the
// team's. What its words announce can only make it worse.
func unknownProgram(inv invocation) (Risk, string) {
	switch {
	case !inv.word.static:
		return Unknown, "what it runs is known only when it runs"
	case inv.word.escaped:
		return Unknown, "its name is hidden by a backslash"
	}
	if announcesLoss(inv) {
		return Destroys, inv.word.text + " announces that it restores over, resets, or removes something"
	}
	return Unknown, "runs " + inv.word.text + ", which cannot be looked into"
}

// losing are words by which scripts and tools announce what cannot be taken
// back.
var losing = optionSet("restore reset destroy drop wipe purge delete remove truncate flush erase nuke cleanup prune")

// announcesLoss tells whether a script's name begins with such a word, or its
// first two operands are one: "restore-database.sh", "recovery.sh restore",
// "migrate down".
func announcesLoss(inv invocation) bool {
	base := strings.ToLower(inv.word.text[strings.LastIndexByte(inv.word.text, '/')+1:])
	if end := strings.IndexAny(base+" ", "-_. "); losing[base[:end]] {
		return true
	}
	migrates := strings.Contains(base, "migrat")
	seen := 0
	for _, a := range inv.args {
		word := strings.ToLower(a.text)
		if name, ok := strings.CutPrefix(word, "--"); ok && losing[name] {
			return true
		}
		if a.option() {
			continue
		}
		if seen++; seen > 2 {
			break
		}
		for _, part := range strings.Split(word, ":") { // rails db:drop
			if losing[part] || migrates && part == "down" {
				return true
			}
			migrates = migrates || strings.Contains(part, "migrat")
		}
	}
	return false
}
