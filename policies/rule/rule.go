package rule

import (
	"slices"
	"strings"

	"freehold.dev/freehold/internal/unknown"
)

// Severity says how bad a violation is.
type Severity string

// The severities. Every one of them stops an operation; they rank a report.
const (
	Critical Severity = "critical" // data or control of one customer is within another's reach
	High     Severity = "high"     // a fence is missing that keeps it out of reach
	Medium   Severity = "medium"   // what would report it is missing
)

// Answer is what a rule says of one resource.
type Answer string

// The answers.
const (
	Pass      Answer = "pass"
	Violated  Answer = "violated"
	Undecided Answer = "undecided"
)

// Unknown stands in a resource's properties for a value that is not known yet.
type Unknown = unknown.Value

// Resource is one resource as a rule sees it.
type Resource struct {
	URN  string
	Type string // Pulumi's, "aws:iam/role:Role"
	Name string // the logical name
	ID   string // the provider's; empty before it is made
	// Properties are the inputs: plain maps, lists, strings, numbers and
	// booleans, as JSON has them, and Unknown.
	Properties map[string]any
	// Provider is who makes it; the zero value for a component.
	Provider Provider
	// Component is true for what only groups others.
	Component bool
}

// Provider is the provider resource that makes a resource.
type Provider struct {
	Package string // "aws", "kubernetes", "eks"
	// Default is true for the one that the engine makes by itself, with
	// whatever credentials are around.
	Default bool
	// Properties are its inputs, as a Resource's.
	Properties map[string]any
}

// Scope says whose the resources are, and what is known of that org. What is
// empty is not known yet.
type Scope struct {
	Org    string
	Layer  string // account, boundary, cluster, bootstrap
	Region string
	// AccountID is the org's own account.
	AccountID string
	// ManagementAccountID is where the account layer works, and ProvisionerARN
	// the one principal of it that enters the org's account.
	ManagementAccountID string
	ProvisionerARN      string
	// BoundaryARN is the permissions boundary of every role in the account.
	BoundaryARN string
	// AccessRoleARN is the role by which the boundary layer enters the account.
	AccessRoleARN string
	// ClusterRoles may have access entries of the cluster: the phase roles and
	// the nodes' role, by ARN.
	ClusterRoles []string
	// Registry is the org's own image registry, "ACCOUNT.dkr.ecr.REGION.amazonaws.com".
	Registry string
	// IdentityProvider says who the people are that use the cluster's API, as the
	// org's spec says it. Empty: nobody does, and this is known from the start.
	IdentityProvider IdentityProvider
	// Pipelines are the jobs of CI services that the org's document lets in.
	Pipelines []Pipeline `json:",omitempty"`
	// Owned are identities that the org's other layers have made and a program
	// may be handed as text: ids, ARNs, bucket names, issuers and endpoints.
	Owned []string
	// Foreign are the accounts among a resource's Candidates that the registry knows
	// as another org's. Nil where no registry was asked.
	Foreign []string `json:",omitempty"`
	// Exceptions are what the org's spec accepts.
	Exceptions []Exception
}

// IdentityProvider is an OpenID Connect issuer, and the client that it knows
// the cluster as.
type IdentityProvider struct {
	IssuerURL string
	ClientID  string
	// Prefixes begin the names of its users and groups in the cluster.
	Prefixes []string `json:",omitempty"`
}

// Pipeline is a job of a CI service: who signs its tokens, and whom they name.
type Pipeline struct {
	IssuerURL string
	Subject   string
}

// Exception is a violation that somebody answers for, until a day.
type Exception struct {
	Rule     string // "FH101"
	Resource string // the resource's logical name or URN
	Reason   string
	Approver string
	Expires  string // 2006-01-02, the last day on which it holds
}

// Finding is one thing that is wrong, or not decided, with one resource.
type Finding struct {
	// Path is the property, "policy" or "vpcConfig.publicAccessCidrs[0]".
	Path string
	// Statement is the offending statement of a policy document, as JSON.
	Statement string
	// Message says what is wrong with it, in one sentence without a full stop.
	Message string
}

// Verdict is a rule's answer and what led to it.
type Verdict struct {
	Answer   Answer
	Findings []Finding
}

// Example is a resource that shows what a rule means.
type Example struct {
	Name     string // what a colleague would try, or a look-alike that is fine
	Resource Resource
	// Others are the resources beside it, for rules over a whole stack.
	Others []Resource
	Scope  Scope
}

// Rule is one isolation rule.
type Rule struct {
	ID       string // "FH101"; never used again for another rule
	Title    string
	Why      string // what a customer could lose
	Fix      string
	Severity Severity
	Criteria []string // of SOC 2, "CC6.1"
	// Types are the Pulumi types that it looks at; one that ends in "*" stands
	// for all that begin so. Empty: every resource.
	Types []string
	// NoException is true where no reason is good enough.
	NoException bool
	// Check judges one resource. Exactly one of Check and CheckStack is set.
	Check func(Resource, Scope) Verdict
	// CheckStack judges the resources of a stack together; the verdicts are by
	// URN, and a resource that has none passes.
	CheckStack func([]Resource, Scope) map[string]Verdict
	Good, Bad  []Example
}

// Covers reports whether the rule looks at a type.
func (r Rule) Covers(typ string) bool {
	return len(r.Types) == 0 || slices.ContainsFunc(r.Types, func(t string) bool {
		prefix, wild := strings.CutSuffix(t, "*")
		return t == typ || wild && strings.HasPrefix(typ, prefix)
	})
}
