package policies

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/policies/table"
)

func checkResourcePolicy(j *judge, r Resource, s Scope) {
	for _, path := range table.Of(r.Type).Paths(table.Policy) {
		for _, policy := range r.values().all(path) {
			j.letsNobodyIn(policy, s)
		}
	}
}

// letsNobodyIn violates for each statement of a resource policy that lets in others
// than the org's account.
func (j *judge) letsNobodyIn(policy value, s Scope) {
	j.document(policy.path, policy.v, func(st iam.Statement) {
		if j.unknownAccount(policy.path, s) {
			return
		}
		for _, who := range outsiders(st, s.AccountID) {
			j.violateBy(policy.path, st, "it lets in %s", who)
		}
		for _, service := range services(st, s.AccountID) {
			j.violateBy(policy.path, st, "it lets in %s, for whichever account that acts", service)
		}
		if st.Principal == nil && st.NotPrincipal == nil {
			j.violateBy(policy.path, st, "it does not say whom it lets in")
		}
	})
}

// identityProviders are what an account can trust beside itself.
var identityProviders = []string{
	"aws:iam/openIdConnectProvider:OpenIdConnectProvider", "aws:iam/samlProvider:SamlProvider",
	"aws:rolesanywhere/trustAnchor:TrustAnchor",
}

func checkIdentityProvider(j *judge, r Resource, _ Scope) {
	if r.Type == "eks:index:Cluster" {
		j.mustNot(r.values().get("createOidcProvider"), []string{"true"}, "the component registers the cluster's issuer in the account")
		return
	}
	j.violate("", "the account would trust who signs in elsewhere")
}

func checkGrant(j *judge, r Resource, s Scope) {
	for _, key := range []string{"granteePrincipal", "retiringPrincipal"} {
		who := r.values().get(key)
		if !j.known(who) || who.text() == "" || j.unknownAccount(who.path, s) {
			continue
		}
		if !within("AWS", who.text(), s.AccountID, nil) {
			j.violate(who.path, "the grant is for %s", who.text())
		}
	}
	key := r.values().get("keyId")
	j.own(key, s)
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
func checkShares(j *judge, r Resource, s Scope) {
	for _, path := range sharedWith[r.Type] {
		for _, v := range r.values().all(path) {
			if !j.known(v) || v.text() == "" {
				continue
			}
			for who := range strings.SplitSeq(v.text(), ",") {
				who = strings.TrimSpace(who)
				switch {
				case iam.IsAccount(who) && s.AccountID == "":
					j.undecided(v.path)
				case who != "" && !within("AWS", who, s.AccountID, nil):
					j.violate(v.path, "it is shared with %s", who)
				}
			}
		}
	}
}

func checkInvoke(j *judge, r Resource, s Scope) {
	v := r.values()
	if r.Type == "aws:lambda/functionUrl:FunctionUrl" {
		j.must(v.get("authorizationType"), []string{"AWS_IAM"}, "everybody on the internet can call the function")
		return
	}
	if org := v.get("principalOrgId"); j.known(org) && org.text() != "" {
		j.violate(org.path, "it is open to the organization, and every other customer is in it")
	}
	if c := v.get("condition"); c.v != nil && j.known(c) {
		j.violate(c.path, "it is open to the organization, and every other customer is in it")
	}
	who := v.get("principal")
	if !j.known(who) || j.unknownAccount(who.path, s) {
		return
	}
	if strings.HasSuffix(who.text(), ".amazonaws.com") {
		account, arn := v.get("sourceAccount"), v.get("sourceArn")
		if account.is(s.AccountID) || ownARN(arn.text(), s.AccountID) {
			return
		}
		if j.known(account) && j.known(arn) {
			j.violate(who.path, "%s may call, for whichever account it acts", who.text())
		}
		return
	}
	if !within("AWS", who.text(), s.AccountID, nil) {
		j.violate(who.path, "%s may call", who.text())
	}
}

func checkAccessPoint(j *judge, r Resource, s Scope) {
	v := r.values()
	for _, path := range []string{"accountId", "bucketAccountId", "details.regions.bucketAccountId"} {
		for _, account := range v.all(path) {
			j.own(account, s)
		}
	}
	if r.Type == "aws:s3/accessPoint:AccessPoint" {
		if vpc := v.get("vpcConfiguration", "vpcId"); j.known(vpc) && vpc.text() == "" {
			j.violate("vpcConfiguration", "it answers to the internet")
		}
	}
	blocks := v.get("publicAccessBlockConfiguration")
	if len(v.all("details.publicAccessBlock")) > 0 {
		blocks = v.get("details", "publicAccessBlock")
	}
	for _, b := range []string{"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"} {
		// On by default: only who says so switches it off.
		j.mustNot(blocks.get(b), []string{"false"}, "%s is off", b)
	}
}
