package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	analyzertypes "github.com/aws/aws-sdk-go-v2/service/accessanalyzer/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listRepositories lists repositories, and before each its policies.
func listRepositories(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ecr.NewDescribeRepositoriesPaginator(s.ecr, &ecr.DescribeRepositoriesInput{}),
		func(p *ecr.DescribeRepositoriesOutput) []ecrtypes.Repository { return p.Repositories })
	var items []cloud.Item
	for _, r := range all {
		name := aws.ToString(r.RepositoryName)
		policy, err := s.ecr.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: r.RepositoryName})
		switch {
		case err == nil:
			items = append(items, cloud.Item{
				Type: awstype.ECRRepositoryPolicy, ID: name, Name: name,
				Properties: map[string]any{"repository": name, "policy": aws.ToString(policy.PolicyText)},
			})
		case !gone(err):
			return nil, called(err)
		}
		_, err = s.ecr.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: r.RepositoryName})
		switch {
		case err == nil:
			items = append(items, cloud.Item{Type: awstype.ECRLifecyclePolicy, ID: name, Name: name})
		case !gone(err):
			return nil, called(err)
		}
		items = append(items, named(awstype.ECRRepository, name, name, aws.ToString(r.RepositoryArn)))
	}
	return items, err
}

// listTrails lists the account's trails that the region is the home of. What an
// organization's trail shows in a member account is not the account's.
func listTrails(ctx context.Context, s *session) ([]cloud.Item, error) {
	out, err := s.trail.DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(false)})
	if err != nil {
		return nil, called(err)
	}
	var items []cloud.Item
	for _, t := range out.TrailList {
		id := aws.ToString(t.TrailARN)
		if a, err := arn.Parse(id); err == nil && a.AccountID != s.account {
			continue
		}
		it := named(awstype.CloudTrailTrail, id, aws.ToString(t.Name), id)
		it.Properties = map[string]any{"s3BucketName": aws.ToString(t.S3BucketName)}
		items = append(items, it)
	}
	return items, nil
}

func listAnalyzers(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, accessanalyzer.NewListAnalyzersPaginator(s.analyzer, &accessanalyzer.ListAnalyzersInput{}),
		func(p *accessanalyzer.ListAnalyzersOutput) []analyzertypes.AnalyzerSummary { return p.Analyzers })
	var items []cloud.Item
	for _, a := range all {
		it := named(awstype.AccessAnalyzerAnalyzer, aws.ToString(a.Name), aws.ToString(a.Name), aws.ToString(a.Arn))
		it.Tags = a.Tags
		it.Properties = map[string]any{"type": string(a.Type)}
		it.Slot = slot(it.Type, it.Properties)
		it.ByCloud = aws.ToString(a.ManagedBy) != "" // by a service such as Security Hub
		items = append(items, it)
	}
	return items, err
}

// listLogGroups lists all: a group that a service made for its logs stays, and
// holds data, when what wrote to it is gone.
func listLogGroups(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, cloudwatchlogs.NewDescribeLogGroupsPaginator(s.logs, &cloudwatchlogs.DescribeLogGroupsInput{}),
		func(p *cloudwatchlogs.DescribeLogGroupsOutput) []logstypes.LogGroup { return p.LogGroups })
	var items []cloud.Item
	for _, g := range all {
		name := aws.ToString(g.LogGroupName)
		items = append(items, named(awstype.CloudWatchLogGroup, name, name, strings.TrimSuffix(aws.ToString(g.Arn), ":*")))
	}
	return items, err
}
