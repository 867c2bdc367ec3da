package boundary

import "freehold.dev/freehold/components/iampolicy"

// PermissionsBoundary returns the policy that bounds every role of the
// account. It allows everything and then denies: a boundary grants nothing by
// itself, and a list of what customers may use would break with each service
// that they adopt. What it denies, nobody inside can be granted again.
//
// It delegates: whoever may make roles makes them with this same boundary, so
// a role made by a role made by a role is still inside.
func PermissionsBoundary(a Args) iampolicy.Document {
	return iampolicy.New(
		iampolicy.Statement{
			Sid:      "Ceiling",
			Effect:   iampolicy.Allow,
			Action:   iampolicy.Values{"*"},
			Resource: iampolicy.Values{"*"},
		},
		iampolicy.NoSharing(),
		iampolicy.NoLeaving(),
		iampolicy.NoOtherIdentities(),
		iampolicy.NoOtherRegion(a.Region),
		// Nobody who has the boundary keeps the guards: the access role does,
		// and it is AWS's or the customer's own.
		iampolicy.GuardsStay(),
		iampolicy.Statement{
			Sid:       "EveryRoleHasTheBoundary",
			Effect:    iampolicy.Deny,
			Action:    iampolicy.Values{"iam:CreateRole", "iam:PutRolePermissionsBoundary"},
			Resource:  iampolicy.Values{"*"},
			Condition: iampolicy.Condition{"StringNotEquals": {"iam:PermissionsBoundary": {a.boundaryARN()}}},
		},
		iampolicy.Statement{
			Sid:      "TheBoundaryStays",
			Effect:   iampolicy.Deny,
			Action:   iampolicy.Values{"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"},
			Resource: iampolicy.Values{"*"},
		},
		iampolicy.Statement{
			Sid:      "TheBoundaryIsNotEdited",
			Effect:   iampolicy.Deny,
			Action:   iampolicy.Values{"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"},
			Resource: iampolicy.Values{a.boundaryARN()},
		},
		// The provision role may change roles by their prefix, which the
		// phase roles have too: without this it could widen itself.
		iampolicy.Statement{
			Sid:    "TheWaysInStay",
			Effect: iampolicy.Deny,
			Action: iampolicy.Values{
				"iam:AttachRolePolicy",
				"iam:DeleteRole*",
				"iam:DetachRolePolicy",
				"iam:PassRole",
				"iam:PutRole*",
				"iam:TagRole",
				"iam:UntagRole",
				"iam:UpdateAssumeRolePolicy",
				"iam:UpdateRole*",
				"sts:AssumeRole",
			},
			Resource: iampolicy.Values{
				a.AccessRoleARN,
				a.roleARN(a.ProvisionRole),
				a.roleARN(a.ReadRole),
				a.roleARN(a.BootstrapRole),
				a.roleARN(a.OffboardRole),
			},
		},
		iampolicy.Statement{
			Sid:         "NoRoleElsewhere",
			Effect:      iampolicy.Deny,
			Action:      iampolicy.Values{"sts:AssumeRole"},
			NotResource: iampolicy.Values{a.roleARN("*")},
		},
		// The trail writes as a service, which has no boundary.
		iampolicy.Statement{
			Sid:      "TheEvidenceStays",
			Effect:   iampolicy.Deny,
			Action:   iampolicy.Values{"s3:Delete*", "s3:Put*"},
			Resource: iampolicy.Values{a.bucketARN(a.LogBucket), a.bucketARN(a.LogBucket) + "/*"},
		},
		iampolicy.Statement{
			Sid:    "TheDataBucketStays",
			Effect: iampolicy.Deny,
			Action: iampolicy.Values{
				"s3:DeleteBucket*",
				"s3:PutBucket*",
				"s3:PutEncryptionConfiguration",
				"s3:PutLifecycleConfiguration",
				"s3:PutReplicationConfiguration",
			},
			Resource: iampolicy.Values{a.bucketARN(a.DataBucket)},
		},
		// Policies name the keys by alias: who moves an alias moves a permission.
		iampolicy.Statement{
			Sid:      "TheKeysKeepTheirNames",
			Effect:   iampolicy.Deny,
			Action:   iampolicy.Values{"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"},
			Resource: iampolicy.Values{a.regional("kms", a.DataKeyAlias), a.regional("kms", a.LogKeyAlias)},
		},
		// A grant can name a principal of another account. Services make the
		// ones that disks, clusters and registries need.
		iampolicy.Statement{
			Sid:       "NoGrantsByHand",
			Effect:    iampolicy.Deny,
			Action:    iampolicy.Values{"kms:CreateGrant"},
			Resource:  iampolicy.Values{"*"},
			Condition: iampolicy.Condition{"BoolIfExists": {"kms:GrantIsForAWSResource": {"false"}}},
		},
	)
}

// Trust returns the trust policy of every phase role: the provisioner, by the
// org's external id. The id is no secret; it stops the provisioner from being
// talked into one org's role on behalf of another.
func Trust(a Args) iampolicy.Document {
	return iampolicy.New(iampolicy.Statement{
		Sid:       "Provisioner",
		Effect:    iampolicy.Allow,
		Principal: iampolicy.Principals(a.ProvisionerARN),
		Action:    iampolicy.Values{"sts:AssumeRole"},
		Condition: iampolicy.Condition{"StringEquals": {"sts:ExternalId": {a.ExternalID}}},
	})
}
