package config

import (
	"net/url"

	"github.com/jackc/pgx/v5/pgconn"
)

// Secrets returns the values that must be masked wherever output is shown or
// kept: every secret that was set, and the passwords inside connection strings,
// as they are written there and as they are typed.
func (c Config) Secrets() []string {
	var out []string
	add := func(values ...string) {
		for _, v := range values {
			if v != "" {
				out = append(out, v)
			}
		}
	}
	add(c.Prometheus.Password.Reveal(), c.Prometheus.BearerToken.Reveal(),
		c.Alertmanager.Password.Reveal(), c.Alertmanager.BearerToken.Reveal(), c.Webhook.URL.Reveal())
	for _, connection := range []string{c.Database.URL.Reveal(), c.Redis.URL.Reveal()} {
		if u, ok := connectionURL(connection); ok && u.User != nil {
			password, _ := u.User.Password()
			add(password, url.QueryEscape(password))
		}
	}
	// pgx knows the password wherever it stands: in the string, in PGPASSWORD,
	// in ~/.pgpass.
	for _, connection := range []string{c.Database.URL.Reveal(), c.Journal} {
		if connection == "" || connection == c.Journal && !JournalInPostgres(connection) {
			continue
		}
		if parsed, err := pgconn.ParseConfig(connection); err == nil {
			add(parsed.Password)
		}
	}
	return out
}
