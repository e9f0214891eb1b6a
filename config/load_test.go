package config

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// write puts a file into a folder of the test's own and returns its path.
func write(t *testing.T, name, content string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
	return path
}

// given returns the flags of a command line.
func given(t *testing.T, args ...string) *Flags {
	t.Helper()
	set := pflag.NewFlagSet("flightdeck", pflag.ContinueOnError)
	var flags Flags
	flags.Bind(set)
	if err := set.Parse(args); err != nil {
		t.Fatal(err)
	}
	return &flags
}

func load(t *testing.T, flags *Flags, environ ...string) (Config, Sources) {
	t.Helper()
	cfg, sources, err := Load(flags, environ)
	if err != nil {
		t.Fatal(err)
	}
	return cfg, sources
}

func TestPrecedence(t *testing.T) {
	file := write(t, "config.yaml", `
prometheus:
  url: http://file:9090
  interval: 7s
kubernetes:
  kubeconfig: kube.yaml
  context: file
  namespace: file
read_only: true
`, 0o600)
	cfg, sources := load(t,
		given(t, "--config", file, "--prometheus", "http://flag:9090/", "-n", "flag", "--read-only=false"),
		"PROMETHEUS_URL=http://env:9090", "ALERTMANAGER_URL=http://env:9093", "KUBECONFIG=/env", "REDIS_URL=", "NO_COLOR=0")

	want := Default()
	want.Prometheus.URL = "http://flag:9090"
	want.Prometheus.Interval = 7 * time.Second
	want.Alertmanager.URL = "http://env:9093"
	want.Kubernetes = Kubernetes{Kubeconfig: "/env", Context: "file", Namespace: "flag"}
	want.NoColor = true
	if diff := cmp.Diff(want, cfg); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	for key, from := range map[string]string{
		"prometheus.url":        "flag --prometheus",
		"prometheus.interval":   file + ":4",
		"prometheus.timeout":    "default",
		"alertmanager.url":      "env ALERTMANAGER_URL",
		"kubernetes.kubeconfig": "env KUBECONFIG",
		"kubernetes.context":    file + ":7",
		"kubernetes.namespace":  "flag --namespace",
		"read_only":             "flag --read-only",
		"no_color":              "env NO_COLOR",
		"redis.url":             "default",
	} {
		if got := sources.From(key); got != from {
			t.Errorf("%s comes from %q, want %q", key, got, from)
		}
	}
}

func TestWithoutAFile(t *testing.T) {
	cfg, sources := load(t, nil, "XDG_CONFIG_HOME="+t.TempDir())
	if diff := cmp.Diff(Default(), cfg); diff != "" {
		t.Errorf("settings are not the defaults (-want +got):\n%s", diff)
	}
	if sources.File != "" {
		t.Errorf("File = %q, want none", sources.File)
	}
}

func TestUsualPlace(t *testing.T) {
	file := write(t, "flightdeck/config.yaml", "read_only: true\n", 0o644)
	cfg, sources := load(t, &Flags{}, "XDG_CONFIG_HOME="+filepath.Dir(filepath.Dir(file)))
	if !cfg.ReadOnly || sources.File != file {
		t.Errorf("read_only = %v from %q, want true from %q", cfg.ReadOnly, sources.File, file)
	}
	_, _, err := Load(nil, []string{"XDG_CONFIG_HOME=relative"})
	wantError(t, err, `environment: XDG_CONFIG_HOME: expected an absolute path, got "relative"`)
}

func TestNamedFileMustExist(t *testing.T) {
	_, _, err := Load(given(t, "--config", "/no/such/file.yaml"), nil)
	wantError(t, err, "read the configuration: open /no/such/file.yaml: no such file or directory")
	_, _, err = Load(given(t, "--config", ""), nil)
	wantError(t, err, "--config: expected a file")
}

func TestPathsAreRelativeToTheFile(t *testing.T) {
	file := write(t, "config.yaml", "runbooks: [books, /abs/books, ~/books]\nkubernetes: {kubeconfig: 'a:/b'}\n", 0o644)
	folder := filepath.Dir(file)
	cfg, _ := load(t, given(t, "--config", file), "HOME=/home/me")
	want := []string{filepath.Join(folder, "books"), "/abs/books", "/home/me/books"}
	if diff := cmp.Diff(want, cfg.Runbooks); diff != "" {
		t.Errorf("runbooks (-want +got):\n%s", diff)
	}
	if got, want := cfg.Kubernetes.Kubeconfig, filepath.Join(folder, "a")+":/b"; got != want {
		t.Errorf("kubeconfig = %q, want %q", got, want)
	}
	cfg, _ = load(t, given(t, "--config", file, "--runbooks", "x", "--runbooks", "y,z"), "HOME=/home/me")
	if diff := cmp.Diff([]string{"x", "y,z"}, cfg.Runbooks); diff != "" {
		t.Errorf("runbooks of the flags (-want +got):\n%s", diff)
	}
}

func TestDatabaseFromTheEnvironment(t *testing.T) {
	t.Setenv("PGSERVICEFILE", filepath.Join(t.TempDir(), "missing"))
	for _, test := range []struct{ name, url, from string }{
		{"DATABASE_URL=postgres://db/erpgo PGHOST=other", "postgres://db/erpgo", "env DATABASE_URL"},
		{"PGHOST=db PGSERVICE=erpgo", "host='db'", "env PGHOST"},
		{`PGHOST=/run/it's\here`, `host='/run/it\'s\\here'`, "env PGHOST"},
		{"PGSERVICE=erpgo", "service='erpgo'", "env PGSERVICE"},
		{"PGUSER=me PGPASSWORD=hunter2", "", "default"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, sources := load(t, nil, append(strings.Fields(test.name), "XDG_CONFIG_HOME="+t.TempDir())...)
			if got, from := cfg.Database.URL.Reveal(), sources.From("database.url"); got != test.url || from != test.from {
				t.Errorf("database.url = %q from %q, want %q from %q", got, from, test.url, test.from)
			}
		})
	}
}

func TestEverythingWrongIsTold(t *testing.T) {
	file := write(t, "config.yaml", "logs: {lines: 1}\nprometheus: {timeout: soon}\n", 0o644)
	_, _, err := Load(
		given(t, "--config", file, "--namespace", "A", "--database", "postgres://me:hunter2@db/erpgo", "--prometheus", "http://me:hunter2@prom"),
		[]string{"ALERTMANAGER_URL=alertmanager:9093", "REDIS_URL=redis://:hunter2@redis/x"})
	wantError(t, err, strings.Join([]string{
		file + `:1: logs.lines: expected a whole number from 100 to 200000, got "1"`,
		file + `:2: prometheus.timeout: expected a duration from 100ms to 1m, got "soon"`,
		"environment: ALERTMANAGER_URL: expected an http:// or https:// URL: it begins otherwise",
		"environment: REDIS_URL: expected redis://host:port/database, rediss:// for TLS, or unix://path (percent-encode special characters)",
		"--prometheus: expected an http:// or https:// URL: it holds a user or a password; username and password_file are settings of their own",
		`--namespace: expected the name of a Kubernetes namespace, got "A"`,
		"--database: a password on the command line can be read by everybody on this machine; put the URL in DATABASE_URL or in the file that database.url_file names",
	}, "\n"))
}

func TestCredentialsGoWithTheirURL(t *testing.T) {
	const beside = "prometheus: {url: 'http://file:9090', bearer_token: hunter2}\n"
	for _, test := range []struct{ name, file, env, auth string }{
		{"of the file", beside, "", "Bearer hunter2"},
		{"the same URL again", beside, "http://file:9090", "Bearer hunter2"},
		{"another URL", beside, "http://env:9090", ""},
		{"another URL with its own", beside, "http://me:mine@env:9090", "Basic bWU6bWluZQ=="},
		{"a token for whatever URL", "prometheus: {bearer_token: hunter2}\n", "http://env:9090", "Bearer hunter2"},
		{"a user and a password", "prometheus: {url: 'http://file', username: me, password: mine}\n", "", "Basic bWU6bWluZQ=="},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := write(t, "config.yaml", test.file, 0o600)
			cfg, sources := load(t, given(t, "--config", file), "PROMETHEUS_URL="+test.env)
			if got := cfg.Prometheus.Authorization().Reveal(); got != test.auth {
				t.Errorf("Authorization = %q, want %q", got, test.auth)
			}
			if strings.ContainsAny(cfg.Prometheus.URL, "@") {
				t.Errorf("the URL holds the user: %s", cfg.Prometheus.URL)
			}
			if test.name == "another URL" {
				want := "dropped: env PROMETHEUS_URL replaces the URL of " + file + ":1"
				if got := sources.From("prometheus.bearer_token"); got != want {
					t.Errorf("bearer_token comes from %q, want %q", got, want)
				}
			}
		})
	}
}

func TestSecretFiles(t *testing.T) {
	token := write(t, "token", "hunter2\n", 0o600)
	file := write(t, "config.yaml", "prometheus: {bearer_token_file: "+token+"}\n", 0o644)
	cfg, sources := load(t, given(t, "--config", file))
	if got := cfg.Prometheus.BearerToken.Reveal(); got != "hunter2" {
		t.Errorf("bearer_token = %q, want the file's content without its line feed", got)
	}
	if got, want := sources.From("prometheus.bearer_token"), file+":1, from "+token; got != want {
		t.Errorf("bearer_token comes from %q, want %q", got, want)
	}

	empty := write(t, "empty", "\n", 0o600)
	file = write(t, "config.yaml", "redis: {url_file: "+empty+"}\n", 0o644)
	_, _, err := Load(given(t, "--config", file), nil)
	wantError(t, err, file+":1: redis.url_file: "+empty+" is empty")
}

func TestSecretsForTheOwnerAlone(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no permission bits")
	}
	for _, test := range []struct{ name, content, secret string }{
		{"a token", "prometheus: {bearer_token: hunter2}", "line 1: prometheus.bearer_token"},
		{"a password in a URL", "\ndatabase: {url: 'postgres://me:hunter2@db/erpgo'}", "line 2: database.url"},
		{"a password in a query", "redis: {url: 'redis://redis?password=hunter2'}", ""},
		{"no password", "database: {url: 'postgres://me@db/erpgo'}\nredis: {url: 'redis://redis:6379'}", ""},
		{"key=value with a password", "database: {url: 'host=db password=hunter2'}", "line 1: database.url"},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, mode := range []os.FileMode{0o600, 0o640, 0o604} {
				file := write(t, "config.yaml", test.content, mode)
				_, _, err := Load(given(t, "--config", file), nil)
				if test.name == "a password in a query" {
					// go-redis knows no such parameter.
					wantError(t, err, file+":1: redis.url: expected redis://host:port/database, rediss:// for TLS, or unix://path (percent-encode special characters)")
					continue
				}
				want := ""
				if test.secret != "" && mode != 0o600 {
					want = file + ": holds a secret (" + test.secret + ") and can be read by group or others (mode " +
						strings.TrimPrefix(mode.String(), "-") + "); run: chmod 600 " + file
					want = strings.NewReplacer("rw-r-----", "0640", "rw----r--", "0604").Replace(want)
				}
				wantError(t, err, want)
			}
		})
	}

	token := write(t, "token", "hunter2", 0o644)
	file := write(t, "config.yaml", "alertmanager: {bearer_token_file: "+token+"}", 0o600)
	_, _, err := Load(given(t, "--config", file), nil)
	wantError(t, err, file+":1: alertmanager.bearer_token_file: "+token+" holds a secret and can be read by group or others (mode 0644); run: chmod 600 "+token)
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}
