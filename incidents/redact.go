package incidents

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// shapes are those of secrets that gitleaks's rules, made for source code, do
// not look for, and that show up in what commands put out. The part to hide is
// the group named secret.
var shapes = sync.OnceValue(func() []*regexp.Regexp {
	var all []*regexp.Regexp
	for _, shape := range []string{
		`://[^\s:/@"']*:(?P<secret>[^\s@/"']+)@`, // postgres://user:password@host
		`(?i)\bauthorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+(?P<secret>[^\s"']+)`,
		`\b(?:mysql|mysqldump|mysqladmin|mariadb)\b[^\n|;]*?\s-p(?P<secret>[^\s"']+)`,
		`\bredis-cli\b[^\n|;]*?\s(?:-a|--pass)\s+(?P<secret>\S+)`,
		`(?i)\s--?(?:password|passwd|secret|token|api-key)[ =](?P<secret>[^\s"']+)`,
		`(?i)(?:password|passwd|passphrase|secret|token|api_?key|access_?key)["']?\s*[=:]\s*"(?P<secret>[^"\n]+)"`,
		`(?i)(?:password|passwd|passphrase|secret|token|api_?key|access_?key)["']?\s*[=:]\s*'(?P<secret>[^'\n]+)'`,
		`(?i)(?:password|passwd|passphrase|secret|token|api_?key|access_?key)\s*[=:]\s*(?P<secret>[^\s"',;&]+)`,
		`-----BEGIN [A-Z ]*PRIVATE KEY-----(?P<secret>[^-]+)`, // its end may be cut off
	} {
		all = append(all, regexp.MustCompile(shape))
	}
	return all
})

// redact hides what looks like a secret, whoever knows it. What the cockpit
// itself knows to be one is the masker's.
func redact(text string) string {
	if strings.TrimSpace(text) == "" {
		return text
	}
	for _, shape := range shapes() {
		text = hideGroup(shape, text)
	}
	found := slices.DeleteFunc(leaks(text), func(secret string) bool { return secret == "" || strings.Contains(secret, Mask) })
	slices.SortFunc(found, func(a, b string) int { return len(b) - len(a) }) // one may be a part of another
	for _, secret := range found {
		text = strings.ReplaceAll(text, secret, Mask)
	}
	return text
}

// Redact hides in a text some secrets that are known, and what looks like one.
func Redact(text string, secrets ...string) string { return redact(newMasker(secrets...).text(text)) }

// hideGroup masks the group named secret of every match.
func hideGroup(shape *regexp.Regexp, text string) string {
	group := 2 * shape.SubexpIndex("secret")
	var out strings.Builder
	end := 0
	for _, match := range shape.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(text[end:match[group]])
		out.WriteString(Mask)
		end = match[group+1]
	}
	if end == 0 {
		return text
	}
	out.WriteString(text[end:])
	return out.String()
}
