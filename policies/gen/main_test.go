package main

import (
	"os"
	"strings"
	"testing"

	"freehold.dev/freehold/policies"
)

func TestTheCommittedPageIsWhatTheRulesSay(t *testing.T) {
	const file = "../../docs/policies.md"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != page(policies.All()) {
		t.Errorf("%s is out of date: run go generate ./policies", file)
	}
}

// A reviewer must find every rule, every exception to "nothing is shared", and
// every group by its name.
func TestThePageNamesEveryRule(t *testing.T) {
	text := page(policies.All())
	for _, r := range policies.All() {
		if !strings.Contains(text, "\n#### "+r.ID+"\n") || !strings.Contains(text, r.Title) {
			t.Errorf("%s is not on the page", r.ID)
		}
		if groups[r.ID[2]] == "" {
			t.Errorf("%s is of no group", r.ID)
		}
	}
	for _, s := range policies.Shared() {
		if !strings.Contains(text, s.What) {
			t.Errorf("%s is not on the page", s.What)
		}
	}
}
