package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Sources tells where each setting came from.
type Sources struct {
	File string // the configuration file that was read; empty where there is none

	byKey map[string]string
}

// From returns where a setting came from, by its key in the file, such as
// prometheus.url or signals[0].query: FILE:LINE, "env NAME", "flag --name", or
// "default".
func (s Sources) From(key string) string {
	if from, ok := s.byKey[key]; ok {
		return from
	}
	return "default"
}

// Load reads the settings. A flag counts more than an environment variable,
// that more than the file, and the file more than the default. The error holds
// everything that is wrong, not only the first; none of it shows a secret.
//
// A user, a password or a token that stands in the file beside a URL goes to
// that URL only: where the environment or a flag names another, it is dropped.
func Load(flags *Flags, environ []string) (Config, Sources, error) {
	cfg := Default()
	l := newLoader(&cfg)
	l.readConfigured(flags, environ)
	l.readEnvironment(environment(environ))
	l.readFlags(flags)
	if cfg.Database.URL == "" {
		l.readLibpq(environment(environ))
	}
	l.checkCredentials()
	if len(l.errs) > 0 {
		return Config{}, Sources{}, errors.Join(l.errs...)
	}
	return cfg, l.sources, nil
}

// loader gathers settings, where they came from, and what is wrong with them.
type loader struct {
	cfg     *Config
	schema  []section
	sources Sources
	errs    []error

	file   string  // the file that is being read
	base   folders // what paths in it are relative to
	secret string  // the first secret in it: "line 12: prometheus.password"
}

func newLoader(cfg *Config) *loader {
	return &loader{cfg: cfg, schema: schema(cfg), sources: Sources{byKey: map[string]string{}}}
}

// fail keeps a complaint; where is FILE:LINE: KEY, a variable or a flag.
func (l *loader) fail(where, problem string) {
	l.errs = append(l.errs, errors.New(where+": "+problem))
}

// put sets a setting, and remembers where from.
func (l *loader) put(s setting, key, from, where string, texts ...string) bool {
	if s.list != nil {
		s.list()
	}
	for _, text := range texts {
		if err := s.set(text); err != nil {
			l.fail(where, problem(err, s, text))
			return false
		}
	}
	l.sources.byKey[key] = from
	return true
}

// problem is what is wrong with a value, and the value too where that is of
// use and no secret.
func problem(err error, s setting, text string) string {
	var m mismatch
	if errors.As(err, &m) && m.why == "" && !s.isSecret() {
		return fmt.Sprintf("%v, got %q", err, clip(text))
	}
	return err.Error()
}

func clip(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}

// readConfigured reads the file that --config names, or the one in the usual
// place where there is one.
func (l *loader) readConfigured(flags *Flags, environ []string) {
	path, err := Path(flags, environ)
	if errors.Is(err, errNoFolder) {
		return
	}
	if err != nil {
		l.errs = append(l.errs, err)
		return
	}
	home := environment(environ)["HOME"]
	if home == "" {
		home, _ = os.UserHomeDir()
	}
	l.file, l.base = path, folders{file: filepath.Dir(path), home: home}
	err = l.readFile()
	if _, named := flags.lookup("config"); errors.Is(err, fs.ErrNotExist) && !named {
		return
	}
	if err != nil {
		l.errs = append(l.errs, fmt.Errorf("read the configuration: %w", err))
	}
	l.sources.File = path
}

// each visits every setting of the schema with its full key.
func (l *loader) each(visit func(sec section, key string, s setting)) {
	for _, sec := range l.schema {
		for _, s := range sec.settings {
			visit(sec, sec.path(s.key), s)
		}
	}
}

// path is the full key of a setting in the section.
func (sec section) path(key string) string {
	if sec.key == "" {
		return key
	}
	return sec.key + "." + key
}

func (l *loader) readEnvironment(env map[string]string) {
	l.each(func(sec section, key string, s setting) {
		text := env[s.env]
		if s.env == "" || text == "" {
			return
		}
		from, where := "env "+s.env, "environment: "+s.env
		if s.env == "NO_COLOR" {
			text = "true" // whatever its value, says no-color.org
		}
		user, password := "", ""
		if sec.takesUser() {
			text, user, password = cutUser(text)
		}
		l.replace(sec, key, s, text, from)
		l.put(s, key, from, where, text)
		if user != "" || password != "" {
			l.put(sec.setting("username"), sec.path("username"), from, where, user)
			l.put(sec.setting("password"), sec.path("password"), from, where, password)
			l.put(sec.setting("bearer_token"), sec.path("bearer_token"), from, where, "")
		}
	})
}

func (l *loader) readFlags(flags *Flags) {
	l.each(func(sec section, key string, s setting) {
		texts, given := flags.lookup(s.flag)
		if s.flag == "" || !given {
			return
		}
		from, where := "flag --"+s.flag, "--"+s.flag
		if s.isSecret() && holdsPassword(texts[0]) {
			l.fail(where, fmt.Sprintf("a password on the command line can be read by everybody on this machine; put the URL in %s or in the file that %s_file names", s.env, key))
			return
		}
		l.replace(sec, key, s, texts[0], from)
		l.put(s, key, from, where, texts...)
	})
}

// readLibpq configures the database from the variables that psql knows. The
// others of them (PGUSER, PGPASSWORD, …) are read by the driver as it connects.
func (l *loader) readLibpq(env map[string]string) {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	for _, v := range []struct{ name, key string }{{"PGHOST", "host"}, {"PGSERVICE", "service"}} {
		if text := env[v.name]; text != "" {
			url := setting{value: of(&l.cfg.Database.URL, postgresURL)}
			l.put(url, "database.url", "env "+v.name, "environment: "+v.name, v.key+"='"+quote.Replace(text)+"'")
			return
		}
	}
}

// takesUser tells whether the section has a user and a password beside its URL.
func (sec section) takesUser() bool { return sec.setting("username").key != "" }

func (sec section) setting(key string) setting {
	for _, s := range sec.settings {
		if s.key == key {
			return s
		}
	}
	return setting{}
}

// replace drops the credentials that were meant for another URL than text.
func (l *loader) replace(sec section, key string, s setting, text, from string) {
	before, set := l.sources.byKey[key]
	if !sec.takesUser() || !set || s.get() == text {
		return
	}
	for _, name := range []string{"username", "password", "bearer_token"} {
		credential := sec.setting(name)
		if fmt.Sprint(credential.get()) != "" {
			l.put(credential, sec.path(name), fmt.Sprintf("dropped: %s replaces the URL of %s", from, before), from, "")
		}
	}
}

// checkCredentials refuses two ways to authenticate at once.
func (l *loader) checkCredentials() {
	for _, sec := range l.schema {
		set := func(key string) bool { return fmt.Sprint(sec.setting(key).get()) != "" }
		if sec.takesUser() && set("bearer_token") && (set("username") || set("password")) {
			l.fail(l.sources.From(sec.path("bearer_token")), sec.path("bearer_token")+": set beside a user or a password; keep one")
		}
	}
}

// cutUser takes the user and the password out of a URL that parses.
func cutUser(text string) (bare, user, password string) {
	u, ok := connectionURL(text)
	if !ok || u.User == nil {
		return text, "", ""
	}
	user = u.User.Username()
	password, _ = u.User.Password()
	u.User = nil
	return u.String(), user, password
}
