package config

import "testing"

func TestNearest(t *testing.T) {
	candidates := []string{"url", "username", "interval", "timeout", "bearer_token"}
	for key, want := range map[string]string{
		"URL":           "url",
		"ulr":           "url",
		"user_name":     "username",
		"intervall":     "interval",
		"tiemout":       "timeout",
		"bearertoken":   "bearer_token",
		"bearer":        "",
		"u":             "",
		"x":             "",
		"completelyoff": "",
	} {
		if got := nearest(key, candidates); got != want {
			t.Errorf("nearest(%q) = %q, want %q", key, got, want)
		}
	}
}
