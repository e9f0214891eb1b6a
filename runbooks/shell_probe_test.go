package runbooks

import "mvdan.cc/sh/v3/syntax"

// firstCall is the first simple command of a script.
func firstCall(file *syntax.File) *syntax.CallExpr {
	var found *syntax.CallExpr
	syntax.Walk(file, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok && found == nil && len(c.Args) > 0 {
			found = c
		}
		return found == nil
	})
	return found
}

// lastStage is the program of a pipeline's last stage.
func lastStage(stmt *syntax.Stmt) string {
	for {
		b, ok := stmt.Cmd.(*syntax.BinaryCmd)
		if !ok {
			break
		}
		if b.Op != syntax.Pipe {
			return ""
		}
		stmt = b.Y
		if c, ok := stmt.Cmd.(*syntax.CallExpr); ok {
			return newArg(c.Args[0]).program()
		}
	}
	return ""
}

// verbOf are the operands of a kubectl command.
func verbOf(inv invocation) []string {
	operands, _, _ := words(inv.args, kubectlTakes)
	out := []string{""}
	if len(operands) > 0 {
		out = []string{operands[0].text}
	}
	return out
}
