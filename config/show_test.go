package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestShow(t *testing.T) {
	file := write(t, "config.yaml", `
prometheus: {url: 'http://prometheus:9090', bearer_token: hunter2}
webhook: {name: '#incidents', url: 'https://chat.example/hooks/hunter2'}
service:
  name: "a bell \a"
signals:
  - name: up
    query: min(up)
    warn: 1
    below: true
`, 0o600)
	cfg, sources := load(t, given(t, "--config", file, "--runbooks", "a", "--runbooks", "b"),
		"DATABASE_URL=postgres://me:hunter2@db/erpgo", "XDG_CONFIG_HOME=/none")
	var b bytes.Buffer
	if err := Show(&b, cfg, sources, false); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b.Bytes(), []byte("hunter2")) {
		t.Errorf("a secret is shown:\n%s", b.Bytes())
	}
	got := bytes.ReplaceAll(b.Bytes(), []byte(filepath.Dir(file)), []byte("/folder"))
	golden := "testdata/show.golden"
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("shown (-want +got):\n%s", diff)
	}
}

func TestShowJSON(t *testing.T) {
	cfg, sources := load(t, nil, "DATABASE_URL=postgres://me:hunter2@db/erpgo", "XDG_CONFIG_HOME="+t.TempDir())
	var b bytes.Buffer
	if err := Show(&b, cfg, sources, true); err != nil {
		t.Fatal(err)
	}
	var got struct {
		File     string
		Settings []row
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, b.Bytes())
	}
	rows := map[string]row{}
	for _, r := range got.Settings {
		rows[r.Key] = r
	}
	for _, want := range []row{
		{"read_only", false, "default"},
		{"runbooks", []any{}, "default"},
		{"logs.lines", 10000.0, "default"},
		{"prometheus.interval", "5s", "default"},
		{"prometheus.bearer_token", "", "default"},
		{"database.url", "postgres://me:xxxxx@db/erpgo", "env DATABASE_URL"},
		{"signals[0].critical", 0.05, "default"},
	} {
		if diff := cmp.Diff(want, rows[want.Key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", want.Key, diff)
		}
	}
}
