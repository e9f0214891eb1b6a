package config

import (
	"strings"
	"testing"
)

func TestJournalInPostgres(t *testing.T) {
	for place, want := range map[string]string{ // to what its error says; empty where it is fine
		"memory":                                             "",
		"/var/lib/flightdeck/journal.db":                     "",
		"postgres://deck@db.example/incident":                "",
		"postgresql://db.example:6432/x?sslmode=verify-full": "",
		"postgres://deck:hunter2@db.example/incident":        "~/.pgpass",
		"postgres://db.example/incident?password=hunter2":    "~/.pgpass",
		"postgres://":                                        "postgres://user@host",
		"postgres://%zz:hunter2@x/y":                         "postgres://user@host",
	} {
		got, err := journalPlace(place)
		switch {
		case want == "" && (err != nil || got != place):
			t.Errorf("%s: %q, %v", place, got, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%s: %v, want %s", place, err, want)
		}
	}
	if got := journalPath(folders{file: "/etc"}, "postgres://db/x"); got != "postgres://db/x" {
		t.Errorf("a URL is taken for a path: %s", got)
	}
	t.Setenv("PGPASSWORD", "hunter3")
	if secrets := (Config{Journal: "postgres://deck@db/x"}).Secrets(); len(secrets) != 1 || secrets[0] != "hunter3" {
		t.Errorf("%d secrets are masked, want the journal's password", len(secrets))
	}
}
