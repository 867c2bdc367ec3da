package aws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"freehold.dev/freehold/internal/cloud"
)

func removeVPC(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: aws.String(it.ID)})
	return err
}

func removeSubnet(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteSubnet(ctx, &ec2.DeleteSubnetInput{SubnetId: aws.String(it.ID)})
	return err
}

func removeRouteTable(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteRouteTable(ctx, &ec2.DeleteRouteTableInput{RouteTableId: aws.String(it.ID)})
	return err
}

// removeRoute looks for the route: its id is a hash of what it leads to.
func removeRoute(ctx context.Context, s *session, it cloud.Item) error {
	n, err := s.networks()
	if err != nil {
		return err
	}
	for _, t := range n.tables {
		for _, r := range t.Routes {
			if routeID(aws.ToString(t.RouteTableId), destination(r)) != it.ID {
				continue
			}
			_, err := s.ec2.DeleteRoute(ctx, &ec2.DeleteRouteInput{
				RouteTableId: t.RouteTableId, DestinationCidrBlock: r.DestinationCidrBlock,
				DestinationIpv6CidrBlock: r.DestinationIpv6CidrBlock, DestinationPrefixListId: r.DestinationPrefixListId,
			})
			return err
		}
	}
	return nil
}

func removeAssociation(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DisassociateRouteTable(ctx, &ec2.DisassociateRouteTableInput{AssociationId: aws.String(it.ID)})
	return err
}

func removeInternetGateway(ctx context.Context, s *session, it cloud.Item) error {
	out, err := s.ec2.DescribeInternetGateways(ctx, &ec2.DescribeInternetGatewaysInput{InternetGatewayIds: []string{it.ID}})
	if err != nil {
		return err
	}
	for _, g := range out.InternetGateways {
		for _, a := range g.Attachments {
			_, err := s.ec2.DetachInternetGateway(ctx, &ec2.DetachInternetGatewayInput{InternetGatewayId: g.InternetGatewayId, VpcId: a.VpcId})
			if unless(err) != nil && !isCode(err, "Gateway.NotAttached") {
				return err
			}
		}
	}
	_, err = s.ec2.DeleteInternetGateway(ctx, &ec2.DeleteInternetGatewayInput{InternetGatewayId: aws.String(it.ID)})
	return err
}

// removeNATGateway waits: the address and the subnet are in use until it is gone.
func removeNATGateway(ctx context.Context, s *session, it cloud.Item) error {
	if _, err := s.ec2.DeleteNatGateway(ctx, &ec2.DeleteNatGatewayInput{NatGatewayId: aws.String(it.ID)}); err != nil {
		return err
	}
	return s.awaitGone(ctx, "NAT gateway "+it.ID, func(ctx context.Context) error {
		return ec2.NewNatGatewayDeletedWaiter(s.ec2).Wait(ctx, &ec2.DescribeNatGatewaysInput{NatGatewayIds: []string{it.ID}}, removalLasts)
	})
}

func removeAddress(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.ReleaseAddress(ctx, &ec2.ReleaseAddressInput{AllocationId: aws.String(it.ID)})
	return err
}

func removeNetworkACL(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteNetworkAcl(ctx, &ec2.DeleteNetworkAclInput{NetworkAclId: aws.String(it.ID)})
	return err
}

func removeDHCPOptions(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteDhcpOptions(ctx, &ec2.DeleteDhcpOptionsInput{DhcpOptionsId: aws.String(it.ID)})
	return err
}

// removeEndpoint: the call succeeds although endpoints were refused. Interfaces
// in subnets go a little later.
func removeEndpoint(ctx context.Context, s *session, it cloud.Item) error {
	out, err := s.ec2.DeleteVpcEndpoints(ctx, &ec2.DeleteVpcEndpointsInput{VpcEndpointIds: []string{it.ID}})
	if err != nil {
		return err
	}
	if err := refused("ec2:DeleteVpcEndpoints", out.Unsuccessful); err != nil {
		return err
	}
	return s.untilGone(ctx, "endpoint "+it.ID, func(ctx context.Context) (bool, error) {
		out, err := s.ec2.DescribeVpcEndpoints(ctx, &ec2.DescribeVpcEndpointsInput{VpcEndpointIds: []string{it.ID}})
		if gone(err) || err == nil && (len(out.VpcEndpoints) == 0 || isState(string(out.VpcEndpoints[0].State), "deleted")) {
			return true, nil
		}
		return false, err
	})
}

// refused turns the refusals in an answer of EC2 into an error.
func refused(action string, items []ec2types.UnsuccessfulItem) error {
	for _, u := range items {
		if u.Error == nil {
			continue
		}
		if e := (&refusal{aws.ToString(u.Error.Code), aws.ToString(u.Error.Message)}); !gone(e) {
			return fmt.Errorf("%s: %w", action, e)
		}
	}
	return nil
}

func removeEndpointService(ctx context.Context, s *session, it cloud.Item) error {
	out, err := s.ec2.DeleteVpcEndpointServiceConfigurations(ctx, &ec2.DeleteVpcEndpointServiceConfigurationsInput{ServiceIds: []string{it.ID}})
	if err != nil {
		return err
	}
	return refused("ec2:DeleteVpcEndpointServiceConfigurations", out.Unsuccessful)
}

func removePeering(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteVpcPeeringConnection(ctx, &ec2.DeleteVpcPeeringConnectionInput{VpcPeeringConnectionId: aws.String(it.ID)})
	return err
}

func removeTransitGateway(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteTransitGateway(ctx, &ec2.DeleteTransitGatewayInput{TransitGatewayId: aws.String(it.ID)})
	return err
}

func removeTransitVPC(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteTransitGatewayVpcAttachment(ctx, &ec2.DeleteTransitGatewayVpcAttachmentInput{TransitGatewayAttachmentId: aws.String(it.ID)})
	if err != nil {
		return err
	}
	return s.detached(ctx, it.ID)
}

func removeTransitPeering(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ec2.DeleteTransitGatewayPeeringAttachment(ctx, &ec2.DeleteTransitGatewayPeeringAttachmentInput{TransitGatewayAttachmentId: aws.String(it.ID)})
	if err != nil {
		return err
	}
	return s.detached(ctx, it.ID)
}

// detached waits until an attachment is gone: its gateway cannot go before.
func (s *session) detached(ctx context.Context, id string) error {
	return s.untilGone(ctx, "transit gateway attachment "+id, func(ctx context.Context) (bool, error) {
		out, err := s.ec2.DescribeTransitGatewayAttachments(ctx, &ec2.DescribeTransitGatewayAttachmentsInput{TransitGatewayAttachmentIds: []string{id}})
		if gone(err) || err == nil && (len(out.TransitGatewayAttachments) == 0 || isState(string(out.TransitGatewayAttachments[0].State), "deleted")) {
			return true, nil
		}
		return false, err
	})
}

// removeGroup takes the rules of other groups that name this one away first:
// EC2 deletes no group that is named. Its own rules go with it.
func removeGroup(ctx context.Context, s *session, it cloud.Item) error {
	for _, direction := range []string{"ip-permission.group-id", "egress.ip-permission.group-id"} {
		others, err := s.securityGroups(ctx, by(direction, it.ID))
		if err != nil {
			return err
		}
		for _, g := range others {
			if err := s.forget(ctx, aws.ToString(g.GroupId), it.ID); err != nil {
				return err
			}
		}
	}
	_, err := s.ec2.DeleteSecurityGroup(ctx, &ec2.DeleteSecurityGroupInput{GroupId: aws.String(it.ID)})
	return err
}

// forget removes the rules of one group that name another.
func (s *session) forget(ctx context.Context, group, other string) error {
	rules, err := every(ctx, ec2.NewDescribeSecurityGroupRulesPaginator(s.ec2, &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{by("group-id", group)}}),
		func(p *ec2.DescribeSecurityGroupRulesOutput) []ec2types.SecurityGroupRule {
			return p.SecurityGroupRules
		})
	if err != nil {
		return err
	}
	for _, r := range rules {
		if r.ReferencedGroupInfo == nil || aws.ToString(r.ReferencedGroupInfo.GroupId) != other {
			continue
		}
		if err := s.revoke(ctx, r); unless(err) != nil {
			return err
		}
	}
	return nil
}

func (s *session) revoke(ctx context.Context, r ec2types.SecurityGroupRule) error {
	if aws.ToBool(r.IsEgress) {
		_, err := s.ec2.RevokeSecurityGroupEgress(ctx, &ec2.RevokeSecurityGroupEgressInput{GroupId: r.GroupId, SecurityGroupRuleIds: []string{aws.ToString(r.SecurityGroupRuleId)}})
		return err
	}
	_, err := s.ec2.RevokeSecurityGroupIngress(ctx, &ec2.RevokeSecurityGroupIngressInput{GroupId: r.GroupId, SecurityGroupRuleIds: []string{aws.ToString(r.SecurityGroupRuleId)}})
	return err
}

// removeGroupRule asks which group a rule is of: its id does not say.
func removeGroupRule(ctx context.Context, s *session, it cloud.Item) error {
	out, err := s.ec2.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{it.ID}})
	if err != nil {
		return err
	}
	for _, r := range out.SecurityGroupRules {
		if err := s.revoke(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

func removeFlowLog(ctx context.Context, s *session, it cloud.Item) error {
	out, err := s.ec2.DeleteFlowLogs(ctx, &ec2.DeleteFlowLogsInput{FlowLogIds: []string{it.ID}})
	if err != nil {
		return err
	}
	return refused("ec2:DeleteFlowLogs", out.Unsuccessful)
}

func removeLoadBalancer(ctx context.Context, s *session, it cloud.Item) error {
	if _, err := s.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: aws.String(it.ID)}); err != nil {
		return err
	}
	return s.awaitGone(ctx, "load balancer "+it.ID, func(ctx context.Context) error {
		return elb.NewLoadBalancersDeletedWaiter(s.elb).Wait(ctx, &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{it.ID}}, removalLasts)
	})
}

func removeTargetGroup(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: aws.String(it.ID)})
	return err
}
