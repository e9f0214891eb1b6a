package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzDecode feeds the decoder whatever there is. Each complaint must name the
// file, and what was understood must be the same when it is written and read
// again.
func FuzzDecode(f *testing.F) {
	seeds, _ := filepath.Glob("testdata/errors/*.yaml")
	for _, seed := range seeds {
		data, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add(render(Default(), "#"))
	f.Add(render(Default(), ""))
	f.Add([]byte("a: &a [*a]\nservice: *a\nsignals: [*a, *a]\n"))
	f.Add([]byte("service: &s {name: x}\nkubernetes: *s\n"))
	f.Add([]byte("service:\n  name: |\n    two\n    lines\n"))
	complaint := regexp.MustCompile(`^fuzz\.yaml(:\d+)?: `)
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, errs := decoded(data)
		for _, err := range errs {
			if !complaint.MatchString(err.Error()) {
				t.Errorf("the error names no file: %v", err)
			}
		}
		if len(errs) > 0 {
			return
		}
		cfg.Prometheus.Password, cfg.Prometheus.BearerToken = "", "" // dots are all that is ever written
		cfg.Alertmanager.Password, cfg.Alertmanager.BearerToken = "", ""
		cfg.Database.URL, cfg.Redis.URL = "", ""
		cfg.Runbooks = append([]string{}, cfg.Runbooks...)
		cfg.Signals = append([]Signal{}, cfg.Signals...)
		again, errs := decoded(render(cfg, ""))
		if len(errs) > 0 {
			t.Fatalf("what was written is not understood: %v\n%s", errs, render(cfg, ""))
		}
		if diff := cmp.Diff(cfg, again); diff != "" {
			t.Errorf("what was written is something else (-want +got):\n%s", diff)
		}
	})
}

// FuzzSecret puts a secret, hunter2 with something around it, where secrets
// belong and where they do not. No complaint may show it. Its ! tells it from a
// mistyped key, which is shown.
func FuzzSecret(f *testing.F) {
	for _, around := range [][2]string{
		{"", ""},
		{"*", ""},
		{"@", ""},
		{"!!int ", ""},
		{"postgres://me:", "@db:port/x"},
		{"postgres://me:x/", "@db/x"},
		{"redis://:", "@redis/x"},
		{"http://me:", "@host"},
		{"http://", ":port"},
		{"host=x password='", ""},
		{"x: ", ""},
		{"", ": x"},
		{"{", ": x}"},
		{"\"", ""},
		{"|\n  ", ""},
		{"&", " *x"},
		{"<<: ", ""},
		{"%", ""},
	} {
		f.Add(around[0], around[1])
	}
	places := []string{
		"prometheus:\n  bearer_token: SECRET\n", "prometheus:\n  password: [SECRET]\n", "prometheus:\n  url: SECRET\n",
		"database:\n  url: SECRET\n", "database: SECRET\n", "database:\n  SECRET\n", "redis:\n  url: SECRET\n",
		"redis:\n  url: {SECRET: x}\n", "redis:\n  - url: SECRET\n", "alertmanager:\n  url: SECRET\n",
		"alertmanager:\n  bearer_token: SECRET\n  password: SECRET\n", "alertmanager:\n  bearer_token: x\n  bearer_token: SECRET\n",
	}
	f.Fuzz(func(t *testing.T, before, after string) {
		secret := strings.ToValidUTF8(before+"hunter2!"+after, "") // YAML is UTF-8
		for _, place := range places {
			for _, text := range []string{secret, inline(secret)} {
				_, errs := decoded([]byte(strings.ReplaceAll(place, "SECRET", text)))
				for _, err := range errs {
					if strings.Contains(err.Error(), "hunter2") {
						t.Errorf("%q shows a secret", err)
					}
				}
			}
		}
	})
}

func decoded(data []byte) (Config, []error) {
	cfg := Default()
	l := newLoader(&cfg)
	l.file, l.base = "fuzz.yaml", folders{file: "/fuzz"}
	l.decode(data)
	return cfg, l.errs
}
