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
	"freehold.dev/freehold/stacks"
)

// staleEntry is an access entry of one of the org's own roles that does not let
// the role in.
type staleEntry struct {
	cloud.Entry

	id    string // as the provider has it
	nodes bool   // the role is that of nodes
	// creators is true for the entry that EKS made for whoever created the
	// cluster. Nobody comes by it.
	creators bool
}

// staleEntries looks at the access entries of the org's roles. An entry is bound
// to the role that it was made for, which neither its state nor its ARN shows:
// when the role was made anew, its name is let in no longer.
func (s *Service) staleEntries(ctx context.Context, d dataplane.DataPlane) (out []staleEntry, err error) {
	boundary, err := dataplane.Decode[stacks.BoundaryOut](d, plan.LayerBoundary)
	if err != nil {
		return nil, err
	}
	cluster, err := dataplane.Decode[stacks.ClusterOut](d, plan.LayerCluster)
	if err != nil {
		return nil, err
	}
	at, err := d.Account()
	if err != nil {
		return nil, err
	}
	roles := []string{boundary.ProvisionRoleARN, boundary.BootstrapRoleARN, boundary.OffboardRoleARN, boundary.ReadRoleARN, cluster.NodeRoleARN}
	entries, err := s.Cloud.StaleEntries(ctx, at, cluster.Name, roles)
	if err != nil {
		return nil, fmt.Errorf("look at the access entries of cluster %s: %w", cluster.Name, err)
	}
	for _, e := range entries {
		out = append(out, staleEntry{
			Entry: e, id: cluster.Name + ":" + e.Principal,
			nodes: e.Principal == cluster.NodeRoleARN, creators: e.Principal == boundary.ProvisionRoleARN,
		})
	}
	return out, nil
}

// renewEntries lets the org's roles in again whose access entries are not theirs
// any more. The creator's is removed: whoever creates a cluster is let into it
// by EKS, and nobody needs that later.
func (r *run) renewEntries(ctx context.Context, in layerIn) (none, error) {
	d := in.DataPlane
	stale, err := r.staleEntries(ctx, d)
	if err != nil || len(stale) == 0 {
		return none{}, err
	}
	at, err := d.Provision()
	if err != nil {
		return none{}, err
	}
	for _, e := range stale {
		// The engine has just made those that the layer declares. The one of nodes
		// is EKS's, and a killed renewal leaves it out.
		if e.Missing && !e.nodes {
			continue
		}
		message := "its access entry was made for an earlier role of the name: made anew"
		if e.Missing {
			message = "it had no access entry, and its nodes were not let in: made anew"
		}
		if e.creators {
			message = "its access entry was made for an earlier role of the name, and nobody needs it: removed"
			err = r.Cloud.Remove(ctx, at, cloud.Item{Type: awstype.EKSAccessEntry, ID: e.id})
		} else {
			err = r.Cloud.RenewEntry(ctx, at, d.Plan.Cluster.Name, e.Principal, e.nodes)
		}
		if err != nil {
			return none{}, err
		}
		r.op.Emit(event.Event{
			Type: event.Diagnostic, Layer: string(plan.LayerCluster), ResourceType: awstype.EKSAccessEntry, ResourceName: e.Principal,
			Op: "replace", Message: e.Principal + ": " + message,
		})
	}
	return none{}, nil
}

// entryChanges are the access entries that onboard would make anew.
func (s *Service) entryChanges(ctx context.Context, d dataplane.DataPlane) ([]event.Change, error) {
	stale, err := s.staleEntries(ctx, d)
	if errors.Is(err, dataplane.ErrNotReady) {
		return nil, nil
	}
	var out []event.Change
	for _, e := range stale {
		op := "replace"
		switch {
		case e.Missing && !e.nodes:
			continue // what makes it is a change of its own
		case e.Missing:
			op = "create"
		case e.creators:
			op = "delete"
		}
		out = append(out, event.Change{Layer: string(plan.LayerCluster), Op: op, Type: awstype.EKSAccessEntry, Name: e.Principal})
	}
	return out, err
}

// entryFindings are the access entries that let nobody in.
func (s *Service) entryFindings(ctx context.Context, d dataplane.DataPlane) []finding.Finding {
	stale, err := s.staleEntries(ctx, d)
	if errors.Is(err, dataplane.ErrNotReady) {
		return nil
	}
	if err != nil {
		return []finding.Finding{{
			Kind: finding.Unreadable, Layer: string(plan.LayerCluster), Type: awstype.EKSAccessEntry, Name: d.Plan.Cluster.Name, Message: err.Error(),
		}}
	}
	var out []finding.Finding
	for _, e := range stale {
		f := finding.Finding{
			Kind: finding.Changed, Layer: string(plan.LayerCluster), Type: awstype.EKSAccessEntry, Name: e.Principal, ID: e.id,
			Message: "its role was made anew, and EKS lets only the one before in",
		}
		switch {
		case e.Missing && !e.nodes:
			continue // the engine has found it missing
		case e.Missing:
			// EKS made it with the first node group, so that no layer declares it.
			f.Kind, f.Message = finding.Missing, "without it EKS lets no node of the role in"
		}
		out = append(out, f)
	}
	return out
}
