package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Init writes a file in which every setting stands with its default and a
// comment, and in which none is set. The folder is made where it is missing;
// both are for the owner alone. An existing file is never overwritten.
func Init(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make the configuration folder: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and is not overwritten; edit it, or name another with --config", path)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.Write(render(Default(), "#"))
	if err = errors.Join(err, f.Close()); err != nil {
		// Half a file would be read as a whole one at the next start.
		return errors.Join(fmt.Errorf("write the configuration: %w", err), os.Remove(path))
	}
	return nil
}

const heading = `# What flightdeck watches, and how it gets there.
#
# A # without a space behind it hides a setting with its default: remove the # to
# change it. An environment variable counts more than this file,
# a flag more than both; "flightdeck config show" tells what is in force and why.
# Paths are relative to this file. With a secret in it, nobody else may read it.
`

// render writes a file that sets what cfg holds, every setting behind mark.
func render(cfg Config, mark string) []byte {
	var b bytes.Buffer
	b.WriteString(heading)
	for _, sec := range schema(&cfg) {
		b.WriteString("\n")
		indent := ""
		if sec.key != "" {
			fmt.Fprintf(&b, "# %s\n%s:\n", sec.doc, sec.key)
			indent = "  "
		}
		for _, s := range sec.settings {
			comment(&b, indent, s.explain())
			fmt.Fprintf(&b, "%s%s%s: %s\n", indent, mark, s.key, inline(s.get()))
		}
	}
	for _, p := range pairSchema(&cfg) {
		p.render(&b, mark)
	}
	renderSignals(&b, cfg.Signals, mark)
	return b.Bytes()
}

func renderSignals(b *bytes.Buffer, signals []Signal, mark string) {
	b.WriteString("\n# The numbers under the header, the first five on the home screen. This list replaces\n" +
		"# the default one as a whole. A window of [1m] wants a scrape at least every 15 s.\n")
	for _, s := range signalSchema(new(Signal)) {
		fmt.Fprintf(b, "# %-9s %s\n", s.key, s.doc)
	}
	if len(signals) == 0 {
		fmt.Fprintf(b, "%ssignals: []\n", mark)
		return
	}
	fmt.Fprintf(b, "%ssignals:\n", mark)
	for i := range signals {
		lead := "- "
		for _, s := range signalSchema(&signals[i]) {
			if v := s.get(); lead == "- " || !reflect.ValueOf(v).IsZero() {
				fmt.Fprintf(b, "%s%s%s: %s\n", mark, lead, s.key, inline(v))
				lead = "  "
			}
		}
	}
}

// explain is the setting's comment, with the other ways to set it.
func (s setting) explain() string {
	text := s.doc
	var ways []string
	if s.env != "" {
		ways = append(ways, s.env)
	}
	if s.flag != "" {
		ways = append(ways, "--"+s.flag)
	}
	if len(ways) > 0 {
		text += "\nAlso " + strings.Join(ways, " and ") + "."
	}
	if s.isSecret() {
		text += "\nInstead, " + s.key + "_file may name a file that holds it and that only you can read."
	}
	return text
}

func comment(b *bytes.Buffer, indent, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(b, "%s# %s\n", indent, line)
	}
}

// inline writes a value in one line of YAML.
func inline(v any) string {
	switch value := v.(type) {
	case time.Duration:
		v = brief(value)
	case []string:
		v = &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: scalars(value)}
	case string:
		// Escapes keep a text of several lines in one.
		if strings.ContainsAny(value, "\n\r") {
			v = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle, Value: value}
		}
	}
	text, err := yaml.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("config: a %T cannot be written as YAML: %v", v, err)) // no setting has such a type
	}
	return strings.TrimSpace(string(text))
}

func scalars(texts []string) []*yaml.Node {
	nodes := make([]*yaml.Node, len(texts))
	for i, text := range texts {
		nodes[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	}
	return nodes
}
