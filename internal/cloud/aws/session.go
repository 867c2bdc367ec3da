package aws

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/eks"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	tagging "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3control"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"freehold.dev/freehold/internal/cloud"
)

// session is one account and region during one call of the Cloud.
type session struct {
	account string // 12 digits, also for the management account
	region  string
	entered string // the role by which we came; empty: none
	cfg     aws.Config
	now     func() time.Time

	analyzer *accessanalyzer.Client
	ec2      *ec2.Client
	ecr      *ecr.Client
	eks      *eks.Client
	elb      *elb.Client
	iam      *iam.Client
	kms      *kms.Client
	logs     *cloudwatchlogs.Client
	org      *organizations.Client
	s3       *s3.Client
	settings *s3control.Client
	tagging  *tagging.Client
	trail    *cloudtrail.Client

	// What several listers need to tell AWS's own things from others is read
	// by the first that asks.
	networks func() (networks, error)
	fleet    func() ([]cluster, error)
	roles    func() ([]role, error)
}

func (c *Cloud) session(ctx context.Context, a cloud.Account) (*session, error) {
	cfg, err := c.enter(ctx, a)
	if err != nil {
		return nil, err
	}
	// One throttled call of hundreds would fail an inventory.
	cfg.RetryMaxAttempts = 8
	account := a.ID
	if account == "" {
		who, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return nil, called(err)
		}
		account = aws.ToString(who.Account)
	}
	s := &session{
		account: account, region: cfg.Region, entered: a.RoleARN, cfg: cfg, now: c.o.Now,
		analyzer: accessanalyzer.NewFromConfig(cfg),
		ec2:      ec2.NewFromConfig(cfg),
		ecr:      ecr.NewFromConfig(cfg),
		eks:      eks.NewFromConfig(cfg),
		elb:      elb.NewFromConfig(cfg),
		iam:      iam.NewFromConfig(cfg),
		kms:      kms.NewFromConfig(cfg),
		logs:     cloudwatchlogs.NewFromConfig(cfg),
		org:      organizations.NewFromConfig(cfg),
		s3:       bucketsOf(cfg),
		settings: s3control.NewFromConfig(cfg),
		tagging:  tagging.NewFromConfig(cfg),
		trail:    cloudtrail.NewFromConfig(cfg),
	}
	s.networks = sync.OnceValues(func() (networks, error) { return s.readNetworks(ctx) })
	s.fleet = sync.OnceValues(func() ([]cluster, error) { return s.readFleet(ctx) })
	s.roles = sync.OnceValues(func() ([]role, error) { return s.readRoles(ctx) })
	return s, nil
}

// bucketIn is an option for a call on a bucket that may be in another region.
func bucketIn(region string) func(*s3.Options) {
	return func(o *s3.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// pager is a paginator of the SDK.
type pager[O, R any] interface {
	HasMorePages() bool
	NextPage(ctx context.Context, options ...func(*O)) (*R, error)
}

// every reads all pages of a list.
func every[T, O, R any](ctx context.Context, p pager[O, R], of func(*R) []T) ([]T, error) {
	var all []T
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, called(err)
		}
		all = append(all, of(page)...)
	}
	return all, nil
}

// prefixes are the services' names in IAM actions, by their names in the SDK.
var prefixes = map[string]string{
	"AccessAnalyzer":              "access-analyzer",
	"CloudTrail":                  "cloudtrail",
	"CloudWatch Logs":             "logs",
	"EC2":                         "ec2",
	"ECR":                         "ecr",
	"EKS":                         "eks",
	"Elastic Load Balancing v2":   "elasticloadbalancing",
	"IAM":                         "iam",
	"KMS":                         "kms",
	"Organizations":               "organizations",
	"Resource Groups Tagging API": "tag",
	"S3":                          "s3",
	"Service Quotas":              "servicequotas",
	"S3 Control":                  "s3",
	"STS":                         "sts",
	"RAM":                         "ram",
	"RolesAnywhere":               "rolesanywhere",
	"Route 53":                    "route53",
	"Route53Resolver":             "route53resolver",
	"RDS":                         "rds",
	"SNS":                         "sns",
	"SQS":                         "sqs",
	"EventBridge":                 "events",
	"Kinesis":                     "kinesis",
	"Lambda":                      "lambda",
	"Secrets Manager":             "secretsmanager",
	"DynamoDB":                    "dynamodb",
	"EFS":                         "elasticfilesystem",
	"OpenSearch":                  "es",
	"Glacier":                     "glacier",
	"Backup":                      "backup",
	"ACM PCA":                     "acm-pca",
	"Glue":                        "glue",
	"LakeFormation":               "lakeformation",
	"codeartifact":                "codeartifact",
	"Redshift":                    "redshift",
	"Redshift Serverless":         "redshift-serverless",
	"OAM":                         "oam",
	"SSM":                         "ssm",
	"Firehose":                    "firehose",
	"CloudWatch":                  "cloudwatch",
	"Pipes":                       "pipes",
	"Scheduler":                   "scheduler",
	"DLM":                         "dlm",
	"Service Catalog":             "servicecatalog",
	"VPC Lattice":                 "vpc-lattice",
	"ServiceDiscovery":            "servicediscovery",
	"Route53Profiles":             "route53profiles",
	"Direct Connect":              "directconnect",
	"Kafka":                       "kafka",
	"SESv2":                       "ses",
	"XRay":                        "xray",
	"CodeBuild":                   "codebuild",
	"Network Firewall":            "network-firewall",
	"schemas":                     "schemas",
	"S3Tables":                    "s3tables",
	"imagebuilder":                "imagebuilder",
	"License Manager":             "license-manager",
	"Config Service":              "config",
	"GuardDuty":                   "guardduty",
	"Macie2":                      "macie2",
	"Detective":                   "detective",
	"SecurityHub":                 "securityhub",
	"Inspector2":                  "inspector2",
	"CleanRooms":                  "cleanrooms",
	"AuditManager":                "auditmanager",
	"Global Accelerator":          "globalaccelerator",
	"SSM Incidents":               "ssm-incidents",
	"NetworkManager":              "networkmanager",
	"ECR PUBLIC":                  "ecr-public",
	"CloudControl":                "cloudformation",
	"Directory Service":           "ds",
}

// actions are IAM actions that are not called as the API is, most of them S3's.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var actions = map[string]string{
	"S3:ListBuckets":                        "s3:ListAllMyBuckets",
	"S3:GetBucketEncryption":                "s3:GetEncryptionConfiguration",
	"S3:DeleteBucketEncryption":             "s3:PutEncryptionConfiguration",
	"S3:GetBucketLifecycleConfiguration":    "s3:GetLifecycleConfiguration",
	"S3:DeleteBucketLifecycle":              "s3:PutLifecycleConfiguration",
	"S3:GetPublicAccessBlock":               "s3:GetBucketPublicAccessBlock",
	"S3:DeletePublicAccessBlock":            "s3:PutBucketPublicAccessBlock",
	"S3:DeleteBucketOwnershipControls":      "s3:PutBucketOwnershipControls",
	"S3:ListObjectVersions":                 "s3:ListBucketVersions",
	"S3:ListMultipartUploads":               "s3:ListBucketMultipartUploads",
	"S3:DeleteObjects":                      "s3:DeleteObjectVersion",
	"S3:GetBucketReplication":               "s3:GetReplicationConfiguration",
	"S3:GetBucketNotificationConfiguration": "s3:GetBucketNotification",
	"S3:ListBucketInventoryConfigurations":  "s3:GetInventoryConfiguration",
	"S3:ListBucketAnalyticsConfigurations":  "s3:GetAnalyticsConfiguration",
	// API Gateway's actions are the methods by which it is called.
	// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonapigatewaymanagement.html
	"API Gateway:GetRestApis":            "apigateway:GET",
	"API Gateway:GetDomainNames":         "apigateway:GET",
	"S3 Control:GetPublicAccessBlock":    "s3:GetAccountPublicAccessBlock",
	"S3 Control:DeletePublicAccessBlock": "s3:PutAccountPublicAccessBlock",
}

// called puts the IAM action in front of an error of the SDK: it is what a
// policy must allow, where the error is a refusal.
func called(err error) error {
	op, is := errors.AsType[*smithy.OperationError](err)
	if !is {
		return err
	}
	action, is := actions[op.Service()+":"+op.Operation()]
	if !is {
		prefix, is := prefixes[op.Service()]
		if !is {
			return err
		}
		action = prefix + ":" + op.Operation()
	}
	return fmt.Errorf("%s: %w", action, err)
}
