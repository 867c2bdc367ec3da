package policies

import (
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/table"
)

func TestEveryForbiddenTypeIsRefusedByItsRule(t *testing.T) {
	rules := map[string]Rule{}
	for _, r := range All() {
		rules[r.ID] = r
	}
	for _, row := range table.All() {
		if row.State != table.Forbidden {
			continue
		}
		// In the account layer an account and its policies are made; nowhere else.
		e := example.Shows("a type that no customer's stack has", row.Type, object{})
		if v := ask(rules[row.Rule], e); v.Answer != Violated && !accountLayerTypes[row.Type] {
			t.Errorf("%s: %s is %s", row.Rule, row.Type, v.Answer)
		}
	}
}

// accountLayerTypes are what the account layer makes in the organization.
var accountLayerTypes = map[string]bool{
	"aws:organizations/account:Account": true, "aws:organizations/policy:Policy": true, "aws:organizations/policyAttachment:PolicyAttachment": true,
}

// Whatever holds something by which a resource can be shared is judged by a rule.
func TestEveryColumnIsJudgedARule(t *testing.T) {
	free := []table.Column{table.Plain, table.Number, table.Output}
	columns := []table.Column{
		table.Policy, table.Identity, table.Trust, table.Principal, table.Account, table.Organization, table.Reference, table.ID, table.Image,
		table.Bucket, table.Service, table.Public, table.Network, table.Address, table.Key, table.Secret, table.Tags, table.Code,
		table.Number, table.Output, table.Plain,
	}
	for _, row := range table.All() {
		for _, c := range row.Columns() {
			if !slices.Contains(columns, c) {
				t.Fatalf("%s has the column %q, which this test does not know", row.Type, c)
			}
		}
	}
	for _, c := range columns {
		if _, ok := judgedBy[c]; ok == slices.Contains(free, c) {
			t.Errorf("column %s: has a rule %t", c, ok)
		}
	}
}

func TestEachRowsWaysOfSharingAreRefusedAndTheOrgsOwnPass(t *testing.T) {
	rules := map[string]Rule{}
	for _, r := range All() {
		rules[r.ID] = r
	}
	all := TableExamples()
	if len(all) < 4000 {
		t.Errorf("%d examples, want 4,000 at least", len(all))
	}
	for _, e := range all {
		refused := false
		var findings []Finding
		for _, id := range e.Rules {
			v := ask(rules[id], e.Example)
			if v.Answer != Violated {
				continue
			}
			for _, f := range v.Findings { // a good example lacks what else its rule asks for
				if refused = refused || e.Bad || f.Path == e.Path || strings.HasPrefix(f.Path, e.Path+"["); refused {
					findings = append(findings, f)
				}
			}
		}
		if refused != e.Bad {
			t.Errorf("%s: %s: its rules %v refuse it: %t %v", e.Resource.Type, e.Name, e.Rules, refused, findings)
		}
	}
}
