package runbooks

import (
	"net/url"
	"path"
	"slices"
	"sort"
	"strings"
	"unicode"
)

// Alert is what is known of an alert when its runbook is looked for.
type Alert struct {
	Name       string // of the alerting rule
	RunbookURL string // its annotation runbook_url
}

// MatchKind is why a runbook belongs to an alert.
type MatchKind string

// The reasons, the strongest first.
const (
	MatchURL       MatchKind = "runbook_url"     // the alert's annotation points at it
	MatchReference MatchKind = "quick reference" // a book's table does
	MatchName      MatchKind = "alert name"      // it names the alert
	MatchMapping   MatchKind = "mapping"         // the configuration says so
	MatchNone      MatchKind = ""
)

// Match is the runbook that belongs to an alert.
type Match struct {
	Runbook   *Runbook // whole; nil where nothing is certain
	How       MatchKind
	Versions  []*Runbook // other runbooks for the same alert, as Library.All gives them
	Suggested []*Runbook // where nothing is certain: those with the nearest names, as Library.All gives them; to be offered and never assumed
}

// ForAlert finds the runbook that belongs to an alert: by its runbook_url, then
// by what the books say themselves, then by the mapping.
func (l *Library) ForAlert(a Alert) Match {
	ix := l.index.Load()
	var m Match
	named := ix.byAlert[a.Name]
	if rb := ix.byURL(a); rb != nil {
		m.Runbook, m.How = rb, MatchURL
	} else if rb := ix.byReference(a.Name); rb != nil {
		m.Runbook, m.How = rb, MatchReference
	} else if len(named) > 0 {
		m.Runbook, m.How = named[0], MatchName
	} else if rb := ix.byName[ix.mapping[a.Name]]; rb != nil {
		m.Runbook, m.How = rb, MatchMapping
	} else {
		m.Suggested = ix.nearest(a.Name)
		return m
	}
	for _, rb := range named {
		if rb != m.Runbook {
			m.Versions = append(m.Versions, rb)
		}
	}
	m.Runbook = ix.read(m.Runbook)
	return m
}

// byURL finds what an alert's annotation points at: an anchor, a file, or a
// path whose last part is the name of one.
func (ix *index) byURL(a Alert) *Runbook {
	u, err := url.Parse(strings.TrimSpace(a.RunbookURL))
	if err != nil || a.RunbookURL == "" {
		return nil
	}
	target := strings.Trim(path.Clean("/"+u.Path), "/")
	books := ix.nearestFiles(target)
	if u.Fragment != "" {
		for _, b := range books {
			if rb := ix.atAnchor(b, u.Fragment); rb != nil {
				return rb
			}
		}
		for _, text := range ix.texts {
			if rb := ix.atAnchor(text.heads, u.Fragment); rb != nil {
				return rb
			}
		}
		return nil
	}
	name := stem(target)
	for _, b := range books {
		switch of := ix.of[b]; {
		case len(of) == 1:
			return of[0]
		case len(of) > 1:
			for _, rb := range of {
				if rb.Alert == a.Name {
					return rb
				}
			}
		}
	}
	for _, rb := range ix.all {
		if name != "" && (rb.Name == name || strings.EqualFold(rb.Alert, name)) {
			return rb
		}
	}
	return nil
}

// stem is a path's last part without its extension, as it stands in URLs that
// sites make of Markdown files.
func stem(p string) string {
	base := path.Base(p)
	if base == "." || base == "/" {
		return ""
	}
	if isMarkdown(base) || strings.HasSuffix(base, ".html") {
		base = strings.TrimSuffix(base, path.Ext(base))
	}
	return strings.ToLower(base)
}

// nearestFiles are the books whose file has the path's last part as its name,
// those that share more of the path first.
func (ix *index) nearestFiles(target string) []*Book {
	name := stem(target)
	if name == "" {
		return nil
	}
	want := strings.Split(strings.ToLower(target), "/")
	var found []*Book
	shared := map[*Book]int{}
	for _, text := range ix.texts {
		b := text.heads
		file := strings.ToLower(strings.ReplaceAll(b.File, `\`, "/"))
		if stem(file) != name {
			continue
		}
		have := strings.Split(file, "/")
		for n := 2; n <= len(have) && n <= len(want) && have[len(have)-n] == want[len(want)-n]; n++ {
			shared[b] = n
		}
		found = append(found, b)
	}
	sort.SliceStable(found, func(i, j int) bool { return shared[found[i]] > shared[found[j]] })
	return found
}

// atAnchor is the runbook of a book in which the heading with the anchor stands.
func (ix *index) atAnchor(b *Book, anchor string) *Runbook {
	line, ok := b.Anchors[strings.ToLower(anchor)]
	if !ok {
		return nil
	}
	for _, rb := range ix.of[b] {
		if rb.Line <= line && line <= rb.EndLine {
			return rb
		}
	}
	return nil
}

// byReference finds what a book's quick-reference table points at.
func (ix *index) byReference(alert string) *Runbook {
	for _, text := range ix.texts {
		b := text.heads
		for _, ref := range b.References {
			if ref.Alert != alert || alert == "" {
				continue
			}
			file, anchor, _ := strings.Cut(ref.URL, "#")
			if file == "" {
				if rb := ix.atAnchor(b, anchor); rb != nil {
					return rb
				}
				continue
			}
			if rb := ix.byURL(Alert{Name: alert, RunbookURL: ref.URL}); rb != nil {
				return rb
			}
		}
	}
	return nil
}

const (
	maxSuggestions = 3
	minSimilarity  = 0.3 // of the words of two names that both have
)

// nearest are the runbooks with the names most like the alert's.
func (ix *index) nearest(alert string) []*Runbook {
	want := nameWords(alert)
	score := map[*Runbook]float64{}
	var found []*Runbook
	for _, rb := range ix.all {
		s := max(similarity(want, nameWords(rb.Alert)), similarity(want, nameWords(rb.Title)))
		if s >= minSimilarity {
			score[rb] = s
			found = append(found, rb)
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return score[found[i]] > score[found[j]] })
	return found[:min(len(found), maxSuggestions)]
}

// nameWords are the words of HighErrorRate, high-error-rate, or "High Error
// Rate".
func nameWords(name string) []string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			r = ' '
		case unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	words := strings.Fields(b.String())
	slices.Sort(words)
	return slices.Compact(words)
}

// similarity is the share of two sets of words that is in both, 0 to 1.
func similarity(a, b []string) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	both := 0
	for _, w := range a {
		if slices.Contains(b, w) {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
