package conformance_test

import (
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to mark what a killed run leaves

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/conformance/lab"
	"freehold.dev/freehold/internal/event"
)

// forgotten leaves the customer's states as a run would that was killed after
// it had made everything and before it could record what nothing else hangs
// on: the next run must take all of it over, by the ids that the genuine
// provider reads it by, and make nothing.
func (c *customer) forgotten(l *lab.Lab) {
	t := c.t
	t.Helper()
	account := c.made.DataPlane.AccountID
	c.killed(account, l.Front.Count(account)+20)
	var lost int
	for _, layer := range []string{"account", "boundary", "cluster"} {
		// One kill leaves one layer unclean; this stands for one in each.
		c.unclean(l, layer)
		lost += forget(t, l.Dir("home", "aws", "state", ".pulumi", "stacks", "freehold", c.org+"."+layer+".json"))
	}
	if lost < 30 {
		t.Errorf("only %d resources were forgotten", lost)
	}
	r := c.want(0, "onboard", "-f", c.spec, "-o", "json")
	if n := strings.Count(r.stderr, "and could not record it: taken over"); n != lost {
		t.Errorf("%d of %d resources were taken over:\n%s", n, lost, r.stderr)
	}
	if made := decode[event.Onboarding](t, r); len(made.Unmanaged) > 0 {
		t.Errorf("something was made twice: %+v", made.Unmanaged)
	}
}

// unclean marks a layer in the registry as a killed run leaves it.
func (c *customer) unclean(l *lab.Lab, layer string) {
	c.t.Helper()
	db, err := sql.Open("sqlite", "file:"+l.Dir("home", "aws", "registry.db")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	done, err := db.ExecContext(c.t.Context(), `update layers set unclean = 1 where org = ? and layer = ?`, c.org, layer)
	if err != nil {
		c.t.Fatal(err)
	}
	if n, err := done.RowsAffected(); n != 1 || err != nil {
		c.t.Fatalf("layer %s of %s is recorded %d times, %v", layer, c.org, n, err)
	}
}

// forget takes out of a state the resources that no other one there needs, and
// returns how many they are.
func forget(t *testing.T, file string) (lost int) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatalf("%s: %v", filepath.Base(file), err)
	}
	latest := state["checkpoint"].(map[string]any)["latest"].(map[string]any)
	resources := latest["resources"].([]any)
	needed := map[any]bool{}
	for _, r := range resources {
		r := r.(map[string]any)
		needed[r["parent"]] = true
		dependencies, _ := r["dependencies"].([]any)
		for _, d := range dependencies {
			needed[d] = true
		}
	}
	var kept []any
	for _, r := range resources {
		r := r.(map[string]any)
		// What nobody looks for is made again: its creation overwrites what is there.
		row, known := awstype.Of(r["type"].(string))
		if r["custom"] == true && !needed[r["urn"]] && !strings.HasPrefix(r["type"].(string), "pulumi:") && !(known && row.Find == "" && row.Overwrites) {
			lost++
			continue
		}
		kept = append(kept, r)
	}
	latest["resources"] = kept
	if text, err = json.Marshal(state); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return lost
}
