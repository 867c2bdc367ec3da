package stacks_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

const (
	management  = "100000000001"
	provisioner = "arn:aws:iam::" + management + ":role/freehold-provisioner"
)

func common(l plan.Layer) plan.Common {
	return plan.Common{Org: "acme", Region: "eu-central-1", Protected: true, Tags: map[string]string{
		"freehold.dev/org": "acme", "freehold.dev/layer": string(l), "freehold.dev/managed-by": "freehold", "team": "blue",
	}}
}

func accountIn() stacks.AccountIn {
	return stacks.AccountIn{
		Plan: plan.Account{
			Common: common(plan.LayerAccount), Vended: true, Name: "acme", Email: "aws+acme@example.com",
			OrganizationalUnit: "ou-abcd-12345678", AccessRoleName: "OrganizationAccountAccessRole",
			ServicePolicyName: "freehold-acme-service", ResourcePolicy: "freehold-acme-resource",
			BoundaryName: "freehold-acme-boundary", RolePrefix: "freehold-acme-",
		},
		ManagementAccountID: management,
		ProvisionerARN:      provisioner,
	}
}

// runLayer runs a layer's program as the engine does: by its configuration.
func runLayer(t *testing.T, l plan.Layer, in any, opts ...componenttest.Option) *componenttest.Recorder {
	t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	opts = append(opts, componenttest.Stack(plan.StackName("acme", l)), componenttest.Config(stacks.ConfigKey, string(text)))
	return componenttest.Record(t, stacks.Program(l), opts...)
}

func TestTheAccountLayersInventory(t *testing.T) {
	r := runLayer(t, plan.LayerAccount, accountIn())
	componenttest.Golden(t, "account.json", r.Resources)

	out, err := stacks.Decode[stacks.AccountOut](r.Exports)
	want := stacks.AccountOut{AccountID: componenttest.Account, AccessRoleARN: "arn:aws:iam::" + componenttest.Account + ":role/OrganizationAccountAccessRole"}
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Errorf("Out: error %v (-want +got):\n%s", err, diff)
	}
}

func TestTheAccountLayerMakesNothingInAnAccountThatTheCustomerBrings(t *testing.T) {
	in := accountIn()
	in.Plan.Vended, in.Plan.RoleARN, in.Plan.ExternalID = false, "arn:aws:iam::444455556666:role/freehold", "e-1"
	r := runLayer(t, plan.LayerAccount, in)
	componenttest.Golden(t, "account-existing.json", r.Resources)

	out, err := stacks.Decode[stacks.AccountOut](r.Exports)
	want := stacks.AccountOut{AccountID: "444455556666", AccessRoleARN: "arn:aws:iam::444455556666:role/freehold", ExternalID: "e-1"}
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Errorf("Out: error %v (-want +got):\n%s", err, diff)
	}
}
