package account

import (
	"slices"

	"freehold.dev/freehold/internal/iam"
)

// ServicePolicies returns the service control policies of an org's account, as
// many as AWS's size of one asks for. They deny, and nothing in the account can
// allow it again: sharing with any other account, leaving the organization, IAM
// users and identity providers, the root user, other regions, roles without the
// permissions boundary, removing or editing the boundary, changing the access
// role, and switching off what watches over the account.
//
// The access role is excepted only where the boundary layer itself must act, or
// another stack that the rules judge: it makes and updates the guards and the
// boundary, and policies of buckets, keys and queues. It is not excepted from
// attaching the boundary to every role that it makes.
//
// What the cluster's stack needs (iam.ByTheStack) is not denied here: the boundary
// keeps it from all roles but the provision role.
func ServicePolicies(region, accessRole, boundary string) []iam.Document {
	// The account's number is not known before the account is, and the policy
	// is attached to one account only: any account is that one.
	boundaryARN := "arn:aws:iam::*:policy/" + boundary
	accessRoleARN := "arn:aws:iam::*:role/" + accessRole
	exceptAccessRole := map[string]iam.Values{"aws:PrincipalArn": {accessRoleARN}}

	guards := iam.GuardsStay()
	guards.Condition = iam.Condition{"ArnNotLike": exceptAccessRole}

	byHand := iam.NoSharingByHand()
	byHand.Condition = iam.Condition{"ArnNotLike": exceptAccessRole}

	return pack(iam.MaxServiceControl, slices.Concat([]iam.Statement{
		iam.NoLeaving(),
		iam.NoOtherIdentities(),
		iam.NoOtherRegion(region),
		guards,
		iam.Statement{
			Sid:       "NoRoot",
			Effect:    iam.Deny,
			Action:    iam.Values{"*"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"ArnLike": {"aws:PrincipalArn": {"arn:aws:iam::*:root"}}},
		},
		// Service-linked roles cannot have a boundary and are made by another
		// action; no policy of ours reaches them.
		iam.Statement{
			Sid:       "EveryRoleHasTheBoundary",
			Effect:    iam.Deny,
			Action:    iam.Values{"iam:CreateRole", "iam:PutRolePermissionsBoundary"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"StringNotLike": {"iam:PermissionsBoundary": {boundaryARN}}},
		},
		iam.Statement{
			Sid:      "TheBoundaryStays",
			Effect:   iam.Deny,
			Action:   iam.Values{"iam:DeleteRolePermissionsBoundary", "iam:DeleteUserPermissionsBoundary", "iam:PutUserPermissionsBoundary"},
			Resource: iam.Values{"*"},
		},
		iam.Statement{
			Sid:       "TheBoundaryIsNotEdited",
			Effect:    iam.Deny,
			Action:    iam.Values{"iam:CreatePolicyVersion", "iam:DeletePolicy", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"},
			Resource:  iam.Values{boundaryARN},
			Condition: iam.Condition{"ArnNotLike": exceptAccessRole},
		},
		// AWS made the access role before this policy was attached; it is the
		// way back in, and nobody in the account changes it, itself included.
		iam.Statement{
			Sid:    "TheAccessRoleStays",
			Effect: iam.Deny,
			Action: iam.Values{
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
			Resource: iam.Values{accessRoleARN},
		},
		byHand,
	}, iam.NoSharingWhen(), []iam.Statement{iam.NoSharing()})...)
}

// pack makes documents of a size of statements, in their order. A list of actions that
// does not fit goes on in the next document.
func pack(size int, statements ...iam.Statement) []iam.Document {
	var docs []iam.Document
	open := iam.New()
	fits := func(s iam.Statement) bool {
		return len(iam.New(append(slices.Clip(open.Statement), s)...).String()) <= size
	}
	for _, s := range statements {
		if fits(s) {
			open.Statement = append(open.Statement, s)
			continue
		}
		part := s
		part.Action = nil
		for _, action := range s.Action {
			longer := part
			longer.Action = append(slices.Clip(part.Action), action)
			if !fits(longer) {
				if len(part.Action) > 0 {
					open.Statement = append(open.Statement, part)
				}
				docs, open = append(docs, open), iam.New()
				longer.Action = iam.Values{action}
			}
			part = longer
		}
		open.Statement = append(open.Statement, part)
	}
	return append(docs, open)
}

// ResourcePolicy returns the resource control policy of an org's account: no
// principal of another account, signed in or not, reaches a resource of this
// one, whatever the resource's own policy says. Two exceptions: AWS services,
// when they act for this account, and the provisioner, which may assume roles
// and do nothing else.
//
// Only services that take resource control policies are named, AWS refuses a policy
// with another, and of those the ones whose resources have policies.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
func ResourcePolicy(provisionerARN string) iam.Document {
	// Requests without a resource have no aws:ResourceAccount. The variable
	// would stay unresolved, equal nobody's account and lock the org out of
	// its own account, so the Null operator leaves those requests alone.
	sameAccount := map[string]iam.Values{"aws:PrincipalAccount": {"${aws:ResourceAccount}"}}
	hasResource := map[string]iam.Values{"aws:ResourceAccount": {"false"}}
	notAWS := map[string]iam.Values{"aws:PrincipalIsAWSService": {"false"}}
	data := iam.Values{
		"aoss:*", "codeartifact:*", "dynamodb:*", "ecr:*", "events:*", "kms:*", "logs:*", "s3:*", "secretsmanager:*", "sqs:*",
	}

	return iam.New(
		iam.Statement{
			Sid:       "NoOtherAccount",
			Effect:    iam.Deny,
			Principal: iam.Anyone(),
			Action:    data,
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{
				"StringNotEqualsIfExists": sameAccount, // absent: not signed in, denied
				"BoolIfExists":            notAWS,
				"Null":                    hasResource,
			},
		},
		iam.Statement{
			Sid:       "NoOtherAccountsRole",
			Effect:    iam.Deny,
			Principal: iam.Anyone(),
			Action:    iam.Values{"sts:AssumeRole", "sts:SetContext", "sts:SetSourceIdentity", "sts:TagSession"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{
				"StringNotEqualsIfExists": sameAccount,
				"ArnNotEqualsIfExists":    {"aws:PrincipalArn": {provisionerARN}},
				"BoolIfExists":            notAWS,
				"Null":                    hasResource,
			},
		},
		// AWS's own identity providers need none in the account, so denying
		// to make one is not enough.
		iam.Statement{
			Sid:       "NoFederation",
			Effect:    iam.Deny,
			Principal: iam.Anyone(),
			Action:    iam.Values{"sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"},
			Resource:  iam.Values{"*"},
		},
		// A service that another customer sends here is not ours: its
		// trail or its log delivery cannot reach this account's resources.
		iam.Statement{
			Sid:       "NoOtherAccountsService",
			Effect:    iam.Deny,
			Principal: iam.Anyone(),
			Action:    append(slices.Clip(data), "sts:AssumeRole"),
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{
				"StringNotEquals": {"aws:SourceAccount": {"${aws:ResourceAccount}"}},
				"Bool":            {"aws:PrincipalIsAWSService": {"true"}},
				"Null":            {"aws:ResourceAccount": {"false"}, "aws:SourceAccount": {"false"}},
			},
		},
	)
}
