package config

import (
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// Show writes the settings in force and where each came from, as a table or,
// with asJSON, as an object with file and settings, each of which has key,
// value and from. Secrets are dots; of a connection string only the password is
// hidden, where it is certain which part that is.
func Show(w io.Writer, cfg Config, sources Sources, asJSON bool) error {
	rows := effective(cfg, sources)
	if asJSON {
		enc := json.NewEncoder(w)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			File     string `json:"file"`
			Settings []row  `json:"settings"`
		}{sources.File, rows})
	}
	read := "no configuration file was read"
	if sources.File != "" {
		read = "read from " + printable(sources.File)
	}
	tab := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(tab, "# %s\n", read)
	for _, r := range rows {
		fmt.Fprintf(tab, "%s\t%s\t%s\n", printable(r.Key), printable(r.short(sources.File)), r.text())
	}
	return tab.Flush() // tells what any write failed of
}

// row is one setting in force.
type row struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
	From  string `json:"from"`
}

func effective(cfg Config, sources Sources) []row {
	var rows []row
	for _, sec := range schema(&cfg) {
		for _, s := range sec.settings {
			key := sec.path(s.key)
			rows = append(rows, row{key, shown(key, s.get()), sources.From(key)})
		}
	}
	for _, p := range pairSchema(&cfg) {
		rows = append(rows, p.rows(sources)...)
	}
	for i := range cfg.Signals {
		path := "signals[" + strconv.Itoa(i) + "]"
		for _, s := range signalSchema(&cfg.Signals[i]) {
			if v := s.get(); !reflect.ValueOf(v).IsZero() {
				key := path + "." + s.key
				rows = append(rows, row{key, v, sources.From(key)})
			}
		}
	}
	return rows
}

// shown is a value as it may be seen.
func shown(key string, v any) any {
	switch v := v.(type) {
	case Secret:
		if connectionStrings[key] {
			return redact(v)
		}
		return v.String()
	case time.Duration:
		return brief(v)
	case []string:
		if v == nil {
			return []string{}
		}
	}
	return v
}

// short is where the value came from, with the file's name instead of its path:
// the path stands above the table.
func (r row) short(file string) string {
	if file == "" {
		return r.From
	}
	return strings.Replace(r.From, file+":", filepath.Base(file)+":", 1)
}

func (r row) text() string {
	s := fmt.Sprint(r.Value)
	if list, ok := r.Value.([]string); ok {
		s = strings.Join(list, ", ")
	}
	if none, ok := r.Value.(map[string]string); ok && len(none) == 0 {
		s = ""
	}
	if s == "" {
		return "–"
	}
	return printable(s)
}

// printable quotes a text that holds what a terminal could act on.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}
