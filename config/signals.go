package config

import (
	"fmt"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// signals reads the list of signals, which replaces the default one as a whole.
func (l *loader) signals(name, list *yaml.Node) {
	if isNull(list) {
		return
	}
	if list.Kind != yaml.SequenceNode {
		l.fail(l.where(name, "signals"), "expected a list, got "+kind(list))
		return
	}
	if len(list.Content) > maxSignals {
		l.fail(l.where(name, "signals"), fmt.Sprintf("expected at most %d, got %d: each is a query at every interval", maxSignals, len(list.Content)))
		return
	}
	l.sources.byKey["signals"] = l.at(name)
	l.cfg.Signals = make([]Signal, 0, len(list.Content))
	firsts := map[string]int{} // name → line
	for i, n := range list.Content {
		s := l.signal("signals["+strconv.Itoa(i)+"]", follow(n), firsts)
		l.cfg.Signals = append(l.cfg.Signals, s)
	}
}

// signal reads one signal and checks what its settings are to each other.
func (l *loader) signal(path string, n *yaml.Node, firsts map[string]int) Signal {
	s := Signal{Unit: UnitNone}
	sec := section{key: path, settings: signalSchema(&s)}
	if isNull(n) {
		l.fail(l.where(n, path), "expected a signal, got nothing")
		return s
	}
	lines := l.mapping(n, path, settingKeys(sec.settings), func(key string, name, value *yaml.Node) bool {
		return l.setting(sec, key, name, value)
	})
	if n.Kind != yaml.MappingNode {
		return s
	}
	at := func(key string) string {
		return l.file + ":" + strconv.Itoa(lines[key]) + ": " + path + "." + key
	}
	if lines["name"] == 0 {
		l.fail(l.where(n, path+".name"), "missing: expected a name of small letters, digits and underscores")
	}
	if lines["query"] == 0 {
		l.fail(l.where(n, path+".query"), "missing: expected a PromQL expression")
	}
	if first, taken := firsts[s.Name]; taken && s.Name != "" {
		l.fail(at("name"), fmt.Sprintf("expected a name of its own; %s is taken on line %d", s.Name, first))
	}
	firsts[s.Name] = lines["name"]
	if s.Warn != 0 && s.Critical != 0 {
		if !s.Below && s.Critical < s.Warn {
			l.fail(at("critical"), fmt.Sprintf("expected at least warn (%v), got %v", s.Warn, s.Critical))
		}
		if s.Below && s.Critical > s.Warn {
			l.fail(at("critical"), fmt.Sprintf("expected at most warn (%v), got %v: below is set", s.Warn, s.Critical))
		}
	}
	if s.Title == "" {
		title, err := signalTitle(strings.ReplaceAll(s.Name, "_", " "))
		if err != nil && lines["title"] == 0 {
			l.fail(l.where(n, path+".title"), "missing, and the name is too long for one: "+err.Error())
		}
		s.Title = title
	}
	return s
}
