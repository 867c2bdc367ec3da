package iam

// The fences are denials that hold for everyone inside an org's account. A
// vended account has them twice, in its service control policy and in the
// permissions boundary; an existing account, whose organization is not ours,
// has them in the boundary alone. So they are written once, here.

// NoSharing denies every way to make a resource of the account usable by
// another account, or another account's network reachable from this one.
// Shares inside the organization are denied as well: another customer is there.
func NoSharing() Statement {
	return Statement{
		Sid:    "NoSharing",
		Effect: Deny,
		Action: Values{
			"ec2:AcceptTransitGateway*",
			"ec2:AcceptVpcEndpointConnections",
			"ec2:AcceptVpcPeeringConnection",
			"ec2:CreateTransitGateway*",
			"ec2:CreateVpcEndpointServiceConfiguration",
			"ec2:CreateVpcPeeringConnection",
			"ec2:ModifyImageAttribute",
			"ec2:ModifySnapshotAttribute",
			"ec2:ModifyVpcEndpointServicePermissions",
			"ecr:PutRegistryPolicy",
			"ecr:PutReplicationConfiguration",
			"ram:AcceptResourceShareInvitation",
			"ram:AssociateResourceShare*",
			"ram:CreateResourceShare",
			"ram:EnableSharingWithAwsOrganization",
			"ram:PromoteResourceShareCreatedFromPolicy",
			"vpc-lattice:CreateServiceNetwork*",
			"vpc-lattice:PutResourcePolicy",
		},
		Resource: Values{"*"},
	}
}

// NoLeaving denies taking the account out of its organization, closing it and
// switching regions on.
func NoLeaving() Statement {
	return Statement{
		Sid:      "NoLeaving",
		Effect:   Deny,
		Action:   Values{"account:CloseAccount", "account:DisableRegion", "account:EnableRegion", "organizations:LeaveOrganization"},
		Resource: Values{"*"},
	}
}

// NoOtherIdentities denies IAM users with their long-lived credentials, and
// identity providers, by which outsiders could be let in past the
// provisioner. Pods get credentials by EKS Pod Identity, which needs neither.
func NoOtherIdentities() Statement {
	return Statement{
		Sid:    "NoOtherIdentities",
		Effect: Deny,
		Action: Values{
			"iam:AddUserToGroup",
			"iam:AttachUserPolicy",
			"iam:CreateAccessKey",
			"iam:CreateLoginProfile",
			"iam:CreateOpenIDConnectProvider",
			"iam:CreateSAMLProvider",
			"iam:CreateServiceSpecificCredential",
			"iam:CreateUser",
			"iam:PutUserPolicy",
			"iam:UpdateAccessKey",
			"iam:UpdateLoginProfile",
			"iam:UploadSigningCertificate",
			"iam:UploadSSHPublicKey",
			"rolesanywhere:CreateTrustAnchor",
		},
		Resource: Values{"*"},
	}
}

// NoOtherRegion denies every call to another region. The actions that it
// leaves out are of services with one endpoint for all regions, which AWS
// reports as us-east-1 or us-west-2. Of some of those only what lists is left
// out, so that an audit sees what was made before, and nobody makes any.
//
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html
func NoOtherRegion(region string) Statement {
	return Statement{
		Sid:    "NoOtherRegion",
		Effect: Deny,
		NotAction: Values{
			"account:*",
			"budgets:*",
			"ce:*",
			"cloudfront:*",
			"ec2:DescribeRegions",
			"ecr-public:DescribeRepositories",
			"ecr-public:GetRepositoryPolicy",
			"globalaccelerator:*",
			"health:*",
			"iam:*",
			"networkmanager:ListAttachments",
			"networkmanager:ListCoreNetworks",
			"networkmanager:ListPeerings",
			"organizations:*",
			"pricing:*",
			"route53:*",
			"route53domains:*",
			"s3:GetAccountPublicAccessBlock",
			"s3:GetBucketLocation",
			"s3:GetMultiRegionAccessPointPolicy",
			"s3:ListAllMyBuckets",
			"s3:ListMultiRegionAccessPoints",
			"s3:PutAccountPublicAccessBlock",
			"servicequotas:Get*",
			"servicequotas:List*",
			"shield:*",
			"sts:*",
			"support:*",
			"trustedadvisor:*",
			"waf:*",
		},
		Resource:  Values{"*"},
		Condition: Condition{"StringNotEquals": {"aws:RequestedRegion": {region}}},
	}
}

// GuardsStay denies switching off what watches over the account, or what is
// on by default in it. The access role, which sets all this up, is excepted
// by the caller where the statement reaches that role at all.
func GuardsStay() Statement {
	return Statement{
		Sid:    "GuardsStay",
		Effect: Deny,
		Action: Values{
			"access-analyzer:CreateArchiveRule",
			"access-analyzer:DeleteAnalyzer",
			"access-analyzer:UpdateAnalyzer",
			"access-analyzer:UpdateArchiveRule",
			"cloudtrail:DeleteTrail",
			"cloudtrail:PutEventSelectors",
			"cloudtrail:StopLogging",
			"cloudtrail:UpdateTrail",
			"config:DeleteConfigurationRecorder",
			"config:DeleteDeliveryChannel",
			"config:StopConfigurationRecorder",
			"ec2:DisableEbsEncryptionByDefault",
			"ec2:DisableImageBlockPublicAccess",
			"ec2:DisableSnapshotBlockPublicAccess",
			"ec2:EnableSerialConsoleAccess",
			"ec2:ModifyEbsDefaultKmsKeyId",
			"ec2:ModifyInstanceMetadataDefaults",
			"ec2:ResetEbsDefaultKmsKeyId",
			"guardduty:DeleteDetector",
			"guardduty:DisassociateFrom*",
			"guardduty:UpdateDetector",
			"iam:DeleteAccountPasswordPolicy",
			"iam:UpdateAccountPasswordPolicy",
			"kms:DisableKey",
			"kms:DisableKeyRotation",
			"kms:PutKeyPolicy",
			"kms:ScheduleKeyDeletion",
			"s3:PutAccountPublicAccessBlock",
			"securityhub:DisableSecurityHub",
		},
		Resource: Values{"*"},
	}
}

// Administrators are the patterns of the ARNs of AWS's managed policies that
// allow everything, or all of IAM or of sharing. No role of a data plane has one.
func Administrators() Values {
	return Values{
		"arn:aws:iam::aws:policy/AdministratorAccess*", "arn:aws:iam::aws:policy/IAMFullAccess", "arn:aws:iam::aws:policy/PowerUserAccess",
		"arn:aws:iam::aws:policy/AWSOrganizationsFullAccess", "arn:aws:iam::aws:policy/AWSResourceAccessManagerFullAccess",
		"arn:aws:iam::aws:policy/job-function/SystemAdministrator", "arn:aws:iam::aws:policy/job-function/NetworkAdministrator",
	}
}

// IsAdministrator reports whether Administrators has the policy, in whatever case.
func IsAdministrator(policyARN string) bool { return matchAny(Administrators(), policyARN, true) }
