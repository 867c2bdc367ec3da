package policies

import "strings"

func badBoundaries() []Example {
	return []Example{
		example("a role without a boundary", typeRole, object{"name": "shop", "tags": orgTags()}),
		example("a boundary of one's own", typeRole, object{"permissionsBoundary": exampleARN + ":policy/wide"}),
		example("another org's boundary", typeRole, object{"permissionsBoundary": exampleOtherARN + ":policy/freehold-globex-boundary"}),
		example("AWS's administrator policy as a boundary", typeRole, object{"permissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess"}),
		example("a role under the path of service-linked ones", typeRole, object{"path": "/aws-service-role/"}),
	}
}

func goodBoundaries() []Example {
	return []Example{
		example("a role with the org's boundary", typeRole, object{"permissionsBoundary": exampleBoundary}),
		example("a service-linked role, which can have none", "aws:iam/serviceLinkedRole:ServiceLinkedRole", object{"awsServiceName": "spot.amazonaws.com"}),
	}
}

// fence is the boundary's policy, from which an example may leave statements out.
var fence = []string{
	`{"Sid":"Ceiling","Effect":"Allow","Action":"*","Resource":"*"}`,
	`{"Sid":"Removal","Effect":"Deny","Action":["iam:DeleteRolePermissionsBoundary","iam:DeleteUserPermissionsBoundary","iam:PutUserPermissionsBoundary"],"Resource":"*"}`,
	`{"Sid":"Versions","Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy*","iam:SetDefaultPolicyVersion"],"Resource":"` + exampleBoundary + `"}`,
	`{"Sid":"Roles","Effect":"Deny","Action":["iam:CreateRole","iam:PutRolePermissionsBoundary"],"Resource":"*","Condition":{"StringNotEquals":{"iam:PermissionsBoundary":"` + exampleBoundary + `"}}}`,
	`{"Sid":"Users","Effect":"Deny","Action":["iam:CreateUser","iam:CreateAccessKey","iam:CreateLoginProfile"],"Resource":"*"}`,
	`{"Sid":"Elsewhere","Effect":"Deny","Action":"sts:AssumeRole","NotResource":"` + exampleARN + `:role/*"}`,
}

func boundaryOf(name string, list ...string) Example {
	return exampleIn("boundary", name, typePolicy, object{"name": "freehold-acme-boundary", "policy": statements(list...)})
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

func badFences() []Example {
	return []Example{
		boundaryOf("a boundary that can be taken off", without("Removal")...),
		boundaryOf("a boundary of which a new version can be made", without("Versions")...),
		boundaryOf("versions denied on a policy of almost the same name", without("Versions",
			`{"Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy*","iam:SetDefaultPolicyVersion"],"Resource":"`+exampleBoundary+`-old"}`)...),
		boundaryOf("a new version for who says it is an emergency", without("Versions",
			`{"Effect":"Deny","Action":["iam:CreatePolicyVersion","iam:DeletePolicy*","iam:SetDefaultPolicyVersion"],"Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/breakglass":"yes"}}}`)...),
		boundaryOf("roles with any boundary of the account", without("Roles",
			`{"Effect":"Deny","Action":["iam:CreateRole","iam:PutRolePermissionsBoundary"],"Resource":"*","Condition":{"StringNotLike":{"iam:PermissionsBoundary":"`+exampleARN+`:policy/*"}}}`)...),
		boundaryOf("users with keys", without("Users")...),
	}
}

func goodFences() []Example {
	return []Example{
		boundaryOf("the boundary with all its denials", fence...),
		boundaryOf("a boundary that denies all of IAM", `{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"iam:*","Resource":"*"}`),
		exampleIn("boundary", "a policy that is not the boundary", typePolicy, object{
			"name": "freehold-acme-readers", "policy": statements(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`),
		}),
	}
}

func badEscapes() []Example {
	return []Example{
		permission("making roles of any kind", `{"Effect":"Allow","Action":"iam:CreateRole","Resource":"*"}`),
		permission("taking boundaries off, in a pattern", `{"Effect":"Allow","Action":"iam:Delete*","Resource":"`+exampleARN+`:role/shop-*"}`),
		permission("making versions of any policy", `{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"`+exampleARN+`:policy/freehold-*"}`),
		permission("making versions of a policy by a variable's name", `{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"arn:aws:iam::${aws:PrincipalAccount}:policy/freehold-*"}`),
		permission("roles with the boundary, if one is named", `{"Effect":"Allow","Action":"iam:CreateRole","Resource":"*","Condition":{"StringEqualsIfExists":{"iam:PermissionsBoundary":"`+exampleBoundary+`"}}}`),
		permission("roles with one of two boundaries", `{"Effect":"Allow","Action":"iam:CreateRole","Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":["`+exampleBoundary+`","`+exampleARN+`:policy/wide"]}}}`),
		permission("all that is not EC2", `{"Effect":"Allow","NotAction":"ec2:*","Resource":"*"}`),
	}
}

func goodEscapes() []Example {
	return []Example{
		permission("making roles with the boundary", `{"Effect":"Allow","Action":["iam:CreateRole","iam:PutRolePermissionsBoundary"],"Resource":"*","Condition":{"StringEquals":{"iam:PermissionsBoundary":"`+exampleBoundary+`"}}}`),
		permission("making versions of a policy of the team's", `{"Effect":"Allow","Action":"iam:CreatePolicyVersion","Resource":"`+exampleARN+`:policy/shop-*"}`),
		permission("reading roles", `{"Effect":"Allow","Action":["iam:Get*","iam:List*"],"Resource":"*"}`),
		boundaryOf("the boundary itself, whose denials count", fence...),
	}
}

func badUsers() []Example {
	keyed := provider("a provider with a key in it", object{"allowedAccountIds": []any{exampleAccount}, "accessKey": "AKIAIOSFODNN7EXAMPLE"})
	return []Example{
		keyed,
		example("a user for the pipeline", "aws:iam/user:User", object{"name": "ci", "permissionsBoundary": exampleBoundary, "tags": orgTags()}),
		example("an access key", "aws:iam/accessKey:AccessKey", object{"user": "ci"}),
		example("a policy attached to a user by the other type", "aws:iam/policyAttachment:PolicyAttachment", object{"policyArn": exampleARN + ":policy/x", "users": []any{"ci"}}),
	}
}

func goodUsers() []Example {
	return []Example{
		example("a role", typeRole, object{"name": "shop", "permissionsBoundary": exampleBoundary}),
		example("a policy attached to a role by the other type", "aws:iam/policyAttachment:PolicyAttachment", object{"policyArn": exampleARN + ":policy/x", "roles": []any{"shop"}}),
		provider("a provider that assumes a role", object{"allowedAccountIds": []any{exampleAccount}, "assumeRole": object{"roleArn": exampleARN + ":role/x"}}),
	}
}

func badEverything() []Example {
	const attachment = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	return []Example{
		permission("all actions on all resources", `{"Effect":"Allow","Action":"*","Resource":"*"}`),
		permission("the same in other letters", `{"Effect":"Allow","Action":["?*:*"],"Resource":["*"]}`),
		permission("all actions but a few", `{"Effect":"Allow","NotAction":["organizations:*","account:*"],"Resource":"*"}`),
		example("AWS's administrator policy", attachment, object{"role": "shop", "policyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}),
		example("the boundary, attached as a policy", attachment, object{"role": "shop", "policyArn": exampleBoundary}),
		example("power users, in the role itself", typeRole, object{"managedPolicyArns": []any{"arn:aws:iam::aws:policy/PowerUserAccess"}}),
	}
}

func goodEverything() []Example {
	return []Example{
		permission("all of one service, on one bucket", `{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::freehold-acme-data-`+exampleAccount+`/*"}`),
		permission("a denial of everything", `{"Effect":"Deny","Action":"*","Resource":"*"}`),
		example("AWS's policy for nodes", "aws:iam/rolePolicyAttachment:RolePolicyAttachment", object{"role": "shop", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}),
		boundaryOf("the boundary, which is a ceiling", fence...),
	}
}

func badKeys() []Example {
	return []Example{
		exampleIn(layerBootstrap, "a key in a secret for pods", "kubernetes:core/v1:Secret", object{"stringData": object{"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}}),
		exampleIn(layerBootstrap, "the same, in base64", "kubernetes:core/v1:Secret", object{"data": object{"AWS_ACCESS_KEY_ID": "QUtJQUlPU0ZPRE5ON0VYQU1QTEU="}}),
		example("a key in a node's start script", "aws:ec2/launchTemplate:LaunchTemplate", object{"userData": "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n"}),
	}
}

func goodKeys() []Example {
	return []Example{
		exampleIn(layerBootstrap, "a service account, which gets a role", "kubernetes:core/v1:ServiceAccount", object{"metadata": object{"name": "app"}}),
		example("capital letters that are no key", "aws:ssm/parameter:Parameter", object{"value": "ASIAN-MARKETS-2026"}),
	}
}
