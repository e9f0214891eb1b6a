package views

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// cachePane shows whether Redis still answers from memory. floor is the hit
// rate below which it is a warning, between 0 and 1.
type cachePane struct {
	theme ui.Theme
	cell  *probes.Cell[probes.Cache]
	floor float64
	cache drawn[canvas]
}

func (p *cachePane) keys() []ui.Binding  { return nil }
func (p *cachePane) filter(string) error { return errNoFilter }
func (p *cachePane) filtered() string    { return "" }
func (p *cachePane) wants(int) int       { return 2 }

func (p *cachePane) rule(now time.Time) ui.Rule {
	r := p.cell.Load()
	rule := ui.Rule{Key: "4", Title: "Cache"}
	if !r.TakenAt.IsZero() {
		c := r.Value
		switch {
		case c.Over == 0:
			rule.Answer = p.theme.Dim.Render("first reading") // a rate takes two
		case math.IsNaN(c.HitRate):
			rule.Answer = p.theme.Dim.Render("no lookups")
		case c.HitRate < p.floor:
			rule.Answer = p.theme.Warn.Render(fmt.Sprintf("hit rate %s %% %s %s %%", ui.Number(c.HitRate*100), ui.GlyphUnder, ui.Number(p.floor*100)))
		default:
			rule.Answer = fmt.Sprintf("hit rate %s %%", ui.Number(c.HitRate*100))
		}
	}
	if t := trouble(p.theme, r.State(now), r.Err, r.Age(now)); t != "" {
		rule.Answer = strings.TrimSpace(rule.Answer + "  " + t)
	}
	return rule
}

func (p *cachePane) render(now time.Time, width, height int, full, focused bool) []string {
	r := p.cell.Load()
	key := canvas{r.Seq, now.Unix(), width, height, full, focused, ui.Scroll{}, ""}
	return p.cache.get(key, func() []string {
		if r.TakenAt.IsZero() {
			return ui.Block(explain(p.theme, r.State(now), r.Err, width), width, height)
		}
		lines := []string{p.trend(r.Value, width), p.memory(r.Value)}
		if full {
			lines = p.everything(r.Value, r.Age(now), width)
		} else if width < 46 {
			lines = []string{p.trend(r.Value, width), " " + memoryText(r.Value)}
		}
		return ui.Block(lines, width, height)
	})
}

// trend is the hit rate over the last hour beside its floor.
func (p *cachePane) trend(c probes.Cache, width int) string {
	values := make([]float64, len(c.History))
	for i, pt := range c.History {
		values[i] = pt.Value
	}
	style := p.theme.Plain
	if c.HitRate < p.floor {
		style = p.theme.Warn
	}
	tail := p.theme.Dim.Render(fmt.Sprintf("  of %s %%", ui.Number(p.floor*100)))
	if width < 46 {
		tail = "  " + p.evictions(c)
	}
	room := max(4, min(24, width-2-ui.Width(tail)))
	return " " + style.Render(ui.Sparkline(ui.Resample(values, room, true), room, 0, 1)) + tail
}

func (p *cachePane) evictions(c probes.Cache) string {
	text := "evicted " + ui.Number(c.Evicted) + " /s"
	if c.Evicted > 0 {
		return p.theme.Warn.Render(text)
	}
	return text
}

func memoryText(c probes.Cache) string {
	if c.MaxMemory == 0 {
		return "memory " + ui.Bytes(c.Memory) + ", no limit"
	}
	return "memory " + ui.BytesOf(c.Memory, c.MaxMemory)
}

func (p *cachePane) memory(c probes.Cache) string {
	return " " + memoryText(c) + "   " + p.evictions(c) + "   ping " + ui.Elapsed(c.Ping)
}

// everything is the full-screen view.
func (p *cachePane) everything(c probes.Cache, age time.Duration, width int) []string {
	limit := "no limit"
	if c.MaxMemory > 0 {
		limit = fmt.Sprintf("%s  %s", ui.BytesOf(c.Memory, c.MaxMemory), ui.Bar(float64(c.Memory)/float64(c.MaxMemory), min(40, width/3)))
	}
	hit := "nothing was looked up in the last interval"
	if !math.IsNaN(c.HitRate) {
		hit = fmt.Sprintf("%s %% of %s lookups/s", ui.Number(c.HitRate*100), ui.Number(c.Lookups))
	}
	row := func(name, value string) string { return fmt.Sprintf(" %-12s", name) + value }
	lines := []string{
		row("server", fmt.Sprintf("Redis %s, %s, up %s, read %s ago", ui.Clean(c.Version), ui.Clean(c.Role), ui.Age(c.Uptime), ui.Age(age))),
		row("hit rate", hit),
		row("", strings.TrimLeft(p.trend(c, width-12), " ")),
		row("memory", limit),
		row("policy", ui.Clean(c.Policy)),
		row("evicted", strings.TrimPrefix(p.evictions(c), "evicted ")),
		row("expired", ui.Number(c.Expired)+" /s"),
		row("commands", ui.Number(c.Commands)+" /s"),
		row("clients", fmt.Sprintf("%d of %d, %d blocked", c.Clients, c.MaxClients, c.Blocked)),
		row("keys", ui.Number(float64(c.Keys))),
		row("ping", ui.Elapsed(c.Ping)),
	}
	if c.Restarted {
		lines = append(lines, row("", p.theme.Warn.Render("restarted since the last reading: rates begin again")))
	}
	return lines
}
