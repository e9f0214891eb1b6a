package config

import "github.com/spf13/pflag"

// Flags are the command line's settings. The zero value and nil hold none.
type Flags struct{ set *pflag.FlagSet }

// Bind adds the flags to a command's set, with kubectl's own names where
// kubectl has one.
func (f *Flags) Bind(set *pflag.FlagSet) {
	f.set = set
	set.String("config", "", "configuration `file` (default $XDG_CONFIG_HOME/flightdeck/config.yaml)")
	set.String("prometheus", "", "`URL` of Prometheus")
	set.String("alertmanager", "", "`URL` of Alertmanager")
	set.String("database", "", "`URL` of PostgreSQL, without a password")
	set.String("redis", "", "`URL` of Redis, without a password")
	set.StringArray("runbooks", nil, "`path` of a runbook or a folder of them; may be repeated")
	set.String("journal", "", "`file` of the journal, postgres://user@host/database, or memory (default $XDG_STATE_HOME/flightdeck/journal.db)")
	set.String("kubeconfig", "", "kubeconfig `file`")
	set.String("context", "", "kubeconfig `context`")
	set.StringP("namespace", "n", "", "Kubernetes `namespace`")
	set.Bool("read-only", false, "refuse every step that changes something")
}

// lookup returns the values of a flag that was given.
func (f *Flags) lookup(name string) (values []string, given bool) {
	if f == nil || f.set == nil {
		return nil, false
	}
	flag := f.set.Lookup(name)
	if flag == nil || !flag.Changed {
		return nil, false
	}
	if list, ok := flag.Value.(pflag.SliceValue); ok {
		return list.GetSlice(), true
	}
	return []string{flag.Value.String()}, true
}
