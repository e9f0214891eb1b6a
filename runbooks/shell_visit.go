package runbooks

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// shellVisitor is told what a script does, programs that other programs start
// included.
type shellVisitor struct {
	call func(inv invocation, fed bool) // fed: something else writes its standard input
	node func(n syntax.Node, at place)  // every node of every script that a shell here interprets
}

// visit walks a script and the scripts inside it (watch '…', sh -c '…').
func (v shellVisitor) visit(root syntax.Node, at place, depth int) {
	if depth > maxDepth {
		return
	}
	fed := map[*syntax.CallExpr]bool{}
	feed := func(n syntax.Node) {
		syntax.Walk(n, func(n syntax.Node) bool {
			if c, ok := n.(*syntax.CallExpr); ok {
				fed[c] = true
			}
			return true
		})
	}
	syntax.Walk(root, func(n syntax.Node) bool {
		if n == nil {
			return true
		}
		if v.node != nil {
			v.node(n, at)
		}
		switch n := n.(type) {
		case *syntax.BinaryCmd:
			if n.Op == syntax.Pipe || n.Op == syntax.PipeAll {
				feed(n.Y)
			}
		case *syntax.Stmt:
			for _, r := range n.Redirs {
				switch r.Op {
				case syntax.RdrIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
					if n.Cmd != nil {
						feed(n.Cmd)
					}
				}
			}
		case *syntax.CallExpr:
			for _, inv := range expandAt(arguments(n.Args), at, false, 0) {
				if v.call != nil {
					v.call(inv, fed[n])
				}
				if script, ok := inv.scriptText(); ok {
					if f, err := parseShell(script); err == nil {
						v.visit(f, inv.scriptPlace(), depth+1)
					}
				}
			}
		}
		return true
	})
}

// scriptText is what another shell will interpret, where it is known.
func (inv invocation) scriptText() (string, bool) {
	if inv.script != nil {
		return inv.script.text, inv.script.static
	}
	if len(inv.scripts) == 0 {
		return "", false
	}
	var texts []string
	for _, a := range inv.scripts {
		if !a.static {
			return "", false
		}
		texts = append(texts, a.text)
	}
	return strings.Join(texts, " "), true
}

// scriptPlace is where the script among its arguments runs.
func (inv invocation) scriptPlace() place {
	if inv.name == "ssh" {
		return remote
	}
	return inv.place
}
