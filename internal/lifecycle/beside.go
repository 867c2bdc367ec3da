package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// besideStacks are all that a cloud is told beside the stacks, by the call: what
// stays set, which drift, plan and onboard then look at by settings below, and
// acts that leave nothing to compare. Everything else of a Cloud only reads, and
// a test holds this table to the interface.
//
// Of Kubernetes, only acts go past the engine: the end of an offboarded org's
// projects, and of the right to make more (removeUnrecorded), and that a namespace
// goes with its project (confirm). What is put back (putBack) is what a layer
// declares.
var besideStacks = map[string]string{
	"ProtectCluster": "setting: deletion protection, which neither provider has",
	"CloseAccount":   "act: ends a vended account",
	"Remove":         "act: removes what no layer declares",
	"RenewEntry":     "act: makes an access entry of a layer again for the role that there is now; drift and plan look for such entries",
}

// setting is something that Freehold sets beside the stacks, and that stays.
type setting struct {
	layer plan.Layer
	// typ is the Pulumi type of what it is set on, and path how drift calls it there.
	typ, path string
	want      func(plan.Plan) any
	have      func(cloud.Running) any
	set       func(ctx context.Context, r *run, d dataplane.DataPlane) error
}

var settings = []setting{{
	layer: plan.LayerCluster, typ: awstype.EKSCluster, path: "deletionProtection",
	want: func(p plan.Plan) any { return p.Protected },
	have: func(c cloud.Running) any { return c.Protected },
	set: func(ctx context.Context, r *run, d dataplane.DataPlane) error {
		return r.protectCluster(ctx, d, d.Plan.Protected)
	},
}}

// unset are the settings of a layer that are not as the plan says, each as a
// finding. What they are set on may be gone: then there is nothing to compare.
func (s *Service) unset(ctx context.Context, d dataplane.DataPlane, l plan.Layer) ([]finding.Finding, error) {
	var out []finding.Finding
	for _, set := range settings {
		if set.layer != l || d.Outputs(l) == nil {
			continue
		}
		a, err := d.Account()
		if err != nil {
			return nil, err
		}
		c, err := d.Cluster()
		if err != nil {
			return nil, err
		}
		now, err := s.Cloud.Running(ctx, a, c.Name)
		if errors.Is(err, cloud.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s of cluster %s: %w", set.path, c.Name, err)
		}
		if want, have := set.want(d.Plan), set.have(now); want != have {
			out = append(out, finding.Finding{
				Kind: finding.Changed, Layer: string(l), Type: set.typ, Name: c.Name, ID: c.Name,
				Differences: []finding.Difference{{Path: set.path, Want: finding.Text(want), Have: finding.Text(have)}},
				Message:     "it is set beside the layer's stack",
			})
		}
	}
	return out, nil
}

// setBeside sets what belongs to a layer beside its stack, and returns what was
// not set as it should be. Of what the layer has just made, nothing could be.
func (r *run) setBeside(ctx context.Context, in layerIn) ([]finding.Finding, error) {
	var found []finding.Finding
	var err error
	if !in.New {
		if found, err = r.unset(ctx, in.DataPlane, in.Layer); err != nil {
			return nil, err
		}
	}
	for _, set := range settings {
		if set.layer != in.Layer {
			continue
		}
		if err := set.set(ctx, r, in.DataPlane); err != nil {
			return nil, err
		}
	}
	for _, f := range found {
		d := f.Differences[0]
		r.op.Emit(event.Event{
			Type: event.ResourceFinished, Layer: f.Layer, ResourceType: f.Type, ResourceName: f.Name, Op: "update",
			Message: fmt.Sprintf("set %s: %s, which was %s", d.Path, d.Want, d.Have),
		})
	}
	return found, nil
}
