package runbooks

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// shellBuiltins are words that need nothing on PATH.
var shellBuiltins = optionSet(": . [ alias bg bind break builtin caller cd command compgen complete continue declare dirs disown echo " +
	"enable eval exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile popd printf pushd pwd read " +
	"readarray readonly return set shift shopt source suspend test times trap true type typeset ulimit umask unalias unset wait")

// ambientVariables are set on every machine: nobody is asked for them.
var ambientVariables = optionSet("HOME USER LOGNAME PATH PWD OLDPWD SHELL HOSTNAME LANG LC_ALL TERM EDITOR VISUAL PAGER RANDOM SECONDS " +
	"UID EUID PPID BASHPID LINENO IFS TMPDIR KUBECONFIG REPLY OPTARG OPTIND FUNCNAME BASH_SOURCE PIPESTATUS BASH_VERSION XDG_CONFIG_HOME XDG_CACHE_HOME")

// describeShell fills in what can be told of a shell command before it runs.
func describeShell(c *Command) {
	file, err := parseShell(mask(c.Text, findPlaceholders(c.Text)))
	if err != nil {
		c.Placeholders = placeholderNames(findPlaceholders(c.Text))
		c.Problem = "not a bash command: " + shellError(err)
		c.Risk = Unknown
		return
	}
	describeParsed(c, file.Stmts, 0)
}

// describeParsed is describeShell for statements of a script in which the
// command begins at the offset base.
func describeParsed(c *Command, stmts []*syntax.Stmt, base int) {
	if uses := findPlaceholders(c.Text); len(uses) > 0 {
		c.Placeholders = placeholderNames(outsideComments(stmts, uses, base))
	}
	set := map[string]bool{}
	var read []string
	j := &judge{}
	v := shellVisitor{
		node: func(n syntax.Node, at place) {
			j.node(n, at)
			if at != local {
				return
			}
			switch n := n.(type) {
			case *syntax.Assign:
				if n.Name != nil {
					set[n.Name.Value] = true
				}
			case *syntax.WordIter:
				set[n.Name.Value] = true
			case *syntax.ParamExp:
				if n.Param != nil && asksFor(n) {
					read = append(read, n.Param.Value)
				}
			case *syntax.Redirect:
				c.redirect(n, base)
			}
		},
		call: func(inv invocation, fed bool) {
			j.call(inv, fed)
			c.invoke(inv, fed, set, base)
		},
	}
	for _, stmt := range stmts {
		v.visit(stmt, local, 0)
		c.sets(stmt)
	}
	c.Risk = j.verdict().Risk
	for _, name := range read {
		if !set[name] && !ambientVariables[name] {
			add(&c.Variables, name)
		}
	}
	if strings.Contains(c.Text, "$(") || strings.ContainsAny(c.Text, "`") || strings.Contains(c.Text, "<(") || strings.Contains(c.Text, ">(") {
		c.substitutions(stmts, base)
	}
}

// substitutions notes the outermost substitutions as they are written.
func (c *Command) substitutions(stmts []*syntax.Stmt, base int) {
	for _, stmt := range stmts {
		syntax.Walk(stmt, func(n syntax.Node) bool {
			switch n.(type) {
			case *syntax.CmdSubst, *syntax.ProcSubst:
				from, to := int(n.Pos().Offset())-base, int(n.End().Offset())-base
				if 0 <= from && from < to && to <= len(c.Text) {
					c.Substitutions = append(c.Substitutions, c.Text[from:to])
				}
				return false
			}
			return true
		})
	}
}

// asksFor tells whether an expansion needs a value: not $1, $?, ${x:-default}.
func asksFor(p *syntax.ParamExp) bool {
	if !syntax.ValidName(p.Param.Value) {
		return false
	}
	if p.Exp != nil {
		switch p.Exp.Op {
		case syntax.DefaultUnset, syntax.DefaultUnsetOrNull, syntax.AssignUnset, syntax.AssignUnsetOrNull,
			syntax.AlternateUnset, syntax.AlternateUnsetOrNull:
			return false
		}
	}
	return true
}

// outsideComments are the uses that do not stand in a trailing comment.
func outsideComments(stmts []*syntax.Stmt, uses []placeholderUse, base int) []placeholderUse {
	var comments [][2]int
	for _, stmt := range stmts {
		syntax.Walk(stmt, func(n syntax.Node) bool {
			if c, ok := n.(*syntax.Comment); ok {
				comments = append(comments, [2]int{int(c.Pos().Offset()) - base, int(c.End().Offset()) - base})
			}
			return true
		})
	}
	if len(comments) == 0 {
		return uses
	}
	return slices.DeleteFunc(slices.Clone(uses), func(u placeholderUse) bool {
		for _, c := range comments {
			if u.start >= c[0] && u.start < c[1] {
				return true
			}
		}
		return false
	})
}

// shellError is a parse error without the position's prefix repeated by others.
func shellError(err error) string {
	return strings.TrimSpace(err.Error())
}

func add(list *[]string, s string) {
	if s != "" && !slices.Contains(*list, s) {
		*list = append(*list, s)
	}
}

// redirect notes the files that a redirection reads or writes.
func (c *Command) redirect(r *syntax.Redirect, base int) {
	if r.Word == nil {
		return
	}
	target := newArg(r.Word)
	if !target.static || strings.HasPrefix(target.text, "/dev/") {
		return
	}
	name := c.original(r.Word, target, base)
	switch r.Op {
	case syntax.RdrIn:
		add(&c.Files, name)
	case syntax.RdrOut, syntax.AppOut, syntax.RdrClob, syntax.RdrAll, syntax.AppAll, syntax.RdrInOut:
		add(&c.Writes, name)
	}
}

// original is a word as the book has it where a placeholder is in it, and its
// value otherwise.
func (c *Command) original(w *syntax.Word, a arg, base int) string {
	if w == nil || len(c.Placeholders) == 0 {
		return a.text
	}
	from, to := int(w.Pos().Offset())-base, int(w.End().Offset())-base
	if 0 <= from && from < to && to <= len(c.Text) {
		if raw := c.Text[from:to]; len(findPlaceholders(raw)) > 0 {
			return raw
		}
	}
	return a.text
}

// sets notes the variables that a statement leaves behind.
func (c *Command) sets(stmt *syntax.Stmt) {
	switch cmd := stmt.Cmd.(type) {
	case *syntax.CallExpr:
		if len(cmd.Args) == 0 {
			for _, a := range cmd.Assigns {
				if a.Name != nil {
					add(&c.Sets, a.Name.Value)
				}
			}
		}
	case *syntax.DeclClause:
		if cmd.Variant.Value == "export" || cmd.Variant.Value == "declare" || cmd.Variant.Value == "readonly" {
			for _, a := range cmd.Args {
				if a.Name != nil && !a.Naked {
					add(&c.Sets, a.Name.Value)
				}
			}
		}
	case *syntax.BinaryCmd:
		if cmd.Op == syntax.AndStmt || cmd.Op == syntax.OrStmt {
			c.sets(cmd.X)
			c.sets(cmd.Y)
		}
	}
}

// invoke notes what one program of the command means for it.
func (c *Command) invoke(inv invocation, fed bool, set map[string]bool, base int) {
	c.Endless = c.Endless || endless(inv)
	if interactive(inv, fed) {
		c.Interactive = true
		c.Endless = true
	}
	c.TTY = c.TTY || wantsTTY(inv)
	if inv.place != local {
		return
	}
	switch inv.name {
	case "kubectl", "oc", "helm", "stern", "kustomize":
		c.Platform = Kubernetes
	case "docker-compose", "podman-compose":
		c.Platform = Compose
	case "docker", "podman":
		if _, verb := firstOperand(inv.args, dockerTakes); verb == "compose" {
			c.Platform = Compose
		}
	case "read", "mapfile", "readarray":
		for _, a := range inv.args {
			if syntax.ValidName(a.text) {
				set[a.text] = true
			}
		}
	}
	if inv.name != "" && !strings.Contains(inv.word.text, "/") && !shellBuiltins[inv.name] {
		add(&c.Programs, inv.name)
	}
	for _, f := range inv.files() {
		add(&c.Files, c.original(f.word, f, base))
	}
	for _, f := range inv.writes() {
		add(&c.Writes, c.original(f.word, f, base))
	}
}

// files are the arguments that name local files which a program reads or runs.
func (inv invocation) files() []arg {
	var out []arg
	if inv.name == "" && inv.word.static && strings.Contains(inv.word.text, "/") {
		out = append(out, inv.word)
	}
	switch inv.name {
	case "kubectl", "oc":
		if positional, _, _ := inv.kubectlArgs(); len(positional) > 0 && (positional[0].text == "logs" || positional[0].text == "log") {
			break // there -f follows
		}
		out = append(out, optionValues(inv.args, "-f", "--filename", "-k", "--kustomize", "--patch-file", "--from-file")...)
	case "psql":
		out = append(out, optionValues(inv.args, "-f", "--file")...)
	case "helm":
		out = append(out, optionValues(inv.args, "-f", "--values")...)
	case "ansible-playbook", "source", ".":
		out = append(out, operands(inv.args, "ie")...)
		out = out[:min(len(out), 1)]
	case "sh", "bash", "zsh", "dash", "ksh", "python", "python3", "node", "perl", "ruby":
		if rest := operands(inv.args, "ocmWX"); inv.script == nil && len(rest) > 0 && !hasOption(inv.args, "-c", "-m", "-e") {
			out = append(out, rest[0])
		}
	case "cat", "head", "tail", "less", "source-file":
		out = append(out, operands(inv.args, "nc")...)
	}
	return slices.DeleteFunc(out, func(a arg) bool {
		return !a.static || a.text == "-" || a.text == "" || strings.Contains(a.text, "://") || strings.HasPrefix(a.text, "/dev/") || strings.HasPrefix(a.text, "/proc/")
	})
}

// writes are the arguments that name local files which a program writes.
func (inv invocation) writes() []arg {
	var out []arg
	switch inv.name {
	case "tee":
		out = operands(inv.args, "")
	case "curl":
		out = optionValues(inv.args, "-o", "--output")
	case "wget":
		out = optionValues(inv.args, "-O", "--output-document")
	}
	return slices.DeleteFunc(slices.Clone(out), func(a arg) bool {
		return !a.static || a.text == "-" || strings.HasPrefix(a.text, "/dev/")
	})
}
