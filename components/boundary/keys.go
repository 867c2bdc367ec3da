package boundary

import (
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/iam"
)

// keys makes the org's keys: one for what customers store, one for what is
// recorded about them, so that who may read one cannot read the other.
func (b *Boundary) keys(ctx *pulumi.Context, a Args) error {
	data, err := b.key(ctx, a, "data-key", a.DataKeyAlias, "Disks, secrets, images and data of the org", DataKeyPolicy(a))
	if err != nil {
		return err
	}
	logs, err := b.key(ctx, a, "log-key", a.LogKeyAlias, "The trail and the logs of the org", LogKeyPolicy(a))
	if err != nil {
		return err
	}
	b.DataKeyARN, b.LogKeyARN = data.Arn, logs.Arn
	return nil
}

// key makes a key and its alias. Destroying an unprotected key only schedules
// it: for 30 days, AWS's longest, it can be brought back. It is not retained,
// or a key would be paid for long after its org. The alias is protected as the
// key is, because policies name keys by alias.
func (b *Boundary) key(ctx *pulumi.Context, a Args, name, alias, description string, policy iam.Document) (*kms.Key, error) {
	// A key has no name of its own: by this tag one is found again whose
	// creation was not recorded.
	tags := a.tags()
	tags["Name"] = pulumi.String(strings.TrimPrefix(alias, "alias/"))
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:          pulumi.String(description),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(30),
		Policy:               pulumi.String(policy.String()),
		Tags:                 tags,
	}, pulumi.Parent(b), pulumi.Protect(a.Protected))
	if err != nil {
		return nil, err
	}
	_, err = kms.NewAlias(ctx, name, &kms.AliasArgs{
		Name:        pulumi.String(alias),
		TargetKeyId: key.KeyId,
	}, pulumi.Parent(b), pulumi.Protect(a.Protected))
	return key, err
}

// DataKeyPolicy lets the account's own roles use the key as far as their
// policies allow, and the service-linked role of Auto Scaling attach the
// encrypted disks of nodes.
func DataKeyPolicy(a Args) iam.Document {
	// The service-linked role does not exist before the first node, and KMS
	// refuses a policy that names a principal which does not: so the role is
	// named in a condition, which KMS does not look up.
	nodes := iam.Condition{
		"StringEquals": {"kms:CallerAccount": {a.AccountID}},
		"ArnEquals":    {"aws:PrincipalArn": {a.roleARN("aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling")}},
	}
	grants := iam.Condition{
		"StringEquals": nodes["StringEquals"],
		"ArnEquals":    nodes["ArnEquals"],
		"Bool":         {"kms:GrantIsForAWSResource": {"true"}},
	}
	return iam.New(
		ownAccount(a),
		iam.Statement{
			Sid:       "NodeDisks",
			Effect:    iam.Allow,
			Principal: iam.Anyone(),
			Action:    iam.Values{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
			Resource:  iam.Values{"*"},
			Condition: nodes,
		},
		iam.Statement{
			Sid:       "NodeDiskGrants",
			Effect:    iam.Allow,
			Principal: iam.Anyone(),
			Action:    iam.Values{"kms:CreateGrant"},
			Resource:  iam.Values{"*"},
			Condition: grants,
		},
	)
}

// LogKeyPolicy lets the account's own roles use the key as far as their
// policies allow, CloudWatch Logs for this account's log groups, and
// CloudTrail for this account's trail.
func LogKeyPolicy(a Args) iam.Document {
	return iam.New(
		ownAccount(a),
		// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
		iam.Statement{
			Sid:       "LogGroups",
			Effect:    iam.Allow,
			Principal: iam.Services("logs." + a.Region + ".amazonaws.com"),
			Action:    iam.Values{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"ArnLike": {"kms:EncryptionContext:aws:logs:arn": {a.regional("logs", "*")}}},
		},
		// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
		iam.Statement{
			Sid:       "Trail",
			Effect:    iam.Allow,
			Principal: iam.Services("cloudtrail.amazonaws.com"),
			Action:    iam.Values{"kms:GenerateDataKey*"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{
				"StringEquals": {"aws:SourceArn": {a.trailARN()}},
				"StringLike":   {"kms:EncryptionContext:aws:cloudtrail:arn": {"arn:aws:cloudtrail:*:" + a.AccountID + ":trail/*"}},
			},
		},
		iam.Statement{
			Sid:       "TrailLooks",
			Effect:    iam.Allow,
			Principal: iam.Services("cloudtrail.amazonaws.com"),
			Action:    iam.Values{"kms:DescribeKey"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"StringEquals": {"aws:SourceArn": {a.trailARN()}}},
		},
	)
}

// ownAccount leaves a key to the IAM policies of its account. Without it a
// mistake in the rest would lock everybody out of the key, for good.
func ownAccount(a Args) iam.Statement {
	return iam.Statement{
		Sid:       "OwnAccount",
		Effect:    iam.Allow,
		Principal: iam.Principals(a.rootARN()),
		Action:    iam.Values{"kms:*"},
		Resource:  iam.Values{"*"},
	}
}
