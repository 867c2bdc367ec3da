package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/directconnect"
	directtypes "github.com/aws/aws-sdk-go-v2/service/directconnect/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/route53profiles"
	profilestypes "github.com/aws/aws-sdk-go-v2/service/route53profiles/types"
	"github.com/aws/aws-sdk-go-v2/service/servicediscovery"
	cloudmaptypes "github.com/aws/aws-sdk-go-v2/service/servicediscovery/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listDirectConnect lists the lines of the account and what runs over them, its
// gateways with what is associated with each, and what others' gateways are
// associated with.
func listDirectConnect(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, directLines, directGateways)
}

func directLines(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := directconnect.NewFromConfig(s.cfg)
	var items []cloud.Item
	line := func(typ string, id, name, owner *string) {
		it := shared(typ, aws.ToString(id), map[string]any{"ownerAccountId": aws.ToString(owner)})
		it.Name = aws.ToString(name)
		items = append(items, it)
	}
	connections, err := walk(ctx, c.DescribeConnections,
		func(next *string) *directconnect.DescribeConnectionsInput {
			return &directconnect.DescribeConnectionsInput{NextToken: next}
		},
		func(o *directconnect.DescribeConnectionsOutput) ([]directtypes.Connection, *string) {
			return o.Connections, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	for _, n := range connections {
		if !isState(string(n.ConnectionState), "deleted", "rejected") {
			line(awstype.DirectConnection, n.ConnectionId, n.ConnectionName, n.OwnerAccount)
		}
	}
	lags, err := walk(ctx, c.DescribeLags,
		func(next *string) *directconnect.DescribeLagsInput {
			return &directconnect.DescribeLagsInput{NextToken: next}
		},
		func(o *directconnect.DescribeLagsOutput) ([]directtypes.Lag, *string) { return o.Lags, o.NextToken })
	if err != nil {
		return items, err
	}
	for _, l := range lags {
		if !isState(string(l.LagState), "deleted") {
			line(awstype.DirectGroup, l.LagId, l.LagName, l.OwnerAccount)
		}
	}
	interfaces, err := walk(ctx, c.DescribeVirtualInterfaces,
		func(next *string) *directconnect.DescribeVirtualInterfacesInput {
			return &directconnect.DescribeVirtualInterfacesInput{NextToken: next}
		},
		func(o *directconnect.DescribeVirtualInterfacesOutput) ([]directtypes.VirtualInterface, *string) {
			return o.VirtualInterfaces, o.NextToken
		})
	for _, v := range interfaces {
		if isState(string(v.VirtualInterfaceState), "deleted", "rejected") {
			continue
		}
		// It is of this account on another's line, or of another's on this line.
		it := shared(awstype.DirectInterface, aws.ToString(v.VirtualInterfaceId), map[string]any{
			"ownerAccountId": aws.ToString(v.OwnerAccount), "connectionId": aws.ToString(v.ConnectionId),
		})
		it.Name = aws.ToString(v.VirtualInterfaceName)
		items = append(items, it)
	}
	return items, err
}

func directGateways(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := directconnect.NewFromConfig(s.cfg)
	gateways, err := walk(ctx, c.DescribeDirectConnectGateways,
		func(next *string) *directconnect.DescribeDirectConnectGatewaysInput {
			return &directconnect.DescribeDirectConnectGatewaysInput{NextToken: next}
		},
		func(o *directconnect.DescribeDirectConnectGatewaysOutput) ([]directtypes.DirectConnectGateway, *string) {
			return o.DirectConnectGateways, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	var items []cloud.Item
	for _, g := range gateways {
		it := shared(awstype.DirectGateway, aws.ToString(g.DirectConnectGatewayId), map[string]any{"ownerAccountId": aws.ToString(g.OwnerAccount)})
		it.Name = aws.ToString(g.DirectConnectGatewayName)
		items = append(items, it)
	}
	more, err := eachOf(ctx, gateways, func(ctx context.Context, g directtypes.DirectConnectGateway) ([]cloud.Item, error) {
		associated, err := directAssociations(ctx, c, &directconnect.DescribeDirectConnectGatewayAssociationsInput{DirectConnectGatewayId: g.DirectConnectGatewayId})
		if err != nil {
			return nil, err
		}
		attached, err := walk(ctx, c.DescribeDirectConnectGatewayAttachments,
			func(next *string) *directconnect.DescribeDirectConnectGatewayAttachmentsInput {
				return &directconnect.DescribeDirectConnectGatewayAttachmentsInput{DirectConnectGatewayId: g.DirectConnectGatewayId, NextToken: next}
			},
			func(o *directconnect.DescribeDirectConnectGatewayAttachmentsOutput) ([]directtypes.DirectConnectGatewayAttachment, *string) {
				return o.DirectConnectGatewayAttachments, o.NextToken
			})
		for _, a := range attached {
			if !isState(string(a.AttachmentState), "detached") {
				associated = append(associated, shared(awstype.DirectInterface, aws.ToString(a.VirtualInterfaceId), map[string]any{
					"ownerAccountId": aws.ToString(a.VirtualInterfaceOwnerAccount),
				}))
			}
		}
		return associated, err
	})
	items = append(items, more...)
	if err != nil {
		return items, err
	}
	// The account's own gateways may be associated with a line of another.
	own, err := s.ownGateways(ctx)
	if err != nil {
		return items, err
	}
	more, err = eachOf(ctx, own, func(ctx context.Context, id string) ([]cloud.Item, error) {
		return directAssociations(ctx, c, &directconnect.DescribeDirectConnectGatewayAssociationsInput{AssociatedGatewayId: aws.String(id)})
	})
	items = once(append(items, more...))
	if err != nil {
		return items, err
	}
	proposals, err := walk(ctx, c.DescribeDirectConnectGatewayAssociationProposals,
		func(next *string) *directconnect.DescribeDirectConnectGatewayAssociationProposalsInput {
			return &directconnect.DescribeDirectConnectGatewayAssociationProposalsInput{NextToken: next}
		},
		func(o *directconnect.DescribeDirectConnectGatewayAssociationProposalsOutput) ([]directtypes.DirectConnectGatewayAssociationProposal, *string) {
			return o.DirectConnectGatewayAssociationProposals, o.NextToken
		})
	for _, p := range proposals {
		if !isState(string(p.ProposalState), "deleted") {
			items = append(items, directAssociation(awstype.DirectProposal, p.ProposalId, p.DirectConnectGatewayOwnerAccount, p.AssociatedGateway))
		}
	}
	return items, err
}

// directAssociations lists those of a Direct Connect gateway, or those of one of the account's own.
func directAssociations(ctx context.Context, c *directconnect.Client, of *directconnect.DescribeDirectConnectGatewayAssociationsInput) ([]cloud.Item, error) {
	all, err := walk(ctx, c.DescribeDirectConnectGatewayAssociations,
		func(next *string) *directconnect.DescribeDirectConnectGatewayAssociationsInput {
			of.NextToken = next
			return of
		},
		func(o *directconnect.DescribeDirectConnectGatewayAssociationsOutput) ([]directtypes.DirectConnectGatewayAssociation, *string) {
			return o.DirectConnectGatewayAssociations, o.NextToken
		})
	var items []cloud.Item
	for _, a := range all {
		if !isState(string(a.AssociationState), "disassociated") {
			items = append(items, directAssociation(awstype.DirectAssociation, a.AssociationId, a.DirectConnectGatewayOwnerAccount, a.AssociatedGateway))
		}
	}
	return items, err
}

func directAssociation(typ string, id, owner *string, with *directtypes.AssociatedGateway) cloud.Item {
	properties := map[string]any{"dxGatewayOwnerAccountId": aws.ToString(owner)}
	if with != nil {
		properties["associatedGatewayOwnerAccountId"] = aws.ToString(with.OwnerAccount)
	}
	return shared(typ, aws.ToString(id), properties)
}

// ownGateways are the ids of what of the account a Direct Connect gateway can
// be associated with: virtual private gateways, of which EC2 has one page, and
// transit gateways.
func (s *session) ownGateways(ctx context.Context) ([]string, error) {
	private, err := s.ec2.DescribeVpnGateways(ctx, &ec2.DescribeVpnGatewaysInput{})
	if err != nil {
		return nil, called(err)
	}
	var ids []string
	for _, g := range private.VpnGateways {
		if !isState(string(g.State), "deleted", "deleting") {
			ids = append(ids, aws.ToString(g.VpnGatewayId))
		}
	}
	transit, err := walk(ctx, s.ec2.DescribeTransitGateways,
		func(next *string) *ec2.DescribeTransitGatewaysInput {
			return &ec2.DescribeTransitGatewaysInput{NextToken: next}
		},
		func(o *ec2.DescribeTransitGatewaysOutput) ([]ec2types.TransitGateway, *string) {
			return o.TransitGateways, o.NextToken
		})
	for _, g := range transit {
		if !s.theirs(g.OwnerId) && !isState(string(g.State), "deleted", "deleting") {
			ids = append(ids, aws.ToString(g.TransitGatewayId))
		}
	}
	return ids, err
}

// listCloudMap lists the account's namespaces and services, and those that others
// share with it.
func listCloudMap(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := servicediscovery.NewFromConfig(s.cfg)
	namespaces, err := walk(ctx, c.ListNamespaces,
		func(next *string) *servicediscovery.ListNamespacesInput {
			return &servicediscovery.ListNamespacesInput{NextToken: next}
		},
		func(o *servicediscovery.ListNamespacesOutput) ([]cloudmaptypes.NamespaceSummary, *string) {
			return o.Namespaces, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	var items []cloud.Item
	for _, n := range namespaces {
		it := shared(awstype.CloudMapNamespace, aws.ToString(n.Id), map[string]any{"resourceOwner": aws.ToString(n.ResourceOwner)})
		it.Name = aws.ToString(n.Name)
		items = append(items, it)
	}
	services, err := walk(ctx, c.ListServices,
		func(next *string) *servicediscovery.ListServicesInput {
			return &servicediscovery.ListServicesInput{NextToken: next}
		},
		func(o *servicediscovery.ListServicesOutput) ([]cloudmaptypes.ServiceSummary, *string) {
			return o.Services, o.NextToken
		})
	for _, v := range services {
		it := shared(awstype.CloudMapService, aws.ToString(v.Id), map[string]any{
			"resourceOwner": aws.ToString(v.ResourceOwner), "createdByAccount": aws.ToString(v.CreatedByAccount),
		})
		it.Name = aws.ToString(v.Name)
		items = append(items, it)
	}
	return items, err
}

// listProfiles lists the account's profiles, and which profiles its networks have:
// one of another account by its ARN, which says whose it is.
func listProfiles(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := route53profiles.NewFromConfig(s.cfg)
	profiles, err := walk(ctx, c.ListProfiles,
		func(next *string) *route53profiles.ListProfilesInput {
			return &route53profiles.ListProfilesInput{NextToken: next}
		},
		func(o *route53profiles.ListProfilesOutput) ([]profilestypes.ProfileSummary, *string) {
			return o.ProfileSummaries, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	var items []cloud.Item
	theirs := map[string]string{}
	for _, p := range profiles {
		id, arn := aws.ToString(p.Id), aws.ToString(p.Arn)
		if accountOf(arn) != s.account {
			theirs[id] = arn
			continue
		}
		it := shared(awstype.Route53Profile, id, map[string]any{})
		it.Name, it.ARN = aws.ToString(p.Name), arn
		items = append(items, it)
	}
	all, err := walk(ctx, c.ListProfileAssociations,
		func(next *string) *route53profiles.ListProfileAssociationsInput {
			return &route53profiles.ListProfileAssociationsInput{NextToken: next}
		},
		func(o *route53profiles.ListProfileAssociationsOutput) ([]profilestypes.ProfileAssociation, *string) {
			return o.ProfileAssociations, o.NextToken
		})
	for _, a := range all {
		id := aws.ToString(a.ProfileId)
		if arn := theirs[id]; arn != "" {
			id = arn
		}
		it := shared(awstype.Route53ProfileOn, aws.ToString(a.Id), map[string]any{"profileId": id, "resourceId": aws.ToString(a.ResourceId)})
		it.Name = aws.ToString(a.Name)
		items = append(items, it)
	}
	return items, err
}
