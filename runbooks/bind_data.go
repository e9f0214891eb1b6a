package runbooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var jsonBare = regexp.MustCompile(`^(-?(0|[1-9][0-9]*)(\.[0-9]+)?|true|false)$`)

// encodeJSON encodes values inside JSON strings, and lets numbers and booleans
// stand outside of them. A text that is no JSON takes only harmless characters.
func encodeJSON(text string, holes []filling) (map[string]string, error) {
	texts := map[string]string{}
	probe := text
	for _, h := range holes {
		at := strings.Index(text, h.token)
		if insideJSONString(text[:at]) {
			encoded, err := json.Marshal(h.value)
			if err != nil {
				return nil, refuse(h.name, "it cannot be written as JSON")
			}
			texts[h.token] = plainJSON(string(encoded[1 : len(encoded)-1]))
			continue
		}
		if !jsonBare.MatchString(h.value) {
			return nil, refuse(h.name, "only a number, true or false may stand outside of quotes in JSON")
		}
		texts[h.token] = h.value
		probe = strings.ReplaceAll(probe, h.token, h.value)
	}
	var before, after any
	if json.Unmarshal([]byte(probe), &before) != nil {
		return encodeNarrow(holes)
	}
	if err := json.Unmarshal([]byte(fill(text, texts)), &after); err != nil {
		return nil, refuse("value", "it would break the JSON around it")
	}
	values := map[string]string{}
	for _, h := range holes {
		values[h.token] = h.value
	}
	if !reflect.DeepEqual(fillAll(before, values), after) {
		return nil, refuse("value", "it would change the JSON around it")
	}
	return texts, nil
}

// plainJSON undoes what encoding/json escapes for the sake of HTML.
func plainJSON(s string) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(s)
}

func insideJSONString(before string) bool {
	inside := false
	for i := 0; i < len(before); i++ {
		switch before[i] {
		case '\\':
			if inside {
				i++
			}
		case '"':
			inside = !inside
		}
	}
	return inside
}

// fillAll puts values in the places of tokens in every string of decoded JSON.
func fillAll(v any, values map[string]string) any {
	switch v := v.(type) {
	case string:
		return fill(v, values)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = fillAll(v[i], values)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k := range v {
			out[fill(k, values)] = fillAll(v[k], values)
		}
		return out
	}
	return v
}

func encodeNarrow(holes []filling) (map[string]string, error) {
	return wordContext{code: narrowCode}.encode("", holes, nil)
}

// encodeYAML encodes values inside YAML scalars, and makes sure that the
// documents have the same structure with them.
func encodeYAML(text string, holes []filling) (map[string]string, error) {
	for _, h := range holes {
		if strings.ContainsAny(h.value, "\n\r") {
			return nil, refuse(h.name, "a value with a line break cannot stand in YAML")
		}
	}
	before, err := yamlDocuments(text)
	if err != nil {
		return encodeNarrow(holes)
	}
	texts, values := map[string]string{}, map[string]string{}
	for _, h := range holes {
		texts[h.token], values[h.token] = h.value, h.value
	}
	for _, doc := range before {
		styleYAML(doc, holes, texts)
	}
	after, err := yamlDocuments(fill(text, texts))
	if err != nil || len(after) != len(before) {
		return nil, refuse("value", "it would break the YAML around it")
	}
	for i := range before {
		if !sameYAML(before[i], after[i], values) {
			return nil, refuse("value", "it would change the YAML around it; write quotes around the placeholder in the book")
		}
	}
	return texts, nil
}

func yamlDocuments(text string) ([]*yaml.Node, error) {
	var out []*yaml.Node
	d := yaml.NewDecoder(bytes.NewReader([]byte(text)))
	for {
		var n yaml.Node
		err := d.Decode(&n)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, &n)
	}
}

// styleYAML escapes values for the quotes of the scalar that they stand in.
func styleYAML(n *yaml.Node, holes []filling, texts map[string]string) {
	for _, h := range holes {
		if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, h.token) {
			continue
		}
		switch {
		case n.Style&yaml.DoubleQuotedStyle != 0:
			if b, err := json.Marshal(h.value); err == nil {
				texts[h.token] = plainJSON(string(b[1 : len(b)-1]))
			}
		case n.Style&yaml.SingleQuotedStyle != 0:
			texts[h.token] = strings.ReplaceAll(h.value, "'", "''")
		}
	}
	for _, c := range n.Content {
		styleYAML(c, holes, texts)
	}
}

// sameYAML tells whether two documents differ only by values in the places of
// tokens.
func sameYAML(before, after *yaml.Node, values map[string]string) bool {
	if before.Kind != after.Kind || len(before.Content) != len(after.Content) || before.Anchor != after.Anchor {
		return false
	}
	if before.Kind == yaml.ScalarNode {
		want := fill(before.Value, values)
		if after.Value != want || before.Style != after.Style {
			return false
		}
		if want == before.Value {
			return before.Tag == after.Tag
		}
		switch after.Tag {
		case "!!str", "!!int", "!!float", "!!bool":
		default:
			return false
		}
	}
	for i := range before.Content {
		if !sameYAML(before.Content[i], after.Content[i], values) {
			return false
		}
	}
	return true
}
