package awstype

// The types of settings that name another account, of services that list them by
// calls of their own.
const (
	GlueDatabase         = "aws:glue/catalogDatabase:CatalogDatabase"
	GlueTable            = "aws:glue/catalogTable:CatalogTable"
	GlueCrawler          = "aws:glue/crawler:Crawler"
	GlueRuleset          = "aws:glue/dataQualityRuleset:DataQualityRuleset"
	GlueTransform        = "aws:glue/mLTransform:MLTransform"
	LakeSettings         = "aws:lakeformation/dataLakeSettings:DataLakeSettings"
	LakeFilter           = "aws:lakeformation/dataCellsFilter:DataCellsFilter"
	LakeOptIn            = "aws:lakeformation/optIn:OptIn"
	DynamoDBTable        = "aws:dynamodb/table:Table"
	DynamoDBExport       = "aws:dynamodb/tableExport:TableExport"
	PrivateCAPermission  = "aws:acmpca/permission:Permission"
	APIDomainName        = "aws:apigateway/domainName:DomainName"
	GlacierLock          = "aws:glacier/vaultLock:VaultLock"
	MacieJob             = "aws:macie2/classificationJob:ClassificationJob"
	OpenSearchConnection = "aws:opensearch/outboundConnection:OutboundConnection"
	S3AccessGrant        = "aws:s3control/accessGrant:AccessGrant"
	S3AccessGrantsPolicy = "aws:s3control/accessGrantsInstanceResourcePolicy:AccessGrantsInstanceResourcePolicy"
	S3BucketACL          = "aws:s3/bucketAclV2:BucketAclV2"
	SharedDirectory      = "aws:directoryservice/sharedDirectory:SharedDirectory"
	SharedDirectoryTaken = "aws:directoryservice/sharedDirectoryAccepter:SharedDirectoryAccepter"
	CloudWatchAlarm      = "aws:cloudwatch/metricAlarm:MetricAlarm"
	PackageRepository    = "aws:codeartifact/repository:Repository"
)

// namedWays: what names another account, or a place of one, in a service's own list.
var namedWays = []Way{
	{
		ID: "catalog-link", Title: "Databases and tables of the Glue catalog that are another account's, and what reads those",
		Source: "https://docs.aws.amazon.com/glue/latest/webapi/API_GetDatabases.html",
		Rules:  []string{"FH417"},
		Types:  []string{GlueDatabase, GlueTable, GlueCrawler, GlueRuleset, GlueTransform},
		List:   "Glue databases, tables and what reads them",
		Calls:  []string{"glue:GetCrawlers", "glue:GetDatabases", "glue:GetMLTransforms", "glue:GetTables", "glue:ListDataQualityRulesets"},
		Ends: []End{
			{Path: "targetDatabase.catalogId", Is: IsAccount, Kind: kindReference}, {Path: "targetTable.catalogId", Is: IsAccount, Kind: kindReference},
			{Path: "createTableDefaultPermissions.principal.dataLakePrincipalIdentifier", Is: IsPrincipal, Kind: kindGrant},
			{Path: "lakeFormationConfiguration.accountId", Is: IsAccount, Kind: kindReference},
			{Path: "inputRecordTables.catalogId", Is: IsAccount, Kind: kindReference},
		},
	},
	{
		ID: "lake-setting", Title: "Settings, filters and opt-ins of Lake Formation",
		Source: "https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_GetDataLakeSettings.html",
		Rules:  []string{"FH417"},
		Types:  []string{LakeSettings, LakeFilter, LakeOptIn},
		List:   "Lake Formation settings, filters and opt-ins",
		Calls:  []string{"lakeformation:GetDataLakeSettings", "lakeformation:ListDataCellsFilter", "lakeformation:ListLakeFormationOptIns"},
		Ends: []End{
			{Path: "trustedResourceOwners", Is: IsAccount, Kind: kindGrant},
			{Path: "admins", Is: IsPrincipal, Kind: kindGrant}, {Path: "readOnlyAdmins", Is: IsPrincipal, Kind: kindGrant},
			{Path: "externalDataFilteringAllowLists", Is: IsPrincipal, Kind: kindGrant},
			{Path: "tableData.tableCatalogId", Is: IsAccount, Kind: kindReference},
			{Path: "principals.dataLakePrincipalIdentifier", Is: IsPrincipal, Kind: kindGrant},
		},
	},
	{
		ID: "table-copy", Title: "Exports of DynamoDB tables, and tables that were imported",
		Source: "https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeExport.html",
		Rules:  []string{"FH417"},
		Types:  []string{DynamoDBExport, DynamoDBTable},
		List:   "exports and imports of DynamoDB tables",
		Calls:  []string{"dynamodb:DescribeExport", "dynamodb:ListExports", "dynamodb:ListImports"},
		Ends: []End{
			{Path: "s3BucketOwner", Is: IsAccount, Kind: kindReference}, {Path: "s3Bucket", Is: IsBucket, Kind: kindReference},
			{Path: "importTable.s3BucketSource.bucketOwner", Is: IsAccount, Kind: kindReference},
			{Path: "importTable.s3BucketSource.bucket", Is: IsBucket, Kind: kindReference},
		},
	},
	{
		ID: "authority-permission", Title: "Permissions on private certificate authorities",
		Source: "https://docs.aws.amazon.com/privateca/latest/APIReference/API_ListPermissions.html",
		Rules:  []string{"FH417"},
		Types:  []string{PrivateCAPermission},
		List:   listAuthorities,
		Calls:  []string{"acm-pca:ListPermissions"},
		// The principal is ACM, which issues for the account that is named beside it.
		Ends: []End{{Path: "principal", Is: IsAccount, Kind: kindGrant}, {Path: "sourceAccount", Is: IsAccount, Kind: kindGrant}},
	},
	resourcePolicy("domain-name-policy", "Policies of API Gateway's domain names", APIDomainName, "policy", "API Gateway domain names",
		"https://docs.aws.amazon.com/apigateway/latest/api/API_GetDomainNames.html", "apigateway:GET"),
	resourcePolicy("archive-lock", "Locks of S3 Glacier vaults", GlacierLock, "policy", listVaults,
		"https://docs.aws.amazon.com/amazonglacier/latest/dev/api-GetVaultLock.html", "glacier:GetVaultLock"),
	{
		ID: "macie-job", Title: "Jobs of Macie over other accounts' buckets",
		Source: "https://docs.aws.amazon.com/macie/latest/APIReference/jobs-list.html",
		Rules:  []string{"FH417"},
		Types:  []string{MacieJob},
		List:   "Macie jobs",
		Calls:  []string{"macie2:ListClassificationJobs"},
		Ends:   []End{{Path: "s3JobDefinition.bucketDefinitions.accountId", Is: IsAccount, Kind: kindReference}},
	},
	{
		ID: "search-connection", Title: "Connections of OpenSearch domains to other accounts' domains",
		Source: "https://docs.aws.amazon.com/opensearch-service/latest/APIReference/API_DescribeOutboundConnections.html",
		Rules:  []string{"FH417"},
		Types:  []string{OpenSearchConnection},
		List:   listSearch,
		Calls:  []string{"es:DescribeOutboundConnections"},
		Ends: []End{
			{Path: "remoteDomainInfo.ownerId", Is: IsAccount, Kind: kindReference}, {Path: "localDomainInfo.ownerId", Is: IsAccount, Kind: kindReference},
		},
	},
	{
		ID: "access-grant", Title: "S3 access grants, and the policy of their instance",
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessGrants.html",
		Rules:  []string{"FH305", "FH417"},
		Types:  []string{S3AccessGrant, S3AccessGrantsPolicy},
		List:   "S3 access grants",
		Calls:  []string{"s3:GetAccessGrantsInstanceResourcePolicy", "s3:ListAccessGrants", "s3:ListAccessGrantsInstances"},
		Ends: []End{
			{Path: "grantee.granteeIdentifier", Is: IsPrincipal, Kind: kindGrant}, {Path: "policy", Is: IsPolicy, Kind: kindPolicy},
		},
	},
	{
		ID: "bucket-acl", Title: "Access lists of S3 buckets",
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html",
		Rules:  []string{"FH417"},
		Types:  []string{S3BucketACL},
		List:   listBucketCopies,
		Calls:  []string{"s3:GetBucketAcl"},
		Ends: []End{
			{Path: "accessControlPolicy.grants.grantee.id", Is: IsPrincipal, Kind: kindGrant},
			{Path: "accessControlPolicy.grants.grantee.uri", Is: IsOutside, Kind: kindGrant},
			{Path: "accessControlPolicy.grants.grantee.emailAddress", Is: IsOutside, Kind: kindGrant},
		},
	},
	{
		ID: "shared-directory", Title: "Directories that are shared with other accounts, and by them",
		Source: "https://docs.aws.amazon.com/directoryservice/latest/devguide/API_DescribeSharedDirectories.html",
		Rules:  []string{"FH418"},
		Types:  []string{SharedDirectory, SharedDirectoryTaken},
		List:   "shared directories",
		Calls:  []string{"ds:DescribeDirectories", "ds:DescribeSharedDirectories"},
		Ends:   []End{{Path: "target.id", Is: IsAccount, Kind: kindGrant}, {Path: "ownerAccountId", Is: IsAccount, Kind: kindGrant}},
	},
	{
		ID: "foreign-alarm", Title: "Alarms on metrics of other accounts",
		Source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html",
		Rules:  []string{"FH417"},
		Types:  []string{CloudWatchAlarm},
		List:   "alarms",
		Calls:  []string{"cloudwatch:DescribeAlarms"},
		Ends:   []End{{Path: "metricQueries.accountId", Is: IsAccount, Kind: kindReference}},
	},
	{
		ID: "package-repository", Title: "CodeArtifact repositories in domains of other accounts",
		Source: "https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_ListRepositories.html",
		Rules:  []string{"FH417"},
		Types:  []string{PackageRepository},
		List:   listCodeArtifact,
		Calls:  []string{"codeartifact:ListRepositories"},
		Ends:   []End{{Path: "domainOwner", Is: IsAccount, Kind: kindReference}},
	},
	{
		ID: "organization-analyzer", Title: "Analyzers of the whole organization",
		Source: "https://docs.aws.amazon.com/access-analyzer/latest/APIReference/API_ListAnalyzers.html",
		Rules:  []string{"FH419"},
		Types:  []string{AccessAnalyzerAnalyzer},
		List:   "Access Analyzer analyzers",
		Ends:   []End{{Path: "type", Is: IsSwitch, Kind: kindReference, Closed: []string{"ACCOUNT", "ACCOUNT_UNUSED_ACCESS", "ACCOUNT_INTERNAL_ACCESS"}}},
	},
}
