package boundaries

import (
	"strings"

	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

func badBoundaries() []rule.Example {
	return []rule.Example{
		example.Of("a role without a boundary", rule.TypeRole, object{"name": "shop", "tags": example.OrgTags()}),
		example.Of("a boundary of one's own", rule.TypeRole, object{"permissionsBoundary": example.ARN + ":policy/wide"}),
		example.Of("another org's boundary", rule.TypeRole, object{"permissionsBoundary": example.OtherARN + ":policy/freehold-globex-boundary"}),
		example.Of("AWS's administrator policy as a boundary", rule.TypeRole, object{"permissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
		example.Of("a role under the path of service-linked ones", rule.TypeRole, object{"path": "/aws-service-role/"}),
	}
}

func goodBoundaries() []rule.Example {
	return []rule.Example{
		example.Of("a role with the org's boundary", rule.TypeRole, object{"permissionsBoundary": example.Boundary}),
		example.Of("a service-linked role, which can have none", "aws:iam/serviceLinkedRole:ServiceLinkedRole", object{"awsServiceName": "spot.amazonaws.com"}),
	}
}

// fence is the boundary's policy, from which an example may leave statements out.
var fence = []string{
	`{"Sid":"Ceiling","Effect":"Allow","Action":"*","Resource":"*"}`,
	`{"Sid":"Removal","Effect":"Deny","Action":["iam:DeleteRolePermissionsBoundary","iam:DeleteUserPermissionsBoundary","iam:PutUserPermissionsBoundary"],"Resource":"*"}`,
	`{"Sid":"Versions","Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy*","iam:SetDefaultPolicyVersion"],"Resource":"` + example.Boundary + `"}`,
	`{"Sid":"Roles","Effect":"Deny","Action":["iam:CreateRole","iam:PutRolePermissionsBoundary"],"Resource":"*","Condition":{"StringNotEquals":{"iam:PermissionsBoundary":"` + example.Boundary + `"}}}`,
	`{"Sid":"Users","Effect":"Deny","Action":["iam:CreateUser","iam:CreateAccessKey","iam:CreateLoginProfile"],"Resource":"*"}`,
	`{"Sid":"Elsewhere","Effect":"Deny","Action":"sts:AssumeRole","NotResource":"` + example.ARN + `:role/*"}`,
}

func boundaryOf(name string, list ...string) rule.Example {
	return example.In("boundary", name, typePolicy, object{"name": "freehold-acme-boundary", "policy": example.Statements(list...)})
}

// without leaves a statement of the fence out, and adds others.
func without(sid string, more ...string) []string {
	var rest []string
	for _, st := range fence {
		if !strings.Contains(st, `"Sid":"`+sid+`"`) {
			rest = append(rest, st)
		}
	}
	return append(rest, more...)
}

func badFences() []rule.Example {
	return []rule.Example{
		boundaryOf("a boundary that can be taken off", without("Removal")...),
		boundaryOf("a boundary of which a new version can be made", without("Versions")...),
		boundaryOf("versions denied on a policy of almost the same name", without("Versions",
			`{"Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy*","iam:SetDefaultPolicyVersion"],"Resource":"`+example.Boundary+`-old"}`)...),
		boundaryOf("a new version for who says it is an emergency", without("Versions",
			`{"Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy*","iam:SetDefaultPolicyVersion"],"Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/breakglass":"yes"}}}`)...),
		boundaryOf("roles with any boundary of the account", without("Roles",
			`{"Effect":"Deny","Action":["iam:CreateRole","iam:PutRolePermissionsBoundary"],"Resource":"*","Condition":{"StringNotLike":{"iam:PermissionsBoundary":"`+example.ARN+`:policy/*"}}}`)...),
		boundaryOf("users with keys", without("Users")...),
	}
}

func goodFences() []rule.Example {
	return []rule.Example{
		boundaryOf("the boundary with all its denials", fence...),
		boundaryOf("a boundary that denies all of IAM", `{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`),
		example.In("boundary", "a policy that is not the boundary", typePolicy, object{
			"name": "freehold-acme-readers", "policy": example.Statements(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`),
		}),
	}
}

func badEscapes() []rule.Example {
	return []rule.Example{
		example.Permission("making roles of any kind", `{"Effect":"Allow","Action":"iam:CreateRole","Resource":"*"}`),
		example.Permission("taking boundaries off, in a pattern", `{"Effect":"Allow","Action":"iam:Delete*","Resource":"`+example.ARN+`:role/shop-*"}`),
		example.Permission("making versions of any policy", `{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"`+example.ARN+`:policy/freehold-*"}`),
		example.Permission("making versions of a policy by a variable's name", `{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"arn:aws:iam::${aws:PrincipalAccount}:policy/freehold-*"}`),
		example.Permission("roles with the boundary, if one is named", `{"Effect":"Allow","Action":"iam:CreateRole","Resource":"*","Condition":{"StringEqualsIfExists":{"iam:PermissionsBoundary":"`+example.Boundary+`"}}}`),
		example.Permission("roles with one of two boundaries", `{"Effect":"Allow","Action":"iam:CreateRole","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":["`+example.Boundary+`","`+example.ARN+`:policy/wide"]}}}`),
		example.Permission("all that is not EC2", `{"Effect":"Allow","NotAction":"ec2:*","Resource":"*"}`),
	}
}

func goodEscapes() []rule.Example {
	return []rule.Example{
		example.Permission("making roles with the boundary", `{"Effect":"Allow","Action":["iam:CreateRole","iam:PutRolePermissionsBoundary"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+example.Boundary+`"}}}`),
		example.Permission("making versions of a policy of the team's", `{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"`+example.ARN+`:policy/shop-*"}`),
		example.Permission("reading roles", `{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}`),
		boundaryOf("the boundary itself, whose denials count", fence...),
	}
}

func badUsers() []rule.Example {
	keyed := example.AWSProvider("a provider with a key in it", object{"allowedAccountIds": []any{example.Account}, "accessKey": "AKIAIOSFODNN7EXAMPLE"})
	return []rule.Example{
		keyed,
		example.Of("a user for the pipeline", "aws:iam/user:User", object{"name": "ci", "permissionsBoundary": example.Boundary, "tags": example.OrgTags()}),
		example.Of("an access key", "aws:iam/accessKey:AccessKey", object{"user": "ci"}),
		example.Of("a policy attached to a user by the other type", "aws:iam/policyAttachment:PolicyAttachment", object{"policyArn": example.ARN + ":policy/x", "users": []any{"ci"}}),
	}
}

func goodUsers() []rule.Example {
	return []rule.Example{
		example.Of("a role", rule.TypeRole, object{"name": "shop", "permissionsBoundary": example.Boundary}),
		example.Of("a policy attached to a role by the other type", "aws:iam/policyAttachment:PolicyAttachment", object{"policyArn": example.ARN + ":policy/x", "roles": []any{"shop"}}),
		example.AWSProvider("a provider that assumes a role", object{"allowedAccountIds": []any{example.Account}, "assumeRole": object{"roleArn": example.ARN + ":role/x"}}),
	}
}

func badEverything() []rule.Example {
	const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	return []rule.Example{
		example.Permission("all actions on all resources", `{"Effect":"Allow","Action":"*","Resource":"*"}`),
		example.Permission("the same in other letters", `{"Effect":"Allow","Action":["?*:*"],"Resource":["*"]}`),
		example.Permission("all actions but a few", `{"Effect":"Allow","NotAction":["organizations:*","account:*"],"Resource":"*"}`),
		example.Of("AWS's administrator policy", attachment, object{"role": "shop", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
		example.Of("the boundary, attached as a policy", attachment, object{"role": "shop", "policyArn": example.Boundary}),
		example.Of("power users, in the role itself", rule.TypeRole, object{"managedPolicyArns": []any{"arn:aws:iam::aws:policy/PowerUserAccess"}}),
	}
}

func goodEverything() []rule.Example {
	return []rule.Example{
		example.Permission("all of one service, on one bucket", `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::freehold-acme-data-`+example.Account+`/*"}`),
		example.Permission("a denial of everything", `{"Effect":"Deny","Action":"*","Resource":"*"}`),
		example.Of("AWS's policy for nodes", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", object{"role": "shop", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}),
		boundaryOf("the boundary, which is a ceiling", fence...),
	}
}

func badKeys() []rule.Example {
	return []rule.Example{
		example.In(rule.LayerBootstrap, "a key in a secret for pods", "kubernetes:core/v1:Secret", object{"stringData": object{"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}}),
		example.In(rule.LayerBootstrap, "the same, in base64", "kubernetes:core/v1:Secret", object{"data": object{"AWS_ACCESS_KEY_ID": "QUtJQUlPU0ZPRE5ON0VYQU1QTEU="}}),
		example.Of("a key in a node's start script", "aws:ec2/launchTemplate:LaunchTemplate", object{"userData": "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n"}),
	}
}

func goodKeys() []rule.Example {
	return []rule.Example{
		example.In(rule.LayerBootstrap, "a service account, which gets a role", "kubernetes:core/v1:ServiceAccount", object{"metadata": object{"name": "app"}}),
		example.Of("capital letters that are no key", "aws:ssm/parameter:Parameter", object{"value": "ASIAN-MARKETS-2026"}),
	}
}
