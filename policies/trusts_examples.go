package policies

import "freehold.dev/freehold/internal/iam"

// trust is an example of a role with a trust policy of one statement.
func trust(name, statement string) Example {
	return example(name, typeRole, object{"assumeRolePolicy": statements(statement), "permissionsBoundary": exampleBoundary, "tags": orgTags()})
}

func badTrusts() []Example {
	return []Example{
		trust("another org's account", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+exampleOtherARN+`:root"}}`),
		trust("another org's account by its id, in a list", `{"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":{"AWS":["`+exampleAccount+`","`+exampleOther+`"]}}`),
		trust("everybody, fenced by the organization that all customers are in",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-a1b2c3d4e5"}}}`),
		trust("everybody of the org's account, and who has no account",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"},"Condition":{"StringEqualsIfExists":{"aws:PrincipalAccount":"`+exampleAccount+`"}}}`),
		trust("a comparison of the caller with itself",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"${aws:PrincipalAccount}"}}}`),
		trust("everybody but one role", `{"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"`+exampleARN+`:role/x"}}`),
		trust("an external id in place of a principal",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID(exampleOrg)+`"}}}`),
		trust("a star that runs over the account",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringLike":{"aws:PrincipalArn":"arn:*:`+exampleAccount+`:role/ci"}}}`),
		trust("the management account as a whole", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::`+exampleManaging+`:root"}}`),
		trust("a sign-in provider of the internet", `{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"accounts.google.com"}}`),
		trust("two statements under one key, of which readers see one",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+exampleAccount+`"},"Principal":{"AWS":"`+exampleOther+`"}}`),
	}
}

func goodTrusts() []Example {
	return []Example{
		trust("a service", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"eks.amazonaws.com"}}`),
		trust("the org's own account", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+exampleARN+`:root"}}`),
		trust("the provisioner", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+exampleScope(layerCluster).ProvisionerARN+
			`"},"Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID(exampleOrg)+`"}}}`),
		trust("everybody of the org's account, by a condition",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*","Condition":{"StringEquals":{"aws:PrincipalAccount":"`+exampleAccount+`"}}}`),
		trust("a denial of everybody else", `{"Effect":"Deny","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"`+exampleARN+`:root"}}`),
	}
}

func badExternalIDs() []Example {
	provisioner := exampleScope(layerCluster).ProvisionerARN
	return []Example{
		trust("the provisioner without an external id", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+`"}}`),
		trust("any external id", `{"Effect":"Allow","Action":"sts:*","Principal":{"AWS":"`+provisioner+`"},"Condition":{"StringLike":{"sts:ExternalId":"*"}}}`),
		trust("another org's external id", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+
			`"},"Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID("globex")+`"}}}`),
		trust("the org's external id, and another", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+
			`"},"Condition":{"StringEquals":{"sts:ExternalId":["`+iam.ExternalID(exampleOrg)+`","globex"]}}}`),
		trust("an external id for who shows one", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+provisioner+
			`"},"Condition":{"StringEqualsIfExists":{"sts:ExternalId":"`+iam.ExternalID(exampleOrg)+`"}}}`),
	}
}

func goodExternalIDs() []Example {
	return []Example{
		trust("the provisioner with the org's external id", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+
			exampleScope(layerCluster).ProvisionerARN+`"},"Condition":{"StringEquals":{"sts:ExternalId":"`+iam.ExternalID(exampleOrg)+`"}}}`),
		trust("a role of the same account", `{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"`+exampleARN+`:role/deployer"}}`),
	}
}

// federated is an example of a role for pods, by the cluster's issuer.
func federated(name, condition string) Example {
	return trust(name, `{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"`+
		exampleARN+`:oidc-provider/`+exampleIssuer+`"},"Condition":{`+condition+`}}`)
}

func badFederations() []Example {
	const sub, aud = `"` + exampleIssuer + `:sub"`, `"` + exampleIssuer + `:aud":"sts.amazonaws.com"`
	return []Example{
		federated("the audience alone", `"StringEquals":{`+aud+`}`),
		federated("any service account of any namespace", `"StringLike":{`+sub+`:"system:serviceaccount:*:*"},"StringEquals":{`+aud+`}`),
		federated("a subject for tokens that have one", `"StringEqualsIfExists":{`+sub+`:"system:serviceaccount:shop:app"},"StringEquals":{`+aud+`}`),
		federated("the subject alone", `"StringEquals":{`+sub+`:"system:serviceaccount:shop:app"}`),
		piped("another org's repository", "token.actions.githubusercontent.com", "repo:globex/shop:ref:refs/heads/main"),
		piped("a repository of the org's name under another owner", "token.actions.githubusercontent.com", "repo:globex/acme:ref:refs/heads/main"),
		piped("an owner that begins with the org's name", "token.actions.githubusercontent.com", "repo:acme-evil/shop:ref:refs/heads/main"),
		piped("the org's pipeline at another service", "gitlab.com", "repo:acme-retail/shop:ref:refs/heads/main"),
		federated("the subject of another issuer", `"StringEquals":{"`+exampleOtherIssuer+`:sub":"system:serviceaccount:shop:app",`+aud+`}`),
	}
}

// piped is an example of a role for the jobs of a CI service.
func piped(name, issuer, subject string) Example {
	e := trust(name, `{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity","Principal":{"Federated":"`+exampleARN+`:oidc-provider/`+issuer+
		`"},"Condition":{"StringEquals":{"`+issuer+`:sub":"`+subject+`","`+issuer+`:aud":"sts.amazonaws.com"}}}`)
	e.Scope.Pipelines = []Pipeline{{IssuerURL: "https://token.actions.githubusercontent.com", Subject: "repo:acme-retail/shop:ref:refs/heads/main"}}
	return e
}

func goodFederations() []Example {
	return []Example{
		piped("a pipeline that the org's document names", "token.actions.githubusercontent.com", "repo:acme-retail/shop:ref:refs/heads/main"),
		piped("a repository under the org's name", "gitlab.com", "project_path:acme/shop:ref_type:branch:ref:main"),
		federated("one service account, and the audience", `"StringEquals":{"`+exampleIssuer+`:sub":"system:serviceaccount:shop:app","`+
			exampleIssuer+`:aud":"sts.amazonaws.com"}`),
		federated("a list of two", `"StringEquals":{"`+exampleIssuer+`:sub":["system:serviceaccount:shop:app","system:serviceaccount:shop:job"],"`+
			exampleIssuer+`:aud":"sts.amazonaws.com"}`),
		trust("Pod Identity, which has no issuer", `{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Principal":{"Service":"pods.eks.amazonaws.com"}}`),
	}
}

// permission is an example of a role's policy of some statements.
func permission(name string, list ...string) Example {
	return example(name, "aws:iam/rolePolicy:RolePolicy", object{"role": "freehold-acme-shop", "policy": statements(list...)})
}

func badAssumes() []Example {
	return []Example{
		permission("another org's role", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+exampleOtherARN+`:role/reader"}`),
		permission("a role of that name in any account", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/reader"}`),
		permission("any role, by a wildcard in the action", `{"Effect":"Allow","Action":"sts:Assume*","Resource":"*"}`),
		permission("all that is not IAM", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`),
		permission("all roles but one", `{"Effect":"Allow","Action":"sts:AssumeRole","NotResource":"`+exampleARN+`:role/admin"}`),
		permission("a denial that a condition opens",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`,
			`{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":"`+exampleARN+`:role/*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}}`),
		example("a policy inside a role", typeRole, object{"inlinePolicies": []any{object{
			"name": "hop", "policy": statements(`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}`),
		}}}),
	}
}

func goodAssumes() []Example {
	return []Example{
		permission("a role of the org's account", `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"`+exampleARN+`:role/freehold-acme-*"}`),
		permission("any role, of the caller's own account",
			`{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}`),
		permission("a ceiling of everything with a denial of all roles elsewhere",
			`{"Effect":"Allow","Action":"*","Resource":"*"}`, `{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":"`+exampleARN+`:role/*"}`),
		permission("reading from a bucket", `{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::freehold-acme-data-`+exampleAccount+`/*"}`),
	}
}

func badIdentityProviders() []Example {
	return []Example{
		example("a pipeline's issuer", "aws:iam/openIdConnectProvider:OpenIdConnectProvider", object{"url": "https://token.actions.githubusercontent.com"}),
		example("a company's directory", "aws:iam/samlProvider:SamlProvider", object{"name": "corporate"}),
		example("machines with certificates", "aws:rolesanywhere/trustAnchor:TrustAnchor", object{"name": "datacenter"}),
		example("the component's issuer", "eks:index:Cluster", object{"createOidcProvider": true}),
	}
}

func goodIdentityProviders() []Example {
	return []Example{
		example("the component without it", "eks:index:Cluster", object{"createOidcProvider": false}),
		example("Pod Identity", "aws:eks/podIdentityAssociation:PodIdentityAssociation", object{"serviceAccount": "app"}),
	}
}
