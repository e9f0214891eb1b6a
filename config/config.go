// Package config answers one question: what does this cockpit watch, and how
// does it get there? A Config is read once at start, from one file, the
// environment and the command line, is validated as a whole, and never changes
// afterwards.
package config

import (
	"strings"
	"time"
)

// Config is everything the cockpit was told. Every field has a default (see
// Default); an empty URL means that the source is not configured, which is a
// state to show and not an error.
type Config struct {
	ReadOnly     bool         `yaml:"read_only"` // the runner refuses whatever changes something
	NoColor      bool         `yaml:"no_color"`  // states are told by glyphs and words alone
	Runbooks     []string     `yaml:"runbooks"`  // files or folders; empty means the embedded books
	Journal      string       `yaml:"journal"`   // file of the journal, postgres:// URL, or JournalInMemory; empty means the usual place
	Service      Service      `yaml:"service"`
	Prometheus   Prometheus   `yaml:"prometheus"`
	Alertmanager Alertmanager `yaml:"alertmanager"`
	Kubernetes   Kubernetes   `yaml:"kubernetes"`
	Database     Database     `yaml:"database"`
	Redis        Redis        `yaml:"redis"`
	Logs         Logs         `yaml:"logs"`
	Logins       Logins       `yaml:"logins"`
	Webhook      Webhook      `yaml:"webhook"`
	// AlertRunbooks are the runbooks of alerts that neither an annotation nor a
	// book leads to one. In the file they are a mapping.
	AlertRunbooks []Pair `yaml:"alert_runbooks"` // alerting rule to runbook
	// Values are those of placeholders and shell variables of runbooks that are
	// always the same here. None of them is a secret.
	Values  []Pair   `yaml:"values"`
	Signals []Signal `yaml:"signals"`
}

// JournalInMemory is the setting of a journal that ends with the process.
const JournalInMemory = "memory"

// JournalInPostgres tells whether a journal is in a PostgreSQL server and not in
// a file.
func JournalInPostgres(journal string) bool {
	return strings.HasPrefix(journal, "postgres://") || strings.HasPrefix(journal, "postgresql://")
}

// Service names what is on call: the workload whose pods, rollouts and logs the
// home screen shows.
type Service struct {
	Name       string `yaml:"name"`       // shown in the header
	Deployment string `yaml:"deployment"` // whose revision and readiness title the pods pane
	Selector   string `yaml:"selector"`   // Kubernetes label selector of its pods, for the log tail
}

// Pace is how often a probe reads and how long one attempt may take.
type Pace struct {
	Interval time.Duration `yaml:"interval"`
	Timeout  time.Duration `yaml:"timeout"`
}

// Prometheus is where alerts, rules and signals are read. Its URL
// never holds a user or a password; see Authorization.
type Prometheus struct {
	URL         string `yaml:"url"`
	Username    string `yaml:"username"`     // for basic authentication
	Password    Secret `yaml:"password"`     // for basic authentication
	BearerToken Secret `yaml:"bearer_token"` // instead of a user and a password
	Pace        `yaml:",inline"`
}

// Alertmanager is where silences and inhibitions are read. Its URL
// never holds a user or a password; see Authorization.
type Alertmanager struct {
	URL         string `yaml:"url"`
	Username    string `yaml:"username"`     // for basic authentication
	Password    Secret `yaml:"password"`     // for basic authentication
	BearerToken Secret `yaml:"bearer_token"` // instead of a user and a password
	Pace        `yaml:",inline"`
}

// Kubernetes pins the cluster. Context and Namespace, once resolved at start,
// are used for every call and every command, whatever the user's kubeconfig
// says later.
type Kubernetes struct {
	Kubeconfig string `yaml:"kubeconfig"` // path list as in KUBECONFIG; empty means kubectl's own rules
	Context    string `yaml:"context"`    // empty means the kubeconfig's current context
	Namespace  string `yaml:"namespace"`  // empty means the context's namespace
	Pods       string `yaml:"pods"`       // label selector of the pods pane; empty means all of the namespace
}

// Database is the PostgreSQL that the database pane observes.
type Database struct {
	URL  Secret `yaml:"url"` // postgres:// or key=value; PG* variables fill what it leaves out
	Pace `yaml:",inline"`
}

// Redis is the Redis that the cache pane observes.
type Redis struct {
	URL  Secret `yaml:"url"` // redis:// or rediss://
	Pace `yaml:",inline"`
}

// Logs bounds the live tail.
type Logs struct {
	Lines int           `yaml:"lines"` // lines kept in memory, over all pods
	Since time.Duration `yaml:"since"` // how far back the tail begins
}

// Logins says where failed logins are counted and when they are an attack.
type Logins struct {
	Window    time.Duration `yaml:"window"`    // over which addresses and users are tallied
	Threshold float64       `yaml:"threshold"` // failed logins a minute
	Pattern   string        `yaml:"pattern"`   // regular expression with groups (?P<ip>…) and (?P<user>…) over log lines
	Query     string        `yaml:"query"`     // SQL over the database: $1 is the start of the window; columns at, user, ip
	Metric    string        `yaml:"metric"`    // PromQL: failed logins a minute
	Pace      `yaml:",inline"`
}

// Webhook is where messages are sent: to a chat, in Slack's form, which others
// understand too.
type Webhook struct {
	Name string `yaml:"name"` // what the operator calls it: "#incidents"
	URL  Secret `yaml:"url"`  // whoever has it can write there
}

// Signal is one number of the strip under the header: a PromQL expression that
// yields one series, its unit, and the thresholds that make it a warning or
// critical. A zero threshold means none.
type Signal struct {
	Name     string  `yaml:"name"`     // identifies it in runbook assertions and gates
	Title    string  `yaml:"title"`    // at most 16 cells
	Query    string  `yaml:"query"`    // PromQL
	Unit     Unit    `yaml:"unit"`     // how the value is written
	Warn     float64 `yaml:"warn"`     // passed when the value is beyond it
	Critical float64 `yaml:"critical"` // passed when the value is beyond it
	Below    bool    `yaml:"below"`    // thresholds are floors (a hit rate), not ceilings
	// Alerts are the alerting rules that are about this signal: their values
	// are written in its unit.
	Alerts []string `yaml:"alerts"`
}

// Unit is how a signal's value is written. The value itself is in the base
// unit: a ratio between 0 and 1, seconds, a count a second, a count a minute,
// or percent between 0 and 100.
type Unit string

// The units a signal can have.
const (
	UnitRatio     Unit = "ratio"      // 0.062 is written 6.2 %
	UnitPercent   Unit = "percent"    // 91 is written 91 %
	UnitSeconds   Unit = "seconds"    // 0.84 is written 0.84 s
	UnitPerSecond Unit = "per_second" // 412 is written 412 /s
	UnitPerMinute Unit = "per_minute" // 3 is written 3 /min
	UnitNone      Unit = "none"
)
