package config

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// secretive returns settings whose every secret is hunter2.
func secretive() Config {
	cfg := Default()
	cfg.Prometheus.Password, cfg.Prometheus.BearerToken = "hunter2", "hunter2"
	cfg.Alertmanager.Password, cfg.Alertmanager.BearerToken = "hunter2", "hunter2"
	cfg.Database.URL = "postgres://me:hunter2@db/erpgo?sslpassword=hunter2"
	cfg.Redis.URL = "redis://:hunter2@redis:6379"
	return cfg
}

func TestSecretsAreNeverShown(t *testing.T) {
	cfg := secretive()
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%08.3f"} {
		shown["fmt "+verb] = fmt.Sprintf(verb, cfg) + fmt.Sprintf(verb, &cfg) + fmt.Sprintf(verb, cfg.Redis.URL)
	}
	shown["fmt.Sprint"] = fmt.Sprint(cfg, cfg.Redis.URL)
	for name, marshal := range map[string]func(any) ([]byte, error){"json": json.Marshal, "yaml": yaml.Marshal, "xml": xml.Marshal} {
		text, err := marshal(cfg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		shown[name] = string(text)
	}
	var logged bytes.Buffer
	slog.New(slog.NewTextHandler(&logged, nil)).Info("x", "config", cfg, "url", cfg.Redis.URL)
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("x", "config", cfg, "url", cfg.Redis.URL)
	shown["slog"] = logged.String()
	for _, asJSON := range []bool{false, true} {
		var b bytes.Buffer
		if err := Show(&b, cfg, Sources{}, asJSON); err != nil {
			t.Fatal(err)
		}
		shown[fmt.Sprintf("Show, JSON %v", asJSON)] = b.String()
	}
	for how, text := range shown {
		for _, secret := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2"), fmt.Sprintf("% x", "hunter2")} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows a secret: %s", how, text)
			}
		}
		if !strings.Contains(text, dots) && !strings.Contains(text, "xxxxx") {
			t.Errorf("%s does not tell that there is a secret: %s", how, text)
		}
	}
	if got := cfg.Redis.URL.Reveal(); got != "redis://:hunter2@redis:6379" {
		t.Errorf("Reveal = %q", got)
	}
	if got := fmt.Sprintf("%v%s%#v", Secret(""), Secret(""), Secret("")); got != `""` {
		t.Errorf("an empty secret is written %s", got)
	}
}

func TestRedact(t *testing.T) {
	for url, want := range map[Secret]string{
		"":                                    "",
		"postgres://db/erpgo":                 "postgres://db/erpgo",
		"postgres://me@db/erpgo?sslmode=off":  "postgres://me@db/erpgo?sslmode=off",
		"postgres://me:hunter2@db/erpgo":      "postgres://me:xxxxx@db/erpgo",
		"postgres://db/erpgo?password=hunter": "postgres://db/erpgo?password=xxxxx",
		"postgres://me:hunt/er2@db/erpgo":     dots,
		"postgres://me:12?hunter2@db/erpgo":   dots,
		"postgres://me:12#hunter2@db/erpgo":   dots,
		"postgres://me:hun ter2@db/erpgo":     dots,
		"redis://:hunter2@redis:6379/0":       "redis://:xxxxx@redis:6379/0",
		"host=db user=me":                     "host=db user=me",
		"host=db user=me password=hunter2":    dots,
		"host=db user=me PASSWORD = hunter2":  dots,
		"me:hunter2@db":                       dots,
	} {
		if got := redact(url); got != want {
			t.Errorf("redact(%q) = %q, want %q", url.Reveal(), got, want)
		}
		if hidden := redact(url) != url.Reveal(); hidden != holdsPassword(url.Reveal()) {
			t.Errorf("%q: hidden %v, holdsPassword %v", url.Reveal(), hidden, !hidden)
		}
	}
}

func TestAuthorization(t *testing.T) {
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("me:hunter2"))
	for _, test := range []struct {
		a    Alertmanager
		want string
	}{
		{Alertmanager{}, ""},
		{Alertmanager{BearerToken: "hunter2"}, "Bearer hunter2"},
		{Alertmanager{Username: "me", Password: "hunter2"}, basic},
	} {
		if got := test.a.Authorization().Reveal(); got != test.want {
			t.Errorf("Authorization = %q, want %q", got, test.want)
		}
	}
}
