package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A kill between the two writes of the CLI's file library leaves the second file
// empty. The state is whole, and the next run reads it.
func TestAStateIsReadWhateverAKillLeftBesideIt(t *testing.T) {
	shared := newShared(t)
	e := shared.machine(t)
	if _, err := e.Up(t.Context(), secretStack("one"), nil); err != nil {
		t.Fatal(err)
	}
	sidecars := func() (names []string) {
		for name := range files(t, shared.state()) {
			if strings.HasSuffix(name, ".attrs") {
				names = append(names, name)
			}
		}
		return names
	}
	if left := sidecars(); len(left) > 0 {
		t.Errorf("files that a kill can break are written: %v", left)
	}
	meta := filepath.Join(shared.state(), ".pulumi", "meta.yaml")
	for _, file := range []string{shared.file("acme.account"), shared.file("acme.account") + ".bak", meta} {
		if err := os.WriteFile(file+".attrs", nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	res, err := e.Up(t.Context(), secretStack("two"), nil)
	if err != nil {
		t.Fatalf("after the kill: %v", err)
	}
	if d := cmp.Diff("two", res.Outputs["in"]); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if left := sidecars(); len(left) > 0 {
		t.Errorf("they are left: %v", left)
	}
}
