package lifecycletest

import (
	"fmt"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// Call names what a Fault makes fail.
type Call string

// The calls of the engine and of the cloud that can be made to fail.
const (
	Up             Call = "up"
	Preview        Call = "preview"
	PreviewRefresh Call = "refresh"
	Destroy        Call = "destroy"
	Adopt          Call = "adopt"
	State          Call = "state"
	Stat           Call = "stat"
	Check          Call = "check"

	Identity       Call = "identity"
	Find           Call = "find"
	Usable         Call = "usable"
	Inventory      Call = "inventory"
	Shares         Call = "shares"
	Remove         Call = "remove"
	CloseAccount   Call = "close account"
	Quotas         Call = "quotas"
	CheckRelease   Call = "check release"
	Running        Call = "running"
	Zones          Call = "zones"
	RegionEnabled  Call = "region enabled"
	ProtectCluster Call = "protect cluster"
	NodeGroup      Call = "node group"
	StaleEntries   Call = "stale entries"
	Kubeconfig     Call = "kubeconfig"
	Objects        Call = "objects"
	Strays         Call = "strays"
)

// Fault makes calls fail.
type Fault struct {
	On Call
	// Layer is the layer whose stack it is about; empty: any, and for the
	// cloud's calls always.
	Layer plan.Layer
	// Skip is how many of these calls succeed before.
	Skip int
	// Times is how many then fail: 0 is one, and a negative number all of them.
	Times int
	// Made is how many resources an Up or a Destroy makes or removes before it
	// fails; a negative number: all of them.
	Made int
	// Err is what the call returns.
	Err error
}

// Fail adds a fault. The first one that fits a call is used.
func (w *World) Fail(f Fault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	w.faults = append(w.faults, &f)
}

// fault returns the fault of a call, nil when it succeeds. The caller holds w.mu.
func (w *World) fault(on Call, layer string) *Fault {
	for _, f := range w.faults {
		if f.On != on || f.Layer != "" && string(f.Layer) != layer || f.Times == 0 {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times > 0 {
			f.Times--
		}
		return f
	}
	return nil
}

// QuotaError is what an engine returns when a quota is used up half-way.
func QuotaError(org string, l plan.Layer) error {
	return &engine.Error{
		Stack: plan.StackName(org, l), Doing: "update", Kind: engine.ErrQuota,
		Detail: "AddressLimitExceeded: the maximum number of addresses has been reached",
		Next:   "ask AWS to raise the quota, then run the same command again",
	}
}

// CredentialsError is what an engine returns when a session has expired.
func CredentialsError(org string, l plan.Layer) error {
	return &engine.Error{
		Stack: plan.StackName(org, l), Doing: "update", Kind: engine.ErrCredentials,
		Detail: "ExpiredToken: the security token included in the request is expired",
		Next:   "sign in again, then run the same command again",
	}
}

// UnreachableError is what an engine returns when it cannot tell what the
// backend holds.
func UnreachableError(org string, l plan.Layer) error {
	return fmt.Errorf("stack %s: %w: the backend's folder is not mounted", plan.StackName(org, l), engine.ErrUnreachable)
}

// Violation is a finding of a rule that nobody answers for.
func Violation(org string, l plan.Layer, rule string) finding.Policy {
	return finding.Policy{
		Rule: rule, Title: "a title", Severity: "critical", Org: org, Layer: string(l), Answer: "violated",
		Resource: finding.Resource{Type: roleType, Name: "somebody"}, Message: "it lets somebody in", Why: "why", Fix: "fix",
	}
}
