package stacks_test

import (
	"strings"
	"testing"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/stacks"
)

// The longest org gives the longest names, and policies are made of names.
func TestPoliciesOfTheLongestOrgFitAWSsLimits(t *testing.T) {
	org := strings.Repeat("o", 40)
	doc, err := spec.Parse("longest.yaml", strings.NewReader("apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: "+org+"\nregion: ap-southeast-1\naccount:\n  email: aws@example.com\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := plan.Build(doc)
	limits := map[string]map[string]int{
		"aws:organizations/policy:Policy":  {"content": iam.MaxServiceControl}, // of one kind; see below
		"aws:iam/policy:Policy":            {"policy": iam.MaxManaged},
		"aws:iam/role:Role":                {"assumeRolePolicy": iam.MaxTrust},
		"aws:iam/rolePolicy:RolePolicy":    {"policy": iam.MaxInline},
		"aws:s3/bucketPolicy:BucketPolicy": {"policy": iam.MaxBucket},
		"aws:kms/key:Key":                  {"policy": iam.MaxKey},
	}
	boundary := boundaryIn()
	boundary.Plan = p.Boundary
	runs := []*componenttest.Recorder{
		runLayer(t, plan.LayerAccount, stacks.AccountIn{Plan: p.Account, ManagementAccountID: management, ProvisionerARN: provisioner}),
		runLayer(t, plan.LayerBoundary, boundary),
	}
	seen := map[string]bool{}
	for _, r := range runs {
		for _, res := range r.Resources {
			for property, limit := range limits[res.Type] {
				seen[res.Type] = true
				if res.Inputs["type"] == "RESOURCE_CONTROL_POLICY" {
					limit = iam.MaxResourceControl
				}
				policy, _ := res.Inputs[property].(string)
				if len(policy) == 0 || len(policy) > limit {
					t.Errorf("%s %s: %s of %d characters, limit %d", res.Type, res.Name, property, len(policy), limit)
				}
			}
		}
	}
	for typ := range limits {
		if !seen[typ] {
			t.Errorf("no %s was made", typ)
		}
	}
}
