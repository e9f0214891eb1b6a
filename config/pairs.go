package config

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Pair is an entry of a mapping whose keys are names and not settings.
type Pair struct {
	Name  string
	Value string
}

// pairs is such a mapping.
type pairs struct {
	key     string
	doc     string
	name    string // what its keys are
	value   string // what its values are
	example string
	list    *[]Pair
	refuse  func(name string) string // why a name may not be there, empty where it may; nil for any
}

// pairSchema lists the mappings of c, in the order of the file.
func pairSchema(c *Config) []pairs {
	return []pairs{
		{
			key: "alert_runbooks", list: &c.AlertRunbooks, example: "HighErrorRate: high-error-rate",
			name: "the name of an alerting rule", value: "the name of a runbook, as flightdeck runbook list prints it",
			doc: "The runbook of an alert that neither its annotation runbook_url nor a book names:\nalert to runbook, by the name that \"flightdeck runbook list\" prints.",
		},
		{
			key: "values", list: &c.Values, example: "DB_USER: erpgo", refuse: secretValue,
			name: "the name of a placeholder or a variable", value: "its value",
			doc: "Values of placeholders and shell variables of runbooks that are always the same here,\nsuch as DB_USER: erpgo. A secret is typed when it is asked for.",
		},
	}
}

const (
	maxPairs    = 1000
	maxPairName = 200 // bytes
)

var (
	// toldName is a name that is no secret on the wrong line.
	toldName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_ -]*$`)
	secretNames = regexp.MustCompile(`(?i)(passw(or)?d|passphrase|secret|token|api[_-]?key|private[_-]?key|credential)`)
)

func secretValue(name string) string {
	if secretNames.MatchString(name) {
		return "it may be a secret, which is typed when it is asked for"
	}
	return ""
}

// pairs reads a mapping.
func (l *loader) pairs(p pairs, name, n *yaml.Node) {
	if isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		l.fail(l.where(name, p.key), fmt.Sprintf("expected names and values, such as %s, got %s", p.example, kind(n)))
		return
	}
	if entries := len(n.Content) / 2; entries > maxPairs {
		l.fail(l.where(name, p.key), fmt.Sprintf("expected at most %d entries, got %d", maxPairs, entries))
		return
	}
	l.sources.byKey[p.key] = l.at(name)
	*p.list = nil
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		l.pair(p, follow(n.Content[i]), follow(n.Content[i+1]), lines)
	}
}

// pair reads one entry; lines are those of the names so far.
func (l *loader) pair(p pairs, key, value *yaml.Node, lines map[string]int) {
	name := key.Value
	if key.Kind != yaml.ScalarNode || name == "" || len(name) > maxPairName || key.Tag == "!!merge" {
		l.fail(l.where(key, p.key), "expected "+p.name)
		return
	}
	told := p.key
	if toldName.MatchString(name) {
		told += "." + name
	}
	if p.refuse != nil && p.refuse(name) != "" {
		l.fail(l.where(key, told), p.refuse(name))
		return
	}
	line, twice := lines[name]
	switch {
	case twice:
		l.fail(l.where(key, told), "set twice; first on line "+strconv.Itoa(line))
	case value.Kind != yaml.ScalarNode:
		l.fail(l.where(key, told), "expected "+p.value+", got "+kind(value))
	case isNull(value) || value.Value == "":
		l.fail(l.where(key, told), "expected "+p.value+", got nothing")
	default:
		*p.list = append(*p.list, Pair{name, value.Value})
		l.sources.byKey[p.key+"."+name] = l.at(key)
	}
	if !twice {
		lines[name] = key.Line
	}
}

// rows are the mapping's entries in force.
func (p pairs) rows(sources Sources) []row {
	if len(*p.list) == 0 {
		return []row{{p.key, map[string]string{}, sources.From(p.key)}}
	}
	var rows []row
	for _, entry := range *p.list {
		key := p.key + "." + entry.Name
		rows = append(rows, row{key, entry.Value, sources.From(key)})
	}
	return rows
}

// render writes the mapping as the file has it.
func (p pairs) render(b *bytes.Buffer, mark string) {
	b.WriteString("\n# " + strings.ReplaceAll(p.doc, "\n", "\n# ") + "\n")
	if len(*p.list) == 0 {
		fmt.Fprintf(b, "%s%s: {}\n", mark, p.key)
		return
	}
	fmt.Fprintf(b, "%s%s:\n", mark, p.key)
	for _, entry := range *p.list {
		fmt.Fprintf(b, "%s  %s: %s\n", mark, inline(entry.Name), inline(entry.Value))
	}
}
