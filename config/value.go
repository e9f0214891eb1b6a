package config

import (
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/redis/go-redis/v9"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/validation"
)

// value is a typed place in a Config that is written and read as text. Every
// way to set it, be it the file, the environment or a flag, goes through the
// same parse function, so that each is held to the same rules.
type value struct {
	set  func(text string) error // one value; appends to a list
	get  func() any
	list func() // empties a list before it is set; nil where the value is none
}

func of[T any](p *T, parse func(text string) (T, error)) value {
	return value{
		set: func(text string) error {
			v, err := parse(text)
			if err == nil {
				*p = v
			}
			return err
		},
		get: func() any { return *p },
	}
}

func listOf(p *[]string, want string) value {
	return value{
		set: func(text string) error {
			if text == "" {
				return mismatch{want: want}
			}
			*p = append(*p, text)
			return nil
		},
		get:  func() any { return slices.Clone(*p) },
		list: func() { *p = []string{} },
	}
}

// mismatch is a value that is not what its setting wants. The value is told
// beside it unless it is a secret or why already says more.
type mismatch struct{ want, why string }

func (m mismatch) Error() string {
	if m.why == "" {
		return "expected " + m.want
	}
	return "expected " + m.want + ": " + m.why
}

func text(s string) (string, error) { return s, nil }

func secret(s string) (Secret, error) { return Secret(s), nil }

func boolean(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, mismatch{want: "true or false"}
}

func number(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, mismatch{want: "a number"}
	}
	return f, nil
}

func count(least, most int) func(string) (int, error) {
	return func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return 0, mismatch{want: fmt.Sprintf("a whole number from %d to %d", least, most)}
		}
		return n, nil
	}
}

func duration(least, most time.Duration) func(string) (time.Duration, error) {
	return func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil || d < least || d > most {
			return 0, mismatch{want: fmt.Sprintf("a duration from %s to %s", brief(least), brief(most))}
		}
		return d, nil
	}
}

// brief writes a duration without the zero minutes and seconds of its String:
// 10m instead of 10m0s.
func brief(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// httpURL never tells the value in its error: a URL that does not parse may
// well hold a password.
func httpURL(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	wrong := func(why string) (string, error) {
		return "", mismatch{want: "an http:// or https:// URL", why: why}
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return wrong("it does not parse")
	case u.Scheme != "http" && u.Scheme != "https":
		return wrong("it begins otherwise")
	case u.User != nil || strings.Contains(s, "@"):
		return wrong("it holds a user or a password; username and password_file are settings of their own")
	case u.Host == "" || u.Hostname() == "":
		return wrong("it names no host")
	case u.RawQuery != "" || u.Fragment != "":
		return wrong("nothing may follow its path")
	}
	return strings.TrimRight(s, "/"), nil
}

// journalPlace reads where the journal is: a file, JournalInMemory, or a
// PostgreSQL server. A password in it would be shown with the settings, and
// libpq has places for one.
func journalPlace(s string) (string, error) {
	if !JournalInPostgres(s) {
		return s, nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return "", mismatch{want: "a file, memory, or postgres://user@host:port/database"}
	}
	if _, has := u.User.Password(); has || u.Query().Has("password") {
		return "", mismatch{want: "a URL without a password", why: "it holds one; put it into ~/.pgpass or PGPASSWORD"}
	}
	return s, nil
}

// webhookURL is a secret as a whole: what lets one write there stands in its
// path.
func webhookURL(s string) (Secret, error) {
	if s == "" {
		return "", nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return "", mismatch{want: "an http:// or https:// URL"}
	}
	return Secret(s), nil
}

// postgresURL accepts whatever pgx accepts. A certificate or a service file that
// cannot be read is left to the probe: it stops one pane, not the cockpit.
func postgresURL(s string) (Secret, error) {
	if s == "" {
		return "", nil
	}
	_, isURL := connectionURL(s)
	if strings.Contains(s, "://") && !isURL || !parsesAsPostgres(s) {
		return "", mismatch{want: "postgres://user@host:port/database or host=… user=… dbname=… " +
			"(percent-encode special characters in a URL; PG* variables count too)"}
	}
	return Secret(s), nil
}

func parsesAsPostgres(s string) bool {
	_, err := pgconn.ParseConfig(s)
	if err == nil {
		return true
	}
	// pgx has no other way to tell these; its text is never shown, since it may
	// hold the password.
	return strings.Contains(err.Error(), "failed to read service") || strings.Contains(err.Error(), "failed to configure TLS")
}

func redisURL(s string) (Secret, error) {
	if s == "" {
		return "", nil
	}
	if _, err := redis.ParseURL(s); err != nil {
		return "", mismatch{want: "redis://host:port/database, rediss:// for TLS, or unix://path (percent-encode special characters)"}
	}
	return Secret(s), nil
}

func selector(s string) (string, error) {
	if _, err := labels.Parse(s); err != nil {
		return "", mismatch{want: "a Kubernetes label selector such as app=erpgo-api", why: err.Error()}
	}
	return s, nil
}

func objectName(s string) (string, error) {
	if s != "" && len(validation.IsDNS1123Subdomain(s)) > 0 {
		return "", mismatch{want: "the name of a Kubernetes object"}
	}
	return s, nil
}

func namespace(s string) (string, error) {
	if s != "" && len(validation.IsDNS1123Label(s)) > 0 {
		return "", mismatch{want: "the name of a Kubernetes namespace"}
	}
	return s, nil
}

// promQL is as permissive as the most permissive server: whether a function is
// switched on is for the server to say.
var promQL = parser.NewParser(parser.Options{
	EnableExperimentalFunctions: true,
	EnableBinopFillModifiers:    true,
	EnableUnquotedUTF8Names:     true,
})

func expression(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	expr, err := promQL.ParseExpr(s)
	if err != nil {
		return "", mismatch{want: "a PromQL expression", why: err.Error()}
	}
	if t := expr.Type(); t != parser.ValueTypeVector && t != parser.ValueTypeScalar {
		return "", mismatch{want: "a PromQL expression", why: fmt.Sprintf("it yields a %s; a number at each moment is wanted", parser.DocumentedType(t))}
	}
	return s, nil
}

// signalQuery is an expression that must be there.
func signalQuery(s string) (string, error) {
	if s == "" {
		return "", mismatch{want: "a PromQL expression"}
	}
	return expression(s)
}

func loginPattern(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return "", mismatch{want: "a regular expression", why: strings.TrimPrefix(err.Error(), "error parsing regexp: ")}
	}
	for _, group := range []string{"ip", "user"} {
		if re.SubexpIndex(group) < 0 {
			return "", mismatch{want: "a regular expression with the groups (?P<ip>…) and (?P<user>…)", why: group + " is missing"}
		}
	}
	return s, nil
}

func loginQuery(s string) (string, error) {
	if s != "" && !strings.Contains(s, "$1") {
		return "", mismatch{want: "an SQL statement in which $1 is the start of the window"}
	}
	return s, nil
}

func signalName(s string) (string, error) {
	if !regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`).MatchString(s) {
		return "", mismatch{want: "a name of small letters, digits and underscores"}
	}
	return s, nil
}

func signalTitle(s string) (string, error) {
	if w := ansi.StringWidth(s); w > titleWidth {
		return "", mismatch{want: fmt.Sprintf("at most %d cells", titleWidth), why: fmt.Sprintf("it takes %d", w)}
	}
	return s, nil
}

func unit(s string) (Unit, error) {
	if u := Unit(s); slices.Contains(units, u) {
		return u, nil
	}
	names := make([]string, len(units))
	for i, u := range units {
		names[i] = string(u)
	}
	return "", mismatch{want: "one of " + strings.Join(names, ", ")}
}
