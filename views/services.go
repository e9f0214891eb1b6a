package views

import (
	"context"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
	"github.com/erpgo/flightdeck/ui"
)

// servicesRead brings the services that a form lets one choose from.
type servicesRead struct {
	form     *bindForm
	services []probes.Service
	err      error
}

// look reads the services where the form will ask for one: they are on no board,
// because no pane shows them. The form does not wait for them.
func (d *bindForm) look() tea.Cmd {
	isService := func(name string) bool { return runbooks.Describe(name).Kind == runbooks.KindService }
	if !slices.ContainsFunc(d.missing, isService) {
		return nil
	}
	list := d.panel.c.deps.Services
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(context.Background(), operation)
		defer cancel()
		read := servicesRead{form: d}
		read.services, read.err = list(ctx)
		return read
	}
}

// serviceCandidates are services as a form offers them.
func serviceCandidates(services []probes.Service, now time.Time) []runbooks.Candidate {
	out := make([]runbooks.Candidate, 0, len(services))
	for _, s := range services {
		detail := []string{s.Type + " " + s.Address}
		detail = append(detail, s.Ports...)
		out = append(out, runbooks.Candidate{Value: s.Name, Detail: strings.Join(append(detail, ui.Age(now.Sub(s.Created))), ", ")})
	}
	return out
}
