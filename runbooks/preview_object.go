package runbooks

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// object is a Kubernetes object as JSON gives it, whatever its kind.
type object map[string]any

// decodeObjects reads one object, several after one another, or a List.
func decodeObjects(data []byte) ([]object, error) {
	var out []object
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	for decoder.More() {
		var o object
		if err := decoder.Decode(&o); err != nil {
			return nil, fmt.Errorf("read what kubectl answered: %w", err)
		}
		items, isList := o["items"].([]any)
		if !isList {
			out = append(out, o)
			continue
		}
		for _, item := range items {
			if one, ok := item.(map[string]any); ok {
				out = append(out, one)
			}
		}
	}
	return out, nil
}

// at is what stands at a path of fields; nil where there is nothing.
func (o object) at(path ...string) any {
	var v any = map[string]any(o)
	for _, field := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[field]
	}
	return v
}

func (o object) text(path ...string) string {
	s, _ := o.at(path...).(string)
	return s
}

// number is a whole number, and whether there is one.
func (o object) number(path ...string) (int, bool) {
	n, ok := o.at(path...).(float64)
	return int(n), ok
}

func (o object) list(path ...string) []object {
	items, _ := o.at(path...).([]any)
	var out []object
	for _, item := range items {
		if m, ok := item.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}

// name is "Deployment erpgo-api".
func (o object) name() string { return o.text("kind") + " " + o.text("metadata", "name") }

// controller is the object that makes this one again when it is gone.
func (o object) controller() (kind, name string) {
	for _, owner := range o.list("metadata", "ownerReferences") {
		if is, _ := owner["controller"].(bool); is {
			return owner.text("kind"), owner.text("name")
		}
	}
	return "", ""
}

// replicas is how many pods are asked for.
func (o object) replicas() int {
	n, _ := o.number("spec", "replicas")
	return n
}

// serves is a Service's selector as kubectl takes it: "app=erpgo-api,tier=web".
// It is empty for anything else.
func (o object) serves() string {
	if o.text("kind") != "Service" {
		return ""
	}
	selector := asMap(o.at("spec", "selector"))
	var terms []string
	for _, label := range sortedKeys(selector) {
		terms = append(terms, label+"="+fmt.Sprint(selector[label]))
	}
	return strings.Join(terms, ",")
}

// fact is one thing to know of an object: "image of api" and its value.
type fact struct{ what, value string }

// facts are the things that operators change: replicas, images, variables and
// limits.
func (o object) facts() []fact {
	var out []fact
	if n, ok := o.number("spec", "replicas"); ok {
		out = append(out, fact{"replicas", fmt.Sprint(n)})
	}
	for _, c := range o.list("spec", "template", "spec", "containers") {
		name := c.text("name")
		out = append(out, fact{"image of " + name, c.text("image")})
		for _, e := range c.list("env") {
			value := e.text("value")
			if from := e.at("valueFrom"); from != nil {
				value = "from " + compact(from)
			}
			out = append(out, fact{e.text("name"), value})
		}
		for _, kind := range []string{"requests", "limits"} {
			amounts, _ := c.at("resources", kind).(map[string]any)
			for _, resource := range sortedKeys(amounts) {
				out = append(out, fact{resource + " " + strings.TrimSuffix(kind, "s") + " of " + name, fmt.Sprint(amounts[resource])})
			}
		}
	}
	if selector := o.serves(); selector != "" {
		out = append(out, fact{"serves pods with", selector})
	}
	if unschedulable, ok := o.at("spec", "unschedulable").(bool); ok {
		out = append(out, fact{"unschedulable", fmt.Sprint(unschedulable)})
	}
	return out
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func compact(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return string(b)
}

// compareFacts lists what differs, now and after, side by side.
func compareFacts(before, after object) (now, then []string) {
	old, next := before.facts(), after.facts()
	value := func(list []fact, what string) (string, bool) {
		i := slices.IndexFunc(list, func(f fact) bool { return f.what == what })
		if i < 0 {
			return "not set", false
		}
		return list[i].value, true
	}
	add := func(what, a, b string) {
		now, then = append(now, what+": "+a), append(then, what+": "+b)
	}
	for _, f := range old {
		if v, _ := value(next, f.what); v != f.value {
			add(f.what, f.value, v)
		}
	}
	for _, f := range next {
		if _, known := value(old, f.what); !known {
			add(f.what, "not set", f.value)
		}
	}
	return now, then
}

// lines is what a person reads of an object: YAML without what the server alone
// writes. Values of a Secret are told apart and not shown.
func (o object) lines() []string {
	shown := map[string]any{}
	for field, v := range o {
		switch field {
		case "status", "apiVersion", "kind":
		case "metadata":
			meta := map[string]any{}
			for _, kept := range []string{"labels", "annotations", "finalizers"} {
				if m := o.at("metadata", kept); m != nil {
					meta[kept] = m
				}
			}
			if annotations, ok := meta["annotations"].(map[string]any); ok {
				meta["annotations"] = without(annotations, "kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision")
			}
			shown["metadata"] = meta
		case "data", "stringData":
			shown[field] = v
			if values, ok := v.(map[string]any); ok && o.text("kind") == "Secret" {
				shown[field] = fingerprints(values)
			}
		default:
			shown[field] = v
		}
	}
	var b strings.Builder
	encoder := yaml.NewEncoder(&b)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(shown), encoder.Close()); err != nil {
		return nil
	}
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
}

func without(m map[string]any, keys ...string) map[string]any {
	out := map[string]any{}
	for k, v := range m {
		if !slices.Contains(keys, k) {
			out[k] = v
		}
	}
	return out
}

// fingerprintKey is this process's own, so that nobody can try passwords
// against a fingerprint that was copied from a screen.
var fingerprintKey = []byte(rand.Text())

// fingerprints stand for the values of a Secret: equal ones look alike.
func fingerprints(values map[string]any) map[string]any {
	out := map[string]any{}
	for k, v := range values {
		sum := hmac.New(sha256.New, fingerprintKey)
		fmt.Fprint(sum, v)
		out[k] = masked + " " + hex.EncodeToString(sum.Sum(nil)[:4])
	}
	return out
}
