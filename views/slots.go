package views

import (
	"strings"
	"time"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// fillSlots puts values into a template's slots. open are those without one:
// they stay as they are, in brackets.
func fillSlots(m runbooks.Message, value func(slot string) (string, bool)) (text string, open []string) {
	text = m.Text
	for _, slot := range m.Slots {
		v, ok := value(slot)
		if !ok {
			open = append(open, slot)
			continue
		}
		text = strings.ReplaceAll(text, "["+slot+"]", v)
	}
	return text, open
}

// slotValues gives the slots of a message what the incident knows. What only a
// person can say (an impact, a plan, the version that is about to be deployed)
// stays open.
func (p *stepPanel) slotValues(inc incidents.Incident, now time.Time) func(slot string) (string, bool) {
	local := now.Local()
	known := map[string]string{
		"date":            local.Format("2006-01-02"),
		"time":            local.Format("15:04"),
		"date/time":       local.Format("2006-01-02 15:04"),
		"timezone":        local.Format("MST"),
		"time zone":       local.Format("MST"),
		"incident":        inc.ID,
		"incident id":     inc.ID,
		"alert":           inc.Alert,
		"alert name":      inc.Alert,
		"severity":        inc.Severity,
		"runbook":         p.screen.runbook.Title,
		"cluster":         p.c.deps.Context,
		"namespace":       p.c.deps.Namespace,
		"duration":        ui.Duration(inc.Duration(now)),
		"actual duration": ui.Duration(inc.Duration(now)),
		"service":         p.c.deps.Config.Service.Name,
	}
	reason := p.screen.alert.Annotations["summary"]
	for _, slot := range []string{"reason", "brief description", "summary", "rollback reason"} {
		known[slot] = reason
	}
	known["previous version"], known["current version"] = p.versions(inc)
	state := "In Progress"
	if !inc.Open() || p.screen.alert.known() && !p.screen.fires() {
		state = "Complete"
	}
	return func(slot string) (string, bool) {
		name := strings.ToLower(strings.NewReplacer("-", " ", "_", " ").Replace(strings.TrimSpace(slot)))
		if v := known[name]; v != "" {
			return v, true
		}
		if strings.Contains(name, "in progress") && strings.Contains(name, "complete") {
			return state, true
		}
		for value, v := range inc.Values {
			if v != "" && runbooks.SamePlaceholder(value, slot) {
				return v, true
			}
		}
		return runbooks.FromLabels(slot, inc.Labels)
	}
}

// versions are the one that runs, and the one that the incident has gone back to:
// the tags of images. Before anything was rolled out in the incident nobody knows
// where it will go.
func (p *stepPanel) versions(inc incidents.Incident) (back, current string) {
	for _, d := range p.c.deps.Board.Pods.Load().Value.Deployments {
		if d.Name != p.c.deps.Config.Service.Deployment {
			continue
		}
		current = imageTag(d.Images)
		if d.RolledOut.After(inc.OpenedAt) {
			back = current
		}
	}
	return back, current
}

// imageTag is the tag of the first image: 1.4.2 of erpgo/api:1.4.2.
func imageTag(images []string) string {
	if len(images) == 0 {
		return ""
	}
	name, _, _ := strings.Cut(images[0], "@")
	i := strings.LastIndexByte(name, ':')
	if i < strings.LastIndexByte(name, '/') {
		return ""
	}
	return name[i+1:]
}
