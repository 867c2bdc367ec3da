package aws

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	apitypes "github.com/aws/aws-sdk-go-v2/service/apigateway/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/directoryservice"
	directorytypes "github.com/aws/aws-sdk-go-v2/service/directoryservice/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	dynamodbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/macie2"
	macietypes "github.com/aws/aws-sdk-go-v2/service/macie2/types"
	"github.com/aws/aws-sdk-go-v2/service/opensearch"
	opensearchtypes "github.com/aws/aws-sdk-go-v2/service/opensearch/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	controls3 "github.com/aws/aws-sdk-go-v2/service/s3control/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// listTableCopies lists the exports and imports of tables, which DynamoDB remembers
// for 90 days, with the bucket's owner. An import shows as the table that it made.
func listTableCopies(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := dynamodb.NewFromConfig(s.cfg)
	exports, err := walk(ctx, c.ListExports,
		func(next *string) *dynamodb.ListExportsInput { return &dynamodb.ListExportsInput{NextToken: next} },
		func(o *dynamodb.ListExportsOutput) ([]dynamodbtypes.ExportSummary, *string) {
			return o.ExportSummaries, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	items, err := eachOf(ctx, exports, func(ctx context.Context, e dynamodbtypes.ExportSummary) ([]cloud.Item, error) {
		out, err := c.DescribeExport(ctx, &dynamodb.DescribeExportInput{ExportArn: e.ExportArn})
		if err != nil || out.ExportDescription == nil {
			return nil, err
		}
		return []cloud.Item{shared(awstype.DynamoDBExport, aws.ToString(e.ExportArn), map[string]any{
			"s3Bucket": aws.ToString(out.ExportDescription.S3Bucket), "s3BucketOwner": aws.ToString(out.ExportDescription.S3BucketOwner),
		})}, nil
	})
	if err != nil {
		return items, err
	}
	imports, err := walk(ctx, c.ListImports,
		func(next *string) *dynamodb.ListImportsInput { return &dynamodb.ListImportsInput{NextToken: next} },
		func(o *dynamodb.ListImportsOutput) ([]dynamodbtypes.ImportSummary, *string) {
			return o.ImportSummaryList, o.NextToken
		})
	for _, i := range imports {
		if i.S3BucketSource == nil {
			continue
		}
		name := aws.ToString(i.TableArn)
		items = append(items, shared(awstype.DynamoDBTable, name[strings.LastIndexByte(name, '/')+1:], map[string]any{
			"importTable": map[string]any{"s3BucketSource": map[string]any{
				"bucket": aws.ToString(i.S3BucketSource.S3Bucket), "bucketOwner": aws.ToString(i.S3BucketSource.S3BucketOwner),
			}},
		}))
	}
	return items, err
}

func listDomainNames(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := every(ctx, apigateway.NewGetDomainNamesPaginator(apigateway.NewFromConfig(s.cfg), &apigateway.GetDomainNamesInput{}),
		func(p *apigateway.GetDomainNamesOutput) []apitypes.DomainName { return p.Items })
	var items []cloud.Item
	for _, d := range all {
		items = append(items, policyItem(awstype.APIDomainName, aws.ToString(d.DomainName), "policy", strings.ReplaceAll(aws.ToString(d.Policy), `\"`, `"`))...)
	}
	return items, err
}

func listMacieJobs(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := macie2.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListClassificationJobs,
		func(next *string) *macie2.ListClassificationJobsInput {
			return &macie2.ListClassificationJobsInput{NextToken: next}
		},
		func(o *macie2.ListClassificationJobsOutput) ([]macietypes.JobSummary, *string) {
			return o.Items, o.NextToken
		})
	var items []cloud.Item
	for _, j := range all {
		var buckets []any
		for _, b := range j.BucketDefinitions {
			buckets = append(buckets, map[string]any{"accountId": aws.ToString(b.AccountId), "buckets": b.Buckets})
		}
		it := shared(awstype.MacieJob, aws.ToString(j.JobId), map[string]any{"s3JobDefinition": map[string]any{"bucketDefinitions": buckets}})
		it.Name = aws.ToString(j.Name)
		items = append(items, it)
	}
	return items, unlessUnused(err)
}

// searchConnections are the connections that the account's domains have, or asked
// for, with domains of other accounts.
func searchConnections(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := opensearch.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.DescribeOutboundConnections,
		func(next *string) *opensearch.DescribeOutboundConnectionsInput {
			return &opensearch.DescribeOutboundConnectionsInput{NextToken: next}
		},
		func(o *opensearch.DescribeOutboundConnectionsOutput) ([]opensearchtypes.OutboundConnection, *string) {
			return o.Connections, o.NextToken
		})
	owner := func(d *opensearchtypes.DomainInformationContainer) map[string]any {
		if d == nil || d.AWSDomainInformation == nil {
			return map[string]any{}
		}
		return map[string]any{"ownerId": aws.ToString(d.AWSDomainInformation.OwnerId), "domainName": aws.ToString(d.AWSDomainInformation.DomainName)}
	}
	var items []cloud.Item
	for _, n := range all {
		if n.ConnectionStatus != nil && isState(string(n.ConnectionStatus.StatusCode), "DELETED", "REJECTED", "VALIDATION_FAILED") {
			continue
		}
		it := shared(awstype.OpenSearchConnection, aws.ToString(n.ConnectionId), map[string]any{
			"localDomainInfo": owner(n.LocalDomainInfo), "remoteDomainInfo": owner(n.RemoteDomainInfo),
		})
		it.Name = aws.ToString(n.ConnectionAlias)
		items = append(items, it)
	}
	return items, err
}

// listAccessGrants lists whom the account's instance of S3 Access Grants, of which
// there is one in a region, lets read what.
func listAccessGrants(ctx context.Context, s *session) ([]cloud.Item, error) {
	account := aws.String(s.account)
	instances, err := walk(ctx, s.settings.ListAccessGrantsInstances,
		func(next *string) *s3control.ListAccessGrantsInstancesInput {
			return &s3control.ListAccessGrantsInstancesInput{AccountId: account, NextToken: next}
		},
		func(o *s3control.ListAccessGrantsInstancesOutput) ([]controls3.ListAccessGrantsInstanceEntry, *string) {
			return o.AccessGrantsInstancesList, o.NextToken
		})
	if err != nil || len(instances) == 0 {
		return nil, err
	}
	var items []cloud.Item
	out, err := s.settings.GetAccessGrantsInstanceResourcePolicy(ctx, &s3control.GetAccessGrantsInstanceResourcePolicyInput{AccountId: account})
	switch {
	case err == nil:
		items = policyItem(awstype.S3AccessGrantsPolicy, s.account, "policy", aws.ToString(out.Policy))
	case !gone(err) && !isMissing(err): // S3 has no word for an instance without a policy
		return nil, called(err)
	}
	grants, err := walk(ctx, s.settings.ListAccessGrants,
		func(next *string) *s3control.ListAccessGrantsInput {
			return &s3control.ListAccessGrantsInput{AccountId: account, NextToken: next}
		},
		func(o *s3control.ListAccessGrantsOutput) ([]controls3.ListAccessGrantEntry, *string) {
			return o.AccessGrantsList, o.NextToken
		})
	for _, g := range grants {
		if g.Grantee == nil {
			continue
		}
		it := shared(awstype.S3AccessGrant, s.account+","+aws.ToString(g.AccessGrantId), map[string]any{
			"grantee": map[string]any{"granteeType": string(g.Grantee.GranteeType), "granteeIdentifier": aws.ToString(g.Grantee.GranteeIdentifier)},
		})
		it.Name, it.ARN = aws.ToString(g.GrantScope), aws.ToString(g.AccessGrantArn)
		items = append(items, it)
	}
	return items, err
}

// isMissing reports whether the answer has the status of what is not there.
func isMissing(err error) bool {
	answer, is := errors.AsType[*smithyhttp.ResponseError](err)
	return is && answer.HTTPStatusCode() == http.StatusNotFound
}

// logDelivery is AWS's own group, which writes access logs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups
const logDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery"

// accessListOf is whom a bucket's access list lets in beside its owner.
func accessListOf(ctx context.Context, s *session, bucket *string, in func(*s3.Options)) ([]cloud.Item, error) {
	out, err := s.s3.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: bucket}, in)
	if err != nil {
		return nil, err
	}
	var grants []any
	for _, g := range out.Grants {
		who := g.Grantee
		if who == nil || out.Owner != nil && who.Type == s3types.TypeCanonicalUser && aws.ToString(who.ID) == aws.ToString(out.Owner.ID) || aws.ToString(who.URI) == logDelivery {
			continue
		}
		grantee := map[string]any{}
		for name, v := range map[string]*string{"id": who.ID, "uri": who.URI, "emailAddress": who.EmailAddress} {
			if v != nil {
				grantee[name] = *v
			}
		}
		grants = append(grants, map[string]any{"grantee": grantee, "permission": string(g.Permission)})
	}
	if len(grants) == 0 {
		return nil, nil
	}
	return []cloud.Item{shared(awstype.S3BucketACL, aws.ToString(bucket), map[string]any{
		"bucket": aws.ToString(bucket), "accessControlPolicy": map[string]any{"grants": grants},
	})}, nil
}

// listSharedDirectories lists with whom the account's directories are shared, and the
// directories that other accounts share with it.
func listSharedDirectories(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := directoryservice.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.DescribeDirectories,
		func(next *string) *directoryservice.DescribeDirectoriesInput {
			return &directoryservice.DescribeDirectoriesInput{NextToken: next}
		},
		func(o *directoryservice.DescribeDirectoriesOutput) ([]directorytypes.DirectoryDescription, *string) {
			return o.DirectoryDescriptions, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, d directorytypes.DirectoryDescription) ([]cloud.Item, error) {
		switch d.Type {
		case directorytypes.DirectoryTypeSharedMicrosoftAd:
			owner := ""
			if d.OwnerDirectoryDescription != nil {
				owner = aws.ToString(d.OwnerDirectoryDescription.AccountId)
			}
			return []cloud.Item{shared(awstype.SharedDirectoryTaken, aws.ToString(d.DirectoryId), map[string]any{"ownerAccountId": owner})}, nil
		case directorytypes.DirectoryTypeMicrosoftAd:
		default:
			return nil, nil // no other kind can be shared
		}
		shares, err := walk(ctx, c.DescribeSharedDirectories,
			func(next *string) *directoryservice.DescribeSharedDirectoriesInput {
				return &directoryservice.DescribeSharedDirectoriesInput{OwnerDirectoryId: d.DirectoryId, NextToken: next}
			},
			func(o *directoryservice.DescribeSharedDirectoriesOutput) ([]directorytypes.SharedDirectory, *string) {
				return o.SharedDirectories, o.NextToken
			})
		var items []cloud.Item
		for _, n := range shares {
			items = append(items, shared(awstype.SharedDirectory, aws.ToString(d.DirectoryId)+"/"+aws.ToString(n.SharedDirectoryId), map[string]any{
				"directoryId": aws.ToString(d.DirectoryId), "target": map[string]any{"id": aws.ToString(n.SharedAccountId)},
			}))
		}
		return items, err
	})
}

// listAlarms lists the alarms that watch metrics by queries: only those can name
// another account.
func listAlarms(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := cloudwatch.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.DescribeAlarms,
		func(next *string) *cloudwatch.DescribeAlarmsInput {
			return &cloudwatch.DescribeAlarmsInput{AlarmTypes: []cloudwatchtypes.AlarmType{cloudwatchtypes.AlarmTypeMetricAlarm}, NextToken: next}
		},
		func(o *cloudwatch.DescribeAlarmsOutput) ([]cloudwatchtypes.MetricAlarm, *string) {
			return o.MetricAlarms, o.NextToken
		})
	var items []cloud.Item
	for _, a := range all {
		var queries []any
		for _, q := range a.Metrics {
			if aws.ToString(q.AccountId) != "" {
				queries = append(queries, map[string]any{"id": aws.ToString(q.Id), "accountId": aws.ToString(q.AccountId)})
			}
		}
		if len(queries) > 0 {
			it := shared(awstype.CloudWatchAlarm, aws.ToString(a.AlarmName), map[string]any{"metricQueries": queries})
			it.ARN = aws.ToString(a.AlarmArn)
			items = append(items, it)
		}
	}
	return items, err
}
