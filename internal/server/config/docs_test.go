package config

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the table of settings in docs/deploy/README.md")

const deployment = "../../../docs/deploy/"

// A setting is one row of the table.
type setting struct{ name, variable, fallback, meaning string }

// typeDocs are the doc comments of the package's types and of their fields, which
// are Type.Field. A field that shares the comment of the one before has the same.
func typeDocs(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "config.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		fields, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		text := ""
		for _, f := range fields.Fields.List {
			if f.Doc != nil {
				text = strings.Join(strings.Fields(f.Doc.Text()), " ")
			}
			for _, name := range f.Names {
				docs[spec.Name.Name+"."+name.Name] = text
			}
		}
		return true
	})
	return docs
}

// settings lists the type's fields as operators see them. defaults is what the
// shortest valid file is completed to.
func settings(docs map[string]string, defaults reflect.Value, name, variable string) []setting {
	var out []setting
	typ := defaults.Type()
	inFile := map[string]string{}
	for f := range typ.Fields() {
		inFile[f.Name] = f.Tag.Get("yaml")
	}
	for f := range typ.Fields() {
		value := defaults.FieldByIndex(f.Index)
		at := strings.TrimPrefix(name+"."+f.Tag.Get("yaml"), ".")
		if prefix, ok := f.Tag.Lookup("envPrefix"); ok {
			out = append(out, settings(docs, value, at, variable+prefix)...)
			continue
		}
		meaning, stated := docs[typ.Name()+"."+f.Name], ""
		if before, after, ok := strings.Cut(meaning, " Default"); ok {
			meaning, stated = before, strings.TrimSuffix(strings.TrimSpace(after[1:]), ".")
		}
		out = append(out, setting{at, variable + f.Tag.Get("env"), fallback(value, stated), named(meaning, inFile)})
	}
	return out
}

// fallback is the default that the code sets, or the one that the comment states
// where that says more.
func fallback(value reflect.Value, stated string) string {
	set := ""
	switch v := value.Interface().(type) {
	case []string:
		set = strings.Join(v, ", ")
	case time.Duration:
		set = v.String()
	default:
		if !value.IsZero() {
			set = strings.ReplaceAll(fmt.Sprint(v), "freehold.example.com", "DOMAIN")
		}
	}
	switch {
	case set != "" && (stated == "" || strings.Contains(strings.ToUpper(stated), strings.ToUpper(set)) || strings.Contains(set, "DOMAIN")):
		return "`" + set + "`"
	case stated != "":
		return stated
	default:
		return "none"
	}
}

// named replaces the names of the type's fields by those of the file.
func named(text string, inFile map[string]string) string {
	return regexp.MustCompile(`\b[A-Z]\w*\b`).ReplaceAllStringFunc(text, func(word string) string {
		if name, ok := inFile[word]; ok {
			return "`" + name + "`"
		}
		return word
	})
}

// section is the part of a file between two comments.
func section(t *testing.T, file string) (before, between, after string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- settings, written by: go test ./internal/server/config -update -->\n\n", "\n<!-- end of the settings -->"
	before, rest, ok := strings.Cut(string(text), begin)
	between, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatalf("%s has no part between %q and %q", file, begin, end)
	}
	return before + begin, between, end + after
}

func TestTheTableOfSettingsIsThatOfTheType(t *testing.T) {
	defaults, err := load(t, "domain: freehold.example.com\n"+tlsFiles, nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults.Domain, defaults.TLS = "", TLS{}
	all := settings(typeDocs(t), reflect.ValueOf(defaults), "", Prefix)
	var table strings.Builder
	table.WriteString("| in the file | variable | default | meaning |\n|---|---|---|---|\n")
	var variables []string
	for _, s := range all {
		if s.meaning == "" || !unicode.IsUpper([]rune(strings.TrimLeft(s.meaning, "`"))[0]) && !strings.HasPrefix(s.meaning, "`") {
			t.Errorf("%s: its doc comment %q does not say what it means", s.name, s.meaning)
		}
		fmt.Fprintf(&table, "| `%s` | `%s` | %s | %s |\n", s.name, s.variable, s.fallback, s.meaning)
		variables = append(variables, s.variable)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(Variables())), slices.Sorted(slices.Values(variables))); diff != "" {
		t.Errorf("variables (-the server's +the table's):\n%s", diff)
	}
	file := deployment + "README.md"
	before, between, after := section(t, file)
	if *update {
		if err := os.WriteFile(file, []byte(before+table.String()+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(between, table.String()); diff != "" {
		t.Errorf("docs/deploy/README.md is not up to date; run with -update (-there +wanted):\n%s", diff)
	}
}

func TestTheExampleIsValidAndSaysWhatIsInIt(t *testing.T) {
	c, err := Load(Config{}, deployment+"freehold.yaml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.TLS.Certificate == "" || c.Operators.IssuerURL == "" || c.Domain != "freehold.example.com" || !c.Whole() {
		t.Errorf("%+v", c)
	}
	// What is commented out is valid as well, but for what excludes what is there.
	text, err := os.ReadFile(deployment + "freehold.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var whole strings.Builder
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "#:"); ok {
			line = rest
		}
		whole.WriteString(line)
	}
	if _, err := load(t, whole.String(), nil); err != nil {
		t.Errorf("with all lines that begin with #: it is not valid: %v", err)
	}
}
