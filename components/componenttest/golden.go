package componenttest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// update is the flag of every test binary that imports this package; such a
// package does not declare one of its own.
var update = flag.Bool("update", false, "rewrite golden files")

// Golden compares the inventory of resources with a file under testdata, and
// rewrites the file when the test runs with -update. Inputs that are JSON
// objects in a string, such as policies, are written out, so that a change of
// one statement is a change of a few lines.
func Golden(t testing.TB, file string, resources []Resource) {
	t.Helper()
	lines := make([]line, len(resources))
	for i, r := range resources {
		lines[i] = line{
			Type: r.Type, Name: r.Name, Parent: r.Parent, Provider: r.Provider, Providers: r.Providers,
			DependsOn: r.DependsOn, Protect: r.Protect, RetainOnDelete: r.RetainOnDelete,
			DeleteBeforeReplace: r.DeleteBeforeReplace, IgnoreChanges: r.IgnoreChanges,
			Timeouts: r.Timeouts, Inputs: opened(r.Inputs).(map[string]any),
		}
	}
	var got bytes.Buffer
	enc := json.NewEncoder(&got)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(lines); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	path := filepath.Join("testdata", file)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (run the test with -update to write it)", err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s differs (-want +got); run the test with -update if the change is meant:\n%s", file, diff)
	}
}

// line is a resource as golden files show it.
type line struct {
	Type                string            `json:"type"`
	Name                string            `json:"name"`
	Parent              string            `json:"parent,omitempty"`
	Provider            string            `json:"provider,omitempty"`
	Providers           map[string]string `json:"providers,omitempty"`
	DependsOn           []string          `json:"dependsOn,omitempty"`
	Protect             bool              `json:"protect,omitempty"`
	RetainOnDelete      bool              `json:"retainOnDelete,omitempty"`
	DeleteBeforeReplace bool              `json:"deleteBeforeReplace,omitempty"`
	IgnoreChanges       []string          `json:"ignoreChanges,omitempty"`
	Timeouts            map[string]string `json:"timeouts,omitempty"`
	Inputs              map[string]any    `json:"inputs,omitempty"`
}

// opened replaces strings that hold a JSON object by {"(json)": the object}.
func opened(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			m[k] = opened(e)
		}
		return m
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = opened(e)
		}
		return list
	case string:
		var object map[string]any
		if json.Unmarshal([]byte(v), &object) != nil || object == nil {
			return v
		}
		return map[string]any{"(json)": object}
	default:
		return v
	}
}
