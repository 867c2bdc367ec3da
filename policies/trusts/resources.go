package trusts

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/document"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

func checkResourcePolicy(j *rule.Judge, r rule.Resource, s rule.Scope) {
	for _, path := range table.Of(r.Type).Paths(table.Policy) {
		for _, policy := range r.Values().All(path) {
			letsNobodyIn(j, policy, s)
		}
	}
}

// letsNobodyIn violates for each statement of a resource policy that lets in others
// than the org's account.
func letsNobodyIn(j *rule.Judge, policy rule.Value, s rule.Scope) {
	document.EachAllow(j, policy.Path, policy.Raw, func(st iam.Statement) {
		if j.UnknownAccount(policy.Path, s) {
			return
		}
		for _, who := range document.Outsiders(st, s.AccountID) {
			j.ViolateBy(policy.Path, st, "it lets in %s", who)
		}
		for _, service := range document.Services(st, s.AccountID) {
			j.ViolateBy(policy.Path, st, "it lets in %s, for whichever account that acts", service)
		}
		if st.Principal == nil && st.NotPrincipal == nil {
			j.ViolateBy(policy.Path, st, "it does not say whom it lets in")
		}
	})
}

// identityProviders are what an account can trust beside itself.
var identityProviders = []string{
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider", "aws:iam/samlProvider:SamlProvider",
	"aws:rolesanywhere/trustAnchor:TrustAnchor",
}

func checkIdentityProvider(j *rule.Judge, r rule.Resource, _ rule.Scope) {
	if r.Type == "eks:index:Cluster" {
		j.MustNot(r.Values().Get("createOidcProvider"), []string{"true"}, "the component registers the cluster's issuer in the account")
		return
	}
	j.Violate("", "the account would trust who signs in elsewhere")
}

func checkGrant(j *rule.Judge, r rule.Resource, s rule.Scope) {
	for _, key := range []string{"granteePrincipal", "retiringPrincipal"} {
		who := r.Values().Get(key)
		if !j.Known(who) || who.Text() == "" || j.UnknownAccount(who.Path, s) {
			continue
		}
		if !document.Within("AWS", who.Text(), s.AccountID, nil) {
			j.Violate(who.Path, "the grant is for %s", who.Text())
		}
	}
	key := r.Values().Get("keyId")
	j.Own(key, s)
}

// sharedWith says which properties of a type name whom something is shared with.
var sharedWith = map[string][]string{
	"aws:cfg/aggregateAuthorization:AggregateAuthorization":                          {"accountId", "authorizedAccountId"},
	"aws:ec2/amiLaunchPermission:AmiLaunchPermission":                                {"accountId", "group", "organizationArn", "organizationalUnitArn"},
	"aws:ec2/snapshotCreateVolumePermission:SnapshotCreateVolumePermission":          {"accountId"},
	"aws:lakeformation/permissions:Permissions":                                      {"principal"},
	"aws:lambda/layerVersionPermission:LayerVersionPermission":                       {"principal", "organizationId"},
	"aws:rds/clusterSnapshot:ClusterSnapshot":                                        {"sharedAccounts"},
	"aws:rds/snapshot:Snapshot":                                                      {"sharedAccounts"},
	"aws:rds/snapshotCopy:SnapshotCopy":                                              {"sharedAccounts"},
	"aws:redshift/dataShareAuthorization:DataShareAuthorization":                     {"consumerIdentifier"},
	"aws:redshift/endpointAuthorization:EndpointAuthorization":                       {"account"},
	"aws:servicecatalog/portfolioShare:PortfolioShare":                               {"principalId"},
	"aws:servicecatalog/principalPortfolioAssociation:PrincipalPortfolioAssociation": {"principalArn"},
	"aws:ssm/document:Document":                                                      {"permissions.account_ids", "permissions.accountIds"},
}

func shareTypes() []string {
	var types []string
	for t := range sharedWith {
		types = append(types, t)
	}
	slices.Sort(types)
	return types
}

// checkShares lets something be shared with the org's own account, and with its
// principals. A list of accounts may be one text with commas.
func checkShares(j *rule.Judge, r rule.Resource, s rule.Scope) {
	for _, path := range sharedWith[r.Type] {
		for _, v := range r.Values().All(path) {
			if !j.Known(v) || v.Text() == "" {
				continue
			}
			for who := range strings.SplitSeq(v.Text(), ",") {
				who = strings.TrimSpace(who)
				switch {
				case iam.IsAccount(who) && s.AccountID == "":
					j.Undecided(v.Path)
				case who != "" && !document.Within("AWS", who, s.AccountID, nil):
					j.Violate(v.Path, "it is shared with %s", who)
				}
			}
		}
	}
}

func checkInvoke(j *rule.Judge, r rule.Resource, s rule.Scope) {
	v := r.Values()
	if r.Type == "aws:lambda/functionUrl:FunctionUrl" {
		j.Must(v.Get("authorizationType"), []string{"AWS_IAM"}, "everybody on the internet can call the function")
		return
	}
	if org := v.Get("principalOrgId"); j.Known(org) && org.Text() != "" {
		j.Violate(org.Path, "it is open to the organization, and every other customer is in it")
	}
	if c := v.Get("condition"); c.Raw != nil && j.Known(c) {
		j.Violate(c.Path, "it is open to the organization, and every other customer is in it")
	}
	who := v.Get("principal")
	if !j.Known(who) || j.UnknownAccount(who.Path, s) {
		return
	}
	if strings.HasSuffix(who.Text(), ".amazonaws.com") {
		account, arn := v.Get("sourceAccount"), v.Get("sourceArn")
		if account.Is(s.AccountID) || document.OwnARN(arn.Text(), s.AccountID) {
			return
		}
		if j.Known(account) && j.Known(arn) {
			j.Violate(who.Path, "%s may call, for whichever account it acts", who.Text())
		}
		return
	}
	if !document.Within("AWS", who.Text(), s.AccountID, nil) {
		j.Violate(who.Path, "%s may call", who.Text())
	}
}

func checkAccessPoint(j *rule.Judge, r rule.Resource, s rule.Scope) {
	v := r.Values()
	for _, path := range []string{"accountId", "bucketAccountId", "details.regions.bucketAccountId"} {
		for _, account := range v.All(path) {
			j.Own(account, s)
		}
	}
	if r.Type == "aws:s3/accessPoint:AccessPoint" {
		if vpc := v.Get("vpcConfiguration", "vpcId"); j.Known(vpc) && vpc.Text() == "" {
			j.Violate("vpcConfiguration", "it answers to the internet")
		}
	}
	blocks := v.Get("publicAccessBlockConfiguration")
	if len(v.All("details.publicAccessBlock")) > 0 {
		blocks = v.Get("details", "publicAccessBlock")
	}
	for _, b := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		// On by default: only who says so switches it off.
		j.MustNot(blocks.Get(b), []string{"false"}, "%s is off", b)
	}
}
