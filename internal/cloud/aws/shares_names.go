package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	route53types "github.com/aws/aws-sdk-go-v2/service/route53/types"
	"github.com/aws/aws-sdk-go-v2/service/route53resolver"
	resolvertypes "github.com/aws/aws-sdk-go-v2/service/route53resolver/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listZones lists the account's private zones with the networks in them, the
// networks that may yet be, and the zones of others that its networks are in.
// Route 53 has one endpoint for all regions.
func listZones(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, privateZones, zonesOfNetworks)
}

func privateZones(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := route53.NewFromConfig(s.cfg)
	all, err := every(ctx, route53.NewListHostedZonesPaginator(c, &route53.ListHostedZonesInput{}),
		func(p *route53.ListHostedZonesOutput) []route53types.HostedZone { return p.HostedZones })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, z route53types.HostedZone) ([]cloud.Item, error) {
		id := strings.TrimPrefix(aws.ToString(z.Id), "/hostedzone/")
		it := shared(awstype.Route53Zone, id, nil)
		it.Name, it.ARN = aws.ToString(z.Name), "arn:aws:route53:::hostedzone/"+id
		if z.Config == nil || !z.Config.PrivateZone {
			return []cloud.Item{it}, nil
		}
		out, err := c.GetHostedZone(ctx, &route53.GetHostedZoneInput{Id: z.Id})
		if err != nil {
			return nil, err
		}
		var vpcs []any
		for _, v := range out.VPCs {
			vpcs = append(vpcs, map[string]any{"vpcId": aws.ToString(v.VPCId), "vpcRegion": string(v.VPCRegion)})
		}
		it.Properties = map[string]any{"vpcs": vpcs}
		items := []cloud.Item{it}
		may, err := pages(func(token *string) ([]route53types.VPC, *string, error) {
			out, err := c.ListVPCAssociationAuthorizations(ctx, &route53.ListVPCAssociationAuthorizationsInput{HostedZoneId: z.Id, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.VPCs, out.NextToken, nil
		})
		for _, v := range may {
			items = append(items, shared(awstype.Route53Authorization, id+":"+aws.ToString(v.VPCId), map[string]any{"zoneId": id, "vpcId": aws.ToString(v.VPCId)}))
		}
		return items, err
	})
}

// zonesOfNetworks leaves out the zones of AWS's own services, by which endpoints
// have their names, and the account's own, which are listed with their networks.
func zonesOfNetworks(ctx context.Context, s *session) ([]cloud.Item, error) {
	n, err := s.networks()
	if err != nil {
		return nil, err
	}
	c := route53.NewFromConfig(s.cfg)
	var own []string
	for _, v := range n.vpcs {
		if !s.theirs(v.OwnerId) {
			own = append(own, aws.ToString(v.VpcId))
		}
	}
	return eachOf(ctx, own, func(ctx context.Context, vpc string) ([]cloud.Item, error) {
		all, err := pages(func(token *string) ([]route53types.HostedZoneSummary, *string, error) {
			out, err := c.ListHostedZonesByVPC(ctx, &route53.ListHostedZonesByVPCInput{VPCId: aws.String(vpc), VPCRegion: route53types.VPCRegion(s.region), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.HostedZoneSummaries, out.NextToken, nil
		})
		var items []cloud.Item
		for _, z := range all {
			if z.Owner == nil || aws.ToString(z.Owner.OwningService) != "" || aws.ToString(z.Owner.OwningAccount) == s.account {
				continue
			}
			id := aws.ToString(z.HostedZoneId)
			items = append(items, shared(awstype.Route53ZoneAssociation, id+":"+vpc, map[string]any{
				"zoneId": id, "vpcId": vpc, "owningAccount": aws.ToString(z.Owner.OwningAccount),
			}))
		}
		return items, err
	})
}

// listResolver lists the rules of other accounts that the account's networks
// follow, and where queries are logged.
func listResolver(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, resolverRules, queryLogs)
}

func resolverRules(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := route53resolver.NewFromConfig(s.cfg)
	rules, err := every(ctx, route53resolver.NewListResolverRulesPaginator(c, &route53resolver.ListResolverRulesInput{}),
		func(p *route53resolver.ListResolverRulesOutput) []resolvertypes.ResolverRule { return p.ResolverRules })
	if err != nil {
		return nil, err
	}
	owners := map[string]string{}
	for _, r := range rules {
		owners[aws.ToString(r.Id)] = aws.ToString(r.OwnerId)
	}
	all, err := every(ctx, route53resolver.NewListResolverRuleAssociationsPaginator(c, &route53resolver.ListResolverRuleAssociationsInput{}),
		func(p *route53resolver.ListResolverRuleAssociationsOutput) []resolvertypes.ResolverRuleAssociation {
			return p.ResolverRuleAssociations
		})
	var items []cloud.Item
	for _, a := range all {
		// The owner of the rules that AWS makes is "Route 53 Resolver".
		rule := aws.ToString(a.ResolverRuleId)
		items = append(items, shared(awstype.ResolverRuleAssociation, aws.ToString(a.Id), map[string]any{"resolverRuleId": rule, "vpcId": aws.ToString(a.VPCId), "ownerId": owners[rule]}))
	}
	return items, err
}

func queryLogs(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := route53resolver.NewFromConfig(s.cfg)
	all, err := every(ctx, route53resolver.NewListResolverQueryLogConfigsPaginator(c, &route53resolver.ListResolverQueryLogConfigsInput{}),
		func(p *route53resolver.ListResolverQueryLogConfigsOutput) []resolvertypes.ResolverQueryLogConfig {
			return p.ResolverQueryLogConfigs
		})
	var items []cloud.Item
	for _, q := range all {
		it := shared(awstype.ResolverQueryLog, aws.ToString(q.Id), map[string]any{"destinationArn": aws.ToString(q.DestinationArn), "ownerId": aws.ToString(q.OwnerId)})
		it.ARN = aws.ToString(q.Arn)
		items = append(items, it)
	}
	return items, err
}
