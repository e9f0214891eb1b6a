package views

import (
	"errors"
	"strings"
	"testing"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/runbooks"
)

func TestAConfirmationSaysWhereAChangeHappens(t *testing.T) {
	for name, test := range map[string]struct {
		cmd          runbooks.Command
		preview      runbooks.Preview
		err          error
		title, where string
	}{
		"kubectl": {
			cmd:     runbooks.Command{Language: runbooks.Bash, Programs: []string{"kubectl"}},
			preview: runbooks.Preview{Where: "prod-eu / erpgo"},
			title:   "changes the cluster", where: "where    prod-eu / erpgo",
		},
		"another cloud": {
			cmd:   runbooks.Command{Language: runbooks.Bash, Programs: []string{"aws"}},
			err:   runbooks.ErrNoPreview,
			title: "changes something", where: "where    aws on this machine; kubectl is pinned to prod-eu / erpgo",
		},
		"a script": {
			cmd:   runbooks.Command{Language: runbooks.Bash},
			err:   runbooks.ErrNoPreview,
			title: "changes something", where: "where    this machine; kubectl is pinned to prod-eu / erpgo",
		},
		"SQL": {
			cmd:     runbooks.Command{Language: runbooks.SQL},
			preview: runbooks.Preview{Where: "database shop at 10.4.8.3:5432 as flightdeck"},
			title:   "changes the database", where: "where    database shop at 10.4.8.3:5432 as flightdeck",
		},
		"SQL without a database": {
			cmd:   runbooks.Command{Language: runbooks.SQL},
			err:   errors.New("connection refused"),
			title: "changes the database", where: "where    the configured database",
		},
	} {
		c := testCockpit(t, burning(t))
		d := newConfirm(c, incidents.Plan{
			Bound: runbooks.Bound{Command: test.cmd}, Risk: runbooks.Changes, Context: "prod-eu", Namespace: "erpgo",
		}, nil)
		d.Update(previewRead{dialog: d, preview: test.preview, err: test.err})
		if got := d.Title(); got != test.title {
			t.Errorf("%s: the dialog is called %q, want %q", name, got, test.title)
		}
		if lines := strings.Join(d.Lines(c.theme, 80, 30), "\n"); !strings.Contains(lines, test.where) {
			t.Errorf("%s: the dialog does not say %q:\n%s", name, test.where, lines)
		}
	}
}

func TestAConfirmationShowsThePlanOnce(t *testing.T) {
	c := testCockpit(t, burning(t))
	d := newConfirm(c, incidents.Plan{Bound: runbooks.Bound{Command: runbooks.Command{Language: runbooks.SQL}}, Risk: runbooks.Changes}, nil)
	d.Update(previewRead{dialog: d, preview: runbooks.Preview{Plan: []string{"Seq Scan on orders"}}})
	if lines := strings.Join(d.Lines(c.theme, 80, 30), "\n"); strings.Count(lines, "Seq Scan on orders") != 1 {
		t.Errorf("the plan does not stand there once:\n%s", lines)
	}
}
