package awstype

// stateWays are the ways that no listing of an account can show: they are judged in
// plans and states, and an audit of an account reports that it did not look for them.
// Each says why of its own.
var stateWays = []Way{
	inState("bucket-elsewhere", "Settings of another account's bucket",
		"the bucket that is set is in the account that is named, and lets others set it by its policy, which is listed there",
		"https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html", "FH417",
		"aws:s3/bucketAccelerateConfigurationV2:BucketAccelerateConfigurationV2", "aws:s3/bucketCorsConfigurationV2:BucketCorsConfigurationV2",
		S3Lifecycle, "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2",
		"aws:s3/bucketRequestPaymentConfigurationV2:BucketRequestPaymentConfigurationV2", S3Encryption, S3Versioning,
		"aws:s3/bucketWebsiteConfigurationV2:BucketWebsiteConfigurationV2"),
	inState("catalog-elsewhere", "What is made in another account's data catalog",
		"it is in the catalog of the account that is named, and lets others in by that catalog's policy and permissions, which are listed there",
		"https://docs.aws.amazon.com/lake-formation/latest/dg/cross-account-permissions.html", "FH417",
		"aws:glue/catalogTableOptimizer:CatalogTableOptimizer", "aws:glue/connection:Connection",
		"aws:glue/dataCatalogEncryptionSettings:DataCatalogEncryptionSettings", "aws:glue/partition:Partition", "aws:glue/partitionIndex:PartitionIndex",
		"aws:glue/userDefinedFunction:UserDefinedFunction", "aws:lakeformation/lfTag:LfTag", "aws:lakeformation/resourceLfTag:ResourceLfTag",
		"aws:lakeformation/resourceLfTags:ResourceLfTags"),
	inState("organization-account", "Contacts and Regions of another account",
		"AWS takes another account's number from the organization's management account only, in which no customer has anything",
		"https://docs.aws.amazon.com/accounts/latest/reference/API_PutAlternateContact.html", "FH417",
		"aws:account/alternativeContact:AlternativeContact", "aws:account/primaryContact:PrimaryContact", "aws:account/region:Region"),
	inState("organization-costs", "Budgets, costs and advice for other accounts",
		"AWS takes other accounts, and policies of the organization, from its management account only, in which no customer has anything",
		"https://docs.aws.amazon.com/cost-management/latest/userguide/management-and-member-accounts.html", "FH419",
		"aws:budgets/budget:Budget", "aws:budgets/budgetAction:BudgetAction", "aws:computeoptimizer/enrollmentStatus:EnrollmentStatus",
		"aws:costexplorer/anomalySubscription:AnomalySubscription", "aws:costoptimizationhub/enrollmentStatus:EnrollmentStatus",
		"aws:costoptimizationhub/preferences:Preferences"),
	inState("own-account", "Calls that repeat the number of the caller's own account",
		"AWS refuses every other number, so that nothing with another one can be there",
		"https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html", "FH417",
		"aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock", "aws:s3control/accessGrantsInstance:AccessGrantsInstance",
		"aws:s3control/accessGrantsLocation:AccessGrantsLocation", "aws:s3control/directoryBucketAccessPointScope:DirectoryBucketAccessPointScope",
		"aws:s3control/objectLambdaAccessPoint:ObjectLambdaAccessPoint", "aws:redshift/partner:Partner"),
	inState("owner-looked-up", "The owner of the DHCP options that are taken over",
		"it only says which options are taken over, and those of the account are its own",
		"https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeDhcpOptions.html", "FH417",
		"aws:ec2/defaultVpcDhcpOptions:DefaultVpcDhcpOptions"),
	inState("object-copied", "Grants on a single object of a bucket",
		"no call lists the grants of all objects: each object would have to be asked, and those that somebody may read are data",
		"https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html", "FH417",
		"aws:s3/objectCopy:ObjectCopy"),
	inState("cluster-restored", "The account whose snapshot a Redshift cluster was restored from",
		"it is an argument of the one call that restores, and the cluster does not say it",
		"https://docs.aws.amazon.com/redshift/latest/APIReference/API_RestoreFromClusterSnapshot.html", "FH417",
		"aws:redshift/cluster:Cluster"),
	inState("query-made-database", "The owner of the bucket of the query that made an Athena database",
		"it is an argument of the one query that makes the database, which is the Glue catalog's and does not say it",
		"https://docs.aws.amazon.com/athena/latest/APIReference/API_ResultConfiguration.html", "FH417",
		"aws:athena/database:Database"),
}

// inState is a way of types that no listing can show, because of what is said.
func inState(id, title, because, source, rule string, also ...string) Way {
	return Way{ID: id, Title: title, Source: source, Rules: []string{rule}, Also: also, Unlisted: because}
}
