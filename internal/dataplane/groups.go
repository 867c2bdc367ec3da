package dataplane

import (
	"slices"

	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

// Group is a node group that is there, as the cluster layer's state has it and
// as EKS has it now.
type Group struct {
	Pool       string `json:"pool"`
	Generation int    `json:"generation"`
	Name       string `json:"name"` // at AWS
	// Fixed is what of it can never change: see fixed.
	Fixed map[string]any `json:"fixed"`
	// URNs are those of all that is part of it in the state.
	URNs []string `json:"urns"`
	// Size is how many nodes it is to have now.
	Size int `json:"size"`
	// Differs says why the engine would replace it, though the plan did not ask
	// for that; nil: it would not.
	Differs []finding.Difference `json:"differs,omitempty"`
}

// Groups is what becomes of a cluster's node groups.
type Groups struct {
	// Pools say which group each pool of the plan has.
	Pools map[string]stacks.PoolState `json:"pools,omitempty"`
	// Retiring are groups that go when their pods have moved.
	Retiring []Group `json:"retiring,omitempty"`
	// Staying are the names of groups that the pods of retiring ones move to.
	Staying []string `json:"staying,omitempty"`
	// Moves say the same, for people.
	Moves []event.Move `json:"moves,omitempty"`
}

// Hold are the URNs of what stays as it is until pods have moved.
func (g Groups) Hold() []string {
	var urns []string
	for _, r := range g.Retiring {
		urns = append(urns, r.URNs...)
	}
	return urns
}

// WithGroups is the data plane with the node groups that its cluster is to have.
func (d DataPlane) WithGroups(g Groups) DataPlane {
	d.Groups = g
	return d
}

// WithoutHold is the data plane after the pods of retiring groups have moved.
func (d DataPlane) WithoutHold() DataPlane {
	d.Groups.Retiring, d.Groups.Staying = nil, nil
	return d
}

// NodeGroups decides which node group each pool of the plan has, given those
// that are there. A group that can become what the plan says stays. Otherwise
// the pool gets another one, and the old group goes when that is there and the
// pods have moved.
//
// A group is never renamed, so a data plane that an earlier version of Freehold
// made keeps its groups. The answer is the same after a kill: the newest group
// that fits is the pool's.
func (d DataPlane) NodeGroups(there []Group) Groups {
	var out Groups
	stays := map[string]bool{}
	for _, p := range d.Plan.Cluster.NodePools {
		state, group := poolState(p, there)
		if out.Pools == nil {
			out.Pools = map[string]stacks.PoolState{}
		}
		out.Pools[p.Pool] = state
		stays[p.GroupName(state.Generation)] = group
	}
	for _, g := range there {
		if !stays[g.Name] {
			out.Retiring = append(out.Retiring, g)
		}
	}
	for _, g := range out.Retiring {
		out.Moves = append(out.Moves, d.move(g, out.Pools))
	}
	out.Staying = d.staying(out)
	return out
}

// staying are the groups that take the places of retiring ones; all, where a pool
// is no longer in the plan.
func (d DataPlane) staying(g Groups) []string {
	var out []string
	for _, m := range g.Moves {
		if m.To != "" && !slices.Contains(out, m.To) {
			out = append(out, m.To)
		}
	}
	if len(g.Moves) == 0 || len(out) > 0 {
		return out
	}
	for _, p := range d.Plan.Cluster.NodePools {
		out = append(out, p.GroupName(g.Pools[p.Pool].Generation))
	}
	return out
}

// poolState is what a pool's node group depends on beside the plan, and whether
// that group is there.
func poolState(p plan.NodePool, there []Group) (state stacks.PoolState, exists bool) {
	newest, size := 0, 0
	for _, g := range there {
		if g.Pool != p.Pool {
			continue
		}
		if fits := g.Differs == nil && len(drift.Compare(fixed(p), g.Fixed)) == 0; fits && g.Generation > state.Generation {
			state = stacks.PoolState{Generation: g.Generation}
			if within := min(max(g.Size, p.Min), p.Max); within != g.Size {
				// EKS refuses bounds that leave out the size.
				state.Size = &within
			}
			exists = true
		}
		if g.Generation > newest {
			newest, size = g.Generation, g.Size
		}
	}
	if exists || newest == 0 {
		return state, exists
	}
	// The pods of the old group need as much room in the new one.
	size = min(max(size, p.Min, p.Desired), p.Max)
	return stacks.PoolState{Generation: newest + 1, Size: &size}, false
}

// fixed is what of a pool EKS does not change in a node group, by the names of
// the provider. Everything else of a pool is changed in place: the bounds,
// labels and taints by UpdateNodegroupConfig, and the version, the disk and the
// rest of the launch template by UpdateNodegroupVersion. Subnets, the role and
// the template itself are other resources; where one of those is made anew, the
// engine says so.
//
// https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupConfig.html
// https://docs.aws.amazon.com/eks/latest/APIReference/API_UpdateNodegroupVersion.html
func fixed(p plan.NodePool) map[string]any {
	return map[string]any{"instanceTypes": anys(p.InstanceTypes), "capacityType": p.CapacityType, "amiType": p.AMIType}
}

// FixedOf is the same of the inputs of a node group in a state.
func FixedOf(inputs map[string]any) map[string]any {
	out := map[string]any{}
	for key := range fixed(plan.NodePool{}) {
		out[key] = inputs[key]
	}
	return out
}

func anys(texts []string) []any {
	out := make([]any, len(texts))
	for i, s := range texts {
		out[i] = s
	}
	return out
}

func (d DataPlane) move(from Group, pools map[string]stacks.PoolState) event.Move {
	m := event.Move{Pool: from.Pool, From: from.Name, Nodes: from.Size, Because: from.Differs}
	i := slices.IndexFunc(d.Plan.Cluster.NodePools, func(p plan.NodePool) bool { return p.Pool == from.Pool })
	if i < 0 {
		return m
	}
	p := d.Plan.Cluster.NodePools[i]
	m.To = p.GroupName(pools[p.Pool].Generation)
	if m.Because == nil {
		m.Because = drift.Compare(fixed(p), from.Fixed)
	}
	return m
}
