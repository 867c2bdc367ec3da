package aws

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/accessanalyzer"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/ecr"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/s3control"

	"freehold.dev/freehold/internal/cloud"
)

// whereIs returns the option that reaches a bucket of the account in its region.
// It is an error, which means gone, that the account has none of the name:
// another account's bucket is never touched.
func (s *session) whereIs(ctx context.Context, bucket string) (func(*s3.Options), error) {
	b, err := s.ownBucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	if b == nil {
		return nil, &s3types.NoSuchBucket{}
	}
	return bucketIn(aws.ToString(b.BucketRegion)), nil
}

// removeBucket empties a bucket and deletes it.
func removeBucket(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	if err := s.empty(ctx, it.ID, in); err != nil {
		return err
	}
	_, err = s.s3.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: aws.String(it.ID)}, in)
	return err
}

// empty deletes all versions of all objects, and what was uploaded in part.
func (s *session) empty(ctx context.Context, bucket string, in func(*s3.Options)) error {
	versions := s3.NewListObjectVersionsPaginator(s.s3, &s3.ListObjectVersionsInput{Bucket: aws.String(bucket)})
	for versions.HasMorePages() {
		page, err := versions.NextPage(ctx, in)
		if err != nil {
			return err
		}
		var doomed []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			doomed = append(doomed, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			doomed = append(doomed, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(doomed) == 0 {
			continue
		}
		out, err := s.s3.DeleteObjects(ctx, &s3.DeleteObjectsInput{
			Bucket: aws.String(bucket), Delete: &s3types.Delete{Objects: doomed, Quiet: aws.Bool(true)},
		}, in)
		if err != nil {
			return err
		}
		// The call succeeds although objects were refused, as by a retention.
		for _, e := range out.Errors {
			return fmt.Errorf("s3:DeleteObjectVersion %s (and %d others): %s: %s", aws.ToString(e.Key), len(out.Errors)-1, aws.ToString(e.Code), aws.ToString(e.Message))
		}
	}
	uploads := s3.NewListMultipartUploadsPaginator(s.s3, &s3.ListMultipartUploadsInput{Bucket: aws.String(bucket)})
	for uploads.HasMorePages() {
		page, err := uploads.NextPage(ctx, in)
		if err != nil {
			return err
		}
		for _, u := range page.Uploads {
			_, err := s.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String(bucket), Key: u.Key, UploadId: u.UploadId}, in)
			if unless(err) != nil {
				return err
			}
		}
	}
	return nil
}

func removeBucketPolicy(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	_, err = s.s3.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: aws.String(it.ID)}, in)
	return err
}

func removeBucketBlock(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	_, err = s.s3.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: aws.String(it.ID)}, in)
	return err
}

// removeVersioning suspends it: a bucket that had versions once cannot go back.
func removeVersioning(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	_, err = s.s3.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket: aws.String(it.ID), VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusSuspended},
	}, in)
	return err
}

func removeEncryption(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	_, err = s.s3.DeleteBucketEncryption(ctx, &s3.DeleteBucketEncryptionInput{Bucket: aws.String(it.ID)}, in)
	return err
}

func removeOwnership(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	_, err = s.s3.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: aws.String(it.ID)}, in)
	return err
}

func removeBucketLifecycle(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	_, err = s.s3.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: aws.String(it.ID)}, in)
	return err
}

func removeBucketLogging(ctx context.Context, s *session, it cloud.Item) error {
	in, err := s.whereIs(ctx, it.ID)
	if err != nil {
		return err
	}
	_, err = s.s3.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: aws.String(it.ID), BucketLoggingStatus: &s3types.BucketLoggingStatus{}}, in)
	return err
}

func removeAccountBlock(ctx context.Context, s *session, _ cloud.Item) error {
	_, err := s.settings.DeletePublicAccessBlock(ctx, &s3control.DeletePublicAccessBlockInput{AccountId: aws.String(s.account)})
	return err
}

func removeRepository(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ecr.DeleteRepository(ctx, &ecr.DeleteRepositoryInput{RepositoryName: aws.String(it.ID), Force: true})
	return err
}

func removeImageLifecycle(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ecr.DeleteLifecyclePolicy(ctx, &ecr.DeleteLifecyclePolicyInput{RepositoryName: aws.String(it.ID)})
	return err
}

func removeRepositoryPolicy(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.ecr.DeleteRepositoryPolicy(ctx, &ecr.DeleteRepositoryPolicyInput{RepositoryName: aws.String(it.ID)})
	return err
}

func removeTrail(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.trail.DeleteTrail(ctx, &cloudtrail.DeleteTrailInput{Name: aws.String(it.ID)})
	return err
}

func removeAnalyzer(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.analyzer.DeleteAnalyzer(ctx, &accessanalyzer.DeleteAnalyzerInput{AnalyzerName: aws.String(it.ID)})
	return err
}

func removeLogGroup(ctx context.Context, s *session, it cloud.Item) error {
	_, err := s.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: aws.String(it.ID)})
	return err
}

func removeEBSEncryption(ctx context.Context, s *session, _ cloud.Item) error {
	_, err := s.ec2.DisableEbsEncryptionByDefault(ctx, &ec2.DisableEbsEncryptionByDefaultInput{})
	return err
}

func removeEBSKey(ctx context.Context, s *session, _ cloud.Item) error {
	_, err := s.ec2.ResetEbsDefaultKmsKeyId(ctx, &ec2.ResetEbsDefaultKmsKeyIdInput{})
	return err
}

// removeMetadataDefaults sets all to "no preference", which is how there are none.
func removeMetadataDefaults(ctx context.Context, s *session, _ cloud.Item) error {
	_, err := s.ec2.ModifyInstanceMetadataDefaults(ctx, &ec2.ModifyInstanceMetadataDefaultsInput{
		HttpEndpoint:            ec2types.DefaultInstanceMetadataEndpointStateNoPreference,
		HttpTokens:              ec2types.MetadataDefaultHttpTokensStateNoPreference,
		InstanceMetadataTags:    ec2types.DefaultInstanceMetadataTagsStateNoPreference,
		HttpPutResponseHopLimit: aws.Int32(-1),
	})
	return err
}
