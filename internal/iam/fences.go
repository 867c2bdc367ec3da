package iam

import "strings"

// The fences are denials that hold for everyone inside an org's account. A
// vended account has them twice, in its service control policy and in the
// permissions boundary; an existing account, whose organization is not ours,
// has them in the boundary alone. So they are written once, here.

// NoSharing denies what is of no use inside of one account, to everybody: the list of
// Sharing but for what somebody needs and what has a condition. Shares inside the
// organization are denied as well: another customer is there.
func NoSharing() Statement { return noSharing("NoSharing", ByNobody) }

// NoSharingByHand denies what administrators need for the account's own use. The access
// role is excepted by the caller: it has stacks for that, which are judged.
func NoSharingByHand() Statement { return noSharing("NoSharingByHand", ByAdministrators) }

func noSharing(sid string, needed Needed) Statement {
	s := Statement{Sid: sid, Effect: Deny, Resource: Values{"*"}}
	for _, share := range shares() {
		if share.Needed == needed && share.When == nil {
			s.Action = append(s.Action, share.Action)
		}
	}
	return s
}

// NoSharingWhen denies what a condition tells from the account's own use.
func NoSharingWhen() []Statement {
	var statements []Statement
	for _, share := range shares() {
		if share.When == nil {
			continue
		}
		s := Statement{
			Sid: "No" + share.Action[strings.IndexByte(share.Action, ':')+1:] + "Elsewhere", Effect: Deny,
			Action: Values{share.Action}, Resource: Values{"*"}, Condition: share.When,
		}
		if share.On != "" {
			s.Resource = Values{share.On}
		}
		statements = append(statements, s)
	}
	return statements
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
			"iam:AddUser*",
			"iam:AttachUser*",
			"iam:Create*Provider",
			"iam:CreateAccessKey",
			"iam:CreateLoginProfile",
			"iam:CreateServiceSpec*",
			"iam:CreateUser",
			"iam:PutUser*",
			"iam:UpdateAccessKey",
			"iam:UpdateLoginProfile",
			"iam:UploadSSH*",
			"iam:UploadSigning*",
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
