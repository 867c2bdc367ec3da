package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/ram"
	ramtypes "github.com/aws/aws-sdk-go-v2/service/ram/types"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	anywheretypes "github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listUsersPolicies lists the inline policies of users and groups, all by one
// paged call. What is attached to them is among the account's policies.
func listUsersPolicies(ctx context.Context, s *session) ([]cloud.Item, error) {
	p := iam.NewGetAccountAuthorizationDetailsPaginator(s.iam, &iam.GetAccountAuthorizationDetailsInput{
		Filter: []iamtypes.EntityType{iamtypes.EntityTypeUser, iamtypes.EntityTypeGroup},
	})
	return every(ctx, p, func(page *iam.GetAccountAuthorizationDetailsOutput) []cloud.Item {
		var items []cloud.Item
		add := func(typ, owner string, all []iamtypes.PolicyDetail) {
			for _, d := range all {
				name := aws.ToString(d.PolicyName)
				items = append(items, cloud.Item{Type: typ, ID: owner + ":" + name, Name: name, Properties: document("policy", d.PolicyDocument)})
			}
		}
		for _, u := range page.UserDetailList {
			add(awstype.IAMUserPolicy, aws.ToString(u.UserName), u.UserPolicyList)
		}
		for _, g := range page.GroupDetailList {
			add(awstype.IAMGroupPolicy, aws.ToString(g.GroupName), g.GroupPolicyList)
		}
		return items
	})
}

func listTrustAnchors(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, rolesanywhere.NewListTrustAnchorsPaginator(rolesanywhere.NewFromConfig(s.cfg), &rolesanywhere.ListTrustAnchorsInput{}),
		func(p *rolesanywhere.ListTrustAnchorsOutput) []anywheretypes.TrustAnchorDetail {
			return p.TrustAnchors
		})
	var items []cloud.Item
	for _, a := range all {
		it := shared(awstype.RolesAnywhereTrust, aws.ToString(a.TrustAnchorId), map[string]any{"name": aws.ToString(a.Name)})
		it.ARN = aws.ToString(a.TrustAnchorArn)
		items = append(items, it)
	}
	return items, err
}

// listRAMShares lists what the account shares and with whom, what others share
// with it, and what it is invited to.
func listRAMShares(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := ram.NewFromConfig(s.cfg)
	var items []cloud.Item
	over := map[string]bool{} // a deleted share is listed for a while, and shares nothing
	for _, owner := range []ramtypes.ResourceOwner{ramtypes.ResourceOwnerSelf, ramtypes.ResourceOwnerOtherAccounts} {
		shares, err := every(ctx, ram.NewGetResourceSharesPaginator(c, &ram.GetResourceSharesInput{ResourceOwner: owner}),
			func(p *ram.GetResourceSharesOutput) []ramtypes.ResourceShare { return p.ResourceShares })
		if err != nil {
			return items, err
		}
		for _, r := range shares {
			if r.Status == ramtypes.ResourceShareStatusDeleted || r.Status == ramtypes.ResourceShareStatusDeleting {
				over[aws.ToString(r.ResourceShareArn)] = true
				continue
			}
			arn := aws.ToString(r.ResourceShareArn)
			it := shared(awstype.RAMShare, arn, map[string]any{"owningAccountId": aws.ToString(r.OwningAccountId)})
			if owner != ramtypes.ResourceOwnerSelf {
				it = shared(awstype.RAMAccepter, arn, map[string]any{"shareArn": arn, "senderAccountId": aws.ToString(r.OwningAccountId)})
			} else {
				it.ARN = arn
			}
			it.Name = aws.ToString(r.Name)
			items = append(items, it)
		}
	}
	for kind, typ := range map[ramtypes.ResourceShareAssociationType]string{
		ramtypes.ResourceShareAssociationTypePrincipal: awstype.RAMPrincipal, ramtypes.ResourceShareAssociationTypeResource: awstype.RAMResource,
	} {
		all, err := every(ctx, ram.NewGetResourceShareAssociationsPaginator(c, &ram.GetResourceShareAssociationsInput{AssociationType: kind}),
			func(p *ram.GetResourceShareAssociationsOutput) []ramtypes.ResourceShareAssociation {
				return p.ResourceShareAssociations
			})
		if err != nil {
			return items, err
		}
		property := map[string]string{awstype.RAMPrincipal: "principal", awstype.RAMResource: "resourceArn"}[typ]
		for _, a := range all {
			if a.Status == ramtypes.ResourceShareAssociationStatusDisassociated || over[aws.ToString(a.ResourceShareArn)] {
				continue
			}
			share, what := aws.ToString(a.ResourceShareArn), aws.ToString(a.AssociatedEntity)
			it := shared(typ, share+","+what, map[string]any{"resourceShareArn": share, property: what})
			it.Name = aws.ToString(a.ResourceShareName)
			items = append(items, it)
		}
	}
	invitations, err := every(ctx, ram.NewGetResourceShareInvitationsPaginator(c, &ram.GetResourceShareInvitationsInput{}),
		func(p *ram.GetResourceShareInvitationsOutput) []ramtypes.ResourceShareInvitation {
			return p.ResourceShareInvitations
		})
	for _, i := range invitations {
		// Only one that still waits says more than the share that it became.
		if i.Status == ramtypes.ResourceShareInvitationStatusPending && aws.ToString(i.SenderAccountId) != s.account {
			it := shared(awstype.RAMAccepter, aws.ToString(i.ResourceShareArn), map[string]any{
				"shareArn": aws.ToString(i.ResourceShareArn), "senderAccountId": aws.ToString(i.SenderAccountId),
			})
			it.Name = aws.ToString(i.ResourceShareName)
			items = append(items, it)
		}
	}
	return items, err
}

// listEndpointPrincipals lists whom the account's endpoint services let in, and
// who is connected to them.
func listEndpointPrincipals(ctx context.Context, s *session) ([]cloud.Item, error) {
	services, err := every(ctx, ec2.NewDescribeVpcEndpointServiceConfigurationsPaginator(s.ec2, &ec2.DescribeVpcEndpointServiceConfigurationsInput{}),
		func(p *ec2.DescribeVpcEndpointServiceConfigurationsOutput) []ec2types.ServiceConfiguration {
			return p.ServiceConfigurations
		})
	if err != nil {
		return nil, err
	}
	items, err := eachOf(ctx, services, func(ctx context.Context, e ec2types.ServiceConfiguration) ([]cloud.Item, error) {
		id := aws.ToString(e.ServiceId)
		all, err := every(ctx, ec2.NewDescribeVpcEndpointServicePermissionsPaginator(s.ec2, &ec2.DescribeVpcEndpointServicePermissionsInput{ServiceId: e.ServiceId}),
			func(p *ec2.DescribeVpcEndpointServicePermissionsOutput) []ec2types.AllowedPrincipal {
				return p.AllowedPrincipals
			})
		var items []cloud.Item
		for _, p := range all {
			who := aws.ToString(p.Principal)
			items = append(items, shared(awstype.EC2EndpointServicePrincipal, id+"/"+who, map[string]any{"vpcEndpointServiceId": id, "principalArn": who}))
		}
		return items, err
	})
	if err != nil || len(services) == 0 {
		return items, err
	}
	connections, err := every(ctx, ec2.NewDescribeVpcEndpointConnectionsPaginator(s.ec2, &ec2.DescribeVpcEndpointConnectionsInput{}),
		func(p *ec2.DescribeVpcEndpointConnectionsOutput) []ec2types.VpcEndpointConnection {
			return p.VpcEndpointConnections
		})
	for _, n := range connections {
		id := aws.ToString(n.ServiceId) + "_" + aws.ToString(n.VpcEndpointId)
		if !isState(string(n.VpcEndpointState), "deleted", "rejected", "expired") {
			items = append(items, shared(awstype.EC2EndpointConnection, id, map[string]any{
				"vpcEndpointServiceId": aws.ToString(n.ServiceId), "vpcEndpointOwner": aws.ToString(n.VpcEndpointOwner),
			}))
		}
	}
	return items, err
}

func listInterfacePermissions(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeNetworkInterfacePermissionsPaginator(s.ec2, &ec2.DescribeNetworkInterfacePermissionsInput{}),
		func(p *ec2.DescribeNetworkInterfacePermissionsOutput) []ec2types.NetworkInterfacePermission {
			return p.NetworkInterfacePermissions
		})
	var items []cloud.Item
	for _, p := range all {
		// A service of AWS that may attach an interface attaches it to itself.
		if aws.ToString(p.AwsAccountId) != "" {
			items = append(items, shared(awstype.EC2InterfacePermission, aws.ToString(p.NetworkInterfacePermissionId), map[string]any{
				"awsAccountId": aws.ToString(p.AwsAccountId), "networkInterfaceId": aws.ToString(p.NetworkInterfaceId),
			}))
		}
	}
	return items, err
}

// listSharedSnapshots asks about the account's snapshots one by one: EC2 has no
// list of those that are shared with a certain account.
func listSharedSnapshots(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeSnapshotsPaginator(s.ec2, &ec2.DescribeSnapshotsInput{OwnerIds: []string{"self"}}),
		func(p *ec2.DescribeSnapshotsOutput) []ec2types.Snapshot { return p.Snapshots })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, n ec2types.Snapshot) ([]cloud.Item, error) {
		out, err := s.ec2.DescribeSnapshotAttribute(ctx, &ec2.DescribeSnapshotAttributeInput{
			SnapshotId: n.SnapshotId, Attribute: ec2types.SnapshotAttributeNameCreateVolumePermission,
		})
		if err != nil {
			return nil, err
		}
		var items []cloud.Item
		for _, p := range out.CreateVolumePermissions {
			who := aws.ToString(p.UserId) + string(p.Group)
			items = append(items, shared(awstype.EBSSnapshotShare, aws.ToString(n.SnapshotId)+"-"+who, map[string]any{"snapshotId": aws.ToString(n.SnapshotId), "accountId": who}))
		}
		return items, nil
	})
}

func listSharedImages(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeImagesPaginator(s.ec2, &ec2.DescribeImagesInput{Owners: []string{"self"}}),
		func(p *ec2.DescribeImagesOutput) []ec2types.Image { return p.Images })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, i ec2types.Image) ([]cloud.Item, error) {
		out, err := s.ec2.DescribeImageAttribute(ctx, &ec2.DescribeImageAttributeInput{ImageId: i.ImageId, Attribute: ec2types.ImageAttributeNameLaunchPermission})
		if err != nil {
			return nil, err
		}
		var items []cloud.Item
		for _, p := range out.LaunchPermissions {
			who := strings.Join([]string{aws.ToString(p.UserId), string(p.Group), aws.ToString(p.OrganizationArn), aws.ToString(p.OrganizationalUnitArn)}, "")
			items = append(items, shared(awstype.EC2ImageShare, who+"-"+aws.ToString(i.ImageId), map[string]any{
				"imageId": aws.ToString(i.ImageId), "accountId": aws.ToString(p.UserId), "group": string(p.Group),
				"organizationArn": aws.ToString(p.OrganizationArn), "organizationalUnitArn": aws.ToString(p.OrganizationalUnitArn),
			}))
		}
		return items, nil
	})
}
