package awstype

// The types of what services let in, or send out.
const (
	SNSTopicPolicy       = "aws:sns/topicPolicy:TopicPolicy"
	SNSSubscription      = "aws:sns/topicSubscription:TopicSubscription"
	SQSQueuePolicy       = "aws:sqs/queuePolicy:QueuePolicy"
	EventBusPolicy       = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
	EventPermission      = "aws:cloudwatch/eventPermission:EventPermission"
	EventTarget          = "aws:cloudwatch/eventTarget:EventTarget"
	LogDestination       = "aws:cloudwatch/logDestination:LogDestination"
	LogDestinationPolicy = "aws:cloudwatch/logDestinationPolicy:LogDestinationPolicy"
	LogResourcePolicy    = "aws:cloudwatch/logResourcePolicy:LogResourcePolicy"
	LogSubscription      = "aws:cloudwatch/logSubscriptionFilter:LogSubscriptionFilter"
	LogDeliveryPolicy    = "aws:cloudwatch/logDeliveryDestinationPolicy:LogDeliveryDestinationPolicy"
	KinesisPolicy        = "aws:kinesis/resourcePolicy:ResourcePolicy"
	LambdaPermission     = "aws:lambda/permission:Permission"
	LambdaLayer          = "aws:lambda/layerVersionPermission:LayerVersionPermission"
	LambdaURL            = "aws:lambda/functionUrl:FunctionUrl"
	LambdaSource         = "aws:lambda/eventSourceMapping:EventSourceMapping"
	LambdaDestination    = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
	RESTAPI              = "aws:apigateway/restApi:RestApi"
	SecretPolicy         = "aws:secretsmanager/secretPolicy:SecretPolicy"
	DynamoDBPolicy       = "aws:dynamodb/resourcePolicy:ResourcePolicy"
	EFSPolicy            = "aws:efs/fileSystemPolicy:FileSystemPolicy"
	OpenSearchPolicy     = "aws:opensearch/domainPolicy:DomainPolicy"
	OpenSearchEndpoint   = "aws:opensearch/authorizeVpcEndpointAccess:AuthorizeVpcEndpointAccess"
	GlacierVault         = "aws:glacier/vault:Vault"
	BackupVaultPolicy    = "aws:backup/vaultPolicy:VaultPolicy"
	BackupPlan           = "aws:backup/plan:Plan"
	PrivateCAPolicy      = "aws:acmpca/policy:Policy"
	GluePolicy           = "aws:glue/resourcePolicy:ResourcePolicy"
	LakePermissions      = "aws:lakeformation/permissions:Permissions"
	CodeArtifactDomain   = "aws:codeartifact/domainPermissions:DomainPermissions"
	CodeArtifactRepo     = "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy"
)

const (
	listTopics       = "SNS topics"
	listEvents       = "EventBridge buses and targets"
	listLogs         = "destinations and policies of CloudWatch Logs"
	listFunctions    = "Lambda functions and layers"
	listSearch       = "OpenSearch domains"
	listBackups      = "AWS Backup vaults and plans"
	listCodeArtifact = "CodeArtifact domains and repositories"
	listVaults       = "S3 Glacier vaults"
	listAuthorities  = "private certificate authorities"
)

// messageWays: who may send and receive, and where events and logs go.
var messageWays = []Way{
	resourcePolicy("topic-policy", "Policies of SNS topics", SNSTopicPolicy, "policy", listTopics,
		"https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html", "sns:GetTopicAttributes", "sns:ListTopics").and("aws:sns/topic:Topic"),
	{
		ID: "topic-subscription", Title: "Subscriptions of SNS topics",
		Source: "https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptions.html",
		Rules:  []string{"FH412"},
		Types:  []string{SNSSubscription},
		List:   listTopics,
		Calls:  []string{"sns:ListSubscriptions", "sns:ListSubscriptionsByTopic"},
		Ends:   []End{{Path: "topic", Is: IsAccount, Kind: kindReference}, {Path: "endpoint", Is: IsAccount, Kind: kindReference}, {Path: "owner", Is: IsAccount, Kind: kindReference}},
	},
	resourcePolicy("queue-policy", "Policies of SQS queues", SQSQueuePolicy, "policy", "SQS queues",
		"https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html",
		"sqs:GetQueueAttributes", "sqs:ListQueues").and("aws:sqs/queue:Queue"),
	resourcePolicy("bus-policy", "Policies of EventBridge buses", EventBusPolicy, "policy", listEvents,
		"https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListEventBuses.html", "events:ListEventBuses"),
	{
		ID: "bus-permission", Title: "Permissions of EventBridge buses",
		Source: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html",
		Rules:  []string{"FH309", "FH415"},
		Types:  []string{EventPermission},
		List:   listEvents,
		Calls:  []string{"events:ListEventBuses"},
		Ends:   []End{{Path: "principal", Is: IsPrincipal, Kind: kindGrant}},
	},
	{
		ID: "event-target", Title: "Targets of EventBridge rules",
		Source: "https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_ListTargetsByRule.html",
		Rules:  []string{"FH412"},
		Types:  []string{EventTarget}, Also: []string{"aws:cloudwatch/eventArchive:EventArchive"},
		List:  listEvents,
		Calls: []string{"events:ListRules", "events:ListTargetsByRule"},
		Ends: []End{
			{Path: "arn", Is: IsAccount, Kind: kindReference}, {Path: "deadLetterConfig.arn", Is: IsAccount, Kind: kindReference},
			{Path: "roleArn", Is: IsAccount, Kind: kindReference},
		},
	},
	resourcePolicy("log-destination-policy", "Policies of CloudWatch Logs destinations", LogDestinationPolicy, "accessPolicy", listLogs,
		"https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeDestinations.html", "logs:DescribeDestinations"),
	resourcePolicy("log-resource-policy", "Resource policies of CloudWatch Logs", LogResourcePolicy, "policyDocument", listLogs,
		"https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeResourcePolicies.html", "logs:DescribeResourcePolicies"),
	resourcePolicy("log-delivery-policy", "Policies of log delivery destinations", LogDeliveryPolicy, "deliveryDestinationPolicy", listLogs,
		"https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetDeliveryDestinationPolicy.html",
		"logs:DescribeDeliveryDestinations", "logs:GetDeliveryDestinationPolicy"),
	{
		ID: "log-copy", Title: "Where log groups and destinations send logs",
		Source: "https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeSubscriptionFilters.html",
		Rules:  []string{"FH412"},
		Types:  []string{LogSubscription, LogDestination},
		List:   listLogs,
		Calls:  []string{"logs:DescribeLogGroups", "logs:DescribeSubscriptionFilters"},
		Ends:   []End{{Path: "destinationArn", Is: IsAccount, Kind: kindReference}, {Path: "targetArn", Is: IsAccount, Kind: kindReference}, {Path: "roleArn", Is: IsAccount, Kind: kindReference}},
	},
	{
		ID: "flow-log", Title: "Where flow logs go",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFlowLogs.html",
		Rules:  []string{"FH412", "FH414"},
		Types:  []string{EC2FlowLog},
		List:   "flow logs",
		Ends: []End{
			{Path: "logDestination", Is: IsAccount, Kind: kindReference}, {Path: "logDestination", Is: IsBucket, Kind: kindReference},
			{Path: "deliverCrossAccountRole", Is: IsAccount, Kind: kindReference},
		},
	},
	{
		ID: "trail-copy", Title: "Where trails write",
		Source: "https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html",
		Rules:  []string{"FH414"},
		Types:  []string{CloudTrailTrail},
		List:   "CloudTrail trails",
		Ends:   []End{{Path: "s3BucketName", Is: IsBucket, Kind: kindReference}},
	},
	resourcePolicy("stream-policy", "Policies of Kinesis streams", KinesisPolicy, "policy", "Kinesis streams",
		"https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetResourcePolicy.html", "kinesis:GetResourcePolicy", "kinesis:ListStreams"),
}

// functionWays: who may call what the account runs.
var functionWays = []Way{
	{
		ID: "function-permission", Title: "Permissions of Lambda functions",
		Source: "https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html",
		Rules:  []string{"FH309", "FH415"},
		Types:  []string{LambdaPermission},
		List:   listFunctions,
		Calls:  []string{"lambda:GetPolicy", "lambda:ListFunctions"},
		Ends: []End{
			{Path: "principal", Is: IsPrincipal, Kind: kindGrant, Unless: []string{"sourceAccount", "sourceArn"}},
			{Path: "principalOrgId", Is: IsOutside, Kind: kindGrant},
		},
	},
	{
		ID: "layer-permission", Title: "Permissions of Lambda layers",
		Source: "https://docs.aws.amazon.com/lambda/latest/api/API_GetLayerVersionPolicy.html",
		Rules:  []string{"FH308", "FH415"},
		Types:  []string{LambdaLayer},
		List:   listFunctions,
		Calls:  []string{"lambda:GetLayerVersionPolicy", "lambda:ListLayerVersions", "lambda:ListLayers"},
		Ends:   []End{{Path: "principal", Is: IsPrincipal, Kind: kindGrant}, {Path: "organizationId", Is: IsOutside, Kind: kindGrant}},
	},
	{
		ID: "function-url", Title: "URLs of Lambda functions",
		Source: "https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctionUrlConfigs.html",
		Rules:  []string{"FH309"},
		Types:  []string{LambdaURL},
		List:   listFunctions,
		Calls:  []string{"lambda:ListFunctionUrlConfigs"},
		Ends:   []End{{Path: "authorizationType", Is: IsPrincipal, Kind: kindGrant}},
	},
	{
		ID: "function-copy", Title: "What Lambda functions read, and where their results go",
		Source: "https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html",
		Rules:  []string{"FH412"},
		Types:  []string{LambdaSource, LambdaDestination},
		List:   listFunctions,
		Calls:  []string{"lambda:ListEventSourceMappings", "lambda:ListFunctionEventInvokeConfigs"},
		Ends: []End{
			{Path: "eventSourceArn", Is: IsAccount, Kind: kindReference},
			{Path: "destinationConfig.onFailure.destinationArn", Is: IsAccount, Kind: kindReference},
			{Path: "destinationConfig.onFailure.destination", Is: IsAccount, Kind: kindReference},
			{Path: "destinationConfig.onSuccess.destination", Is: IsAccount, Kind: kindReference},
		},
	},
	resourcePolicy("api-policy", "Policies of API Gateway's REST APIs", RESTAPI, "policy", "REST APIs",
		"https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html", "apigateway:GET").and("aws:apigateway/restApiPolicy:RestApiPolicy"),
}

// storeWays: who may read what is stored.
var storeWays = []Way{
	resourcePolicy("secret-policy", "Policies of Secrets Manager's secrets", SecretPolicy, "policy", "secrets",
		"https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetResourcePolicy.html",
		"secretsmanager:GetResourcePolicy", "secretsmanager:ListSecrets").and("aws:secretsmanager/secret:Secret"),
	resourcePolicy("table-policy", "Policies of DynamoDB tables and their streams", DynamoDBPolicy, "policy", "DynamoDB tables",
		"https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_GetResourcePolicy.html",
		"dynamodb:DescribeTable", "dynamodb:GetResourcePolicy", "dynamodb:ListTables"),
	resourcePolicy("file-system-policy", "Policies of EFS file systems", EFSPolicy, "policy", "EFS file systems",
		"https://docs.aws.amazon.com/efs/latest/ug/API_DescribeFileSystemPolicy.html",
		"elasticfilesystem:DescribeFileSystemPolicy", "elasticfilesystem:DescribeFileSystems"),
	resourcePolicy("search-policy", "Policies of OpenSearch and Elasticsearch domains", OpenSearchPolicy, "accessPolicies", listSearch,
		"https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeDomains.html", "es:DescribeDomains", "es:ListDomainNames").and(
		"aws:opensearch/domain:Domain", "aws:elasticsearch/domain:Domain", "aws:elasticsearch/domainPolicy:DomainPolicy"),
	{
		ID: "search-endpoint", Title: "Accounts that may reach OpenSearch domains by endpoints",
		Source: "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_ListVpcEndpointAccess.html",
		Rules:  []string{"FH417"},
		Types:  []string{OpenSearchEndpoint},
		List:   listSearch,
		Calls:  []string{"es:ListVpcEndpointAccess"},
		Ends:   []End{{Path: "account", Is: IsPrincipal, Kind: kindGrant}},
	},
	resourcePolicy("archive-policy", "Policies of S3 Glacier vaults", GlacierVault, "accessPolicy", listVaults,
		"https://docs.aws.amazon.com/amazonglacier/latest/dev/api-GetVaultAccessPolicy.html", "glacier:GetVaultAccessPolicy", "glacier:ListVaults"),
	resourcePolicy("backup-policy", "Policies of AWS Backup vaults", BackupVaultPolicy, "policy", listBackups,
		"https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetBackupVaultAccessPolicy.html",
		"backup:GetBackupVaultAccessPolicy", "backup:ListBackupVaults"),
	{
		ID: "backup-copy", Title: "Copies of backups in other accounts' vaults",
		Source: "https://docs.aws.amazon.com/aws-backup/latest/devguide/API_GetBackupPlan.html",
		Rules:  []string{"FH413"},
		Types:  []string{BackupPlan}, Also: []string{"aws:backup/globalSettings:GlobalSettings", "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication"},
		List:  listBackups,
		Calls: []string{"backup:GetBackupPlan", "backup:ListBackupPlans"},
		Ends:  []End{{Path: "rules.copyActions.destinationVaultArn", Is: IsAccount, Kind: kindReference}},
	},
	resourcePolicy("authority-policy", "Policies of private certificate authorities", PrivateCAPolicy, "policy", listAuthorities,
		"https://docs.aws.amazon.com/privateca/latest/APIReference/API_GetPolicy.html", "acm-pca:GetPolicy", "acm-pca:ListCertificateAuthorities"),
	resourcePolicy("catalog-policy", "The policy of the Glue catalog", GluePolicy, "policy", "the Glue catalog",
		"https://docs.aws.amazon.com/glue/latest/webapi/API_GetResourcePolicies.html", "glue:GetResourcePolicies"),
	{
		ID: "lake-permission", Title: "Permissions of Lake Formation",
		Source: "https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html",
		Rules:  []string{"FH308", "FH417"},
		Types:  []string{LakePermissions},
		List:   "Lake Formation permissions",
		Calls:  []string{"lakeformation:ListPermissions"},
		Ends:   []End{{Path: "principal", Is: IsPrincipal, Kind: kindGrant}, {Path: "catalogId", Is: IsAccount, Kind: kindReference}},
	},
	resourcePolicy("package-domain-policy", "Policies of CodeArtifact domains", CodeArtifactDomain, "policyDocument", listCodeArtifact,
		"https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetDomainPermissionsPolicy.html",
		"codeartifact:GetDomainPermissionsPolicy", "codeartifact:ListDomains"),
	resourcePolicy("package-repository-policy", "Policies of CodeArtifact repositories", CodeArtifactRepo, "policyDocument", listCodeArtifact,
		"https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_GetRepositoryPermissionsPolicy.html",
		"codeartifact:GetRepositoryPermissionsPolicy", "codeartifact:ListRepositories"),
}
