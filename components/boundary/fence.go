package boundary

import (
	"slices"

	"freehold.dev/freehold/internal/iam"
)

// PermissionsBoundary returns the policy that bounds every role of the
// account. A boundary grants nothing by itself; what it denies, nobody inside can
// be granted again. The phase roles have policies of their own, which nobody inside
// can change. All other roles can do what Workloads lists, and nothing else of AWS,
// whatever their policies say: a list of what shares would leave out what AWS adds
// next year.
//
// An account that a customer brings has no service control policy of ours, so the
// boundary says all that matters by itself.
func PermissionsBoundary(a Args) iam.Document {
	return iam.New(
		iam.Statement{
			Sid:      "Ceiling",
			Effect:   iam.Allow,
			Action:   iam.Values{"*"},
			Resource: iam.Values{"*"},
		},
		iam.Statement{
			Sid:       "OfWorkloads",
			Effect:    iam.Deny,
			NotAction: Workloads(),
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"ArnNotLike": {"aws:PrincipalArn": a.phaseRoles()}},
		},
		noSharing(),
		noForeignResource(a),
		noOtherRegion(a.Region),
		noOtherIdentities(),
		iam.Statement{
			Sid:       "EveryRoleHasTheBoundary",
			Effect:    iam.Deny,
			Action:    iam.Values{"iam:CreateRole", "iam:PutRolePermissionsBoundary"},
			Resource:  iam.Values{"*"},
			Condition: iam.Condition{"StringNotEquals": {"iam:PermissionsBoundary": {a.boundaryARN()}}},
		},
		iam.Statement{
			Sid:      "TheBoundaryIsNotEdited",
			Effect:   iam.Deny,
			Action:   iam.Values{"iam:CreatePolicyVersion", "iam:DeletePolicy*", "iam:SetDefaultPolicyVersion"},
			Resource: iam.Values{a.boundaryARN()},
		},
		// The provision role may change roles by their prefix, which the
		// phase roles have too: without this it could widen itself.
		iam.Statement{
			Sid:       "TheWaysInStay",
			Effect:    iam.Deny,
			NotAction: iam.Values{"iam:Get*", "iam:List*"},
			Resource:  append(a.phaseRoles(), a.AccessRoleARN, role(a.BootstrapRole)),
		},
		iam.Statement{
			Sid:         "NoRoleElsewhere",
			Effect:      iam.Deny,
			Action:      iam.Values{"events:PutEvents", "sts:AssumeRole"}, // neither has aws:ResourceAccount in every case
			NotResource: iam.Values{a.roleARN("*"), a.regional("events", "*")},
		},
		// The trail writes as a service, which has no boundary.
		iam.Statement{
			Sid:      "TheEvidenceStays",
			Effect:   iam.Deny,
			Action:   iam.Values{"s3:Delete*", "s3:Put*"},
			Resource: iam.Values{a.bucketARN(a.LogBucket) + "*"}, // the bucket and its objects
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

// phaseRoles are the roles of Freehold's phases that need more than a workload. The
// bootstrap role only reaches the cluster, as its add-ons do.
func (a Args) phaseRoles() iam.Values {
	return iam.Values{role(a.ProvisionRole), role(a.ReadRole), role(a.OffboardRole)}
}

// role is the ARN of a role of the account that has the boundary, in few characters.
func role(name string) string { return "arn:aws:iam::*:role/" + name }

// noOtherIdentities denies users and their keys, and to be free of the boundary.
func noOtherIdentities() iam.Statement {
	s := iam.NoOtherIdentities()
	s.Action = append(s.Action, "iam:DeleteRolePerm*", "iam:*UserPerm*")
	return s
}

// noSharing denies, of the actions that share, those that Workloads would let through. A
// secret's copy in another region is out of reach of what is said for one region.
func noSharing() iam.Statement {
	s := iam.Statement{Sid: "NoSharing", Effect: iam.Deny, Resource: iam.Values{"*"}, Action: iam.Values{"secretsmanager:Repl*"}}
	workloads := Workloads()
	for _, share := range iam.Sharing() {
		if share.When == nil && slices.ContainsFunc(workloads, func(p string) bool { return iam.Overlap(p, share.Action) }) {
			s.Action = append(s.Action, share.Action)
		}
	}
	return s
}

// noForeignResource denies the use of what is in another account, whatever that
// account allows. A request that does not say whose its resource is, as one that lists,
// passes. Resources of AWS's own are images of machines and their parts, managed policies,
// models, layers, hosted zones of endpoints, and parameters and documents without an
// account in their ARN. Nodes pull the images of EKS's add-ons from accounts of AWS that
// differ from region to region, and those of other add-ons from more; which image may
// run, the cluster decides. Nothing is pushed there.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-resourceaccount
// https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html
func noForeignResource(a Args) iam.Statement {
	return iam.Statement{
		Sid:         "NoForeignResource",
		Effect:      iam.Deny,
		NotAction:   iam.Values{"bedrock:*", "ec2:*", "ecr:BatchC*", "ecr:BatchG*", "ecr:GetDown*", "iam:*", "lambda:GetL*", "route53:*"},
		NotResource: iam.Values{"arn:aws:ssm:" + a.Region + "::*"},
		Condition: iam.Condition{
			"Null":            {"aws:ResourceAccount": {"false"}},
			"StringNotEquals": {"aws:ResourceAccount": {a.AccountID}},
		},
	}
}

// noOtherRegion denies every call to another region. It leaves out the services with one
// endpoint for all regions; what of them a role may do is said above.
func noOtherRegion(region string) iam.Statement {
	s := iam.NoOtherRegion(region)
	s.NotAction = iam.Values{
		"ce:*", "cloudfront:*", "ec2:DescribeRegions", "ecr-public:*", "globalaccelerator:*", "iam:*", "networkmanager:*", "organizations:*",
		"pricing:*", "route53:*", "s3:Get*", "s3:ListAll*", "s3:ListM*", "servicequotas:*", "shield:*", "sts:*",
	}
	return s
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
