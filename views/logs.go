package views

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// logsPane is the live tail. It keeps the lines that match its filter, so that
// a frame costs what is visible and a filter is matched once a line.
type logsPane struct {
	theme ui.Theme
	key   string // the key that focuses it
	tail  *probes.Tail
	copy  func(string) tea.Cmd

	entries []entry // that match, oldest first, at most as many as the tail keeps
	seen    uint64  // sequence number of the last line that was looked at
	missed  uint64  // lines that the tail dropped before they were looked at

	match  *regexp.Regexp
	query  string
	paused bool
	bottom int // index behind the last visible entry while paused
	fresh  int // entries that came while paused
	raw    bool
	page   int
	cache  drawn[logsKey]
}

type logsKey struct {
	seen          uint64
	width, height int
	focused, raw  bool
	bottom        int
	query         string
}

// entry is a line, or a run of the same line.
type entry struct {
	line  probes.Line
	times int
}

// keepEntries bounds what one viewer holds, whatever the tail keeps.
const keepEntries = 10_000

// pull takes what came since the last time. It is called before each frame and
// costs what is new.
func (p *logsPane) pull() {
	for {
		lines, dropped := p.tail.Since(p.seen, 2_000)
		if p.seen > 0 { // what was gone before this viewer came is not missed by it
			p.missed += dropped
		}
		if len(lines) == 0 {
			return
		}
		for _, line := range lines {
			p.seen = line.Seq
			if p.match != nil && !p.match.MatchString(line.Raw) {
				continue
			}
			p.add(line)
		}
	}
}

func (p *logsPane) add(line probes.Line) {
	if n := len(p.entries); n > 0 && sameLine(p.entries[n-1].line, line) {
		p.entries[n-1].times++
		p.entries[n-1].line = line
		return
	}
	p.entries = append(p.entries, entry{line, 1})
	if p.paused {
		p.fresh++
	}
	if over := len(p.entries) - keepEntries; over > keepEntries/10 {
		p.entries = append([]entry(nil), p.entries[over:]...)
		p.bottom = max(0, p.bottom-over)
	}
}

// sameLine tells whether two lines say the same but for their time.
func sameLine(a, b probes.Line) bool {
	if a.Pod != b.Pod || a.Level != b.Level || a.Message != b.Message || len(a.Fields) != len(b.Fields) {
		return false
	}
	if len(a.Fields) == 0 && a.Level == "" {
		return a.Raw == b.Raw
	}
	for i := range a.Fields {
		if a.Fields[i] != b.Fields[i] {
			return false
		}
	}
	return true
}

// filter shows only lines that match a regular expression. Lines that are still
// in the tail are looked at again.
func (p *logsPane) filter(text string) error {
	var match *regexp.Regexp
	if text != "" {
		var err error
		if match, err = regexp.Compile(text); err != nil {
			return fmt.Errorf("log filter: %w", err)
		}
	}
	p.match, p.query = match, text
	p.entries, p.seen, p.bottom, p.fresh, p.paused = nil, 0, 0, 0, false
	p.missed = 0
	p.pull()
	return nil
}

func (p *logsPane) filtered() string { return p.query }
func (p *logsPane) wants(int) int    { return len(p.entries) }

func (p *logsPane) pause() {
	if !p.paused {
		p.paused, p.bottom, p.fresh = true, len(p.entries), 0
	}
}

func (p *logsPane) resume() { p.paused, p.fresh = false, 0 }

func (p *logsPane) scrollBy(n int) func() tea.Cmd {
	return func() tea.Cmd {
		if n < 0 || p.paused {
			p.pause()
			p.bottom = min(max(p.bottom+n, min(p.page, len(p.entries))), len(p.entries))
			if n > 0 && p.bottom == len(p.entries) {
				p.resume()
			}
		}
		return nil
	}
}

func (p *logsPane) keys() []ui.Binding {
	page := max(1, p.page-1)
	notPaused := ""
	if !p.paused {
		notPaused = "the tail is following already"
	}
	return []ui.Binding{
		{Keys: []string{"k", "up"}, Show: "k ↑", Does: "scroll up, which pauses", Quiet: true, Action: p.scrollBy(-1)},
		{Keys: []string{"j", "down"}, Show: "j ↓", Does: "scroll down", Quiet: true, Action: p.scrollBy(1)},
		{Keys: []string{"ctrl+b", "pgup"}, Does: "page up", Quiet: true, Action: p.scrollBy(-page)},
		{Keys: []string{"ctrl+f", "pgdown"}, Does: "page down", Quiet: true, Action: p.scrollBy(page)},
		{Keys: []string{"g", "home"}, Does: "oldest line", Quiet: true, Action: p.scrollBy(-len(p.entries))},
		{Keys: []string{"G", "end", "s"}, Show: "G", Does: "follow", Why: notPaused, Action: func() tea.Cmd { p.resume(); return nil }},
		{Keys: []string{"p"}, Does: "pause", Quiet: true, Action: func() tea.Cmd { p.pause(); return nil }},
		{Keys: []string{"r"}, Does: "raw lines", Quiet: true, Action: func() tea.Cmd { p.raw = !p.raw; return nil }},
		{Keys: []string{"y"}, Does: "copy the last visible line", Quiet: true, Action: func() tea.Cmd { return p.copyLines(1) }},
		{Keys: []string{"Y"}, Does: "copy the visible lines", Quiet: true, Action: func() tea.Cmd { return p.copyLines(p.page) }},
	}
}

// copyLines copies the last n visible lines as they were written.
func (p *logsPane) copyLines(n int) tea.Cmd {
	_, to := p.window(n)
	var b strings.Builder
	for _, e := range p.entries[max(0, to-n):to] {
		b.WriteString(e.line.Raw + "\n")
	}
	return p.copy(b.String())
}

// window is the range of entries that is visible in height rows.
func (p *logsPane) window(height int) (from, to int) {
	to = len(p.entries)
	if p.paused {
		to = min(p.bottom, to)
	}
	return max(0, to-height), to
}

func (p *logsPane) rule(now time.Time) ui.Rule {
	p.pull()
	state := p.tail.State()
	rule := ui.Rule{Key: p.key, Title: "Logs", Detail: p.theme.Dim.Render(ui.Clean(state.Selector))}
	if d := filterDetail(p.theme, p.query); d != "" {
		rule.Detail += "  " + d
	}
	if state.Err != nil {
		rule.Answer = trouble(p.theme, probes.Down, state.Err, 0)
		if notConfigured(state.Err) {
			rule.Answer = trouble(p.theme, probes.NotConfigured, state.Err, 0)
		}
		return rule
	}
	var parts []string
	live, broken := 0, 0
	for _, pod := range state.Pods {
		switch pod.State {
		case "following":
			live++
		case "reconnecting":
			broken++
		}
	}
	parts = append(parts, count(live, "pod"), ui.Number(state.PerSecond)+" /s")
	if broken > 0 {
		parts = append(parts, p.theme.Warn.Render(fmt.Sprintf("%d reconnecting", broken)))
	}
	if p.missed > 0 {
		parts = append(parts, p.theme.Warn.Render(ui.Number(float64(p.missed))+" dropped"))
	}
	if p.paused {
		parts = append(parts, p.theme.Accent.Render("paused, "+ui.Number(float64(p.fresh))+" new"))
	} else {
		parts = append(parts, "following")
	}
	rule.Answer = strings.Join(parts, "  ")
	return rule
}

func (p *logsPane) render(_ time.Time, width, height int, _, focused bool) []string {
	p.pull()
	p.page = height
	from, to := p.window(height)
	key := logsKey{p.seen, width, height, focused, p.raw, to, p.query}
	return p.cache.get(key, func() []string {
		if len(p.entries) == 0 {
			return ui.Block(p.empty(width), width, height)
		}
		pods := p.podWidth()
		lines := make([]string, 0, height)
		for _, e := range p.entries[from:to] {
			lines = append(lines, p.line(e, pods, width))
		}
		return ui.Block(lines, width, height)
	})
}

func (p *logsPane) empty(width int) []string {
	state := p.tail.State()
	switch {
	case notConfigured(state.Err):
		return explain(p.theme, probes.NotConfigured, state.Err, width)
	case state.Err != nil:
		return explain(p.theme, probes.Down, state.Err, width)
	case p.query != "":
		return []string{p.theme.Dim.Render(" no line matches " + ui.Clean(p.query))}
	}
	return []string{p.theme.Dim.Render(" no lines yet")}
}

// podWidth is the room for the pods' short names.
func (p *logsPane) podWidth() int {
	w := 5
	for _, pod := range p.tail.State().Pods {
		w = max(w, len(shortPod(pod.Pod)))
	}
	return min(w, 20)
}

// shortPod is what tells a pod apart from its siblings: the hash that its
// ReplicaSet gave it, or the whole name.
func shortPod(name string) string {
	if i := strings.LastIndexByte(name, '-'); i > 0 && len(name)-i-1 == 5 {
		return name[i+1:]
	}
	return name
}

func (p *logsPane) line(e entry, pods, width int) string {
	clock := "15:04:05"
	if width >= 100 {
		clock = "15:04:05.000"
	}
	head := " " + p.theme.Dim.Render(e.line.At.Local().Format(clock)+" "+ui.Fit(ui.CutMiddle(ui.Clean(shortPod(e.line.Pod)), pods), pods)) + " "
	if p.raw {
		return head + ui.Clean(e.line.Raw)
	}
	body := e.line.Message
	if body == "" {
		body = e.line.Raw
	}
	text := ui.Clean(body)
	if e.line.Level != "" {
		style := p.level(e.line.Level)
		text = style.Render(ui.Fit(e.line.Level, 5)) + " " + text
	}
	var fields strings.Builder
	for _, f := range e.line.Fields {
		fields.WriteString("  " + ui.Clean(f.Key) + "=" + ui.Clean(quoted(f.Value)))
	}
	text += p.theme.Dim.Render(fields.String())
	if e.line.Cut > 0 {
		text += p.theme.Warn.Render(" +" + ui.Bytes(int64(e.line.Cut)))
	}
	if e.times > 1 {
		return ui.Spread(head+text, p.theme.Strong.Render(fmt.Sprintf("  ×%d ", e.times)), width)
	}
	return head + text
}

// level is the style of a log level. Red is kept for critical alerts.
func (p *logsPane) level(level string) lipgloss.Style {
	switch level {
	case "ERROR", "FATAL":
		return p.theme.Warn.Bold(true)
	case "WARN":
		return p.theme.Warn
	case "DEBUG", "TRACE":
		return p.theme.Dim
	}
	return p.theme.Plain
}

// quoted puts quotes around a value with spaces in it.
func quoted(v string) string {
	if strings.ContainsAny(v, " \t\"") {
		return fmt.Sprintf("%q", v)
	}
	return v
}
