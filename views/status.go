package views

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/erpgo/flightdeck/probes"
	"github.com/erpgo/flightdeck/ui"
)

// Status is one look at the board, for scripts and for screen readers: plain
// lines without frames, or JSON. It is a value; writing it reads nothing.
type Status struct {
	At        time.Time      `json:"at"`
	Context   string         `json:"context,omitempty"`
	Namespace string         `json:"namespace,omitempty"`
	Sources   []SourceStatus `json:"sources"`
	Alerts    []AlertStatus  `json:"alerts"`
	Signals   []SignalStatus `json:"signals"`
	Pods      *PodsStatus    `json:"pods,omitempty"`
	Database  *StoreStatus   `json:"database,omitempty"`
	Cache     *CacheStatus   `json:"cache,omitempty"`
	Logins    *LoginsStatus  `json:"logins,omitempty"`
}

// SourceStatus is how far a source can be trusted.
type SourceStatus struct {
	Name  string  `json:"name"`
	State string  `json:"state"` // fresh, stale, unreachable, waiting, not configured
	Age   float64 `json:"age_seconds"`
	Error string  `json:"error,omitempty"`
}

// AlertStatus is an active alert.
type AlertStatus struct {
	Name     string            `json:"name"`
	State    string            `json:"state"`
	Severity string            `json:"severity,omitempty"`
	Since    time.Time         `json:"since"`
	Value    *float64          `json:"value"` // null when it is not a number
	Labels   map[string]string `json:"labels,omitempty"`
	Runbook  string            `json:"runbook_url,omitempty"`
	text     string
}

// SignalStatus is a gauge and its thresholds.
type SignalStatus struct {
	Name     string   `json:"name"`
	Value    *float64 `json:"value"` // in the base unit; null when there is none
	Unit     string   `json:"unit"`
	Level    string   `json:"level"` // calm, warn, critical
	Warn     float64  `json:"warn,omitempty"`
	Critical float64  `json:"critical,omitempty"`
	text     string
}

// PodsStatus is the pods of the namespace.
type PodsStatus struct {
	Total    int         `json:"total"`
	NotReady []PodStatus `json:"not_ready"`
	Service  string      `json:"service,omitempty"` // erpgo-api 2/3  rev 42
}

// PodStatus is a pod that is not as it should be.
type PodStatus struct {
	Name     string `json:"name"`
	Status   string `json:"status"`
	Ready    string `json:"ready"`
	Restarts int    `json:"restarts"`
}

// StoreStatus is the database's connections.
type StoreStatus struct {
	Connections int     `json:"connections"`
	Max         int     `json:"max"`
	Active      int     `json:"active"`
	IdleInTx    int     `json:"idle_in_transaction"`
	Waiting     int     `json:"waiting"`
	Longest     float64 `json:"longest_query_seconds"`
}

// CacheStatus is the cache.
type CacheStatus struct {
	Over    float64  `json:"over_seconds"` // the interval that the rates are over; 0 with one reading, which tells none
	HitRate *float64 `json:"hit_rate"`     // between 0 and 1; null when nothing was looked up
	Memory  int64    `json:"memory_bytes"`
	Max     int64    `json:"max_memory_bytes"`
	Evicted float64  `json:"evicted_per_second"`
}

// LoginsStatus is the failed logins.
type LoginsStatus struct {
	PerMinute float64 `json:"per_minute"`
	Threshold float64 `json:"threshold"`
	Pattern   string  `json:"pattern"`
	Why       string  `json:"why,omitempty"`
}

// The exit statuses of a status.
const (
	ExitCalm        = 0
	ExitFiring      = 1
	ExitUnreachable = 2
)

// NewStatus looks at the board once. Deployment is the service's own.
func NewStatus(board *probes.Board, context, namespace, deployment string, now time.Time) Status {
	s := Status{At: now.UTC(), Context: context, Namespace: namespace, Alerts: []AlertStatus{}, Signals: []SignalStatus{}}
	s.source("prometheus", board.Alerts.Load().State(now), board.Alerts.Load().Age(now), board.Alerts.Load().Err)
	s.source("kubernetes", board.Pods.Load().State(now), board.Pods.Load().Age(now), board.Pods.Load().Err)
	s.source("database", board.Database.Load().State(now), board.Database.Load().Age(now), board.Database.Load().Err)
	s.source("cache", board.Cache.Load().State(now), board.Cache.Load().Age(now), board.Cache.Load().Err)
	for _, a := range board.Alerts.Load().Value.Alerts {
		s.Alerts = append(s.Alerts, AlertStatus{
			Name: a.Name, State: string(a.State), Severity: a.Severity, Since: a.Since.UTC(), Value: finite(a.Value),
			Labels: a.Labels, Runbook: a.Annotations["runbook_url"], text: ui.Duration(now.Sub(a.Since)),
		})
	}
	for _, sig := range board.Signals.Load().Value.Signals {
		s.Signals = append(s.Signals, signalStatus(sig))
	}
	if r := board.Pods.Load(); !r.TakenAt.IsZero() {
		s.Pods = podsStatus(r.Value, deployment)
	}
	if r := board.Database.Load(); !r.TakenAt.IsZero() {
		d := r.Value
		s.Database = &StoreStatus{Connections: d.Total, Max: d.Max, Active: d.Active, IdleInTx: d.IdleInTx, Waiting: d.Waiting}
		if d.Longest != nil {
			s.Database.Longest = d.Longest.Age.Seconds()
		}
	}
	if r := board.Cache.Load(); !r.TakenAt.IsZero() {
		s.Cache = &CacheStatus{Over: r.Value.Over.Seconds(), HitRate: finite(r.Value.HitRate), Memory: r.Value.Memory, Max: r.Value.MaxMemory, Evicted: r.Value.Evicted}
	}
	if r := board.Logins.Load(); !r.TakenAt.IsZero() {
		s.Logins = &LoginsStatus{PerMinute: r.Value.PerMinute, Threshold: r.Value.Threshold, Pattern: string(r.Value.Pattern), Why: r.Value.Why}
	}
	return s
}

func (s *Status) source(name string, state probes.State, age time.Duration, err error) {
	words := map[probes.State]string{
		probes.Fresh: "fresh", probes.Waiting: "waiting", probes.Stale: "stale",
		probes.Down: "unreachable", probes.NotConfigured: "not configured",
	}
	out := SourceStatus{Name: name, State: words[state], Age: age.Seconds()}
	if err != nil {
		out.Error = err.Error()
	}
	s.Sources = append(s.Sources, out)
}

func signalStatus(sig probes.Signal) SignalStatus {
	out := SignalStatus{
		Name: sig.Name, Unit: string(sig.Unit), Warn: sig.Warn, Critical: sig.Critical,
		Level: [...]string{"calm", "warn", "critical"}[sig.Level()], text: "–",
	}
	if p, ok := sig.Latest(); ok {
		out.Value, out.text = finite(p.Value), measure(sig.Unit, p.Value)
	}
	return out
}

func podsStatus(pods probes.Pods, deployment string) *PodsStatus {
	out := &PodsStatus{Total: len(pods.Pods), NotReady: []PodStatus{}}
	for _, d := range pods.Deployments {
		if d.Name == deployment {
			out.Service = fmt.Sprintf("%s %d/%d rev %d", d.Name, d.Ready, d.Desired, d.Revision)
		}
	}
	for _, p := range pods.Pods {
		if !p.Healthy {
			out.NotReady = append(out.NotReady, PodStatus{Name: p.Name, Status: p.Status, Ready: fmt.Sprintf("%d/%d", p.Ready, p.Containers), Restarts: p.Restarts})
		}
	}
	return out
}

func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// Exit is the exit status: 2 when a configured source cannot be read, else 1
// when an alert fires that nobody silenced, else 0.
func (s Status) Exit() int {
	for _, src := range s.Sources {
		switch src.State {
		case "unreachable", "stale", "waiting":
			return ExitUnreachable
		}
	}
	for _, a := range s.Alerts {
		if a.State == string(probes.Firing) {
			return ExitFiring
		}
	}
	return ExitCalm
}

// WriteJSON writes the status as one JSON object.
func (s Status) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(s)
}

// WriteText writes the status as plain lines, one fact a line, what is wrong
// first.
func (s Status) WriteText(w io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) {
		b.WriteString(ui.Clean(fmt.Sprintf(format, args...)) + "\n")
	}
	if s.Context != "" {
		line("cluster %s namespace %s", s.Context, s.Namespace)
	}
	if len(s.Alerts) == 0 {
		line("alerts none")
	}
	for _, a := range s.Alerts {
		value := "no value"
		if a.Value != nil {
			value = "value " + ui.Number(*a.Value)
		}
		line("alert %s %s %s since %s %s", a.Name, a.State, a.Severity, a.text, value)
	}
	for _, sig := range s.Signals {
		line("signal %s %s %s", sig.Name, sig.text, sig.Level)
	}
	if p := s.Pods; p != nil {
		if p.Service != "" {
			line("service %s", p.Service)
		}
		line("pods %d, %d not ready", p.Total, len(p.NotReady))
		for _, pod := range p.NotReady {
			line("pod %s %s ready %s restarts %d", pod.Name, pod.Status, pod.Ready, pod.Restarts)
		}
	}
	if d := s.Database; d != nil {
		line("database connections %d of %d, active %d, idle in transaction %d, waiting %d", d.Connections, d.Max, d.Active, d.IdleInTx, d.Waiting)
	}
	if c := s.Cache; c != nil {
		switch {
		case c.Over == 0:
			line("cache memory %s, rates take a second reading", ui.Bytes(c.Memory))
		case c.HitRate == nil:
			line("cache no lookups, memory %s, evicted %s /s", ui.Bytes(c.Memory), ui.Number(c.Evicted))
		default:
			line("cache hit rate %s %%, memory %s, evicted %s /s", ui.Number(*c.HitRate*100), ui.Bytes(c.Memory), ui.Number(c.Evicted))
		}
	}
	if l := s.Logins; l != nil {
		line("failed logins %s /min of %s, %s", ui.Number(l.PerMinute), ui.Number(l.Threshold), l.Pattern)
	}
	for _, src := range s.Sources {
		if src.Error != "" {
			line("source %s %s: %s", src.Name, src.State, src.Error)
			continue
		}
		line("source %s %s", src.Name, src.State)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
