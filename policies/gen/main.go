// Command gen writes what is generated from the rules and for them:
// docs/policies.md, and the list of AWS types that have tags.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"freehold.dev/freehold/policies"
)

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write writes the files, seen from the folder policies.
func write(dir string) error {
	types, err := taggableTypes()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "taggable.txt"), []byte(types), 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "..", "docs", "policies.md"), []byte(page(policies.All())), 0o644)
}
