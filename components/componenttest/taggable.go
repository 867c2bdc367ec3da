package componenttest

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// Taggable reports whether AWS keeps tags of a type. It reads the list that the
// rules have of the provider's types, for a test in a folder of components.
func Taggable(t testing.TB, typ string) bool {
	t.Helper()
	list, err := os.ReadFile("../../policies/taggable.txt")
	if err != nil {
		t.Fatalf("which types have tags: %v", err)
	}
	return slices.Contains(strings.Fields(string(list)), typ)
}
