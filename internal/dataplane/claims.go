package dataplane

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// The kinds of identities that decide how an org gets its account and who its people are.
const (
	KindEmail          = "e-mail"
	KindAccessRole     = "access role"
	KindAccount        = "account"
	KindIdentityClient = "identity provider's client"
	KindAccountIssuer  = "web identity issuer"
)

// Entry is how the org's account is got: nobody else may get theirs by it.
func Entry(p plan.Plan) finding.Identity {
	if p.Account.Vended {
		// AWS takes an address once, whatever its case.
		return finding.Identity{Kind: KindEmail, Value: strings.ToLower(p.Account.Email)}
	}
	return finding.Identity{Kind: KindAccessRole, Value: p.Account.RoleARN}
}

// Foreseen are the identities that the plan decides before anything is made.
// While the account is not made they are few: nearly everything has its id in it.
func (d DataPlane) Foreseen() ([]finding.Identity, error) {
	p := d.Plan
	ids := []finding.Identity{Entry(p)}
	add := func(kind, value string) { ids = append(ids, finding.Identity{Kind: kind, Value: value}) }
	// A token for two clusters would be somebody in both.
	if idp := p.Cluster.IdentityProvider; idp != nil {
		add(KindIdentityClient, idp.IssuerURL+" "+idp.ClientID)
	}
	// An issuer that AWS gave to one account: whoever has it says who calls for the org.
	if p.Access != nil && p.Access.AWS != nil {
		add(KindAccountIssuer, p.Access.AWS.IssuerURL)
	}
	made, err := decodeMade[stacks.AccountOut](d, plan.LayerAccount)
	if err != nil {
		return nil, err
	}
	account := made.AccountID
	if !p.Account.Vended {
		account = iam.AccountIn(p.Account.RoleARN)
	}
	if account == "" {
		return ids, nil
	}
	add(KindAccount, account)
	add("boundary", "arn:aws:iam::"+account+":policy/"+p.Boundary.BoundaryName)
	for _, name := range []string{
		p.Boundary.ProvisionRole, p.Boundary.ReadRole, p.Boundary.BootstrapRole, p.Boundary.OffboardRole,
		p.Cluster.ClusterRole, p.Cluster.NodeRole, p.Cluster.EBSRole, p.Cluster.FlowLogRole,
	} {
		add("role", "arn:aws:iam::"+account+":role/"+name)
	}
	// The names of buckets are one list for all of AWS.
	for _, pattern := range []string{p.Boundary.LogBucket, p.Boundary.DataBucket} {
		add("bucket", "bucket:"+plan.BucketName(pattern, account))
	}
	add("trail", "arn:aws:cloudtrail:"+p.Region+":"+account+":trail/"+p.Boundary.TrailName)
	add("repository", "arn:aws:ecr:"+p.Region+":"+account+":repository/"+p.Boundary.ControllerRepository)
	add("cluster", "arn:aws:eks:"+p.Region+":"+account+":cluster/"+p.Cluster.Name)
	return ids, nil
}

// Gave are the identities that a layer's outputs name: they are made, and known
// only now.
func (d DataPlane) Gave(l plan.Layer) ([]finding.Identity, error) {
	switch l {
	case plan.LayerAccount:
		o, err := Decode[stacks.AccountOut](d, l)
		return []finding.Identity{Entry(d.Plan), {Kind: KindAccount, Value: o.AccountID}}, err
	case plan.LayerBoundary:
		o, err := Decode[stacks.BoundaryOut](d, l)
		return []finding.Identity{
			{Kind: "boundary", Value: o.BoundaryARN}, {Kind: "key", Value: o.DataKeyARN}, {Kind: "key", Value: o.LogKeyARN},
		}, err
	case plan.LayerCluster:
		o, err := Decode[stacks.ClusterOut](d, l)
		return []finding.Identity{
			{Kind: "cluster", Value: o.ARN}, {Kind: "endpoint", Value: o.Endpoint},
			{Kind: "OIDC issuer", Value: o.OIDCIssuer}, {Kind: "VPC", Value: o.VPCID},
		}, err
	case plan.LayerBootstrap:
		// Everything that was foreseen is there now.
		return d.Foreseen()
	}
	return nil, nil
}

// Releasable are the claims that may be given up: those of things that were
// never made, of an org that has no account. but are claims to keep all the same.
func (d DataPlane) Releasable(claims []registry.Claim, but []finding.Identity) []finding.Identity {
	if d.HasAccount() {
		return nil
	}
	var out []finding.Identity
	for _, c := range claims {
		if !c.Made && !slices.Contains(but, c.Identity) {
			out = append(out, c.Identity)
		}
	}
	return out
}

// registryHost is the host of a repository's URL.
func registryHost(repository string) string {
	host, _, _ := strings.Cut(repository, "/")
	return host
}

// HasEntry reports whether the way in which the plan gets its account, or that
// account, belongs to another org.
func HasEntry(owned []registry.OwnedError, p plan.Plan) bool {
	return slices.ContainsFunc(owned, func(o registry.OwnedError) bool {
		return o.Identity == Entry(p) || o.Kind == KindAccount
	})
}
