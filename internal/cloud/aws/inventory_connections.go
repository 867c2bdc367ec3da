package aws

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// What lets traffic into a network, out of it, or shows it.

func listGroups(_ context.Context, s *session) ([]cloud.Item, error) {
	n, err := s.networks()
	var items []cloud.Item
	for _, g := range n.groups {
		if s.theirs(g.OwnerId) {
			continue
		}
		it := cloud.Item{Type: awstype.EC2SecurityGroup, ID: aws.ToString(g.GroupId), Name: aws.ToString(g.GroupName), Tags: ec2Tags(g.Tags)}
		it.ByCloud = groupByCloud(g)
		items = append(items, it)
	}
	return items, err
}

// groupByCloud reports whether AWS made a group: a VPC's default one, whose name
// nobody else's can have, and a cluster's own. Tags that begin with "aws:" are
// AWS's alone to set.
// https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
func groupByCloud(g ec2types.SecurityGroup) bool {
	return aws.ToString(g.GroupName) == "default" || ec2Tags(g.Tags)["aws:eks:cluster-name"] != ""
}

func listGroupRules(ctx context.Context, s *session) ([]cloud.Item, error) {
	n, err := s.networks()
	if err != nil {
		return nil, err
	}
	made := map[string]bool{}
	for _, g := range n.groups {
		made[aws.ToString(g.GroupId)] = groupByCloud(g)
	}
	all, err := every(ctx, ec2.NewDescribeSecurityGroupRulesPaginator(s.ec2, &ec2.DescribeSecurityGroupRulesInput{}),
		func(p *ec2.DescribeSecurityGroupRulesOutput) []ec2types.SecurityGroupRule {
			return p.SecurityGroupRules
		})
	var items []cloud.Item
	for _, r := range all {
		if s.theirs(r.GroupOwnerId) {
			continue
		}
		typ := awstype.EC2IngressRule
		if aws.ToBool(r.IsEgress) {
			typ = awstype.EC2EgressRule
		}
		it := thing(typ, aws.ToString(r.SecurityGroupRuleId), ec2Tags(r.Tags))
		it.ARN, it.Of = aws.ToString(r.SecurityGroupRuleArn), aws.ToString(r.GroupId)
		if it.Name == "" {
			it.Name = aws.ToString(r.GroupId)
		}
		if other := r.ReferencedGroupInfo; other != nil && s.theirs(other.UserId) {
			it.Properties = map[string]any{"referencedSecurityGroupId": aws.ToString(other.UserId) + "/" + aws.ToString(other.GroupId)}
		}
		it.ByCloud = made[aws.ToString(r.GroupId)] && firstRule(r)
		items = append(items, it)
	}
	return items, err
}

// firstRule reports whether a rule is like those that AWS puts into its own
// groups: everything in from the group itself, everything out. Any other rule
// of such a group is somebody's.
func firstRule(r ec2types.SecurityGroupRule) bool {
	if aws.ToString(r.IpProtocol) != "-1" {
		return false
	}
	itself := r.ReferencedGroupInfo != nil && aws.ToString(r.ReferencedGroupInfo.GroupId) == aws.ToString(r.GroupId)
	if !aws.ToBool(r.IsEgress) {
		return itself
	}
	return itself || aws.ToString(r.CidrIpv4) == "0.0.0.0/0" || aws.ToString(r.CidrIpv6) == "::/0"
}

// endpoints are the account's, but for those that are gone.
func (s *session) endpoints(ctx context.Context) ([]ec2types.VpcEndpoint, error) {
	all, err := every(ctx, ec2.NewDescribeVpcEndpointsPaginator(s.ec2, &ec2.DescribeVpcEndpointsInput{}),
		func(p *ec2.DescribeVpcEndpointsOutput) []ec2types.VpcEndpoint { return p.VpcEndpoints })
	return slices.DeleteFunc(all, func(e ec2types.VpcEndpoint) bool {
		return s.theirs(e.OwnerId) || isState(string(e.State), "deleted", "rejected", "expired")
	}), err
}

func listEndpoints(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := s.endpoints(ctx)
	var items []cloud.Item
	for _, e := range all {
		it := thing(awstype.EC2Endpoint, aws.ToString(e.VpcEndpointId), ec2Tags(e.Tags))
		it.ByCloud = aws.ToBool(e.RequesterManaged)
		it.Properties = map[string]any{
			"vpcId": aws.ToString(e.VpcId), "serviceName": aws.ToString(e.ServiceName),
			"serviceNetworkArn": aws.ToString(e.ServiceNetworkArn), "resourceConfigurationArn": aws.ToString(e.ResourceConfigurationArn),
		}
		items = append(items, it)
	}
	return items, err
}

// isState compares states without their case, which EC2's own documents and
// answers do not agree on.
func isState(got string, states ...string) bool {
	return slices.ContainsFunc(states, func(want string) bool { return strings.EqualFold(got, want) })
}

func listEndpointServices(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeVpcEndpointServiceConfigurationsPaginator(s.ec2, &ec2.DescribeVpcEndpointServiceConfigurationsInput{}),
		func(p *ec2.DescribeVpcEndpointServiceConfigurationsOutput) []ec2types.ServiceConfiguration {
			return p.ServiceConfigurations
		})
	var items []cloud.Item
	for _, e := range all {
		if e.ServiceState != ec2types.ServiceStateDeleted {
			items = append(items, thing(awstype.EC2EndpointService, aws.ToString(e.ServiceId), ec2Tags(e.Tags)))
		}
	}
	return items, err
}

func listPeerings(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeVpcPeeringConnectionsPaginator(s.ec2, &ec2.DescribeVpcPeeringConnectionsInput{}),
		func(p *ec2.DescribeVpcPeeringConnectionsOutput) []ec2types.VpcPeeringConnection {
			return p.VpcPeeringConnections
		})
	var items []cloud.Item
	for _, p := range all {
		if p.Status != nil && isState(string(p.Status.Code), "deleted", "rejected", "expired", "failed") {
			continue
		}
		it := thing(awstype.EC2Peering, aws.ToString(p.VpcPeeringConnectionId), ec2Tags(p.Tags))
		if from, to := p.RequesterVpcInfo, p.AccepterVpcInfo; from != nil && to != nil {
			it.Properties = map[string]any{
				"vpcId": aws.ToString(from.VpcId), "ownerId": aws.ToString(from.OwnerId),
				"peerVpcId": aws.ToString(to.VpcId), "peerOwnerId": aws.ToString(to.OwnerId),
			}
		}
		items = append(items, it)
	}
	return items, err
}

// listTransitGateways lists attachments, also to other accounts' gateways, and
// the account's own gateways.
func listTransitGateways(ctx context.Context, s *session) ([]cloud.Item, error) {
	attachments, err := every(ctx, ec2.NewDescribeTransitGatewayAttachmentsPaginator(s.ec2, &ec2.DescribeTransitGatewayAttachmentsInput{}),
		func(p *ec2.DescribeTransitGatewayAttachmentsOutput) []ec2types.TransitGatewayAttachment {
			return p.TransitGatewayAttachments
		})
	if err != nil {
		return nil, err
	}
	peers, err := transitPeers(ctx, s, attachments)
	if err != nil {
		return nil, err
	}
	var items []cloud.Item
	for _, a := range attachments {
		if isState(string(a.State), "deleted", "rejected", "failed") {
			continue
		}
		typ := "aws:ec2transitgateway/" + string(a.ResourceType) + "Attachment:Attachment"
		switch a.ResourceType {
		case ec2types.TransitGatewayAttachmentResourceTypeVpc:
			typ = awstype.TransitVPCAttachment
		case ec2types.TransitGatewayAttachmentResourceTypePeering:
			typ = awstype.TransitPeering
		default: // VPN, Direct Connect: listed by what they are
		}
		it := thing(typ, aws.ToString(a.TransitGatewayAttachmentId), ec2Tags(a.Tags))
		it.Properties = map[string]any{
			"transitGatewayId": aws.ToString(a.TransitGatewayId), "transitGatewayOwnerId": aws.ToString(a.TransitGatewayOwnerId), "vpcOwnerId": aws.ToString(a.ResourceOwnerId),
		}
		if peer := peers[it.ID]; peer != "" {
			it.Properties["peerAccountId"] = peer
		}
		items = append(items, it)
	}
	gateways, err := every(ctx, ec2.NewDescribeTransitGatewaysPaginator(s.ec2, &ec2.DescribeTransitGatewaysInput{}),
		func(p *ec2.DescribeTransitGatewaysOutput) []ec2types.TransitGateway { return p.TransitGateways })
	for _, g := range gateways {
		if s.theirs(g.OwnerId) || g.State == ec2types.TransitGatewayStateDeleted {
			continue
		}
		it := thing(awstype.TransitGateway, aws.ToString(g.TransitGatewayId), ec2Tags(g.Tags))
		it.ARN = aws.ToString(g.TransitGatewayArn)
		items = append(items, it)
	}
	return items, err
}

// transitPeers are the accounts at the other end of peerings, by attachment. The
// list of all attachments tells only the owner of the account's own end.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TransitGatewayPeeringAttachment.html
func transitPeers(ctx context.Context, s *session, all []ec2types.TransitGatewayAttachment) (map[string]string, error) {
	if !slices.ContainsFunc(all, func(a ec2types.TransitGatewayAttachment) bool {
		return a.ResourceType == ec2types.TransitGatewayAttachmentResourceTypePeering
	}) {
		return nil, nil
	}
	peerings, err := every(ctx, ec2.NewDescribeTransitGatewayPeeringAttachmentsPaginator(s.ec2, &ec2.DescribeTransitGatewayPeeringAttachmentsInput{}),
		func(p *ec2.DescribeTransitGatewayPeeringAttachmentsOutput) []ec2types.TransitGatewayPeeringAttachment {
			return p.TransitGatewayPeeringAttachments
		})
	out := map[string]string{}
	for _, p := range peerings {
		for _, end := range []*ec2types.PeeringTgwInfo{p.RequesterTgwInfo, p.AccepterTgwInfo} {
			if end != nil && s.theirs(end.OwnerId) {
				out[aws.ToString(p.TransitGatewayAttachmentId)] = aws.ToString(end.OwnerId)
			}
		}
	}
	return out, err
}

func listFlowLogs(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ec2.NewDescribeFlowLogsPaginator(s.ec2, &ec2.DescribeFlowLogsInput{}),
		func(p *ec2.DescribeFlowLogsOutput) []ec2types.FlowLog { return p.FlowLogs })
	var items []cloud.Item
	for _, f := range all {
		it := thing(awstype.EC2FlowLog, aws.ToString(f.FlowLogId), ec2Tags(f.Tags))
		to := aws.ToString(f.LogDestination)
		if to == "" { // a log group may be told by its name alone
			to = "arn:aws:logs:" + s.region + ":" + s.account + ":log-group:" + aws.ToString(f.LogGroupName)
		}
		it.Properties = map[string]any{"logDestination": to, "deliverCrossAccountRole": aws.ToString(f.DeliverCrossAccountRole)}
		it.Slot = slot(it.Type, map[string]any{"vpcId": aws.ToString(f.ResourceId), "logDestination": to, "trafficType": string(f.TrafficType)})
		items = append(items, it)
	}
	return items, err
}

func listLoadBalancers(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, elb.NewDescribeLoadBalancersPaginator(s.elb, &elb.DescribeLoadBalancersInput{}),
		func(p *elb.DescribeLoadBalancersOutput) []elbtypes.LoadBalancer { return p.LoadBalancers })
	var items []cloud.Item
	for _, b := range all {
		arn := aws.ToString(b.LoadBalancerArn)
		items = append(items, named(awstype.LoadBalancer, arn, aws.ToString(b.LoadBalancerName), arn))
	}
	return items, err
}

func listTargetGroups(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, elb.NewDescribeTargetGroupsPaginator(s.elb, &elb.DescribeTargetGroupsInput{}),
		func(p *elb.DescribeTargetGroupsOutput) []elbtypes.TargetGroup { return p.TargetGroups })
	var items []cloud.Item
	for _, g := range all {
		arn := aws.ToString(g.TargetGroupArn)
		items = append(items, named(awstype.TargetGroup, arn, aws.ToString(g.TargetGroupName), arn))
	}
	return items, err
}
