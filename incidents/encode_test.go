package incidents

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestEveryFactSurvivesEncoding(t *testing.T) {
	for _, fact := range append(everyFact(), Unrecognised{Kind: "written by a newer version", Body: []byte(`{"x":1}`)}) {
		kind, body, err := encode(fact)
		if err != nil {
			t.Fatal(err)
		}
		got, err := decode(kind, body)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(fact, got); diff != "" {
			t.Errorf("%s: %s", kind, diff)
		}
	}
}

// A type with a kind method that decode does not know would be written and
// never be read back.
func TestEveryFactIsKnown(t *testing.T) {
	files, err := filepath.Glob("facts_*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	known := map[string]bool{"Unrecognised": true}
	for _, kind := range facts {
		known[kind.Name()] = true
	}
	tested := map[string]bool{"Unrecognised": true}
	for _, fact := range everyFact() {
		kind := fact.kind()
		tested[facts[kind].Name()] = true
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			f, ok := n.(*ast.FuncDecl)
			if ok && f.Recv != nil && f.Name.Name == "kind" {
				name := f.Recv.List[0].Type.(*ast.Ident).Name
				if !known[name] || !tested[name] {
					t.Errorf("fact %s: known to decode %v, in everyFact %v", name, known[name], tested[name])
				}
			}
			return true
		})
	}
}

func TestHashCoversEveryField(t *testing.T) {
	base := record{seq: 7, incident: "INC-1", at: 5, actor: ann, kind: "note", body: []byte("{}")}
	for name, other := range map[string]record{
		"seq":      {seq: 8, incident: "INC-1", at: 5, actor: ann, kind: "note", body: []byte("{}")},
		"incident": {seq: 7, incident: "INC-2", at: 5, actor: ann, kind: "note", body: []byte("{}")},
		"time":     {seq: 7, incident: "INC-1", at: 6, actor: ann, kind: "note", body: []byte("{}")},
		"actor":    {seq: 7, incident: "INC-1", at: 5, actor: bob, kind: "note", body: []byte("{}")},
		"host":     {seq: 7, incident: "INC-1", at: 5, actor: Actor{Name: "ann"}, kind: "note", body: []byte("{}")},
		"kind":     {seq: 7, incident: "INC-1", at: 5, actor: ann, kind: "ticked", body: []byte("{}")},
		"body":     {seq: 7, incident: "INC-1", at: 5, actor: ann, kind: "note", body: []byte("{ }")},
		"prev":     {seq: 7, incident: "INC-1", at: 5, actor: ann, kind: "note", body: []byte("{}"), prev: Hash{1}},
		"shifted":  {seq: 7, incident: "INC-1", at: 5, actor: ann, kind: "note{", body: []byte("}")},
	} {
		if other.hash() == base.hash() {
			t.Errorf("%s: another record has the same hash", name)
		}
	}
}
