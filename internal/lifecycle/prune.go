package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/drift"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
)

// sweepIn is an account whose layers are all made, and what they declare.
type sweepIn struct {
	DataPlane dataplane.DataPlane `json:"dataPlane"`
	Declared  drift.Declared      `json:"declared"`
	Prune     bool                `json:"prune,omitempty"`
}

// swept is what no layer declares: what was removed, also before an error, and
// what is there.
type swept struct {
	Removed []finding.Finding `json:"removed,omitempty"`
	Left    []finding.Finding `json:"left,omitempty"`
}

// sweep lists what is in the org's account and cluster and in no layer, or
// removes it. What is in the cluster goes first: it may hold what is in the account.
func (r *run) sweep(ctx context.Context, in sweepIn) (swept, error) {
	inCluster, err := r.sweepCluster(ctx, in.DataPlane, in.Prune)
	if err != nil {
		return inCluster, err
	}
	inAccount, err := r.sweepAccount(ctx, in)
	return swept{Removed: append(inAccount.Removed, inCluster.Removed...), Left: append(inAccount.Left, inCluster.Left...)}, err
}

func (r *run) sweepAccount(ctx context.Context, in sweepIn) (out swept, err error) {
	a, items, err := r.undeclared(ctx, in.DataPlane, in.Declared)
	if err != nil || !in.Prune {
		return swept{Left: findings(items)}, err
	}
	for _, it := range items {
		if it.WayIn {
			// It lets others in as well, and us: those others go first.
			out.Left = append(out.Left, undeclaredItem(it))
			continue
		}
		if err := r.prune(ctx, a, it); err != nil {
			return out, err
		}
		out.Removed = append(out.Removed, undeclaredItem(it))
	}
	return out, nil
}

// clear makes room for what a layer is about to create: of some things there
// can be only one in a place, and where somebody's stands in it, the layer would
// fail before anything is pruned. In a cluster it is all that somebody added: a
// project beside whose fences something stands does not get ready. It returns what
// it removed, also before an error.
func (r *run) clear(ctx context.Context, in layerIn) (removed []finding.Finding, err error) {
	d, l := in.DataPlane, in.Layer
	if l == plan.LayerAccount || !d.Made(l) {
		return nil, nil // the account is not there, or the layer has nothing yet that others could be in the way of
	}
	if l == plan.LayerBootstrap {
		found, err := r.sweepCluster(ctx, d, true)
		return found.Removed, err
	}
	wanted, err := r.wanted(ctx, d, l)
	if err != nil || len(wanted) == 0 {
		return nil, err
	}
	a, items, err := r.listed(ctx, d)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		if it.ByCloud || it.WayIn || it.Slot == "" || !wanted[it.Slot] {
			continue
		}
		if err := r.prune(ctx, a, it); err != nil {
			return removed, err
		}
		removed = append(removed, undeclaredItem(it))
	}
	return removed, nil
}

// wanted are the slots that a layer is about to fill, by what its preview would
// create: places with room for one (awstype.Slot). What stands in one of them
// is not the layer's own.
func (r *run) wanted(ctx context.Context, d dataplane.DataPlane, l plan.Layer) (map[string]bool, error) {
	st, err := r.stack(ctx, d, l)
	if err != nil {
		return nil, err
	}
	preview, err := r.Engine.Preview(ctx, st, r.waits)
	if err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for _, step := range preview.Steps {
		if step.Op != "create" && step.Op != "create-replacement" {
			continue
		}
		if slot, one := awstype.Slot(step.Type, step.NewInputs); one {
			out[slot] = true
		}
	}
	return out, nil
}

func (s *Service) prune(ctx context.Context, a cloud.Account, it cloud.Item) error {
	if err := s.Cloud.Remove(ctx, a, it); err != nil {
		return fmt.Errorf("remove %s %s, which no layer declares: %w", it.Type, it.ID, err)
	}
	return nil
}

// listed lists all that is in the org's account, and returns the account with it.
func (s *Service) listed(ctx context.Context, d dataplane.DataPlane) (cloud.Account, []cloud.Item, error) {
	a, err := d.Account()
	if err != nil {
		return a, nil, err
	}
	items, err := s.Cloud.Inventory(ctx, a)
	if err != nil {
		return a, nil, fmt.Errorf("list account %s: %w", a.ID, err)
	}
	return a, items, nil
}

// undeclared lists what somebody made in the org's account and no layer declares.
func (s *Service) undeclared(ctx context.Context, d dataplane.DataPlane, declared drift.Declared) (cloud.Account, []cloud.Item, error) {
	a, items, err := s.listed(ctx, d)
	if err != nil {
		return a, nil, err
	}
	return a, slices.DeleteFunc(bySomebody(items), func(it cloud.Item) bool { return declared.Has(itemOf(it)) }), nil
}

// bySomebody are the items that neither the cloud itself made nor a workload.
func bySomebody(items []cloud.Item) []cloud.Item {
	return slices.DeleteFunc(slices.Clone(items), func(it cloud.Item) bool { return it.ByCloud || it.ByWorkload })
}

func findings(items []cloud.Item) []finding.Finding {
	var out []finding.Finding
	for _, it := range items {
		out = append(out, undeclaredItem(it))
	}
	return out
}

func undeclaredItem(it cloud.Item) finding.Finding {
	return finding.Finding{Kind: finding.Unmanaged, Type: it.Type, Name: it.Name, ID: it.ID, Message: "no layer declares it"}
}

// wayIn is the customer's way into an account of its own; nil where there is
// none.
func wayIn(items []cloud.Item) *finding.WayIn {
	out := finding.WayIn{Policies: []string{}}
	add := func(policy string) {
		if !slices.Contains(out.Policies, policy) {
			out.Policies = append(out.Policies, policy)
		}
	}
	for _, it := range items {
		switch {
		case !it.WayIn || !it.ByCloud:
		case it.Type == awstype.IAMRole:
			out.Role = it.ARN
		case it.Type == awstype.IAMRolePolicy:
			add("inline " + it.Name)
		case it.Type == awstype.IAMRoleAttachment:
			_, arn, _ := strings.Cut(it.ID, "/")
			add(arn)
		default:
			add(it.ARN)
		}
	}
	if out.Role == "" {
		return nil
	}
	slices.Sort(out.Policies)
	return &out
}

func itemOf(it cloud.Item) drift.Item {
	return drift.Item{Type: it.Type, ID: it.ID, Name: it.Name, Of: it.Of}
}

func byCloud(it cloud.Item) bool { return it.ByCloud }
