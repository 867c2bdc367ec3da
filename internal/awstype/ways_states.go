package awstype

// reference is where AWS lists the resources of each service, and the actions that read them.
const reference = "https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"

// stateWays are the ways that no listing shows: they are judged in plans and states, and
// an audit of an account reports that it did not look for them.
var stateWays = []Way{
	{
		ID: "named-account", Title: "Settings that name the account that something is in",
		Source: reference,
		Rules:  []string{"FH417"},
		Also: []string{
			"aws:account/alternativeContact:AlternativeContact", "aws:account/primaryContact:PrimaryContact", "aws:account/region:Region",
			"aws:appmesh/virtualGateway:VirtualGateway", "aws:appmesh/virtualRouter:VirtualRouter", "aws:appmesh/virtualService:VirtualService",
			"aws:athena/database:Database", "aws:athena/workgroup:Workgroup", "aws:bedrock/agentDataSource:AgentDataSource", "aws:budgets/budget:Budget",
			"aws:codeartifact/repository:Repository", "aws:dynamodb/table:Table", "aws:dynamodb/tableExport:TableExport",
			"aws:glue/catalogDatabase:CatalogDatabase", "aws:glue/catalogTable:CatalogTable", "aws:glue/catalogTableOptimizer:CatalogTableOptimizer",
			"aws:glue/connection:Connection", "aws:glue/crawler:Crawler", "aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings",
			"aws:glue/dataQualityRuleset:DataQualityRuleset", "aws:glue/mLTransform:MLTransform", "aws:glue/partition:Partition",
			"aws:glue/partitionIndex:PartitionIndex", "aws:glue/userDefinedFunction:UserDefinedFunction", "aws:lakeformation/dataCellsFilter:DataCellsFilter",
			"aws:lakeformation/dataLakeSettings:DataLakeSettings", "aws:lakeformation/lfTag:LfTag", "aws:lakeformation/optIn:OptIn",
			"aws:lakeformation/resourceLfTag:ResourceLfTag", "aws:lakeformation/resourceLfTags:ResourceLfTags",
			"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "aws:s3/bucketAccelerateConfigurationV2:BucketAccelerateConfigurationV2",
			"aws:s3/bucketAclV2:BucketAclV2", "aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2",
			"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
			"aws:s3/bucketRequestPaymentConfigurationV2:BucketRequestPaymentConfigurationV2",
			"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", "aws:s3/bucketVersioningV2:BucketVersioningV2",
			"aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2", "aws:s3/objectCopy:ObjectCopy", "aws:s3control/accessGrant:AccessGrant",
			"aws:s3control/accessGrantsInstance:AccessGrantsInstance", "aws:s3control/accessGrantsLocation:AccessGrantsLocation",
			"aws:s3control/directoryBucketAccessPointScope:DirectoryBucketAccessPointScope", "aws:s3control/objectLambdaAccessPoint:ObjectLambdaAccessPoint",
			"aws:s3control/storageLensConfiguration:StorageLensConfiguration", "aws:sagemaker/domain:Domain",
		},
		Unlisted: "the account is an argument of the call that makes it, and a listing of an account shows what that account has itself",
	},
	{
		ID: "joined-services", Title: "Services that join accounts: Audit Manager, Detective, Service Catalog, shared directories",
		Source: reference,
		Rules:  []string{"FH418"},
		Also: []string{
			"aws:auditmanager/*", "aws:detective/*", "aws:directoryservice/sharedDirectory:SharedDirectory",
			"aws:directoryservice/sharedDirectoryAccepter:SharedDirectoryAccepter", "aws:guardduty/memberDetectorFeature:MemberDetectorFeature",
			"aws:servicecatalog/*",
		},
		Unlisted: "no listing of them is written; the service control policies deny them, and the rules refuse them in plans and states",
	},
	{
		ID: "other-switches", Title: "Other settings that share with an account or with an organization",
		Source: reference,
		Rules:  []string{"FH305", "FH406", "FH417", "FH419"},
		Also: []string{
			"aws:accessanalyzer/analyzer:Analyzer", "aws:acmpca/permission:Permission", "aws:apigateway/domainName:DomainName",
			"aws:appmesh/gatewayRoute:GatewayRoute", "aws:appmesh/route:Route", "aws:appmesh/virtualNode:VirtualNode", "aws:backup/reportPlan:ReportPlan",
			"aws:budgets/budgetAction:BudgetAction", "aws:cfg/configurationAggregator:ConfigurationAggregator",
			"aws:cloudtrail/eventDataStore:EventDataStore", "aws:cloudwatch/metricAlarm:MetricAlarm",
			"aws:computeoptimizer/enrollmentStatus:EnrollmentStatus", "aws:costoptimizationhub/enrollmentStatus:EnrollmentStatus",
			"aws:costexplorer/anomalySubscription:AnomalySubscription", "aws:costoptimizationhub/preferences:Preferences", "aws:dms/s3Endpoint:S3Endpoint",
			"aws:ec2/defaultVpcDhcpOptions:DefaultVpcDhcpOptions", "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate",
			"aws:glacier/vaultLock:VaultLock", "aws:grafana/workspace:Workspace", "aws:inspector2/enabler:Enabler",
			"aws:macie2/classificationJob:ClassificationJob", "aws:opensearch/outboundConnection:OutboundConnection",
			"aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy", "aws:redshift/cluster:Cluster", "aws:redshift/partner:Partner",
			"aws:redshiftserverless/endpointAccess:EndpointAccess", "aws:s3control/accessGrantsInstanceResourcePolicy:AccessGrantsInstanceResourcePolicy",
			"aws:sagemaker/modelPackageGroupPolicy:ModelPackageGroupPolicy", "aws:signer/signingProfilePermission:SigningProfilePermission",
		},
		Unlisted: "no listing of them is written; the rules judge them in plans and states",
	},
}
