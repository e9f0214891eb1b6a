package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxFile   = 1 << 20 // bytes of a configuration
	maxSecret = 64 << 10
)

// readFile reads l.file. A problem with its content is kept in l.errs; what is
// returned is a failure to read it at all.
func (l *loader) readFile() error {
	data, mode, err := read(l.file, maxFile)
	if err != nil {
		return err
	}
	l.decode(data)
	if l.secret != "" && exposed(mode) {
		l.fail(l.file, fmt.Sprintf("holds a secret (%s) and can be read by group or others (mode %04o); run: chmod 600 %s", l.secret, mode.Perm(), l.file))
	}
	return nil
}

// read returns a file's content and its mode, both of the file that was opened
// and not of what its name may mean a moment later.
func read(path string, most int64) ([]byte, fs.FileMode, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s: expected at most %d KiB", path, most>>10)
	}
	return data, info.Mode(), err
}

// exposed tells whether others than the owner can read a file. Windows has no
// such bits.
func exposed(mode fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.IsRegular() && mode.Perm()&0o044 != 0
}

// decode reads YAML node by node, so that every complaint has its line.
func (l *loader) decode(data []byte) {
	documents := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := documents.Decode(&document); {
	case errors.Is(err, io.EOF):
		return // nothing but comments
	case err != nil:
		l.fail(l.syntaxError(err, data), "not YAML from here on: "+syntaxProblem(err))
		return
	}
	if err := documents.Decode(&second); !errors.Is(err, io.EOF) {
		l.fail(l.file, "expected one YAML document, got more")
		return
	}
	top := follow(document.Content[0])
	if isNull(top) {
		return
	}
	keys := []string{"signals"}
	for _, p := range pairSchema(l.cfg) {
		keys = append(keys, p.key)
	}
	for _, sec := range l.schema {
		keys = append(keys, sec.keys()...)
	}
	l.mapping(top, "", keys, func(key string, name, value *yaml.Node) bool {
		if key == "signals" {
			l.signals(name, value)
			return true
		}
		for _, p := range pairSchema(l.cfg) {
			if p.key == key {
				l.pairs(p, name, value)
				return true
			}
		}
		for _, sec := range l.schema {
			if sec.key == "" && l.setting(sec, key, name, value) {
				return true
			}
			if sec.key == key && key != "" {
				l.section(sec, value)
				return true
			}
		}
		return false
	})
}

// keys are what may stand where the section does: its own key, or, for the top
// level, its settings'.
func (sec section) keys() []string {
	if sec.key != "" {
		return []string{sec.key}
	}
	return settingKeys(sec.settings)
}

func settingKeys(settings []setting) []string {
	var keys []string
	for _, s := range settings {
		keys = append(keys, s.key)
		if s.isSecret() {
			keys = append(keys, s.key+"_file")
		}
	}
	return keys
}

func (l *loader) section(sec section, n *yaml.Node) {
	l.mapping(n, sec.key, settingKeys(sec.settings), func(key string, name, value *yaml.Node) bool {
		return l.setting(sec, key, name, value)
	})
}

// mapping visits each pair of n; visit tells whether it knows the key. It
// returns the lines of the keys that have a value.
func (l *loader) mapping(n *yaml.Node, path string, known []string, visit func(key string, name, value *yaml.Node) bool) map[string]int {
	if isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		l.fail(l.where(n, path), "expected keys and values, got "+kind(n)+"; known keys: "+strings.Join(known, ", "))
		return nil
	}
	seen, lines := map[string]int{}, map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, value := follow(n.Content[i]), follow(n.Content[i+1])
		key := name.Value
		full := strings.TrimPrefix(path+"."+key, ".")
		switch line, twice := seen[key]; {
		case name.Kind != yaml.ScalarNode || !keyShape.MatchString(key):
			// It is not told: it may be a secret on the wrong line.
			l.fail(l.where(name, path), "expected a key, one of "+strings.Join(known, ", "))
			continue
		case twice:
			l.fail(l.where(name, full), fmt.Sprintf("set twice; first on line %d", line))
			continue
		case !visit(key, name, value):
			l.fail(l.where(name, full), "unknown key"+l.suggestion(key, path, known))
		}
		seen[key] = name.Line
		if !isNull(value) {
			lines[key] = name.Line
		}
	}
	return lines
}

var keyShape = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,39}$`)

// suggestion names the key that was meant: one of the same place with nearly
// the same letters, or one of the same name elsewhere.
func (l *loader) suggestion(key, path string, known []string) string {
	if meant := nearest(key, known); meant != "" {
		return fmt.Sprintf("; did you mean %s?", meant)
	}
	var elsewhere []string
	l.each(func(sec section, full string, s setting) {
		if s.key == key && sec.key != path {
			elsewhere = append(elsewhere, full)
		}
	})
	if len(elsewhere) > 0 {
		return "; did you mean " + strings.Join(elsewhere, " or ") + "?"
	}
	return "; known keys: " + strings.Join(known, ", ")
}

// setting sets one setting of a section; it is false where the section has no
// such key.
func (l *loader) setting(sec section, key string, name, value *yaml.Node) bool {
	if s := sec.setting(key); s.key != "" {
		l.set(s, sec.path(key), name, value)
		return true
	}
	base, isFile := strings.CutSuffix(key, "_file")
	if s := sec.setting(base); isFile && s.key != "" && s.isSecret() {
		l.secretFile(s, sec.path(base), name, value)
		return true
	}
	return false
}

// set sets a setting from its node. A key without a value keeps its default.
func (l *loader) set(s setting, path string, name, value *yaml.Node) {
	if isNull(value) {
		return
	}
	nodes := []*yaml.Node{value}
	if s.list != nil {
		if value.Kind != yaml.SequenceNode {
			l.fail(l.where(name, path), "expected a list, got "+kind(value))
			return
		}
		nodes = value.Content
	}
	texts := make([]string, 0, len(nodes))
	for _, n := range nodes {
		n = follow(n)
		if n.Kind != yaml.ScalarNode {
			l.fail(l.where(n, path), "expected a single value, got "+kind(n))
			return
		}
		text := n.Value
		if s.resolve != nil {
			text = s.resolve(l.base, text)
		}
		texts = append(texts, text)
	}
	if l.put(s, path, l.at(name), l.where(name, path), texts...) && s.isSecret() {
		l.noteSecret(path, name.Line, texts[0])
	}
}

// noteSecret remembers that the file holds a secret. A connection string may
// hold none.
func (l *loader) noteSecret(path string, line int, text string) {
	public := connectionStrings[path] && !holdsPassword(text)
	if l.secret == "" && text != "" && !public {
		l.secret = fmt.Sprintf("line %d: %s", line, path)
	}
}

// secretFile sets a secret from the file that the key with _file names.
func (l *loader) secretFile(s setting, path string, name, value *yaml.Node) {
	if isNull(value) {
		return
	}
	if value.Kind != yaml.ScalarNode {
		l.fail(l.where(name, path+"_file"), "expected a file, got "+kind(value))
		return
	}
	if from, set := l.sources.byKey[path]; set {
		l.fail(l.where(name, path+"_file"), "set beside "+path+" ("+from+"); keep one")
		return
	}
	file := onePath(l.base, value.Value)
	data, mode, err := read(file, maxSecret)
	text := strings.TrimRight(string(data), "\r\n")
	switch {
	case err != nil:
		l.fail(l.where(name, path+"_file"), err.Error())
	case exposed(mode):
		l.fail(l.where(name, path+"_file"), fmt.Sprintf("%s holds a secret and can be read by group or others (mode %04o); run: chmod 600 %s", file, mode.Perm(), file))
	case text == "":
		l.fail(l.where(name, path+"_file"), file+" is empty")
	default:
		l.put(s, path, l.at(name)+", from "+file, l.where(name, path+"_file"), text)
	}
}

// at is where a node stands, and where is that and its key.
func (l *loader) at(n *yaml.Node) string { return l.file + ":" + strconv.Itoa(n.Line) }

func (l *loader) where(n *yaml.Node, key string) string {
	if key == "" {
		return l.at(n)
	}
	return l.at(n) + ": " + key
}

// follow returns what an alias stands for.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kind names a node without telling its value.
func kind(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	}
	return "a single value"
}

var (
	yamlLine      = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '(.*)' referenced`)
)

// syntaxError is where the YAML parser stopped. It tells no line for the first
// one, nor for an alias of an anchor that there is not.
func (l *loader) syntaxError(err error, data []byte) string {
	line := "1"
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil && m[1] != "" {
		line = m[1]
	} else if m := unknownAnchor.FindStringSubmatch(err.Error()); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		line = strconv.Itoa(1 + bytes.Count(before, []byte("\n")))
	}
	return l.file + ":" + line
}

// syntaxProblem is what the YAML parser says, but for the cases in which it
// quotes the file: what it quotes may be a secret.
func syntaxProblem(err error) string {
	m := yamlLine.FindStringSubmatch(err.Error())
	switch {
	case m == nil || strings.Contains(m[2], "cannot decode"):
		return "it cannot be read"
	case strings.Contains(m[2], "unknown anchor"):
		return "a value that begins with * must be quoted"
	case strings.Contains(m[2], "cannot start any token"):
		return "indent with spaces and not with tabs, and quote a value that begins with @, % or `"
	}
	return m[2]
}
