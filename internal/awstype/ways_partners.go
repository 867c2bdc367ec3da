package awstype

// The types of what copies data out, or lets others read it, of services that a
// data plane seldom has.
const (
	SnapshotLifecycle  = "aws:dlm/lifecyclePolicy:LifecyclePolicy"
	ImageDistribution  = "aws:imagebuilder/distributionConfiguration:DistributionConfiguration"
	MetricStream       = "aws:cloudwatch/metricStream:MetricStream"
	DeliveryStream     = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
	EventPipe          = "aws:pipes/pipe:Pipe"
	EventSchedule      = "aws:scheduler/schedule:Schedule"
	SSMDocument        = "aws:ssm/document:Document"
	RedshiftShare      = "aws:redshift/dataShareAuthorization:DataShareAuthorization"
	RedshiftShareTaken = "aws:redshift/dataShareConsumerAssociation:DataShareConsumerAssociation"
	RedshiftEndpoint   = "aws:redshift/endpointAccess:EndpointAccess"
	RedshiftEndpointOf = "aws:redshift/endpointAuthorization:EndpointAuthorization"
	RedshiftPolicy     = "aws:redshift/resourcePolicy:ResourcePolicy"
	ServerlessPolicy   = "aws:redshiftserverless/resourcePolicy:ResourcePolicy"
	TableBucketPolicy  = "aws:s3tables/tableBucketPolicy:TableBucketPolicy"
	TablePolicy        = "aws:s3tables/tablePolicy:TablePolicy"
	PortfolioShare     = "aws:servicecatalog/portfolioShare:PortfolioShare"
	PortfolioPrincipal = "aws:servicecatalog/principalPortfolioAssociation:PrincipalPortfolioAssociation"
	CodeBuildPolicy    = "aws:codebuild/resourcePolicy:ResourcePolicy"
	KafkaPolicy        = "aws:msk/clusterPolicy:ClusterPolicy"
	FirewallPolicy     = "aws:networkfirewall/resourcePolicy:ResourcePolicy"
	SchemaPolicy       = "aws:schemas/registryPolicy:RegistryPolicy"
	MailPolicy         = "aws:sesv2/emailIdentityPolicy:EmailIdentityPolicy"
	ResponsePlan       = "aws:ssmincidents/responsePlan:ResponsePlan"
	TracePolicy        = "aws:xray/resourcePolicy:ResourcePolicy"
)

const (
	listWarehouses = "Redshift data shares, endpoints and policies"
	listPortfolios = "Service Catalog portfolios"
)

// copyWays: what copies data out, or lets others read it.
var copyWays = []Way{
	{
		ID: "snapshot-lifecycle", Title: "Lifecycle policies that share snapshots",
		Source: "https://docs.aws.amazon.com/dlm/latest/APIReference/API_GetLifecyclePolicy.html",
		Rules:  []string{"FH417"},
		Types:  []string{SnapshotLifecycle},
		List:   "snapshot lifecycle policies",
		Calls:  []string{"dlm:GetLifecyclePolicies", "dlm:GetLifecyclePolicy"},
		Ends:   []End{{Path: "policyDetails.schedules.shareRule.targetAccounts", Is: IsPrincipal, Kind: kindGrant}},
	},
	{
		ID: "image-distribution", Title: "Distributions of EC2 Image Builder",
		Source: "https://docs.aws.amazon.com/imagebuilder/latest/APIReference/API_GetDistributionConfiguration.html",
		Rules:  []string{"FH411"},
		Types:  []string{ImageDistribution},
		List:   "Image Builder distributions",
		Calls:  []string{"imagebuilder:GetDistributionConfiguration", "imagebuilder:ListDistributionConfigurations"},
		Ends: []End{
			{Path: "distributions.amiDistributionConfiguration.targetAccountIds", Is: IsPrincipal, Kind: kindGrant},
			{Path: "distributions.amiDistributionConfiguration.launchPermission.userIds", Is: IsPrincipal, Kind: kindGrant},
			{Path: "distributions.amiDistributionConfiguration.launchPermission.userGroups", Is: IsPrincipal, Kind: kindGrant},
			{Path: "distributions.amiDistributionConfiguration.launchPermission.organizationArns", Is: IsOutside, Kind: kindGrant},
			{Path: "distributions.amiDistributionConfiguration.launchPermission.organizationalUnitArns", Is: IsOutside, Kind: kindGrant},
			{Path: "distributions.launchTemplateConfigurations.accountId", Is: IsPrincipal, Kind: kindGrant},
		},
	},
	{
		ID: "metric-stream", Title: "Where metric streams write",
		Source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStream.html",
		Rules:  []string{"FH412"},
		Types:  []string{MetricStream},
		List:   "metric streams",
		Calls:  []string{"cloudwatch:GetMetricStream", "cloudwatch:ListMetricStreams"},
		Ends:   []End{{Path: "firehoseArn", Is: IsAccount, Kind: kindReference}, {Path: "roleArn", Is: IsAccount, Kind: kindReference}},
	},
	{
		ID: "delivery-stream", Title: "Where delivery streams write",
		Source: "https://docs.aws.amazon.com/firehose/latest/APIReference/API_DescribeDeliveryStream.html",
		Rules:  []string{"FH414"},
		Types:  []string{DeliveryStream},
		List:   "delivery streams",
		Calls:  []string{"firehose:DescribeDeliveryStream", "firehose:ListDeliveryStreams"},
		Ends: []End{
			{Path: "extendedS3Configuration.bucketArn", Is: IsBucket, Kind: kindReference},
			{Path: "extendedS3Configuration.s3BackupConfiguration.bucketArn", Is: IsBucket, Kind: kindReference},
			{Path: "kinesisSourceConfiguration.kinesisStreamArn", Is: IsAccount, Kind: kindReference},
			{Path: "mskSourceConfiguration.mskClusterArn", Is: IsAccount, Kind: kindReference},
		},
	},
	{
		ID: "event-pipe", Title: "Pipes of EventBridge",
		Source: "https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_ListPipes.html",
		Rules:  []string{"FH412"},
		Types:  []string{EventPipe},
		List:   "EventBridge pipes",
		Calls:  []string{"pipes:ListPipes"},
		Ends: []End{
			{Path: "source", Is: IsAccount, Kind: kindReference}, {Path: "target", Is: IsAccount, Kind: kindReference},
			{Path: "enrichment", Is: IsAccount, Kind: kindReference},
		},
	},
	{
		ID: "event-schedule", Title: "Schedules of EventBridge",
		Source: "https://docs.aws.amazon.com/scheduler/latest/APIReference/API_GetSchedule.html",
		Rules:  []string{"FH412"},
		Types:  []string{EventSchedule},
		List:   "EventBridge schedules",
		Calls:  []string{"scheduler:GetSchedule", "scheduler:ListSchedules"},
		Ends: []End{
			{Path: "target.arn", Is: IsAccount, Kind: kindReference}, {Path: "target.deadLetterConfig.arn", Is: IsAccount, Kind: kindReference},
			{Path: "target.roleArn", Is: IsAccount, Kind: kindReference},
		},
	},
	{
		ID: "document-share", Title: "Documents of Systems Manager that others may run",
		Source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeDocumentPermission.html",
		Rules:  []string{"FH308", "FH417"},
		Types:  []string{SSMDocument},
		List:   "Systems Manager documents",
		Calls:  []string{"ssm:DescribeDocumentPermission", "ssm:ListDocuments"},
		Ends:   []End{{Path: "permissions.account_ids", Is: IsPrincipal, Kind: kindGrant}, {Path: "permissions.accountIds", Is: IsPrincipal, Kind: kindGrant}},
	},
	{
		ID: "warehouse-share", Title: "Data shares and endpoints of Redshift",
		Source: "https://docs.aws.amazon.com/redshift/latest/APIReference/API_DescribeDataShares.html",
		Rules:  []string{"FH308", "FH417", "FH418"},
		Types:  []string{RedshiftShare, RedshiftShareTaken, RedshiftEndpoint, RedshiftEndpointOf},
		List:   listWarehouses,
		Calls:  []string{"redshift:DescribeDataShares", "redshift:DescribeEndpointAccess", "redshift:DescribeEndpointAuthorization"},
		Ends: []End{
			{Path: "consumerIdentifier", Is: IsPrincipal, Kind: kindGrant}, {Path: "dataShareArn", Is: IsAccount, Kind: kindGrant},
			{Path: "account", Is: IsPrincipal, Kind: kindGrant}, {Path: "resourceOwner", Is: IsAccount, Kind: kindAssociation},
		},
	},
	resourcePolicies("warehouse-policy", "Policies of Redshift namespaces and snapshots", []string{RedshiftPolicy, ServerlessPolicy}, "policy", listWarehouses,
		"https://docs.aws.amazon.com/redshift/latest/APIReference/API_GetResourcePolicy.html",
		"redshift-serverless:GetResourcePolicy", "redshift-serverless:ListNamespaces", "redshift-serverless:ListSnapshots",
		"redshift:DescribeClusters", "redshift:GetResourcePolicy"),
	resourcePolicies("table-bucket", "Policies of S3 table buckets and their tables", []string{TableBucketPolicy, TablePolicy}, "resourcePolicy", "S3 table buckets",
		"https://docs.aws.amazon.com/AmazonS3/latest/API/API_s3TableBuckets_GetTableBucketPolicy.html",
		"s3tables:GetTableBucketPolicy", "s3tables:GetTablePolicy", "s3tables:ListTableBuckets", "s3tables:ListTables"),
	{
		ID: "portfolio-share", Title: "Portfolios of Service Catalog, given and taken",
		Source: "https://docs.aws.amazon.com/servicecatalog/latest/dg/API_DescribePortfolioShares.html",
		Rules:  []string{"FH308", "FH418"},
		Types:  []string{PortfolioShare, PortfolioPrincipal}, Also: []string{"aws:servicecatalog/organizationsAccess:OrganizationsAccess"},
		List: listPortfolios,
		Calls: []string{
			"servicecatalog:DescribePortfolioShares", "servicecatalog:ListAcceptedPortfolioShares", "servicecatalog:ListPortfolios", "servicecatalog:ListPrincipalsForPortfolio",
		},
		Ends: []End{
			{Path: "principalId", Is: IsPrincipal, Kind: kindGrant}, {Path: "portfolioArn", Is: IsAccount, Kind: kindGrant},
			// "arn:aws:iam:::role/*" is whoever of the account has such a name.
			{Path: "principalArn", Is: IsAccount, Kind: kindGrant},
		},
	},
	resourcePolicy("build-policy", "Policies of CodeBuild projects and report groups", CodeBuildPolicy, "policy", "CodeBuild projects and report groups",
		"https://docs.aws.amazon.com/codebuild/latest/APIReference/API_GetResourcePolicy.html",
		"codebuild:GetResourcePolicy", "codebuild:ListProjects", "codebuild:ListReportGroups"),
	resourcePolicy("kafka-policy", "Policies of MSK clusters", KafkaPolicy, "policy", "MSK clusters",
		"https://docs.aws.amazon.com/msk/1.0/apireference/clusters-clusterarn-policy.html", "kafka:GetClusterPolicy", "kafka:ListClustersV2"),
	resourcePolicy("firewall-policy", "Policies of Network Firewall's rule groups and policies", FirewallPolicy, "policy", "Network Firewall rule groups and policies",
		"https://docs.aws.amazon.com/network-firewall/latest/APIReference/API_DescribeResourcePolicy.html",
		"network-firewall:DescribeResourcePolicy", "network-firewall:ListFirewallPolicies", "network-firewall:ListRuleGroups"),
	resourcePolicy("schema-policy", "Policies of EventBridge's schema registries", SchemaPolicy, "policy", "schema registries",
		"https://docs.aws.amazon.com/eventbridge/latest/schema-reference/v1-policy.html", "schemas:GetResourcePolicy", "schemas:ListRegistries"),
	resourcePolicy("mail-policy", "Policies of SES identities", MailPolicy, "policy", "SES identities",
		"https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetEmailIdentityPolicies.html",
		"ses:GetEmailIdentityPolicies", "ses:ListEmailIdentities").and("aws:ses/identityPolicy:IdentityPolicy"),
	resourcePolicy("response-plan", "Policies of Incident Manager's response plans", ResponsePlan, "policy", "response plans",
		"https://docs.aws.amazon.com/incident-manager/latest/APIReference/API_GetResourcePolicies.html",
		"ssm-incidents:GetResourcePolicies", "ssm-incidents:ListReplicationSets", "ssm-incidents:ListResponsePlans"),
	resourcePolicy("trace-policy", "Resource policies of X-Ray", TracePolicy, "policyDocument", "X-Ray policies",
		"https://docs.aws.amazon.com/xray/latest/api/API_ListResourcePolicies.html", "xray:ListResourcePolicies"),
	{
		ID: "media-container", Title: "Policies of MediaStore containers",
		Source:   "https://docs.aws.amazon.com/mediastore/latest/ug/policies.html",
		Rules:    []string{"FH305"},
		Also:     []string{"aws:mediastore/containerPolicy:ContainerPolicy"},
		Unlisted: "AWS ended MediaStore on November 13, 2025: there is no container left to have a policy (https://docs.aws.amazon.com/mediastore/latest/ug/policies.html)",
	},
}
