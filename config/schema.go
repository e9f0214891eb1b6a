package config

import "time"

// section is one mapping of the file; the one without a key is its top level.
type section struct {
	key      string
	doc      string
	settings []setting
}

// setting is one key of the file, with every other way to set it and what the
// commented file says of it.
type setting struct {
	key     string // within its section
	doc     string
	env     string // environment variable
	flag    string
	resolve func(base folders, path string) string // for paths in the file
	value
}

// isSecret tells whether the setting is never shown, and may therefore also be
// read from a file of its own, by the key with _file behind it.
func (s setting) isSecret() bool {
	_, secret := s.get().(Secret)
	return secret
}

// The bounds keep a typing error from becoming a load on what already burns.
const (
	minInterval, maxInterval = 200 * time.Millisecond, 10 * time.Minute
	minTimeout, maxTimeout   = 100 * time.Millisecond, time.Minute
	minLines, maxLines       = 100, 200_000
	minSince, maxSince       = time.Second, 24 * time.Hour
	minWindow, maxWindow     = time.Minute, 24 * time.Hour
	maxSignals               = 32 // each is a query at every interval
	titleWidth               = 16 // cells
)

var units = []Unit{UnitRatio, UnitPercent, UnitSeconds, UnitPerSecond, UnitPerMinute, UnitNone}

// schema lists every setting of c but the signals, in the order of the file.
// Reading, showing and writing all follow it, so that they cannot disagree.
func schema(c *Config) []section {
	return []section{
		{settings: []setting{
			{key: "read_only", flag: "read-only", value: of(&c.ReadOnly, boolean), doc: "Refuse every step that changes something."},
			{key: "no_color", env: "NO_COLOR", value: of(&c.NoColor, boolean), doc: "Tell states by glyphs and words alone."},
			{key: "runbooks", flag: "runbooks", value: listOf(&c.Runbooks, "a file or a folder"), resolve: onePath, doc: "Files or folders of Markdown; none means the books that are built in."},
			{key: "journal", flag: "journal", value: of(&c.Journal, journalPlace), resolve: journalPath, doc: "File of what was done; empty means flightdeck/journal.db in $XDG_STATE_HOME.\nSeveral bastions share postgres://user@host/database; its password stands in ~/.pgpass.\n\"memory\" keeps nothing after the cockpit ends."},
		}},
		{key: "service", doc: "The workload that is on call.", settings: []setting{
			{key: "name", value: of(&c.Service.Name, text), doc: "Shown in the header."},
			{key: "deployment", value: of(&c.Service.Deployment, objectName), doc: "Its revision and readiness title the pods pane."},
			{key: "selector", value: of(&c.Service.Selector, selector), doc: "Label selector of the pods whose logs are followed."},
		}},
		{key: "prometheus", doc: "Where alerts, rules and signals are read.", settings: append([]setting{
			{key: "url", env: "PROMETHEUS_URL", flag: "prometheus", value: of(&c.Prometheus.URL, httpURL), doc: "Such as http://prometheus.monitoring:9090; empty means none."},
			{key: "username", value: of(&c.Prometheus.Username, text), doc: "For basic authentication."},
			{key: "password", value: of(&c.Prometheus.Password, secret), doc: "For basic authentication."},
			{key: "bearer_token", value: of(&c.Prometheus.BearerToken, secret), doc: "Instead of a user and a password."},
		}, pace(&c.Prometheus.Pace)...)},
		{key: "alertmanager", doc: "Where silences and inhibitions are read.", settings: append([]setting{
			{key: "url", env: "ALERTMANAGER_URL", flag: "alertmanager", value: of(&c.Alertmanager.URL, httpURL), doc: "Such as http://alertmanager.monitoring:9093; empty means none."},
			{key: "username", value: of(&c.Alertmanager.Username, text), doc: "For basic authentication."},
			{key: "password", value: of(&c.Alertmanager.Password, secret), doc: "For basic authentication."},
			{key: "bearer_token", value: of(&c.Alertmanager.BearerToken, secret), doc: "Instead of a user and a password."},
		}, pace(&c.Alertmanager.Pace)...)},
		{key: "kubernetes", doc: "The cluster, pinned at the start for every call and every step.", settings: []setting{
			{key: "kubeconfig", env: "KUBECONFIG", flag: "kubeconfig", resolve: pathList, value: of(&c.Kubernetes.Kubeconfig, text), doc: "Empty means kubectl's own rules."},
			{key: "context", flag: "context", value: of(&c.Kubernetes.Context, text), doc: "Empty means the kubeconfig's current context."},
			{key: "namespace", flag: "namespace", value: of(&c.Kubernetes.Namespace, namespace), doc: "Empty means the context's namespace."},
			{key: "pods", value: of(&c.Kubernetes.Pods, selector), doc: "Label selector of the pods pane; empty means all of the namespace."},
		}},
		{key: "database", doc: "The PostgreSQL that is watched, over one connection that only reads.", settings: append([]setting{
			{
				key: "url", env: "DATABASE_URL", flag: "database", value: of(&c.Database.URL, postgresURL),
				doc: "postgres://user@host:5432/database or host=… user=… dbname=…; the PG* variables\n" +
					"and ~/.pgpass fill what it leaves out. Where it is empty, PGHOST or PGSERVICE counts.",
			},
		}, pace(&c.Database.Pace)...)},
		{key: "redis", doc: "The Redis that is watched.", settings: append([]setting{
			{key: "url", env: "REDIS_URL", flag: "redis", value: of(&c.Redis.URL, redisURL), doc: "redis://host:6379/0, rediss:// for TLS, or unix://path; empty means none."},
		}, pace(&c.Redis.Pace)...)},
		{key: "logs", doc: "The live tail of the service's pods.", settings: []setting{
			{key: "lines", value: of(&c.Logs.Lines, count(minLines, maxLines)), doc: "Kept in memory, over all pods."},
			{key: "since", value: of(&c.Logs.Since, duration(minSince, maxSince)), doc: "How far back the tail begins."},
		}},
		{key: "logins", doc: "Failed logins; each of pattern, query and metric is a source of its own and may be empty.", settings: append([]setting{
			{key: "window", value: of(&c.Logins.Window, duration(minWindow, maxWindow)), doc: "Over which addresses and users are tallied."},
			{key: "threshold", value: of(&c.Logins.Threshold, number), doc: "Failed logins a minute; 0 means none."},
			{key: "pattern", value: of(&c.Logins.Pattern, loginPattern), doc: "Regular expression over log lines, with the groups ip and user."},
			{key: "query", value: of(&c.Logins.Query, loginQuery), doc: "SQL over the database: $1 is the start of the window; yields at, user and ip."},
			{key: "metric", value: of(&c.Logins.Metric, expression), doc: "PromQL: failed logins a minute."},
		}, pace(&c.Logins.Pace)...)},
		{key: "webhook", doc: "Where messages are sent: an incoming webhook of Slack, Mattermost or Rocket.Chat.", settings: []setting{
			{key: "name", value: of(&c.Webhook.Name, text), doc: "What it is called on the screen, such as #incidents."},
			{key: "url", value: of(&c.Webhook.URL, webhookURL), doc: "It is a secret: whoever has it can write there. Empty means none."},
		}},
	}
}

func pace(p *Pace) []setting {
	return []setting{
		{key: "interval", value: of(&p.Interval, duration(minInterval, maxInterval)), doc: "From one reading to the next."},
		{key: "timeout", value: of(&p.Timeout, duration(minTimeout, maxTimeout)), doc: "Of one reading."},
	}
}

// signalSchema lists the settings of one signal.
func signalSchema(s *Signal) []setting {
	return []setting{
		{key: "name", value: of(&s.Name, signalName), doc: "How runbooks and gates refer to it."},
		{key: "title", value: of(&s.Title, signalTitle), doc: "At most 16 cells; the name without underscores where it is left out."},
		{key: "query", value: of(&s.Query, signalQuery), doc: "PromQL that yields one series."},
		{key: "unit", value: of(&s.Unit, unit), doc: "ratio, percent, seconds, per_second, per_minute or none."},
		{key: "warn", value: of(&s.Warn, number), doc: "In the unit (a ratio of 0.05 is 5 %); left out means none."},
		{key: "critical", value: of(&s.Critical, number), doc: "As warn."},
		{key: "below", value: of(&s.Below, boolean), doc: "The thresholds are floors and not ceilings."},
		{key: "alerts", value: listOf(&s.Alerts, "the name of an alerting rule"), doc: "Alerting rules about this signal: their values are written in its unit."},
	}
}
