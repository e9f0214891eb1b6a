package runbooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	interp "mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// command is a bash command as the parser would make it.
func command(text string) Command {
	c := Command{Text: text, Language: Bash, Line: 1}
	describeShell(&c)
	return c
}

// quotingPlace is a command with a placeholder, and what the program in it has
// to be given: arguments for show, or text for its standard input.
type quotingPlace struct {
	name    string
	command string
	args    []string // %s is the value
	stdin   string   // %s is the value; instead of args
	always  bool     // no value may be refused, those that would begin an option or end a heredoc apart
}

var quotingPlaces = []quotingPlace{
	{name: "bare", command: `show <value>`, args: []string{"%s"}, always: true},
	{name: "two", command: `show a <value> b <value>`, args: []string{"a", "%s", "b", "%s"}, always: true},
	{name: "in a word", command: `show v<value>/32`, args: []string{"v%s/32"}, always: true},
	{name: "after equals", command: `show --to=<value>`, args: []string{"--to=%s"}, always: true},
	{name: "beside quotes", command: `show 'a'<value>"b"`, args: []string{"a%sb"}, always: true},
	{name: "double", command: `show "<value>"`, args: []string{"%s"}, always: true},
	{name: "in double", command: `show "a <value> $((1+1)) 'b'"`, args: []string{"a %s 2 'b'"}, always: true},
	{name: "single", command: `show '<value>'`, args: []string{"%s"}, always: true},
	{name: "in single", command: `show 'a <value> "b" $x'`, args: []string{`a %s "b" $x`}, always: true},
	{name: "escaped word", command: `show a\ <value>\ b`, args: []string{"a %s b"}, always: true},
	{name: "heredoc", command: "cat <<EOF\na <value> $((1+1))\nEOF", stdin: "a %s 2\n", always: true},
	{name: "quoted heredoc", command: "cat <<'EOF'\na <value> $((1+1))\nEOF", stdin: "a %s $((1+1))\n", always: true},
	{name: "two heredocs", command: "cat <<A; cat <<B\n<value>\nA\n<value>\nB", stdin: "%s\n%s\n"},
	{name: "substitution", command: `show "$(printf '%s.' "<value>")"`, args: []string{"%s."}, always: true},
	{name: "assignment", command: `x=<value>; show "$x"`, args: []string{"%s"}, always: true},
	{name: "loop", command: `for i in a <value>; do show "$i"; done`, args: []string{"a", "%s"}, always: true},
	{name: "sh -c single", command: `sh -c 'show "<value>"'`, args: []string{"%s"}, always: true},
	{name: "sh -c double", command: `sh -c "show '<value>'"`, args: []string{"%s"}, always: true},
	{name: "sh -c bare", command: `sh -c 'show a<value>'`, args: []string{"a%s"}, always: true},
	{name: "sh in sh", command: `sh -c "sh -c 'show \"<value>\"'"`, args: []string{"%s"}, always: true},
	{name: "eval", command: `eval "show '<value>'"`, args: []string{"%s"}, always: true},
	{name: "sh heredoc", command: "sh <<'EOF'\nshow '<value>'\nEOF", args: []string{"%s"}},
	{name: "pipe into sh", command: `echo show <value> | sh`, args: []string{"%s"}},
	{name: "env", command: `env A=1 sh -c 'show "<value>"'`, args: []string{"%s"}, always: true},
	{name: "case", command: `case <value> in x) show x;; *) show <value>;; esac`, args: []string{"%s"}, always: true},
	{name: "variable in quotes", command: `show "$VALUE"`, args: []string{"%s"}, always: true},
	{name: "variable bare", command: `show $VALUE`, args: []string{"%s"}},
	{name: "variable in a script", command: `sh -c "show '$VALUE'"`, args: []string{"%s"}},
	{name: "variable in a heredoc", command: "cat <<EOF\n$VALUE\nEOF", stdin: "%s\n", always: true},
}

// mayBeRefused tells whether a value may be refused in a place: it would begin
// an option, end a heredoc, or is no text.
func (p quotingPlace) mayBeRefused(value string) bool {
	last := p.args
	wordStart := len(last) > 0 && slices.ContainsFunc(last, func(a string) bool { return strings.HasPrefix(a, "%s") })
	return !p.always || strings.HasPrefix(value, "-") && wordStart ||
		p.stdin != "" && strings.Contains("\n"+value+"\n", "\nEOF\n") || !validForShell(value)
}

// validForShell: bytes that are no UTF-8 may be refused.
func validForShell(v string) bool { return strings.ToValidUTF8(v, "") == v }

func TestBindHostileValues(t *testing.T) {
	dir := t.TempDir()
	canary := filepath.Join(dir, "canary")
	show := filepath.Join(dir, "show")
	if err := os.WriteFile(show, []byte("#!/bin/sh\nfor a; do printf '%s\\000' \"$a\"; done\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	values := hostileValues(canary)
	for _, place := range quotingPlaces {
		t.Run(place.name, func(t *testing.T) {
			script, want := bindAll(t, place, values)
			file := filepath.Join(t.TempDir(), "script")
			script = append([]byte("show() { for a; do printf '%s\\000' \"$a\"; done; }\n"), script...) // as the program does, and faster
			if err := os.WriteFile(file, script, 0o600); err != nil {
				t.Fatal(err)
			}
			for _, shell := range []string{"bash", "dash"} {
				if _, err := exec.LookPath(shell); err != nil {
					t.Logf("%s is not here", shell)
					continue
				}
				cmd := exec.Command(shell, file)
				cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
				cmd.Dir = dir
				out, err := cmd.CombinedOutput()
				if err != nil {
					t.Errorf("%s: %v: %.500s", shell, err, out)
				}
				if !bytes.Equal(out, want) {
					t.Errorf("%s: arguments changed: %s", shell, firstDifference(out, want))
				}
				if _, err := os.Stat(canary); err == nil {
					t.Fatalf("%s: a value ran", shell)
				}
			}
		})
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("files were made: %v %v", entries, err)
	}
}

// bindAll binds every value in a place: the commands one after the other, and
// what they print when every value arrives unchanged.
func bindAll(t *testing.T, place quotingPlace, values []string) (script, want []byte) {
	t.Helper()
	c := command(place.command)
	bound := 0
	for _, v := range values {
		b, err := Bind(c, map[string]string{"value": v, "VALUE": v})
		var refused *RefusedError
		if errors.As(err, &refused) {
			if !place.mayBeRefused(v) {
				t.Errorf("%q is refused: %v", v, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%q: %v", v, err)
		}
		bound++
		for _, e := range b.Env {
			name, value, _ := strings.Cut(e, "=")
			script = append(script, "export "+name+"='"+strings.ReplaceAll(value, "'", `'\''`)+"'\n"...)
		}
		script = append(script, b.Script+"\n"...)
		want = append(want, strings.ReplaceAll(place.stdin, "%s", v)...)
		for _, a := range place.args {
			want = append(want, strings.ReplaceAll(a, "%s", v)+"\x00"...)
		}
	}
	if bound == 0 {
		t.Fatal("no value was bound")
	}
	return script, want
}

func firstDifference(got, want []byte) string {
	n := 0
	for n < len(got) && n < len(want) && got[n] == want[n] {
		n++
	}
	around := func(b []byte) string { return strings.ToValidUTF8(string(b[max(0, n-20):min(len(b), n+60)]), "?") }
	return "got …" + around(got) + "… want …" + around(want) + "…"
}

// TestBindData checks what programs get that take their arguments for JSON, YAML
// or a narrow language.
func TestBindData(t *testing.T) {
	values := hostileValues("/nonexistent/canary")
	fields := func(t *testing.T, script string) []string {
		t.Helper()
		file, err := parseShell(script)
		if err != nil {
			t.Fatalf("%q: %v", script, err)
		}
		out, err := interp.Fields(nil, firstCall(file).Args...)
		if err != nil {
			t.Fatalf("%q: %v", script, err)
		}
		return out
	}
	t.Run("json", func(t *testing.T) {
		kept := 0
		for _, v := range values {
			b, err := Bind(command(`kubectl patch svc x -p '{"a":{"b":"v<value>"},"c":1}'`), map[string]string{"value": v})
			if err != nil {
				if validForShell(v) {
					t.Errorf("%q: %v", v, err)
				}
				continue
			}
			kept++
			args := fields(t, b.Script)
			var got struct {
				A struct{ B string }
				C int
			}
			if err := json.Unmarshal([]byte(args[len(args)-1]), &got); err != nil || got.A.B != "v"+v || got.C != 1 || len(args) != 6 {
				t.Errorf("%q became %q: %v", v, args, err)
			}
		}
		if kept < 150 {
			t.Errorf("only %d values were taken", kept)
		}
	})
	t.Run("json number", func(t *testing.T) {
		c := command(`kubectl patch deploy x -p '{"spec":{"replicas":<replicas>}}'`)
		if b, err := Bind(c, map[string]string{"replicas": "3"}); err != nil || !strings.Contains(b.Script, `"replicas":3}`) {
			t.Errorf("%v %v", b.Script, err)
		}
		c = command(`kubectl patch deploy x -p '{"spec":{"replicas":<how-many>}}'`)
		if b, err := Bind(c, map[string]string{"how-many": `0},"x":{"y":1`}); err == nil {
			t.Errorf("taken: %s", b.Script)
		}
	})
	for _, quote := range []string{"", `"`, "'"} {
		t.Run("yaml "+quote, func(t *testing.T) {
			kept := 0
			for _, v := range values {
				b, err := Bind(command("kubectl apply -f - <<EOF\nkind: A\nspec:\n  a: "+quote+"<value>"+quote+"\n  b:\n  - x\nEOF"), map[string]string{"value": v})
				if err != nil {
					continue
				}
				kept++
				file, err := parseShell(b.Script)
				if err != nil {
					t.Fatal(err)
				}
				body, err := interp.Document(nil, file.Stmts[0].Redirs[0].Hdoc)
				if err != nil {
					t.Fatal(err)
				}
				var got struct {
					Kind string
					Spec struct {
						A yaml.Node
						B []string
					}
				}
				d := yaml.NewDecoder(strings.NewReader(body))
				d.KnownFields(true)
				if err := d.Decode(&got); err != nil || got.Kind != "A" || got.Spec.A.Value != v || len(got.Spec.B) != 1 || got.Spec.A.Kind != yaml.ScalarNode {
					t.Errorf("%q became %q: %v", v, body, err)
				}
				if d.Decode(&got) == nil {
					t.Errorf("%q made a second document: %q", v, body)
				}
			}
			if kept < 40 {
				t.Errorf("only %d values were taken", kept)
			}
		})
	}
	for _, text := range []string{
		`awk '/<value>/ {print}' f`, `sed 's/a/<value>/' f`, `jq '.a == "<value>"' f`, `python3 -c 'print("<value>")'`, `perl -e 'print "<value>"'`, `mysql -e "SELECT '<value>'"`,
		`redis-cli EVAL "return '<value>'" 0`, `make V=<value>`, `helm upgrade x y --set a=<value>`, `echo "<value>" | bash`, `echo "<value>" | sudo sh`, `printf '%s' "<value>" | psql`, "python3 <<EOF\nprint('<value>')\nEOF",
		`kubectl get pods -l app=<value>`, `kubectl delete pod -l "app=<value>"`, `[[ <value> -eq 1 ]]`, `(( x == <value> ))`, `unset <value>`, `read <value>`, `printf -v <value> x`, `mongosh --eval 'db.x.find("<value>")'`, `cat <<EOF | sh` + "\n<value>\nEOF",
	} {
		t.Run(text, func(t *testing.T) {
			for _, v := range values {
				if b, err := Bind(command(text), map[string]string{"value": v}); err == nil && !narrowShape.MatchString(v) && !labelShape.MatchString(v) {
					t.Errorf("%q was taken: %s", v, b.Script)
				}
			}
			if strings.Contains(text, "==") || strings.Contains(text, "-eq") {
				return
			}
			if _, err := Bind(command(text), map[string]string{"value": "a.b_1"}); err != nil {
				t.Errorf("a harmless value is refused: %v", err)
			}
		})
	}
}

func TestBindErrors(t *testing.T) {
	t.Run("missing", func(t *testing.T) {
		_, err := Bind(command(`kubectl exec <postgres-pod> -- psql -U $DB_USER -h $DB_HOST`), map[string]string{"DB_HOST": "x"})
		var unbound *UnboundError
		if !errors.As(err, &unbound) || !slices.Equal(unbound.Placeholders, []string{"postgres-pod"}) || !slices.Equal(unbound.Variables, []string{"DB_USER"}) {
			t.Errorf("%v", err)
		}
		if want := "no value for <postgres-pod>, $DB_USER; give one before the command runs"; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	})
	t.Run("one name for another", func(t *testing.T) {
		b, err := Bind(command(`kubectl describe pod <postgres-pod-name>`), map[string]string{"postgres-pod": "postgres-0"})
		if err != nil || b.Script != "kubectl describe pod postgres-0" || b.Values["postgres-pod-name"] != "postgres-0" {
			t.Errorf("%+v %v", b, err)
		}
	})
	t.Run("broken", func(t *testing.T) {
		if _, err := Bind(command("echo 'a"), nil); !errors.Is(err, ErrBroken) {
			t.Errorf("%v", err)
		}
	})
	for name, bad := range map[string][]string{
		"postgres-pod":       {"Postgres", "a b", "-x", "a;b", "../x", "pod/x", ""},
		"attacking-ip":       {"10.0.0", "10.0.0.1; x", "10.0.0.256", "x", "10.0.0.1/32"},
		"revision-number":    {"-1", "1a", "1 2", "٣"},
		"oldest-wal-to-keep": {"x", "00000001000000000000001", "000000010000000000000012/../x"},
		"backup-timestamp":   {"-x", "a", "2026 01", "2026;x"},
		"new-image":          {"-x", "a b", "a$(x)"},
		"namespace":          {"Kube_System"},
		"value":              {"a\x00b"},
	} {
		for _, v := range bad {
			if b, err := Bind(command("show x <"+name+">"), map[string]string{name: v}); err == nil {
				t.Errorf("<%s> took %q: %s", name, v, b.Script)
			}
		}
	}
	for _, text := range []string{"echo `ls <value>`", "echo $'a <value>'", "echo ${x:-<value>}", "cat <<<value>\nx\n<value>", "echo x >&<value>", "<value>() { ls; }"} {
		if findPlaceholders(text) == nil {
			continue
		}
		if b, err := Bind(command(text), map[string]string{"value": "x"}); err == nil {
			t.Errorf("%s was bound: %s", text, b.Script)
		}
	}
	for _, name := range []string{"PATH", "LD_PRELOAD", "BASH_ENV"} {
		c := command("echo $" + name)
		c.Variables = []string{name}
		if _, err := Bind(c, map[string]string{name: "/tmp"}); err == nil {
			t.Errorf("$%s was bound", name)
		}
	}
}

func TestBindRiskIsJudgedAnew(t *testing.T) {
	for _, tt := range []struct {
		language Language
		text     string
		values   map[string]string
		want     Risk
	}{
		{Bash, "kubectl <verb> pods", map[string]string{"verb": "get"}, Reads},
		{Bash, "kubectl <verb> ns x", map[string]string{"verb": "delete"}, Destroys},
		{Bash, "<program> -rf x", map[string]string{"program": "rm"}, Destroys},
		{SQL, "EXPLAIN ANALYZE <slow-query>;", map[string]string{"slow-query": "SELECT 1"}, Reads},
		{SQL, "EXPLAIN ANALYZE <slow-query>;", map[string]string{"slow-query": "DELETE FROM users"}, Destroys},
		{SQL, "EXPLAIN <slow-query>;", map[string]string{"slow-query": "DELETE FROM users"}, Reads},
	} {
		c := Command{Text: tt.text, Language: tt.language, Line: 1}
		if tt.language == SQL {
			describeSQL(&c)
		} else {
			describeShell(&c)
		}
		b, err := Bind(c, tt.values)
		if err != nil || b.Command.Risk != tt.want {
			t.Errorf("%s with %v: %s, want %s (%v)", tt.text, tt.values, b.Command.Risk, tt.want, err)
		}
	}
}

func TestBindSecrets(t *testing.T) {
	b, err := Bind(command(`curl -H "Authorization: Bearer $API_TOKEN" https://x/<user-id>`), map[string]string{"API_TOKEN": "s3cr3t", "user-id": "42"})
	if err != nil || !slices.Equal(b.Secrets, []string{"s3cr3t"}) || !slices.Equal(b.Env, []string{"API_TOKEN=s3cr3t"}) || strings.Contains(b.Script, "s3cr3t") {
		t.Errorf("%+v %v", b, err)
	}
	if _, err := Bind(command(`show <db-password>`), map[string]string{"db-password": "hunter2\x00"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the secret is in the error: %v", err)
	}
}

// FuzzBind binds random values in every place, and lets an independent
// interpreter of shell words tell what a program would get.
func FuzzBind(f *testing.F) {
	for i, v := range hostileValues("/nonexistent/canary") {
		f.Add(v, uint8(i))
	}
	f.Fuzz(func(t *testing.T, value string, which uint8) {
		place := quotingPlaces[int(which)%10] // those that are one simple command
		c := command(place.command)
		b, err := Bind(c, map[string]string{"value": value})
		if err != nil {
			var refused *RefusedError
			var unbound *UnboundError
			if !errors.As(err, &refused) && !errors.As(err, &unbound) {
				t.Fatalf("%q: %v", value, err)
			}
			if value != "" && !strings.Contains(value, "\x00") && !place.mayBeRefused(value) {
				t.Fatalf("%q in %s is refused: %v", value, place.name, err)
			}
			return
		}
		file, err := parseShell(b.Script)
		if err != nil || len(file.Stmts) != 1 {
			t.Fatalf("%q: %q does not parse as one command: %v", value, b.Script, err)
		}
		call, ok := file.Stmts[0].Cmd.(*syntax.CallExpr)
		if !ok {
			t.Fatalf("%q: %q is no simple command any more", value, b.Script)
		}
		got, err := interp.Fields(nil, call.Args...)
		if err != nil {
			t.Fatalf("%q: %v", b.Script, err)
		}
		want := []string{"show"}
		for _, a := range place.args {
			want = append(want, strings.ReplaceAll(a, "%s", value))
		}
		if !slices.Equal(got, want) && !strings.Contains(value, "\r\n") { // the interpreter drops these returns, bash does not
			t.Fatalf("%q in %s: %q, want %q", value, place.name, got, want)
		}
	})
}
