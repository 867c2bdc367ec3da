package aws

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	ecrtypes "github.com/aws/aws-sdk-go-v2/service/ecr/types"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	rdstypes "github.com/aws/aws-sdk-go-v2/service/rds/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	s3controltypes "github.com/aws/aws-sdk-go-v2/service/s3control/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listAccessPoints lists the access points of the region, each with its policy.
func listAccessPoints(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, s3control.NewListAccessPointsPaginator(s.settings, &s3control.ListAccessPointsInput{AccountId: aws.String(s.account)}),
		func(p *s3control.ListAccessPointsOutput) []s3controltypes.AccessPoint { return p.AccessPointList })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, p s3controltypes.AccessPoint) ([]cloud.Item, error) {
		properties := map[string]any{"bucket": aws.ToString(p.Bucket), "bucketAccountId": aws.ToString(p.BucketAccountId)}
		if p.VpcConfiguration != nil {
			properties["vpcConfiguration"] = map[string]any{"vpcId": aws.ToString(p.VpcConfiguration.VpcId)}
		}
		out, err := s.settings.GetAccessPointPolicy(ctx, &s3control.GetAccessPointPolicyInput{AccountId: aws.String(s.account), Name: p.Name})
		switch {
		case err == nil:
			properties["policy"] = aws.ToString(out.Policy)
		case !gone(err):
			return nil, err
		}
		it := shared(awstype.S3AccessPoint, s.account+":"+aws.ToString(p.Name), properties)
		it.Name, it.ARN = aws.ToString(p.Name), aws.ToString(p.AccessPointArn)
		return []cloud.Item{it}, nil
	})
}

func listObjectLambda(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, s3control.NewListAccessPointsForObjectLambdaPaginator(s.settings, &s3control.ListAccessPointsForObjectLambdaInput{AccountId: aws.String(s.account)}),
		func(p *s3control.ListAccessPointsForObjectLambdaOutput) []s3controltypes.ObjectLambdaAccessPoint {
			return p.ObjectLambdaAccessPointList
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, p s3controltypes.ObjectLambdaAccessPoint) ([]cloud.Item, error) {
		out, err := s.settings.GetAccessPointPolicyForObjectLambda(ctx, &s3control.GetAccessPointPolicyForObjectLambdaInput{AccountId: aws.String(s.account), Name: p.Name})
		if err != nil {
			return nil, err
		}
		return policyItem(awstype.S3ObjectLambdaPolicy, s.account+":"+aws.ToString(p.Name), "policy", aws.ToString(out.Policy)), nil
	})
}

// listBucketCopies lists where each bucket's objects, reports, notifications and
// access logs go.
func listBucketCopies(ctx context.Context, s *session) ([]cloud.Item, error) {
	buckets, err := s.buckets(ctx, "")
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, buckets, func(ctx context.Context, b s3types.Bucket) ([]cloud.Item, error) {
		var items []cloud.Item
		for _, read := range []func(context.Context, *session, *string, func(*s3.Options)) ([]cloud.Item, error){
			replicationOf, notificationsOf, inventoriesOf, analyticsOf, loggingOf, accessListOf,
		} {
			some, err := read(ctx, s, b.Name, bucketIn(aws.ToString(b.BucketRegion)))
			if err != nil && !gone(err) {
				return items, err
			}
			items = append(items, some...)
		}
		return items, nil
	})
}

func replicationOf(ctx context.Context, s *session, bucket *string, in func(*s3.Options)) ([]cloud.Item, error) {
	out, err := s.s3.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: bucket}, in)
	if err != nil || out.ReplicationConfiguration == nil {
		return nil, err
	}
	var rules []any
	for _, r := range out.ReplicationConfiguration.Rules {
		if r.Destination != nil {
			rules = append(rules, map[string]any{"destination": map[string]any{"bucket": aws.ToString(r.Destination.Bucket), "account": aws.ToString(r.Destination.Account)}})
		}
	}
	return []cloud.Item{shared(awstype.S3Replication, aws.ToString(bucket), map[string]any{"bucket": aws.ToString(bucket), "rules": rules})}, nil
}

func notificationsOf(ctx context.Context, s *session, bucket *string, in func(*s3.Options)) ([]cloud.Item, error) {
	out, err := s.s3.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: bucket}, in)
	if err != nil {
		return nil, err
	}
	var queues, topics, functions []any
	for _, q := range out.QueueConfigurations {
		queues = append(queues, map[string]any{"queueArn": aws.ToString(q.QueueArn)})
	}
	for _, t := range out.TopicConfigurations {
		topics = append(topics, map[string]any{"topicArn": aws.ToString(t.TopicArn)})
	}
	for _, f := range out.LambdaFunctionConfigurations {
		functions = append(functions, map[string]any{"lambdaFunctionArn": aws.ToString(f.LambdaFunctionArn)})
	}
	if len(queues)+len(topics)+len(functions) == 0 {
		return nil, nil
	}
	return []cloud.Item{shared(awstype.S3Notification, aws.ToString(bucket), map[string]any{
		"bucket": aws.ToString(bucket), "queues": queues, "topics": topics, "lambdaFunctions": functions,
	})}, nil
}

func inventoriesOf(ctx context.Context, s *session, bucket *string, in func(*s3.Options)) ([]cloud.Item, error) {
	all, err := pages(func(token *string) ([]s3types.InventoryConfiguration, *string, error) {
		out, err := s.s3.ListBucketInventoryConfigurations(ctx, &s3.ListBucketInventoryConfigurationsInput{Bucket: bucket, ContinuationToken: token}, in)
		if err != nil {
			return nil, nil, err
		}
		return out.InventoryConfigurationList, out.NextContinuationToken, nil
	})
	var items []cloud.Item
	for _, c := range all {
		if c.Destination != nil && c.Destination.S3BucketDestination != nil {
			to := c.Destination.S3BucketDestination
			items = append(items, shared(awstype.S3InventoryConfig, aws.ToString(bucket)+":"+aws.ToString(c.Id), map[string]any{
				"bucket":      aws.ToString(bucket),
				"destination": map[string]any{"bucket": map[string]any{"bucketArn": aws.ToString(to.Bucket), "accountId": aws.ToString(to.AccountId)}},
			}))
		}
	}
	return items, err
}

func analyticsOf(ctx context.Context, s *session, bucket *string, in func(*s3.Options)) ([]cloud.Item, error) {
	all, err := pages(func(token *string) ([]s3types.AnalyticsConfiguration, *string, error) {
		out, err := s.s3.ListBucketAnalyticsConfigurations(ctx, &s3.ListBucketAnalyticsConfigurationsInput{Bucket: bucket, ContinuationToken: token}, in)
		if err != nil {
			return nil, nil, err
		}
		return out.AnalyticsConfigurationList, out.NextContinuationToken, nil
	})
	var items []cloud.Item
	for _, c := range all {
		if c.StorageClassAnalysis == nil || c.StorageClassAnalysis.DataExport == nil || c.StorageClassAnalysis.DataExport.Destination == nil ||
			c.StorageClassAnalysis.DataExport.Destination.S3BucketDestination == nil {
			continue
		}
		to := c.StorageClassAnalysis.DataExport.Destination.S3BucketDestination
		destination := map[string]any{"s3BucketDestination": map[string]any{"bucketArn": aws.ToString(to.Bucket), "bucketAccountId": aws.ToString(to.BucketAccountId)}}
		items = append(items, shared(awstype.S3Analytics, aws.ToString(bucket)+":"+aws.ToString(c.Id), map[string]any{
			"bucket": aws.ToString(bucket), "storageClassAnalysis": map[string]any{"dataExport": map[string]any{"destination": destination}},
		}))
	}
	return items, err
}

func loggingOf(ctx context.Context, s *session, bucket *string, in func(*s3.Options)) ([]cloud.Item, error) {
	out, err := s.s3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: bucket}, in)
	if err != nil || out.LoggingEnabled == nil {
		return nil, err
	}
	return []cloud.Item{shared(awstype.S3Logging, aws.ToString(bucket), map[string]any{
		"bucket": aws.ToString(bucket), "targetBucket": aws.ToString(out.LoggingEnabled.TargetBucket),
	})}, nil
}

// listRegistry lists the policy of the account's registry, where it copies
// images, and what it caches.
func listRegistry(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, registryPolicy, registryCopies, registryCaches)
}

func registryPolicy(ctx context.Context, s *session) ([]cloud.Item, error) {
	out, err := s.ecr.GetRegistryPolicy(ctx, &ecr.GetRegistryPolicyInput{})
	if gone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, called(err)
	}
	return policyItem(awstype.ECRRegistryPolicy, s.account, "policy", aws.ToString(out.PolicyText)), nil
}

func registryCopies(ctx context.Context, s *session) ([]cloud.Item, error) {
	out, err := s.ecr.DescribeRegistry(ctx, &ecr.DescribeRegistryInput{})
	if err != nil {
		return nil, called(err)
	}
	var rules []any
	if out.ReplicationConfiguration != nil {
		for _, r := range out.ReplicationConfiguration.Rules {
			var to []any
			for _, d := range r.Destinations {
				to = append(to, map[string]any{"region": aws.ToString(d.Region), "registryId": aws.ToString(d.RegistryId)})
			}
			rules = append(rules, map[string]any{"destinations": to})
		}
	}
	if len(rules) == 0 {
		return nil, nil
	}
	return []cloud.Item{shared(awstype.ECRReplication, s.account, map[string]any{"replicationConfiguration": map[string]any{"rules": rules}})}, nil
}

func registryCaches(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, ecr.NewDescribePullThroughCacheRulesPaginator(s.ecr, &ecr.DescribePullThroughCacheRulesInput{}),
		func(p *ecr.DescribePullThroughCacheRulesOutput) []ecrtypes.PullThroughCacheRule {
			return p.PullThroughCacheRules
		})
	var items []cloud.Item
	for _, r := range all {
		items = append(items, shared(awstype.ECRPullThrough, aws.ToString(r.EcrRepositoryPrefix), map[string]any{
			"upstreamRegistryUrl": aws.ToString(r.UpstreamRegistryUrl), "customRoleArn": aws.ToString(r.CustomRoleArn),
		}))
	}
	return items, err
}

// listDatabaseSnapshots asks about the snapshots that somebody made: an
// automated one cannot be shared.
// https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html
func listDatabaseSnapshots(ctx context.Context, s *session) ([]cloud.Item, error) {
	return both(ctx, s, instanceSnapshots, clusterSnapshots)
}

func instanceSnapshots(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := rds.NewFromConfig(s.cfg)
	all, err := every(ctx, rds.NewDescribeDBSnapshotsPaginator(c, &rds.DescribeDBSnapshotsInput{SnapshotType: aws.String("manual")}),
		func(p *rds.DescribeDBSnapshotsOutput) []rdstypes.DBSnapshot { return p.DBSnapshots })
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, n rdstypes.DBSnapshot) ([]cloud.Item, error) {
		out, err := c.DescribeDBSnapshotAttributes(ctx, &rds.DescribeDBSnapshotAttributesInput{DBSnapshotIdentifier: n.DBSnapshotIdentifier})
		if err != nil || out.DBSnapshotAttributesResult == nil {
			return nil, err
		}
		var with []any
		for _, a := range out.DBSnapshotAttributesResult.DBSnapshotAttributes {
			with = append(with, restorers(a.AttributeName, a.AttributeValues)...)
		}
		return restorable(awstype.RDSSnapshot, aws.ToString(n.DBSnapshotIdentifier), with), nil
	})
}

func clusterSnapshots(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := rds.NewFromConfig(s.cfg)
	all, err := every(ctx, rds.NewDescribeDBClusterSnapshotsPaginator(c, &rds.DescribeDBClusterSnapshotsInput{SnapshotType: aws.String("manual")}),
		func(p *rds.DescribeDBClusterSnapshotsOutput) []rdstypes.DBClusterSnapshot {
			return p.DBClusterSnapshots
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, n rdstypes.DBClusterSnapshot) ([]cloud.Item, error) {
		out, err := c.DescribeDBClusterSnapshotAttributes(ctx, &rds.DescribeDBClusterSnapshotAttributesInput{DBClusterSnapshotIdentifier: n.DBClusterSnapshotIdentifier})
		if err != nil || out.DBClusterSnapshotAttributesResult == nil {
			return nil, err
		}
		var with []any
		for _, a := range out.DBClusterSnapshotAttributesResult.DBClusterSnapshotAttributes {
			with = append(with, restorers(a.AttributeName, a.AttributeValues)...)
		}
		return restorable(awstype.RDSClusterSnapshot, aws.ToString(n.DBClusterSnapshotIdentifier), with), nil
	})
}

// restorers are the accounts that an attribute of a snapshot lets restore it.
func restorers(name *string, values []string) []any {
	if aws.ToString(name) != "restore" {
		return nil
	}
	out := make([]any, len(values))
	for i, v := range values {
		out[i] = v
	}
	return out
}

func restorable(typ, id string, with []any) []cloud.Item {
	if len(with) == 0 {
		return nil
	}
	return []cloud.Item{shared(typ, id, map[string]any{"sharedAccounts": with})}
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
