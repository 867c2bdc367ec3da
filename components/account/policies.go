package account

import "slices"

import "freehold.dev/freehold/components/iampolicy"

// ServicePolicy returns the service control policy of an org's account. It
// denies, and nothing in the account can allow it again: sharing with any other
// account, leaving the organization, IAM users and identity providers, the
// root user, other regions, roles without the permissions boundary, removing
// or editing the boundary, changing the access role, and switching off what
// watches over the account.
//
// The access role is excepted only where the boundary layer itself must act:
// it makes and updates the guards and the boundary. It is not excepted from
// attaching the boundary to every role that it makes.
func ServicePolicy(region, accessRole, boundary string) iampolicy.Document {
	// The account's number is not known before the account is, and the policy
	// is attached to one account only: any account is that one.
	boundaryARN := "arn:aws:iam::*:policy/" + boundary
	accessRoleARN := "arn:aws:iam::*:role/" + accessRole
	exceptAccessRole := map[string]iampolicy.Values{"aws:PrincipalArn": {accessRoleARN}}

	guards := iampolicy.GuardsStay()
	guards.Condition = iampolicy.Condition{"ArnNotLike": exceptAccessRole}

	return iampolicy.New(
		iampolicy.NoSharing(),
		iampolicy.NoLeaving(),
		iampolicy.NoOtherIdentities(),
		iampolicy.NoOtherRegion(region),
		guards,
		iampolicy.Statement{
			Sid:       "NoRoot",
			Effect:    iampolicy.Deny,
			Action:    iampolicy.Values{"*"},
			Resource:  iampolicy.Values{"*"},
			Condition: iampolicy.Condition{"ArnLike": {"aws:PrincipalArn": {"arn:aws:iam::*:root"}}},
		},
		// Service-linked roles cannot have a boundary and are made by another
		// action; no policy of ours reaches them.
		iampolicy.Statement{
			Sid:       "EveryRoleHasTheBoundary",
			Effect:    iampolicy.Deny,
			Action:    iampolicy.Values{"iam:CreateRole", "iam:PutRolePermissionsBoundary"},
			Resource:  iampolicy.Values{"*"},
			Condition: iampolicy.Condition{"StringNotLike": {"iam:PermissionsBoundary": {boundaryARN}}},
		},
		iampolicy.Statement{
			Sid:      "TheBoundaryStays",
			Effect:   iampolicy.Deny,
			Action:   iampolicy.Values{"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"},
			Resource: iampolicy.Values{"*"},
		},
		iampolicy.Statement{
			Sid:       "TheBoundaryIsNotEdited",
			Effect:    iampolicy.Deny,
			Action:    iampolicy.Values{"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"},
			Resource:  iampolicy.Values{boundaryARN},
			Condition: iampolicy.Condition{"ArnNotLike": exceptAccessRole},
		},
		// AWS made the access role before this policy was attached; it is the
		// way back in, and nobody in the account changes it, itself included.
		iampolicy.Statement{
			Sid:    "TheAccessRoleStays",
			Effect: iampolicy.Deny,
			Action: iampolicy.Values{
				"iam:AttachRolePolicy",
				"iam:DeleteRole",
				"iam:DeleteRolePolicy",
				"iam:DetachRolePolicy",
				"iam:PassRole",
				"iam:PutRolePermissionsBoundary",
				"iam:PutRolePolicy",
				"iam:UpdateAssumeRolePolicy",
				"iam:UpdateRole",
				"iam:UpdateRoleDescription",
			},
			Resource: iampolicy.Values{accessRoleARN},
		},
	)
}

// ResourcePolicy returns the resource control policy of an org's account: no
// principal of another account, signed in or not, reaches a resource of this
// one, whatever the resource's own policy says. Two exceptions: AWS services,
// when they act for this account, and the provisioner, which may assume roles
// and do nothing else.
//
// Only services that take resource control policies are named; AWS refuses a
// policy with another.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func ResourcePolicy(provisionerARN string) iampolicy.Document {
	// Requests without a resource have no aws:ResourceAccount. The variable
	// would stay unresolved, equal nobody's account and lock the org out of
	// its own account, so the Null operator leaves those requests alone.
	sameAccount := map[string]iampolicy.Values{"aws:PrincipalAccount": {"${aws:ResourceAccount}"}}
	hasResource := map[string]iampolicy.Values{"aws:ResourceAccount": {"false"}}
	notAWS := map[string]iampolicy.Values{"aws:PrincipalIsAWSService": {"false"}}
	data := iampolicy.Values{"ecr:*", "kms:*", "s3:*", "secretsmanager:*", "sqs:*"}

	return iampolicy.New(
		iampolicy.Statement{
			Sid:       "NoOtherAccount",
			Effect:    iampolicy.Deny,
			Principal: iampolicy.Anyone(),
			Action:    data,
			Resource:  iampolicy.Values{"*"},
			Condition: iampolicy.Condition{
				"StringNotEqualsIfExists": sameAccount, // absent: not signed in, denied
				"BoolIfExists":            notAWS,
				"Null":                    hasResource,
			},
		},
		iampolicy.Statement{
			Sid:       "NoOtherAccountsRole",
			Effect:    iampolicy.Deny,
			Principal: iampolicy.Anyone(),
			Action:    iampolicy.Values{"sts:AssumeRole", "sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession"},
			Resource:  iampolicy.Values{"*"},
			Condition: iampolicy.Condition{
				"StringNotEqualsIfExists": sameAccount,
				"ArnNotEqualsIfExists":    {"aws:PrincipalArn": {provisionerARN}},
				"BoolIfExists":            notAWS,
				"Null":                    hasResource,
			},
		},
		// AWS's own identity providers need none in the account, so denying
		// to make one is not enough.
		iampolicy.Statement{
			Sid:       "NoFederation",
			Effect:    iampolicy.Deny,
			Principal: iampolicy.Anyone(),
			Action:    iampolicy.Values{"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"},
			Resource:  iampolicy.Values{"*"},
		},
		// A service that another customer sends here is not ours: its
		// trail or its log delivery cannot reach this account's resources.
		iampolicy.Statement{
			Sid:       "NoOtherAccountsService",
			Effect:    iampolicy.Deny,
			Principal: iampolicy.Anyone(),
			Action:    append(slices.Clip(data), "sts:AssumeRole"),
			Resource:  iampolicy.Values{"*"},
			Condition: iampolicy.Condition{
				"StringNotEquals": {"aws:SourceAccount": {"${aws:ResourceAccount}"}},
				"Bool":            {"aws:PrincipalIsAWSService": {"true"}},
				"Null":            {"aws:ResourceAccount": {"false"}, "aws:SourceAccount": {"false"}},
			},
		},
	)
}
