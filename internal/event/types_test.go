package event_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
)

// The list is compared with the source: a type that is missing could not be selected.
func TestTypesAreAllThatAreDeclared(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "event.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var declared []event.Type
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := v.Type.(*ast.Ident); ok && typ.Name == "Type" {
			text, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			declared = append(declared, event.Type(text))
		}
		return true
	})
	if d := cmp.Diff(declared, event.Types()); d != "" {
		t.Errorf("types (-declared +listed):\n%s", d)
	}
}

func TestASelection(t *testing.T) {
	for name, c := range map[string]struct {
		typed []string
		wants []event.Type // nil: it is refused
	}{
		"of a type":                    {[]string{"layer.failed"}, []event.Type{event.LayerFailed}},
		"of the first word":            {[]string{"layer"}, []event.Type{event.LayerStarted, event.LayerFinished, event.LayerFailed}},
		"with CloudEvents' prefix":     {[]string{"dev.freehold.waiting"}, []event.Type{event.Waiting}},
		"of several":                   {[]string{"waiting", "diagnostic"}, []event.Type{event.Diagnostic, event.Waiting}},
		"of a word that has no type":   {[]string{"waiting", "lay"}, nil},
		"of nothing":                   {[]string{""}, nil},
		"of a pattern":                 {[]string{"*"}, nil},
		"of a type with more after":    {[]string{"layer.failed.again"}, nil},
		"of a word that ends in a dot": {[]string{"layer."}, nil},
		"of two types in one entry":    {[]string{"waiting diagnostic"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := event.ParseSelection(c.typed)
			if (err != nil) != (c.wants == nil) {
				t.Fatalf("%v", err)
			}
			var wants []event.Type
			for _, typ := range event.Types() {
				if s.Wants(typ) {
					wants = append(wants, typ)
				}
			}
			if d := cmp.Diff(c.wants, wants); d != "" {
				t.Error(d)
			}
		})
	}
	if d := cmp.Diff(event.Selection{"operation.succeeded", "operation.failed", "operation.blocked", "operation.pending"}, event.Terminal()); d != "" {
		t.Errorf("terminal (-want +got):\n%s", d)
	}
}
