package runbooks

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// originalBook is the operators' own document, which is no part of this
// repository.
const originalBook = "../../shared/erpgo/RUNBOOKS.md"

func readOriginal(t testing.TB) []byte {
	t.Helper()
	src, err := os.ReadFile(originalBook)
	if err != nil {
		t.Skipf("the operators' book is not here: %v", err)
	}
	return src
}

func parseOriginal(t testing.TB) *Book {
	t.Helper()
	book, err := Parse(originalBook, readOriginal(t))
	if err != nil {
		t.Fatal(err)
	}
	return book
}

// eachStep calls fn for every step of the runbooks, nested ones too.
func eachStep(book *Book, fn func(rb *Runbook, sec *Section, st *Step)) {
	var walk func(rb *Runbook, sec *Section, steps []Step)
	walk = func(rb *Runbook, sec *Section, steps []Step) {
		for i := range steps {
			fn(rb, sec, &steps[i])
			walk(rb, sec, steps[i].Steps)
		}
	}
	for i := range book.Runbooks {
		rb := &book.Runbooks[i]
		for k := range rb.Sections {
			walk(rb, &rb.Sections[k], rb.Sections[k].Steps)
		}
	}
}

func commandsOf(book *Book) []Command {
	var out []Command
	eachStep(book, func(_ *Runbook, _ *Section, st *Step) { out = append(out, st.Commands...) })
	return out
}

// block is a fenced block found line by line, independently of the parser that
// is tested.
type block struct {
	tag   string
	first int // line of the first content line
	lines []string
}

func blocksOf(src []byte) []block {
	var out []block
	var open *block
	indent := ""
	for i, l := range strings.Split(string(src), "\n") {
		t := strings.TrimSpace(l)
		switch {
		case open == nil && strings.HasPrefix(t, "```"):
			open = &block{tag: strings.TrimPrefix(t, "```"), first: i + 2}
			indent = l[:len(l)-len(t)]
		case open != nil && t == "```":
			out = append(out, *open)
			open = nil
		case open != nil:
			open.lines = append(open.lines, strings.TrimPrefix(l, indent))
		}
	}
	return out
}

// within counts the items whose line stands in the block.
func (b block) within(lines []int) int {
	n := 0
	for _, l := range lines {
		if l >= b.first && l < b.first+len(b.lines) {
			n++
		}
	}
	return n
}

func linesOf[T any](items []T, line func(T) int) []int {
	out := make([]int, len(items))
	for i, it := range items {
		out[i] = line(it)
	}
	return out
}

func wantLines(t *testing.T, what string, got []int, want ...int) {
	t.Helper()
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: lines %v, want %v", what, got, want)
	}
}

func wantCount(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %d, want %d", what, got, want)
	}
}

// TestOriginalBook asserts every count that was taken of the operators' book by
// hand.
func TestOriginalBook(t *testing.T) {
	src, book := readOriginal(t), parseOriginal(t)
	blocks := blocksOf(src)
	commands := commandsOf(book)
	bash := slices.DeleteFunc(slices.Clone(blocks), func(b block) bool { return b.tag != "bash" })
	commandLines := linesOf(commands, func(c Command) int { return c.Line })

	t.Run("document", func(t *testing.T) {
		tags := map[string]int{}
		for _, b := range blocks {
			tags[b.tag]++
		}
		wantCount(t, "lines", strings.Count(string(src), "\n"), 1412)
		wantCount(t, "fenced blocks", len(blocks), 90)
		wantCount(t, "bash blocks", tags["bash"], 81)
		wantCount(t, "sql blocks", tags["sql"], 6)
		wantCount(t, "untagged blocks", tags[""], 3)
		if len(book.Problems) > 0 {
			t.Errorf("problems: %v", book.Problems)
		}
	})

	t.Run("runbooks", func(t *testing.T) {
		sections := map[string][]int{}
		var procedures []string
		for _, rb := range book.Runbooks {
			if rb.Alert == "" {
				procedures = append(procedures, rb.Title)
				continue
			}
			sections[rb.Alert] = append(sections[rb.Alert], rb.Line)
		}
		wantCount(t, "alerts", len(sections), 6)
		wantLines(t, "PostgreSQLDown", sections["PostgreSQLDown"], 111, 735)
		wantLines(t, "HighResponseTime", sections["HighResponseTime"], 267, 808)
		wantLines(t, "HighFailedLoginRate", sections["HighFailedLoginRate"], 453, 890)
		total := 0
		for _, s := range sections {
			total += len(s)
		}
		wantCount(t, "alert sections", total, 9)
		if want := []string{"Deployment Procedures", "Emergency Rollback", "General Troubleshooting", "Post-Incident Actions"}; !slices.Equal(procedures, want) {
			t.Errorf("procedures: %q, want %q", procedures, want)
		}
		contents := book.Text[strings.Index(book.Text, "## Table of Contents"):]
		var missing []int
		for _, rb := range book.Runbooks {
			if !strings.Contains(contents, "(#"+rb.Anchor+")") {
				missing = append(missing, rb.Line)
			}
		}
		wantLines(t, "missing from the table of contents", missing, 735, 808, 890, 1390)
	})

	t.Run("steps", func(t *testing.T) {
		numbered, withFence, without, boxes, nested, stepHeadings, options, ifs := 0, 0, 0, 0, 0, 0, 0, 0
		raw := strings.Split(string(src), "\n")
		eachStep(book, func(_ *Runbook, _ *Section, st *Step) {
			line := raw[st.Line-1]
			if strings.HasPrefix(st.Title, "If ") {
				ifs++
				if st.If == "" {
					t.Errorf("line %d: no condition in %q", st.Line, st.Title)
				}
			}
			switch {
			case regexp.MustCompile(`^\d+\. \*\*`).MatchString(line):
				numbered++
				fences := 0
				for _, b := range blocks {
					if b.first > st.Line && b.within([]int{st.Line + 2}) > 0 {
						fences++
					}
				}
				if fences == 1 {
					withFence++
				} else {
					without++
					if st.Kind != StepManual || len(st.Commands)+len(st.Queries) > 0 {
						t.Errorf("line %d: a step without a fence is %s", st.Line, st.Kind)
					}
				}
			case strings.HasPrefix(line, "- [ ]"):
				boxes++
			case strings.HasPrefix(line, "  - [ ]"):
				nested++
			case strings.HasPrefix(line, "**Step "):
				stepHeadings++
			case strings.HasPrefix(line, "**Option "):
				options++
			default:
				if st.Line != 1360 {
					t.Errorf("line %d: an unexpected step %q", st.Line, st.Title)
				}
			}
			if st.Line == 1157 && (st.Kind != StepChoice || len(st.Steps) != 2) {
				t.Errorf("line 1157: %s with %d options", st.Kind, len(st.Steps))
			}
		})
		wantCount(t, "numbered bold steps", numbered, 86)
		wantCount(t, "with one fence", withFence, 68)
		wantCount(t, "with none", without, 18)
		wantCount(t, "checkboxes", boxes, 22)
		wantCount(t, "nested checkboxes", nested, 3)
		wantCount(t, "step headings", stepHeadings, 10)
		wantCount(t, "options", options, 2)
		wantCount(t, "If steps", ifs, 33)
	})

	t.Run("blocks", func(t *testing.T) {
		several, manual, promql := 0, 0, 0
		var queries []int
		eachStep(book, func(_ *Runbook, _ *Section, st *Step) {
			for _, q := range st.Queries {
				queries = append(queries, q.Line)
			}
		})
		for _, b := range bash {
			if b.within(commandLines) >= 2 {
				several++
			}
			comments := 0
			for _, l := range b.lines {
				if l = strings.TrimSpace(l); l == "" || strings.HasPrefix(l, "#") {
					comments++
				}
			}
			if comments != len(b.lines) {
				continue
			}
			if b.within(commandLines) > 0 {
				t.Errorf("line %d: a command out of comments", b.first)
			}
			if b.within(queries) > 0 {
				promql++
			} else {
				manual++
			}
		}
		// 39 blocks have several lines to run; the one at 291 has only one
		// expression of PromQL, written over two lines.
		wantCount(t, "bash blocks with several commands", several, 39-1)
		wantCount(t, "comment-only blocks with PromQL", promql, 7)
		wantCount(t, "comment-only blocks without", manual, 2)
	})

	t.Run("promql", func(t *testing.T) {
		var lines, broken []int
		repaired := map[int]string{}
		eachStep(book, func(_ *Runbook, _ *Section, st *Step) {
			for _, q := range st.Queries {
				lines = append(lines, q.Line)
				if !q.Parses {
					broken = append(broken, q.Line)
					repaired[q.Line] = q.Repair
					for _, r := range q.Repairs {
						if err := parsePromQL(r); err != nil {
							t.Errorf("line %d: repair %q does not parse: %v", q.Line, r, err)
						}
					}
				}
			}
		})
		holding := 0
		for _, b := range bash {
			if b.within(lines) > 0 {
				holding++
			}
		}
		wantCount(t, "blocks with hidden PromQL", holding, 11)
		// 16 in comments, of which one follows its introduction on the same
		// line (362); one in prose (329); one bare (295).
		wantCount(t, "expressions", len(lines), 18)
		for _, l := range []int{329, 295, 362} {
			if !slices.Contains(lines, l) {
				t.Errorf("line %d: its PromQL was not found", l)
			}
		}
		wantLines(t, "PromQL that does not parse", broken, 55, 295, 828, 984, 985)
		for line, want := range map[int]string{
			55:  `sum by (endpoint, status) (rate(http_requests_total{status=~"5.."}[5m]))`,
			295: `topk(5, histogram_quantile(0.95, sum by (endpoint, le) (rate(http_request_duration_seconds_bucket[5m]))))`,
			828: `histogram_quantile(0.95, sum by (endpoint, le) (rate(http_request_duration_seconds_bucket[5m])))`,
			984: `avg by (cache_type) (cache_hit_rate)`,
			985: `sum by (operation, result) (cache_operations_total)`,
		} {
			if repaired[line] != want {
				t.Errorf("line %d: repair %q, want %q", line, repaired[line], want)
			}
		}
	})

	t.Run("placeholders", func(t *testing.T) {
		uses, inBlocks, silent, broken, brokenPlaceholder := 0, 0, 0, 0, 0
		names := map[string]bool{}
		for _, c := range commands {
			found := findPlaceholders(c.Text)
			uses += len(found)
			for _, u := range found {
				names[u.name] = true
			}
		}
		for _, b := range bash {
			text := strings.Join(b.lines, "\n")
			holds := len(findPlaceholders(text)) > 0
			if holds {
				inBlocks++
			}
			_, err := parseShell(text)
			switch {
			case err != nil && holds:
				broken++
				brokenPlaceholder++
			case err != nil:
				broken++
			case holds:
				silent++
			}
		}
		wantCount(t, "placeholder uses", uses, 38)
		wantCount(t, "placeholder names", len(names), 11)
		wantCount(t, "bash blocks with placeholders", inBlocks, 26)
		wantCount(t, "blocks that do not parse as written", broken, 10)
		wantCount(t, "of which for placeholders", brokenPlaceholder, 9)
		wantCount(t, "blocks that parse silently as redirections", silent, 17)
		if !SamePlaceholder("postgres-pod", "postgres-pod-name") {
			t.Error("<postgres-pod> and <postgres-pod-name> are two")
		}
		for _, c := range commands {
			if c.Problem != "" {
				t.Errorf("line %d: %s", c.Line, c.Problem)
			}
			for _, line := range []int{1069, 385, 365, 1172} {
				if c.Line == line && len(c.Placeholders) > 0 {
					t.Errorf("line %d: look-alikes are asked for: %q", c.Line, c.Placeholders)
				}
			}
		}
	})

	t.Run("shell", func(t *testing.T) {
		variables := map[string]int{}
		var substitutions, endless, several, or []int
		tty := 0
		sequel := map[string]bool{}
		for _, c := range commands {
			for _, v := range c.Variables {
				variables[v]++
			}
			if len(c.Substitutions) > 0 {
				substitutions = append(substitutions, c.Line)
			}
			if c.Endless {
				endless = append(endless, c.Line)
			}
			if c.TTY {
				tty++
			}
			if c.Language == Bash && strings.Contains(c.Text, "\n") {
				several = append(several, c.Line)
			}
		}
		eachStep(book, func(rb *Runbook, _ *Section, st *Step) {
			for _, c := range st.Commands {
				if key := fmt.Sprint(rb.Name, st.ID, c.Alternative); c.Option == 2 && !sequel[key] {
					sequel[key] = true
					or = append(or, c.Line)
				}
			}
		})
		wantCount(t, "$DB_USER", variables["DB_USER"], 6)
		wantCount(t, "$DB_HOST", variables["DB_HOST"], 1)
		wantCount(t, "variables", len(variables), 2)
		wantLines(t, "command substitutions", substitutions, 1138, 1252)
		wantCount(t, "-it", tty, 31)
		wantLines(t, "commands that do not end", endless, 302, 333, 411, 636, 1175, 1189, 1242, 1362, 1365, 1368)
		wantLines(t, "commands over several lines", several, 406, 417, 478, 484, 504, 510, 527, 552, 558, 581, 603)
		wantLines(t, "alternatives", or, 406, 558, 633, 873, 1012, 1298)
	})

	t.Run("sql", func(t *testing.T) {
		without, through := 0, 0
		for _, b := range blocks {
			if b.tag != "sql" {
				continue
			}
			opened := false
			for _, c := range commands {
				if b.within([]int{c.Line}) > 0 && c.Through != "" {
					opened = true
				}
			}
			if opened {
				through++
			} else {
				without++
			}
		}
		wantCount(t, "SQL blocks without a connection", without, 5)
		wantCount(t, "SQL blocks that open one", through, 1)
	})

	t.Run("branches", func(t *testing.T) {
		var conditions []int
		raw := strings.Split(string(src), "\n")
		for _, b := range blocks {
			if b.tag == "" {
				continue
			}
			for i, l := range b.lines {
				if t := strings.TrimSpace(l); (strings.HasPrefix(t, "#") || strings.HasPrefix(t, "--")) && condition(strings.TrimLeft(t, "#- ")) != "" {
					conditions = append(conditions, b.first+i)
				} else if at := strings.Index(l, "  # "); at > 0 && condition(l[at:]) != "" {
					conditions = append(conditions, b.first+i)
				}
			}
		}
		wantCount(t, "conditional comments", len(conditions), 16)
		noted := map[string]bool{}
		eachStep(book, func(_ *Runbook, _ *Section, st *Step) {
			for _, c := range st.Commands {
				if c.If != "" {
					noted[c.Caption] = true
				}
			}
			for _, n := range st.Notes {
				if n.If != "" {
					noted[n.Text] = true
				}
			}
		})
		for _, line := range conditions {
			text := strings.TrimLeft(strings.TrimSpace(raw[line-1]), "#- ")
			if !slices.ContainsFunc(keys(noted), func(s string) bool { return strings.Contains(s, text) }) {
				t.Errorf("line %d: %q is no condition of a command or a note", line, text)
			}
		}
		var compose []int
		for _, c := range commands {
			if c.Platform == Compose {
				compose = append(compose, c.Line)
			}
		}
		wantLines(t, "docker-compose commands", compose, 140, 141, 150)
	})

	t.Run("facts", func(t *testing.T) {
		asserted := map[int]bool{}
		clocks := map[ClockKind][]string{}
		slots, names, messages := 0, map[string]bool{}, 0
		eachStep(book, func(_ *Runbook, _ *Section, st *Step) {
			for _, a := range st.Assertions {
				asserted[a.Line] = true
			}
			for _, c := range st.Clocks {
				clocks[c.Kind] = append(clocks[c.Kind], fmt.Sprintf("%d %s", c.Line, c.After))
			}
			if st.Message != nil {
				messages++
				slots += len(slot.FindAllString(st.Message.Text, -1))
				for _, s := range st.Message.Slots {
					names[s] = true
				}
			}
		})
		wantLines(t, "assertions", keys(asserted), 329, 624, 1069, 1192, 1193, 1220, 1221, 1222, 1245, 1318, 1319)
		wantCount(t, "message templates", messages, 3)
		wantCount(t, "slots", slots, 13)
		wantCount(t, "slot names", len(names), 12)
		if want := []string{"1174 10m0s", "1188 10m0s", "1199 10m0s", "1231 1h0m0s"}; !slices.Equal(clocks[ClockWait], want) {
			t.Errorf("waits: %q, want %q", clocks[ClockWait], want)
		}
		if want := []string{"1269 24h0m0s", "1400 48h0m0s"}; !slices.Equal(clocks[ClockDeadline], want) {
			t.Errorf("deadlines: %q, want %q", clocks[ClockDeadline], want)
		}
		var escalation []string
		for _, rb := range book.Runbooks {
			for _, s := range rb.Sections {
				for _, c := range s.Clocks {
					escalation = append(escalation, c.Title+" "+c.After.String())
				}
			}
			if rb.Title == "Emergency Rollback" {
				measurable := 0
				for _, c := range rb.Criteria {
					if c.Measurable() {
						measurable++
					}
				}
				wantLines(t, "rollback criteria", linesOf(rb.Criteria, func(a Assertion) int { return a.Line }), 1283, 1284, 1285, 1286, 1287)
				wantCount(t, "measurable criteria", measurable, 2)
			}
		}
		if want := []string{"On-call Engineer 0s", "Team Lead 15m0s", "Engineering Manager 30m0s", "CTO 1h0m0s"}; !slices.Equal(escalation, want) {
			t.Errorf("escalation: %q, want %q", escalation, want)
		}
	})

	t.Run("risk", func(t *testing.T) {
		var destroys []int
		cluster, greps, tailless := 0, 0, 0
		scripts := map[string]bool{}
		for _, c := range commands {
			if c.Risk == Destroys {
				destroys = append(destroys, c.Line)
			}
			for _, f := range c.Files {
				if strings.HasPrefix(f, "./scripts/") {
					scripts[f] = true
				}
			}
			if c.Language != Bash {
				continue
			}
			masked := mask(c.Text, findPlaceholders(c.Text))
			file, err := parseShell(masked)
			if err != nil {
				t.Fatal(err)
			}
			inv := expand(arguments(firstCall(file).Args))[0]
			if inv.name == "kubectl" && strings.Join(verbOf(inv), " ") != "exec" {
				if r, _ := judgeKubectl(inv, false); r == Changes || r == Destroys {
					cluster++
				}
			}
			if last := lastStage(file.Stmts[len(file.Stmts)-1]); last == "grep" {
				greps++
			}
			if inv.name == "kubectl" && verbOf(inv)[0] == "logs" && hasOption(inv.args, "-l") && !hasOption(inv.args, "--tail", "-f") {
				tailless++
			}
		}
		wantLines(t, "likely loss of data", destroys, 206, 233, 236, 581, 783, 790, 1326, 1332)
		wantCount(t, "kubectl that changes the cluster", cluster, 34)
		wantCount(t, "pipelines that end in grep", greps, 10)
		wantCount(t, "kubectl logs -l without --tail", tailless, 9)
		wantCount(t, "scripts", len(scripts), 10)
	})

	t.Run("no command names a namespace or a context", func(t *testing.T) {
		for _, c := range commands {
			if regexp.MustCompile(`(^|\s)(-n [a-z]|--namespace|--context)`).MatchString(c.Text) && !strings.Contains(c.Text, "watch -n") {
				t.Errorf("line %d: %s", c.Line, c.Text)
			}
		}
	})
}

func keys[K int | string](m map[K]bool) []K {
	var out []K
	for k := range m {
		out = append(out, k)
	}
	return out
}
