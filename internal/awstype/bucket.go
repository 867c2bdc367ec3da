package awstype

// The types of buckets and of their configuration.
const (
	S3Bucket            = "aws:s3/bucketV2:BucketV2"
	S3BucketPolicy      = "aws:s3/bucketPolicy:BucketPolicy"
	S3PublicAccessBlock = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
	S3Versioning        = "aws:s3/bucketVersioningV2:BucketVersioningV2"
	S3Encryption        = "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2"
	S3OwnershipControls = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
	S3Lifecycle         = "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2"
	S3Logging           = "aws:s3/bucketLoggingV2:BucketLoggingV2"
)

const (
	buckets        = "S3 buckets"
	listAllBuckets = "s3:ListAllMyBuckets"
)

// bucketRows: a bucket, and the parts of its configuration, whose id is the
// bucket's name. IAM's names differ from the operations':
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var bucketRows = []Row{
	{
		Token:   S3Bucket,
		Service: "s3",
		Source:  "https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html",
		Kinds:   []string{"s3/*"},
		By:      []string{"bucket"},
		Find:    "bucket", List: buckets, Remove: "bucket",
		Uses: []string{KMSKey},
		Make: []string{"s3:CreateBucket", "s3:PutBucketTagging"},
		// The provider reads with a bucket what may be set of it.
		Read: []string{
			"s3:ListBucket", "s3:GetAccelerateConfiguration", "s3:GetBucketAcl", "s3:GetBucketCORS", "s3:GetBucketLogging",
			"s3:GetBucketObjectLockConfiguration", "s3:GetBucketPolicy", "s3:GetBucketRequestPayment", "s3:GetBucketTagging", "s3:GetBucketVersioning",
			"s3:GetBucketWebsite", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration", listAllBuckets,
		},
		Delete: []string{"s3:DeleteBucket", "s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion"},
		Look:   []string{listAllBuckets},
		Ignore: []Property{
			{"lifecycleRules", "a resource of its own says them"},
			{"policy", "a resource of its own says it"},
			{"serverSideEncryptionConfigurations", "a resource of its own says them"},
			{"versionings", "a resource of its own says them"},
		},
	},
	bucketPart(Row{
		Token:  S3BucketPolicy,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html",
		Find:   "bucket policy",
		Make:   []string{"s3:PutBucketPolicy"}, Read: []string{"s3:GetBucketPolicy"}, Delete: []string{"s3:DeleteBucketPolicy"},
	}),
	bucketPart(Row{
		Token:  S3PublicAccessBlock,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html",
		Find:   "bucket public access block",
		Make:   []string{"s3:PutBucketPublicAccessBlock"}, Read: []string{"s3:GetBucketPublicAccessBlock"}, Delete: []string{"s3:PutBucketPublicAccessBlock"},
	}),
	bucketPart(Row{
		Token:  S3Versioning,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html",
		Find:   "bucket versioning",
		Make:   []string{"s3:PutBucketVersioning"}, Read: []string{"s3:GetBucketVersioning"}, Delete: []string{"s3:PutBucketVersioning"},
	}),
	bucketPart(Row{
		Token:  S3Encryption,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html",
		Find:   "bucket encryption",
		Make:   []string{"s3:PutEncryptionConfiguration"}, Read: []string{"s3:GetEncryptionConfiguration"}, Delete: []string{"s3:PutEncryptionConfiguration"},
	}),
	bucketPart(Row{
		Token:  S3OwnershipControls,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html",
		Find:   "bucket ownership controls",
		Make:   []string{"s3:PutBucketOwnershipControls"}, Read: []string{"s3:GetBucketOwnershipControls"}, Delete: []string{"s3:PutBucketOwnershipControls"},
	}),
	bucketPart(Row{
		Token:  S3Lifecycle,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html",
		Find:   "bucket lifecycle",
		Make:   []string{"s3:PutLifecycleConfiguration"}, Read: []string{"s3:GetLifecycleConfiguration"}, Delete: []string{"s3:PutLifecycleConfiguration"},
	}),
	bucketPart(Row{
		Token:  S3Logging,
		Source: "https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html",
		Find:   "bucket logging",
		Read:   []string{"s3:GetBucketLogging"}, Delete: []string{"s3:PutBucketLogging"},
		Foreign: "somebody's logging copies who reads what into another bucket",
	}),
}

// bucketPart completes a row of a bucket's configuration.
func bucketPart(r Row) Row {
	r.Service, r.By, r.List, r.Remove, r.PartOf = "s3", []string{"bucket"}, buckets, r.Find, S3Bucket
	r.Look, r.Slot, r.Overwrites = r.Read, []string{"bucket"}, true
	r.Read = append([]string{listAllBuckets}, r.Read...)
	return r
}
