package policies_test

import (
	"fmt"

	"freehold.dev/freehold/policies"
)

// A role of acme's is asked whether it trusts nobody but acme. The organization
// is no fence between customers, as both of them are in it.
func Example() {
	role := policies.Resource{
		Type: "aws:iam/role:Role", Name: "reports",
		Properties: map[string]any{"assumeRolePolicy": `{"Version": "2012-10-17", "Statement": {
			"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*",
			"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}
		}}`},
	}
	scope := policies.Scope{Org: "acme", Layer: "cluster", AccountID: "210987654321"}
	for _, rule := range policies.All() {
		if rule.ID != "FH301" {
			continue
		}
		verdict := rule.Check(role, scope)
		fmt.Println(verdict.Answer)
		for _, f := range verdict.Findings {
			fmt.Printf("%s: %s\n", f.Path, f.Message)
		}
	}
	// Output:
	// violated
	// assumeRolePolicy: the role can be assumed by everybody in the organization, and every other customer is in it
}
