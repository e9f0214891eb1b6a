package config

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/url"
	"strings"
)

// Secret is a value that is never shown: whatever the verb or the encoding, it
// is written as dots. An empty secret stays empty, so that "not set" can be told.
type Secret string

const dots = "••••••"

// String returns dots.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return dots
}

// Format writes dots for every verb; without it fmt would print the value
// itself for a verb that does not suit a string, such as %d.
func (s Secret) Format(f fmt.State, verb rune) {
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		fmt.Fprintf(f, "%q", s.String())
		return
	}
	_, _ = io.WriteString(f, s.String())
}

// MarshalText hides the secret from JSON, YAML, XML and structured logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal returns the value itself, for the one place that connects with it.
func (s Secret) Reveal() string { return string(s) }

// connectionStrings are the settings that hold a secret inside what may be seen.
// Every other Secret is one as a whole.
var connectionStrings = map[string]bool{"database.url": true, "redis.url": true}

// Authorization returns the value of the Authorization header that requests to
// Prometheus carry, empty where they need none.
func (p Prometheus) Authorization() Secret {
	return authorization(p.Username, p.Password, p.BearerToken)
}

// Authorization returns the value of the Authorization header that requests to
// Alertmanager carry, empty where they need none.
func (a Alertmanager) Authorization() Secret {
	return authorization(a.Username, a.Password, a.BearerToken)
}

func authorization(user string, password, token Secret) Secret {
	switch {
	case token != "":
		return "Bearer " + token
	case user != "" || password != "":
		pair := user + ":" + password.Reveal()
		return Secret("Basic " + base64.StdEncoding.EncodeToString([]byte(pair)))
	}
	return ""
}

// redact returns a connection string without its password, or dots where it
// is not certain which part that is.
func redact(s Secret) string {
	u, ok := connectionURL(s.Reveal())
	if !ok {
		if holdsPassword(s.Reveal()) {
			return dots
		}
		return s.Reveal()
	}
	if query := u.Query(); u.RawQuery != "" {
		for key := range query {
			if isPasswordKey(key) {
				query.Set(key, "xxxxx")
			}
		}
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}

// holdsPassword tells whether a connection string has a password in it. It errs
// on the side of yes.
func holdsPassword(s string) bool {
	u, ok := connectionURL(s)
	if !ok {
		return strings.Contains(s, "@") || isPasswordKey(s)
	}
	for key := range u.Query() {
		if isPasswordKey(key) {
			return true
		}
	}
	_, set := u.User.Password()
	return set
}

func isPasswordKey(s string) bool { return strings.Contains(strings.ToLower(s), "password") }

// connectionURL parses a URL with an authority. It refuses one with an @ behind
// its authority: that is what a password with an unescaped slash, question mark
// or hash looks like, and parts of it would pass for a host or a path.
func connectionURL(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || !strings.HasPrefix(s[len(u.Scheme):], "://") {
		return nil, false
	}
	return u, !strings.Contains(u.EscapedPath()+u.RawQuery+u.EscapedFragment(), "@")
}
