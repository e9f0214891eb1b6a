package views

import (
	"fmt"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/config"
	"github.com/erpgo/flightdeck/ui"
)

// home is the screen that says what is burning: all panes at once, or one of
// them in full.
type home struct {
	c     *Cockpit
	strip *strip
	panes []pane // in the order of their keys, 1 to 6
	focus int
	full  bool

	alerts *alertsPane
	pods   *podsPane
	logs   *logsPane
}

// The panes of the home screen by their place.
const (
	paneAlerts = iota
	panePods
	paneDatabase
	paneCache
	paneLogins
	paneLogs
)

func newHome(c *Cockpit) *home {
	b, cfg := c.deps.Board, c.deps.Config
	h := &home{c: c, strip: &strip{theme: c.theme, cell: &b.Signals, set: cfg.Signals}}
	h.alerts = &alertsPane{theme: c.theme, cell: &b.Alerts, owners: newOwners(c.deps.Runner).byAlert, unit: func(alert string) config.Unit { return unitOf(cfg.Signals, alert) }}
	h.pods = &podsPane{theme: c.theme, cell: &b.Pods, deployment: cfg.Service.Deployment}
	h.logs = &logsPane{theme: c.theme, key: "6", tail: b.Logs, copy: c.copyText}
	h.panes = []pane{
		h.alerts, h.pods,
		&databasePane{theme: c.theme, cell: &b.Database},
		&cachePane{theme: c.theme, cell: &b.Cache, floor: hitRateFloor(cfg.Signals)},
		&loginsPane{theme: c.theme, cell: &b.Logins},
		h.logs,
	}
	return h
}

// hitRateFloor is the configured floor of a hit rate: of the signal that has
// one, between 0 and 1. Without one, none is too low.
func hitRateFloor(signals []config.Signal) float64 {
	for _, s := range signals {
		if s.Below && s.Warn > 0 && s.Unit == config.UnitRatio {
			return s.Warn
		}
		if s.Below && s.Warn > 0 && s.Unit == config.UnitPercent {
			return s.Warn / 100
		}
	}
	return 0
}

func (h *home) update(tea.Msg) tea.Cmd { return nil }
func (h *home) close()                 {}

func (h *home) filterable() filterable {
	switch h.focus {
	case paneAlerts, panePods, paneLogs:
		return h.panes[h.focus]
	}
	return nil
}

func (h *home) keys() []ui.Binding {
	var keys []ui.Binding
	switch h.focus {
	case paneAlerts:
		none := ""
		if _, ok := h.alerts.selected(); !ok {
			none = "no alert is selected"
		}
		keys = append(keys,
			ui.Binding{Keys: []string{"enter"}, Does: "runbook", Why: none, Action: h.openAlert},
			ui.Binding{Keys: []string{"a"}, Does: "acknowledge", Why: none, Action: h.acknowledge},
			ui.Binding{Keys: []string{"s"}, Does: "silence", Why: h.unsilenceable(), Action: h.silence},
			ui.Binding{Keys: []string{"S"}, Does: "end its silence", Why: h.unsilenced(), Action: h.expireSilence},
			ui.Binding{Keys: []string{"A"}, Does: "attach to an incident", Quiet: true, Why: h.unattachable(), Action: h.attach},
		)
	case panePods:
		none := ""
		if _, ok := h.pods.selected(); !ok {
			none = "no pod is selected"
		}
		keys = append(keys, ui.Binding{Keys: []string{"y"}, Does: "copy name", Quiet: true, Why: none, Action: h.copyPod})
	}
	keys = append(keys, h.panes[h.focus].keys()...)
	for i := range h.panes {
		keys = append(keys, ui.Binding{Keys: []string{string(rune('1' + i))}, Does: "focus " + h.title(i), Quiet: true, Action: func() tea.Cmd { h.focus = i; return nil }})
	}
	fullDoes := "full screen"
	if h.full {
		fullDoes = "all panes"
	}
	keys = append(keys,
		ui.Binding{Keys: []string{"I"}, Does: "incidents", Quiet: true, Action: func() tea.Cmd { return h.c.listIncidents("") }},
		ui.Binding{Keys: []string{"n"}, Does: "note", Quiet: true, Why: h.noteless(), Action: h.note},
		ui.Binding{Keys: []string{"tab"}, Does: "next pane", Quiet: true, Action: func() tea.Cmd { h.focus = (h.focus + 1) % len(h.panes); return nil }},
		ui.Binding{Keys: []string{"shift+tab"}, Does: "previous pane", Quiet: true, Action: func() tea.Cmd { h.focus = (h.focus + len(h.panes) - 1) % len(h.panes); return nil }},
		ui.Binding{Keys: []string{"f"}, Does: fullDoes, Action: func() tea.Cmd { h.full = !h.full; return nil }},
	)
	if h.full {
		keys = append(keys, ui.Binding{Keys: []string{"esc"}, Does: "back", Quiet: true, Action: h.leaveFull})
	}
	return keys
}

func (h *home) leaveFull() tea.Cmd {
	if f := h.filterable(); f != nil && f.filtered() != "" {
		_ = f.filter("")
		return nil
	}
	h.full = false
	return nil
}

func (h *home) title(i int) string { return h.panes[i].rule(h.c.now).Title }

func (h *home) copyPod() tea.Cmd {
	pod, _ := h.pods.selected()
	return h.c.copyText(pod.Name)
}

func (h *home) render(now time.Time, width, height int) []string {
	lines := []string{header(h.c.theme, h.c.where(), sources(h.c.deps.Board, now), now, width)}
	lines = append(lines, h.strip.render(now, width)...)
	body := height - len(lines)
	switch {
	case h.full:
		return append(lines, h.block(now, h.focus, width, body, true)...)
	case width >= 120:
		return append(lines, h.wide(now, width, body)...)
	}
	return append(lines, h.tight(now, width, body)...)
}

// block is a pane with its rule, height lines in all.
func (h *home) block(now time.Time, i, width, height int, full bool) []string {
	if height <= 0 {
		return nil
	}
	p := h.panes[i]
	rule := p.rule(now)
	rule.Focused = i == h.focus
	lines := []string{rule.Render(h.c.theme, width)}
	return append(lines, p.render(now, width, height-1, full, i == h.focus)...)
}

// wide is the layout from 120 columns on: what burns and where on the left, the
// stores and logins on the right, the tail below. More rows go to alerts, pods
// and logs.
func (h *home) wide(now time.Time, width, height int) []string {
	left := width * 59 / 100
	right := width - left - 1
	const database, cache = 7, 3
	logins := max(3, min(h.panes[paneLogins].wants(right)+1, 8))
	alerts := max(6, h.alerts.wants(left)+2)
	top := max(13, min(max(alerts+h.pods.wants(left)+1, database+cache+logins), height*68/100))
	alerts = min(alerts, top/2)
	lines := append(h.block(now, paneAlerts, left, alerts, false), h.block(now, panePods, left, top-alerts, false)...)
	// Where the column is shorter than its panes, the database gives way.
	stores := min(database, top-cache-3)
	side := h.block(now, paneDatabase, right, stores, false)
	side = append(side, h.block(now, paneCache, right, cache, false)...)
	side = append(side, h.block(now, paneLogins, right, top-stores-cache, false)...)
	out := ui.Columns(h.c.theme, lines, side)
	return append(out, h.block(now, paneLogs, width, height-top, false)...)
}

// tight is the layout of a narrow screen: the same panes as a closer grid.
func (h *home) tight(now time.Time, width, height int) []string {
	alerts := 5 + max(0, min(h.alerts.wants(width)-4, (height-22)/3))
	const stores, logins = 3, 2
	rest := height - alerts - stores - logins
	pods := max(5, rest*45/100)
	out := h.block(now, paneAlerts, width, alerts, false)
	out = append(out, h.block(now, panePods, width, pods, false)...)
	half := width / 2
	database := h.block(now, paneDatabase, half, stores, false)
	cache := h.block(now, paneCache, width-half, stores, false)
	for i := range database {
		out = append(out, database[i]+cache[i])
	}
	out = append(out, h.block(now, paneLogins, width, logins, false)...)
	return append(out, h.block(now, paneLogs, width, height-len(out), false)...)
}

// where is the cluster that everything happens in, and what marks it.
func (c *Cockpit) where() string {
	place := ui.Clean(c.deps.Context) + " / " + ui.Clean(c.deps.Namespace)
	if c.deps.Context == "" {
		place = c.theme.Dim.Render("no cluster")
	}
	if err := c.deps.Runner.JournalErr(); err != nil {
		place += "  " + c.theme.Warn.Render("journal: "+reason(err))
	}
	if unsent, err := c.deps.Runner.Unsent(); err != nil {
		place += "  " + c.theme.Warn.Render("journal away")
		if len(unsent) > 0 {
			place += c.theme.Warn.Render(fmt.Sprintf(", %d unsent", len(unsent)))
		}
	}
	return place
}

// small is the screen of a terminal that is too small: the answers of the
// panes, and what the cockpit needs.
func (c *Cockpit) small() []string {
	needs := "flightdeck needs 80×24; this is " + ui.Number(float64(c.width)) + "×" + ui.Number(float64(c.height))
	lines := []string{c.theme.Warn.Render(needs)}
	home, ok := c.screens[0].(*home)
	if ok && c.width >= leastWidth && c.height >= leastHeight {
		lines = append(lines, "")
		for _, p := range home.panes {
			rule := p.rule(c.now)
			lines = append(lines, ui.Spread(" "+rule.Title, rule.Answer+" ", c.width))
		}
	}
	return ui.Block(lines, c.width, c.height)
}
