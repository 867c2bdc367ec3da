package trusts

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

var rules = []rule.Rule{
	{
		ID:       "FH301",
		Title:    "A role trusts the org's own account, AWS's services and the provisioner, and nobody else",
		Why:      "who may assume a role has all that the role has",
		Fix:      "name roles of the org's account, or a service, as the principal of assumeRolePolicy; aws:PrincipalOrgID fences off no customer",
		Severity: rule.Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{rule.TypeRole},
		Check:    rule.On(checkTrust),
		Bad:      badTrusts(), Good: goodTrusts(),
	},
	{
		ID:       "FH302",
		Title:    "Whoever enters from another account presents the org's external id",
		Why:      "the provisioner works for every customer: without an external id it can be talked into entering one customer's account for another",
		Fix:      `add the condition StringEquals "sts:ExternalId" with the org's own id`,
		Severity: rule.High,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{rule.TypeRole},
		Check:    rule.On(checkExternalID),
		Bad:      badExternalIDs(), Good: goodExternalIDs(),
	},
	{
		ID:       "FH303",
		Title:    "A role that trusts an identity provider pins a subject of the org, and the audience",
		Why:      "an issuer signs tokens for everybody who asks: without the subject any pod, repository or user of it is let in",
		Fix:      "compare the provider's :sub and :aud by StringEquals, without wildcards; name a pipeline's subject in access.pipelines of the org's document",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.2"},
		Types:    []string{rule.TypeRole},
		Check:    rule.On(checkFederation),
		Bad:      badFederations(), Good: goodFederations(),
	},
	{
		ID:       "FH304",
		Title:    "No policy lets an identity assume roles of other accounts",
		Why:      "this is the other half of a trust between two customers: one forgotten trust policy away from being whole",
		Fix:      "name roles of the org's account as Resource of sts:AssumeRole, or compare aws:ResourceAccount",
		Severity: rule.High,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    document.IdentityTypes(),
		Check:    rule.On(checkAssume),
		Bad:      badAssumes(), Good: goodAssumes(),
	},
	{
		ID:       "FH305",
		Title:    "No resource policy lets others in",
		Why:      "a bucket, key, queue or repository that names another account, everybody or the organization is shared with them; aws:PrincipalOrgID fences off no customer",
		Fix:      "name principals of the org's account; for AWS services compare aws:SourceAccount or aws:SourceArn",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.3", "CC6.6"},
		Types:    table.TypesWith(table.Policy),
		Check:    rule.On(checkResourcePolicy),
		Bad:      badResourcePolicies(), Good: goodResourcePolicies(),
	},
	{
		ID:       "FH306",
		Title:    "No identity provider is trusted by an org's account",
		Why:      "an identity provider lets in people and pods of elsewhere; a data plane's pods get credentials by EKS Pod Identity, which needs none",
		Fix:      "use EKS Pod Identity; createOidcProvider stays off",
		Severity: rule.High,
		Criteria: []string{"CC6.1", "CC6.2"},
		Types:    append([]string{"eks:index:Cluster"}, identityProviders...),
		Check:    rule.On(checkIdentityProvider),
		Bad:      badIdentityProviders(), Good: goodIdentityProviders(),
	},
	{
		ID:       "FH307",
		Title:    "A grant of a key goes to the org's own principals",
		Why:      "a grant is a key policy that nobody reads: it lets another account decrypt, and does not show in the key's policy",
		Fix:      "grant to roles of the org's account; services make their own grants",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{"aws:kms/grant:Grant"},
		Check:    rule.On(checkGrant),
		Bad:      badGrants(), Good: goodGrants(),
	},
	{
		ID:       "FH308",
		Title:    "Snapshots, images and the like are shared with no account",
		Why:      "a copy of a disk is the disk: the other account keeps it after the permission is gone",
		Fix:      "take the permission away; who must have the data gets it by the org's own process",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.7"},
		Types:    shareTypes(),
		Check:    rule.On(checkShares),
		Bad:      badShares(), Good: goodShares(),
	},
	{
		ID:       "FH309",
		Title:    "Functions and event buses may be called by the org's own only",
		Why:      "who can call a function acts with its role; a service that calls does so for any account that asks it to",
		Fix:      "name a service as principal with sourceAccount or sourceArn of the org's account; function URLs need AWS_IAM",
		Severity: rule.Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"aws:lambda/permission:Permission", "aws:lambda/functionUrl:FunctionUrl", "aws:cloudwatch/eventPermission:EventPermission"},
		Check:    rule.On(checkInvoke),
		Bad:      badInvokes(), Good: goodInvokes(),
	},
	{
		ID:       "FH310",
		Title:    "An access point is for a bucket of the org, from a network of the org",
		Why:      "an access point is a second way into a bucket, with a policy of its own; one that is open to the internet is as open as that policy",
		Fix:      "set vpcConfiguration, leave bucketAccountId out, and keep the public access block on",
		Severity: rule.High,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"aws:s3/accessPoint:AccessPoint", "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"},
		Check:    rule.On(checkAccessPoint),
		Bad:      badAccessPoints(), Good: goodAccessPoints(),
	},
}

// friends are the principals of other accounts that a role may trust.
func friends(s rule.Scope) []string {
	if s.ProvisionerARN == "" {
		return nil
	}
	return []string{s.ProvisionerARN}
}

func checkTrust(j *rule.Judge, r rule.Resource, s rule.Scope) {
	const path = "assumeRolePolicy"
	document.EachAllow(j, path, r.Properties[path], func(st iam.Statement) {
		if j.UnknownAccount(path, s) {
			return
		}
		for _, who := range document.Outsiders(st, s.AccountID, friends(s)...) {
			j.ViolateBy(path, st, "the role can be assumed by %s", who)
		}
	})
}

func checkExternalID(j *rule.Judge, r rule.Resource, s rule.Scope) {
	const path = "assumeRolePolicy"
	document.EachAllow(j, path, r.Properties[path], func(st iam.Statement) {
		if j.UnknownAccount(path, s) || st.NotPrincipal != nil || !st.Covers("sts:AssumeRole") {
			return
		}
		for kind, id := range st.Principal.All() {
			if kind == "AWS" && document.Within(kind, id, s.AccountID, nil) || kind == "Service" || kind == "Federated" {
				continue
			}
			switch ids := pinnedValues(st, "sts:ExternalId"); {
			case document.ClosedToOthers(st, kind, s.AccountID, nil):
			case len(ids) == 0:
				j.ViolateBy(path, st, "%s enters without an external id", principalName(s, id))
			case slices.ContainsFunc(ids, func(v string) bool { return v != iam.ExternalID(s.Org) && v != "freehold-"+s.Org }):
				j.ViolateBy(path, st, "%s enters with an external id that is not the org's, expected %s", principalName(s, id), iam.ExternalID(s.Org))
			}
		}
	})
}

func principalName(s rule.Scope, id string) string {
	if id == s.ProvisionerARN {
		return "the provisioner"
	}
	return id
}

// pinnedValues returns the plain values of which a condition demands one; none where it takes
// a pattern, or where there is no such condition.
func pinnedValues(st iam.Statement, key string) []string {
	var found []string
	st.Condition.Any(func(operator, k string, values iam.Values) bool {
		operator, ok := document.Positive(operator)
		if ok && document.IsText(operator) && strings.EqualFold(k, key) && len(values) > 0 &&
			!slices.ContainsFunc(values, func(v string) bool { return v == "" || strings.ContainsAny(v, "*?$") }) {
			found = values
			return true
		}
		return false
	})
	return found
}

// pins reports whether a condition demands one of a few plain values.
func pins(st iam.Statement, key string) bool { return len(pinnedValues(st, key)) > 0 }

// ownIssuerOfTokens reports whether everybody for whom an issuer signs is of the org: the
// issuer of a cluster, of which FH204 asks whether it is the org's, or of the org's people.
func ownIssuerOfTokens(issuer string, s rule.Scope) bool {
	people := strings.TrimPrefix(s.IdentityProvider.IssuerURL, "https://")
	return strings.HasPrefix(issuer, "oidc.eks.") || people != "" && strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(people, "/")
}

// ofOrg reports whether a subject is of the org: one of its pipelines, by the org's own
// document, or somebody whom the issuer names under the org's name, "repo:acme/shop:…".
func ofOrg(issuer, subject string, s rule.Scope) bool {
	if slices.ContainsFunc(s.Pipelines, func(p rule.Pipeline) bool {
		return strings.TrimPrefix(p.IssuerURL, "https://") == issuer && p.Subject == subject
	}) {
		return true
	}
	parts := strings.FieldsFunc(subject, func(c rune) bool { return c == ':' || c == '/' })
	return len(parts) > 1 && s.Org != "" && parts[1] == s.Org
}

func checkFederation(j *rule.Judge, r rule.Resource, s rule.Scope) {
	const path = "assumeRolePolicy"
	document.EachAllow(j, path, r.Properties[path], func(st iam.Statement) {
		for kind, id := range st.Principal.All() {
			if kind != "Federated" {
				continue
			}
			issuer := id
			if arn, err := iam.ParseARN(id); err == nil {
				issuer = strings.TrimPrefix(arn.Resource, "oidc-provider/")
			}
			subject, audience := issuer+":sub", issuer+":aud"
			if strings.HasPrefix(issuer, "saml-provider/") {
				subject, audience = "SAML:sub", "SAML:aud"
			}
			subjects := pinnedValues(st, subject)
			if len(subjects) == 0 {
				j.ViolateBy(path, st, "any subject of %s is let in: %s is not pinned", id, subject)
			}
			for _, who := range subjects {
				if subject != "SAML:sub" && !ownIssuerOfTokens(issuer, s) && !ofOrg(issuer, who, s) {
					j.ViolateBy(path, st, "%s is not among the pipelines that the org's document names", who)
				}
			}
			if !pins(st, audience) {
				j.ViolateBy(path, st, "tokens for any audience are taken from %s: %s is not pinned", id, audience)
			}
		}
	})
}

// checkAssume takes a denial of everything outside of the account into account:
// a permissions boundary is a ceiling of "*" with denials, and is judged whole.
func checkAssume(j *rule.Judge, r rule.Resource, s rule.Scope) {
	for _, policy := range document.IdentityPolicies(r) {
		doc, err := document.Parse(policy.Raw)
		fenced := err == nil && document.Denies(doc, "sts:AssumeRole", func(st iam.Statement) bool {
			return len(st.Condition) == 0 && allOwn(st.NotResource, s.AccountID)
		})
		document.EachAllow(j, policy.Path, policy.Raw, func(st iam.Statement) {
			if fenced || !st.Covers("sts:AssumeRole") || st.Resource == nil && st.NotResource == nil || j.UnknownAccount(policy.Path, s) {
				return
			}
			if !allOwn(st.Resource, s.AccountID) && !document.ComparesAccount(st, s.AccountID) {
				j.ViolateBy(policy.Path, st, "it allows roles of other accounts to be assumed")
			}
		})
	}
}

func allOwn(patterns []string, account string) bool {
	for _, p := range patterns {
		if !document.OwnPattern("StringLike", document.OwnVariables(p, account), account) {
			return false
		}
	}
	return len(patterns) > 0
}
