package aws

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// bucketPart is a part of a bucket's configuration that the provider holds as a
// resource of its own, with the bucket's name as its id.
type bucketPart struct {
	typ string
	// read tells whether the part is set, and whether it is set as AWS sets it
	// in each new bucket.
	read func(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error)
}

var bucketParts = []bucketPart{
	{awstype.S3BucketPolicy, readBucketPolicy},
	{awstype.S3Logging, readBucketLogging},
	{awstype.S3Lifecycle, readBucketLifecycle},
	{awstype.S3Versioning, readVersioning},
	{awstype.S3Encryption, readEncryption},
	{awstype.S3OwnershipControls, readOwnership},
	{awstype.S3PublicAccessBlock, readBucketBlock},
}

// buckets are the account's, in all regions: their names are one list.
func (s *session) buckets(ctx context.Context, prefix string) ([]s3types.Bucket, error) {
	in := &s3.ListBucketsInput{MaxBuckets: aws.Int32(1000)}
	if prefix != "" {
		in.Prefix = aws.String(prefix)
	}
	return every(ctx, s3.NewListBucketsPaginator(s.s3, in), func(p *s3.ListBucketsOutput) []s3types.Bucket { return p.Buckets })
}

// listBuckets lists buckets and the parts of their configuration. A policy may
// stand in the way of a bucket's removal and comes before it; the other parts,
// which may protect what is in it, are never taken away before the bucket.
func listBuckets(ctx context.Context, s *session) ([]cloud.Item, error) {
	all, err := s.buckets(ctx, "")
	var items []cloud.Item
	for _, b := range all {
		name := aws.ToString(b.Name)
		bucket := []cloud.Item{named(awstype.S3Bucket, name, name, "arn:aws:s3:::"+name)}
		for _, part := range bucketParts {
			set, byCloud, err := part.of(ctx, s, name, aws.ToString(b.BucketRegion))
			if err != nil {
				return nil, err
			}
			it := cloud.Item{Type: part.typ, ID: name, Name: name, ByCloud: byCloud}
			switch {
			case !set:
			case part.typ == awstype.S3BucketPolicy:
				out, err := s.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b.Name}, bucketIn(aws.ToString(b.BucketRegion)))
				if gone(err) {
					continue // since it was listed
				}
				if err != nil {
					return nil, called(err)
				}
				it.Properties = map[string]any{"bucket": name, "policy": aws.ToString(out.Policy)}
				bucket = slices.Insert(bucket, 0, it)
			default:
				bucket = append(bucket, it)
			}
		}
		items = append(items, bucket...)
	}
	return items, err
}

func (p bucketPart) of(ctx context.Context, s *session, bucket, region string) (set, byCloud bool, err error) {
	set, byCloud, err = p.read(ctx, s, bucket, bucketIn(region))
	if gone(err) {
		return false, false, nil
	}
	if err != nil {
		return false, false, called(err)
	}
	return set, byCloud, nil
}

func readBucketPolicy(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error) {
	_, err = s.s3.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: aws.String(bucket)}, in)
	return true, false, err
}

func readBucketLogging(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error) {
	out, err := s.s3.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: aws.String(bucket)}, in)
	return err == nil && out.LoggingEnabled != nil, false, err
}

func readBucketLifecycle(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error) {
	_, err = s.s3.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: aws.String(bucket)}, in)
	return true, false, err
}

// readVersioning: a bucket that never had versions has no status.
func readVersioning(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error) {
	out, err := s.s3.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: aws.String(bucket)}, in)
	return err == nil && out.Status != "", false, err
}

// readEncryption: each bucket is encrypted by S3's own key since 2023.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
func readEncryption(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error) {
	out, err := s.s3.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: aws.String(bucket)}, in)
	if err != nil {
		return false, false, err
	}
	return true, encryptionByCloud(out.ServerSideEncryptionConfiguration), nil
}

func encryptionByCloud(c *s3types.ServerSideEncryptionConfiguration) bool {
	if c == nil || len(c.Rules) != 1 {
		return false
	}
	by := c.Rules[0].ApplyServerSideEncryptionByDefault
	return by != nil && by.SSEAlgorithm == s3types.ServerSideEncryptionAes256
}

// readOwnership, readBucketBlock: new buckets have both, at their strictest.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
func readOwnership(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error) {
	out, err := s.s3.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: aws.String(bucket)}, in)
	if err != nil {
		return false, false, err
	}
	c := out.OwnershipControls
	return true, c != nil && len(c.Rules) == 1 && c.Rules[0].ObjectOwnership == s3types.ObjectOwnershipBucketOwnerEnforced, nil
}

func readBucketBlock(ctx context.Context, s *session, bucket string, in func(*s3.Options)) (set, byCloud bool, err error) {
	out, err := s.s3.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: aws.String(bucket)}, in)
	if err != nil {
		return false, false, err
	}
	c := out.PublicAccessBlockConfiguration
	return true, c != nil && aws.ToBool(c.BlockPublicAcls) && aws.ToBool(c.BlockPublicPolicy) && aws.ToBool(c.IgnorePublicAcls) && aws.ToBool(c.RestrictPublicBuckets), nil
}
