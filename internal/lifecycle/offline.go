package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/policies"
)

// PlanOffline decides what a document leaves open, and refuses what can be told
// from the document and from what is recorded of the org. It asks no cloud and no
// backend, and lists what therefore nobody has checked. records may be nil: there
// is no registry. The refusals are those of Plan.
func PlanOffline(ctx context.Context, records *Records, doc spec.Spec, now time.Time) (event.Plan, []dataplane.Refusal, error) {
	f, err := factsOffline(ctx, records, doc, now)
	p := f.DataPlane.Plan
	out := event.Plan{Org: p.Org, Hash: p.Hash, HashVersion: p.HashVersion, Decided: p, Notes: p.Notes}
	if err != nil {
		return out, nil, fail(doc.Org, "", err)
	}
	out.Unchecked = unchecked(f, records != nil)
	return out, dataplane.Admit(f), nil
}

// factsOffline are the facts that are recorded.
func factsOffline(ctx context.Context, records *Records, doc spec.Spec, now time.Time) (dataplane.Facts, error) {
	f := dataplane.Facts{Now: now, Rules: policies.All(), Listed: projectNames(doc)}
	f.DataPlane = dataplane.Of(plan.Build(doc), cloud.Identity{}, nil)
	if records == nil {
		return f, nil
	}
	o, err := records.of(doc.Org).Org(ctx)
	if err != nil && !errors.Is(err, registry.ErrUnknownOrg) {
		return f, err
	}
	if err == nil && o.State != dataplane.OrgOffboarded {
		was, err := dataplane.Recorded(o)
		if err != nil {
			return f, err
		}
		layers, err := records.of(doc.Org).Layers(ctx)
		if err != nil {
			return f, err
		}
		f.Recorded = &was
		f.DataPlane = dataplane.Of(plan.Again(doc, was), cloud.Identity{}, layers)
	}
	ids, err := f.DataPlane.Foreseen()
	if err != nil {
		return f, err
	}
	f.Owned, err = records.owned(ctx, doc.Org, dataplane.Identities(ids))
	return f, err
}

// unchecked is what only others know.
func unchecked(f dataplane.Facts, hasRegistry bool) []string {
	c := f.DataPlane.Plan.Cluster
	var out []string
	switch {
	case !hasRegistry:
		out = append(out, "whether the org was onboarded, and with what: there is no registry here")
	case f.Recorded == nil:
		out = append(out, "whether the organization has an account with this e-mail already, or the account that is brought lets Freehold in")
	case f.DataPlane.Made(plan.LayerCluster):
		out = append(out, fmt.Sprintf("which version the cluster and its nodes run by now: it was onboarded with %s, and AWS upgrades one by itself at the end of support", f.Recorded.Cluster.Version))
	}
	return append(out,
		fmt.Sprintf("whether EKS offers Kubernetes %s and the versions of the add-ons in %s", c.Version, f.DataPlane.Plan.Region),
		"the zones and the service quotas of the account",
		"what onboard would change, and the isolation rules on it",
	)
}
