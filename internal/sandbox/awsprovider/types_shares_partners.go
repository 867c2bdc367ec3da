package awsprovider

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/codebuild"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dlm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/imagebuilder"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kinesis"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/msk"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/networkfirewall"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/pipes"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/redshift"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/redshiftserverless"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3tables"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/scheduler"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/schemas"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/servicecatalog"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sesv2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/xray"

	"freehold.dev/freehold/internal/awstype"
)

const (
	tableBucketToken = "aws:s3tables/tableBucket:TableBucket"
	portfolioToken   = "aws:servicecatalog/portfolio:Portfolio"
	registryToken    = "aws:schemas/registry:Registry"
	mailToken        = "aws:sesv2/emailIdentity:EmailIdentity"
)

// accountNumber is what names another account.
var accountNumber = map[string][]Rule{"accountId": {match(accountPattern)}}

// policyOfARN is the policy of a thing of a service that the sandbox does not
// serve itself: anything of that service's, by its ARN.
func policyOfARN(t Type, arnOf, service string, length int) *Type {
	t.ID, t.Replace = "{"+arnOf+"}", []string{arnOf}
	t.Fields = map[string][]Rule{arnOf: {isARN(service)}}
	t.Policies = map[string]Grammar{"policy": granting("resource policy", length, "ValidationException", "ValidationException")}
	return policyOf(t)
}

// sharePartnerTypes are what services that a data plane seldom has copy out, or
// let others read.
var sharePartnerTypes = []*Type{
	{
		Token: awstype.SnapshotLifecycle, Source: "https://docs.aws.amazon.com/dlm/latest/APIReference/API_CreateLifecyclePolicy.html",
		Args: dlm.LifecyclePolicyArgs{}, State: dlm.LifecyclePolicy{}, Noun: "DLM Lifecycle Policy", Service: "dlm",
		API: API{Create: "CreateLifecyclePolicy", Read: "GetLifecyclePolicy", Update: "UpdateLifecyclePolicy", Delete: "DeleteLifecyclePolicy", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "policy-{hex:17}", ARN: "arn:aws:dlm:{region}:{account}:policy/{id}", Tags: true, Defaults: map[string]any{"state": "ENABLED"},
		Fields: map[string][]Rule{
			"description": {length(1, 500)}, "executionRoleArn": {isARN("iam")}, "policyDetails.schedules": {count(1, 4)},
			"policyDetails.schedules[*].shareRule.targetAccounts[*]": {match(accountPattern)},
		},
	},
	{
		Token: awstype.ImageDistribution, Source: "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_CreateDistributionConfiguration.html",
		Args: imagebuilder.DistributionConfigurationArgs{}, State: imagebuilder.DistributionConfiguration{}, Noun: "Image Builder Distribution Configuration", Service: "imagebuilder",
		API: API{Create: "CreateDistributionConfiguration", Read: "GetDistributionConfiguration", Update: "UpdateDistributionConfiguration",
			Delete: "DeleteDistributionConfiguration", Updates: map[string]string{"tags": "TagResource"}},
		ID: "arn:aws:imagebuilder:{region}:{account}:distribution-configuration/{name}", ARN: "arn:aws:imagebuilder:{region}:{account}:distribution-configuration/{name}",
		Name: Name{Property: "name", Max: 126}, Tags: true, Required: []string{"distributions"}, Outputs: map[string]string{"dateCreated": "{now}"},
		Fields:  map[string][]Rule{"distributions[*].amiDistributionConfiguration.targetAccountIds[*]": {match(accountPattern)}},
		Unique:  []Unique{{Key: "distribution/{name}", Error: "ResourceAlreadyExistsException: The resource '{name}' already exists."}},
		Replace: []string{"name"},
	},
	{
		Token: awstype.MetricStream, Source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricStream.html",
		Args: cloudwatch.MetricStreamArgs{}, State: cloudwatch.MetricStream{}, Noun: "CloudWatch Metric Stream", Service: "cloudwatch",
		API: API{Create: "PutMetricStream", Read: "GetMetricStream", Update: "PutMetricStream", Delete: "DeleteMetricStream", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:cloudwatch:{region}:{account}:metric-stream/{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 255}, Tags: true,
		Fields:  map[string][]Rule{"firehoseArn": {isARN("firehose")}, "roleArn": {isARN("iam")}, "outputFormat": {oneOf("json", "opentelemetry0.7", "opentelemetry1.0")}},
		Outputs: map[string]string{"creationDate": "{now}", "lastUpdateDate": "{now}", "state": "running"}, Replace: []string{"name", "namePrefix"},
	},
	{
		Token: awstype.DeliveryStream, Source: "https://docs.aws.amazon.com/firehose/latest/APIReference/API_CreateDeliveryStream.html",
		Args: kinesis.FirehoseDeliveryStreamArgs{}, State: kinesis.FirehoseDeliveryStream{}, Noun: "Kinesis Firehose Delivery Stream", Service: "firehose",
		API: API{Create: "CreateDeliveryStream", Read: "DescribeDeliveryStream", Update: "UpdateDestination", Delete: "DeleteDeliveryStream", Updates: map[string]string{"tags": "TagDeliveryStream"}},
		ID:  "arn:aws:firehose:{region}:{account}:deliverystream/{name}", ARN: "arn:aws:firehose:{region}:{account}:deliverystream/{name}", Name: Name{Property: "name", Max: 64}, Tags: true,
		Fields: map[string][]Rule{
			"destination":                       {oneOf("extended_s3", "redshift", "elasticsearch", "opensearch", "opensearchserverless", "splunk", "http_endpoint", "snowflake", "iceberg")},
			"extendedS3Configuration.bucketArn": {isARN("s3")}, "extendedS3Configuration.roleArn": {isARN("iam")},
		},
		Outputs: map[string]string{"destinationId": "destinationId-000000000001", "versionId": "1"}, Replace: []string{"name", "destination"},
		Unique: []Unique{{Key: "deliverystream/{name}", Error: "ResourceInUseException: Firehose {name} under accountId {account} already exists"}},
	},
	{
		Token: awstype.EventPipe, Source: "https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_CreatePipe.html",
		Args: pipes.PipeArgs{}, State: pipes.Pipe{}, Noun: "EventBridge Pipe", Service: "pipes",
		API: API{Create: "CreatePipe", Read: "DescribePipe", Update: "UpdatePipe", Delete: "DeletePipe", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:pipes:{region}:{account}:pipe/{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 64}, Tags: true,
		Defaults: map[string]any{"desiredState": "RUNNING"}, Fields: map[string][]Rule{"roleArn": {isARN("iam")}, "target": {isARN("")}}, Replace: []string{"name", "namePrefix", "source"},
	},
	{
		Token: awstype.EventSchedule, Source: "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html",
		Args: scheduler.ScheduleArgs{}, State: scheduler.Schedule{}, Noun: "EventBridge Scheduler Schedule", Service: "scheduler",
		API: API{Create: "CreateSchedule", Read: "GetSchedule", Update: "UpdateSchedule", Delete: "DeleteSchedule"},
		ID:  "{groupName}/{name}", ARN: "arn:aws:scheduler:{region}:{account}:schedule/{groupName}/{name}", Name: Name{Property: "name", Prefix: "namePrefix", Max: 64},
		Defaults: map[string]any{"groupName": "default", "state": "ENABLED", "scheduleExpressionTimezone": "UTC"},
		Fields:   map[string][]Rule{"target.arn": {isARN("")}, "target.roleArn": {isARN("iam")}}, Replace: []string{"name", "namePrefix", "groupName"},
	},
	{
		Token: awstype.SSMDocument, Source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html",
		Args: ssm.DocumentArgs{}, State: ssm.Document{}, Noun: "SSM Document", Service: "ssm",
		API: API{Create: "CreateDocument", Read: "DescribeDocument", Update: "UpdateDocument", Delete: "DeleteDocument",
			Updates: map[string]string{"tags": "AddTagsToResource", "permissions": "ModifyDocumentPermission"}},
		ID: "{name}", ARN: "arn:aws:ssm:{region}:{account}:document/{name}", Name: Name{Property: "name", Max: 128}, Tags: true,
		Defaults: map[string]any{"documentFormat": "JSON"}, Outputs: map[string]string{"owner": "{account}", "status": "Active", "defaultVersion": "1", "latestVersion": "1", "documentVersion": "1"},
		Unique: []Unique{{Key: "document/{name}", Error: "DocumentAlreadyExists: Document with same name {name} already exists"}}, Replace: []string{"name", "documentType"},
	},
	{
		Token: awstype.RedshiftShare, Source: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_AuthorizeDataShare.html",
		Args: redshift.DataShareAuthorizationArgs{}, State: redshift.DataShareAuthorization{}, Noun: "Redshift Data Share Authorization", Service: "redshift",
		API: API{Create: "AuthorizeDataShare", Read: "DescribeDataShares", Delete: "DeauthorizeDataShare"},
		ID:  "{dataShareArn},{consumerIdentifier}", Fields: map[string][]Rule{"dataShareArn": {isARN("redshift")}}, Replace: []string{"*"},
		Outputs: map[string]string{"producerArn": "arn:aws:redshift:{region}:{account}:namespace:{uuid}"},
	},
	{
		Token: awstype.RedshiftShareTaken, Source: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_AssociateDataShareConsumer.html",
		Args: redshift.DataShareConsumerAssociationArgs{}, State: redshift.DataShareConsumerAssociation{}, Noun: "Redshift Data Share Consumer Association", Service: "redshift",
		API: API{Create: "AssociateDataShareConsumer", Read: "DescribeDataSharesForConsumer", Delete: "DisassociateDataShareConsumer"},
		ID:  "{dataShareArn},{account}", Fields: map[string][]Rule{"dataShareArn": {isARN("redshift")}}, Replace: []string{"*"},
	},
	{
		Token: awstype.RedshiftEndpoint, Source: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_CreateEndpointAccess.html",
		Args: redshift.EndpointAccessArgs{}, State: redshift.EndpointAccess{}, Noun: "Redshift Endpoint Access", Service: "redshift",
		API: API{Create: "CreateEndpointAccess", Read: "DescribeEndpointAccess", Update: "ModifyEndpointAccess", Delete: "DeleteEndpointAccess"},
		ID:  "{endpointName}", Fields: map[string][]Rule{"resourceOwner": {match(accountPattern)}, "endpointName": {length(1, 30)}},
		Outputs: map[string]string{"address": "{endpointName}.{hex:12}.{region}.redshift.amazonaws.com"}, Replace: []string{"clusterIdentifier", "endpointName", "resourceOwner", "subnetGroupName"},
	},
	{
		Token: awstype.RedshiftEndpointOf, Source: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_AuthorizeEndpointAccess.html",
		Args: redshift.EndpointAuthorizationArgs{}, State: redshift.EndpointAuthorization{}, Noun: "Redshift Endpoint Authorization", Service: "redshift",
		API: API{Create: "AuthorizeEndpointAccess", Read: "DescribeEndpointAuthorization", Update: "AuthorizeEndpointAccess", Delete: "RevokeEndpointAccess"},
		ID:  "{account}:{clusterIdentifier}", Fields: map[string][]Rule{"account": {match(accountPattern)}}, Replace: []string{"account", "clusterIdentifier"},
		Defaults: map[string]any{"allowedAllVpcs": true, "endpointCount": 0.0},
	},
	policyOfARN(Type{
		Token: awstype.RedshiftPolicy, Source: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_PutResourcePolicy.html",
		Args: redshift.ResourcePolicyArgs{}, State: redshift.ResourcePolicy{}, Noun: "Redshift Resource Policy", Service: "redshift",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
	}, "resourceArn", "redshift", 20480),
	policyOfARN(Type{
		Token: awstype.ServerlessPolicy, Source: "https://docs.aws.amazon.com/redshift-serverless/latest/APIReference/API_PutResourcePolicy.html",
		Args: redshiftserverless.ResourcePolicyArgs{}, State: redshiftserverless.ResourcePolicy{}, Noun: "Redshift Serverless Resource Policy", Service: "redshift-serverless",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
	}, "resourceArn", "redshift-serverless", 20480),
	{
		Token: tableBucketToken, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3TableBuckets_CreateTableBucket.html",
		Args: s3tables.TableBucketArgs{}, State: s3tables.TableBucket{}, Noun: "S3 Tables Table Bucket", Service: "s3tables",
		API: API{Create: "CreateTableBucket", Read: "GetTableBucket", Update: "PutTableBucketMaintenanceConfiguration", Delete: "DeleteTableBucket"},
		ID:  "arn:aws:s3tables:{region}:{account}:bucket/{name}", ARN: "arn:aws:s3tables:{region}:{account}:bucket/{name}", Name: Name{Property: "name", Max: 63, Lower: true},
		Outputs: map[string]string{"ownerAccountId": "{account}", "createdAt": "{now}"}, Replace: []string{"name"},
		Unique: []Unique{{Key: "tablebucket/{name}", Error: "ConflictException: The bucket that you tried to create already exists, and you own it."}},
		Owns:   []Link{{Type: awstype.TableBucketPolicy, Path: "tableBucketArn", Value: "{arn}"}},
	},
	policyOf(Type{
		Token: awstype.TableBucketPolicy, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3TableBuckets_PutTableBucketPolicy.html",
		Args: s3tables.TableBucketPolicyArgs{}, State: s3tables.TableBucketPolicy{}, Noun: "S3 Tables Table Bucket Policy", Service: "s3tables",
		API: API{Create: "PutTableBucketPolicy", Read: "GetTableBucketPolicy", Update: "PutTableBucketPolicy", Delete: "DeleteTableBucketPolicy"},
		ID:  "{tableBucketArn}", Replace: []string{"tableBucketArn"}, Policies: map[string]Grammar{"resourcePolicy": granting("table bucket policy", 20480, "BadRequestException", "BadRequestException")},
		Refs: []Ref{{Path: "tableBucketArn", To: []string{tableBucketToken}, By: []string{"arn"}, Error: "NotFoundException: The specified bucket does not exist."}},
	}),
	policyOf(Type{
		Token: awstype.TablePolicy, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3TableBuckets_PutTablePolicy.html",
		Args: s3tables.TablePolicyArgs{}, State: s3tables.TablePolicy{}, Noun: "S3 Tables Table Policy", Service: "s3tables",
		API: API{Create: "PutTablePolicy", Read: "GetTablePolicy", Update: "PutTablePolicy", Delete: "DeleteTablePolicy"},
		ID:  "{tableBucketArn};{namespace};{name}", Replace: []string{"tableBucketArn", "namespace", "name"},
		Policies: map[string]Grammar{"resourcePolicy": granting("table policy", 20480, "BadRequestException", "BadRequestException")},
		Refs:     []Ref{{Path: "tableBucketArn", To: []string{tableBucketToken}, By: []string{"arn"}, Error: "NotFoundException: The specified bucket does not exist."}},
	}),
	{
		Token: portfolioToken, Source: "https://docs.aws.amazon.com/servicecatalog/latest/dg/API_CreatePortfolio.html",
		Args: servicecatalog.PortfolioArgs{}, State: servicecatalog.Portfolio{}, Noun: "Service Catalog Portfolio", Service: "servicecatalog",
		API: API{Create: "CreatePortfolio", Read: "DescribePortfolio", Update: "UpdatePortfolio", Delete: "DeletePortfolio"},
		ID:  "port-{hex:13}", ARN: "arn:aws:catalog:{region}:{account}:portfolio/{id}", Name: Name{Property: "name", Max: 100}, Tags: true,
		Defaults: map[string]any{"description": "Managed by Pulumi"}, Outputs: map[string]string{"createdTime": "{now}"},
	},
	{
		Token: awstype.PortfolioShare, Source: "https://docs.aws.amazon.com/servicecatalog/latest/dg/API_CreatePortfolioShare.html",
		Args: servicecatalog.PortfolioShareArgs{}, State: servicecatalog.PortfolioShare{}, Noun: "Service Catalog Portfolio Share", Service: "servicecatalog",
		API: API{Create: "CreatePortfolioShare", Read: "DescribePortfolioShares", Update: "UpdatePortfolioShare", Delete: "DeletePortfolioShare"},
		ID:  "{portfolioId}:{type}:{principalId}", Defaults: map[string]any{"accepted": false}, Fields: map[string][]Rule{"type": {oneOf("ACCOUNT", "ORGANIZATION", "ORGANIZATIONAL_UNIT", "ORGANIZATION_MEMBER_ACCOUNT")}},
		Refs: []Ref{noPortfolio}, Replace: []string{"portfolioId", "principalId", "type", "acceptLanguage"},
	},
	{
		Token: awstype.PortfolioPrincipal, Source: "https://docs.aws.amazon.com/servicecatalog/latest/dg/API_AssociatePrincipalWithPortfolio.html",
		Args: servicecatalog.PrincipalPortfolioAssociationArgs{}, State: servicecatalog.PrincipalPortfolioAssociation{}, Noun: "Service Catalog Principal Portfolio Association", Service: "servicecatalog",
		API: API{Create: "AssociatePrincipalWithPortfolio", Read: "ListPrincipalsForPortfolio", Delete: "DisassociatePrincipalFromPortfolio"},
		ID:  "{principalArn},{portfolioId}", Defaults: map[string]any{"principalType": "IAM"}, Fields: map[string][]Rule{"principalArn": {isARN("iam")}},
		Refs: []Ref{noPortfolio}, Replace: []string{"*"},
	},
	policyOfARN(Type{
		Token: awstype.CodeBuildPolicy, Source: "https://docs.aws.amazon.com/codebuild/latest/APIReference/API_PutResourcePolicy.html",
		Args: codebuild.ResourcePolicyArgs{}, State: codebuild.ResourcePolicy{}, Noun: "CodeBuild Resource Policy", Service: "codebuild",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
	}, "resourceArn", "codebuild", 20480),
	policyOfARN(Type{
		Token: awstype.KafkaPolicy, Source: "https://docs.aws.amazon.com/msk/1.0/apireference/clusters-clusterarn-policy.html",
		Args: msk.ClusterPolicyArgs{}, State: msk.ClusterPolicy{}, Noun: "MSK Cluster Policy", Service: "kafka",
		API:     API{Create: "PutClusterPolicy", Read: "GetClusterPolicy", Update: "PutClusterPolicy", Delete: "DeleteClusterPolicy"},
		Outputs: map[string]string{"currentVersion": "K{upper:12}"},
	}, "clusterArn", "kafka", 20480),
	policyOfARN(Type{
		Token: awstype.FirewallPolicy, Source: "https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_PutResourcePolicy.html",
		Args: networkfirewall.ResourcePolicyArgs{}, State: networkfirewall.ResourcePolicy{}, Noun: "NetworkFirewall Resource Policy", Service: "network-firewall",
		API: API{Create: "PutResourcePolicy", Read: "DescribeResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
	}, "resourceArn", "network-firewall", 395000),
	{
		Token: registryToken, Source: "https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-registries-name-registryname.html",
		Args: schemas.RegistryArgs{}, State: schemas.Registry{}, Noun: "EventBridge Schemas Registry", Service: "schemas",
		API: API{Create: "CreateRegistry", Read: "DescribeRegistry", Update: "UpdateRegistry", Delete: "DeleteRegistry", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{name}", ARN: "arn:aws:schemas:{region}:{account}:registry/{name}", Name: Name{Property: "name", Max: 64}, Tags: true, Replace: []string{"name"},
		Unique: []Unique{{Key: "schemas/{name}", Error: "ConflictException: Registry with name {name} already exists."}},
		Owns:   []Link{{Type: awstype.SchemaPolicy, Path: "registryName", Value: "{name}"}},
	},
	policyOf(Type{
		Token: awstype.SchemaPolicy, Source: "https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-policy.html",
		Args: schemas.RegistryPolicyArgs{}, State: schemas.RegistryPolicy{}, Noun: "EventBridge Schemas Registry Policy", Service: "schemas",
		API: API{Create: "PutResourcePolicy", Read: "GetResourcePolicy", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{registryName}", Replace: []string{"registryName"}, Policies: map[string]Grammar{"policy": granting("registry policy", 20480, "BadRequestException", "BadRequestException")},
		Refs: []Ref{{Path: "registryName", To: []string{registryToken}, By: []string{"name"}, Error: "NotFoundException: Registry with name {value} does not exist."}},
	}),
	{
		Token: mailToken, Source: "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailIdentity.html",
		Args: sesv2.EmailIdentityArgs{}, State: sesv2.EmailIdentity{}, Noun: "SESv2 Email Identity", Service: "ses",
		API: API{Create: "CreateEmailIdentity", Read: "GetEmailIdentity", Update: "PutEmailIdentityConfigurationSetAttributes", Delete: "DeleteEmailIdentity", Updates: map[string]string{"tags": "TagResource"}},
		ID:  "{emailIdentity}", ARN: "arn:aws:ses:{region}:{account}:identity/{emailIdentity}", Tags: true, Replace: []string{"emailIdentity"},
		Outputs: map[string]string{"identityType": "DOMAIN"}, Defaults: map[string]any{"verifiedForSendingStatus": false},
		Unique: []Unique{{Key: "mail/{emailIdentity}", Error: "AlreadyExistsException: Email identity {emailIdentity} already exist."}},
		Owns:   []Link{{Type: awstype.MailPolicy, Path: "emailIdentity", Value: "{emailIdentity}"}},
	},
	policyOf(Type{
		Token: awstype.MailPolicy, Source: "https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_CreateEmailIdentityPolicy.html",
		Args: sesv2.EmailIdentityPolicyArgs{}, State: sesv2.EmailIdentityPolicy{}, Noun: "SESv2 Email Identity Policy", Service: "ses",
		API: API{Create: "CreateEmailIdentityPolicy", Read: "GetEmailIdentityPolicies", Update: "UpdateEmailIdentityPolicy", Delete: "DeleteEmailIdentityPolicy"},
		ID:  "{emailIdentity}|{policyName}", Replace: []string{"emailIdentity", "policyName"}, Fields: map[string][]Rule{"policyName": {length(1, 64)}},
		Policies: map[string]Grammar{"policy": granting("identity policy", 4096, "BadRequestException", "BadRequestException")},
		Refs:     []Ref{{Path: "emailIdentity", To: []string{mailToken}, By: []string{"emailIdentity"}, Error: "NotFoundException: Email identity {value} does not exist."}},
	}),
	policyOf(Type{
		Token: awstype.TracePolicy, Source: "https://docs.aws.amazon.com/xray/latest/api/API_PutResourcePolicy.html",
		Args: xray.ResourcePolicyArgs{}, State: xray.ResourcePolicy{}, Noun: "X-Ray Resource Policy", Service: "xray",
		API: API{Create: "PutResourcePolicy", Read: "ListResourcePolicies", Update: "PutResourcePolicy", Delete: "DeleteResourcePolicy"},
		ID:  "{policyName}", Replace: []string{"policyName"}, Fields: map[string][]Rule{"policyName": {length(1, 128)}}, Outputs: map[string]string{"lastUpdatedTime": "{now}"},
		Policies: map[string]Grammar{"policyDocument": granting("resource policy", 5120, "MalformedPolicyDocumentException", "PolicySizeLimitExceededException")},
	}),
}

var noPortfolio = Ref{Path: "portfolioId", To: []string{portfolioToken}, By: []string{"id"}, Error: "ResourceNotFoundException: S-CC Portfolio {value} not found."}
