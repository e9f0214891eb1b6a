//go:build unix

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/erpgo/flightdeck/incidents"
	"github.com/erpgo/flightdeck/testenv"
)

// flightdeck runs the program with arguments, what is typed, and nothing of this
// machine's settings.
func flightdeck(t *testing.T, typed string, args ...string) (string, error) {
	t.Helper()
	for _, name := range []string{"KUBECONFIG", "PROMETHEUS_URL", "ALERTMANAGER_URL", "DATABASE_URL", "REDIS_URL", "PGHOST"} {
		t.Setenv(name, "")
	}
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetIn(strings.NewReader(typed))
	root.SetArgs(args)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// pastIncident is a journal with an incident that was worked and resolved, and
// one that goes on.
func pastIncident(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	j, err := incidents.OpenSQLite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ann := incidents.Actor{Name: "ann", Host: "bastion"}
	ref := incidents.CommandRef{Runbook: "high-error-rate", Step: "resolution-1"}
	for _, e := range []struct {
		id   string
		fact incidents.Fact
	}{
		{"INC-1", incidents.Opened{Title: "HighErrorRate", Alert: "HighErrorRate", Severity: "critical"}},
		{"INC-1", incidents.RunbookOpened{Runbook: "high-error-rate"}},
		{"INC-1", incidents.StepStarted{Run: "r", Ref: ref, Script: "kubectl rollout undo deployment/erpgo-api", Risk: "changes", Confirmed: "erpgo-api"}},
		{"INC-1", incidents.StepFinished{Run: "r", Ref: ref, OK: true, Head: "PGPASSWORD=hunter2 \x1b[31mred"}}, // from before outputs were masked
		{"INC-1", incidents.NoteTaken{Text: "calm\nagain"}},
		{"INC-1", incidents.Resolved{Reason: "rolled back"}},
		{"INC-2", incidents.Opened{Title: "by hand"}},
	} {
		if _, err := j.Append(t.Context(), e.id, ann, e.fact); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestIncidentsListAndShow(t *testing.T) {
	path := pastIncident(t)
	out, err := flightdeck(t, "", "incidents", "list", "--journal", path)
	if err != nil {
		t.Fatal(err)
	}
	rows := strings.Split(strings.TrimSpace(out), "\n")
	if len(rows) != 2 || !strings.HasPrefix(rows[0], "INC-2  open") || !strings.HasPrefix(rows[1], "INC-1  resolved  critical") {
		t.Errorf("list: %s", out)
	}
	out, err = flightdeck(t, "", "incidents", "list", "--json", "--journal", path)
	var all []incidents.Incident
	if err != nil || json.Unmarshal([]byte(out), &all) != nil || len(all) != 2 || all[1].Outcome != "rolled back" {
		t.Errorf("list --json: %v, %s", err, out)
	}
	for _, id := range []string{"INC-1", "1"} {
		out, err = flightdeck(t, "", "incidents", "show", id, "--journal", path)
		if err != nil || strings.Contains(out, "\x1b") {
			t.Errorf("show %s: %v %q", id, err, out)
		}
		for _, want := range []string{"INC-1  resolved  critical  HighErrorRate", "time to mitigate", "ann: ran kubectl rollout undo", "ann: calm\n", "  again\n"} {
			if !strings.Contains(out, want) {
				t.Errorf("show %s lacks %q: %s", id, want, out)
			}
		}
	}
	out, err = flightdeck(t, "", "incidents", "show", "INC-1", "--json", "--journal", path)
	var shown struct {
		Incident incidents.Incident
		Events   []incidents.Event
	}
	if err != nil || json.Unmarshal([]byte(out), &shown) != nil || len(shown.Events) != 6 || len(shown.Incident.Items) != 1 {
		t.Errorf("show --json: %v, %s", err, out)
	}
	for _, args := range [][]string{{"show", "INC-9", "--journal", path}, {"list", "--journal", "memory"}, {"list", "--journal", "/dev/null/x"}} {
		if out, err := flightdeck(t, "", append([]string{"incidents"}, args...)...); err == nil {
			t.Errorf("%v: %s", args, out)
		}
	}
}

func TestIncidentsVerify(t *testing.T) {
	path := pastIncident(t)
	out, err := flightdeck(t, "", "incidents", "verify", "--journal", path)
	if err != nil || !strings.HasPrefix(out, "7 events, as they were written\n7 ") {
		t.Errorf("%v, %s", err, out)
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`DROP TRIGGER events_are_not_changed; UPDATE events SET actor = 'bob' WHERE seq = 3`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	out, err = flightdeck(t, "", "incidents", "verify", "--journal", path)
	var status exitStatus
	if !errors.As(err, &status) || status != verifyFailed || !strings.Contains(out, "at event 3") {
		t.Errorf("%v, %s", err, out)
	}
}

// The password stands where libpq looks for it, and not in the URL.
func TestIncidentsInPostgres(t *testing.T) {
	server := testenv.StartPostgres(t, testenv.PostgresOptions{})
	u, err := url.Parse(server.AdminURL())
	if err != nil {
		t.Fatal(err)
	}
	j, err := incidents.OpenPostgres(t.Context(), server.AdminURL(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := j.Append(t.Context(), "INC-1", incidents.Actor{Name: "ann"}, incidents.Opened{Title: "shared"}); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	with := u.String()
	password, _ := u.User.Password()
	u.User = url.User(u.User.Username())
	t.Setenv("PGPASSWORD", password)
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	if out, err := flightdeck(t, "", "incidents", "list", "--journal", u.String()); err != nil || !strings.Contains(out, "shared") {
		t.Errorf("%v, %s", err, out)
	}
	if out, err := flightdeck(t, "", "incidents", "verify", "--journal", u.String()); err != nil || !strings.HasPrefix(out, "1 events") {
		t.Errorf("%v, %s", err, out)
	}
	if _, err := flightdeck(t, "", "incidents", "list", "--journal", with); err == nil || strings.Contains(err.Error(), password) {
		t.Errorf("with the password in the URL: %v", err)
	}
	if err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	if out, err := flightdeck(t, "", "incidents", "list", "--journal", u.String()); err == nil || strings.Contains(err.Error(), password) {
		t.Errorf("while it is stopped: %s %v", out, err)
	}
}

func TestIncidentsPrune(t *testing.T) {
	path := pastIncident(t)
	prune := func(typed string, args ...string) string {
		t.Helper()
		out, err := flightdeck(t, typed, append([]string{"incidents", "prune", "--journal", path}, args...)...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return out
	}
	count := func() int {
		out, err := flightdeck(t, "", "incidents", "list", "--journal", path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(out, "\n")
	}
	if out := prune("", "--older-than", "90d"); out != "nothing is that old\n" {
		t.Error(out)
	}
	for _, answer := range []string{"", "no\n", "y\n"} {
		if out := prune(answer, "--older-than", "0s"); !strings.Contains(out, "nothing was removed") || count() != 2 {
			t.Errorf("answered %q: %s", answer, out)
		}
	}
	if out := prune("yes\n", "--older-than", "0s"); !strings.Contains(out, "INC-1") || count() != 1 {
		t.Errorf("%s", out)
	}
	if out, err := flightdeck(t, "", "incidents", "verify", "--journal", path); err != nil || !strings.HasPrefix(out, "8 events") {
		t.Errorf("verify: %v, %s", err, out)
	}
	for _, age := range []string{"", "soon", "-1d", "1.5d"} {
		if _, err := flightdeck(t, "", "incidents", "prune", "--journal", path, "--older-than", age); err == nil {
			t.Errorf("an age of %q", age)
		}
	}
}

// A post-mortem with the signals as a real Prometheus has measured them.
func TestIncidentsExport(t *testing.T) {
	target := exporter(t)
	prometheus := testenv.StartPrometheus(t, testenv.PrometheusOptions{
		Jobs: []testenv.ScrapeJob{{Name: "erpgo", Target: target}}, Interval: time.Second,
	})
	settings := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(settings, []byte(`signals:
  - {name: error_rate, title: Error rate, query: erpgo_error_ratio, unit: ratio, critical: 0.05}
  - {name: nothing, query: there_is_no_such_series}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	measured(t, prometheus.URL())
	path := pastIncident(t)
	export := func(args ...string) string {
		t.Helper()
		out, err := flightdeck(t, "", append([]string{"incidents", "export", "INC-1", "--journal", path, "--config", settings}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for format, wants := range map[string][]string{
		"":       {"# INC-1: HighErrorRate", "| Error rate |", "6.2 %", "nothing: no such series", "confirmed by typing erpgo-api", "Mitigated"},
		"--html": {"<polyline", "6.2 %", "nothing: no such series", "confirmed by typing erpgo-api"},
		"--json": {`"value":0.062`, `"confirmed":"erpgo-api"`, "no such series"},
	} {
		args := []string{"--prometheus", prometheus.URL()}
		if format != "" {
			args = append(args, format)
		}
		out := export(args...)
		for _, want := range wants {
			if !strings.Contains(out, want) {
				t.Errorf("%s lacks %q: %.3000s", format, want, out)
			}
		}
		if strings.Contains(out, "hunter2") || strings.Contains(out, "\x1b") {
			t.Errorf("%s holds a secret or an escape", format)
		}
	}
	if out := export(); !strings.Contains(out, "The signals were not measured") {
		t.Errorf("without Prometheus: %s", out)
	}
	closed := "http://127.0.0.1:1"
	if out := export("--prometheus", closed); !strings.Contains(out, "Not measured: Error rate: prometheus") {
		t.Errorf("with one that is not there: %.1000s", out)
	}
	file := filepath.Join(t.TempDir(), "pm.md")
	export("-o", file)
	if text, err := os.ReadFile(file); err != nil || !strings.HasPrefix(string(text), "# INC-1") {
		t.Errorf("%v, %.100s", err, text)
	}
	if _, err := flightdeck(t, "", "incidents", "export", "1", "--journal", path, "-o", file); !errors.Is(err, os.ErrExist) {
		t.Errorf("onto an existing file: %v", err)
	}
}

// exporter is what Prometheus scrapes.
func exporter(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4")
		_, _ = fmt.Fprintln(w, "erpgo_error_ratio 0.062")
	})}
	go func() { _ = server.Serve(listener) }() // it ends with Close
	t.Cleanup(func() { _ = server.Close() })
	return listener.Addr().String()
}

// measured waits until Prometheus has the series.
func measured(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/query?query=erpgo_error_ratio", nil)
		if err != nil {
			t.Fatal(err)
		}
		if answer, err := http.DefaultClient.Do(request); err == nil {
			var body bytes.Buffer
			_, _ = body.ReadFrom(answer.Body)
			_ = answer.Body.Close()
			if strings.Contains(body.String(), `"0.062"`) {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("prometheus does not have the series within a minute")
		}
	}
}
