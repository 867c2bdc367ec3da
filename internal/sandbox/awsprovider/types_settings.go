package awsprovider

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ebs"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
)

// settingsTypes are settings that an account has once a region: there is always
// a value, a creation overwrites it and a deletion restores AWS's own.
var settingsTypes = []*Type{
	{
		Token:    "aws:ebs/encryptionByDefault:EncryptionByDefault",
		Source:   "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableEbsEncryptionByDefault.html",
		Args:     ebs.EncryptionByDefaultArgs{},
		State:    ebs.EncryptionByDefault{},
		Noun:     "EBS encryption by default",
		Service:  "ec2",
		API:      API{Create: "EnableEbsEncryptionByDefault", Read: "GetEbsEncryptionByDefault", Update: "EnableEbsEncryptionByDefault", Delete: "DisableEbsEncryptionByDefault"},
		ID:       "ebs-encryption-by-default",
		Import:   "default",
		Upsert:   true,
		Defaults: map[string]any{"enabled": true},
	},
	{
		Token:   "aws:ebs/defaultKmsKey:DefaultKmsKey",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyEbsDefaultKmsKeyId.html",
		Args:    ebs.DefaultKmsKeyArgs{},
		State:   ebs.DefaultKmsKey{},
		Noun:    "EBS default KMS key",
		Service: "ec2",
		API:     API{Create: "ModifyEbsDefaultKmsKeyId", Read: "GetEbsDefaultKmsKeyId", Delete: "ResetEbsDefaultKmsKeyId"},
		ID:      "{keyArn}",
		Upsert:  true,
		Fields:  map[string][]Rule{"keyArn": {isARN("kms")}},
		Refs:    []Ref{keyRef("keyArn", "InvalidParameterValue")},
	},
	{
		Token:   "aws:ebs/snapshotBlockPublicAccess:SnapshotBlockPublicAccess",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_EnableSnapshotBlockPublicAccess.html",
		Args:    ebs.SnapshotBlockPublicAccessArgs{},
		State:   ebs.SnapshotBlockPublicAccess{},
		Noun:    "EBS Snapshot Block Public Access",
		Service: "ec2",
		API:     API{Create: "EnableSnapshotBlockPublicAccess", Read: "GetSnapshotBlockPublicAccessState", Update: "EnableSnapshotBlockPublicAccess", Delete: "DisableSnapshotBlockPublicAccess"},
		ID:      "{region}",
		Import:  "default",
		Upsert:  true,
		Fields:  map[string][]Rule{"state": {oneOf("block-all-sharing", "block-new-sharing", "unblocked")}},
	},
	{
		Token:   "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults",
		Source:  "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataDefaults.html",
		Args:    ec2.InstanceMetadataDefaultsArgs{},
		State:   ec2.InstanceMetadataDefaults{},
		Noun:    "EC2 Instance Metadata Defaults",
		Service: "ec2",
		API:     API{Create: "ModifyInstanceMetadataDefaults", Read: "GetInstanceMetadataDefaults", Update: "ModifyInstanceMetadataDefaults", Delete: "ModifyInstanceMetadataDefaults"},
		ID:      "{account}",
		Upsert:  true,
		Defaults: map[string]any{
			"httpEndpoint": "no-preference", "httpTokens": "no-preference", "instanceMetadataTags": "no-preference", "httpPutResponseHopLimit": -1.0,
		},
		Fields: map[string][]Rule{
			"httpEndpoint":            {oneOf("enabled", "disabled", "no-preference")},
			"httpTokens":              {oneOf("optional", "required", "no-preference")},
			"instanceMetadataTags":    {oneOf("enabled", "disabled", "no-preference")},
			"httpPutResponseHopLimit": {either(between(1, 64), oneOfNumbers(-1))},
		},
	},
}
