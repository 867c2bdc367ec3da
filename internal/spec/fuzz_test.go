package spec_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"freehold.dev/freehold/internal/spec"
)

// FuzzParse holds that no input panics, that whatever is refused is refused
// with its places, and that a valid Spec is complete: written and read again,
// it is the same.
func FuzzParse(f *testing.F) {
	examples, _ := filepath.Glob("../../docs/examples/*.yaml")
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	archives, _ := filepath.Glob("testdata/bad/*.txtar")
	for _, path := range archives {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for i := 0; i < len(archive.Files); i += 2 {
			f.Add(string(archive.Files[i].Data))
		}
	}
	f.Fuzz(func(t *testing.T, document string) {
		s, err := spec.Parse("fuzz.yaml", strings.NewReader(document))
		if err != nil {
			var mistakes spec.Mistakes
			if !errors.As(err, &mistakes) || len(mistakes) == 0 {
				t.Fatalf("error is %v; want Mistakes", err)
			}
			for _, m := range mistakes {
				if m.Line < 1 || m.Column < 1 || m.Problem == "" {
					t.Errorf("a mistake without its place: %+v", m)
				}
			}
			return
		}
		if diff := cmp.Diff(s, again(t, s)); diff != "" {
			t.Errorf("written and read again (-before +after):\n%s", diff)
		}
		if _, err := s.Network.Layout(); err != nil {
			t.Errorf("a valid network has no layout: %v", err)
		}
	})
}
