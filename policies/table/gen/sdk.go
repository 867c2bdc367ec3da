package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

const awsSDK = "github.com/pulumi/pulumi-aws/sdk/v6"

// property is one input of a type that holds no others.
type property struct {
	path string
	kind string // text, switch, number, any; again for a part that begins again at start
	// start is the path at which the part begins that is there again.
	start string
}

// name is the property's own name.
func (p property) name() string { return p.path[strings.LastIndexByte(p.path, '.')+1:] }

// structs are the structs of a package of the SDK, by name, and their fields.
type structs map[string][]field

type field struct{ name, typ string }

// properties reads every type of the SDK, with its inputs, from its source. The SDK is
// generated: each resource has a file, with its constructor, and the arguments as a
// struct of plain values beside that of Pulumi's.
func properties() (map[string][]property, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", awsSDK).Output()
	if err != nil {
		return nil, fmt.Errorf("find the source of %s: %w", awsSDK, err)
	}
	root := filepath.Join(strings.TrimSpace(string(dir)), "go", "aws")
	packages := map[string]structs{}
	type resource struct{ pkg, args string }
	resources := map[string]resource{}
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		pkg := filepath.Dir(name)
		if packages[pkg] == nil {
			packages[pkg] = structs{}
		}
		args := packages[pkg].read(f)
		if typ := registers(f); strings.HasPrefix(typ, "aws:") { // the provider itself is judged by its arguments
			resources[typ] = resource{pkg, args}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	all := map[string][]property{}
	for typ, r := range resources {
		in := packages[r.pkg]
		if r.args == "" || in[r.args] == nil && !in.has(r.args) {
			return nil, fmt.Errorf("%s: its arguments were not found", typ)
		}
		all[typ] = in.leaves(r.args)
	}
	return all, nil
}

func (s structs) has(name string) bool { _, ok := s[name]; return ok }

// read adds the structs of a file, and returns the name of the one with a resource's
// arguments as plain values: "vpcArgs", where "VpcArgs" is Pulumi's.
func (s structs) read(f *ast.File) (args string) {
	for _, decl := range f.Decls {
		d, ok := decl.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range d.Specs {
			t, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			st, ok := t.Type.(*ast.StructType)
			if !ok {
				continue
			}
			name := t.Name.Name
			if strings.HasSuffix(name, "Args") && !t.Name.IsExported() {
				args = name
			}
			s[name] = []field{}
			for _, fl := range st.Fields.List {
				if fl.Tag == nil {
					continue
				}
				tag, _ := strconv.Unquote(fl.Tag.Value)
				if in := reflect.StructTag(tag).Get("pulumi"); in != "" {
					s[name] = append(s[name], field{in, written(fl.Type)})
				}
			}
		}
	}
	return args
}

// leaves are the properties below a struct.
func (s structs) leaves(name string) []property {
	var out []property
	var walk func(prefix, in string, above map[string]string)
	walk = func(prefix, in string, above map[string]string) {
		for _, f := range s[in] {
			path := prefix + f.name
			inner := strings.TrimLeft(f.typ, "*[]")
			for strings.HasPrefix(inner, "map[string]") {
				inner = strings.TrimLeft(strings.TrimPrefix(inner, "map[string]"), "*[]")
			}
			switch start, again := above[inner]; {
			case again:
				out = append(out, property{path: path, kind: "again", start: start})
			case s.has(inner) && len(s[inner]) == 0:
				out = append(out, property{path: path, kind: "empty"})
			case s.has(inner):
				below := map[string]string{inner: path}
				maps.Copy(below, above)
				walk(path+".", inner, below)
			default:
				out = append(out, property{path: path, kind: kind(inner)})
			}
		}
	}
	walk("", name, map[string]string{})
	slices.SortFunc(out, func(a, b property) int { return strings.Compare(a.path, b.path) })
	return out
}

func kind(typ string) string {
	switch typ {
	case "bool":
		return "switch"
	case "int", "float64":
		return "number"
	case "string":
		return "text"
	default:
		return "any" // also archives and assets
	}
}

func written(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + written(e.X)
	case *ast.ArrayType:
		return "[]" + written(e.Elt)
	case *ast.MapType:
		return "map[" + written(e.Key) + "]" + written(e.Value)
	case *ast.SelectorExpr:
		return written(e.X) + "." + e.Sel.Name
	default:
		return "any"
	}
}

// registers returns the type of which a file registers resources.
func registers(f *ast.File) (typ string) {
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 || typ != "" {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok || method.Sel.Name != "RegisterResource" {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok {
			typ, _ = strconv.Unquote(lit.Value)
		}
		return true
	})
	return typ
}
