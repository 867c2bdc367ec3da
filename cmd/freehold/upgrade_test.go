package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAClusterIsUpgradedInPlaceAndKeepsItsProjects(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	version := func(v string) string { return h.spec("acme", `cluster: {version: "`+v+`"}`, twoProjects) }

	r := h.want(4, "onboard", "-f", version("1.36"))
	for _, s := range []string{`cluster.version "1.36"`, "1.32 to 1.35", "next: "} {
		if !strings.Contains(r.stderr, s) {
			t.Errorf("it does not say %q:\n%s", s, r.stderr)
		}
	}
	if n := h.journal(); n > 0 {
		t.Fatalf("%d calls changed the cloud before the version was refused", n)
	}

	h.want(0, "onboard", "-f", version("1.34"))
	kubeconfig := filepath.Join(h.dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(h.want(0, "kubeconfig", "acme").stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	// runs is the version whose behaviour the API server has.
	runs := func() string {
		var v struct{ EmulationMajor, EmulationMinor string }
		if err := json.Unmarshal([]byte(kubectl(t, kubeconfig, "get", "--raw", "/version")), &v); err != nil {
			t.Fatal(err)
		}
		return v.EmulationMajor + "." + v.EmulationMinor
	}
	projects := func() string {
		return kubectl(t, kubeconfig, "get", "projects.freehold.dev", "-o", `jsonpath={range .items[*]}{.metadata.name} {.metadata.uid}{"\n"}{end}`)
	}
	before := projects()
	if got := runs(); got != "1.34" || strings.Count(before, "\n") != 2 {
		t.Fatalf("onboarded with %s and projects\n%s", got, before)
	}

	back := h.want(4, "plan", "-f", version("1.33"))
	for _, s := range []string{`cluster.version cannot go from "1.34" back to "1.33"`, `next: set cluster.version: "1.34"`} {
		if !strings.Contains(back.stderr, s) {
			t.Errorf("a downgrade: it does not say %q:\n%s", s, back.stderr)
		}
	}

	offline := h.want(4, "plan", "--offline", "-f", version("1.33"))
	if !strings.Contains(offline.stderr, `cluster.version cannot go from "1.34" back to "1.33"`) || offline.stdout != "" {
		t.Errorf("a downgrade, without the cloud:\n%s%s", offline.stdout, offline.stderr)
	}

	first := h.journal()
	h.want(0, "onboard", "-f", version("1.35"))
	if d := cmp.Diff("UpdateClusterVersion, UpdateAddon, UpdateNodegroupVersion", h.upgrades(first)); d != "" {
		t.Errorf("EKS was asked for (-want +got):\n%s", d)
	}
	if got := runs(); got != "1.35" {
		t.Errorf("after the upgrade it runs %s", got)
	}
	if d := cmp.Diff(before, projects()); d != "" {
		t.Errorf("projects (-before +after the upgrade):\n%s", d)
	}
	t.Run("a control plane that a kill left behind follows at its next start", func(t *testing.T) {
		h.want(0, "sandbox", "stop", "acme")
		records, err := filepath.Glob(filepath.Join(h.dir, "sandbox", "cloud", "clusters", "*", "*", "*", "cluster.json"))
		if err != nil || len(records) != 1 {
			t.Fatalf("records of clusters: %v, %v", records, err)
		}
		record, err := os.ReadFile(records[0])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(records[0], []byte(strings.Replace(string(record), `"1.35"`, `"1.34"`, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := runs(); got != "1.35" {
			t.Errorf("it runs %s", got)
		}
	})
	h.want(4, "onboard", "-f", version("1.36"))
	h.want(4, "plan", "-f", version("1.36"))
	h.want(0, "drift", "acme")
}

// upgrades are the kinds of EKS's upgrades since a call of the journal, in order.
func (h home) upgrades(after int) string {
	h.t.Helper()
	rows, err := h.sandbox().QueryContext(h.t.Context(),
		`select action from journal where seq > ? and action in ('UpdateClusterVersion', 'UpdateAddon', 'UpdateNodegroupVersion') order by seq`, after)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	var kinds []string
	for rows.Next() {
		var kind string
		if err := rows.Scan(&kind); err != nil {
			h.t.Fatal(err)
		}
		kinds = append(kinds, kind)
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return strings.Join(slices.Compact(kinds), ", ")
}
