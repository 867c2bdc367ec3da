package rule

import "slices"

// The layers that rules distinguish.
const (
	LayerAccount   = "account"
	LayerCluster   = "cluster"
	LayerBootstrap = "bootstrap"
)

// Types that rules of several topics name.
const (
	TypeRole        = "aws:iam/role:Role"
	TypeCluster     = "aws:eks/cluster:Cluster"
	TypeAWSProvider = "pulumi:providers:aws"

	// Of AWS Organizations, what an org's stack has.
	TypeAccount    = "aws:organizations/account:Account"
	TypeOrgPolicy  = "aws:organizations/policy:Policy"
	TypeAttachment = "aws:organizations/policyAttachment:PolicyAttachment"
)

// OfAccountLayer reports whether the account layer makes a type. Its credentials are
// those of the management account, so that an allow-list is the only list that can be
// complete there: nearly everything else in that account acts on every customer.
func OfAccountLayer(typ string) bool {
	switch typ {
	case TypeAccount, TypeOrgPolicy, TypeAttachment, TypeAWSProvider, "pulumi:pulumi:StackReference":
		return true
	default:
		return false
	}
}

// KnowsPackage reports whether the rules know the resources of a package, or whether it
// makes nothing that anybody else could reach.
func KnowsPackage(pkg string) bool {
	return slices.Contains([]string{"aws", "eks", "kubernetes", "freehold", "pulumi", "random", "tls"}, pkg)
}

// BucketTypes are the types of buckets.
func BucketTypes() []string { return []string{"aws:s3/bucketV2:BucketV2", "aws:s3/bucket:Bucket"} }

// Home is the account in which a layer's resources live; empty: not known yet.
func (s Scope) Home() string {
	if s.Layer == LayerAccount {
		return s.ManagementAccountID
	}
	return s.AccountID
}

// Ours reports whether an account is the org's own, and whether that is known:
// before the account is vended it has no id, and no literal can be it.
func (s Scope) Ours(account string) (ours, known bool) {
	if account == s.AccountID && account != "" {
		return true, true
	}
	return false, s.AccountID != ""
}

// OrgTag is the tag, and in Kubernetes the label, that says whose a resource is.
const OrgTag = "freehold.dev/org"
