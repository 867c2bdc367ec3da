package policies

import (
	"testing"

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
		e := shows("a type that no customer's stack has", row.Type, object{})
		if v := ask(rules[row.Rule], e); v.Answer != Violated && !accountLayerTypes[row.Type] {
			t.Errorf("%s: %s is %s", row.Rule, row.Type, v.Answer)
		}
	}
}

// accountLayerTypes are what the account layer makes in the organization.
var accountLayerTypes = map[string]bool{
	"aws:organizations/account:Account": true, "aws:organizations/policy:Policy": true, "aws:organizations/policyAttachment:PolicyAttachment": true,
}
