package report

import "time"

// Change is one resource that an operation would touch or has touched.
type Change struct {
	Layer string `json:"layer"`
	Op    string `json:"op"` // create, update, replace, delete
	Type  string `json:"type"`
	Name  string `json:"name"`
	URN   string `json:"urn"`
	// Properties are the paths that differ, with values as short text; secrets are "[secret]".
	Properties []Difference `json:"properties,omitempty"`
}

// Difference is one property that is not what it should be.
type Difference struct {
	Path string `json:"path"`
	Want string `json:"want"` // as JSON; empty: absent
	Have string `json:"have"` // as JSON; empty: absent
}

// LayerResult is what became of one layer.
type LayerResult struct {
	Layer     string         `json:"layer"`
	Stack     string         `json:"stack"`
	State     string         `json:"state"` // done, failed, skipped, not-started, removed
	Changes   map[string]int `json:"changes,omitempty"`
	Resources int            `json:"resources"`
	Duration  time.Duration  `json:"duration"`
	Error     string         `json:"error,omitempty"`
}

// DataPlane is what an org owns: the facts that an operator asks for first.
type DataPlane struct {
	Org             string   `json:"org"`
	Region          string   `json:"region"`
	AccountID       string   `json:"accountId,omitempty"`
	BoundaryARN     string   `json:"boundaryArn,omitempty"`
	VPCID           string   `json:"vpcId,omitempty"`
	CIDR            string   `json:"cidr,omitempty"`
	ClusterName     string   `json:"clusterName,omitempty"`
	ClusterARN      string   `json:"clusterArn,omitempty"`
	ClusterEndpoint string   `json:"clusterEndpoint,omitempty"`
	OIDCIssuer      string   `json:"oidcIssuer,omitempty"`
	DataKeyARN      string   `json:"dataKeyArn,omitempty"`
	Projects        []string `json:"projects,omitempty"`
}

// Plan is what onboard would do.
type Plan struct {
	Org         string   `json:"org"`
	Hash        string   `json:"hash"`
	HashVersion int      `json:"hashVersion"`
	Decided     any      `json:"plan"` // the plan.Plan
	Notes       []string `json:"notes,omitempty"`
	// Layers says for each layer what a preview found; a layer whose inputs
	// are not known yet (the layer before was never made) is "not-started".
	Layers  []LayerResult `json:"layers"`
	Changes []Change      `json:"changes"`
	// Policy is what the policies found: what they do not allow, what somebody
	// answers for, and what cannot be said until onboard knows more.
	Policy []PolicyFinding `json:"policy,omitempty"`
}

// Different reports whether onboard would change anything.
func (p Plan) Different() bool {
	if len(p.Changes) > 0 {
		return true
	}
	for _, l := range p.Layers {
		if l.State == "not-started" {
			return true
		}
	}
	return false
}

// Onboarding is the result of onboard.
type Onboarding struct {
	Org       string        `json:"org"`
	Operation string        `json:"operation"`
	Changed   bool          `json:"changed"`
	Layers    []LayerResult `json:"layers"`
	DataPlane DataPlane     `json:"dataPlane"`
	// Unmanaged are things in the org's account that no layer declares; they are left alone.
	Unmanaged []Finding `json:"unmanaged,omitempty"`
	// Policy is what the policies do not allow, and what somebody answers for.
	Policy   []PolicyFinding `json:"policy,omitempty"`
	Duration time.Duration   `json:"duration"`
}

// Operation is one run of a use case, as the registry remembers it.
type Operation struct {
	ID       string    `json:"id"`
	Org      string    `json:"org"`
	Kind     string    `json:"kind"`  // onboard, offboard
	State    string    `json:"state"` // running, succeeded, failed, blocked, pending
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished,omitzero"`
	Error    string    `json:"error,omitempty"`
}

// Status is what is known of one org without asking the cloud.
type Status struct {
	Org       string        `json:"org"`
	State     string        `json:"state"` // ready, onboarding, failed, partial, offboarded
	Hash      string        `json:"hash,omitempty"`
	DataPlane DataPlane     `json:"dataPlane"`
	Layers    []LayerResult `json:"layers"`
	Last      *Operation    `json:"lastOperation,omitempty"`
}

// FindingKind says what kind of drift a Finding is.
type FindingKind string

// The kinds of drift.
const (
	Changed    FindingKind = "changed"    // a property is not what the layer set
	Missing    FindingKind = "missing"    // a resource is gone
	Unmanaged  FindingKind = "unmanaged"  // a thing in the account that no layer declares
	Unreadable FindingKind = "unreadable" // could not be read: neither drift nor its absence
	Violated   FindingKind = "violated"   // what was read violates a rule: Policy says which
)

// Finding is one drift.
type Finding struct {
	Kind        FindingKind  `json:"kind"`
	Layer       string       `json:"layer,omitempty"`
	Type        string       `json:"type"`
	Name        string       `json:"name"`
	ID          string       `json:"id,omitempty"`
	URN         string       `json:"urn,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
	Message     string       `json:"message,omitempty"`
	// Policy is the rule's own finding, for a Violated.
	Policy *PolicyFinding `json:"policy,omitempty"`
}

// Drift is the result of a drift run over one org.
type Drift struct {
	Org      string        `json:"org"`
	At       time.Time     `json:"at"`
	Layers   []LayerResult `json:"layers"`
	Findings []Finding     `json:"findings"`
	Duration time.Duration `json:"duration"`
}

// Drifted reports whether anything differs or violates a rule; what could not
// be read does not count, nor what somebody answers for.
func (d Drift) Drifted() bool {
	for _, f := range d.Findings {
		if f.Kind != Unreadable && (f.Policy == nil || f.Policy.Blocks()) {
			return true
		}
	}
	return false
}

// Complete reports whether everything could be read.
func (d Drift) Complete() bool {
	for _, f := range d.Findings {
		if f.Kind == Unreadable {
			return false
		}
	}
	return true
}

// Offboarding is the result of offboard, or, before it ran, what it would remove.
type Offboarding struct {
	Org           string        `json:"org"`
	Operation     string        `json:"operation,omitempty"`
	Layers        []LayerResult `json:"layers"` // in the order of removal
	DataPlane     DataPlane     `json:"dataPlane"`
	AccountClosed bool          `json:"accountClosed"`
	AccountKept   bool          `json:"accountKept"`
	// Left are things that are still in the account; empty when it is really empty.
	Left     []Finding     `json:"left,omitempty"`
	Duration time.Duration `json:"duration"`
}

// Shared is one thing that two orgs have in common.
type Shared struct {
	Kind   string   `json:"kind"` // account, boundary, cluster, vpc, key…
	Value  string   `json:"value"`
	Owners []string `json:"owners"`
}

// Check is one line of doctor.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // the exact command that mends it
}
