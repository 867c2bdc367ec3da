package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/boundary"
	"freehold.dev/freehold/internal/plan"
)

// Boundary is the program of the boundary layer. It runs as the account's
// access role.
func Boundary(ctx *pulumi.Context, in BoundaryIn) error {
	provider, err := orgProvider(ctx, plan.LayerBoundary, in.Plan.Common, in.Account.AccountID, in.Account.AccessRoleARN, in.Account.ExternalID)
	if err != nil {
		return err
	}
	made, err := boundary.New(ctx, "boundary", boundary.Args{
		AccountID:            in.Account.AccountID,
		Region:               in.Plan.Region,
		AccessRoleARN:        in.Account.AccessRoleARN,
		ProvisionerARN:       in.ProvisionerARN,
		ExternalID:           in.Plan.ExternalID,
		BoundaryName:         in.Plan.BoundaryName,
		RolePrefix:           in.Plan.RolePrefix,
		ProvisionRole:        in.Plan.ProvisionRole,
		ReadRole:             in.Plan.ReadRole,
		BootstrapRole:        in.Plan.BootstrapRole,
		OffboardRole:         in.Plan.OffboardRole,
		DataKeyAlias:         in.Plan.DataKeyAlias,
		LogKeyAlias:          in.Plan.LogKeyAlias,
		LogBucket:            plan.BucketName(in.Plan.LogBucket, in.Account.AccountID),
		DataBucket:           plan.BucketName(in.Plan.DataBucket, in.Account.AccountID),
		TrailName:            in.Plan.TrailName,
		AnalyzerName:         in.Plan.AnalyzerName,
		ControllerRepository: in.Plan.ControllerRepository,
		LogRetentionDays:     in.Plan.LogRetentionDays,
		Protected:            in.Plan.Protected,
		Tags:                 in.Plan.Tags,
	}, pulumi.Providers(provider))
	if err != nil {
		return err
	}
	return export[BoundaryOut](ctx, pulumi.Map{
		"boundaryArn":          made.BoundaryARN,
		"provisionRoleArn":     made.ProvisionRoleARN,
		"readRoleArn":          made.ReadRoleARN,
		"bootstrapRoleArn":     made.BootstrapRoleARN,
		"offboardRoleArn":      made.OffboardRoleARN,
		"dataKeyArn":           made.DataKeyARN,
		"logKeyArn":            made.LogKeyARN,
		"logBucketArn":         made.LogBucketARN,
		"dataBucketArn":        made.DataBucketARN,
		"trailArn":             made.TrailARN,
		"analyzerArn":          made.AnalyzerARN,
		"controllerRepository": made.ControllerRepository,
	})
}
