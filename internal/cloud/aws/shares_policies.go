package aws

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codebuild"
	"github.com/aws/aws-sdk-go-v2/service/kafka"
	kafkatypes "github.com/aws/aws-sdk-go-v2/service/kafka/types"
	"github.com/aws/aws-sdk-go-v2/service/networkfirewall"
	firewalltypes "github.com/aws/aws-sdk-go-v2/service/networkfirewall/types"
	"github.com/aws/aws-sdk-go-v2/service/schemas"
	schemastypes "github.com/aws/aws-sdk-go-v2/service/schemas/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sestypes "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/ssmincidents"
	incidentstypes "github.com/aws/aws-sdk-go-v2/service/ssmincidents/types"
	"github.com/aws/aws-sdk-go-v2/service/xray"
	xraytypes "github.com/aws/aws-sdk-go-v2/service/xray/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

func listBuilds(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := codebuild.NewFromConfig(s.cfg)
	names, err := walk(ctx, c.ListProjects,
		func(next *string) *codebuild.ListProjectsInput { return &codebuild.ListProjectsInput{NextToken: next} },
		func(o *codebuild.ListProjectsOutput) ([]string, *string) { return o.Projects, o.NextToken })
	if err != nil {
		return nil, err
	}
	arns, err := walk(ctx, c.ListReportGroups,
		func(next *string) *codebuild.ListReportGroupsInput {
			return &codebuild.ListReportGroupsInput{NextToken: next}
		},
		func(o *codebuild.ListReportGroupsOutput) ([]string, *string) { return o.ReportGroups, o.NextToken })
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		arns = append(arns, "arn:aws:codebuild:"+s.region+":"+s.account+":project/"+name)
	}
	return eachOf(ctx, arns, func(ctx context.Context, arn string) ([]cloud.Item, error) {
		out, err := c.GetResourcePolicy(ctx, &codebuild.GetResourcePolicyInput{ResourceArn: aws.String(arn)})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.CodeBuildPolicy, arn, "policy", aws.ToString(out.Policy)), nil
	})
}

func listKafka(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := kafka.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListClustersV2,
		func(next *string) *kafka.ListClustersV2Input { return &kafka.ListClustersV2Input{NextToken: next} },
		func(o *kafka.ListClustersV2Output) ([]kafkatypes.Cluster, *string) {
			return o.ClusterInfoList, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, k kafkatypes.Cluster) ([]cloud.Item, error) {
		out, err := c.GetClusterPolicy(ctx, &kafka.GetClusterPolicyInput{ClusterArn: k.ClusterArn})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.KafkaPolicy, aws.ToString(k.ClusterArn), "policy", aws.ToString(out.Policy)), nil
	})
}

func listFirewalls(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := networkfirewall.NewFromConfig(s.cfg)
	var arns []*string
	found, err := walk(ctx, c.ListFirewallPolicies,
		func(next *string) *networkfirewall.ListFirewallPoliciesInput {
			return &networkfirewall.ListFirewallPoliciesInput{NextToken: next}
		},
		func(o *networkfirewall.ListFirewallPoliciesOutput) ([]firewalltypes.FirewallPolicyMetadata, *string) {
			return o.FirewallPolicies, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	for _, p := range found {
		arns = append(arns, p.Arn)
	}
	// Without a scope, the list is of the account's own groups.
	groups, err := walk(ctx, c.ListRuleGroups,
		func(next *string) *networkfirewall.ListRuleGroupsInput {
			return &networkfirewall.ListRuleGroupsInput{NextToken: next}
		},
		func(o *networkfirewall.ListRuleGroupsOutput) ([]firewalltypes.RuleGroupMetadata, *string) {
			return o.RuleGroups, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		arns = append(arns, g.Arn)
	}
	return eachOf(ctx, arns, func(ctx context.Context, arn *string) ([]cloud.Item, error) {
		if accountOf(aws.ToString(arn)) != s.account {
			return nil, nil // shared with the account: its policy is its owner's
		}
		out, err := c.DescribeResourcePolicy(ctx, &networkfirewall.DescribeResourcePolicyInput{ResourceArn: arn})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.FirewallPolicy, aws.ToString(arn), "policy", aws.ToString(out.Policy)), nil
	})
}

// listSchemas leaves out AWS's own registries, "aws.events", which have no policy
// of the account's.
func listSchemas(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := schemas.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListRegistries,
		func(next *string) *schemas.ListRegistriesInput {
			return &schemas.ListRegistriesInput{NextToken: next}
		},
		func(o *schemas.ListRegistriesOutput) ([]schemastypes.RegistrySummary, *string) {
			return o.Registries, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(r schemastypes.RegistrySummary) bool {
		return strings.HasPrefix(aws.ToString(r.RegistryName), "aws.")
	})
	return eachOf(ctx, all, func(ctx context.Context, r schemastypes.RegistrySummary) ([]cloud.Item, error) {
		out, err := c.GetResourcePolicy(ctx, &schemas.GetResourcePolicyInput{RegistryName: r.RegistryName})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.SchemaPolicy, aws.ToString(r.RegistryName), "policy", aws.ToString(out.Policy)), nil
	})
}

func listMail(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := sesv2.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListEmailIdentities,
		func(next *string) *sesv2.ListEmailIdentitiesInput {
			return &sesv2.ListEmailIdentitiesInput{NextToken: next}
		},
		func(o *sesv2.ListEmailIdentitiesOutput) ([]sestypes.IdentityInfo, *string) {
			return o.EmailIdentities, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, i sestypes.IdentityInfo) ([]cloud.Item, error) {
		out, err := c.GetEmailIdentityPolicies(ctx, &sesv2.GetEmailIdentityPoliciesInput{EmailIdentity: i.IdentityName})
		if err != nil {
			return nil, err
		}
		var items []cloud.Item
		for _, name := range slices.Sorted(maps.Keys(out.Policies)) {
			items = append(items, policyItem(awstype.MailPolicy, aws.ToString(i.IdentityName)+"|"+name, "policy", out.Policies[name])...)
		}
		return items, nil
	})
}

// listResponsePlans asks for plans only where Incident Manager was set up: that
// is what a replication set is.
// https://docs.aws.amazon.com/incident-manager/latest/userguide/getting-started.html
func listResponsePlans(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := ssmincidents.NewFromConfig(s.cfg)
	sets, err := walk(ctx, c.ListReplicationSets,
		func(next *string) *ssmincidents.ListReplicationSetsInput {
			return &ssmincidents.ListReplicationSetsInput{NextToken: next}
		},
		func(o *ssmincidents.ListReplicationSetsOutput) ([]string, *string) {
			return o.ReplicationSetArns, o.NextToken
		})
	if err != nil || len(sets) == 0 {
		return nil, err
	}
	plans, err := walk(ctx, c.ListResponsePlans,
		func(next *string) *ssmincidents.ListResponsePlansInput {
			return &ssmincidents.ListResponsePlansInput{NextToken: next}
		},
		func(o *ssmincidents.ListResponsePlansOutput) ([]incidentstypes.ResponsePlanSummary, *string) {
			return o.ResponsePlanSummaries, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, plans, func(ctx context.Context, p incidentstypes.ResponsePlanSummary) ([]cloud.Item, error) {
		policies, err := walk(ctx, c.GetResourcePolicies,
			func(next *string) *ssmincidents.GetResourcePoliciesInput {
				return &ssmincidents.GetResourcePoliciesInput{ResourceArn: p.Arn, NextToken: next}
			},
			func(o *ssmincidents.GetResourcePoliciesOutput) ([]incidentstypes.ResourcePolicy, *string) {
				return o.ResourcePolicies, o.NextToken
			})
		var items []cloud.Item
		for _, policy := range policies {
			for _, it := range policyItem(awstype.ResponsePlan, aws.ToString(p.Arn), "policy", aws.ToString(policy.PolicyDocument)) {
				it.Name = aws.ToString(p.Name)
				items = append(items, it)
			}
		}
		return items, err
	})
}

func listTraces(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := walk(ctx, xray.NewFromConfig(s.cfg).ListResourcePolicies,
		func(next *string) *xray.ListResourcePoliciesInput {
			return &xray.ListResourcePoliciesInput{NextToken: next}
		},
		func(o *xray.ListResourcePoliciesOutput) ([]xraytypes.ResourcePolicy, *string) {
			return o.ResourcePolicies, o.NextToken
		})
	var items []cloud.Item
	for _, p := range all {
		items = append(items, policyItem(awstype.TracePolicy, aws.ToString(p.PolicyName), "policyDocument", aws.ToString(p.PolicyDocument))...)
	}
	return items, err
}
