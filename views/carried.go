package views

import "github.com/erpgo/flightdeck/runbooks"

// carried is a command as it is run: a statement for which no database is
// configured goes through the session that the book itself opens for it.
func (p *stepPanel) carried(cmd runbooks.Command) runbooks.Command {
	if p.c.deps.Config.Database.URL != "" {
		return cmd
	}
	if through, ok := cmd.ThroughSession(); ok {
		return through
	}
	return cmd
}

// configured is the value that the configuration has for a placeholder or a
// variable.
func (p *stepPanel) configured(name string) (value string, ok bool) {
	for _, pair := range p.c.deps.Config.Values {
		if runbooks.SamePlaceholder(pair.Name, name) {
			return pair.Value, true
		}
	}
	return "", false
}
