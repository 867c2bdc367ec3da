package dataplane_test

import (
	"strings"
	"testing"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
)

const (
	account    = "210987654321"
	management = "111122223333"
)

var caller = cloud.Identity{AccountID: management, ARN: "arn:aws:iam::" + management + ":role/provisioner"}

// planOf is the plan of a spec whose fields are given as YAML at the top level.
func planOf(t *testing.T, org string, fields ...string) plan.Plan {
	t.Helper()
	return plan.Build(specOf(t, org, fields...))
}

func specOf(t *testing.T, org string, fields ...string) spec.Spec {
	t.Helper()
	doc := "apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\norg: " + org + "\n" + strings.Join(fields, "\n") + "\n"
	s, err := spec.Parse(org+".yaml", strings.NewReader(doc))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const (
	region  = "region: eu-west-1"
	vended  = "account: {email: aws+acme@example.com}"
	brought = "account: {mode: existing, roleArn: 'arn:aws:iam::" + account + ":role/in', externalId: 0123456789abcdef}"
)

func vendedPlan(t *testing.T) plan.Plan { t.Helper(); return planOf(t, "acme", region, vended) }

// outputs are what the layers give out.
var outputs = map[plan.Layer]map[string]any{
	plan.LayerAccount: {
		"accountId": account, "accessRoleArn": "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole",
	},
	plan.LayerBoundary: {
		"boundaryArn":          "arn:aws:iam::" + account + ":policy/freehold-acme-boundary",
		"provisionRoleArn":     "arn:aws:iam::" + account + ":role/freehold-acme-provision",
		"readRoleArn":          "arn:aws:iam::" + account + ":role/freehold-acme-read",
		"bootstrapRoleArn":     "arn:aws:iam::" + account + ":role/freehold-acme-bootstrap",
		"offboardRoleArn":      "arn:aws:iam::" + account + ":role/freehold-acme-offboard",
		"dataKeyArn":           "arn:aws:kms:eu-west-1:" + account + ":key/1",
		"logKeyArn":            "arn:aws:kms:eu-west-1:" + account + ":key/2",
		"logBucketArn":         "arn:aws:s3:::freehold-acme-logs",
		"dataBucketArn":        "arn:aws:s3:::freehold-acme-data",
		"trailArn":             "arn:aws:cloudtrail:eu-west-1:" + account + ":trail/freehold-acme",
		"analyzerArn":          "arn:aws:access-analyzer:eu-west-1:" + account + ":analyzer/freehold-acme",
		"controllerRepository": account + ".dkr.ecr.eu-west-1.amazonaws.com/freehold-acme",
	},
	plan.LayerCluster: {
		"name": "freehold-acme", "arn": "arn:aws:eks:eu-west-1:" + account + ":cluster/freehold-acme",
		"endpoint": "https://acme.eks", "certificateAuthority": "Q0E=", "oidcIssuer": "https://issuer/acme", "vpcId": "vpc-1",
		"privateSubnetIds": []any{"subnet-1"}, "nodeRoleArn": "arn:aws:iam::" + account + ":role/freehold-acme-node",
	},
	plan.LayerBootstrap: {"namespace": "freehold-system", "controllerImage": "image", "projects": []any{"shop"}},
}

// made is the record of a layer that was made.
func made(l plan.Layer) registry.Layer {
	return registry.Layer{Layer: string(l), State: dataplane.Done, Made: true, Outputs: outputs[l], Resources: 7}
}

// of is a data plane with the records given.
func of(p plan.Plan, records ...registry.Layer) dataplane.DataPlane {
	byLayer := map[string]registry.Layer{}
	for _, rec := range records {
		byLayer[rec.Layer] = rec
	}
	return dataplane.Of(p, caller, byLayer)
}

// whole is a data plane whose layers are all made.
func whole(p plan.Plan) dataplane.DataPlane {
	var all []registry.Layer
	for _, l := range plan.Layers() {
		all = append(all, made(l))
	}
	return of(p, all...)
}
