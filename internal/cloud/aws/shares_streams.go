package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	cloudwatchtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/dlm"
	dlmtypes "github.com/aws/aws-sdk-go-v2/service/dlm/types"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	firehosetypes "github.com/aws/aws-sdk-go-v2/service/firehose/types"
	"github.com/aws/aws-sdk-go-v2/service/imagebuilder"
	imagetypes "github.com/aws/aws-sdk-go-v2/service/imagebuilder/types"
	pipesapi "github.com/aws/aws-sdk-go-v2/service/pipes"
	pipestypes "github.com/aws/aws-sdk-go-v2/service/pipes/types"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	schedulertypes "github.com/aws/aws-sdk-go-v2/service/scheduler/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

func listSnapshotLifecycles(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := dlm.NewFromConfig(s.cfg)
	// The service has no pages: an account has 100 policies at most.
	all, err := c.GetLifecyclePolicies(ctx, &dlm.GetLifecyclePoliciesInput{})
	if err != nil {
		return nil, called(err)
	}
	return eachOf(ctx, all.Policies, func(ctx context.Context, p dlmtypes.LifecyclePolicySummary) ([]cloud.Item, error) {
		out, err := c.GetLifecyclePolicy(ctx, &dlm.GetLifecyclePolicyInput{PolicyId: p.PolicyId})
		if err != nil || out.Policy == nil || out.Policy.PolicyDetails == nil {
			return nil, err
		}
		var schedules []any
		for _, sch := range out.Policy.PolicyDetails.Schedules {
			// The provider has one rule of a schedule, the service a list.
			for _, r := range sch.ShareRules {
				schedules = append(schedules, map[string]any{"name": aws.ToString(sch.Name), "shareRule": map[string]any{"targetAccounts": r.TargetAccounts}})
			}
		}
		it := shared(awstype.SnapshotLifecycle, aws.ToString(p.PolicyId), map[string]any{"policyDetails": map[string]any{"schedules": schedules}})
		it.ARN = aws.ToString(out.Policy.PolicyArn)
		return []cloud.Item{it}, nil
	})
}

func listImageDistributions(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := imagebuilder.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListDistributionConfigurations,
		func(next *string) *imagebuilder.ListDistributionConfigurationsInput {
			return &imagebuilder.ListDistributionConfigurationsInput{NextToken: next}
		},
		func(o *imagebuilder.ListDistributionConfigurationsOutput) ([]imagetypes.DistributionConfigurationSummary, *string) {
			return o.DistributionConfigurationSummaryList, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, d imagetypes.DistributionConfigurationSummary) ([]cloud.Item, error) {
		out, err := c.GetDistributionConfiguration(ctx, &imagebuilder.GetDistributionConfigurationInput{DistributionConfigurationArn: d.Arn})
		if err != nil || out.DistributionConfiguration == nil {
			return nil, err
		}
		var distributions []any
		for _, one := range out.DistributionConfiguration.Distributions {
			distributions = append(distributions, distribution(one))
		}
		it := shared(awstype.ImageDistribution, aws.ToString(d.Arn), map[string]any{"distributions": distributions})
		it.Name, it.ARN = aws.ToString(d.Name), aws.ToString(d.Arn)
		return []cloud.Item{it}, nil
	})
}

// distribution is one region's part of a distribution, as the provider writes it.
func distribution(d imagetypes.Distribution) map[string]any {
	out := map[string]any{"region": aws.ToString(d.Region)}
	if a := d.AmiDistributionConfiguration; a != nil {
		image := map[string]any{"targetAccountIds": a.TargetAccountIds}
		if p := a.LaunchPermission; p != nil {
			image["launchPermission"] = map[string]any{
				"userIds": p.UserIds, "userGroups": p.UserGroups, "organizationArns": p.OrganizationArns, "organizationalUnitArns": p.OrganizationalUnitArns,
			}
		}
		out["amiDistributionConfiguration"] = image
	}
	var templates []any
	for _, t := range d.LaunchTemplateConfigurations {
		templates = append(templates, map[string]any{"launchTemplateId": aws.ToString(t.LaunchTemplateId), "accountId": aws.ToString(t.AccountId)})
	}
	out["launchTemplateConfigurations"] = templates
	return out
}

func listMetricStreams(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := cloudwatch.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListMetricStreams,
		func(next *string) *cloudwatch.ListMetricStreamsInput {
			return &cloudwatch.ListMetricStreamsInput{NextToken: next}
		},
		func(o *cloudwatch.ListMetricStreamsOutput) ([]cloudwatchtypes.MetricStreamEntry, *string) {
			return o.Entries, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, m cloudwatchtypes.MetricStreamEntry) ([]cloud.Item, error) {
		// Its role is not in the list.
		out, err := c.GetMetricStream(ctx, &cloudwatch.GetMetricStreamInput{Name: m.Name})
		if err != nil {
			return nil, err
		}
		it := shared(awstype.MetricStream, aws.ToString(m.Name), map[string]any{"firehoseArn": aws.ToString(out.FirehoseArn), "roleArn": aws.ToString(out.RoleArn)})
		it.ARN = aws.ToString(m.Arn)
		return []cloud.Item{it}, nil
	})
}

func listDeliveryStreams(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := firehose.NewFromConfig(s.cfg)
	// The next page begins after the last name of this one.
	names, err := walk(ctx, c.ListDeliveryStreams,
		func(after *string) *firehose.ListDeliveryStreamsInput {
			return &firehose.ListDeliveryStreamsInput{ExclusiveStartDeliveryStreamName: after}
		},
		func(o *firehose.ListDeliveryStreamsOutput) ([]string, *string) {
			if n := len(o.DeliveryStreamNames); n > 0 && aws.ToBool(o.HasMoreDeliveryStreams) {
				return o.DeliveryStreamNames, &o.DeliveryStreamNames[n-1]
			}
			return o.DeliveryStreamNames, nil
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, names, func(ctx context.Context, name string) ([]cloud.Item, error) {
		out, err := c.DescribeDeliveryStream(ctx, &firehose.DescribeDeliveryStreamInput{DeliveryStreamName: aws.String(name)})
		if err != nil || out.DeliveryStreamDescription == nil {
			return nil, err
		}
		d := out.DeliveryStreamDescription
		properties := map[string]any{}
		for _, to := range d.Destinations {
			deliveries(to, properties)
		}
		if from := d.Source; from != nil {
			if k := from.KinesisStreamSourceDescription; k != nil {
				properties["kinesisSourceConfiguration"] = map[string]any{"kinesisStreamArn": aws.ToString(k.KinesisStreamARN)}
			}
			if m := from.MSKSourceDescription; m != nil {
				properties["mskSourceConfiguration"] = map[string]any{"mskClusterArn": aws.ToString(m.MSKClusterARN)}
			}
		}
		it := shared(awstype.DeliveryStream, aws.ToString(d.DeliveryStreamARN), properties)
		it.Name, it.ARN = name, aws.ToString(d.DeliveryStreamARN)
		return []cloud.Item{it}, nil
	})
}

// deliveries notes the buckets of a destination where the provider has them.
// Each destination but S3 itself has one for what could not be delivered.
func deliveries(d firehosetypes.DestinationDescription, into map[string]any) {
	if e := d.ExtendedS3DestinationDescription; e != nil {
		s3 := map[string]any{"bucketArn": aws.ToString(e.BucketARN)}
		if b := e.S3BackupDescription; b != nil {
			s3["s3BackupConfiguration"] = map[string]any{"bucketArn": aws.ToString(b.BucketARN)}
		}
		into["extendedS3Configuration"] = s3
	}
	besides := func(destination string, s3 *firehosetypes.S3DestinationDescription) {
		if s3 != nil {
			into[destination] = map[string]any{"s3Configuration": map[string]any{"bucketArn": aws.ToString(s3.BucketARN)}}
		}
	}
	if o := d.ElasticsearchDestinationDescription; o != nil {
		besides("elasticsearchConfiguration", o.S3DestinationDescription)
	}
	if o := d.AmazonopensearchserviceDestinationDescription; o != nil {
		besides("opensearchConfiguration", o.S3DestinationDescription)
	}
	if o := d.AmazonOpenSearchServerlessDestinationDescription; o != nil {
		besides("opensearchserverlessConfiguration", o.S3DestinationDescription)
	}
	if o := d.HttpEndpointDestinationDescription; o != nil {
		besides("httpEndpointConfiguration", o.S3DestinationDescription)
	}
	if o := d.IcebergDestinationDescription; o != nil {
		besides("icebergConfiguration", o.S3DestinationDescription)
	}
	if o := d.RedshiftDestinationDescription; o != nil {
		besides("redshiftConfiguration", o.S3DestinationDescription)
	}
	if o := d.SnowflakeDestinationDescription; o != nil {
		besides("snowflakeConfiguration", o.S3DestinationDescription)
	}
	if o := d.SplunkDestinationDescription; o != nil {
		besides("splunkConfiguration", o.S3DestinationDescription)
	}
}

func listPipes(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := walk(ctx, pipesapi.NewFromConfig(s.cfg).ListPipes,
		func(next *string) *pipesapi.ListPipesInput { return &pipesapi.ListPipesInput{NextToken: next} },
		func(o *pipesapi.ListPipesOutput) ([]pipestypes.Pipe, *string) { return o.Pipes, o.NextToken })
	var items []cloud.Item
	for _, p := range all {
		it := shared(awstype.EventPipe, aws.ToString(p.Name), map[string]any{
			"source": aws.ToString(p.Source), "target": aws.ToString(p.Target), "enrichment": aws.ToString(p.Enrichment),
		})
		it.ARN = aws.ToString(p.Arn)
		items = append(items, it)
	}
	return items, err
}

func listSchedules(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := scheduler.NewFromConfig(s.cfg)
	all, err := walk(ctx, c.ListSchedules,
		func(next *string) *scheduler.ListSchedulesInput {
			return &scheduler.ListSchedulesInput{NextToken: next}
		},
		func(o *scheduler.ListSchedulesOutput) ([]schedulertypes.ScheduleSummary, *string) {
			return o.Schedules, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, sum schedulertypes.ScheduleSummary) ([]cloud.Item, error) {
		// Where what fails goes is not in the list.
		out, err := c.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: sum.Name, GroupName: sum.GroupName})
		if err != nil || out.Target == nil {
			return nil, err
		}
		target := map[string]any{"arn": aws.ToString(out.Target.Arn), "roleArn": aws.ToString(out.Target.RoleArn)}
		if d := out.Target.DeadLetterConfig; d != nil {
			target["deadLetterConfig"] = map[string]any{"arn": aws.ToString(d.Arn)}
		}
		it := shared(awstype.EventSchedule, aws.ToString(sum.GroupName)+"/"+aws.ToString(sum.Name), map[string]any{"target": target})
		it.Name, it.ARN = aws.ToString(sum.Name), aws.ToString(sum.Arn)
		return []cloud.Item{it}, nil
	})
}

// listDocuments asks about the account's own documents one by one: who else may
// run one is in no list.
func listDocuments(ctx context.Context, s *session) ([]cloud.Item, error) {
	c := ssm.NewFromConfig(s.cfg)
	own := []ssmtypes.DocumentKeyValuesFilter{{Key: aws.String("Owner"), Values: []string{"Self"}}}
	all, err := walk(ctx, c.ListDocuments,
		func(next *string) *ssm.ListDocumentsInput {
			return &ssm.ListDocumentsInput{Filters: own, NextToken: next}
		},
		func(o *ssm.ListDocumentsOutput) ([]ssmtypes.DocumentIdentifier, *string) {
			return o.DocumentIdentifiers, o.NextToken
		})
	if err != nil {
		return nil, err
	}
	return eachOf(ctx, all, func(ctx context.Context, d ssmtypes.DocumentIdentifier) ([]cloud.Item, error) {
		with, err := walk(ctx, c.DescribeDocumentPermission,
			func(next *string) *ssm.DescribeDocumentPermissionInput {
				return &ssm.DescribeDocumentPermissionInput{Name: d.Name, PermissionType: ssmtypes.DocumentPermissionTypeShare, NextToken: next}
			},
			func(o *ssm.DescribeDocumentPermissionOutput) ([]string, *string) { return o.AccountIds, o.NextToken })
		if err != nil || len(with) == 0 {
			return nil, err
		}
		return []cloud.Item{shared(awstype.SSMDocument, aws.ToString(d.Name), map[string]any{
			"permissions": map[string]any{"type": "Share", "account_ids": strings.Join(with, ",")},
		})}, nil
	})
}
