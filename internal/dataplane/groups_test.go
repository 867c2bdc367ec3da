package dataplane

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

func pool(name, instance string, least, most, desired int) plan.NodePool {
	return plan.NodePool{
		Name: "freehold-acme-" + name, Pool: name, InstanceTypes: []string{instance}, CapacityType: "ON_DEMAND", AMIType: "AL2023_x86_64_STANDARD",
		Min: least, Max: most, Desired: desired,
	}
}

func group(name, suffix string, generation int, instance string, size int, differs ...finding.Difference) Group {
	g := Group{
		Pool: name, Generation: generation, Name: "freehold-acme-" + name + suffix, URNs: []string{"urn:" + name + suffix}, Size: size,
		Fixed: FixedOf(map[string]any{
			"instanceTypes": []any{instance}, "capacityType": "ON_DEMAND", "amiType": "AL2023_x86_64_STANDARD", "version": "1.34",
		}),
	}
	if len(differs) > 0 {
		g.Differs = differs
	}
	return g
}

func TestAPoolKeepsItsNodeGroupOrGetsAnotherOneFirst(t *testing.T) {
	template := finding.Difference{Path: "launchTemplate.id", Have: `"lt-1"`}
	larger := []finding.Difference{{Path: "instanceTypes[0]", Want: `"m6i.xlarge"`, Have: `"m6i.large"`}}
	for reason, tc := range map[string]struct {
		plan  []plan.NodePool
		there []Group
		pools map[string]stacks.PoolState
		hold  []string
		stays []string
		moves []event.Move
	}{
		"a new cluster's pools have their first groups, at the plan's size": {
			plan: []plan.NodePool{pool("a", "m6i.large", 1, 4, 2)}, pools: map[string]stacks.PoolState{"a": {}},
		},
		"a group that an earlier version made stays, at the size that an autoscaler gave it": {
			plan: []plan.NodePool{pool("a", "m6i.large", 1, 4, 2)}, there: []Group{group("a", "", 1, "m6i.large", 3)},
			pools: map[string]stacks.PoolState{"a": {Generation: 1}},
		},
		"a size below the new minimum goes up to it": {
			plan: []plan.NodePool{pool("a", "m6i.large", 4, 6, 4)}, there: []Group{group("a", "", 1, "m6i.large", 3)},
			pools: map[string]stacks.PoolState{"a": {Generation: 1, Size: new(4)}},
		},
		"a size above the new maximum goes down to it": {
			plan: []plan.NodePool{pool("a", "m6i.large", 1, 2, 1)}, there: []Group{group("a", "", 1, "m6i.large", 3)},
			pools: map[string]stacks.PoolState{"a": {Generation: 1, Size: new(2)}},
		},
		"other instances are another group, with as many nodes": {
			plan: []plan.NodePool{pool("a", "m6i.xlarge", 1, 4, 2)}, there: []Group{group("a", "", 1, "m6i.large", 3)},
			pools: map[string]stacks.PoolState{"a": {Generation: 2, Size: new(3)}},
			hold:  []string{"urn:a"}, stays: []string{"freehold-acme-a_2"},
			moves: []event.Move{{Pool: "a", From: "freehold-acme-a", To: "freehold-acme-a_2", Nodes: 3, Because: larger}},
		},
		"a killed change goes on with the group that it made": {
			plan: []plan.NodePool{pool("a", "m6i.xlarge", 1, 4, 2)}, there: []Group{group("a", "", 1, "m6i.large", 3), group("a", "_2", 2, "m6i.xlarge", 4)},
			pools: map[string]stacks.PoolState{"a": {Generation: 2}},
			hold:  []string{"urn:a"}, stays: []string{"freehold-acme-a_2"},
			moves: []event.Move{{Pool: "a", From: "freehold-acme-a", To: "freehold-acme-a_2", Nodes: 3, Because: larger}},
		},
		"a killed change that is taken back keeps the group that was there": {
			plan: []plan.NodePool{pool("a", "m6i.large", 1, 4, 2)}, there: []Group{group("a", "", 1, "m6i.large", 3), group("a", "_2", 2, "m6i.xlarge", 4)},
			pools: map[string]stacks.PoolState{"a": {Generation: 1}},
			hold:  []string{"urn:a_2"}, stays: []string{"freehold-acme-a"},
			moves: []event.Move{{Pool: "a", From: "freehold-acme-a_2", To: "freehold-acme-a", Nodes: 4, Because: []finding.Difference{
				{Path: "instanceTypes[0]", Want: `"m6i.large"`, Have: `"m6i.xlarge"`},
			}}},
		},
		"a group whose template was lost gets a successor": {
			plan: []plan.NodePool{pool("a", "m6i.large", 1, 4, 2)}, there: []Group{group("a", "", 1, "m6i.large", 3, template)},
			pools: map[string]stacks.PoolState{"a": {Generation: 2, Size: new(3)}},
			hold:  []string{"urn:a"}, stays: []string{"freehold-acme-a_2"},
			moves: []event.Move{{Pool: "a", From: "freehold-acme-a", To: "freehold-acme-a_2", Nodes: 3, Because: []finding.Difference{template}}},
		},
		"of two groups that fit, the newer one is the pool's": {
			plan: []plan.NodePool{pool("a", "m6i.large", 1, 4, 2)}, there: []Group{group("a", "", 1, "m6i.large", 3), group("a", "_2", 2, "m6i.large", 3)},
			pools: map[string]stacks.PoolState{"a": {Generation: 2}},
			hold:  []string{"urn:a"}, stays: []string{"freehold-acme-a_2"},
			moves: []event.Move{{Pool: "a", From: "freehold-acme-a", To: "freehold-acme-a_2", Nodes: 3}},
		},
		"a pool that is gone from the spec moves to the others": {
			plan: []plan.NodePool{pool("b", "m6i.large", 1, 4, 2)}, there: []Group{group("a", "", 1, "m6i.large", 3), group("b", "", 1, "m6i.large", 2)},
			pools: map[string]stacks.PoolState{"b": {Generation: 1}},
			hold:  []string{"urn:a"}, stays: []string{"freehold-acme-b"},
			moves: []event.Move{{Pool: "a", From: "freehold-acme-a", Nodes: 3}},
		},
	} {
		t.Run(reason, func(t *testing.T) {
			d := DataPlane{Plan: plan.Plan{Cluster: plan.Cluster{NodePools: tc.plan}}}
			got := d.NodeGroups(tc.there)
			if diff := cmp.Diff(tc.pools, got.Pools); diff != "" {
				t.Errorf("pools (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.hold, got.Hold()); diff != "" {
				t.Errorf("held (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.stays, got.Staying); diff != "" {
				t.Errorf("staying (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.moves, got.Moves); diff != "" {
				t.Errorf("moves (-want +got):\n%s", diff)
			}
		})
	}
}

// No group of one pool is called as a group of another one, however long the names are.
func TestGroupsOfTwoPoolsNeverHaveOneName(t *testing.T) {
	long := "freehold-an-org-with-a-very-long-name-of-forty-char-a-pool-long"
	seen := map[string]string{}
	for _, name := range []string{"freehold-acme-a", "freehold-acme-a-2", long, long[:62] + "x"} {
		p := plan.NodePool{Name: name, Pool: name}
		for generation := range 12 {
			if generation == 0 {
				continue
			}
			got := p.GroupName(generation)
			if other, taken := seen[got]; taken || len(got) > 63 {
				t.Errorf("group %d of %s is called %s, as one of %s", generation, name, got, other)
			}
			seen[got] = name
		}
	}
}
