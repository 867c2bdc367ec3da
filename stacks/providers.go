package stacks

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/plan"
)

// managementProvider acts with the credentials that the process has, and
// refuses to if they are not the management account's.
func managementProvider(ctx *pulumi.Context, managementAccountID, region string) (*aws.Provider, error) {
	return aws.NewProvider(ctx, "management", &aws.ProviderArgs{
		Region:            pulumi.String(region),
		AllowedAccountIds: pulumi.StringArray{pulumi.String(managementAccountID)},
	})
}

// orgProvider acts as a role of the org's account, and refuses to if the role
// turns out to be in another.
func orgProvider(ctx *pulumi.Context, layer plan.Layer, common plan.Common, accountID, roleARN, externalID string) (*aws.Provider, error) {
	role := aws.ProviderAssumeRoleArgs{
		RoleArn:     pulumi.String(roleARN),
		SessionName: pulumi.String(sessionName(common.Org, layer)),
	}
	if externalID != "" { // AWS takes none, and refuses an empty one
		role.ExternalId = pulumi.String(externalID)
	}
	return aws.NewProvider(ctx, "org", &aws.ProviderArgs{
		Region:            pulumi.String(common.Region),
		AllowedAccountIds: pulumi.StringArray{pulumi.String(accountID)},
		AssumeRole:        role,
	})
}

// sessionName names the session in the org's trail. AWS takes 64 characters,
// and the longest org makes 59.
func sessionName(org string, layer plan.Layer) string {
	return "freehold-" + org + "-" + string(layer)
}
