package boundary

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/iam"
)

// How long what is no longer current stays in a bucket, in days.
const (
	oldVersionsStay      = 90
	abandonedUploadsStay = 7
)

// bucket is what the org's two buckets differ in.
type bucket struct {
	name    string
	aws     string
	key     pulumi.StringInput
	policy  iam.Document
	expires int // days; zero: never
}

// buckets makes the log bucket and the data bucket.
func (b *Boundary) buckets(ctx *pulumi.Context, a Args) error {
	logs, err := b.bucket(ctx, a, bucket{
		name: "log-bucket", aws: a.LogBucket, key: b.LogKeyARN, policy: LogBucketPolicy(a), expires: a.LogRetentionDays,
	})
	if err != nil {
		return err
	}
	data, err := b.bucket(ctx, a, bucket{
		name: "data-bucket", aws: a.DataBucket, key: b.DataKeyARN, policy: DataBucketPolicy(a),
	})
	if err != nil {
		return err
	}
	b.logs, b.LogBucketARN, b.DataBucketARN = logs, logs.bucket.Arn, data.bucket.Arn
	return nil
}

// privateBucket is a bucket that was made. Who writes to it as an AWS service
// waits for its policy.
type privateBucket struct {
	bucket *s3.BucketV2
	policy *s3.BucketPolicy
}

// bucket makes a bucket with all that keeps it private. S3 refuses a second
// change of a bucket while one is under way, so what collides is in a row.
func (b *Boundary) bucket(ctx *pulumi.Context, a Args, want bucket) (privateBucket, error) {
	// Protected, a bucket stands whatever is in it. Otherwise its org is
	// let go, and its objects with it: a bucket that is not empty could not be
	// deleted, and its account would never be.
	made, err := s3.NewBucketV2(ctx, want.name, &s3.BucketV2Args{
		Bucket:       pulumi.String(want.aws),
		ForceDestroy: pulumi.Bool(!a.Protected),
		Tags:         a.tags(),
	}, pulumi.Parent(b), pulumi.Protect(a.Protected))
	if err != nil {
		return privateBucket{}, err
	}
	private, err := s3.NewBucketPublicAccessBlock(ctx, want.name, &s3.BucketPublicAccessBlockArgs{
		Bucket:                made.Bucket,
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, pulumi.Parent(b))
	if err != nil {
		return privateBucket{}, err
	}
	policy, err := s3.NewBucketPolicy(ctx, want.name, &s3.BucketPolicyArgs{
		Bucket: made.Bucket,
		Policy: pulumi.String(want.policy.String()),
	}, pulumi.Parent(b), pulumi.DependsOn([]pulumi.Resource{private}))
	if err != nil {
		return privateBucket{}, err
	}
	// No access lists: whoever writes an object, the bucket's account owns it.
	_, err = s3.NewBucketOwnershipControls(ctx, want.name, &s3.BucketOwnershipControlsArgs{
		Bucket: made.Bucket,
		Rule:   s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, pulumi.Parent(b), pulumi.DependsOn([]pulumi.Resource{policy}))
	if err != nil {
		return privateBucket{}, err
	}
	_, err = s3.NewBucketServerSideEncryptionConfigurationV2(ctx, want.name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: made.Bucket,
		Rules: s3.BucketServerSideEncryptionConfigurationV2RuleArray{s3.BucketServerSideEncryptionConfigurationV2RuleArgs{
			ApplyServerSideEncryptionByDefault: s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{
				SseAlgorithm:   pulumi.String("aws:kms"),
				KmsMasterKeyId: want.key,
			},
			BucketKeyEnabled: pulumi.Bool(true), // one call to KMS for many objects
		}},
	}, pulumi.Parent(b))
	if err != nil {
		return privateBucket{}, err
	}
	versions, err := s3.NewBucketVersioningV2(ctx, want.name, &s3.BucketVersioningV2Args{
		Bucket:                  made.Bucket,
		VersioningConfiguration: s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
	}, pulumi.Parent(b))
	if err != nil {
		return privateBucket{}, err
	}
	_, err = s3.NewBucketLifecycleConfigurationV2(ctx, want.name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: made.Bucket,
		Rules:  s3.BucketLifecycleConfigurationV2RuleArray{lifecycle(want.expires)},
	}, pulumi.Parent(b), pulumi.DependsOn([]pulumi.Resource{versions}))
	return privateBucket{bucket: made, policy: policy}, err
}

// lifecycle takes away what nobody will ask for again.
func lifecycle(expires int) s3.BucketLifecycleConfigurationV2RuleArgs {
	rule := s3.BucketLifecycleConfigurationV2RuleArgs{
		Id:     pulumi.String("retention"),
		Status: pulumi.String("Enabled"),
		Filter: s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")}, // every object
		NoncurrentVersionExpiration: s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
			NoncurrentDays: pulumi.Int(oldVersionsStay),
		},
		AbortIncompleteMultipartUpload: s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
			DaysAfterInitiation: pulumi.Int(abandonedUploadsStay),
		},
	}
	if expires > 0 {
		rule.Expiration = s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(expires)}
	}
	return rule
}

// DataBucketPolicy keeps everybody out who is not of the account, or comes
// without TLS. The account's own roles need a policy of their own to come in.
func DataBucketPolicy(a Args) iam.Document {
	return iam.New(private(a, a.DataBucket)...)
}

// LogBucketPolicy is DataBucketPolicy, and lets the account's one trail write.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func LogBucketPolicy(a Args) iam.Document {
	ours := map[string]iam.Values{"aws:SourceArn": {a.trailARN()}}
	return iam.New(append(private(a, a.LogBucket),
		iam.Statement{
			Sid:       "TrailLooks",
			Effect:    iam.Allow,
			Principal: iam.Services("cloudtrail.amazonaws.com"),
			Action:    iam.Values{"s3:GetBucketAcl"},
			Resource:  iam.Values{a.bucketARN(a.LogBucket)},
			Condition: iam.Condition{"StringEquals": ours},
		},
		iam.Statement{
			Sid:       "TrailWrites",
			Effect:    iam.Allow,
			Principal: iam.Services("cloudtrail.amazonaws.com"),
			Action:    iam.Values{"s3:PutObject"},
			Resource:  iam.Values{a.bucketARN(a.LogBucket) + "/AWSLogs/" + a.AccountID + "/*"},
			Condition: iam.Condition{"StringEquals": {
				"aws:SourceArn": ours["aws:SourceArn"],
				"s3:x-amz-acl":  {"bucket-owner-full-control"},
			}},
		},
	)...)
}

// private are the denials of both buckets. They repeat what the organization's
// resource control policy says, because an account that the customer brings
// has none.
func private(a Args, bucket string) []iam.Statement {
	everything := iam.Values{a.bucketARN(bucket), a.bucketARN(bucket) + "/*"}
	return []iam.Statement{
		{
			Sid:       "OnlyByTLS",
			Effect:    iam.Deny,
			Principal: iam.Anyone(),
			Action:    iam.Values{"s3:*"},
			Resource:  everything,
			Condition: iam.Condition{"Bool": {"aws:SecureTransport": {"false"}}},
		},
		{
			Sid:       "OnlyThisAccount",
			Effect:    iam.Deny,
			Principal: iam.Anyone(),
			Action:    iam.Values{"s3:*"},
			Resource:  everything,
			Condition: iam.Condition{
				"StringNotEqualsIfExists": {"aws:PrincipalAccount": {a.AccountID}},
				"BoolIfExists":            {"aws:PrincipalIsAWSService": {"false"}},
			},
		},
	}
}
