// Command gen writes what is generated from the rules, docs/policies.md.
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
	return os.WriteFile(filepath.Join(dir, "..", "docs", "policies.md"), []byte(page(policies.All())), 0o644)
}
