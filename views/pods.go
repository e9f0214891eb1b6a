package views

import (
	"fmt"
	"strconv"
	"time"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// podsPane lists the pods of the namespace, what is wrong first. While it is
// one pane among others the healthy rest folds into a line.
type podsPane struct {
	theme      ui.Theme
	cell       *probes.Cell[probes.Pods]
	deployment string // whose revision and readiness are in the rule
	scroll     ui.Scroll
	chosen     string
	query      string
	page       int
	cache      drawn[canvas]

	matched struct { // the filtered list of one reading
		seq   uint64
		query string
		pods  []probes.Pod
		names int // width of the longest name
	}
}

// visible is the filtered list, worked out once a reading.
func (p *podsPane) visible() []probes.Pod {
	r := p.cell.Load()
	m := &p.matched
	if m.pods != nil && m.seq == r.Seq && m.query == p.query {
		return m.pods
	}
	m.seq, m.query, m.names, m.pods = r.Seq, p.query, 4, make([]probes.Pod, 0, len(r.Value.Pods))
	for _, pod := range r.Value.Pods {
		if p.query == "" || containsFold(p.query, pod.Name, pod.Status, pod.Node, labelText(pod.Labels)) {
			m.pods = append(m.pods, pod)
			m.names = max(m.names, len(pod.Name))
		}
	}
	return m.pods
}

// selected is the pod under the cursor; ok is false where there is none.
func (p *podsPane) selected() (probes.Pod, bool) {
	pods := p.visible()
	p.follow(pods)
	if p.scroll.Cursor >= len(pods) {
		return probes.Pod{}, false
	}
	return pods[p.scroll.Cursor], true
}

func (p *podsPane) follow(pods []probes.Pod) {
	if p.scroll.Cursor < len(pods) && pods[p.scroll.Cursor].Name == p.chosen {
		return
	}
	for i := range pods {
		if pods[i].Name == p.chosen {
			p.scroll.To(i, len(pods))
			return
		}
	}
	p.scroll.To(p.scroll.Cursor, len(pods))
	p.moved()
}

func (p *podsPane) moved() {
	if pods := p.visible(); p.scroll.Cursor < len(pods) {
		p.chosen = pods[p.scroll.Cursor].Name
	}
}

func (p *podsPane) keys() []ui.Binding {
	return rows(&p.scroll, func() int { return len(p.visible()) }, max(1, p.page), p.moved)
}

func (p *podsPane) filter(text string) error { p.query = text; return nil }
func (p *podsPane) filtered() string         { return p.query }
func (p *podsPane) wants(int) int            { return len(p.visible()) + 2 }

func (p *podsPane) rule(now time.Time) ui.Rule {
	r := p.cell.Load()
	rule := ui.Rule{Key: "2", Title: "Pods", Detail: filterDetail(p.theme, p.query)}
	answer := p.answer(r.Value, now)
	if t := trouble(p.theme, r.State(now), r.Err, r.Age(now)); t != "" {
		if answer != "" {
			answer += "  "
		}
		answer += t
	}
	rule.Answer = answer
	return rule
}

// answer is the service's deployment: how many are ready, its revision, and
// when it rolled out.
func (p *podsPane) answer(pods probes.Pods, now time.Time) string {
	for _, d := range pods.Deployments {
		if d.Name != p.deployment {
			continue
		}
		style := p.theme.Plain
		if d.Ready < d.Desired {
			style = p.theme.Warn
		}
		text := style.Render(fmt.Sprintf("%s %d/%d", ui.Clean(d.Name), d.Ready, d.Desired))
		if d.Revision > 0 {
			text += fmt.Sprintf("  rev %d", d.Revision)
		}
		if !d.RolledOut.IsZero() {
			text += "  " + ui.Age(now.Sub(d.RolledOut)) + " ago"
		}
		return text
	}
	if len(pods.Pods) == 0 {
		return ""
	}
	return count(len(pods.Pods), "pod")
}

func (p *podsPane) render(now time.Time, width, height int, full, focused bool) []string {
	r := p.cell.Load()
	key := canvas{r.Seq, now.Unix(), width, height, full, focused, p.scroll, p.query + "\x00" + p.chosen}
	return p.cache.get(key, func() []string { return p.draw(r, now, width, height, full, focused) })
}

func (p *podsPane) draw(r probes.Reading[probes.Pods], now time.Time, width, height int, full, focused bool) []string {
	pods := p.visible()
	if len(pods) == 0 {
		lines := explain(p.theme, r.State(now), r.Err, width)
		if lines == nil {
			text := " no pods in namespace " + ui.Clean(r.Value.Namespace)
			if p.query != "" {
				text = " no pod matches " + ui.Clean(p.query)
			}
			lines = []string{p.theme.Dim.Render(text)}
		}
		return ui.Block(lines, width, height)
	}
	p.follow(pods)
	header := height >= 6
	room := height
	if header {
		room--
	}
	p.page = max(1, room)
	from, to := p.scroll.Window(len(pods), room)
	fold := 0
	if !full && len(pods) > room && room > 1 {
		// The last row becomes the fold: what is below it, in one line.
		from, to = p.scroll.Window(len(pods), room-1)
		fold = len(pods) - to
	}
	columns := []ui.Column{
		ui.MarkColumn,
		{Title: "NAME", Width: p.nameWidth(width), Ends: true},
		{Title: "READY", Width: 5},
		{Title: "STATUS"},
		{Title: "RESTARTS", Width: 8, Right: true},
		{Title: "AGE", Width: 3, Right: true},
	}
	if full && width >= 110 {
		columns = append(columns, ui.Column{Title: "NODE", Width: 20, Ends: true})
	}
	table := make([][]ui.Cell, 0, to-from)
	for i, pod := range pods[from:to] {
		table = append(table, p.row(pod, from+i == p.scroll.Cursor, focused, now, len(columns) > 6))
	}
	lines := ui.Table(p.theme, columns, header, table, width)
	if fold > 0 {
		lines = append(lines, p.theme.Dim.Render(foldLine(pods[to:])))
	}
	return ui.Block(lines, width, height)
}

// nameWidth is the width of the name column: the longest name where there is
// room for it beside the fixed columns.
func (p *podsPane) nameWidth(width int) int {
	const fixed = 3 + 2 + 5 + 2 + 2 + 8 + 2 + 3 // mark, ready, restarts, age, and the gaps
	const status = 16                           // CrashLoopBackOff, ImagePullBackOff
	return max(12, min(p.matched.names, width-fixed-status))
}

func (p *podsPane) row(pod probes.Pod, current, focused bool, now time.Time, node bool) []ui.Cell {
	style, mark := p.theme.Plain, ui.Cell{}
	if !pod.Healthy {
		style, mark = p.theme.Warn, ui.Cell{Text: ui.GlyphWrong, Style: p.theme.Warn}
	}
	name := style
	if current && focused {
		mark, name = ui.Cell{Text: ui.GlyphCursor, Style: p.theme.Accent}, p.theme.Selected
	}
	restarts := strconv.Itoa(pod.Restarts)
	if !pod.LastRestart.IsZero() && now.Sub(pod.LastRestart) < time.Hour {
		restarts += " (" + ui.Age(now.Sub(pod.LastRestart)) + ")"
	}
	cells := []ui.Cell{
		mark,
		{Text: ui.Clean(pod.Name), Style: name},
		{Text: fmt.Sprintf("%d/%d", pod.Ready, pod.Containers), Style: style},
		{Text: ui.Clean(pod.Status), Style: style},
		{Text: restarts, Style: style},
		{Text: ui.Age(now.Sub(pod.Created)), Style: style},
	}
	if node {
		cells = append(cells, ui.Cell{Text: ui.Clean(pod.Node), Style: p.theme.Dim})
	}
	return cells
}

// foldLine says what is below the last row that fits.
func foldLine(rest []probes.Pod) string {
	wrong := 0
	for _, pod := range rest {
		if !pod.Healthy {
			wrong++
		}
	}
	if wrong == 0 {
		return fmt.Sprintf("   %d more, all ready", len(rest))
	}
	return fmt.Sprintf("   %d more, %d of them not ready", len(rest), wrong)
}
