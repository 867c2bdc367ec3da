package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"freehold.dev/freehold/internal/awstype"
)

// by is one condition of a question to EC2.
func by(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: aws.String(name), Values: values}
}

// byIdentity are the conditions of an identity; nil where it is not given.
func byIdentity(in inputs) []ec2types.Filter {
	var filters []ec2types.Filter
	if tags := in.identity(); tags != nil {
		for _, k := range awstype.IdentityTags {
			filters = append(filters, by("tag:"+k, tags[k]))
		}
	}
	return filters
}

// ids collects those of things that fit.
func ids[T any](all []T, id func(T) *string, fits func(T) bool) []string {
	var out []string
	for _, t := range all {
		if fits == nil || fits(t) {
			out = append(out, aws.ToString(id(t)))
		}
	}
	return out
}

func findVPC(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	all, err := every(ctx, ec2.NewDescribeVpcsPaginator(s.ec2, &ec2.DescribeVpcsInput{Filters: filters}),
		func(p *ec2.DescribeVpcsOutput) []ec2types.Vpc { return p.Vpcs })
	return ids(all, func(v ec2types.Vpc) *string { return v.VpcId }, nil), err
}

func findSubnet(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	all, err := every(ctx, ec2.NewDescribeSubnetsPaginator(s.ec2, &ec2.DescribeSubnetsInput{Filters: filters}),
		func(p *ec2.DescribeSubnetsOutput) []ec2types.Subnet { return p.Subnets })
	return ids(all, func(n ec2types.Subnet) *string { return n.SubnetId }, nil), err
}

func (s *session) routeTables(ctx context.Context, filters ...ec2types.Filter) ([]ec2types.RouteTable, error) {
	return every(ctx, ec2.NewDescribeRouteTablesPaginator(s.ec2, &ec2.DescribeRouteTablesInput{Filters: filters}),
		func(p *ec2.DescribeRouteTablesOutput) []ec2types.RouteTable { return p.RouteTables })
}

func findRouteTable(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	all, err := s.routeTables(ctx, filters...)
	return ids(all, func(t ec2types.RouteTable) *string { return t.RouteTableId }, nil), err
}

// findRoute finds the one route that a table can have to a destination.
func findRoute(ctx context.Context, s *session, in inputs) ([]string, error) {
	table := in.text("routeTableId")
	want := in.text("destinationCidrBlock") + in.text("destinationIpv6CidrBlock") + in.text("destinationPrefixListId")
	all, err := s.routeTables(ctx, by("route-table-id", table))
	for _, t := range all {
		if slices.ContainsFunc(t.Routes, func(r ec2types.Route) bool {
			return destination(r) == want && r.Origin != ec2types.RouteOriginCreateRouteTable
		}) {
			return []string{routeID(table, want)}, nil
		}
	}
	return nil, err
}

// findAssociation finds the one table that a subnet or a gateway can have.
func findAssociation(ctx context.Context, s *session, in inputs) ([]string, error) {
	subnet, gateway := in.text("subnetId"), in.text("gatewayId")
	filter := by("association.subnet-id", subnet)
	if subnet == "" {
		filter = by("association.gateway-id", gateway)
	}
	all, err := s.routeTables(ctx, filter)
	var out []string
	for _, t := range all {
		out = append(out, ids(t.Associations, func(a ec2types.RouteTableAssociation) *string { return a.RouteTableAssociationId },
			func(a ec2types.RouteTableAssociation) bool {
				return subnet != "" && aws.ToString(a.SubnetId) == subnet || gateway != "" && aws.ToString(a.GatewayId) == gateway
			})...)
	}
	return out, err
}

// findInternetGateway finds the one that a VPC can have or, if it is not
// attached yet, one with the tags: the two are two calls.
func findInternetGateway(ctx context.Context, s *session, in inputs) ([]string, error) {
	list := func(filters ...ec2types.Filter) ([]ec2types.InternetGateway, error) {
		return every(ctx, ec2.NewDescribeInternetGatewaysPaginator(s.ec2, &ec2.DescribeInternetGatewaysInput{Filters: filters}),
			func(p *ec2.DescribeInternetGatewaysOutput) []ec2types.InternetGateway { return p.InternetGateways })
	}
	id := func(g ec2types.InternetGateway) *string { return g.InternetGatewayId }
	if vpc := in.text("vpcId"); vpc != "" {
		all, err := list(by("attachment.vpc-id", vpc))
		if err != nil || len(all) > 0 {
			return ids(all, id, nil), err
		}
	}
	filters := byIdentity(in)
	if filters == nil {
		return nil, nil
	}
	all, err := list(filters...)
	return ids(all, id, func(g ec2types.InternetGateway) bool { return len(g.Attachments) == 0 }), err
}

// findNATGateway finds the one that an address can serve.
func findNATGateway(ctx context.Context, s *session, in inputs) ([]string, error) {
	all, err := every(ctx, ec2.NewDescribeNatGatewaysPaginator(s.ec2, &ec2.DescribeNatGatewaysInput{Filter: []ec2types.Filter{by("state", "pending", "available", "failed")}}),
		func(p *ec2.DescribeNatGatewaysOutput) []ec2types.NatGateway { return p.NatGateways })
	address := in.text("allocationId")
	tags := in.identity()
	return ids(all, func(g ec2types.NatGateway) *string { return g.NatGatewayId }, func(g ec2types.NatGateway) bool {
		if address == "" {
			return holds(ec2Tags(g.Tags), tags)
		}
		return slices.ContainsFunc(g.NatGatewayAddresses, func(a ec2types.NatGatewayAddress) bool { return aws.ToString(a.AllocationId) == address })
	}), err
}

func findAddress(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	out, err := s.ec2.DescribeAddresses(ctx, &ec2.DescribeAddressesInput{Filters: filters})
	if err != nil {
		return nil, err
	}
	return ids(out.Addresses, func(a ec2types.Address) *string { return a.AllocationId }, nil), nil
}

func findEndpoint(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	all, err := every(ctx, ec2.NewDescribeVpcEndpointsPaginator(s.ec2, &ec2.DescribeVpcEndpointsInput{Filters: filters}),
		func(p *ec2.DescribeVpcEndpointsOutput) []ec2types.VpcEndpoint { return p.VpcEndpoints })
	return ids(all, func(e ec2types.VpcEndpoint) *string { return e.VpcEndpointId },
		func(e ec2types.VpcEndpoint) bool {
			return !isState(string(e.State), "deleted", "deleting", "rejected", "expired")
		}), err
}

func findPeering(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	all, err := every(ctx, ec2.NewDescribeVpcPeeringConnectionsPaginator(s.ec2, &ec2.DescribeVpcPeeringConnectionsInput{Filters: filters}),
		func(p *ec2.DescribeVpcPeeringConnectionsOutput) []ec2types.VpcPeeringConnection {
			return p.VpcPeeringConnections
		})
	return ids(all, func(p ec2types.VpcPeeringConnection) *string { return p.VpcPeeringConnectionId }, func(p ec2types.VpcPeeringConnection) bool {
		return p.Status == nil || !isState(string(p.Status.Code), "deleted", "deleting", "rejected", "expired", "failed")
	}), err
}

func findNetworkACL(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	all, err := every(ctx, ec2.NewDescribeNetworkAclsPaginator(s.ec2, &ec2.DescribeNetworkAclsInput{Filters: filters}),
		func(p *ec2.DescribeNetworkAclsOutput) []ec2types.NetworkAcl { return p.NetworkAcls })
	return ids(all, func(a ec2types.NetworkAcl) *string { return a.NetworkAclId }, nil), err
}

func findInterface(ctx context.Context, s *session, in inputs) ([]string, error) {
	filters := byIdentity(in)
	all, err := every(ctx, ec2.NewDescribeNetworkInterfacesPaginator(s.ec2, &ec2.DescribeNetworkInterfacesInput{Filters: filters}),
		func(p *ec2.DescribeNetworkInterfacesOutput) []ec2types.NetworkInterface { return p.NetworkInterfaces })
	return ids(all, func(i ec2types.NetworkInterface) *string { return i.NetworkInterfaceId }, nil), err
}

func (s *session) securityGroups(ctx context.Context, filters ...ec2types.Filter) ([]ec2types.SecurityGroup, error) {
	return every(ctx, ec2.NewDescribeSecurityGroupsPaginator(s.ec2, &ec2.DescribeSecurityGroupsInput{Filters: filters}),
		func(p *ec2.DescribeSecurityGroupsOutput) []ec2types.SecurityGroup { return p.SecurityGroups })
}

func findGroup(ctx context.Context, s *session, in inputs) ([]string, error) {
	is := in.texts("vpcId", "name")
	all, err := s.securityGroups(ctx, by("vpc-id", is[0]), by("group-name", is[1]))
	return ids(all, func(g ec2types.SecurityGroup) *string { return g.GroupId }, nil), err
}

// findDefaultGroup finds a VPC's default group once it was taken over entirely.
// It is always there; taken for taken over before its rules were taken away, it
// would keep them, because the provider leaves alone what inputs do not name.
func findDefaultGroup(ctx context.Context, s *session, in inputs) ([]string, error) {
	all, err := s.securityGroups(ctx, append(byIdentity(in), by("vpc-id", in.text("vpcId")), by("group-name", "default"))...)
	return ids(all, func(g ec2types.SecurityGroup) *string { return g.GroupId },
		func(g ec2types.SecurityGroup) bool {
			return len(g.IpPermissions) == 0 && len(g.IpPermissionsEgress) == 0
		}), err
}

// findGroupRule finds the one rule that a group can have for the same traffic.
func findGroupRule(egress bool) func(context.Context, *session, inputs) ([]string, error) {
	return func(ctx context.Context, s *session, in inputs) ([]string, error) {
		group := in.text("securityGroupId")
		all, err := every(ctx, ec2.NewDescribeSecurityGroupRulesPaginator(s.ec2, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{by("group-id", group)}}),
			func(p *ec2.DescribeSecurityGroupRulesOutput) []ec2types.SecurityGroupRule {
				return p.SecurityGroupRules
			})
		return ids(all, func(r ec2types.SecurityGroupRule) *string { return r.SecurityGroupRuleId },
			func(r ec2types.SecurityGroupRule) bool { return aws.ToBool(r.IsEgress) == egress && sameTraffic(r, in) }), err
	}
}

func sameTraffic(r ec2types.SecurityGroupRule, in inputs) bool {
	port := func(key string) int32 {
		n, _ := in[key].(float64)
		return int32(n)
	}
	protocol, peer := in.text("ipProtocol"), ""
	if r.ReferencedGroupInfo != nil {
		peer = aws.ToString(r.ReferencedGroupInfo.GroupId)
	}
	if aws.ToString(r.IpProtocol) != protocol || protocol == "" {
		return false
	}
	if protocol != "-1" && (aws.ToInt32(r.FromPort) != port("fromPort") || aws.ToInt32(r.ToPort) != port("toPort")) {
		return false
	}
	return aws.ToString(r.CidrIpv4) == in.text("cidrIpv4") && aws.ToString(r.CidrIpv6) == in.text("cidrIpv6") &&
		aws.ToString(r.PrefixListId) == in.text("prefixListId") && peer == in.text("referencedSecurityGroupId")
}

// findFlowLog finds the one log that a network can have of the same traffic to
// the same place.
func findFlowLog(ctx context.Context, s *session, in inputs) ([]string, error) {
	of, to := in.text("vpcId")+in.text("subnetId")+in.text("eniId"), in.text("logDestination")
	all, err := every(ctx, ec2.NewDescribeFlowLogsPaginator(s.ec2, &ec2.DescribeFlowLogsInput{Filter: []ec2types.Filter{by("resource-id", of)}}),
		func(p *ec2.DescribeFlowLogsOutput) []ec2types.FlowLog { return p.FlowLogs })
	return ids(all, func(f ec2types.FlowLog) *string { return f.FlowLogId }, func(f ec2types.FlowLog) bool {
		// A group of CloudWatch Logs is told by its name or by its ARN.
		there := aws.ToString(f.LogDestination) == to || aws.ToString(f.LogGroupName) != "" && logGroupOf(to) == aws.ToString(f.LogGroupName)
		return there && string(f.TrafficType) == in.text("trafficType")
	}), err
}

func findLaunchTemplate(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	all, err := every(ctx, ec2.NewDescribeLaunchTemplatesPaginator(s.ec2, &ec2.DescribeLaunchTemplatesInput{Filters: []ec2types.Filter{by("launch-template-name", name)}}),
		func(p *ec2.DescribeLaunchTemplatesOutput) []ec2types.LaunchTemplate { return p.LaunchTemplates })
	return ids(all, func(t ec2types.LaunchTemplate) *string { return t.LaunchTemplateId }, nil), err
}
