package awstype

import (
	"slices"
	"strings"
)

// The types of settings that an account has once, or once in each region. A
// creation overwrites the value, and a removal restores AWS's own.
const (
	IAMPasswordPolicy           = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"
	S3AccountPublicAccessBlock  = "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock"
	EC2InstanceMetadataDefaults = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults"
	EBSDefaultKey               = "aws:ebs/defaultKmsKey:DefaultKmsKey"
	EBSEncryptionByDefault      = "aws:ebs/encryptionByDefault:EncryptionByDefault"
)

const settings = "settings of the account"

var settingRows = []Row{
	setting(Row{
		Token:   IAMPasswordPolicy,
		Service: "iam",
		Source:  "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html",
		Find:    "password policy",
		Make:    []string{"iam:UpdateAccountPasswordPolicy"},
		Read:    []string{"iam:GetAccountPasswordPolicy"},
		Delete:  []string{"iam:DeleteAccountPasswordPolicy"},
	}),
	setting(Row{
		Token:   S3AccountPublicAccessBlock,
		Service: "s3",
		Source:  "https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_PutPublicAccessBlock.html",
		Find:    "account public access block",
		Make:    []string{"s3:PutAccountPublicAccessBlock"},
		Read:    []string{"s3:GetAccountPublicAccessBlock"},
		Delete:  []string{"s3:PutAccountPublicAccessBlock"},
	}),
	setting(Row{
		Token:   EC2InstanceMetadataDefaults,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html",
		Find:    "instance metadata defaults",
		Make:    []string{"ec2:ModifyInstanceMetadataDefaults"},
		Read:    []string{"ec2:GetInstanceMetadataDefaults"},
		Delete:  []string{"ec2:ModifyInstanceMetadataDefaults"},
	}),
	setting(Row{
		Token:   EBSDefaultKey,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyEbsDefaultKmsKeyId.html",
		By:      []string{"keyArn"},
		Find:    "EBS default key",
		Uses:    []string{KMSKey},
		Make:    []string{"ec2:ModifyEbsDefaultKmsKeyId", describeKey, createGrant},
		Read:    []string{"ec2:GetEbsDefaultKmsKeyId"},
		Delete:  []string{"ec2:ResetEbsDefaultKmsKeyId"},
	}),
	setting(Row{
		Token:   EBSEncryptionByDefault,
		Service: "ec2",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html",
		Find:    "EBS encryption by default",
		Make:    []string{"ec2:EnableEbsEncryptionByDefault"},
		Read:    []string{"ec2:GetEbsEncryptionByDefault"},
		Delete:  []string{"ec2:DisableEbsEncryptionByDefault"},
	}),
	setting(Row{
		Token:    "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
		Service:  "ec2",
		Source:   "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSnapshotBlockPublicAccess.html",
		Unlisted: "it is safe where it is on, and where a layer wants it, a refresh shows that it is off",
		Make:     []string{"ec2:EnableSnapshotBlockPublicAccess"},
		Read:     []string{"ec2:GetSnapshotBlockPublicAccessState"},
		Delete:   []string{"ec2:DisableSnapshotBlockPublicAccess"},
	}),
}

// setting completes a row of a setting. One that is not found again and not
// listed is made again where its creation was not recorded.
func setting(r Row) Row {
	r.Slot, r.Overwrites = []string{perAccount}, true
	if r.Unlisted == "" {
		r.List, r.Remove, r.Look = settings, r.Find, r.Read
	}
	return r
}

// IsSetting reports whether an action reads or changes a setting of the
// account, and so is of no resource.
func IsSetting(action string) bool {
	for _, r := range settingRows {
		if strings.HasPrefix(action, r.Service+":") && slices.Contains(slices.Concat(r.Make, r.Read, r.Delete), action) {
			return true
		}
	}
	return false
}
