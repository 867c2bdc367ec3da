// Package finding holds what is wrong, as values: a drift, a rule's answer about
// a resource, and what two orgs share.
package finding

import "strings"

// Kind says what kind of drift a Finding is.
type Kind string

// The kinds of drift.
const (
	Changed    Kind = "changed"    // a property is not what the layer set
	Missing    Kind = "missing"    // a resource is gone
	Unmanaged  Kind = "unmanaged"  // a thing in the account that no layer declares
	Unreadable Kind = "unreadable" // could not be read: neither drift nor its absence
	Unfinished Kind = "unfinished" // an operation on it has begun and has not ended: what there is is not what was asked for
	Violated   Kind = "violated"   // what was read violates a rule: Policy says which
)

// Finding is one drift.
type Finding struct {
	Kind        Kind         `json:"kind"`
	Layer       string       `json:"layer,omitempty"`
	Type        string       `json:"type"`
	Name        string       `json:"name"`
	ID          string       `json:"id,omitempty"`
	URN         string       `json:"urn,omitempty"`
	Differences []Difference `json:"differences,omitempty"`
	Message     string       `json:"message,omitempty"`
	// Policy is the rule's own finding, for a Violated.
	Policy *Policy `json:"policy,omitempty"`
}

// WayIn is what a customer has made to let Freehold into an account of its own:
// the role, and what of the account is there for that role and nothing else. No
// layer declares it, it is no drift, and nothing removes it: it is the customer's.
type WayIn struct {
	Role string `json:"role"` // the ARN
	// Policies are attached to the role, inline in it ("inline NAME"), or its
	// permissions boundary.
	Policies []string `json:"policies"`
}

// String names all of it.
func (w WayIn) String() string {
	if len(w.Policies) == 0 {
		return "role " + w.Role
	}
	return "role " + w.Role + " with " + strings.Join(w.Policies, ", ")
}

// Same reports whether two findings are about the same resource: some looks at a
// resource know it by its URN, and others by its id only.
func (f Finding) Same(o Finding) bool {
	if f.URN != "" && o.URN != "" {
		return f.URN == o.URN
	}
	return f.Layer == o.Layer && f.Type == o.Type && f.ID == o.ID && f.ID != ""
}

// Difference is one property that is not what it should be.
type Difference struct {
	Path string `json:"path"`
	Want string `json:"want"` // as JSON; empty: absent
	Have string `json:"have"` // as JSON; empty: absent
}

// Shared is one thing that two orgs have in common.
type Shared struct {
	Kind   string   `json:"kind"` // account, boundary, cluster, vpc, key…
	Value  string   `json:"value"`
	Owners []string `json:"owners"`
}
