package boundary

import "freehold.dev/freehold/internal/iam"

// PermissionsBoundary returns the policy that bounds every role of the
// account. It allows everything and then denies: a boundary grants nothing by
// itself, and a list of what customers may use would break with each service
// that they adopt. What it denies, nobody inside can be granted again.
//
// It delegates: whoever may make roles makes them with this same boundary, so
// a role made by a role made by a role is still inside.
func PermissionsBoundary(a Args) iam.Document {
	return iam.New(
		iam.Statement{
			Sid:      "Ceiling",
			Effect:   iam.Allow,
			Action:   iam.Values{"*"},
			Resource: iam.Values{"*"},
		},
		iam.NoSharing(),
		iam.NoLeaving(),
		iam.NoOtherIdentities(),
		iam.NoOtherRegion(a.Region),
		// Nobody who has the boundary keeps the guards: the access role does,
		// and it is AWS's or the customer's own.
		iam.GuardsStay(),
		iam.Statement{
			Sid:       "EveryRoleHasTheBoundary",
			Effect:    iam.Deny,
			Action:    iam.Values{"iam:CreateRole", "iam:PutRolePermissionsBoundary"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"StringNotEquals": {"iam:PermissionsBoundary": {a.boundaryARN()}}},
		},
		iam.Statement{
			Sid:      "TheBoundaryStays",
			Effect:   iam.Deny,
			Action:   iam.Values{"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"},
			Resource: iam.Values{"*"},
		},
		iam.Statement{
			Sid:      "TheBoundaryIsNotEdited",
			Effect:   iam.Deny,
			Action:   iam.Values{"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"},
			Resource: iam.Values{a.boundaryARN()},
		},
		// The provision role may change roles by their prefix, which the
		// phase roles have too: without this it could widen itself.
		iam.Statement{
			Sid:    "TheWaysInStay",
			Effect: iam.Deny,
			Action: iam.Values{
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
			Resource: iam.Values{
				a.AccessRoleARN,
				a.roleARN(a.ProvisionRole),
				a.roleARN(a.ReadRole),
				a.roleARN(a.BootstrapRole),
				a.roleARN(a.OffboardRole),
			},
		},
		iam.Statement{
			Sid:         "NoRoleElsewhere",
			Effect:      iam.Deny,
			Action:      iam.Values{"sts:AssumeRole"},
			NotResource: iam.Values{a.roleARN("*")},
		},
		// The trail writes as a service, which has no boundary.
		iam.Statement{
			Sid:      "TheEvidenceStays",
			Effect:   iam.Deny,
			Action:   iam.Values{"s3:Delete*", "s3:Put*"},
			Resource: iam.Values{a.bucketARN(a.LogBucket), a.bucketARN(a.LogBucket) + "/*"},
		},
		iam.Statement{
			Sid:    "TheDataBucketStays",
			Effect: iam.Deny,
			Action: iam.Values{
				"s3:DeleteBucket*",
				"s3:PutBucket*",
				"s3:PutEncryptionConfiguration",
				"s3:PutLifecycleConfiguration",
				"s3:PutReplicationConfiguration",
			},
			Resource: iam.Values{a.bucketARN(a.DataBucket)},
		},
		// Policies name the keys by alias: who moves an alias moves a permission.
		iam.Statement{
			Sid:      "TheKeysKeepTheirNames",
			Effect:   iam.Deny,
			Action:   iam.Values{"kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"},
			Resource: iam.Values{a.regional("kms", a.DataKeyAlias), a.regional("kms", a.LogKeyAlias)},
		},
		// A grant can name a principal of another account. Services make the
		// ones that disks, clusters and registries need.
		iam.Statement{
			Sid:       "NoGrantsByHand",
			Effect:    iam.Deny,
			Action:    iam.Values{"kms:CreateGrant"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"BoolIfExists": {"kms:GrantIsForAWSResource": {"false"}}},
		},
	)
}

// Trust returns the trust policy of every phase role: the provisioner, by the
// org's external id. The id is no secret; it stops the provisioner from being
// talked into one org's role on behalf of another.
func Trust(a Args) iam.Document {
	return iam.New(iam.Statement{
		Sid:       "Provisioner",
		Effect:    iam.Allow,
		Principal: iam.Principals(a.ProvisionerARN),
		Action:    iam.Values{"sts:AssumeRole"},
		Condition: iam.Condition{"StringEquals": {"sts:ExternalId": {a.ExternalID}}},
	})
}
