package runbooks

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestOriginalBookPlaceholders(t *testing.T) {
	o := openOriginal(t)
	uses, inBlocks, silent, broken, brokenPlaceholder := 0, 0, 0, 0, 0
	names := map[string]bool{}
	for _, c := range o.commands {
		found := findPlaceholders(c.Text)
		uses += len(found)
		for _, u := range found {
			names[u.name] = true
		}
	}
	for _, b := range o.bash {
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
	wantCount(t, "bash o.blocks with placeholders", inBlocks, 26)
	wantCount(t, "blocks that do not parse as written", broken, 10)
	wantCount(t, "of which for placeholders", brokenPlaceholder, 9)
	wantCount(t, "blocks that parse silently as redirections", silent, 17)
	if !SamePlaceholder("postgres-pod", "postgres-pod-name") {
		t.Error("<postgres-pod> and <postgres-pod-name> are two")
	}
	for _, c := range o.commands {
		if c.Problem != "" {
			t.Errorf("line %d: %s", c.Line, c.Problem)
		}
		for _, line := range []int{1069, 385, 365, 1172} {
			if c.Line == line && len(c.Placeholders) > 0 {
				t.Errorf("line %d: look-alikes are asked for: %q", c.Line, c.Placeholders)
			}
		}
	}
}

func TestOriginalBookShell(t *testing.T) {
	o := openOriginal(t)
	variables := map[string]int{}
	var substitutions, endless, several, or []int
	tty := 0
	sequel := map[string]bool{}
	for _, c := range o.commands {
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
	eachStep(o.book, func(rb *Runbook, _ *Section, st *Step) {
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
}

func TestOriginalBookSQL(t *testing.T) {
	o := openOriginal(t)
	without, through := 0, 0
	for _, b := range o.blocks {
		if b.tag != "sql" {
			continue
		}
		opened := false
		for _, c := range o.commands {
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
	wantCount(t, "SQL o.blocks without a connection", without, 5)
	wantCount(t, "SQL o.blocks that open one", through, 1)
}

func TestOriginalBookBranches(t *testing.T) {
	o := openOriginal(t)
	var conditions []int
	raw := strings.Split(string(o.src), "\n")
	for _, b := range o.blocks {
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
	eachStep(o.book, func(_ *Runbook, _ *Section, st *Step) {
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
	for _, c := range o.commands {
		if c.Platform == Compose {
			compose = append(compose, c.Line)
		}
	}
	wantLines(t, "docker-compose o.commands", compose, 140, 141, 150)
}

func TestOriginalBookFacts(t *testing.T) {
	o := openOriginal(t)
	asserted := map[int]bool{}
	clocks := map[ClockKind][]string{}
	slots, names, messages := 0, map[string]bool{}, 0
	eachStep(o.book, func(_ *Runbook, _ *Section, st *Step) {
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
	for _, rb := range o.book.Runbooks {
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
}

func TestOriginalBookRisk(t *testing.T) {
	o := openOriginal(t)
	var destroys []int
	cluster, greps, tailless := 0, 0, 0
	scripts := map[string]bool{}
	for _, c := range o.commands {
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
		inv := expandAt(arguments(firstCall(file).Args), local, false, 0)[0]
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
}

func TestOriginalBookNamesNoCluster(t *testing.T) {
	o := openOriginal(t)
	for _, c := range o.commands {
		if regexp.MustCompile(`(^|\s)(-n [a-z]|--namespace|--context)`).MatchString(c.Text) && !strings.Contains(c.Text, "watch -n") {
			t.Errorf("line %d: %s", c.Line, c.Text)
		}
	}
}
