package awsprovider

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/athena"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/backup"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/bedrock"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cfg"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/dms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ecr"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/grafana"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3control"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sagemaker"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/signer"

	"freehold.dev/freehold/internal/awstype"
)

// shareControlTypes are what Cloud Control lists for an audit. Whatever is changed of
// one makes a new one here: what an audit sees of it is the same.
var shareControlTypes = []*Type{
	joining(Type{
		Token: awstype.AthenaWorkgroup, Source: "https://docs.aws.amazon.com/athena/latest/APIReference/API_CreateWorkGroup.html",
		Args: athena.WorkgroupArgs{}, State: athena.Workgroup{}, Noun: "Athena WorkGroup", Service: "athena", Name: Name{Property: "name", Max: 128},
		ARN: "arn:aws:athena:{region}:{account}:workgroup/{name}", Tags: true, Defaults: map[string]any{"state": "ENABLED"},
		Unique: []Unique{{Key: "workgroup/{name}", Error: "InvalidRequestException: WorkGroup is already created"}},
	}, "CreateWorkGroup", "GetWorkGroup", "DeleteWorkGroup", "{name}", map[string][]Rule{
		"configuration.resultConfiguration.expectedBucketOwner": {match(accountPattern)},
	}),
	joining(Type{
		Token: awstype.BedrockDataSource, Source: "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_agent_CreateDataSource.html",
		Args: bedrock.AgentDataSourceArgs{}, State: bedrock.AgentDataSource{}, Noun: "Bedrock Agent Data Source", Service: "bedrock", Name: Name{Property: "name", Max: 100},
		Outputs: map[string]string{"dataSourceId": "{upper:10}"},
	}, "CreateDataSource", "GetDataSource", "DeleteDataSource", "{upper:10},{knowledgeBaseId}", map[string][]Rule{
		"dataSourceConfiguration.s3Configuration.bucketArn": {isARN("s3")}, "dataSourceConfiguration.s3Configuration.bucketOwnerAccountId": {match(accountPattern)},
	}),
	joining(Type{
		Token: awstype.BackupReportPlan, Source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_CreateReportPlan.html",
		Args: backup.ReportPlanArgs{}, State: backup.ReportPlan{}, Noun: "Backup Report Plan", Service: "backup", Name: Name{Property: "name", Max: 256}, Tags: true,
		ARN: "arn:aws:backup:{region}:{account}:report-plan:{name}-{uuid}", Outputs: map[string]string{"creationTime": "{now}", "deploymentStatus": "COMPLETED"},
		Unique: []Unique{{Key: "report-plan/{name}", Error: "AlreadyExistsException: Report plan with the same name already exists."}},
	}, "CreateReportPlan", "DescribeReportPlan", "DeleteReportPlan", "{name}", nil),
	joining(Type{
		Token: awstype.ConfigAggregator, Source: "https://docs.aws.amazon.com/config/latest/APIReference/API_PutConfigurationAggregator.html",
		Args: cfg.ConfigurationAggregatorArgs{}, State: cfg.ConfigurationAggregator{}, Noun: "ConfigService Configuration Aggregator", Service: "config",
		Name: Name{Property: "name", Max: 256}, ARN: "arn:aws:config:{region}:{account}:config-aggregator/config-aggregator-{hex:8}", Tags: true,
		ExactlyOne: [][]string{{"accountAggregationSource", "organizationAggregationSource"}},
	}, "PutConfigurationAggregator", "DescribeConfigurationAggregators", "DeleteConfigurationAggregator", "{name}", map[string][]Rule{
		"accountAggregationSource.accountIds[*]": {match(accountPattern)}, "organizationAggregationSource.roleArn": {isARN("iam")},
	}),
	joining(Type{
		Token: awstype.EventDataStore, Source: "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateEventDataStore.html",
		Args: cloudtrail.EventDataStoreArgs{}, State: cloudtrail.EventDataStore{}, Noun: "CloudTrail Event Data Store", Service: "cloudtrail",
		Name: Name{Property: "name", Max: 128}, ARN: "arn:aws:cloudtrail:{region}:{account}:eventdatastore/{uuid}", Tags: true,
		Defaults: map[string]any{"organizationEnabled": false, "multiRegionEnabled": true, "retentionPeriod": 2555.0, "terminationProtectionEnabled": true},
	}, "CreateEventDataStore", "GetEventDataStore", "DeleteEventDataStore", "{name}-{hex:8}", nil),
	joining(Type{
		Token: awstype.DMSS3Endpoint, Source: "https://docs.aws.amazon.com/dms/latest/APIReference/API_CreateEndpoint.html",
		Args: dms.S3EndpointArgs{}, State: dms.S3Endpoint{}, Noun: "DMS S3 Endpoint", Service: "dms", Tags: true,
		Outputs: map[string]string{"endpointArn": "arn:aws:dms:{region}:{account}:endpoint:{upper:26}", "status": "active", "engineDisplayName": "Amazon S3"},
		Unique:  []Unique{{Key: "endpoint/{endpointId}", Error: "ResourceAlreadyExistsFault: Endpoint {endpointId} already exists."}},
	}, "CreateEndpoint", "DescribeEndpoints", "DeleteEndpoint", "{endpointId}", map[string][]Rule{
		"endpointType": {oneOf("source", "target")}, "expectedBucketOwner": {match(accountPattern)}, "serviceAccessRoleArn": {isARN("iam")},
	}),
	joining(Type{
		Token: awstype.ECRCreationTemplate, Source: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepositoryCreationTemplate.html",
		Args: ecr.RepositoryCreationTemplateArgs{}, State: ecr.RepositoryCreationTemplate{}, Noun: "ECR Repository Creation Template", Service: "ecr",
		Required: []string{"appliedFors"}, Defaults: map[string]any{"imageTagMutability": "MUTABLE"}, Outputs: map[string]string{"registryId": "{account}"},
		Policies: map[string]Grammar{"repositoryPolicy": granting("repository policy", 10240, "InvalidParameterException", "InvalidParameterException")},
		Unique:   []Unique{{Key: "creation-template/{prefix}", Error: "TemplateAlreadyExistsException: A template with prefix {prefix} already exists"}},
	}, "CreateRepositoryCreationTemplate", "DescribeRepositoryCreationTemplates", "DeleteRepositoryCreationTemplate", "{prefix}", map[string][]Rule{
		"appliedFors[*]": {oneOf("REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH")},
	}),
	joining(Type{
		Token: awstype.GrafanaWorkspace, Source: "https://docs.aws.amazon.com/grafana/latest/APIReference/API_CreateWorkspace.html",
		Args: grafana.WorkspaceArgs{}, State: grafana.Workspace{}, Noun: "Managed Grafana Workspace", Service: "grafana", Name: Name{Property: "name", Max: 255}, Tags: true,
		ARN: "arn:aws:grafana:{region}:{account}:/workspaces/{id}", Required: []string{"authenticationProviders"},
		Outputs: map[string]string{"endpoint": "{id}.grafana-workspace.{region}.amazonaws.com", "samlConfigurationStatus": "NOT_CONFIGURED"},
	}, "CreateWorkspace", "DescribeWorkspace", "DeleteWorkspace", "g-{hex:10}", map[string][]Rule{
		"accountAccessType": {oneOf("CURRENT_ACCOUNT", "ORGANIZATION")}, "authenticationProviders[*]": {oneOf("AWS_SSO", "SAML")},
		"permissionType": {oneOf("CUSTOMER_MANAGED", "SERVICE_MANAGED")},
	}),
	joining(Type{
		Token: awstype.StorageLens, Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutStorageLensConfiguration.html",
		Args: s3control.StorageLensConfigurationArgs{}, State: s3control.StorageLensConfiguration{}, Noun: "S3 Storage Lens Configuration", Service: "s3control", Tags: true, Upsert: true,
		ARN: "arn:aws:s3:{region}:{account}:storage-lens/{configId}", Outputs: map[string]string{"accountId": "{account}"},
	}, "PutStorageLensConfiguration", "GetStorageLensConfiguration", "DeleteStorageLensConfiguration", "{account}:{configId}", map[string][]Rule{
		"storageLensConfiguration.dataExport.s3BucketDestination.accountId": {match(accountPattern)},
	}),
	joining(Type{
		Token: awstype.SageMakerDomain, Source: "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html",
		Args: sagemaker.DomainArgs{}, State: sagemaker.Domain{}, Noun: "SageMaker AI Domain", Service: "sagemaker", Tags: true,
		ARN: "arn:aws:sagemaker:{region}:{account}:domain/{id}", Required: []string{"subnetIds"},
		Defaults: map[string]any{"appNetworkAccessType": "PublicInternetOnly"}, Outputs: map[string]string{"homeEfsFileSystemId": "fs-{hex:17}", "url": "https://{id}.studio.{region}.sagemaker.aws"},
		Unique: []Unique{{Key: "domain/{domainName}", Error: "ResourceInUse: Domain name {domainName} is already in use."}},
	}, "CreateDomain", "DescribeDomain", "DeleteDomain", "d-{hex:12}", map[string][]Rule{
		"authMode": {oneOf("IAM", "SSO")}, "domainSettings.dockerSettings.vpcOnlyTrustedAccounts[*]": {match(accountPattern)},
	}),
	policyOf(*joining(Type{
		Token: awstype.ModelPackagePolicy, Source: "https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_PutModelPackageGroupPolicy.html",
		Args: sagemaker.ModelPackageGroupPolicyArgs{}, State: sagemaker.ModelPackageGroupPolicy{}, Noun: "SageMaker AI Model Package Group Policy", Service: "sagemaker",
		Policies: map[string]Grammar{"resourcePolicy": granting("resource policy", 20480, "ValidationException", "ValidationException")},
	}, "PutModelPackageGroupPolicy", "GetModelPackageGroupPolicy", "DeleteModelPackageGroupPolicy", "{modelPackageGroupName}", nil)),
	joining(Type{
		Token: awstype.SignerPermission, Source: "https://docs.aws.amazon.com/signer/latest/api/API_AddProfilePermission.html",
		Args: signer.SigningProfilePermissionArgs{}, State: signer.SigningProfilePermission{}, Noun: "Signer Signing Profile Permission", Service: "signer",
		Name: Name{Property: "statementId", Prefix: "statementIdPrefix", Max: 64},
	}, "AddProfilePermission", "ListProfilePermissions", "RemoveProfilePermission", "{profileName}/{statementId}", map[string][]Rule{
		"action": {oneOf("signer:StartSigningJob", "signer:GetSigningProfile", "signer:RevokeSignature", "signer:SignPayload")},
	}),
}
