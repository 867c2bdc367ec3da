package trusts

import (
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/example"
	"freehold.dev/freehold/policies/rule"
)

// trust is an example of a role with a trust policy of one statement.
func trust(name, statement string) rule.Example {
	return example.Of(name, rule.TypeRole, object{"assumeRolePolicy": example.Statements(statement), "permissionsBoundary": example.Boundary, "tags": example.OrgTags()})
}

func badTrusts() []rule.Example {
	return []rule.Example{
		trust("another org's account", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+example.OtherARN+`:root"}}`),
		trust("another org's account by its id, in a list", `{"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":{"AWS":["`+example.Account+`","`+example.OtherAccount+`"]}}`),
		trust("everybody, fenced by the organization that all customers are in",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`),
		trust("everybody of the org's account, and who has no account",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":{"StringEqualsIfExists":{"aws:PrincipalAccount":"`+example.Account+`"}}}`),
		trust("a comparison of the caller with itself",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"}}}`),
		trust("everybody but one role", `{"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"`+example.ARN+`:role/x"}}`),
		trust("an external id in place of a principal",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID(example.Org)+`"}}}`),
		trust("a star that runs over the account",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringLike":{"aws:PrincipalArn":"arn:*:`+example.Account+`:role/ci"}}}`),
		trust("the management account as a whole", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::`+example.ManagementAccount+`:root"}}`),
		trust("a sign-in provider of the internet", `{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"accounts.google.com"}}`),
		trust("two statements under one key, of which readers see one",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+example.Account+`"},"Principal":{"AWS":"`+example.OtherAccount+`"}}`),
	}
}

func goodTrusts() []rule.Example {
	return []rule.Example{
		trust("a service", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"eks.amazonaws.com"}}`),
		trust("the org's own account", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+example.ARN+`:root"}}`),
		trust("the provisioner", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+example.ScopeIn(rule.LayerCluster).ProvisionerARN+
			`"},"Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID(example.Org)+`"}}}`),
		trust("everybody of the org's account, by a condition",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"`+example.Account+`"}}}`),
		trust("a denial of everybody else", `{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"`+example.ARN+`:root"}}`),
	}
}

func badExternalIDs() []rule.Example {
	provisioner := example.ScopeIn(rule.LayerCluster).ProvisionerARN
	return []rule.Example{
		trust("the provisioner without an external id", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+`"}}`),
		trust("any external id", `{"Effect":"Allow","Action":"sts:*","Principal":{"AWS":"`+provisioner+`"},"Condition":{"StringLike":{"sts:ExternalId":"*"}}}`),
		trust("another org's external id", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+
			`"},"Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID("globex")+`"}}}`),
		trust("the org's external id, and another", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+
			`"},"Condition":{"StringEquals":{"sts:ExternalId":["`+iam.ExternalID(example.Org)+`","globex"]}}}`),
		trust("an external id for who shows one", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+
			`"},"Condition":{"StringEqualsIfExists":{"sts:ExternalId":"`+iam.ExternalID(example.Org)+`"}}}`),
	}
}

func goodExternalIDs() []rule.Example {
	return []rule.Example{
		trust("the provisioner with the org's external id", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+
			example.ScopeIn(rule.LayerCluster).ProvisionerARN+`"},"Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID(example.Org)+`"}}}`),
		trust("a role of the same account", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+example.ARN+`:role/deployer"}}`),
	}
}

// federated is an example of a role for pods, by the cluster's issuer.
func federated(name, condition string) rule.Example {
	return trust(name, `{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"`+
		example.ARN+`:oidc-provider/`+example.Issuer+`"},"Condition":{`+condition+`}}`)
}

func badFederations() []rule.Example {
	const sub, aud = `"` + example.Issuer + `:sub"`, `"` + example.Issuer + `:aud":"sts.amazonaws.com"`
	return []rule.Example{
		federated("the audience alone", `"StringEquals":{`+aud+`}`),
		federated("any service account of any namespace", `"StringLike":{`+sub+`:"system:serviceaccount:*:*"},"StringEquals":{`+aud+`}`),
		federated("a subject for tokens that have one", `"StringEqualsIfExists":{`+sub+`:"system:serviceaccount:shop:app"},"StringEquals":{`+aud+`}`),
		federated("the subject alone", `"StringEquals":{`+sub+`:"system:serviceaccount:shop:app"}`),
		piped("another org's repository", "token.actions.githubusercontent.com", "repo:globex/shop:ref:refs/heads/main"),
		piped("a repository of the org's name under another owner", "token.actions.githubusercontent.com", "repo:globex/acme:ref:refs/heads/main"),
		piped("an owner that begins with the org's name", "token.actions.githubusercontent.com", "repo:acme-evil/shop:ref:refs/heads/main"),
		piped("the org's pipeline at another service", "gitlab.com", "repo:acme-retail/shop:ref:refs/heads/main"),
		federated("the subject of another issuer", `"StringEquals":{"`+example.OtherIssuer+`:sub":"system:serviceaccount:shop:app",`+aud+`}`),
	}
}

// piped is an example of a role for the jobs of a CI service.
func piped(name, issuer, subject string) rule.Example {
	e := trust(name, `{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"`+example.ARN+`:oidc-provider/`+issuer+
		`"},"Condition":{"StringEquals":{"`+issuer+`:sub":"`+subject+`","`+issuer+`:aud":"sts.amazonaws.com"}}}`)
	e.Scope.Pipelines = []rule.Pipeline{{IssuerURL: "https://token.actions.githubusercontent.com", Subject: "repo:acme-retail/shop:ref:refs/heads/main"}}
	return e
}

func goodFederations() []rule.Example {
	return []rule.Example{
		piped("a pipeline that the org's document names", "token.actions.githubusercontent.com", "repo:acme-retail/shop:ref:refs/heads/main"),
		piped("a repository under the org's name", "gitlab.com", "project_path:acme/shop:ref_type:branch:ref:main"),
		federated("one service account, and the audience", `"StringEquals":{"`+example.Issuer+`:sub":"system:serviceaccount:shop:app","`+
			example.Issuer+`:aud":"sts.amazonaws.com"}`),
		federated("a list of two", `"StringEquals":{"`+example.Issuer+`:sub":["system:serviceaccount:shop:app","system:serviceaccount:shop:job"],"`+
			example.Issuer+`:aud":"sts.amazonaws.com"}`),
		trust("Pod Identity, which has no issuer", `{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Principal":{"Service":"pods.eks.amazonaws.com"}}`),
	}
}

func badAssumes() []rule.Example {
	return []rule.Example{
		example.Permission("another org's role", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+example.OtherARN+`:role/reader"}`),
		example.Permission("a role of that name in any account", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/reader"}`),
		example.Permission("any role, by a wildcard in the action", `{"Effect":"Allow","Action":"sts:Assume*","Resource":"*"}`),
		example.Permission("all that is not IAM", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`),
		example.Permission("all roles but one", `{"Effect":"Allow","Action":"sts:AssumeRole","NotResource":"`+example.ARN+`:role/admin"}`),
		example.Permission("a denial that a condition opens",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`,
			`{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":"`+example.ARN+`:role/*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`),
		example.Of("a policy inside a role", rule.TypeRole, object{"inlinePolicies": []any{object{
			"name": "hop", "policy": example.Statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`),
		}}}),
	}
}

func goodAssumes() []rule.Example {
	return []rule.Example{
		example.Permission("a role of the org's account", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+example.ARN+`:role/freehold-acme-*"}`),
		example.Permission("any role, of the caller's own account",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}`),
		example.Permission("a ceiling of everything with a denial of all roles elsewhere",
			`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":"`+example.ARN+`:role/*"}`),
		example.Permission("reading from a bucket", `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::freehold-acme-data-`+example.Account+`/*"}`),
	}
}

func badIdentityProviders() []rule.Example {
	return []rule.Example{
		example.Of("a pipeline's issuer", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", object{"url": "https://token.actions.githubusercontent.com"}),
		example.Of("a company's directory", "aws:iam/samlProvider:SamlProvider", object{"name": "corporate"}),
		example.Of("machines with certificates", "aws:rolesanywhere/trustAnchor:TrustAnchor", object{"name": "datacenter"}),
		example.Of("the component's issuer", "eks:index:Cluster", object{"createOidcProvider": true}),
	}
}

func goodIdentityProviders() []rule.Example {
	return []rule.Example{
		example.Of("the component without it", "eks:index:Cluster", object{"createOidcProvider": false}),
		example.Of("Pod Identity", "aws:eks/podIdentityAssociation:PodIdentityAssociation", object{"serviceAccount": "app"}),
	}
}
