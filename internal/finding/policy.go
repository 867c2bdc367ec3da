package finding

import "time"

// Policy is one rule's answer about one resource that is not a pass.
type Policy struct {
	Rule     string   `json:"rule"` // "FH301"
	Title    string   `json:"title"`
	Severity string   `json:"severity"` // critical, high, medium
	Org      string   `json:"org"`
	Layer    string   `json:"layer,omitempty"`
	Resource Resource `json:"resource"`
	// Path is the property that offends, Statement the statement of the policy
	// document in it, as JSON.
	Path      string `json:"path,omitempty"`
	Statement string `json:"statement,omitempty"`
	// Message says what is wrong, Why what a customer could lose by it, Fix what to do.
	Message string `json:"message"`
	Why     string `json:"why"`
	Fix     string `json:"fix"`
	// Criteria are those of SOC 2 that the rule serves, "CC6.1".
	Criteria []string `json:"criteria,omitempty"`
	// Answer is "violated", or "undecided" for a value that was not known.
	Answer string `json:"answer"`
	// Exception is what the org's spec says for it; nil: nobody answers for it.
	Exception *Exception `json:"exception,omitempty"`
}

// Blocks reports whether the finding stops an operation: nobody answers for it.
func (f Policy) Blocks() bool { return f.Exception == nil }

// Open reports whether the rule could not say yet, and nobody answers for it.
func (f Policy) Open() bool { return f.Answer == "undecided" && f.Exception == nil }

// Resource is what a finding is about.
type Resource struct {
	Type string `json:"type"`
	Name string `json:"name"`
	URN  string `json:"urn,omitempty"`
	ID   string `json:"id,omitempty"` // the provider's; empty before it is made
}

// Exception is a violation that somebody answers for, until a day.
type Exception struct {
	Reason   string `json:"reason"`
	Approver string `json:"approver"`
	Expires  string `json:"expires"` // 2006-01-02, the last day on which it holds
}

// Report is what the rules say of one org.
type Report struct {
	Org      string   `json:"org"`
	Findings []Policy `json:"findings"`
}

// Blocking are the findings that nobody answers for.
func (r Report) Blocking() []Policy { return blocking(r.Findings) }

func blocking(all []Policy) []Policy {
	var out []Policy
	for _, f := range all {
		if f.Blocks() {
			out = append(out, f)
		}
	}
	return out
}

// EveryOrg stands for all customers where a document names one. No org can be
// called so: an org is a DNS label.
const EveryOrg = "*"

// Audit is what the rules say of what was made for one or more orgs, and what
// those orgs have in common with any other.
type Audit struct {
	// Org is the org that was asked about, several by commas, or EveryOrg.
	Org string    `json:"org"`
	At  time.Time `json:"at"`
	// Live is true when values were read from the cloud and not only from states.
	Live     bool         `json:"live"`
	Orgs     []AuditedOrg `json:"orgs"`
	Findings []Policy     `json:"findings"`
	// Shared are identities that two orgs own, Edges the ways from a resource of
	// one org to another's.
	Shared []SharedIdentity `json:"shared"`
	Edges  []Edge           `json:"edges"`
	// Unread is what could not be read; it is never the same as nothing found.
	Unread []Unread `json:"unread"`
	// StatesOnly are the ways of sharing that no account was asked about: what
	// somebody made of them by hand is not in this report.
	StatesOnly []StatesOnly  `json:"statesOnly,omitempty"`
	Duration   time.Duration `json:"duration"`
}

// Violated reports whether anything was found that nobody answers for.
func (a Audit) Violated() bool {
	return len(a.Shared) > 0 || len(a.Edges) > 0 || len(a.Blocking()) > 0
}

// Blocking are the findings that nobody answers for.
func (a Audit) Blocking() []Policy { return blocking(a.Findings) }

// Complete reports whether everything could be read.
func (a Audit) Complete() bool { return len(a.Unread) == 0 }

// StatesOnly is a way of sharing that is looked for in what Freehold made, and
// not in what is in the accounts now.
type StatesOnly struct {
	Way   string `json:"way"` // "snapshot-lifecycle"
	Title string `json:"title"`
	Why   string `json:"why"`
}

// AuditedOrg counts what was looked at of one org.
type AuditedOrg struct {
	Org string `json:"org"`
	// Unfinished says what of the org is not as it was asked for, an operation
	// that never ended or a layer that was never made: of that an audit has
	// nothing to judge.
	Unfinished []string `json:"unfinished,omitempty"`

	Layers    int `json:"layers"`
	Resources int `json:"resources"`
	Findings  int `json:"findings"`
	// Accepted are the findings that an exception of the spec answers for.
	Accepted int `json:"accepted,omitempty"`
	// Secrets are the values that are encrypted in the state, which an audit does not open.
	Secrets int `json:"secrets,omitempty"`
}

// End is one end of something that two orgs share.
type End struct {
	Org   string `json:"org"`
	Layer string `json:"layer,omitempty"`
	Type  string `json:"type"`
	Name  string `json:"name,omitempty"`
	ID    string `json:"id,omitempty"`
	URN   string `json:"urn,omitempty"`
	Path  string `json:"path,omitempty"`
}

// SharedIdentity is one physical identity under two orgs or more.
type SharedIdentity struct {
	Kind  string `json:"kind"` // account, ARN, VPC, CIDR when peered, OIDC issuer, e-mail…
	Value string `json:"value"`
	Ends  []End  `json:"ends"`
}

// What is at the other end of an edge that leads out of the fleet: an account
// has Pulumi's type, and all else one of these.
const (
	// Anybody is everyone; To.Name says by which service, if it is by one.
	Anybody = "anybody"
	// Outside is somebody who is no account: an organization, an identity
	// provider, the owner of a bucket; To.Name says who.
	Outside = "outside"
)

// Edge is a way from one org's resource to another's, or out of the fleet.
type Edge struct {
	Kind string `json:"kind"` // trust, policy, grant, route, peering, association, reference
	// Rule is the rule that it breaks, "FH305"; empty: only the fleet's own.
	Rule string `json:"rule,omitempty"`
	// From is the resource that says it, at From.Path; To is what it names, and
	// has no org if that is no customer's.
	From End `json:"from"`
	To   End `json:"to"`
	// Value is the identity of To as From says it.
	Value     string `json:"value"`
	Statement string `json:"statement,omitempty"`
}

// Unread is something that could not be read.
type Unread struct {
	Org     string `json:"org"`
	Layer   string `json:"layer,omitempty"`
	Message string `json:"message"`
}
