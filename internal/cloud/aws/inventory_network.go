package aws

import (
	"context"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// networks are what tells AWS's own parts of a network from others.
type networks struct {
	vpcs     []ec2types.Vpc
	defaults map[string]bool // ids of default VPCs
	tables   []ec2types.RouteTable
	groups   []ec2types.SecurityGroup
}

func (s *session) readNetworks(ctx context.Context) (networks, error) {
	n := networks{defaults: map[string]bool{}}
	var err error
	n.vpcs, err = every(ctx, ec2.NewDescribeVpcsPaginator(s.ec2, &ec2.DescribeVpcsInput{}),
		func(p *ec2.DescribeVpcsOutput) []ec2types.Vpc { return p.Vpcs })
	if err != nil {
		return n, err
	}
	for _, v := range n.vpcs {
		n.defaults[aws.ToString(v.VpcId)] = aws.ToBool(v.IsDefault)
	}
	n.tables, err = every(ctx, ec2.NewDescribeRouteTablesPaginator(s.ec2, &ec2.DescribeRouteTablesInput{}),
		func(p *ec2.DescribeRouteTablesOutput) []ec2types.RouteTable { return p.RouteTables })
	if err != nil {
		return n, err
	}
	n.groups, err = every(ctx, ec2.NewDescribeSecurityGroupsPaginator(s.ec2, &ec2.DescribeSecurityGroupsInput{}),
		func(p *ec2.DescribeSecurityGroupsOutput) []ec2types.SecurityGroup { return p.SecurityGroups })
	return n, err
}

// theirs reports whether a thing that networks are shared with us for belongs
// to another account, where it is listed.
func (s *session) theirs(owner *string) bool {
	return aws.ToString(owner) != "" && aws.ToString(owner) != s.account
}

func listVPCs(_ context.Context, s *session) ([]cloud.Item, error) {
	n, err := s.networks()
	var items []cloud.Item
	for _, v := range n.vpcs {
		if s.theirs(v.OwnerId) {
			continue
		}
		it := thing(awstype.EC2VPC, aws.ToString(v.VpcId), ec2Tags(v.Tags))
		it.ByCloud = aws.ToBool(v.IsDefault)
		items = append(items, it)
	}
	return items, err
}

func listSubnets(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeSubnetsPaginator(s.ec2, &ec2.DescribeSubnetsInput{}),
		func(p *ec2.DescribeSubnetsOutput) []ec2types.Subnet { return p.Subnets })
	var items []cloud.Item
	for _, n := range all {
		if s.theirs(n.OwnerId) {
			continue
		}
		it := thing(awstype.EC2Subnet, aws.ToString(n.SubnetId), ec2Tags(n.Tags))
		it.ARN, it.ByCloud = aws.ToString(n.SubnetArn), aws.ToBool(n.DefaultForAz)
		items = append(items, it)
	}
	return items, err
}

// listRoutes lists routes and the associations of their tables.
func listRoutes(_ context.Context, s *session) ([]cloud.Item, error) {
	n, err := s.networks()
	var items []cloud.Item
	for _, t := range n.tables {
		if s.theirs(t.OwnerId) {
			continue
		}
		for _, r := range t.Routes {
			id := routeID(aws.ToString(t.RouteTableId), destination(r))
			items = append(items, cloud.Item{
				Properties: leadsTo(r),
				Type:       awstype.EC2Route, ID: id, Name: aws.ToString(t.RouteTableId) + " " + destination(r),
				ByCloud: routeByCloud(r, isMain(t) && n.defaults[aws.ToString(t.VpcId)]),
				Slot:    slot(awstype.EC2Route, map[string]any{"routeTableId": aws.ToString(t.RouteTableId), "destinationCidrBlock": destination(r)}),
			})
		}
		for _, a := range t.Associations {
			if a.AssociationState != nil && a.AssociationState.State == ec2types.RouteTableAssociationStateCodeDisassociated {
				continue
			}
			items = append(items, cloud.Item{
				Type: awstype.EC2RouteTableAssociation, ID: aws.ToString(a.RouteTableAssociationId), ByCloud: aws.ToBool(a.Main),
				Name: aws.ToString(t.RouteTableId) + " " + aws.ToString(a.SubnetId) + aws.ToString(a.GatewayId),
				Slot: slot(awstype.EC2RouteTableAssociation, map[string]any{"subnetId": aws.ToString(a.SubnetId), "gatewayId": aws.ToString(a.GatewayId)}),
			})
		}
	}
	return items, err
}

// leadsTo is the other network that a route leads into, nil if it is none.
func leadsTo(r ec2types.Route) map[string]any {
	out := map[string]any{}
	for property, target := range map[string]*string{
		"vpcPeeringConnectionId": r.VpcPeeringConnectionId, "transitGatewayId": r.TransitGatewayId, "coreNetworkArn": r.CoreNetworkArn,
	} {
		if aws.ToString(target) != "" {
			out[property] = aws.ToString(target)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func listRouteTables(_ context.Context, s *session) ([]cloud.Item, error) {
	n, err := s.networks()
	var items []cloud.Item
	for _, t := range n.tables {
		if s.theirs(t.OwnerId) {
			continue
		}
		it := thing(awstype.EC2RouteTable, aws.ToString(t.RouteTableId), ec2Tags(t.Tags))
		it.ByCloud = isMain(t)
		items = append(items, it)
	}
	return items, err
}

// isMain reports whether a table is its VPC's main one, which comes and goes
// with the VPC. What somebody put into it is listed all the same.
func isMain(t ec2types.RouteTable) bool {
	return slices.ContainsFunc(t.Associations, func(a ec2types.RouteTableAssociation) bool { return aws.ToBool(a.Main) })
}

// routeID is the id that the provider gives a route, which has none of its own.
func routeID(table, destination string) string {
	return fmt.Sprintf("r-%s%d", table, crc32.ChecksumIEEE([]byte(destination)))
}

func destination(r ec2types.Route) string {
	for _, d := range []*string{r.DestinationCidrBlock, r.DestinationIpv6CidrBlock, r.DestinationPrefixListId} {
		if aws.ToString(d) != "" {
			return aws.ToString(d)
		}
	}
	return ""
}

// routeByCloud reports whether AWS put a route there: to the VPC itself, to a
// virtual private gateway by propagation, to a gateway endpoint with the
// endpoint, and in a default VPC to the internet.
func routeByCloud(r ec2types.Route, mainOfDefault bool) bool {
	gateway := aws.ToString(r.GatewayId)
	switch {
	case r.Origin == ec2types.RouteOriginCreateRouteTable, r.Origin == ec2types.RouteOriginEnableVgwRoutePropagation, gateway == "local":
		return true
	case strings.HasPrefix(gateway, "vpce-"):
		return aws.ToString(r.DestinationPrefixListId) != ""
	default:
		return mainOfDefault && strings.HasPrefix(gateway, "igw-") && destination(r) == "0.0.0.0/0"
	}
}

func listInternetGateways(ctx context.Context, s *session) ([]cloud.Item, error) {
	n, err := s.networks()
	if err != nil {
		return nil, err
	}
	all, err := every(ctx, ec2.NewDescribeInternetGatewaysPaginator(s.ec2, &ec2.DescribeInternetGatewaysInput{}),
		func(p *ec2.DescribeInternetGatewaysOutput) []ec2types.InternetGateway { return p.InternetGateways })
	var items []cloud.Item
	for _, g := range all {
		it := thing(awstype.EC2InternetGateway, aws.ToString(g.InternetGatewayId), ec2Tags(g.Tags))
		for _, a := range g.Attachments {
			it.Slot = slot(it.Type, map[string]any{"vpcId": aws.ToString(a.VpcId)})
		}
		it.ByCloud = slices.ContainsFunc(g.Attachments, func(a ec2types.InternetGatewayAttachment) bool { return n.defaults[aws.ToString(a.VpcId)] })
		items = append(items, it)
	}
	return items, err
}

func listNATGateways(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeNatGatewaysPaginator(s.ec2, &ec2.DescribeNatGatewaysInput{}),
		func(p *ec2.DescribeNatGatewaysOutput) []ec2types.NatGateway { return p.NatGateways })
	var items []cloud.Item
	for _, g := range all {
		// A NAT gateway is shown for an hour after it was deleted.
		if g.State != ec2types.NatGatewayStateDeleted {
			items = append(items, thing(awstype.EC2NATGateway, aws.ToString(g.NatGatewayId), ec2Tags(g.Tags)))
		}
	}
	return items, err
}

func listAddresses(ctx context.Context, s *session) ([]cloud.Item, error) {
	out, err := s.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{})
	if err != nil {
		return nil, called(err)
	}
	var items []cloud.Item
	for _, a := range out.Addresses {
		it := thing(awstype.EC2Address, aws.ToString(a.AllocationId), ec2Tags(a.Tags))
		if it.Name == "" {
			it.Name = aws.ToString(a.PublicIp)
		}
		it.ByCloud = a.ServiceManaged != ""
		items = append(items, it)
	}
	return items, nil
}

func listNetworkACLs(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeNetworkAclsPaginator(s.ec2, &ec2.DescribeNetworkAclsInput{}),
		func(p *ec2.DescribeNetworkAclsOutput) []ec2types.NetworkAcl { return p.NetworkAcls })
	var items []cloud.Item
	for _, a := range all {
		if s.theirs(a.OwnerId) {
			continue
		}
		it := thing(awstype.EC2NetworkACL, aws.ToString(a.NetworkAclId), ec2Tags(a.Tags))
		it.ByCloud = aws.ToBool(a.IsDefault)
		items = append(items, it)
	}
	return items, err
}

func listDHCPOptions(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeDhcpOptionsPaginator(s.ec2, &ec2.DescribeDhcpOptionsInput{}),
		func(p *ec2.DescribeDhcpOptionsOutput) []ec2types.DhcpOptions { return p.DhcpOptions })
	var items []cloud.Item
	for _, d := range all {
		if s.theirs(d.OwnerId) {
			continue
		}
		it := thing(awstype.EC2DHCPOptions, aws.ToString(d.DhcpOptionsId), ec2Tags(d.Tags))
		it.ByCloud = dhcpByCloud(d)
		items = append(items, it)
	}
	return items, err
}

// dhcpByCloud reports whether options are the set that AWS makes with the first
// VPC of a region: Amazon's resolver, the region's own domain, and no tag.
// https://docs.aws.amazon.com/vpc/latest/userguide/DHCPOptionSet.html
func dhcpByCloud(d ec2types.DhcpOptions) bool {
	if len(d.Tags) > 0 {
		return false
	}
	resolver := false
	for _, c := range d.DhcpConfigurations {
		if len(c.Values) != 1 {
			return false
		}
		value := aws.ToString(c.Values[0].Value)
		switch aws.ToString(c.Key) {
		case "domain-name-servers":
			resolver = value == "AmazonProvidedDNS"
		case "domain-name":
			if value != "ec2.internal" && !strings.HasSuffix(value, ".compute.internal") {
				return false
			}
		default:
			return false
		}
	}
	return resolver
}

func ec2Tags(tags []ec2types.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}
