package boundary_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/boundary"
	"freehold.dev/freehold/components/componenttest"
)

func program(args boundary.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := aws.NewProvider(ctx, "org", &aws.ProviderArgs{})
		if err != nil {
			return err
		}
		b, err := boundary.New(ctx, "boundary", args, pulumi.Providers(p))
		if err != nil {
			return err
		}
		ctx.Export("boundaryArn", b.BoundaryARN)
		ctx.Export("trailArn", b.TrailARN)
		ctx.Export("controllerRepository", b.ControllerRepository)
		return nil
	}
}

func TestEveryResourceIsTaggedAndTheOrgsOwn(t *testing.T) {
	for _, res := range componenttest.Record(t, program(acme())).Resources {
		if !strings.HasPrefix(res.Type, "aws:") {
			continue
		}
		if res.Provider != "org" || res.Parent != "boundary" {
			t.Errorf("%s %s: provider %q, parent %q", res.Type, res.Name, res.Provider, res.Parent)
		}
		if !componenttest.Taggable(res.Type) {
			continue
		}
		want := map[string]any{"freehold.dev/org": "acme", "freehold.dev/layer": "boundary", "freehold.dev/managed-by": "freehold"}
		// What has no name of its own is found again by this tag.
		switch res.Name {
		case "data-key":
			want["Name"] = "freehold-acme-data"
		case "log-key":
			want["Name"] = "freehold-acme-logs"
		}
		if diff := cmp.Diff(want, res.Inputs["tags"]); diff != "" {
			t.Errorf("%s %s: tags (-want +got):\n%s", res.Type, res.Name, diff)
		}
	}
}

func TestEveryRoleHasTheBoundaryAndTrustsTheProvisioner(t *testing.T) {
	args := acme()
	roles := componenttest.Record(t, program(args)).Of("aws:iam/role:Role")
	names := map[any]bool{}
	for _, role := range roles {
		names[role.Inputs["name"]] = true
		if got := role.Inputs["permissionsBoundary"]; got != fenceARN {
			t.Errorf("%s: boundary %v, want %s", role.Name, got, fenceARN)
		}
		if got, want := role.Inputs["assumeRolePolicy"], boundary.Trust(args).String(); got != want {
			t.Errorf("%s trusts %v, want %s", role.Name, got, want)
		}
	}
	want := map[any]bool{args.ProvisionRole: true, args.ReadRole: true, args.BootstrapRole: true, args.OffboardRole: true}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
}

func TestEveryBucketIsPrivateVersionedAndEncrypted(t *testing.T) {
	r := componenttest.Record(t, program(acme()))
	closed := func(bucket string) map[string]any {
		return map[string]any{"bucket": bucket, "blockPublicAcls": true, "blockPublicPolicy": true, "ignorePublicAcls": true, "restrictPublicBuckets": true}
	}
	buckets := map[string]string{"log-bucket": "log-key", "data-bucket": "data-key"}
	if got := len(r.Of("aws:s3/bucketV2:BucketV2")); got != len(buckets) {
		t.Fatalf("%d buckets, want %d", got, len(buckets))
	}
	for name, key := range buckets {
		bucket, _ := r.One(t, "aws:s3/bucketV2:BucketV2", name).Inputs["bucket"].(string)
		want := map[string]map[string]any{
			"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": closed(bucket),
			"aws:s3/bucketVersioningV2:BucketVersioningV2":           {"bucket": bucket, "versioningConfiguration": map[string]any{"status": "Enabled"}},
			"aws:s3/bucketOwnershipControls:BucketOwnershipControls": {"bucket": bucket, "rule": map[string]any{"objectOwnership": "BucketOwnerEnforced"}},
			"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": {"bucket": bucket, "rules": []any{map[string]any{
				"bucketKeyEnabled": true,
				"applyServerSideEncryptionByDefault": map[string]any{
					"sseAlgorithm": "aws:kms", "kmsMasterKeyId": "arn:aws:kms:eu-central-1:210987654321:key/" + key + "-id",
				},
			}}},
		}
		for typ, inputs := range want {
			if diff := cmp.Diff(inputs, r.One(t, typ, name).Inputs); diff != "" {
				t.Errorf("%s %s (-want +got):\n%s", typ, name, diff)
			}
		}
	}
	if diff := cmp.Diff(closed(""), withBucket(r.One(t, "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "public-access-block").Inputs)); diff != "" {
		t.Errorf("the account's block (-want +got):\n%s", diff)
	}
}

func withBucket(inputs map[string]any) map[string]any {
	delete(inputs, "accountId")
	inputs["bucket"] = ""
	return inputs
}

func TestTheAccountsDefaultsAreSafe(t *testing.T) {
	r := componenttest.Record(t, program(acme()))
	tests := []struct {
		typ, name string
		want      map[string]any
	}{
		{"aws:ebs/encryptionByDefault:EncryptionByDefault", "ebs-encryption", map[string]any{"enabled": true}},
		{"aws:ebs/defaultKmsKey:DefaultKmsKey", "ebs-default-key", map[string]any{"keyArn": "arn:aws:kms:eu-central-1:210987654321:key/data-key-id"}},
		{"aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess", "snapshot-public-access-block", map[string]any{"state": "block-all-sharing"}},
		{"aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "instance-metadata", map[string]any{"httpEndpoint": "enabled", "httpTokens": "required", "httpPutResponseHopLimit": 1.0}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, r.One(t, tt.typ, tt.name).Inputs); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.typ, diff)
		}
	}
	for _, key := range r.Of("aws:kms/key:Key") {
		if key.Inputs["enableKeyRotation"] != true || key.Inputs["deletionWindowInDays"] != 30.0 {
			t.Errorf("%s: rotation %v, window %v", key.Name, key.Inputs["enableKeyRotation"], key.Inputs["deletionWindowInDays"])
		}
	}
	if got := r.One(t, "aws:accessanalyzer/analyzer:Analyzer", "analyzer").Inputs["type"]; got != "ACCOUNT" {
		t.Errorf("analyzer of type %v, which trusts other customers", got)
	}
}

func TestTheTrailCoversEveryRegionAndWaitsForItsBucket(t *testing.T) {
	r := componenttest.Record(t, program(acme()))
	trail := r.One(t, "aws:cloudtrail/trail:Trail", "trail")
	delete(trail.Inputs, "tags")
	want := map[string]any{
		"name": "freehold-acme", "s3BucketName": "freehold-acme-logs-" + acct, "kmsKeyId": "arn:aws:kms:eu-central-1:210987654321:key/log-key-id",
		"isMultiRegionTrail": true, "includeGlobalServiceEvents": true, "enableLogFileValidation": true, "enableLogging": true,
	}
	if diff := cmp.Diff(want, trail.Inputs); diff != "" {
		t.Errorf("trail (-want +got):\n%s", diff)
	}
	policy := r.One(t, "aws:s3/bucketPolicy:BucketPolicy", "log-bucket")
	if !slices.Contains(trail.DependsOnURNs, policy.URN) {
		t.Errorf("the trail does not wait for %s but for %v", policy.URN, trail.DependsOnURNs)
	}
}

func TestProtectionCoversDataEvidenceAndTheWaysIn(t *testing.T) {
	want := map[string]bool{
		"aws:iam/policy:Policy": true, "aws:iam/role:Role": true, "aws:kms/key:Key": true, "aws:kms/alias:Alias": true,
		"aws:s3/bucketV2:BucketV2": true, "aws:cloudtrail/trail:Trail": true, "aws:ecr/repository:Repository": true,
	}
	for _, protected := range []bool{true, false} {
		args := acme()
		args.Protected = protected
		r := componenttest.Record(t, program(args))
		for _, res := range r.Resources {
			if res.Protect != (protected && want[res.Type]) {
				t.Errorf("org protected %t: %s %s protected %t", protected, res.Type, res.Name, res.Protect)
			}
			if res.RetainOnDelete {
				t.Errorf("%s %s would outlive its org", res.Type, res.Name)
			}
		}
		for _, bucket := range r.Of("aws:s3/bucketV2:BucketV2") {
			if got := bucket.Inputs["forceDestroy"]; got != !protected {
				t.Errorf("org protected %t: %s forceDestroy %v", protected, bucket.Name, got)
			}
		}
		if got := r.One(t, "aws:ecr/repository:Repository", "controller-repository").Inputs["forceDelete"]; got != !protected {
			t.Errorf("org protected %t: repository forceDelete %v", protected, got)
		}
	}
}

func TestAtPreviewEveryPolicyIsKnown(t *testing.T) {
	for _, res := range componenttest.Record(t, program(acme()), componenttest.Preview()).Resources {
		for _, property := range []string{"policy", "assumeRolePolicy"} {
			if res.Inputs[property] == componenttest.Unknown {
				t.Errorf("%s %s: %s cannot be judged at preview", res.Type, res.Name, property)
			}
		}
	}
}

func TestABoundaryIsRefusedWithoutWhatItNeeds(t *testing.T) {
	args := acme()
	args.ExternalID, args.LogRetentionDays, args.ProvisionerARN = "", 0, ""
	_, err := componenttest.Run(program(args))
	want := "boundary boundary: ExternalID, LogRetentionDays, ProvisionerARN must be given"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one with %q", err, want)
	}
}
