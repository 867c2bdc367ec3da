package event

import (
	"time"

	"freehold.dev/freehold/internal/finding"
)

// Change is one resource that an operation would touch or has touched.
type Change struct {
	Layer string `json:"layer"`
	Op    string `json:"op"` // create, update, replace, delete
	Type  string `json:"type"`
	Name  string `json:"name"`
	URN   string `json:"urn"`
	// Properties are the paths that differ, with values as short text; secrets are "[secret]".
	Properties []finding.Difference `json:"properties,omitempty"`
}

// Move is one node group that goes when its pods run on others.
type Move struct {
	Pool string `json:"pool"`
	From string `json:"from"` // the node group's name at AWS
	// To is the node group that takes its place; empty when the pool is no
	// longer in the spec, and its pods go to the other pools.
	To string `json:"to,omitempty"`
	// Nodes is how many nodes the old group is to have now.
	Nodes int `json:"nodes"`
	// Because are the properties that EKS does not change in place; none when
	// the pool is no longer in the spec.
	Because []finding.Difference `json:"because,omitempty"`
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

// As is the result with another state.
func (l LayerResult) As(state string) LayerResult {
	l.State = state
	return l
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
	// Unchecked is what a plan that asks nobody leaves open.
	Unchecked []string `json:"unchecked,omitempty"`
	// Layers says for each layer what a preview found; a layer whose inputs
	// are not known yet (the layer before was never made) is "not-started".
	Layers  []LayerResult `json:"layers"`
	Changes []Change      `json:"changes"`
	// Moves are node groups whose pods move before the group goes.
	Moves []Move `json:"moves,omitempty"`
	// Policy is what the policies found: what they do not allow, what somebody
	// answers for, and what cannot be said until onboard knows more.
	Policy []finding.Policy `json:"policy,omitempty"`
	// Prune is what onboard with --prune would remove, when that was asked for.
	Prune []finding.Finding `json:"prune,omitempty"`
	// Recorded is what onboard would record of the org and make nothing of: who may
	// call the API, and what the org answers for.
	Recorded []finding.Difference `json:"recorded,omitempty"`
}

// Different reports whether onboard would change or record anything, or, where
// that was asked for, prune anything.
func (p Plan) Different() bool {
	if len(p.Changes) > 0 || len(p.Prune) > 0 || len(p.Recorded) > 0 {
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
	// PutBack is what was found changed beside what the engine sees, and was put
	// back: fields of objects in the cluster, and what is set beside the stacks.
	PutBack []finding.Finding `json:"putBack,omitempty"`
	// Pruned is what was removed because no layer declares it.
	Pruned []finding.Finding `json:"pruned,omitempty"`
	// Unmanaged are things in the org's account that no layer declares; they are left alone.
	Unmanaged []finding.Finding `json:"unmanaged,omitempty"`
	// Policy is what the policies do not allow, and what somebody answers for.
	Policy   []finding.Policy `json:"policy,omitempty"`
	Duration time.Duration    `json:"duration"`
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
	// Request is what the caller knew its request by; empty: by nothing.
	Request string `json:"request,omitempty"`
	// Reason and RetryAt are those of a pending operation's terminal event.
	Reason  Reason    `json:"reason,omitempty"`
	RetryAt time.Time `json:"retryAt,omitzero"`
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

// Drift is the result of a drift run over one org.
type Drift struct {
	Org      string            `json:"org"`
	At       time.Time         `json:"at"`
	Layers   []LayerResult     `json:"layers"`
	Findings []finding.Finding `json:"findings"`
	// WayIn is the way into an account that the customer brought; nil: none, or
	// the account could not be listed.
	WayIn    *finding.WayIn `json:"wayIn,omitempty"`
	Duration time.Duration  `json:"duration"`
}

// Drifted reports whether anything differs or violates a rule; what could not
// be read does not count, nor what somebody answers for.
func (d Drift) Drifted() bool {
	for _, f := range d.Findings {
		if f.Kind != finding.Unreadable && (f.Policy == nil || f.Policy.Blocks()) {
			return true
		}
	}
	return false
}

// Complete reports whether everything could be read.
func (d Drift) Complete() bool {
	for _, f := range d.Findings {
		if f.Kind == finding.Unreadable {
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
	Left []finding.Finding `json:"left,omitempty"`
	// WayIn is what is left of an account that the customer brought, for the
	// customer to remove; nil: nothing.
	WayIn    *finding.WayIn `json:"wayIn,omitempty"`
	Duration time.Duration  `json:"duration"`
}

// Check is one line of doctor.
type Check struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Fix    string `json:"fix,omitempty"` // the exact command that fixes it
}
