// Package dataplane is one org's data plane as a value: what it was planned to
// be, what is known of each layer, what a layer runs on, whose each identity
// is, and what stands in the way of a request. It is pure: it asks nobody and
// changes nothing. Whoever gathers the facts hands them in, and all that
// follows from them is decided here, once.
//
// A DataPlane survives JSON, so that another process can go on with it.
package dataplane

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

// The states of a layer, in the registry and in reports.
const (
	Making     = "making"      // a run has begun and has not ended
	Done       = "done"        // made as planned
	Failed     = "failed"      // the last run failed
	Removing   = "removing"    // its removal has begun and has not ended
	Removed    = "removed"     // seen to be gone
	NotStarted = "not-started" // never made
	Skipped    = "skipped"     // there was nothing to remove
)

// The states of an org in the registry.
const (
	OrgOnboarding  = "onboarding"
	OrgReady       = "ready"
	OrgFailed      = "failed"
	OrgOffboarding = "offboarding"
	OrgOffboarded  = "offboarded"
)

// ErrNotReady is wrapped when a layer's input needs a layer that is not made.
var ErrNotReady = errors.New("the layer before it is not made yet")

// DataPlane is one org's data plane: its plan, who Freehold is in the
// management account, and what is known of its layers.
type DataPlane struct {
	Plan   plan.Plan                     `json:"plan"`
	Caller cloud.Identity                `json:"caller"`
	Layers map[plan.Layer]registry.Layer `json:"layers,omitempty"`
	// Upgrade is true where a cluster with nodes has to get to another version of
	// Kubernetes, or its nodes after it.
	Upgrade bool `json:"upgrade,omitempty"`
	// Begun are the types of what layers that were never finished have made, or
	// may have, as their states say.
	Begun map[plan.Layer][]string `json:"begun,omitempty"`
	// Groups is what becomes of the cluster's node groups, where that was asked.
	Groups Groups `json:"groups,omitzero"`
}

// Of joins a plan to what is recorded of its layers.
func Of(p plan.Plan, caller cloud.Identity, recorded map[string]registry.Layer) DataPlane {
	d := DataPlane{Plan: p, Caller: caller, Layers: map[plan.Layer]registry.Layer{}}
	for _, l := range plan.Layers() {
		if rec, ok := recorded[string(l)]; ok {
			d.Layers[l] = rec
		}
	}
	return d
}

// Recorded reads the plan that an org was last onboarded with.
func Recorded(o registry.Org) (p plan.Plan, err error) {
	if err := json.Unmarshal(o.Plan, &p); err != nil {
		return p, fmt.Errorf("read the plan that %s was onboarded with: %w", o.Org, err)
	}
	return p, nil
}

// Record is what the registry keeps of the org in a state.
func (d DataPlane) Record(state string) (registry.Org, error) {
	raw, err := json.Marshal(d.Plan)
	if err != nil {
		return registry.Org{}, fmt.Errorf("write the plan of %s: %w", d.Plan.Org, err)
	}
	out := registry.Org{
		Org: d.Plan.Org, State: state, Plan: raw, Hash: d.Plan.Hash, HashVersion: d.Plan.HashVersion,
		Management: d.Caller.AccountID,
	}
	for _, p := range d.Plan.Bootstrap.Projects {
		text, err := json.Marshal(p)
		if err != nil {
			return registry.Org{}, fmt.Errorf("write project %s of %s: %w", p.Name, d.Plan.Org, err)
		}
		out.Projects = append(out.Projects, registry.Project{Name: p.Name, Spec: text})
	}
	for _, e := range d.Plan.Exceptions {
		out.Exceptions = append(out.Exceptions, registry.Exception(e))
	}
	return out, nil
}

// Layer is what is known of a layer; a layer of which nothing is has no State.
func (d DataPlane) Layer(l plan.Layer) registry.Layer {
	rec := d.Layers[l]
	rec.Layer = string(l)
	return rec
}

// With is the data plane with another record of one layer. The receiver keeps its own.
func (d DataPlane) With(rec registry.Layer) DataPlane {
	d.Layers = maps.Clone(d.Layers)
	if d.Layers == nil {
		d.Layers = map[plan.Layer]registry.Layer{}
	}
	d.Layers[plan.Layer(rec.Layer)] = rec
	return d
}

// Outputs are what a layer gave out when it was last made, nil when it is not made.
func (d DataPlane) Outputs(l plan.Layer) map[string]any {
	rec := d.Layers[l]
	if rec.State == Removed || len(rec.Outputs) == 0 {
		return nil
	}
	return rec.Outputs
}

// Result is a layer's record as reports show it.
func (d DataPlane) Result(l plan.Layer) event.LayerResult {
	res := event.LayerResult{Layer: string(l), Stack: plan.StackName(d.Plan.Org, l), State: NotStarted}
	if rec, ok := d.Layers[l]; ok {
		res.State, res.Resources, res.Duration, res.Error = rec.State, rec.Resources, rec.Duration, rec.Error
	}
	return res
}

// Made reports whether a layer has made something in the cloud, or may have.
func (d DataPlane) Made(l plan.Layer) bool {
	rec := d.Layers[l]
	return rec.Made && rec.State != Removed
}

// WithBegun is the data plane with other types of what an unfinished layer has made.
func (d DataPlane) WithBegun(l plan.Layer, types []string) DataPlane {
	d.Begun = maps.Clone(d.Begun)
	if d.Begun == nil {
		d.Begun = map[plan.Layer][]string{}
	}
	d.Begun[l] = types
	if len(types) == 0 {
		delete(d.Begun, l)
	}
	return d
}

// has reports whether a layer has made something of a type, or may have. A
// finished layer has everything.
func (d DataPlane) has(l plan.Layer, typ string) bool {
	return d.Outputs(l) != nil || slices.Contains(d.Begun[l], typ)
}

// HasAccount reports whether the org has an account, or may have: one that was
// vended for it, or its own with something of Freehold's in it. From then on
// the org is somebody.
func (d DataPlane) HasAccount() bool {
	return d.has(plan.LayerAccount, awstype.OrganizationsAccount) || d.inAccount()
}

// inAccount reports whether anything was made in the org's account, or may have been.
func (d DataPlane) inAccount() bool {
	return d.Made(plan.LayerBoundary) || d.Made(plan.LayerCluster) || d.Made(plan.LayerBootstrap)
}

// Decode reads a layer's outputs; it wraps ErrNotReady when the layer is not made.
func Decode[Out any](d DataPlane, l plan.Layer) (out Out, err error) {
	outs := d.Outputs(l)
	if outs == nil {
		return out, fmt.Errorf("%w: %s", ErrNotReady, l)
	}
	if out, err = stacks.Decode[Out](outs); err != nil {
		return out, fmt.Errorf("outputs of layer %s: %w", l, err)
	}
	return out, nil
}

// decodeMade reads a layer's outputs, or the zero value when it is not made.
func decodeMade[Out any](d DataPlane, l plan.Layer) (out Out, err error) {
	if d.Outputs(l) == nil {
		return out, nil
	}
	return Decode[Out](d, l)
}

// Account reaches the org's account as the access role of the account layer.
func (d DataPlane) Account() (cloud.Account, error) {
	out, err := Decode[stacks.AccountOut](d, plan.LayerAccount)
	if err != nil {
		return cloud.Account{}, err
	}
	return cloud.Account{ID: out.AccountID, Region: d.Plan.Region, RoleARN: out.AccessRoleARN, ExternalID: out.ExternalID}, nil
}

// Works is the account that a layer works in, for looking up what it made.
func (d DataPlane) Works(l plan.Layer) (cloud.Account, error) {
	if l == plan.LayerAccount {
		return cloud.Account{Region: d.Plan.Region}, nil
	}
	return d.Account()
}

// Brought reaches the account that the org brings, before anything is made.
func (d DataPlane) Brought() cloud.Account {
	a := d.Plan.Account
	return cloud.Account{ID: iam.AccountIn(a.RoleARN), Region: d.Plan.Region, RoleARN: a.RoleARN, ExternalID: a.ExternalID}
}

// Provision reaches the org's account as the provision role.
func (d DataPlane) Provision() (cloud.Account, error) {
	account, err := Decode[stacks.AccountOut](d, plan.LayerAccount)
	if err != nil {
		return cloud.Account{}, err
	}
	boundary, err := Decode[stacks.BoundaryOut](d, plan.LayerBoundary)
	if err != nil {
		return cloud.Account{}, err
	}
	return cloud.Account{
		ID: account.AccountID, Region: d.Plan.Region, RoleARN: boundary.ProvisionRoleARN, ExternalID: d.Plan.Boundary.ExternalID,
	}, nil
}

// Cluster reaches the org's cluster as the provision role.
func (d DataPlane) Cluster() (cloud.Cluster, error) {
	at, err := d.Provision()
	if err != nil {
		return cloud.Cluster{}, err
	}
	c, err := Decode[stacks.ClusterOut](d, plan.LayerCluster)
	if err != nil {
		return cloud.Cluster{}, err
	}
	return cloud.Cluster{
		Account: at,
		Name:    c.Name, ARN: c.ARN, Endpoint: c.Endpoint, CA: c.CertificateAuthority,
	}, nil
}

// Summary is what an operator asks for first.
func (d DataPlane) Summary() event.DataPlane {
	text := func(l plan.Layer, key string) string {
		v, _ := d.Outputs(l)[key].(string)
		return v
	}
	out := event.DataPlane{
		Org: d.Plan.Org, Region: d.Plan.Region,
		AccountID:       text(plan.LayerAccount, "accountId"),
		BoundaryARN:     text(plan.LayerBoundary, "boundaryArn"),
		DataKeyARN:      text(plan.LayerBoundary, "dataKeyArn"),
		VPCID:           text(plan.LayerCluster, "vpcId"),
		ClusterName:     text(plan.LayerCluster, "name"),
		ClusterARN:      text(plan.LayerCluster, "arn"),
		ClusterEndpoint: text(plan.LayerCluster, "endpoint"),
		OIDCIssuer:      text(plan.LayerCluster, "oidcIssuer"),
	}
	if out.VPCID != "" {
		out.CIDR = d.Plan.Cluster.CIDR
	}
	if names, ok := d.Outputs(plan.LayerBootstrap)["projects"].([]any); ok {
		for _, n := range names {
			if name, ok := n.(string); ok {
				out.Projects = append(out.Projects, name)
			}
		}
	}
	for _, p := range d.Plan.Bootstrap.Pulled() {
		out.Projects = append(out.Projects, p.Name)
	}
	return out
}
