// Package lifecycle holds the use cases: plan, onboard, status, projects,
// drift, audit, offboard. Each is safe to run again and, after a kill at any
// moment, ends where an undisturbed run would have ended, on this machine or on
// another one with the same backend, registry and secrets.
//
// A use case that changes something is an operation and a sequence of steps:
//
//	begin ─ admit ─┬─ for each layer: claim ─ adopt ─ clear ─ up ─ settle ─┬─ inventory ─ end
//	               └─ refused: nothing was touched                          └─ failed: claims of what was never made are released
//
// A step takes a plain value and returns one; both survive JSON, so that another
// process can repeat it (step.go). Only the operation's handle writes to the
// registry. What is decided from facts is decided in package dataplane.
package lifecycle

import (
	"errors"
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/finding"
)

var (
	// ErrBusy is wrapped when another operation holds the org.
	ErrBusy = errors.New("another operation holds this org")
	// ErrBlocked is wrapped when a policy blocked the operation.
	ErrBlocked = errors.New("blocked by policy")
	// ErrPending is wrapped when the cloud must act first; run again later.
	ErrPending = errors.New("pending on the cloud")
	// ErrInvalid is wrapped when the request itself cannot be done: an e-mail
	// that another org uses, a field that cannot change, an org not known.
	ErrInvalid = errors.New("invalid request")
	// ErrProtected is wrapped when deletion protection stands in the way.
	ErrProtected = errors.New("protected from deletion")
	// ErrCancelled is wrapped when the caller stopped the operation.
	ErrCancelled = errors.New("cancelled")
	// ErrLate is wrapped when a step was given up at its deadline.
	ErrLate = errors.New("the step took too long")
)

// Error is a failure with everything that an operator needs to act on it.
type Error struct {
	Org      string
	Layer    string // empty: no layer
	Resource string // the resource's type and name, empty: none
	Doing    string // what was tried, "create"
	Next     string // what to do now
	// Policy is what the policies do not allow, and behind it what somebody
	// answers for; empty for another failure.
	Policy []finding.Policy
	// Refusals are the reasons why a request was refused before anything was
	// touched; empty for another failure.
	Refusals []dataplane.Refusal
	Err      error
}

// Error names the org, the layer, the resource and the cause; Next is printed apart.
func (e *Error) Error() string {
	var at []string
	for _, s := range []string{e.Org, e.Layer, e.Resource} {
		if s != "" {
			at = append(at, s)
		}
	}
	if e.Doing != "" {
		at = append(at, e.Doing)
	}
	return fmt.Sprintf("%s: %v", strings.Join(at, ": "), e.Err)
}

// Unwrap gives errors.Is and errors.As the cause.
func (e *Error) Unwrap() error { return e.Err }

// PlanOptions are an operator's choices for one run.
type PlanOptions struct {
	// Prune also lists what Onboard with Prune would remove.
	Prune bool
}

// OnboardOptions are an operator's choices for one run.
type OnboardOptions struct {
	// Prune removes what no layer declares from the org's account: what takes a
	// place that a layer needs before that layer, and the rest after all layers.
	Prune bool

	Call
}

// AuditOptions are an operator's choices for one run.
type AuditOptions struct {
	// Orgs are those to audit; empty: every org that is not offboarded.
	Orgs []string
	// Stored reads the stored states only, and no account.
	Stored bool
}

// OffboardOptions are an operator's choices for one run.
type OffboardOptions struct {
	// CloseAccount closes a vended account; the spec's closeOnOffboarding does the same.
	CloseAccount bool
	// KeepAccount keeps it whatever the spec says.
	KeepAccount bool

	Call
}
