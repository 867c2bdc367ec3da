package awstype

// The types of what opens buckets and images, and of what copies them out.
const (
	S3AccessPoint        = "aws:s3/accessPoint:AccessPoint"
	S3ObjectLambdaPolicy = "aws:s3control/objectLambdaAccessPointPolicy:ObjectLambdaAccessPointPolicy"
	S3Replication        = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
	S3Notification       = "aws:s3/bucketNotification:BucketNotification"
	S3InventoryConfig    = "aws:s3/inventory:Inventory"
	S3Analytics          = "aws:s3/analyticsConfiguration:AnalyticsConfiguration"
	ECRRegistryPolicy    = "aws:ecr/registryPolicy:RegistryPolicy"
	ECRReplication       = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
	ECRPullThrough       = "aws:ecr/pullThroughCacheRule:PullThroughCacheRule"
	ECRPublicRepository  = "aws:ecrpublic/repository:Repository"
	ECRPublicPolicy      = "aws:ecrpublic/repositoryPolicy:RepositoryPolicy"
	S3MultiRegionPoint   = "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"
	S3MultiRegionPolicy  = "aws:s3control/multiRegionAccessPointPolicy:MultiRegionAccessPointPolicy"
	EBSSnapshotShare     = "aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission"
	EC2ImageShare        = "aws:ec2/amiLaunchPermission:AmiLaunchPermission"
	RDSSnapshot          = "aws:rds/snapshot:Snapshot"
	RDSClusterSnapshot   = "aws:rds/clusterSnapshot:ClusterSnapshot"
)

const (
	listBucketCopies = "copies and notifications of S3 buckets"
	listRegistry     = "the ECR registry"
)

var bucketWays = []Way{
	resourcePolicy("bucket-policy", "Policies of S3 buckets", S3BucketPolicy, "policy", "S3 buckets",
		"https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html").and(
		S3Bucket, "aws:s3/bucket:Bucket", "aws:s3control/bucketPolicy:BucketPolicy"),
	{
		ID: "access-point", Title: "S3 access points and their policies",
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPoints.html",
		Rules:  []string{"FH305", "FH310", "FH417"},
		Types:  []string{S3AccessPoint}, Also: []string{"aws:s3control/accessPointPolicy:AccessPointPolicy"},
		List:  "S3 access points",
		Calls: []string{"s3:GetAccessPointPolicy", "s3:ListAccessPoints"},
		Ends:  []End{{Path: "policy", Is: IsPolicy, Kind: kindPolicy}, {Path: "bucketAccountId", Is: IsAccount, Kind: kindReference}},
	},
	resourcePolicy("object-lambda", "Policies of S3 Object Lambda access points", S3ObjectLambdaPolicy, "policy", "S3 Object Lambda access points",
		"https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListAccessPointsForObjectLambda.html",
		"s3:GetAccessPointPolicyForObjectLambda", "s3:ListAccessPointsForObjectLambda"),
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiRegionAccessPointRestrictions.html
	elsewhere("us-west-2", Way{
		ID: "multi-region-access-point", Title: "S3 Multi-Region Access Points and their policies",
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_ListMultiRegionAccessPoints.html",
		Rules:  []string{"FH305", "FH310"},
		Types:  []string{S3MultiRegionPolicy, S3MultiRegionPoint},
		List:   "S3 Multi-Region Access Points",
		Calls:  []string{"s3:GetMultiRegionAccessPointPolicy", "s3:ListMultiRegionAccessPoints"},
		Ends:   []End{{Path: "details.policy", Is: IsPolicy, Kind: kindPolicy}, {Path: "details.regions.bucketAccountId", Is: IsAccount, Kind: kindReference}},
	}),
	{
		ID: "bucket-copy", Title: "Replication, logs, reports and notifications of S3 buckets",
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketReplication.html",
		Rules:  []string{"FH412", "FH414", "FH417"},
		Types:  []string{S3Replication, S3Notification, S3InventoryConfig, S3Analytics, S3Logging}, Also: []string{S3Bucket, "aws:s3/bucket:Bucket"},
		List:  listBucketCopies,
		Calls: []string{"s3:GetAnalyticsConfiguration", "s3:GetBucketLogging", "s3:GetBucketNotification", "s3:GetInventoryConfiguration", "s3:GetReplicationConfiguration"},
		Ends: []End{
			{Path: "rules.destination.account", Is: IsAccount, Kind: kindReference}, {Path: "rules.destination.bucket", Is: IsBucket, Kind: kindReference},
			{Path: "targetBucket", Is: IsBucket, Kind: kindReference},
			{Path: "destination.bucket.accountId", Is: IsAccount, Kind: kindReference}, {Path: "destination.bucket.bucketArn", Is: IsBucket, Kind: kindReference},
			{Path: "storageClassAnalysis.dataExport.destination.s3BucketDestination.bucketAccountId", Is: IsAccount, Kind: kindReference},
			{Path: "storageClassAnalysis.dataExport.destination.s3BucketDestination.bucketArn", Is: IsBucket, Kind: kindReference},
			{Path: "queues.queueArn", Is: IsAccount, Kind: kindReference}, {Path: "topics.topicArn", Is: IsAccount, Kind: kindReference},
			{Path: "lambdaFunctions.lambdaFunctionArn", Is: IsAccount, Kind: kindReference},
		},
	},
}

var imageWays = []Way{
	resourcePolicy("repository-policy", "Policies of ECR repositories", ECRRepositoryPolicy, "policy", repositories,
		"https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRepositoryPolicy.html"),
	resourcePolicy("registry-policy", "The policy of the ECR registry", ECRRegistryPolicy, "policy", listRegistry,
		"https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetRegistryPolicy.html", "ecr:GetRegistryPolicy"),
	{
		ID: "image-copy", Title: "Replication of the ECR registry, and its caches of other registries",
		Source: "https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeRegistry.html",
		Rules:  []string{"FH416"},
		Types:  []string{ECRReplication, ECRPullThrough},
		List:   listRegistry,
		Calls:  []string{"ecr:DescribePullThroughCacheRules", "ecr:DescribeRegistry"},
		Ends: []End{
			{Path: "replicationConfiguration.rules.destinations.registryId", Is: IsAccount, Kind: kindReference},
			{Path: "upstreamRegistryUrl", Is: IsAccount, Kind: kindReference}, {Path: "customRoleArn", Is: IsAccount, Kind: kindReference},
		},
	},
	// https://docs.aws.amazon.com/general/latest/gr/ecr-public.html
	elsewhere("us-east-1", Way{
		ID: "public-repository", Title: "Public ECR repositories and their policies",
		Source: "https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_DescribeRepositories.html",
		Rules:  []string{"FH609"},
		Types:  []string{ECRPublicPolicy, ECRPublicRepository}, Also: []string{"aws:ecrpublic/*"},
		List:  "public ECR repositories",
		Calls: []string{"ecr-public:DescribeRepositories", "ecr-public:GetRepositoryPolicy"},
		Ends:  []End{{Path: "policy", Is: IsPolicy, Kind: kindPolicy}, {Path: "repositoryUri", Is: IsOutside, Kind: kindGrant}},
	}),
	{
		ID: "snapshot-share", Title: "EBS snapshots that others may use",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshotAttribute.html",
		Rules:  []string{"FH308"},
		Types:  []string{EBSSnapshotShare},
		List:   "shared EBS snapshots",
		Calls:  []string{"ec2:DescribeSnapshotAttribute"},
		Ends:   []End{{Path: "accountId", Is: IsPrincipal, Kind: kindGrant}},
	},
	{
		ID: "image-share", Title: "Machine images that others may launch",
		Source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImageAttribute.html",
		Rules:  []string{"FH308"},
		Types:  []string{EC2ImageShare},
		List:   "shared machine images",
		Calls:  []string{"ec2:DescribeImageAttribute"},
		Ends: []End{
			{Path: "accountId", Is: IsPrincipal, Kind: kindGrant}, {Path: "group", Is: IsPrincipal, Kind: kindGrant},
			{Path: "organizationArn", Is: IsOutside, Kind: kindGrant}, {Path: "organizationalUnitArn", Is: IsOutside, Kind: kindGrant},
		},
	},
	{
		ID: "database-snapshot", Title: "RDS snapshots that others may restore",
		Source: "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshotAttributes.html",
		Rules:  []string{"FH308", "FH417"},
		Types:  []string{RDSSnapshot, RDSClusterSnapshot}, Also: []string{"aws:rds/snapshotCopy:SnapshotCopy"},
		List: "shared RDS snapshots",
		Calls: []string{
			"rds:DescribeDBClusterSnapshotAttributes", "rds:DescribeDBClusterSnapshots", "rds:DescribeDBSnapshotAttributes", "rds:DescribeDBSnapshots",
		},
		Ends: []End{{Path: "sharedAccounts", Is: IsPrincipal, Kind: kindGrant}},
	},
}
