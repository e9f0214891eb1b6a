package runbooks

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, md string) *Book {
	t.Helper()
	book, err := Parse("test.md", []byte(md))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// outlineOf writes a book's model, a line a thing, for comparison.
func outlineOf(book *Book) string {
	var b strings.Builder
	var steps func(list []Step, indent string)
	steps = func(list []Step, indent string) {
		for _, st := range list {
			fmt.Fprintf(&b, "%s%s [%s] %s\n", indent, st.ID, st.Kind, st.Title)
			for _, c := range st.Commands {
				fmt.Fprintf(&b, "%s  %d %s %s: %s\n", indent, c.Line, c.Language, c.Risk, strings.ReplaceAll(c.Text, "\n", "⏎"))
			}
			for _, q := range st.Queries {
				fmt.Fprintf(&b, "%s  %d promql: %s\n", indent, q.Line, strings.ReplaceAll(q.Original, "\n", "⏎"))
			}
			steps(st.Steps, indent+"  ")
		}
	}
	for _, rb := range book.Runbooks {
		fmt.Fprintf(&b, "# %s alert=%s\n", rb.Name, rb.Alert)
		for _, s := range rb.Sections {
			fmt.Fprintf(&b, "## %s %s\n", s.Kind, s.Title)
			steps(s.Steps, "  ")
		}
	}
	return b.String()
}

func TestParseOtherTeamsMarkdown(t *testing.T) {
	for name, tt := range map[string]struct{ md, want string }{
		"meaning, impact, diagnosis, mitigation": {
			md:   "# KubePodCrashLooping\n\n## Meaning\n\nA pod restarts again and again.\n\n## Impact\n\nThe service may be down.\n\n## Diagnosis\n\n- Look at the pod:\n\n```shell\n$ kubectl -n $NAMESPACE describe pod $POD\nName: x\nStatus: Waiting\n$ kubectl -n $NAMESPACE logs $POD -p\npanic\n```\n\n- Look at the template\n\n## Mitigation\n\nTalk to the developers, or set more memory.\n\n```shell\n$ kubectl set resources deployment x --limits=memory=1Gi\n```\n",
			want: "# kubepodcrashlooping alert=KubePodCrashLooping\n## symptoms Meaning\n## symptoms Impact\n## investigation Diagnosis\n  investigation-1 [manual] Look at the pod\n  investigation-2 [command] Diagnosis\n    16 bash reads: kubectl -n $NAMESPACE describe pod $POD\n    19 bash reads: kubectl -n $NAMESPACE logs $POD -p\n  investigation-3 [manual] Look at the template\n## resolution Mitigation\n  resolution-1 [command] Talk to the developers, or set more memory.\n    30 bash changes: kubectl set resources deployment x --limits=memory=1Gi\n",
		},
		"front matter, no heading": {
			md:   "---\ntitle: Disk full\nalert: DiskFull\nseverity: Warning\n---\n\n1. Look:\n\n   ```\n   df -h\n   ```\n2. Clean up\n",
			want: "# disk-full alert=DiskFull\n## procedure Disk full\n  disk-full-1 [command] Look\n    10 bash reads: df -h\n  disk-full-2 [manual] Clean up\n",
		},
		"setext headings and CRLF": {
			md:   "Disk full\r\n=========\r\n\r\nSteps\r\n-----\r\n\r\n1. Look\r\n   ```sh\r\n   df -h\r\n   ```\r\n",
			want: "# disk-full alert=\n## procedure Steps\n  steps-1 [command] Look\n    9 bash reads: df -h\n",
		},
		"lists in lists and tabs": {
			md:   "# X\n## Steps\n1. Outer\n\t1. Inner\n\t\t```bash\n\t\tls\n\t\t```\n\t2. Other\n2. Next\n   - with\n     ```bash\n     pwd\n     ```\n",
			want: "# x alert=\n## procedure Steps\n  steps-1 [manual] Outer\n    steps-1-1 [command] Inner\n      6 bash reads: ls\n    steps-1-2 [manual] Other\n  steps-2 [manual] Next\n    steps-2-1 [command] with\n      12 bash reads: pwd\n",
		},
		"an unclosed fence before a heading": {
			md:   "# X\n## Diagnosis\n\n```bash\nls\n\n## Mitigation\n\nDo:\n\n```bash\npwd\n```\n",
			want: "# x alert=\n## investigation Diagnosis\n  investigation-1 [command] Diagnosis\n    5 bash reads: ls\n## resolution Mitigation\n  resolution-1 [command] Do\n    12 bash reads: pwd\n",
		},
		"an unclosed fence at the end": {
			md:   "# X\n## Diagnosis\n\n```bash\nls\npwd\n",
			want: "# x alert=\n## investigation Diagnosis\n  investigation-1 [command] Diagnosis\n    5 bash reads: ls\n    6 bash reads: pwd\n",
		},
		"session with output, continuation and root prompt": {
			md:   "# X\n## Steps\n```console\nops@bastion:~$ kubectl get pods \\\n>   -o wide\nNAME READY\nx 1/1\n[root@db ~]# df -h\nFilesystem\n```\n",
			want: "# x alert=\n## procedure Steps\n  steps-1 [command] Steps\n    4 bash reads: kubectl get pods \\⏎  -o wide\n    8 bash reads: df -h\n",
		},
		"inline commands": {
			md:   "# X\n## Diagnosis\n- Run `kubectl get pods` and look for restarts\n- Evaluate `sum(rate(http_requests_total[5m]))`\n- Check the file `values.yaml`\n",
			want: "# x alert=\n## investigation Diagnosis\n  investigation-1 [command] Run kubectl get pods and look for restarts\n    3 bash reads: kubectl get pods\n  investigation-2 [query] Evaluate sum(rate(http_requests_total[5m]))\n    4 promql: sum(rate(http_requests_total[5m]))\n  investigation-3 [manual] Check the file values.yaml\n",
		},
		"untagged blocks": {
			md:   "# X\n## Steps\n1. shell\n   ```\n   kubectl get pods\n   ```\n2. sql\n   ```\n   SELECT count(*) FROM users;\n   ```\n3. promql\n   ```\n   rate(x_total[5m])\n   ```\n4. output\n   ```\n   NAME  READY\n   x     1/1\n   ```\n5. yaml\n   ```yaml\n   a: b\n   ```\n",
			want: "# x alert=\n## procedure Steps\n  steps-1 [command] shell\n    5 bash reads: kubectl get pods\n  steps-2 [command] sql\n    9 sql reads: SELECT count(*) FROM users;\n  steps-3 [query] promql\n    13 promql: rate(x_total[5m])\n  steps-4 [manual] output\n  steps-5 [manual] yaml\n",
		},
		"alerts as headings": {
			md:   "# Payments\n\nIntro.\n\n## PaymentsDown\n\n1. Look\n\n## PaymentsSlow\n\n1. Wait 5 minutes\n\n## Overview of the service\n\nText only.\n",
			want: "# paymentsdown alert=PaymentsDown\n## procedure PaymentsDown\n  paymentsdown-1 [manual] Look\n# paymentsslow alert=PaymentsSlow\n## procedure PaymentsSlow\n  paymentsslow-1 [wait] Wait 5 minutes\n",
		},
		"steps as headings": {
			md:   "# Failover\n## Procedure\n### Step 1: Check\n```bash\nls\n```\n### Step 2: Choose\n#### Option A: Fast\n```bash\npwd\n```\n#### Option B: Slow\n\nBy hand.\n\n1. First\n2. Second\n",
			want: "# failover alert=\n## procedure Procedure\n  procedure-1 [command] Check\n    5 bash reads: ls\n  procedure-2 [choice] Choose\n    procedure-2-a [command] Fast\n      10 bash reads: pwd\n    procedure-2-b [manual] Slow\n      procedure-2-b-1 [manual] First\n      procedure-2-b-2 [manual] Second\n",
		},
		"bold labels for sections": {
			md:   "# QueueFull\n\n**Symptoms:**\n- slow\n\n**Investigation:**\n1. Look\n\n**Resolution:**\n1. Purge\n   ```bash\n   rabbitmqctl purge_queue <queue>\n   ```\n",
			want: "# queuefull alert=QueueFull\n## symptoms Symptoms\n## investigation Investigation\n  investigation-1 [manual] Look\n## resolution Resolution\n  resolution-1 [command] Purge\n    12 bash destroys: rabbitmqctl purge_queue <queue>\n",
		},
		"or between fences": {
			md:   "# X\n## Steps\n1. Restart\n   ```bash\n   kubectl rollout restart deployment/x\n   ```\n   Or:\n   ```bash\n   kubectl delete pod <pod>\n   ```\n",
			want: "# x alert=\n## procedure Steps\n  steps-1 [command] Restart\n    5 bash changes: kubectl rollout restart deployment/x\n    9 bash changes: kubectl delete pod <pod>\n",
		},
		"placeholders with spaces": {
			md:   "# X\n## Steps\n```bash\nkubectl -n <value of the namespace label> get pods <the pod's name>\n```\n",
			want: "# x alert=\n## procedure Steps\n  steps-1 [command] Steps\n    4 bash reads: kubectl -n <value of the namespace label> get pods <the pod's name>\n",
		},
		"quoted fences and HTML": {
			md:   "# X\n## Diagnosis\n> Careful!\n> ```bash\n> ls -l\n> ```\n\n<details>\n<summary>More</summary>\n\n```bash\npwd\n```\n\n</details>\n",
			want: "# x alert=\n## investigation Diagnosis\n  investigation-1 [command] Diagnosis\n    5 bash reads: ls -l\n  investigation-2 [command] Diagnosis\n    12 bash reads: pwd\n",
		},
		"nothing at all": {md: "", want: ""},
		"prose":          {md: "Call the team.\n", want: "# test alert=\n"},
	} {
		t.Run(name, func(t *testing.T) {
			book := mustParse(t, tt.md)
			if diff := cmp.Diff(tt.want, outlineOf(book)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			checkBook(t, book, tt.md)
		})
	}
}

func TestParseDetails(t *testing.T) {
	t.Run("or between fences is a choice", func(t *testing.T) {
		st := mustParse(t, "# X\n## Steps\n1. Restart\n   ```bash\n   kubectl rollout restart deployment/x\n   ```\n   Or:\n   ```bash\n   kubectl delete pod <pod>\n   ```\n").Runbooks[0].Sections[0].Steps[0]
		if a, b := st.Commands[0], st.Commands[1]; a.Alternative != 1 || a.Option != 1 || b.Alternative != 1 || b.Option != 2 {
			t.Errorf("%d/%d and %d/%d", a.Alternative, a.Option, b.Alternative, b.Option)
		}
	})
	t.Run("output is kept beside its command", func(t *testing.T) {
		st := mustParse(t, "# X\n## Steps\n```console\n$ ls\na\nb\n$ pwd\n/\n```\n").Runbooks[0].Sections[0].Steps[0]
		if st.Commands[0].Output != "a\nb" || st.Commands[1].Output != "/" {
			t.Errorf("%q %q", st.Commands[0].Output, st.Commands[1].Output)
		}
	})
	t.Run("unclosed fences are told", func(t *testing.T) {
		book := mustParse(t, "# X\n## Diagnosis\n\n```bash\nls\n\n## Mitigation\n\n```bash\npwd\n```\n")
		if len(book.Problems) != 1 || book.Problems[0].Line != 4 {
			t.Errorf("%v", book.Problems)
		}
	})
	t.Run("broken bytes are told", func(t *testing.T) {
		if book := mustParse(t, "# X\n\nA\xff\n"); len(book.Problems) != 1 {
			t.Errorf("%v", book.Problems)
		}
	})
	t.Run("a block that does not parse keeps what does", func(t *testing.T) {
		st := mustParse(t, "# X\n## Steps\n```bash\n# first\nls -l\n\necho 'broken\n\n# last\npwd\n```\n").Runbooks[0].Sections[0].Steps[0]
		var problems, texts []string
		for _, c := range st.Commands {
			texts = append(texts, c.Text)
			if c.Problem != "" {
				problems = append(problems, c.Text)
				if c.Risk != Unknown {
					t.Errorf("%q is %s", c.Text, c.Risk)
				}
			}
		}
		if !slices.Equal(texts, []string{"ls -l", "echo 'broken", "pwd"}) || !slices.Equal(problems, []string{"echo 'broken"}) {
			t.Errorf("%q, of which do not parse %q", texts, problems)
		}
	})
	t.Run("too large", func(t *testing.T) {
		var size *SizeError
		if _, err := Parse("x.md", make([]byte, MaxFileSize+1)); !errors.As(err, &size) {
			t.Errorf("%v", err)
		}
	})
	t.Run("statements of SQL", func(t *testing.T) {
		st := mustParse(t, "# X\n## Steps\n```sql\n-- one\nSELECT ';' AS a; -- beside\n/* two */\nCREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql;\n\nSELECT 2\n```\n").Runbooks[0].Sections[0].Steps[0]
		var got []string
		for _, c := range st.Commands {
			got = append(got, fmt.Sprintf("%d %s | %s", c.Line, c.Text, strings.ReplaceAll(c.Caption, "\n", "⏎")))
		}
		want := []string{"5 SELECT ';' AS a; | one⏎beside", "7 CREATE FUNCTION f() RETURNS int AS $$ SELECT 1; $$ LANGUAGE sql; | two", "9 SELECT 2 | "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("variables", func(t *testing.T) {
		for script, want := range map[string]string{
			`echo $A "$B" ${C} ${D:-x} $HOME $1 $? '$E'`: "A B C",
			`x=1; echo $x $y`:                       "y",
			`for p in $LIST; do echo $p; done`:      "LIST",
			`read a b; echo $a $b $c`:               "c",
			`watch 'echo $IN'`:                      "IN",
			`ssh host 'echo $THERE'`:                "",
			`kubectl exec p -- sh -c 'echo $THERE'`: "",
			`kubectl exec p -- sh -c "echo $HERE"`:  "HERE",
			"cat <<EOF\n$DOC\nEOF":                  "DOC",
			"cat <<'EOF'\n$DOC\nEOF":                "",
			`awk '{print $5}'`:                      "",
		} {
			if got := strings.Join(command(script).Variables, " "); got != want {
				t.Errorf("%s: %q, want %q", script, got, want)
			}
		}
	})
	t.Run("clocks, conditions and assertions", func(t *testing.T) {
		for text, want := range map[string]string{
			"If caused by a release":            "caused by a release",
			"Check if pods are running":         "",
			"Restart (if needed)":               "needed",
			"If a (b, c) fails, restart":        "a (b, c) fails",
			"See whether it helps, if not call": "not call",
			"Notify":                            "",
		} {
			if got := condition(text); got != want {
				t.Errorf("%q: condition %q, want %q", text, got, want)
			}
		}
		for text, want := range map[string]string{
			"p99 < 500ms": "p99 < 0.5 seconds", "error rate should stay below 0.1 %": "error rate < 0.001 ratio", "CPU is above 80%": "CPU > 0.8 ratio",
			"Should be >= 32 bytes": " >= 32 bytes", "memory <= 4 GiB": "memory <= 4.294967296e+09 bytes", "up == 1": "up == 1 ", "see <https://x>": "",
		} {
			got := ""
			if a, ok := measure(text); ok {
				got = fmt.Sprintf("%s %s %v %s", a.Signal, a.Op, a.Value, a.Unit)
			}
			if got != want {
				t.Errorf("%q: %q, want %q", text, got, want)
			}
		}
	})
}

func TestPlaceholdersAndLookAlikes(t *testing.T) {
	for text, want := range map[string]string{
		"kubectl logs <pod>": "pod", "-n <value of the namespace label>": "value of the namespace label", "<POD_NAME>": "POD_NAME", "v<version>/32": "version", "<n>": "n",
		"(<70%)": "", "< 0.1%": "", "awk '$5 < 3'": "", "cat <<EOF": "", "cat <<EOF >file": "", "diff <(a) <(b)": "", "cmd <in >out": "", "cmd <in 2>err": "", "a <b 3>c": "",
		"<https://example.com>": "", "<p>text</p>": "", "echo a <-b>": "", "if (a<b && c>d)": "", "<a> <b> <a>": "a b", "cmd <in>>out": "", "[[ a <b ]]": "",
	} {
		if got := strings.Join(placeholderNames(findPlaceholders(text)), " "); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	for _, same := range [][2]string{{"postgres-pod", "postgres-pod-name"}, {"POD_NAME", "pod"}, {"your-pod", "the pod's name"}} {
		if !SamePlaceholder(same[0], same[1]) {
			t.Errorf("<%s> and <%s> are two", same[0], same[1])
		}
	}
}

// checkBook asserts what holds for every book.
func checkBook(t *testing.T, book *Book, src string) {
	t.Helper()
	lines := strings.Count(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(src), "\n") + 1
	inFile := func(what string, line int) {
		if line < 1 || line > lines {
			t.Errorf("%s: line %d of %d", what, line, lines)
		}
	}
	for _, rb := range book.Runbooks {
		ids := map[string]bool{}
		inFile(rb.Name, rb.Line)
		if rb.Name == "" || rb.Title == "" || rb.EndLine < rb.Line {
			t.Errorf("runbook %+v", rb)
		}
		for i := range rb.Sections {
			var walk func(steps []Step)
			walk = func(steps []Step) {
				for _, st := range steps {
					inFile(st.ID, st.Line)
					if ids[st.ID] || st.ID == "" || st.Title == "" || st.Kind == "" {
						t.Errorf("step %q %q %q is not unique or not complete", st.ID, st.Title, st.Kind)
					}
					ids[st.ID] = true
					for _, c := range st.Commands {
						inFile(c.Text, c.Line)
						if strings.TrimSpace(c.Text) == "" || c.Risk == "" || c.Language == "" {
							t.Errorf("command %+v", c)
						}
					}
					for _, q := range st.Queries {
						inFile(q.Original, q.Line)
						if q.Parses != (parsePromQL(q.Original) == nil) || q.Repair != "" && parsePromQL(q.Repair) != nil {
							t.Errorf("query %+v", q)
						}
					}
					walk(st.Steps)
				}
			}
			walk(rb.Sections[i].Steps)
		}
	}
}

// everything is all text that a book holds.
func everything(v reflect.Value, b *strings.Builder) {
	switch v.Kind() {
	case reflect.String:
		b.WriteString(v.String())
		b.WriteByte('\n')
	case reflect.Pointer:
		if !v.IsNil() {
			everything(v.Elem(), b)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			everything(v.Field(i), b)
		}
	case reflect.Slice:
		for i := range v.Len() {
			everything(v.Index(i), b)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			everything(k, b)
			everything(v.MapIndex(k), b)
		}
	}
}

var anyWord = regexp.MustCompile(`[\pL\pN_-]{3,}`)

// TestNothingIsLost looks for every word of real books in their models.
func TestNothingIsLost(t *testing.T) {
	files, _ := filepath.Glob("erpgo/*.md")
	more, _ := filepath.Glob("testdata/books/*.md")
	files = append(append(files, more...), originalBook)
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Logf("%v", err)
			continue
		}
		book, err := Parse(file, src)
		if err != nil {
			t.Fatal(err)
		}
		checkBook(t, book, string(src))
		var all strings.Builder
		everything(reflect.ValueOf(book), &all)
		for i, line := range strings.Split(string(src), "\n") {
			if bold, rest, ok := cutBold(line); ok && rest != "" && fieldName.MatchString(strings.TrimRight(bold, ": ")) {
				line = rest
			}
			line = strings.TrimSpace(strings.TrimLeft(line, "# "))
			if strings.HasPrefix(line, "```") || introducesPromQL.MatchString(line) && strings.Contains(strings.ToLower(line), "query prometheus") {
				continue // a fence's tag, "**Severity:**" and "query Prometheus:" are understood
			}
			for _, word := range anyWord.FindAllString(line, -1) {
				if strings.Trim(word, "-") != "" && !strings.Contains(all.String(), word) {
					t.Errorf("%s:%d: %q is lost", file, i+1, word)
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"erpgo/*.md", "testdata/books/*.md", originalBook} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			if src, err := os.ReadFile(file); err == nil {
				for _, part := range strings.SplitAfter(string(src), "\n## ") {
					f.Add("## " + part[:min(len(part), 1200)])
				}
			}
		}
	}
	f.Add("# X\n## Steps\n1. a\n   ```bash\n   cat <<EOF\n   ```\n- [ ] b\n\n| Alert | Link |\n|--|--|\n| A | [x](#y) |\n")
	f.Fuzz(func(t *testing.T, md string) {
		if len(md) > 64<<10 {
			return
		}
		book, err := Parse("fuzz.md", []byte(md))
		if err != nil {
			t.Fatal(err)
		}
		checkBook(t, book, md)
		for i := range book.Runbooks {
			Show(&book.Runbooks[i])
		}
	})
}

func FuzzSplitSQL(f *testing.F) {
	for _, row := range riskTable(f, "testdata/risk_sql.tsv") {
		f.Add(row[1])
	}
	f.Add("SELECT 1; SELECT 'a;b'; $x$;$x$; /* ; */ -- ;\nBEGIN ATOMIC SELECT 1; END; E'\\';' U&\"a;\"")
	f.Fuzz(func(t *testing.T, text string) {
		statements, comments := splitSQL(text)
		at := 0
		for _, st := range statements {
			if st.start < at || st.end <= st.start || st.end > len(text) || len(st.tokens) == 0 {
				t.Fatalf("%q: statement %d to %d after %d", text, st.start, st.end, at)
			}
			at = st.end
			if st.problem != "" {
				continue
			}
			again, _ := splitSQL(text[st.start:st.end])
			if len(again) != 1 && st.tokens[0].kind != sqlMeta {
				t.Fatalf("%q: %q splits into %d", text, text[st.start:st.end], len(again))
			}
		}
		rest := []byte(text)
		for _, st := range statements {
			for i := st.start; i < st.end; i++ {
				rest[i] = ' '
			}
		}
		for _, c := range comments {
			for i := c.start; i < c.end; i++ {
				rest[i] = ' '
			}
		}
		if left := strings.Trim(string(rest), " \t\n\r\f\v;"); left != "" {
			t.Fatalf("%q: %q is in no statement and in no comment", text, left)
		}
		judgeSQL(text)
	})
}
