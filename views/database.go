package views

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// databasePane shows who holds the connections of PostgreSQL.
type databasePane struct {
	theme  ui.Theme
	cell   *probes.Cell[probes.Database]
	scroll ui.Scroll
	total  int // lines of the full view, as last drawn
	page   int
	cache  drawn[canvas]
}

func (p *databasePane) keys() []ui.Binding {
	return rows(&p.scroll, func() int { return p.total }, max(1, p.page), func() {})
}
func (p *databasePane) filter(string) error { return errNoFilter }
func (p *databasePane) filtered() string    { return "" }
func (p *databasePane) wants(width int) int {
	if width < 46 {
		return 2
	}
	return 4
}

// errNoFilter is the answer of a pane that is not a list.
var errNoFilter = errors.New("this pane is not a list: nothing to filter")

// usable is how many connections ordinary roles can have.
func usable(d probes.Database) int { return max(0, d.Max-d.Reserved) }

func (p *databasePane) rule(now time.Time) ui.Rule {
	r := p.cell.Load()
	rule := ui.Rule{Key: "3", Title: "Database"}
	if !r.TakenAt.IsZero() {
		style := p.theme.Plain
		if d := r.Value; d.Total*10 >= usable(d)*9 {
			style = p.theme.Warn
		}
		rule.Answer = style.Render(fmt.Sprintf("%d of %d", r.Value.Total, r.Value.Max))
	}
	if t := trouble(p.theme, r.State(now), r.Err, r.Age(now)); t != "" {
		rule.Answer = strings.TrimSpace(rule.Answer + "  " + t)
	}
	return rule
}

func (p *databasePane) render(now time.Time, width, height int, full, focused bool) []string {
	r := p.cell.Load()
	key := canvas{r.Seq, now.Unix(), width, height, full, focused, p.scroll, ""}
	return p.cache.get(key, func() []string {
		if r.TakenAt.IsZero() {
			return ui.Block(explain(p.theme, r.State(now), r.Err, width), width, height)
		}
		switch {
		case full:
			lines := p.everything(r.Value, r.Age(now), width)
			p.total, p.page = len(lines), height
			p.scroll.To(p.scroll.Cursor, len(lines))
			from := min(p.scroll.Cursor, max(0, len(lines)-height))
			return ui.Block(lines[from:], width, height)
		case width < 46:
			return ui.Block(p.tight(r.Value, width), width, height)
		}
		return ui.Block(p.bars(r.Value, width, height), width, height)
	})
}

func (p *databasePane) waiting(d probes.Database) lipgloss.Style {
	if d.Waiting > 0 {
		return p.theme.Warn
	}
	return p.theme.Plain
}

// tight is the pane in two lines.
func (p *databasePane) tight(d probes.Database, width int) []string {
	first := fmt.Sprintf(" active %d  idle tx %d  ", d.Active, d.IdleInTx) + p.waiting(d).Render(fmt.Sprintf("waiting %d", d.Waiting))
	second := p.theme.Dim.Render(" no query runs")
	if d.Longest != nil {
		second = " longest " + backend(*d.Longest, width-9)
	}
	return []string{first, second}
}

// bars is the pane with a bar for each state.
func (p *databasePane) bars(d probes.Database, width, height int) []string {
	room := max(4, width-18)
	bar := func(name string, n int, style lipgloss.Style) string {
		ratio := 0.0
		if d.Max > 0 {
			ratio = float64(n) / float64(d.Max)
		}
		return fmt.Sprintf(" %-8s%4d  ", name, n) + style.Render(ui.Bar(ratio, room))
	}
	lines := []string{
		bar("active", d.Active, p.theme.Plain),
		bar("idle tx", d.IdleInTx, p.theme.Plain),
		bar("idle", d.Idle, p.theme.Dim),
	}
	last := " " + p.waiting(d).Render(fmt.Sprintf("%-8s%4d", "waiting", d.Waiting))
	if d.Longest != nil {
		last += "  longest query " + backend(*d.Longest, width-30)
	} else {
		last += p.theme.Dim.Render("  no query runs")
	}
	lines = append(lines, last)
	if height > len(lines) && d.OldestTx != nil {
		lines = append(lines, p.theme.Dim.Render(" oldest transaction ")+backend(*d.OldestTx, width-21))
	}
	if height > len(lines) && len(d.Blocked) > 0 {
		lines = append(lines, " "+p.theme.Warn.Render(blockLine(d.Blocked[0])))
	}
	return lines
}

// backend names a server process in one line: age, pid, and who it is.
func backend(b probes.Backend, width int) string {
	who := b.Application
	if who == "" {
		who = b.User
	}
	return ui.Cut(fmt.Sprintf("%s  pid %d  %s", ui.Duration(b.Age), b.PID, ui.Clean(who)), max(width, 8))
}

// blockLine says who waits for whom.
func blockLine(b probes.Block) string {
	pids := make([]string, len(b.Blockers))
	for i, pid := range b.Blockers {
		pids[i] = fmt.Sprint(pid)
	}
	return fmt.Sprintf("pid %d waits %s for pid %s", b.Waiter.PID, ui.Duration(b.Waiter.Age), strings.Join(pids, ", "))
}

// everything is the full-screen view.
func (p *databasePane) everything(d probes.Database, age time.Duration, width int) []string {
	lines := []string{
		fmt.Sprintf(" %s  PostgreSQL %s  %s  read %s ago", ui.Clean(d.Name), ui.Clean(d.Version), ui.Bytes(d.Size), ui.Age(age)),
		fmt.Sprintf(" %d of %d connections, %d reserved for superusers and roles that may use them", d.Total, d.Max, d.Reserved),
	}
	if d.InRecovery {
		lines = append(lines, fmt.Sprintf(" a replica, %s behind", ui.Elapsed(d.Lag)))
	}
	if d.Partial {
		lines = append(lines, " "+p.theme.Warn.Render("the role cannot see other users' queries: grant pg_monitor to it"))
	}
	lines = append(append(lines, ""), p.bars(d, width, 4)...)
	heading := func(text string) { lines = append(lines, "", " "+p.theme.Strong.Render(text)) }

	heading("Waits")
	if len(d.Blocked) == 0 {
		lines = append(lines, p.theme.Dim.Render(" nothing waits for a lock"))
	}
	for _, b := range d.Blocked {
		lines = append(lines, " "+p.theme.Warn.Render(blockLine(b))+"  "+ui.Clean(b.Waiter.Wait), p.theme.Dim.Render("   "+ui.Clean(b.Waiter.Query)))
	}
	heading("Longest")
	lines = append(lines, p.longest("query", d.Longest, width)...)
	lines = append(lines, p.longest("transaction", d.OldestTx, width)...)

	heading("Statements by total time")
	if d.StatementsErr != nil {
		lines = append(lines, indent(p.theme.Dim, ui.Clean(d.StatementsErr.Error()), width)...)
	}
	for _, s := range d.Statements {
		lines = append(lines, fmt.Sprintf(" %9s  %8s calls  %9s each  ", ui.Elapsed(s.Total), ui.Number(float64(s.Calls)), ui.Elapsed(s.Mean))+p.theme.Dim.Render(ui.Clean(oneLine(s.Query))))
	}
	if len(d.Replicas) > 0 {
		heading("Replicas")
		for _, r := range d.Replicas {
			lines = append(lines, fmt.Sprintf(" %-20s %-10s %s behind  %s", ui.Clean(r.Name), ui.Clean(r.State), ui.Elapsed(r.Lag), ui.Bytes(r.Bytes)))
		}
	}
	return lines
}

func (p *databasePane) longest(what string, b *probes.Backend, width int) []string {
	if b == nil {
		return []string{p.theme.Dim.Render(" no " + what + " is open")}
	}
	return []string{
		fmt.Sprintf(" %-12s", what) + backend(*b, width-14) + "  " + ui.Clean(b.State) + "  " + ui.Clean(b.Wait),
		p.theme.Dim.Render("   " + ui.Clean(oneLine(b.Query))),
	}
}

// oneLine folds the white space of a statement.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
