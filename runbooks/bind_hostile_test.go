package runbooks

import (
	"fmt"
	"strings"
)

// hostileValues are values that try to be more than a value: at least 200, all
// different. canary is a file that any of them would make if it ran.
func hostileValues(canary string) []string {
	touch := "touch " + canary
	payloads := []string{
		"; " + touch, "| " + touch, "& " + touch, "&& " + touch, "|| " + touch, "\n" + touch, "\r\n" + touch + "\n", "$(" + touch + ")", "`" + touch + "`",
		"<(" + touch + ")", ">(" + touch + ")", "${x:-$(" + touch + ")}", "$((a[$(" + touch + ")]))", "a[$(" + touch + ")]", "> " + canary, ">>" + canary, "{ " + touch + "; }",
		") ; " + touch + " ; (", "} ; " + touch, "; " + touch + " #", "EOF\n" + touch, "\nEOF\n" + touch + "\n", "\nEOF\n", "$'\\n'" + touch, "\\\n" + touch, "!" + touch, "() { :; }; " + touch,
		"'; DROP TABLE users; --", "' OR '1'='1", "\\'; DROP TABLE users; --", "'; " + touch + " ;'", "\"; " + touch + " ;\"", "'\"; " + touch, "'$(" + touch + ")'", "\"$(" + touch + ")\"", "'`" + touch + "`'",
		"$$; DROP TABLE users; $$", "/* */ ; DROP TABLE users", "*/ DROP TABLE users /*", "-- x\n; DROP TABLE users", "\\! " + touch, "\"; DROP TABLE users; --",
		`"}, "b": "c`, `", "spec": {"replicas": 0}, "x": "`, "\nkind: Secret", ": {a: b}", "# comment", "*alias", "&anchor x", "!!binary x", "- item", "[a, b]", "{a: b}", "| x", "%YAML 1.2\n---\n",
	}
	plain := []string{
		"*", "?", "[a-z]", "~", "~root", "~+", "$HOME", "$0", "$?", "$IFS", "${PATH}", "$", "\\", "\\\\", "\\\\\\", "'", "''", "'''", "\"", "\"\"", "`", "``", "a b", "a  b", " a", "a ", "\ta", "a\tb", "\n", "a\nb", "a\n\nb\n",
		"{a,b}", "{1..3}", "a=b", "=", "%s", "%n", "!!", "!x", "^a^b", "#x", "x#y", "<", ">", "<<EOF", "<x>", "<value>", "(", ")", "a)b", ";;", ";", "&", "|", "\x01", "\x1b[31m", "\x7f", "\x1b]52;c;eA==\a", "é", "日本", "🙂", "\u202e", "\u2028", "\u200b", "\u00a0",
		"\xff\xfe", "a\xc3", "0", "007", "1e5", "true", "null", "~", "no", "1.0", "0x10", "2026-01-01", "a:b", "a: b", "a #b", "@a", "%a", "a,b", "a/b", "../../etc/passwd", "/dev/null", "$'a'", "$\"a\"", "a\\", "a\\n", "\\0", "\\x41", "%20", "<!--", "-->", "]]>",
		strings.Repeat("a", 4096), strings.Repeat("'", 100), strings.Repeat("\\", 101), strings.Repeat("$(", 50), strings.Repeat("a b ", 200), "xFDx0x", "xVARx0x", "xSUBx0x",
	}
	options := []string{"-", "--", "-rf", "-c", "--help", "-e", "--output=" + canary, "-o" + canary, "--exec=" + touch, "-f/etc/passwd"}
	seen := map[string]bool{}
	var out []string
	keep := func(v string) {
		if v != "" && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	for _, list := range [][]string{payloads, plain, options} {
		for _, v := range list {
			keep(v)
		}
	}
	for i, p := range payloads {
		keep("x" + p)
		keep(p + "x")
		keep(plain[i%len(plain)] + p)
	}
	if len(out) < 200 {
		panic(fmt.Sprintf("only %d hostile values", len(out)))
	}
	return out
}
