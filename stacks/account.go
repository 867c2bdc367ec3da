package stacks

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/account"
)

// Account is the program of the account layer. It runs with the management
// account's credentials.
func Account(ctx *pulumi.Context, in AccountIn) error {
	provider, err := managementProvider(ctx, in.ManagementAccountID, in.Plan.Region)
	if err != nil {
		return err
	}
	made, err := account.New(ctx, "account", account.Args{
		Vended:             in.Plan.Vended,
		Name:               in.Plan.Name,
		Email:              in.Plan.Email,
		ParentID:           in.Plan.OrganizationalUnit,
		AccessRoleName:     in.Plan.AccessRoleName,
		Region:             in.Plan.Region,
		BoundaryName:       in.Plan.BoundaryName,
		ProvisionerARN:     in.ProvisionerARN,
		ServicePolicyName:  in.Plan.ServicePolicyName,
		ResourcePolicyName: in.Plan.ResourcePolicy,
		CloseOnDeletion:    in.Plan.CloseOnOffboard,
		Protected:          in.Plan.Protected,
		Tags:               in.Plan.Tags,
		RoleARN:            in.Plan.RoleARN,
		ExternalID:         in.Plan.ExternalID,
	}, pulumi.Providers(provider))
	if err != nil {
		return err
	}
	return export[AccountOut](ctx, pulumi.Map{
		"accountId":     made.AccountID,
		"accessRoleArn": made.AccessRoleARN,
		"externalId":    made.ExternalID,
	})
}
