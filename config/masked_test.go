package config

import (
	"slices"
	"testing"
)

func TestSecretsOfConnectionStrings(t *testing.T) {
	cfg := Config{
		Prometheus: Prometheus{BearerToken: "tok-1"},
		Database:   Database{URL: "postgres://fd:p%40ss@db.example/erpgo"},
		Redis:      Redis{URL: "redis://:hunter2@cache.example:6379/0"},
		Webhook:    Webhook{URL: "https://chat.example/hooks/T0"},
	}
	got := cfg.Secrets()
	for _, want := range []string{"tok-1", "p@ss", "p%40ss", "hunter2", "https://chat.example/hooks/T0"} {
		if !slices.Contains(got, want) {
			t.Errorf("%q is not masked; masked are %d values", want, len(got))
		}
	}
	if slices.Contains(got, "") {
		t.Error("an empty value is masked: it stands everywhere")
	}
}
