package config

import "time"

// Default returns the settings that are in force where nobody said otherwise:
// no address at all, and the signals, thresholds and selectors of ERPGo. Its
// thresholds are those of ERPGo's runbooks: error rate above 5 % is the alert
// HighErrorRate (critical), p95 above 1 s is HighResponseTime (warning), p99
// above 2 s a rollback criterion, the pool above 90 % is
// DatabaseConnectionPoolExhausted (critical), the cache below 70 % is
// LowCacheHitRate (warning), and more than 10 failed logins a minute are
// HighFailedLoginRate (warning).
func Default() Config {
	return Config{
		Service: Service{
			Name:       "erpgo",
			Deployment: "erpgo-api",
			Selector:   "app=erpgo-api",
		},
		Prometheus:   Prometheus{Pace: Pace{Interval: 5 * time.Second, Timeout: 4 * time.Second}},
		Alertmanager: Alertmanager{Pace: Pace{Interval: 5 * time.Second, Timeout: 4 * time.Second}},
		Database:     Database{Pace: Pace{Interval: 2 * time.Second, Timeout: 2 * time.Second}},
		Redis:        Redis{Pace: Pace{Interval: 2 * time.Second, Timeout: 1 * time.Second}},
		Logs:         Logs{Lines: 10_000, Since: time.Minute},
		Logins: Logins{
			Window:    15 * time.Minute,
			Threshold: 10,
			Pattern:   failedLoginLine,
			Query:     failedLoginRows,
			Metric:    failedLoginsPerMinute,
			Pace:      Pace{Interval: 5 * time.Second, Timeout: 4 * time.Second},
		},
		Signals: defaultSignals(),
	}
}

const (
	// failedLoginLine matches logfmt and JSON lines that name the user before
	// the address.
	failedLoginLine = `(?i)(?:authentication failed|failed login|login failed).*?` +
		`\buser(?:name|_id)?"?[=:]\s*"?(?P<user>[^\s",}]+).*?` +
		`\b(?:ip|ip_address|client_ip|remote_addr)"?[=:]\s*"?(?P<ip>[0-9a-f.:]+)`

	// failedLoginRows works whether ip_address is text or inet.
	failedLoginRows = `SELECT timestamp AS at, user_id::text AS "user", ` +
		`split_part(ip_address::text, '/', 1) AS ip FROM audit_logs ` +
		`WHERE event_type = 'login_failed' AND timestamp > $1 ORDER BY timestamp DESC LIMIT 10000`

	failedLoginsPerMinute = `60 * sum(rate(auth_login_failure_total[1m]))`
)

// defaultSignals returns ERPGo's signals, the five that the strip shows first.
// The error rate is 0 while requests succeed and none fails, and has no value
// where there are no requests at all.
func defaultSignals() []Signal {
	return []Signal{
		{
			Name: "error_rate", Title: "error rate", Unit: UnitRatio, Critical: 0.05, Alerts: []string{"HighErrorRate"},
			Query: `(sum(rate(http_requests_total{status=~"5.."}[1m])) or vector(0)) / sum(rate(http_requests_total[1m]))`,
		},
		{Name: "p95", Title: "p95", Unit: UnitSeconds, Warn: 1, Query: latency("0.95"), Alerts: []string{"HighResponseTime"}},
		{Name: "p99", Title: "p99", Unit: UnitSeconds, Critical: 2, Query: latency("0.99")},
		{Name: "requests", Title: "requests", Unit: UnitPerSecond, Query: `sum(rate(http_requests_total[1m]))`},
		{Name: "failed_logins", Title: "failed logins", Unit: UnitPerMinute, Warn: 10, Query: failedLoginsPerMinute, Alerts: []string{"HighFailedLoginRate"}},
		{Name: "pool", Title: "pool", Unit: UnitPercent, Critical: 90, Query: `max(db_pool_utilization_percent)`, Alerts: []string{"DatabaseConnectionPoolExhausted"}},
		{Name: "cache_hit_rate", Title: "cache hit rate", Unit: UnitRatio, Warn: 0.7, Below: true, Query: `min(cache_hit_rate)`, Alerts: []string{"LowCacheHitRate"}},
		{Name: "p50", Title: "p50", Unit: UnitSeconds, Query: latency("0.5")},
	}
}

func latency(quantile string) string {
	return `histogram_quantile(` + quantile + `, sum by (le) (rate(http_request_duration_seconds_bucket[1m])))`
}
