package document

import (
	"slices"
	"strings"

	"freehold.dev/freehold/policies/reading"
	"freehold.dev/freehold/policies/rule"
	"freehold.dev/freehold/policies/table"
)

// Share is one thing that customers do have in common. The list of Shared is the
// only place that says so: rules ask it, and docs/policies.md prints it.
type Share struct {
	What  string
	Where string // in which layer, and in which property
	Why   string
	// covers reports whether a mention in a resource is this thing.
	covers func(m reading.Mention, at rule.Resource, s rule.Scope) bool
}

// Shared returns what is an exception to "nothing is shared between customers".
func Shared() []Share { return slices.Clone(shares) }

var shares = []Share{
	{
		What:  "the management account",
		Where: "the account layer",
		Why:   "AWS Organizations answers there only: it is where accounts are vended and fenced; it holds no customer's data",
		covers: func(m reading.Mention, _ rule.Resource, s rule.Scope) bool {
			return s.Layer == rule.LayerAccount && m.Account == s.ManagementAccountID && m.Account != ""
		},
	},
	{
		What:  "the provisioner's role",
		Where: "trust policies of the org's phase roles (assumeRolePolicy), with an external id",
		Why:   "somebody must make the data plane; it enters by a role of the org's account, and the org's trail shows each entry",
		covers: func(m reading.Mention, at rule.Resource, s rule.Scope) bool {
			return at.Type == rule.TypeRole && m.Text == s.ProvisionerARN && m.Text != ""
		},
	},
	{
		What:  "ARNs that AWS owns",
		Where: "anywhere",
		Why:   "managed policies, cluster access policies and public parameters are the same for all customers of AWS, and nobody but AWS writes them",
		covers: func(m reading.Mention, _ rule.Resource, _ rule.Scope) bool {
			return m.ARN && slices.Contains([]string{"", "aws", "aws-marketplace", "amazon"}, m.Account)
		},
	},
	{
		What:  "what AWS publishes from accounts of its own: images of EKS add-ons and sidecars, Lambda layers",
		Where: "as the host of an image's registry, and as the ARN of a layer; policies/document/awsaccounts.txt lists the accounts, and the pages that name them",
		Why:   "AWS owns the accounts, and nobody else can publish from them",
		covers: func(m reading.Mention, _ rule.Resource, _ rule.Scope) bool {
			return ofAWS(m.Text, m.Account)
		},
	},
	{
		What:  "the accounts from which AWS writes the access logs of load balancers",
		Where: "bucket policies, to write under AWSLogs/<the org's account>/ only",
		Why:   "AWS documents no condition for it; the path that a load balancer writes to has the account that owns it, and nobody chooses that",
		covers: func(m reading.Mention, at rule.Resource, _ rule.Scope) bool {
			return table.Of(at.Type).State == table.Classified && strings.HasPrefix(at.Type, "aws:s3/") && logWriter("AWS", m.Text)
		},
	},
	{
		What:  "the bucket of the states",
		Where: "outside of every stack: Pulumi's backend, one prefix and one key for an org",
		Why:   "the provisioner keeps its states there; no resource of a customer names it, so no rule excepts it",
	},
}

// IsShared reports whether the list of Shared has a mention.
func IsShared(m reading.Mention, at rule.Resource, s rule.Scope) bool {
	return slices.ContainsFunc(shares, func(x Share) bool { return x.covers != nil && x.covers(m, at, s) })
}
