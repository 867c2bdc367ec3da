package conformance_test

import (
	"fmt"
	"strings"
)

const (
	roleToken       = "aws:iam/role:Role"
	policyToken     = "aws:iam/policy:Policy"
	rolePolicyToken = "aws:iam/rolePolicy:RolePolicy"
	attachmentToken = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	profileToken    = "aws:iam/instanceProfile:InstanceProfile"
	oidcToken       = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
	passwordToken   = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"

	allowS3    = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	thumbprint = "9e99a48a9960b14926bb7f3b02e22da2b0ab7280"
)

func trustIn(service string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"` + service + `.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
}

// sizedTrust is a trust policy of exactly n characters.
func sizedTrust(n int) string {
	before := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:RoleSessionName":"`
	after := `"}}}]}`
	return before + strings.Repeat("x", n-len(before)-len(after)) + after
}

// tagged is n tags.
func tagged(n int) props {
	out := props{}
	for i := range n {
		out[fmt.Sprintf("key-%d", i)] = "value"
	}
	return out
}

var iamThings = []thing{
	{name: "policy", in: "org", token: policyToken, props: props{"name": "$(fresh)", "description": "What it is for", "policy": allowS3, "tags": props{"a": "b"}}},
	{name: "policy-at-limit", in: "org", token: policyToken, props: props{"name": "$(fresh)", "policy": sized(6144, "")}},
	{name: "role", in: "org", token: roleToken, props: props{"name": "$(fresh)", "assumeRolePolicy": trustIn("ec2"), "description": "What it is for",
		"maxSessionDuration": 3600, "path": "/team/", "permissionsBoundary": "$(policy.arn)", "tags": props{"a": "b"}}},
	{name: "role-at-limit", in: "org", token: roleToken, props: props{"name": "$(fresh)-" + strings.Repeat("x", 50), "assumeRolePolicy": sizedTrust(2048), "maxSessionDuration": 43200, "tags": tagged(50)}},
	{name: "inline", in: "org", token: rolePolicyToken, props: props{"name": "$(fresh)", "role": "$(inline-role.name)", "policy": allowS3}},
	{name: "inline-role", in: "org", token: roleToken, props: props{"name": "$(fresh)", "assumeRolePolicy": trustIn("ec2")}},
	{name: "attachment", in: "org", token: attachmentToken, props: props{"role": "$(role.name)", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}},
	{name: "profile", in: "org", token: profileToken, props: props{"name": "$(fresh)", "role": "$(role.name)"}},
	{name: "oidc", in: "org", token: oidcToken, props: props{"url": "https://$(fresh).issuer.example/id", "clientIdLists": []any{"sts.amazonaws.com"}, "thumbprintLists": []any{thumbprint}}},
	{name: "passwords", in: "org", token: passwordToken, props: props{"minimumPasswordLength": 14, "maxPasswordAge": 90, "passwordReusePrevention": 24,
		"requireLowercaseCharacters": true, "requireNumbers": true, "requireSymbols": true, "requireUppercaseCharacters": true, "allowUsersToChangePassword": true}},
	{name: "doomed-role", in: "org", token: roleToken, props: props{"name": "$(fresh)", "assumeRolePolicy": trustIn("ec2")}},
	{name: "doomed-role-attached", in: "org", token: attachmentToken, props: props{"role": "$(doomed-role.name)", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"}},
	{name: "doomed-policy", in: "org", token: policyToken, props: props{"name": "$(fresh)", "policy": allowS3}},
	{name: "doomed-policy-attached", in: "org", token: attachmentToken, props: props{"role": "$(inline-role.name)", "policyArn": "$(doomed-policy.arn)"}},
}

var iamRows = []row{
	{name: "a role without a trust policy", twin: "role", change: props{"assumeRolePolicy": gone}, because: "assume_?role_?policy"},
	{name: "a role with a property that there is not", twin: "role", change: props{"trustPolicy": trustIn("ec2")}, because: "trustPolicy"},
	{name: "a role whose session lasts an hour in words", twin: "role", change: props{"maxSessionDuration": "an hour"}, because: "maxSessionDuration|number"},
	{name: "a role whose sessions last 59 minutes", twin: "role", change: props{"maxSessionDuration": 3599}, because: "max_?session_?duration"},
	{name: "a role whose sessions last more than 12 hours", twin: "role-at-limit", change: props{"maxSessionDuration": 43201}, because: "max_?session_?duration"},
	{name: "a role with a name of 65 characters", twin: "role-at-limit", change: props{"name": strings.Repeat("x", 65)}, because: "name"},
	{name: "a role with a space in its name", twin: "role", change: props{"name": "a role"}, because: "name"},
	{name: "a role on a path without its last slash", twin: "role", change: props{"path": "/team"}, because: "path",
		emulatorAccepts: "moto takes any path", doc: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"},
	{name: "a role with a description of 1001 characters", twin: "role", change: props{"description": strings.Repeat("x", 1001)}, because: "description"},
	{name: "a role whose name is in use", twin: "role", change: props{"name": "role"}, because: "EntityAlreadyExists"},
	{name: "a role whose trust policy is no JSON", twin: "role", change: props{"assumeRolePolicy": "{"}, because: "JSON"},
	{name: "a role that trusts nobody who exists", twin: "role", change: props{"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::$(account):role/nobody"},"Action":"sts:AssumeRole"}]}`}, because: "principal",
		emulatorAccepts: "moto resolves no principals", doc: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"},
	{name: "a role whose trust policy has a resource", twin: "role", change: props{"assumeRolePolicy": strings.Replace(trustIn("ec2"), `"Effect"`, `"Resource":"*","Effect"`, 1)}, because: "resource",
		emulatorAccepts: "moto checks the grammar of identity policies only", doc: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html"},
	{name: "a role with a trust policy of 2049 characters", twin: "role-at-limit", change: props{"assumeRolePolicy": sizedTrust(2049)}, because: "LimitExceeded"},
	{name: "a role whose boundary is no ARN", twin: "role", change: props{"permissionsBoundary": "boundary"}, because: "ARN"},
	{name: "a role whose boundary is not there", twin: "role", change: props{"permissionsBoundary": "arn:aws:iam::$(account):policy/nothing"}, because: "NoSuchEntity",
		emulatorAccepts: "moto stores a boundary as text", doc: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"},
	{name: "a role with a tag of AWS's own", twin: "role", change: props{"tags": props{"aws:owner": "me"}}, because: "aws:",
		emulatorAccepts: "moto lets IAM tags have any prefix", doc: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html"},
	{name: "a role with a tag of 129 characters", twin: "role", change: props{"tags": props{strings.Repeat("x", 129): "y"}}, because: "128"},
	{name: "a role with 51 tags", twin: "role-at-limit", change: props{"tags": tagged(51)}, because: "50"},
	{name: "a policy of 6145 characters", twin: "policy-at-limit", change: props{"policy": sized(6145, "")}, because: "LimitExceeded"},
	{name: "a policy that has a principal", twin: "policy", change: props{"policy": denyOutsiders}, because: "principal",
		emulatorAccepts: "moto knows a principal as an element of every policy", doc: "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"},
	{name: "a policy of another version", twin: "policy", change: props{"policy": strings.Replace(allowS3, "2012-10-17", "2026-01-01", 1)}, because: "version|syntax"},
	{name: "a policy without resources", twin: "policy", change: props{"policy": strings.Replace(allowS3, `,"Resource":"*"`, "", 1)}, because: "resource"},
	{name: "a policy of another effect", twin: "policy", change: props{"policy": strings.Replace(allowS3, "Allow", "Permit", 1)}, because: "effect|syntax"},
	{name: "a policy of an action without a service", twin: "policy", change: props{"policy": strings.Replace(allowS3, "s3:*", "GetObject", 1)}, because: "vendor"},
	{name: "an IAM policy whose name is in use", twin: "policy", change: props{"name": "policy"}, because: "EntityAlreadyExists"},
	{name: "an IAM policy that is no JSON", twin: "policy", change: props{"policy": "allow"}, because: "JSON"},
	{name: "an inline policy of 10241 characters", twin: "inline", change: props{"policy": sized(10241, "")}, because: "LimitExceeded"},
	{name: "an inline policy of no such role", twin: "inline", change: props{"role": "nobody"}, because: "NoSuchEntity"},
	{name: "an attachment of no such IAM policy", twin: "attachment", change: props{"policyArn": "arn:aws:iam::$(account):policy/nothing"}, because: "NoSuchEntity"},
	{name: "an attachment of what AWS does not manage", twin: "attachment", change: props{"policyArn": "arn:aws:iam::aws:policy/EverythingAndMore"}, because: "NoSuchEntity"},
	{name: "an attachment to no such role", twin: "attachment", change: props{"role": "nobody"}, because: "NoSuchEntity"},
	{name: "an attachment of what is no ARN", twin: "attachment", change: props{"policyArn": "AmazonEKSWorkerNodePolicy"}, because: "ARN"},
	{name: "an instance profile of no such role", twin: "profile", change: props{"role": "nobody"}, because: "NoSuchEntity"},
	{name: "an instance profile whose name is in use", twin: "profile", change: props{"name": "profile"}, because: "EntityAlreadyExists"},
	{name: "an OIDC provider without TLS", twin: "oidc", change: props{"url": "http://issuer.example/id"}, because: "url"},
	{name: "an OIDC provider with a thumbprint of 39 digits", twin: "oidc", change: props{"thumbprintLists": []any{thumbprint[1:]}}, because: "thumbprint"},
	{name: "an OIDC provider that is there", twin: "oidc", change: props{"url": "https://oidc.issuer.example/id"}, because: "EntityAlreadyExists"},
	{name: "an OIDC provider for nobody", twin: "oidc", change: props{"clientIdLists": gone}, because: "client_?id"},
	{name: "passwords of five characters", twin: "passwords", change: props{"minimumPasswordLength": 5}, because: "minimum_?password_?length",
		emulatorAccepts: "moto knows no shortest length", doc: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html"},
	{name: "passwords that are remembered 25 times", twin: "passwords", change: props{"passwordReusePrevention": 25}, because: "reuse"},
	{name: "passwords that last more than three years", twin: "passwords", change: props{"maxPasswordAge": 1096}, because: "age"},
	{name: "deleting a role with a policy attached", twin: "doomed-role", usedBy: []string{"doomed-role-attached"}, because: "DeleteConflict"},
	{name: "deleting a policy that a role has", twin: "doomed-policy", usedBy: []string{"doomed-policy-attached"}, because: "DeleteConflict",
		emulatorAccepts: "moto deletes what is attached", doc: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html"},
	{name: "inline policies that are too long together", twin: "inline", change: props{"policy": sized(10200, "")}, because: "LimitExceeded"},
	{name: "a role with a name and the beginning of one", twin: "role", change: props{"namePrefix": "role"}, because: "conflicts"},
	{name: "a policy with two statements of one name", twin: "policy", change: props{"policy": `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"A","Effect":"Allow","Action":"sqs:*","Resource":"*"}]}`}, because: "unique"},
	{name: "a role that lets its principals do more than assume it", twin: "role", change: props{"assumeRolePolicy": strings.Replace(trustIn("ec2"), "sts:AssumeRole", "s3:GetObject", 1)}, because: "sts",
		emulatorAccepts: "moto looks at no action of a trust policy", doc: "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_roles.html"},
	{name: "a role whose new trust policy is too long", twin: "role-at-limit", updates: true, change: props{"assumeRolePolicy": sizedTrust(2049)}, because: "LimitExceeded"},
	{name: "a policy whose new text is too long", twin: "policy-at-limit", updates: true, change: props{"policy": sized(6145, "")}, because: "LimitExceeded"},
}
