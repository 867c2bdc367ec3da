package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// The component that makes a node group, and how the logical names of all that
// it is made of begin.
const (
	nodeGroupComponent = "eks:index:ManagedNodeGroup"
	poolPart           = "cluster-pool-"
)

// withGroups is the data plane with what becomes of its node groups: of those
// that the state has and EKS has, too. replaced are steps by which the engine
// would replace one.
func (s *Service) withGroups(ctx context.Context, d dataplane.DataPlane, replaced []engine.Step) (dataplane.DataPlane, error) {
	there, err := s.nodeGroups(ctx, d)
	if err != nil {
		return d, fmt.Errorf("look at the node groups of %s: %w", d.Plan.Cluster.Name, err)
	}
	for i, g := range there {
		for _, st := range replaced {
			if st.Type == awstype.EKSNodeGroup && slices.Contains(g.URNs, st.URN) {
				there[i].Differs = differs(st)
			}
		}
	}
	return d.WithGroups(d.NodeGroups(there)), nil
}

// seeGroups is withGroups as a step.
func (r *run) seeGroups(ctx context.Context, in layerIn) (dataplane.DataPlane, error) {
	return r.withGroups(ctx, in.DataPlane, nil)
}

// differs are the properties for which the engine would replace a node group. A
// value that nobody knows yet is empty.
func differs(st engine.Step) []finding.Difference {
	out := []finding.Difference{}
	for _, f := range drift.Compare(st.NewInputs, st.OldInputs) {
		top, _, _ := strings.Cut(f.Path, ".")
		top, _, _ = strings.Cut(top, "[")
		if slices.Contains(st.Diffs, top) {
			out = append(out, f)
		}
	}
	return out
}

// nodeGroups are the node groups of the state that EKS still has.
func (s *Service) nodeGroups(ctx context.Context, d dataplane.DataPlane) ([]dataplane.Group, error) {
	stored, err := s.Engine.Resources(ctx, stackOf(d.Plan.Org, plan.LayerCluster),
		awstype.EKSNodeGroup, awstype.EC2LaunchTemplate, nodeGroupComponent)
	if err != nil || len(stored) == 0 {
		return nil, err
	}
	at, err := d.Provision()
	if err != nil {
		return nil, err
	}
	var out []dataplane.Group
	for _, r := range stored {
		pool, ok := strings.CutPrefix(r.Name, poolPart)
		if r.Type != awstype.EKSNodeGroup || !ok {
			continue
		}
		g := dataplane.Group{Pool: pool, Generation: 1, Fixed: dataplane.FixedOf(r.Inputs)}
		if before, number, numbered := strings.Cut(pool, "_"); numbered {
			if g.Generation, err = strconv.Atoi(number); err != nil {
				return nil, fmt.Errorf("%s has no number: %w", r.URN, err)
			}
			g.Pool = before
		}
		g.Name, _ = r.Inputs["nodeGroupName"].(string)
		for _, part := range stored {
			if part.Name == r.Name {
				g.URNs = append(g.URNs, part.URN)
			}
		}
		live, err := s.Cloud.NodeGroup(ctx, at, d.Plan.Cluster.Name, g.Name)
		if errors.Is(err, cloud.ErrNotFound) {
			continue // the engine will see that, too, and there is nothing to move
		}
		if err != nil {
			return nil, err
		}
		g.Size = live.Size
		out = append(out, g)
	}
	return out, nil
}

// upGroups is up for the cluster layer: what takes an old node group's place is
// made first, then the pods move, and then the old group goes.
//
//	up      with the old groups held as they are
//	renew   access entries that were made for earlier roles of their names
//	move    the nodes of the old groups take no more pods, and lose those that they have
//	up      without the old groups
//
// Killed at any moment, it begins again with what the state and EKS have then.
func (r *run) upGroups(ctx context.Context, in layerIn) (made layerOut, err error) {
	defer func() { err = r.namingBudgets(ctx, in.DataPlane, err) }()
	made, err = r.upLayer(ctx, in)
	if replace, ok := errors.AsType[*engine.ReplaceError](err); ok {
		// What is behind a group was made anew, and the group would be deleted
		// before another one is there.
		if in.DataPlane, err = r.withGroups(ctx, in.DataPlane, replace.Steps); err != nil {
			return made, err
		}
		made, err = r.upLayer(ctx, in)
	}
	if err != nil {
		return made, err
	}
	// Whoever moves pods has to be let in.
	if _, err := do(ctx, r.step("renew", in.Layer), r.renewEntries, layerIn{DataPlane: made.DataPlane, Layer: in.Layer}); err != nil {
		return made, err
	}
	groups := in.DataPlane.Groups
	if len(groups.Retiring) == 0 {
		return made, nil
	}
	move := moveIn{DataPlane: made.DataPlane, To: groups.Staying}
	for _, g := range groups.Retiring {
		move.From = append(move.From, g.Name)
	}
	if _, err := do(ctx, r.step("pods", in.Layer), r.movePods, move); err != nil {
		return made, err
	}
	before := made.Result.Changes
	made, err = r.upLayer(ctx, layerIn{DataPlane: made.DataPlane.WithoutHold(), Layer: in.Layer})
	made.Result.Changes = together(before, made.Result.Changes)
	return made, err
}

// together are the changes of two runs of one layer: what the second left alone
// counts once.
func together(first, second map[string]int) map[string]int {
	out := map[string]int{}
	maps.Copy(out, second)
	for op, n := range first {
		if op != "same" {
			out[op] += n
		}
	}
	return out
}
