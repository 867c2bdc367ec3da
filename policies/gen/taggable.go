package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const awsSDK = "github.com/pulumi/pulumi-aws/sdk/v6"

// taggableTypes reads from the source of Pulumi's AWS SDK which types have tags.
// The SDK is generated: each resource has a file with its New function and its
// Args in it.
func taggableTypes() (string, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", awsSDK).Output()
	if err != nil {
		return "", fmt.Errorf("find the source of %s: %w", awsSDK, err)
	}
	var types []string
	root := filepath.Join(strings.TrimSpace(string(dir)), "go", "aws")
	err = fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(name, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, name), nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		if typ := registers(f); typ != "" && hasTags(f) {
			types = append(types, typ)
		}
		return nil
	})
	slices.Sort(types)
	return strings.Join(slices.Compact(types), "\n") + "\n", err
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

// hasTags reports whether a resource's Args have tags.
func hasTags(f *ast.File) (found bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || !strings.HasSuffix(spec.Name.Name, "Args") || !spec.Name.IsExported() {
			return true
		}
		args, ok := spec.Type.(*ast.StructType)
		if !ok {
			return true
		}
		for _, field := range args.Fields.List {
			for _, name := range field.Names {
				found = found || name.Name == "Tags"
			}
		}
		return true
	})
	return found
}
