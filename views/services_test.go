package views

import (
	"context"
	"errors"
	"strings"
	"testing"

	tea "charm.land/bubbletea/v2"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/runbooks"
)

const serviceBook = `# Book

## High Error Rate

**Alert Name:** ` + "`HighErrorRate`" + `

1. **Look at the service:**
   ` + "```bash" + `
   kubectl get service <service-name>
   ` + "```" + `
`

// servicesAsked is a cockpit whose form asks for a service, and what reads the
// services for it.
func servicesAsked(t *testing.T, services func(context.Context) ([]probes.Service, error)) (*Cockpit, *incidentScreen, tea.Cmd) {
	t.Helper()
	c := cockpitOf(t, burning(t), serviceBook, incidents.Options{
		Journal: incidents.NewMemory(), Target: runbooks.Target{Kubeconfig: "/tmp/kubeconfig", Context: "prod-eu", Namespace: "erpgo"},
		Executors: map[runbooks.Language]runbooks.Executor{runbooks.Bash: recordedRuns},
	})
	if services != nil {
		c.deps.Services = services
	}
	c.width, c.height = 120, 40
	pump(t, c, press(c, "enter"))
	s := c.top().(*incidentScreen)
	c.now = noon
	look := press(c, "enter")
	if _, ok := c.dialogs.Top().(*bindForm); !ok {
		t.Fatal("the service is not asked for")
	}
	return c, s, look
}

func TestServicesAreReadWhenOneIsAskedFor(t *testing.T) {
	c, s, look := servicesAsked(t, nil)
	if screen := text(t, c); strings.Contains(screen, "postgres  ClusterIP") {
		t.Fatalf("services are offered before they were read:\n%s", screen)
	}
	pump(t, c, look)
	if screen := text(t, c); !strings.Contains(screen, "erpgo-api  ClusterIP 10.96.4.20, 8080/TCP") {
		t.Fatalf("the services are not offered:\n%s", screen)
	}
	press(c, "enter") // what has just come is not taken by a key that did not mean it
	if c.dialogs.Top() == nil {
		t.Fatal("enter took a service that nobody chose")
	}
	pump(t, c, press(c, "down", "down", "enter"))
	if got := s.incident().Values["service-name"]; got != "postgres" {
		t.Errorf("the service is %q, want postgres", got)
	}
}

func TestTheFormWorksWithoutTheServices(t *testing.T) {
	c, s, look := servicesAsked(t, func(context.Context) ([]probes.Service, error) {
		return nil, errors.New("services is forbidden")
	})
	press(c, "p", "g") // while they are being read
	pump(t, c, look)
	if screen := text(t, c); !strings.Contains(screen, "none can be offered: services is forbidden") {
		t.Errorf("the form does not say why it offers none:\n%s", screen)
	}
	pump(t, c, press(c, "enter"))
	if got := s.incident().Values["service-name"]; got != "pg" {
		t.Errorf("the service is %q, want what was typed", got)
	}
}
