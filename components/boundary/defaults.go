package boundary

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// defaults sets what holds for whatever is ever made in the account. None is
// protected or retained: they are settings and hold no data, the service
// control policy keeps others from changing them, and when the org is let go
// its account goes back to AWS's own defaults. A default key that stayed
// behind would break every new disk once the key is gone.
func (b *Boundary) defaults(ctx *pulumi.Context, a Args) error {
	_, err := s3.NewAccountPublicAccessBlock(ctx, "public-access-block", &s3.AccountPublicAccessBlockArgs{
		AccountId:             pulumi.String(a.AccountID),
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, pulumi.Parent(b))
	if err != nil {
		return err
	}
	if _, err := ebs.NewEncryptionByDefault(ctx, "ebs-encryption", &ebs.EncryptionByDefaultArgs{
		Enabled: pulumi.Bool(true),
	}, pulumi.Parent(b)); err != nil {
		return err
	}
	if _, err := ebs.NewDefaultKmsKey(ctx, "ebs-default-key", &ebs.DefaultKmsKeyArgs{
		KeyArn: b.DataKeyARN,
	}, pulumi.Parent(b)); err != nil {
		return err
	}
	// A snapshot is a disk. It could otherwise be made public, with all that is
	// on it, by one call. Sharing it with one account is for the service control
	// policy to deny. (AWS Security Hub EC2.182.)
	if _, err := ebs.NewSnapshotBlockPublicAccess(ctx, "snapshot-public-access-block", &ebs.SnapshotBlockPublicAccessArgs{
		State: pulumi.String("block-all-sharing"),
	}, pulumi.Parent(b)); err != nil {
		return err
	}
	// A hop limit of one keeps pods, which are a hop further, from the node's
	// credentials.
	if _, err := ec2.NewInstanceMetadataDefaults(ctx, "instance-metadata", &ec2.InstanceMetadataDefaultsArgs{
		HttpEndpoint:            pulumi.String("enabled"),
		HttpTokens:              pulumi.String("required"),
		HttpPutResponseHopLimit: pulumi.Int(1),
	}, pulumi.Parent(b)); err != nil {
		return err
	}
	// There are no IAM users. Should one ever appear, it is in a report and
	// not with a short password. (CIS AWS Foundations 1.8 and 1.9.)
	_, err = iam.NewAccountPasswordPolicy(ctx, "password-policy", &iam.AccountPasswordPolicyArgs{
		MinimumPasswordLength:      pulumi.Int(14),
		PasswordReusePrevention:    pulumi.Int(24),
		MaxPasswordAge:             pulumi.Int(90),
		RequireLowercaseCharacters: pulumi.Bool(true),
		RequireUppercaseCharacters: pulumi.Bool(true),
		RequireNumbers:             pulumi.Bool(true),
		RequireSymbols:             pulumi.Bool(true),
		AllowUsersToChangePassword: pulumi.Bool(true),
	}, pulumi.Parent(b))
	return err
}
