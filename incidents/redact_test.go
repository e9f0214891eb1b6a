package incidents

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/erpgo/flightdeck/runbooks"
)

// Promise 13: seeded secrets of the shapes that commands put out. None of them
// is real.
func seededSecrets() map[string]string {
	b64 := base64.StdEncoding.EncodeToString([]byte("correct horse battery"))
	return map[string]string{
		"postgres URL":       "DATABASE_URL postgres://erpgo:s3cr3t-pg@db:5432/erpgo?sslmode=disable|s3cr3t-pg",
		"redis URL":          "redis://:s3cr3t-rd@cache:6379/0|s3cr3t-rd",
		"amqp URL":           "amqp://guest:s3cr3t-mq@mq/|s3cr3t-mq",
		"bearer":             "> Authorization: Bearer s3cr3t.bearer-value|s3cr3t.bearer-value",
		"basic":              "authorization: Basic dXNlcjpwYXNz|dXNlcjpwYXNz",
		"mysql":              "mysql -h db -u root -ps3cr3tmy erpgo|s3cr3tmy",
		"redis-cli":          "redis-cli -h cache -a s3cr3trc ping|s3cr3trc",
		"flag":               "tool --password s3cr3tfl --verbose|s3cr3tfl",
		"environment":        "PGPASSWORD=s3cr3tenv psql|s3cr3tenv",
		"quoted":             `DB_PASSWORD="s3cr3t with spaces"|s3cr3t with spaces`,
		"JSON":               `{"user":"erpgo","password":"s3cr3tjson"}|s3cr3tjson`,
		"Kubernetes secret":  "  jwt-secret: " + b64 + "|" + b64,
		"YAML":               "token: 's3cr3tyaml'|s3cr3tyaml",
		"AWS key":            "found AKIAQ3EGRIZ5GWAXY7TD in log|AKIAQ3EGRIZ5GWAXY7TD",
		"GitHub token":       "remote: ghp_9aK3mZx8Qw2Er5Ty7Ui1Op4As6Df0Gh3Jk2L|ghp_9aK3mZx8Qw2Er5Ty7Ui1Op4As6Df0Gh3Jk2L",
		"JWT":                "cookie eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkFubiJ9.4Xk2mJ8rQwZpLsVtYbNcEdFgHiJkLmNoPqRsTuVwXyZ|4Xk2mJ8rQwZpLsVtYbNcEdFgHiJkLmNoPqRsTuVwXyZ",
		"private key":        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAxhsmq8\n-----END RSA PRIVATE KEY-----|MIIEowIBAAKCAQEAxhsmq8",
		"private key, cut":   "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhki|MIIEvQIBADANBgkqhki",
		"allowed by comment": "PGPASSWORD=s3cr3tallow # gitleaks:allow|s3cr3tallow",
	}
}

func TestRedact(t *testing.T) {
	for name, line := range seededSecrets() {
		text, secret, _ := strings.Cut(line, "|")
		got := redact("before\n" + text + "\nafter")
		if strings.Contains(got, secret) || !strings.HasPrefix(got, "before\n") || !strings.HasSuffix(got, "\nafter") && !strings.HasSuffix(name, "cut") {
			t.Errorf("%s: %q", name, got)
		}
		if again := redact(got); again != got {
			t.Errorf("%s: a second time it is %q", name, again)
		}
	}
	for _, text := range []string{
		"", "\n", "deployment.apps/erpgo-api rolled back",
		"NAME                  READY   STATUS    RESTARTS   AGE\nerpgo-api-7d9c5b8f6d-x2x4z   1/1     Running   0   5m",
		"2026-11-24 WARN auth failed login username=admin user=admin ip=203.0.113.66 attempts=7",
		"DEBUG cache product:* cache miss key=product:17",
		"password authentication failed for user \"erpgo\"",
		"http://prometheus:9090/graph?g0.expr=up",
		"image: erpgo/api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"git commit 4fb1f3c8a9d2e7b6c5a4f3e2d1c0b9a8f7e6d5c4",
	} {
		if got := redact(text); got != text {
			t.Errorf("%q has become %q", text, got)
		}
	}
}

func TestLeakRulesAreRead(t *testing.T) {
	rules, err := leakRules()
	if err != nil || len(rules.Rules) < 200 {
		t.Errorf("%d rules, %v", len(rules.Rules), err)
	}
}

func TestWhatLooksSecretNeverReachesTheJournal(t *testing.T) {
	r := newRunner(t, Options{})
	id := opened(t, r)
	seeded := seededSecrets()
	var script strings.Builder
	script.WriteString("cat <<'EOF'\n")
	var secrets []string
	for _, line := range seeded {
		text, secret, _ := strings.Cut(line, "|")
		if len(secrets) < 8 { // more would be cut from the middle of the excerpt
			script.WriteString(text + "\n")
		}
		secrets = append(secrets, secret)
		if _, err := r.Note(t.Context(), driver, id, "I see "+text); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Tick(t.Context(), driver, id, check, text); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Resolve(t.Context(), driver, id, text); err != nil {
			t.Fatal(err)
		}
	}
	script.WriteString("EOF\n")
	ended(t, start(t, r, id, bash(script.String(), runbooks.Reads)))
	for _, fact := range history(t, r) {
		if s, ok := fact.(StepStarted); ok {
			s.Script = "" // exactly as run
			fact = s
		}
		for _, secret := range secrets {
			if all := fmt.Sprintf("%+v", fact); strings.Contains(all, secret) {
				t.Errorf("%s is in the journal: %.300s", secret, all)
			}
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	text := strings.Repeat("2026-11-24 WARN auth failed login username=admin user=admin ip=203.0.113.66\n", 54)
	redact(text)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		redact(text)
	}
}
