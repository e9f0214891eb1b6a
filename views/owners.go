package views

import (
	"github.com/erpgo/flightdeck/incidents"
)

// newOwners returns who works on which alert: those who answer for the incidents
// that are open. The version changes with the answer.
func newOwners(runner *incidents.Runner) *owners { return &owners{runner: runner} }

type owners struct {
	runner *incidents.Runner
	events int
	known  map[string]owner
}

// byAlert maps an alert's key to its owner.
func (o *owners) byAlert() (map[string]owner, int64) {
	all := o.runner.Incidents()
	events := 0
	for _, inc := range all {
		events += inc.Events
	}
	if o.known != nil && events == o.events {
		return o.known, int64(events)
	}
	o.events, o.known = events, make(map[string]owner)
	for _, inc := range all {
		if !inc.Open() {
			continue
		}
		who := owner{name: ownerOf(inc), since: inc.OpenedAt}
		if !inc.Acknowledged.IsZero() {
			who.since = inc.Acknowledged
		}
		for _, attached := range inc.Alerts {
			o.known[attached.Key] = who
		}
		if inc.Key != "" {
			o.known[inc.Key] = who
		}
	}
	return o.known, int64(events)
}
