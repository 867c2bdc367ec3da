package policies

import (
	"slices"
	"strings"
)

// Share is one thing that customers do have in common. The list of Shared is the
// only place that says so: rules ask it, and docs/policies.md prints it.
type Share struct {
	What  string
	Where string // in which layer, and in which property
	Why   string
	// covers reports whether a mention in a resource is this thing.
	covers func(m Mention, at Resource, s Scope) bool
}

// Shared returns what is an exception to "nothing is shared between customers".
func Shared() []Share { return slices.Clone(shares) }

var shares = []Share{
	{
		What:  "the management account",
		Where: "the account layer",
		Why:   "AWS Organizations answers there only: it is where accounts are vended and fenced; it holds no customer's data",
		covers: func(m Mention, _ Resource, s Scope) bool {
			return s.Layer == layerAccount && m.Account == s.ManagementAccountID && m.Account != ""
		},
	},
	{
		What:  "the provisioner's role",
		Where: "trust policies of the org's phase roles (assumeRolePolicy), with an external id",
		Why:   "somebody must make the data plane; it enters by a role of the org's account, and the org's trail shows each entry",
		covers: func(m Mention, at Resource, s Scope) bool {
			return at.Type == typeRole && m.Text == s.ProvisionerARN && m.Text != ""
		},
	},
	{
		What:  "ARNs that AWS owns",
		Where: "anywhere",
		Why:   "managed policies, cluster access policies and public parameters are the same for all customers of AWS, and nobody but AWS writes them",
		covers: func(m Mention, _ Resource, _ Scope) bool {
			return m.ARN && slices.Contains([]string{"", "aws", "aws-marketplace", "amazon"}, m.Account)
		},
	},
	{
		What:  "the registries from which EKS serves its add-ons",
		Where: "images of add-ons, in Kubernetes objects and node configuration",
		Why:   "AWS owns the accounts and nobody else can push to them",
		covers: func(m Mention, _ Resource, _ Scope) bool {
			return slices.Contains(addonAccounts, m.Account) && strings.Contains(m.Text, ".dkr.ecr.")
		},
	},
	{
		What:  "the bucket of the states",
		Where: "outside of every stack: Pulumi's backend, one prefix and one key for an org",
		Why:   "the provisioner keeps its states there; no resource of a customer names it, so no rule excepts it",
	},
}

// addonAccounts are the accounts of AWS's add-on registries.
//
// https://docs.aws.amazon.com/eks/latest/userguide/add-ons-images.html
var addonAccounts = []string{"602401143452", "877085696533", "800184023465", "590381155156", "558608220178"}

// shared reports whether the list of Shared has a mention.
func shared(m Mention, at Resource, s Scope) bool {
	return slices.ContainsFunc(shares, func(x Share) bool { return x.covers != nil && x.covers(m, at, s) })
}

// The layers that rules distinguish, and the types that many of them name.
const (
	layerAccount   = "account"
	layerCluster   = "cluster"
	layerBootstrap = "bootstrap"

	typeRole        = "aws:iam/role:Role"
	typeAWSProvider = "pulumi:providers:aws"
)

// home is the account in which a layer's resources live; empty: not known yet.
func (s Scope) home() string {
	if s.Layer == layerAccount {
		return s.ManagementAccountID
	}
	return s.AccountID
}

// ours reports whether an account is the org's own, and whether that is known:
// before the account is vended it has no id, and no literal can be it.
func (s Scope) ours(account string) (ours, known bool) {
	if account == s.AccountID && account != "" {
		return true, true
	}
	return false, s.AccountID != ""
}
