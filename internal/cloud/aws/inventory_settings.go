package aws

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3control"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
)

// The ids of settings that have none of their own.
const (
	passwordPolicyID = "iam-account-password-policy"
	ebsEncryptionID  = "default"
)

// setting is one value that an account has once. It is a thing only where
// somebody set it.
type setting struct {
	typ string
	// read returns the id that the provider gives the setting; empty: not set.
	read func(context.Context, *session) (string, error)
	// byCloud: see settings.
	byCloud bool
}

var settings = []setting{
	{typ: awstype.IAMPasswordPolicy, read: readPasswordPolicy},
	{typ: awstype.S3AccountPublicAccessBlock, read: readAccountBlock},
	{typ: awstype.EC2InstanceMetadataDefaults, read: readMetadataDefaults},
	{typ: awstype.EBSDefaultKey, read: readEBSKey},
	// The provider gives this one a random id, so that nobody can tell by an id
	// whether a layer declares it. It is safe where it is on, and where a layer
	// wants it on its refresh tells that it is off.
	{typ: awstype.EBSEncryptionByDefault, read: readEBSEncryption, byCloud: true},
}

func listSettings(ctx context.Context, s *session) ([]cloud.Item, error) {
	var items []cloud.Item
	for _, set := range settings {
		id, err := set.read(ctx, s)
		if err != nil {
			return nil, called(err)
		}
		if id != "" {
			items = append(items, cloud.Item{Type: set.typ, ID: id, Name: id, ByCloud: set.byCloud})
		}
	}
	return items, nil
}

func readPasswordPolicy(ctx context.Context, s *session) (string, error) {
	_, err := s.iam.GetAccountPasswordPolicy(ctx, &iam.GetAccountPasswordPolicyInput{})
	if isCode(err, "NoSuchEntity") {
		return "", nil
	}
	return passwordPolicyID, err
}

func readAccountBlock(ctx context.Context, s *session) (string, error) {
	_, err := s.settings.GetPublicAccessBlock(ctx, &s3control.GetPublicAccessBlockInput{AccountId: aws.String(s.account)})
	if isCode(err, "NoSuchPublicAccessBlockConfiguration") {
		return "", nil
	}
	return s.account, err
}

func readMetadataDefaults(ctx context.Context, s *session) (string, error) {
	out, err := s.ec2.GetInstanceMetadataDefaults(ctx, &ec2.GetInstanceMetadataDefaultsInput{})
	if err != nil || !metadataSet(out.AccountLevel) {
		return "", err
	}
	return s.account, nil
}

// metadataSet reports whether any default is set: AWS leaves out those without
// a preference. A declarative policy of the organization sets them from outside.
func metadataSet(d *ec2types.InstanceMetadataDefaultsResponse) bool {
	return d != nil && d.ManagedBy != ec2types.ManagedByDeclarativePolicy &&
		(d.HttpEndpoint != "" || d.HttpTokens != "" || d.InstanceMetadataTags != "" || aws.ToInt32(d.HttpPutResponseHopLimit) > 0)
}

func readEBSKey(ctx context.Context, s *session) (string, error) {
	out, err := s.ec2.GetEbsDefaultKmsKeyId(ctx, &ec2.GetEbsDefaultKmsKeyIdInput{})
	if err != nil || strings.HasSuffix(aws.ToString(out.KmsKeyId), "alias/aws/ebs") {
		return "", err
	}
	return aws.ToString(out.KmsKeyId), nil
}

func readEBSEncryption(ctx context.Context, s *session) (string, error) {
	out, err := s.ec2.GetEbsEncryptionByDefault(ctx, &ec2.GetEbsEncryptionByDefaultInput{})
	if err != nil || !aws.ToBool(out.EbsEncryptionByDefault) {
		return "", err
	}
	return ebsEncryptionID, nil
}
