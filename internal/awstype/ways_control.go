package awstype

import (
	"maps"
	"slices"
	"strings"
)

// Control is how AWS Cloud Control lists a type: one API for all types that
// CloudFormation can list.
//
// https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-list.html
type Control struct {
	// Type is the type in CloudFormation, "AWS::Athena::WorkGroup".
	Type string
	// Under is the type of whose every one the list is asked for, "AWS::Bedrock::KnowledgeBase",
	// and Key the property that names it there and here. Empty: the list is the account's.
	Under, Key string
}

// The types that Cloud Control lists.
const (
	AthenaWorkgroup     = "aws:athena/workgroup:Workgroup"
	BedrockDataSource   = "aws:bedrock/agentDataSource:AgentDataSource"
	BackupReportPlan    = "aws:backup/reportPlan:ReportPlan"
	ConfigAggregator    = "aws:cfg/configurationAggregator:ConfigurationAggregator"
	EventDataStore      = "aws:cloudtrail/eventDataStore:EventDataStore"
	DMSS3Endpoint       = "aws:dms/s3Endpoint:S3Endpoint"
	ECRCreationTemplate = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"
	GrafanaWorkspace    = "aws:grafana/workspace:Workspace"
	StorageLens         = "aws:s3control/storageLensConfiguration:StorageLensConfiguration"
	SageMakerDomain     = "aws:sagemaker/domain:Domain"
	ModelPackagePolicy  = "aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy"
	SignerPermission    = "aws:signer/signingProfilePermission:SigningProfilePermission"
)

// controlCalls are the actions of Cloud Control itself. Beside them a caller needs
// the service's own, which are checked as if it had called the service.
// https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/security.html
var controlCalls = []string{"cloudformation:GetResource", "cloudformation:ListResources"}

// controlWays are the ways that Cloud Control lists. A type is here that it lists
// by itself or under another, that is ready without being switched on, and of
// which an account has few: it answers about one thing at a time.
var controlWays = []Way{
	controlled("query-results", "Athena workgroups", AthenaWorkgroup, Control{Type: "AWS::Athena::WorkGroup"}, "FH417",
		[]string{"athena:GetWorkGroup", "athena:ListTagsForResource", "athena:ListWorkGroups"},
		End{Path: "configuration.resultConfiguration.expectedBucketOwner", From: "WorkGroupConfiguration.ResultConfiguration.ExpectedBucketOwner", Is: IsAccount, Kind: kindReference}),
	controlled("knowledge-source", "Data sources of Bedrock knowledge bases", BedrockDataSource,
		Control{Type: "AWS::Bedrock::DataSource", Under: "AWS::Bedrock::KnowledgeBase", Key: "KnowledgeBaseId"}, "FH417",
		[]string{"bedrock:GetDataSource", "bedrock:GetKnowledgeBase", "bedrock:ListDataSources", "bedrock:ListKnowledgeBases", "bedrock:ListTagsForResource"},
		End{Path: "dataSourceConfiguration.s3Configuration.bucketOwnerAccountId", From: "DataSourceConfiguration.S3Configuration.BucketOwnerAccountId", Is: IsAccount, Kind: kindReference},
		End{Path: "dataSourceConfiguration.s3Configuration.bucketArn", From: "DataSourceConfiguration.S3Configuration.BucketArn", Is: IsBucket, Kind: kindReference}),
	controlled("backup-report", "Report plans of AWS Backup", BackupReportPlan, Control{Type: "AWS::Backup::ReportPlan"}, "FH419",
		[]string{"backup:DescribeReportPlan", "backup:ListReportPlans", "backup:ListTags"},
		End{Path: "reportSetting.accounts", From: "ReportSetting.Accounts", Is: IsAccount, Kind: kindReference, Rule: "FH417"},
		End{Path: "reportSetting.organizationUnits", From: "ReportSetting.OrganizationUnits", Is: IsOutside, Kind: kindReference},
		End{Path: "reportDeliveryChannel.s3BucketName", From: "ReportDeliveryChannel.S3BucketName", Is: IsBucket, Kind: kindReference, Rule: "FH417"}),
	controlled("config-aggregator", "Aggregators of AWS Config", ConfigAggregator, Control{Type: "AWS::Config::ConfigurationAggregator"}, "FH419",
		[]string{"config:DescribeConfigurationAggregators", "config:ListTagsForResource"},
		End{Path: "accountAggregationSource.accountIds", From: "AccountAggregationSources.AccountIds", Is: IsAccount, Kind: kindReference, Rule: "FH417"},
		End{Path: "organizationAggregationSource.roleArn", From: "OrganizationAggregationSource.RoleArn", Is: IsOutside, Kind: kindReference}),
	controlled("event-data-store", "Event data stores of CloudTrail", EventDataStore, Control{Type: "AWS::CloudTrail::EventDataStore"}, "FH419",
		[]string{"cloudtrail:GetEventConfiguration", "cloudtrail:GetEventDataStore", "cloudtrail:GetInsightSelectors", "cloudtrail:ListEventDataStores", "cloudtrail:ListTags"},
		End{Path: "organizationEnabled", From: "OrganizationEnabled", Is: IsSwitch, Closed: []string{"false"}, Kind: kindReference}),
	controlled("migration-endpoint", "S3 endpoints of Database Migration Service", DMSS3Endpoint, Control{Type: "AWS::DMS::Endpoint"}, "FH417",
		[]string{"dms:DescribeEndpoints", "dms:ListTagsForResource"},
		End{Path: "expectedBucketOwner", From: "S3Settings/ExpectedBucketOwner", Is: IsAccount, Kind: kindReference},
		End{Path: "bucketName", From: "S3Settings/BucketName", Is: IsBucket, Kind: kindReference}),
	controlled("repository-template", "Templates by which ECR makes repositories", ECRCreationTemplate, Control{Type: "AWS::ECR::RepositoryCreationTemplate"}, "FH305",
		[]string{"ecr:DescribeRepositoryCreationTemplates"},
		End{Path: "repositoryPolicy", From: "RepositoryPolicy", Is: IsPolicy, Kind: kindPolicy}),
	controlled("grafana", "Grafana workspaces", GrafanaWorkspace, Control{Type: "AWS::Grafana::Workspace"}, "FH419",
		[]string{
			"grafana:DescribeWorkspace", "grafana:DescribeWorkspaceAuthentication", "grafana:DescribeWorkspaceConfiguration",
			"grafana:ListTagsForResource", "grafana:ListWorkspaces",
		},
		End{Path: "accountAccessType", From: "AccountAccessType", Is: IsSwitch, Closed: []string{"CURRENT_ACCOUNT"}, Kind: kindReference},
		End{Path: "organizationalUnits", From: "OrganizationalUnits", Is: IsOutside, Kind: kindReference}),
	controlled("storage-lens", "S3 Storage Lens configurations", StorageLens, Control{Type: "AWS::S3::StorageLens"}, "FH417",
		[]string{"s3:GetStorageLensConfiguration", "s3:GetStorageLensConfigurationTagging", "s3:ListStorageLensConfigurations"},
		End{Path: "storageLensConfiguration.dataExport.s3BucketDestination.accountId", From: "StorageLensConfiguration.DataExport.S3BucketDestination.AccountId", Is: IsAccount, Kind: kindReference},
		End{Path: "storageLensConfiguration.dataExport.s3BucketDestination.arn", From: "StorageLensConfiguration.DataExport.S3BucketDestination.Arn", Is: IsBucket, Kind: kindReference},
		End{Path: "storageLensConfiguration.awsOrg.arn", From: "StorageLensConfiguration.AwsOrg.Arn", Is: IsOutside, Kind: kindReference}),
	controlled("notebook-accounts", "SageMaker domains", SageMakerDomain, Control{Type: "AWS::SageMaker::Domain"}, "FH417",
		[]string{
			"sagemaker:DescribeApp", "sagemaker:DescribeDomain", "sagemaker:DescribeImage", "sagemaker:DescribeImageVersion", "sagemaker:DescribeUserProfile",
			"sagemaker:ListDomains", "sagemaker:ListTags",
		},
		End{Path: "domainSettings.dockerSettings.vpcOnlyTrustedAccounts", From: "DomainSettings.DockerSettings.VpcOnlyTrustedAccounts", Is: IsPrincipal, Kind: kindGrant}),
	controlled("model-policy", "Policies of SageMaker model package groups", ModelPackagePolicy, Control{Type: "AWS::SageMaker::ModelPackageGroup"}, "FH305",
		[]string{"sagemaker:DescribeModelPackageGroup", "sagemaker:GetModelPackageGroupPolicy", "sagemaker:ListModelPackageGroups", "sagemaker:ListTags"},
		End{Path: "resourcePolicy", From: "ModelPackageGroupPolicy", Is: IsPolicy, Kind: kindPolicy}),
	controlled("signer-permission", "Permissions on signing profiles", SignerPermission,
		Control{Type: "AWS::Signer::ProfilePermission", Under: "AWS::Signer::SigningProfile", Key: "ProfileName"}, "FH417",
		[]string{"signer:GetSigningProfile", "signer:ListProfilePermissions", "signer:ListSigningProfiles"},
		End{Path: "principal", From: "Principal", Is: IsPrincipal, Kind: kindGrant}),
}

// controlled is the way of a type that Cloud Control lists, with the service's own
// calls that it makes for the caller. The service's page of CloudFormation says
// which properties there are, and which calls the type's handlers make.
func controlled(id, title, token string, by Control, rule string, calls []string, ends ...End) Way {
	service, resource, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(by.Type, "AWS::")), "::")
	calls = slices.Concat(controlCalls, calls)
	rules := []string{rule}
	for _, e := range ends {
		if e.Rule != "" && !slices.Contains(rules, e.Rule) {
			rules = append(rules, e.Rule)
		}
	}
	slices.Sort(calls)
	return Way{
		ID: id, Title: title, Rules: rules, Types: []string{token}, List: by.Type, Control: &by, Calls: calls, Ends: ends,
		Source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-" + service + "-" + resource + ".html",
	}
}

// ControlOf returns the way that Cloud Control lists under a name of SharingLists;
// ok is false if another function lists it.
func ControlOf(list string) (w Way, ok bool) {
	w, ok = controlByList[list]
	return w, ok
}

var controlByList = maps.Collect(func(yield func(string, Way) bool) {
	for _, w := range controlWays {
		if !yield(w.List, w) {
			return
		}
	}
})
