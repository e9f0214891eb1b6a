package runbooks

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The tests of the original book assert every count that was taken of it by hand.

func TestOriginalBookDocument(t *testing.T) {
	o := openOriginal(t)
	tags := map[string]int{}
	for _, b := range o.blocks {
		tags[b.tag]++
	}
	wantCount(t, "lines", strings.Count(string(o.src), "\n"), 1412)
	wantCount(t, "fenced o.blocks", len(o.blocks), 90)
	wantCount(t, "bash o.blocks", tags["bash"], 81)
	wantCount(t, "sql o.blocks", tags["sql"], 6)
	wantCount(t, "untagged o.blocks", tags[""], 3)
	if len(o.book.Problems) > 0 {
		t.Errorf("problems: %v", o.book.Problems)
	}
}

func TestOriginalBookRunbooks(t *testing.T) {
	o := openOriginal(t)
	sections := map[string][]int{}
	var procedures []string
	for _, rb := range o.book.Runbooks {
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
	contents := o.book.Text[strings.Index(o.book.Text, "## Table of Contents"):]
	var missing []int
	for _, rb := range o.book.Runbooks {
		if !strings.Contains(contents, "(#"+rb.Anchor+")") {
			missing = append(missing, rb.Line)
		}
	}
	wantLines(t, "missing from the table of contents", missing, 735, 808, 890, 1390)
}

func TestOriginalBookSteps(t *testing.T) {
	o := openOriginal(t)
	numbered, withFence, without, boxes, nested, stepHeadings, options, ifs := 0, 0, 0, 0, 0, 0, 0, 0
	raw := strings.Split(string(o.src), "\n")
	eachStep(o.book, func(_ *Runbook, _ *Section, st *Step) {
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
			for _, b := range o.blocks {
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
}

func TestOriginalBookBlocks(t *testing.T) {
	o := openOriginal(t)
	several, manual, promql := 0, 0, 0
	var queries []int
	eachStep(o.book, func(_ *Runbook, _ *Section, st *Step) {
		for _, q := range st.Queries {
			queries = append(queries, q.Line)
		}
	})
	for _, b := range o.bash {
		if b.within(o.commandLines) >= 2 {
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
		if b.within(o.commandLines) > 0 {
			t.Errorf("line %d: a command out of comments", b.first)
		}
		if b.within(queries) > 0 {
			promql++
		} else {
			manual++
		}
	}
	// 39 o.blocks have several lines to run; the one at 291 has only one
	// expression of PromQL, written over two lines.
	wantCount(t, "bash o.blocks with several o.commands", several, 39-1)
	wantCount(t, "comment-only o.blocks with PromQL", promql, 7)
	wantCount(t, "comment-only o.blocks without", manual, 2)
}

func TestOriginalBookPromQL(t *testing.T) {
	o := openOriginal(t)
	var lines, broken []int
	repaired := map[int]string{}
	eachStep(o.book, func(_ *Runbook, _ *Section, st *Step) {
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
	for _, b := range o.bash {
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
}
