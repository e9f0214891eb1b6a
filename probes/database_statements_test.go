//go:build unix

package probes

import (
	"strings"
	"testing"

	"github.com/erpgo/flightdeck/testenv"
)

func TestStatementsOfThisDatabase(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	admin := newClient(t, pg.AdminURL())
	for range 3 {
		admin.count("select count(*) from generate_series(1, 100000) where $1 > 0", 1)
	}
	p := newDatabase(t, pg.URL())
	d, err := takeDatabase(t, p)
	if err != nil || d.StatementsErr != nil {
		t.Fatal(err, d.StatementsErr)
	}
	if len(d.Statements) == 0 || len(d.Statements) > 20 {
		t.Fatalf("%d statements", len(d.Statements))
	}
	var found bool
	for i, s := range d.Statements {
		if strings.Contains(s.Query, "flightdeck */") {
			t.Errorf("one of our own is among them: %q", s.Query)
		}
		if i > 0 && s.Total > d.Statements[i-1].Total {
			t.Errorf("%q took longer than the one before it", s.Query)
		}
		if strings.Contains(s.Query, "generate_series") {
			found = true
			if s.Calls != 3 || s.Total <= 0 || s.Mean != s.Total/3 {
				t.Errorf("%+v; want 3 calls and their mean", s)
			}
		}
	}
	if !found {
		t.Errorf("generate_series is not among %+v", d.Statements)
	}
}

// The figures are read every sixth time, and the texts only when they are new.
func TestStatementsAreReadSeldom(t *testing.T) {
	pg := testenv.StartPostgres(t, testenv.PostgresOptions{Database: "shop"})
	admin := newClient(t, pg.AdminURL())
	admin.do("select pg_stat_statements_reset()")
	admin.do("select pg_sleep(0.1)") // stays at the top
	p := newDatabase(t, pg.URL())
	for range 2*statementsEvery + 1 {
		if _, err := takeDatabase(t, p); err != nil {
			t.Fatal(err)
		}
	}
	const calls = "select coalesce(sum(calls), 0)::int from pg_stat_statements where query like '/* flightdeck */%' and query like '%pg_stat_statements\"(%' and query like $1"
	figures, texts := admin.count(calls, "%sum(calls)%"), admin.count(calls, "%distinct on%")
	// The first look finds new texts, the second those of our own readings.
	if figures != 3 || texts > 2 {
		t.Errorf("in %d readings: figures %d times, texts %d times; want 3 and at most 2", 2*statementsEvery+1, figures, texts)
	}
}

func TestStatementsThatCannotBeRead(t *testing.T) {
	without := map[string]string{"shared_preload_libraries": ""}
	for name, c := range map[string]struct {
		options testenv.PostgresOptions
		before  string
		says    string
	}{
		"absent":     {testenv.PostgresOptions{Database: "shop"}, "drop extension pg_stat_statements", "not installed"},
		"not loaded": {testenv.PostgresOptions{Database: "shop", Settings: without}, "create extension if not exists pg_stat_statements", "not loaded"},
		"forbidden":  {testenv.PostgresOptions{Database: "shop"}, "revoke execute on function pg_stat_statements(boolean) from public, pg_read_all_stats", "not readable"},
	} {
		t.Run(name, func(t *testing.T) {
			pg := testenv.StartPostgres(t, c.options)
			newClient(t, pg.AdminURL()).do(c.before)
			d, err := takeDatabase(t, newDatabase(t, pg.URL()))
			if err != nil {
				t.Fatal(err)
			}
			if d.StatementsErr == nil || !strings.Contains(d.StatementsErr.Error(), c.says) || len(d.Statements) != 0 {
				t.Errorf("%d statements, %v; want %q", len(d.Statements), d.StatementsErr, c.says)
			}
			if d.Max != 100 {
				t.Errorf("the rest of the reading is missing: max %d", d.Max)
			}
		})
	}
}
