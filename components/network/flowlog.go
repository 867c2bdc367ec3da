package network

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/iam"
)

// logFlows records every flow of the VPC. The log is neither protected nor
// retained: an offboarded account must end empty, and the evidence that must
// outlive it is in the trail's bucket.
func (b *builder) logFlows(vpc *ec2.Vpc) error {
	group, err := cloudwatch.NewLogGroup(b.ctx, b.child("flows"), &cloudwatch.LogGroupArgs{
		Name:            pulumi.String(b.args.FlowLogGroup),
		RetentionInDays: pulumi.Int(b.args.FlowLogRetentionDays),
		KmsKeyId:        pulumi.String(b.args.LogKeyARN),
		Tags:            b.tags("flows"),
	}, b.parent)
	if err != nil {
		return err
	}
	role, err := awsiam.NewRole(b.ctx, b.child("flows"), &awsiam.RoleArgs{
		Name:                pulumi.String(b.args.FlowLogRole),
		Description:         pulumi.String("Lets VPC flow logs write to their log group"),
		AssumeRolePolicy:    pulumi.String(flowLogTrust(b.args.AccountID).String()),
		PermissionsBoundary: pulumi.String(b.args.BoundaryARN),
		Tags:                b.tags("flows"),
	}, b.parent)
	if err != nil {
		return err
	}
	policy, err := awsiam.NewRolePolicy(b.ctx, b.child("flows"), &awsiam.RolePolicyArgs{
		Name: pulumi.String("write-flow-log"),
		Role: role.Name,
		Policy: group.Arn.ApplyT(func(arn string) string {
			return flowLogWriting(arn).String()
		}).(pulumi.StringOutput),
	}, b.parent)
	if err != nil {
		return err
	}
	_, err = ec2.NewFlowLog(b.ctx, b.child("flows"), &ec2.FlowLogArgs{
		VpcId:                  vpc.ID(),
		TrafficType:            pulumi.String("ALL"),
		LogDestinationType:     pulumi.String("cloud-watch-logs"),
		LogDestination:         group.Arn,
		IamRoleArn:             role.Arn,
		MaxAggregationInterval: pulumi.Int(600),
		Tags:                   b.tags("flows"),
	}, b.parent, pulumi.DependsOn([]pulumi.Resource{policy}))
	return err
}

// flowLogTrust lets the flow log service assume the role for this account
// only: without the condition, another customer's flow log could.
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
func flowLogTrust(account string) iam.Document {
	return iam.New(iam.Statement{
		Effect:    iam.Allow,
		Principal: iam.Services("vpc-flow-logs.amazonaws.com"),
		Action:    iam.Values{"sts:AssumeRole"},
		Condition: iam.Condition{"StringEquals": {"aws:SourceAccount": {account}}},
	})
}

func flowLogWriting(group string) iam.Document {
	return iam.New(iam.Statement{
		Effect: iam.Allow,
		Action: iam.Values{
			"logs:CreateLogStream",
			"logs:DescribeLogGroups",
			"logs:DescribeLogStreams",
			"logs:PutLogEvents",
		},
		Resource: iam.Values{group, group + ":*"},
	})
}
