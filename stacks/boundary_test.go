package stacks_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

func boundaryIn() stacks.BoundaryIn {
	return stacks.BoundaryIn{
		Plan: plan.Boundary{
			Common: common(plan.LayerBoundary), BoundaryName: "freehold-acme-boundary", RolePrefix: "freehold-acme-",
			ProvisionRole: "freehold-acme-provision", ReadRole: "freehold-acme-read",
			BootstrapRole: "freehold-acme-bootstrap", OffboardRole: "freehold-acme-offboard",
			ExternalID: "freehold-acme", DataKeyAlias: "alias/freehold-acme-data", LogKeyAlias: "alias/freehold-acme-logs",
			LogBucket: "freehold-acme-logs-{account}", DataBucket: "freehold-acme-data-{account}",
			TrailName: "freehold-acme", AnalyzerName: "freehold-acme", ControllerRepository: "freehold-acme/namespace-controller",
			LogRetentionDays: 365,
		},
		ManagementAccountID: management,
		ProvisionerARN:      provisioner,
		Account: stacks.AccountOut{
			AccountID:     componenttest.Account,
			AccessRoleARN: "arn:aws:iam::" + componenttest.Account + ":role/OrganizationAccountAccessRole",
		},
	}
}

func TestTheBoundaryLayersInventory(t *testing.T) {
	r := runLayer(t, plan.LayerBoundary, boundaryIn())
	componenttest.Golden(t, "boundary.json", r.Resources)

	out, err := stacks.Decode[stacks.BoundaryOut](r.Exports)
	const account, regional = componenttest.Account, componenttest.Region + ":" + componenttest.Account
	want := stacks.BoundaryOut{
		BoundaryARN:          "arn:aws:iam::" + account + ":policy/freehold-acme-boundary",
		ProvisionRoleARN:     "arn:aws:iam::" + account + ":role/freehold-acme-provision",
		ReadRoleARN:          "arn:aws:iam::" + account + ":role/freehold-acme-read",
		BootstrapRoleARN:     "arn:aws:iam::" + account + ":role/freehold-acme-bootstrap",
		OffboardRoleARN:      "arn:aws:iam::" + account + ":role/freehold-acme-offboard",
		DataKeyARN:           "arn:aws:kms:" + regional + ":key/data-key-id",
		LogKeyARN:            "arn:aws:kms:" + regional + ":key/log-key-id",
		LogBucketARN:         "arn:aws:s3:::freehold-acme-logs-" + account,
		DataBucketARN:        "arn:aws:s3:::freehold-acme-data-" + account,
		TrailARN:             "arn:aws:cloudtrail:" + regional + ":trail/freehold-acme",
		AnalyzerARN:          "arn:aws:access-analyzer:" + regional + ":analyzer/freehold-acme",
		ControllerRepository: account + ".dkr.ecr." + componenttest.Region + ".amazonaws.com/freehold-acme/namespace-controller",
	}
	if diff := cmp.Diff(want, out); diff != "" || err != nil {
		t.Errorf("Out: error %v (-want +got):\n%s", err, diff)
	}
}

func TestTheBoundaryLayerActsAsTheAccessRoleOfItsAccountOnly(t *testing.T) {
	in := boundaryIn()
	plain := runLayer(t, plan.LayerBoundary, in).One(t, "pulumi:providers:aws", "org")
	in.Account.ExternalID = "e-1"
	withID := runLayer(t, plan.LayerBoundary, in).One(t, "pulumi:providers:aws", "org")

	role := map[string]any{"roleArn": in.Account.AccessRoleARN, "sessionName": "freehold-acme-boundary"}
	roleWithID := map[string]any{"roleArn": in.Account.AccessRoleARN, "sessionName": "freehold-acme-boundary", "externalId": "e-1"}
	tests := []struct {
		provider componenttest.Resource
		role     map[string]any
	}{{plain, role}, {withID, roleWithID}}
	for _, tt := range tests {
		got := map[string]any{"assumeRole": tt.provider.Inputs["assumeRole"], "allowedAccountIds": tt.provider.Inputs["allowedAccountIds"]}
		want := map[string]any{"assumeRole": tt.role, "allowedAccountIds": []any{componenttest.Account}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("provider (-want +got):\n%s", diff)
		}
	}
}
