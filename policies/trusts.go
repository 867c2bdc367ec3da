package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/table"
)

var trusts = []Rule{
	{
		ID:       "FH301",
		Title:    "A role trusts the org's own account, AWS's services and the provisioner, and nobody else",
		Why:      "who may assume a role has all that the role has",
		Fix:      "name roles of the org's account, or a service, as the principal of assumeRolePolicy; aws:PrincipalOrgID fences off no customer",
		Severity: Critical, NoException: true,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{typeRole},
		Check:    on(checkTrust),
		Bad:      badTrusts(), Good: goodTrusts(),
	},
	{
		ID:       "FH302",
		Title:    "Whoever enters from another account presents the org's external id",
		Why:      "the provisioner works for every customer: without an external id it can be talked into entering one customer's account for another",
		Fix:      `add the condition StringEquals "sts:ExternalId" with the org's own id`,
		Severity: High,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{typeRole},
		Check:    on(checkExternalID),
		Bad:      badExternalIDs(), Good: goodExternalIDs(),
	},
	{
		ID:       "FH303",
		Title:    "A role that trusts an identity provider pins a subject of the org, and the audience",
		Why:      "an issuer signs tokens for everybody who asks: without the subject any pod, repository or user of it is let in",
		Fix:      "compare the provider's :sub and :aud by StringEquals, without wildcards; name a pipeline's subject in access.pipelines of the org's document",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.2"},
		Types:    []string{typeRole},
		Check:    on(checkFederation),
		Bad:      badFederations(), Good: goodFederations(),
	},
	{
		ID:       "FH304",
		Title:    "No policy lets an identity assume roles of other accounts",
		Why:      "this is the other half of a trust between two customers: one forgotten trust policy away from being whole",
		Fix:      "name roles of the org's account as Resource of sts:AssumeRole, or compare aws:ResourceAccount",
		Severity: High,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    identityTypes,
		Check:    on(checkAssume),
		Bad:      badAssumes(), Good: goodAssumes(),
	},
	{
		ID:       "FH305",
		Title:    "No resource policy lets others in",
		Why:      "a bucket, key, queue or repository that names another account, everybody or the organization is shared with them; aws:PrincipalOrgID fences off no customer",
		Fix:      "name principals of the org's account; for AWS services compare aws:SourceAccount or aws:SourceArn",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.3", "CC6.6"},
		Types:    typesWith(table.Policy),
		Check:    on(checkResourcePolicy),
		Bad:      badResourcePolicies(), Good: goodResourcePolicies(),
	},
	{
		ID:       "FH306",
		Title:    "No identity provider is trusted by an org's account",
		Why:      "an identity provider lets in people and pods of elsewhere; a data plane's pods get credentials by EKS Pod Identity, which needs none",
		Fix:      "use EKS Pod Identity; createOidcProvider stays off",
		Severity: High,
		Criteria: []string{"CC6.1", "CC6.2"},
		Types:    append([]string{"eks:index:Cluster"}, identityProviders...),
		Check:    on(checkIdentityProvider),
		Bad:      badIdentityProviders(), Good: goodIdentityProviders(),
	},
	{
		ID:       "FH307",
		Title:    "A grant of a key goes to the org's own principals",
		Why:      "a grant is a key policy that nobody reads: it lets another account decrypt, and does not show in the key's policy",
		Fix:      "grant to roles of the org's account; services make their own grants",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.3"},
		Types:    []string{"aws:kms/grant:Grant"},
		Check:    on(checkGrant),
		Bad:      badGrants(), Good: goodGrants(),
	},
	{
		ID:       "FH308",
		Title:    "Snapshots, images and the like are shared with no account",
		Why:      "a copy of a disk is the disk: the other account keeps it after the permission is gone",
		Fix:      "take the permission away; who must have the data gets it by the org's own process",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.7"},
		Types:    shareTypes(),
		Check:    on(checkShares),
		Bad:      badShares(), Good: goodShares(),
	},
	{
		ID:       "FH309",
		Title:    "Functions and event buses may be called by the org's own only",
		Why:      "who can call a function acts with its role; a service that calls does so for any account that asks it to",
		Fix:      "name a service as principal with sourceAccount or sourceArn of the org's account; function URLs need AWS_IAM",
		Severity: Critical,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"aws:lambda/permission:Permission", "aws:lambda/functionUrl:FunctionUrl", "aws:cloudwatch/eventPermission:EventPermission"},
		Check:    on(checkInvoke),
		Bad:      badInvokes(), Good: goodInvokes(),
	},
	{
		ID:       "FH310",
		Title:    "An access point is for a bucket of the org, from a network of the org",
		Why:      "an access point is a second way into a bucket, with a policy of its own; one that is open to the internet is as open as that policy",
		Fix:      "set vpcConfiguration, leave bucketAccountId out, and keep the public access block on",
		Severity: High,
		Criteria: []string{"CC6.1", "CC6.6"},
		Types:    []string{"aws:s3/accessPoint:AccessPoint", "aws:s3control/multiRegionAccessPoint:MultiRegionAccessPoint"},
		Check:    on(checkAccessPoint),
		Bad:      badAccessPoints(), Good: goodAccessPoints(),
	},
}

// friends are the principals of other accounts that a role may trust.
func friends(s Scope) []string {
	if s.ProvisionerARN == "" {
		return nil
	}
	return []string{s.ProvisionerARN}
}

// unknownAccount reports whether a statement's answer waits for the org's account id.
func (j *judge) unknownAccount(path string, s Scope) bool {
	if s.AccountID == "" {
		j.undecided(path)
	}
	return s.AccountID == ""
}

func checkTrust(j *judge, r Resource, s Scope) {
	const path = "assumeRolePolicy"
	j.document(path, r.Properties[path], func(st iam.Statement) {
		if j.unknownAccount(path, s) {
			return
		}
		for _, who := range outsiders(st, s.AccountID, friends(s)...) {
			j.violateBy(path, st, "the role can be assumed by %s", who)
		}
	})
}

func checkExternalID(j *judge, r Resource, s Scope) {
	const path = "assumeRolePolicy"
	j.document(path, r.Properties[path], func(st iam.Statement) {
		if j.unknownAccount(path, s) || st.NotPrincipal != nil || !st.Covers("sts:AssumeRole") {
			return
		}
		for kind, id := range st.Principal.All() {
			if kind == "AWS" && within(kind, id, s.AccountID, nil) || kind == "Service" || kind == "Federated" {
				continue
			}
			switch ids := pinnedValues(st, "sts:ExternalId"); {
			case closedToOthers(st, kind, s.AccountID, nil):
			case len(ids) == 0:
				j.violateBy(path, st, "%s enters without an external id", s.principalName(id))
			case slices.ContainsFunc(ids, func(v string) bool { return v != iam.ExternalID(s.Org) && v != "freehold-"+s.Org }):
				j.violateBy(path, st, "%s enters with an external id that is not the org's, expected %s", s.principalName(id), iam.ExternalID(s.Org))
			}
		}
	})
}

func (s Scope) principalName(id string) string {
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
		operator, ok := positive(operator)
		if ok && isText(operator) && strings.EqualFold(k, key) && len(values) > 0 &&
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
func ownIssuerOfTokens(issuer string, s Scope) bool {
	people := strings.TrimPrefix(s.IdentityProvider.IssuerURL, "https://")
	return strings.HasPrefix(issuer, "oidc.eks.") || people != "" && strings.TrimSuffix(issuer, "/") == strings.TrimSuffix(people, "/")
}

// ofOrg reports whether a subject is of the org: one of its pipelines, by the org's own
// document, or somebody whom the issuer names under the org's name, "repo:acme/shop:…".
func ofOrg(issuer, subject string, s Scope) bool {
	if slices.ContainsFunc(s.Pipelines, func(p Pipeline) bool {
		return strings.TrimPrefix(p.IssuerURL, "https://") == issuer && p.Subject == subject
	}) {
		return true
	}
	parts := strings.FieldsFunc(subject, func(c rune) bool { return c == ':' || c == '/' })
	return len(parts) > 1 && s.Org != "" && parts[1] == s.Org
}

func checkFederation(j *judge, r Resource, s Scope) {
	const path = "assumeRolePolicy"
	j.document(path, r.Properties[path], func(st iam.Statement) {
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
				j.violateBy(path, st, "any subject of %s is let in: %s is not pinned", id, subject)
			}
			for _, who := range subjects {
				if subject != "SAML:sub" && !ownIssuerOfTokens(issuer, s) && !ofOrg(issuer, who, s) {
					j.violateBy(path, st, "%s is not among the pipelines that the org's document names", who)
				}
			}
			if !pins(st, audience) {
				j.violateBy(path, st, "tokens for any audience are taken from %s: %s is not pinned", id, audience)
			}
		}
	})
}

// identityTypes are the types that hold a permission policy of an identity.
var identityTypes = []string{
	"aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy", typeRole, "aws:iam/userPolicy:UserPolicy",
	"aws:iam/groupPolicy:GroupPolicy", "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy",
}

// identityPolicies are the permission policies that a resource holds.
func identityPolicies(r Resource) []value {
	v := r.values()
	switch r.Type {
	case typeRole:
		var all []value
		for _, inline := range v.get("inlinePolicies").each() {
			all = append(all, inline.get("policy"))
		}
		return all
	case "aws:ssoadmin/permissionSetInlinePolicy:PermissionSetInlinePolicy":
		return []value{v.get("inlinePolicy")}
	default:
		return []value{v.get("policy")}
	}
}

// checkAssume takes a denial of everything outside of the account into account:
// a permissions boundary is a ceiling of "*" with denials, and is judged whole.
func checkAssume(j *judge, r Resource, s Scope) {
	for _, policy := range identityPolicies(r) {
		doc, err := parseDocument(policy.v)
		fenced := err == nil && denies(doc, "sts:AssumeRole", func(st iam.Statement) bool {
			return len(st.Condition) == 0 && allOwn(st.NotResource, s.AccountID)
		})
		j.document(policy.path, policy.v, func(st iam.Statement) {
			if fenced || !st.Covers("sts:AssumeRole") || st.Resource == nil && st.NotResource == nil || j.unknownAccount(policy.path, s) {
				return
			}
			if !allOwn(st.Resource, s.AccountID) && !comparesAccount(st, s.AccountID) {
				j.violateBy(policy.path, st, "it allows roles of other accounts to be assumed")
			}
		})
	}
}

func allOwn(patterns []string, account string) bool {
	for _, p := range patterns {
		if !ownPattern("StringLike", ownVariables(p, account), account) {
			return false
		}
	}
	return len(patterns) > 0
}

// comparesAccount reports whether a statement of an identity's policy speaks of the
// account's own resources only.
func comparesAccount(st iam.Statement, account string) bool {
	return st.Condition.Any(func(operator, key string, values iam.Values) bool {
		operator, ok := positive(operator)
		return ok && isText(operator) && strings.EqualFold(key, "aws:ResourceAccount") && len(values) > 0 &&
			!slices.ContainsFunc(values, func(v string) bool { return v != account && !strings.EqualFold(v, "${aws:PrincipalAccount}") })
	})
}
