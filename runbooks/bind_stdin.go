package runbooks

import "mvdan.cc/sh/v3/syntax"

// redirected finds out who gets what a redirection brings.
func (e *shellEncoder) redirected(ctx *wordContext, r *syntax.Redirect, w *syntax.Word) error {
	stmt, ok := e.parent(1).(*syntax.Stmt)
	if !ok {
		return errNoValue
	}
	switch {
	case r.Hdoc == w:
		ctx.here = r
		ctx.code = e.stdin(stmt.Cmd)
	case r.Op == syntax.WordHdoc:
		ctx.code = e.stdin(stmt.Cmd)
	case r.Op == syntax.Hdoc, r.Op == syntax.DashHdoc, r.Op == syntax.DplIn, r.Op == syntax.DplOut:
		return errNoValue
	}
	if ctx.code == shellCode {
		ctx.place = e.stdinPlace(stmt.Cmd)
	}
	return nil
}

// stdin tells what a command takes its standard input for.
func (e *shellEncoder) stdin(cmd syntax.Command) code {
	call, ok := cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) == 0 {
		return narrowCode
	}
	chain := expandAt(arguments(call.Args), e.at, false, 0)
	leaf := chain[len(chain)-1]
	switch leaf.name {
	case "psql":
		if !hasOption(leaf.args, "-c", "--command", "-f", "--file") {
			return sqlCode
		}
		return plainCode
	case "sh", "bash", "dash", "zsh", "ash", "ksh":
		if leaf.script == nil && len(operands(leaf.args, "oO")) == 0 {
			return shellCode
		}
		return plainCode
	case "ssh":
		if leaf.script == nil && len(leaf.scripts) == 0 {
			return shellCode
		}
		return lineCode
	case "kubectl", "oc":
		if files := optionValues(leaf.args, "-f", "--filename"); len(files) > 0 && files[0].text == "-" {
			return yamlCode
		}
		return lineCode
	case "cat", "tee", "grep", "egrep", "fgrep", "wc", "head", "tail", "sort", "uniq", "cut", "tr", "base64", "nl", "tac", "md5sum", "sha256sum", "less", "more", "column", "true", "rev", "fold", "od", "hexdump":
		return plainCode
	}
	return narrowCode
}

// stdinPlace is where a script on a command's standard input runs.
func (e *shellEncoder) stdinPlace(cmd syntax.Command) place {
	call, ok := cmd.(*syntax.CallExpr)
	if !ok {
		return e.at
	}
	chain := expandAt(arguments(call.Args), e.at, false, 0)
	leaf := chain[len(chain)-1]
	if leaf.name == "ssh" {
		return remote
	}
	return leaf.place
}

// consumer tells what the stages to the right of the visited word's stage take
// their input for, the most dangerous of them.
func (e *shellEncoder) consumer() code {
	var below syntax.Node
	for i := 0; e.parent(i) != nil; i++ {
		n := e.parent(i)
		if b, ok := n.(*syntax.BinaryCmd); ok && (b.Op == syntax.Pipe || b.Op == syntax.PipeAll) && below == b.X {
			found := plainCode
			syntax.Walk(b.Y, func(n syntax.Node) bool {
				if c, ok := n.(*syntax.CallExpr); ok && len(c.Args) > 0 {
					if code := e.stdin(c); code == yamlCode && found == plainCode {
						found = yamlCode
					} else if code != plainCode && code != lineCode && code != yamlCode && !e.filters(c) {
						found = narrowCode
					}
				}
				return true
			})
			if found != plainCode {
				return found
			}
		}
		below = n
	}
	return plainCode
}

// filters tells whether a command only passes its input on: what it is told to
// do with it stands in its arguments.
func (e *shellEncoder) filters(call *syntax.CallExpr) bool {
	chain := expandAt(arguments(call.Args), e.at, false, 0)
	switch chain[len(chain)-1].name {
	case "awk", "gawk", "mawk", "nawk", "sed", "gsed", "jq", "yq", "xmllint", "gzip", "zcat", "curl", "nc", "mail":
		return true
	}
	return false
}

// substitutedInto tells whether the visited word stands in a substitution whose
// output becomes code.
func (e *shellEncoder) substitutedInto() bool {
	for i := 0; e.parent(i) != nil; i++ {
		w, ok := e.parent(i).(*syntax.Word)
		if !ok {
			continue
		}
		outer := &shellEncoder{text: e.text, at: e.at, stack: e.stack[:len(e.stack)-1-i]}
		if ctx, err := outer.context(w); err != nil || ctx.code != plainCode {
			return true
		}
	}
	return false
}
