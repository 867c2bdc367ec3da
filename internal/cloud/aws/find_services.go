package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logstypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// ownBucket returns a bucket of the account; nil: it has none of this name.
// The list is asked, because a HEAD of another account's bucket is refused as
// one of our own that we may not read.
func (s *session) ownBucket(ctx context.Context, name string) (*s3types.Bucket, error) {
	if name == "" {
		return nil, nil
	}
	all, err := s.buckets(ctx, name)
	for _, b := range all {
		if aws.ToString(b.Name) == name {
			return &b, err
		}
	}
	return nil, err
}

func findBucket(ctx context.Context, s *session, in inputs) ([]string, error) {
	b, err := s.ownBucket(ctx, in.text("bucket"))
	if err != nil || b == nil {
		return nil, err
	}
	return []string{aws.ToString(b.Name)}, nil
}

func findBucketPart(typ string) func(context.Context, *session, inputs) ([]string, error) {
	return func(ctx context.Context, s *session, in inputs) ([]string, error) {
		b, err := s.ownBucket(ctx, in.text("bucket"))
		if err != nil || b == nil {
			return nil, err
		}
		for _, part := range bucketParts {
			if part.typ != typ {
				continue
			}
			if set, _, err := part.of(ctx, s, aws.ToString(b.Name), aws.ToString(b.BucketRegion)); err != nil || !set {
				return nil, err
			}
			return []string{aws.ToString(b.Name)}, nil
		}
		return nil, nil
	}
}

func findRepository(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	_, err := s.ecr.DescribeRepositories(ctx, &ecr.DescribeRepositoriesInput{RepositoryNames: []string{name}})
	return one(name, err)
}

func findImageLifecycle(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("repository")
	_, err := s.ecr.GetLifecyclePolicy(ctx, &ecr.GetLifecyclePolicyInput{RepositoryName: aws.String(name)})
	return one(name, err)
}

func findRepositoryPolicy(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("repository")
	_, err := s.ecr.GetRepositoryPolicy(ctx, &ecr.GetRepositoryPolicyInput{RepositoryName: aws.String(name)})
	return one(name, err)
}

func findTrail(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	out, err := s.trail.GetTrail(ctx, &cloudtrail.GetTrailInput{Name: aws.String(name)})
	if err != nil {
		return one("", err)
	}
	return one(aws.ToString(out.Trail.TrailARN), nil)
}

func findAnalyzer(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("analyzerName")
	_, err := s.analyzer.GetAnalyzer(ctx, &accessanalyzer.GetAnalyzerInput{AnalyzerName: aws.String(name)})
	return one(name, err)
}

func findLogGroup(ctx context.Context, s *session, in inputs) ([]string, error) {
	name := in.text("name")
	all, err := every(ctx, cloudwatchlogs.NewDescribeLogGroupsPaginator(s.logs, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String(name)}),
		func(p *cloudwatchlogs.DescribeLogGroupsOutput) []logstypes.LogGroup { return p.LogGroups })
	id := ""
	for _, g := range all {
		if aws.ToString(g.LogGroupName) == name {
			id = name
		}
	}
	return one(id, err)
}
