// Command genschema writes the JSON schema of a data plane's document from the
// types of package spec, their comments and their facets. It runs in the folder
// of package spec, by go generate.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/spec"
)

// quantity is text in a document.
var quantity = reflect.TypeFor[v1alpha1.Quantity]()

const packagePath = "freehold.dev/freehold/internal/spec"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: genschema FILE")
		os.Exit(1)
	}
	schema, err := generate()
	if err == nil {
		err = os.WriteFile(os.Args[1], schema, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "genschema:", err)
		os.Exit(1)
	}
}

// generate returns the schema. The working directory is the folder of package spec.
func generate() ([]byte, error) {
	r := &jsonschema.Reflector{
		RequiredFromJSONSchemaTags: true, // facets say what is required
		ExpandedStruct:             true,
		BaseSchemaID:               "https://freehold.dev/schema",
		Mapper: func(t reflect.Type) *jsonschema.Schema {
			if t == quantity {
				return &jsonschema.Schema{Type: "string"}
			}
			return nil
		},
	}
	for _, folder := range []string{".", "../api/v1alpha1"} {
		if err := r.AddGoComments(packagePath, folder, jsonschema.WithFullComment()); err != nil {
			return nil, fmt.Errorf("read the types' comments: %w", err)
		}
	}
	for name, text := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(text), " ")
	}
	schema := r.Reflect(spec.Spec{})
	schema.ID = "https://freehold.dev/schema/dataplane.schema.json"
	schema.Title = "Freehold data plane"
	g := &generator{schema: schema, facets: spec.Facets(), used: map[string]bool{}}
	g.object(reflect.TypeFor[spec.Spec](), "")
	for path := range g.facets {
		if !g.used[path] {
			return nil, fmt.Errorf("facet %q belongs to no field", path)
		}
	}
	g.conditions()

	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(schema); err != nil {
		return nil, fmt.Errorf("encode schema: %w", err)
	}
	return out.Bytes(), nil
}

type generator struct {
	schema *jsonschema.Schema
	facets map[string]spec.Facet
	used   map[string]bool
}

// definition returns the schema of a struct: the root's own or one of $defs.
func (g *generator) definition(t reflect.Type) *jsonschema.Schema {
	if d, ok := g.schema.Definitions[t.Name()]; ok {
		return d
	}
	return g.schema
}

func (g *generator) object(t reflect.Type, path string) {
	definition := g.definition(t)
	definition.AdditionalProperties = jsonschema.FalseSchema
	for _, field := range spec.Fields(t) {
		name := spec.FieldName(field)
		property, _ := definition.Properties.Get(name)
		g.field(field.Type, property, strings.TrimPrefix(path+"."+name, "."))
		if g.facets[strings.TrimPrefix(path+"."+name, ".")].Required {
			definition.Required = append(definition.Required, name)
		}
	}
}

func (g *generator) field(t reflect.Type, property *jsonschema.Schema, path string) {
	g.apply(property, path)
	switch {
	case t == quantity:
	case t.Kind() == reflect.Struct:
		g.object(t, path)
	case t.Kind() == reflect.Slice:
		g.field(t.Elem(), property.Items, path+"[]")
	case t.Kind() == reflect.Map:
		g.field(t.Elem(), property.AdditionalProperties, path+"[]")
	}
}

func (g *generator) apply(s *jsonschema.Schema, path string) {
	f, ok := g.facets[path]
	if !ok {
		return
	}
	g.used[path] = true
	for _, v := range f.Enum {
		s.Enum = append(s.Enum, v)
	}
	for _, v := range f.Values {
		s.Enum = append(s.Enum, v)
	}
	s.Pattern = f.Pattern
	s.MinLength, s.MaxLength = count(f.MinLength), count(f.MaxLength)
	if f.Min != 0 || f.Max != 0 {
		s.Minimum, s.Maximum = json.Number(strconv.Itoa(f.Min)), json.Number(strconv.Itoa(f.Max))
	}
	if s.Type == "object" {
		s.MinProperties, s.MaxProperties = count(f.MinItems), count(f.MaxItems)
	} else {
		s.MinItems, s.MaxItems = count(f.MinItems), count(f.MaxItems)
	}
	s.Default = f.Default
}

func count(n int) *uint64 {
	if n == 0 {
		return nil
	}
	u := uint64(n)
	return &u
}

// conditions adds the rules between fields that a schema can say, so that an
// editor shows them while the document is written.
func (g *generator) conditions() {
	one := func(name string, value any) *jsonschema.Schema {
		p := jsonschema.NewProperties()
		p.Set(name, &jsonschema.Schema{Const: value})
		return &jsonschema.Schema{Properties: p, Required: []string{name}}
	}
	none := func(names ...string) *jsonschema.Schema {
		var given []*jsonschema.Schema
		for _, n := range names {
			given = append(given, &jsonschema.Schema{Required: []string{n}})
		}
		return &jsonschema.Schema{AnyOf: given}
	}
	account := g.schema.Definitions["Account"]
	account.If = one("mode", string(spec.AccountExisting))
	account.Then = &jsonschema.Schema{Required: []string{"roleArn", "externalId"}, Not: none("email", "organizationalUnit")}
	account.Else = &jsonschema.Schema{Required: []string{"email"}, Not: none("roleArn", "externalId")}

	endpoint := g.schema.Definitions["Endpoint"]
	endpoint.If = one("access", string(spec.EndpointPublic))
	endpoint.Then = &jsonschema.Schema{Required: []string{"allow"}}

	g.schema.Definitions["Member"].OneOf = []*jsonschema.Schema{{Required: []string{"group"}}, {Required: []string{"user"}}}
}
