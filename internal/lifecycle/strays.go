package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/kubelive"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/wait"
	"freehold.dev/freehold/stacks"
)

// strays lists what somebody added to the org's cluster beside the objects of its
// bootstrap layer. Where there is no such layer, there is nothing of ours that
// they could be beside.
func (s *Service) strays(ctx context.Context, d dataplane.DataPlane, as func(stacks.BoundaryOut) string) (kubelive.Found, []byte, error) {
	objects, kubeconfig, err := s.appliedIn(ctx, d, as)
	if err != nil || len(objects) == 0 {
		return kubelive.Found{}, nil, err
	}
	found, err := s.Objects.Strays(ctx, kubeconfig, kubelive.Sought{
		Objects: objects, Namespace: d.Plan.Bootstrap.Namespace, Administrators: stacks.Administrators, Readers: stacks.Readers,
		Pulled: d.Plan.Bootstrap.ProjectSource != nil,
	})
	if err != nil {
		return found, nil, fmt.Errorf("list what was added to the cluster: %w", err)
	}
	return found, kubeconfig, nil
}

// addedTo is what drift says of the strays in a cluster. What could not be
// listed is not drift, and not its absence.
func (s *Service) addedTo(ctx context.Context, d dataplane.DataPlane) []finding.Finding {
	found, _, err := s.strays(ctx, d, reader)
	if err != nil {
		return []finding.Finding{notListed("cluster", fail(d.Plan.Org, string(plan.LayerBootstrap), err).Error())}
	}
	out := strayFindings(found.Strays)
	for _, u := range found.Unread {
		out = append(out, notListed(u.What, u.Why+": the read role gets what it needs by freehold onboard"))
	}
	return out
}

// notListed is something in the cluster that could not be listed.
func notListed(name, why string) finding.Finding {
	return finding.Finding{Kind: finding.Unreadable, Layer: string(plan.LayerBootstrap), Type: "objects", Name: name, Message: why}
}

func strayFindings(strays []kubelive.Stray) []finding.Finding {
	var out []finding.Finding
	for _, s := range strays {
		out = append(out, s.Finding())
	}
	return out
}

// sweepCluster lists what somebody added to the org's cluster, or removes it.
func (r *run) sweepCluster(ctx context.Context, d dataplane.DataPlane, prune bool) (out swept, err error) {
	found, kubeconfig, err := r.strays(ctx, d, writer)
	if err != nil {
		return out, err
	}
	if err := unlisted(found); err != nil {
		return out, err
	}
	if !prune {
		return swept{Left: strayFindings(found.Strays)}, nil
	}
	asked := map[string]bool{}
	for _, s := range found.Strays {
		if s.Kept {
			continue
		}
		if err := r.Objects.Remove(ctx, kubeconfig, s); err != nil {
			return out, fmt.Errorf("%s, which no layer declares: %w", nameOf(s), err)
		}
		asked[nameOf(s)] = true
		out.Removed = append(out.Removed, s.Finding())
	}
	if len(asked) == 0 {
		return swept{Left: strayFindings(found.Strays)}, nil
	}
	if out.Left, err = r.leftOf(ctx, d, asked); err != nil {
		return out, err
	}
	out.Removed = slices.DeleteFunc(out.Removed, func(f finding.Finding) bool {
		return slices.ContainsFunc(out.Left, func(l finding.Finding) bool { return l.Type == f.Type && l.ID == f.ID })
	})
	return out, nil
}

func nameOf(s kubelive.Stray) string { return s.Type + " " + s.ID }

// leftOf waits until what was removed is gone, for as long as pods get to end,
// and returns what is left.
func (r *run) leftOf(ctx context.Context, d dataplane.DataPlane, asked map[string]bool) ([]finding.Finding, error) {
	const within = time.Minute
	var left []kubelive.Stray
	err := wait.Until(ctx, wait.For{What: "what was removed from the cluster to be gone", Every: r.projectsEvery(), Within: within, Now: r.Now},
		func(ctx context.Context) (bool, error) {
			found, _, err := r.strays(ctx, d, writer)
			if err != nil {
				return false, err
			}
			left = found.Strays
			i := slices.IndexFunc(left, func(s kubelive.Stray) bool { return asked[nameOf(s)] })
			if i < 0 {
				return true, nil
			}
			return false, wait.NotYet(fmt.Errorf("%s: %s", nameOf(left[i]), left[i].Why))
		})
	if errors.Is(err, wait.ErrDeadline) {
		err = nil // it is listed, with what it waits for
	}
	return strayFindings(left), waited(ctx, err)
}

// unlisted is an error where something could not be listed: nobody can say then
// that nothing was added.
func unlisted(found kubelive.Found) error {
	var all []error
	for _, u := range found.Unread {
		all = append(all, fmt.Errorf("list %s: %s", u.What, u.Why))
	}
	return errors.Join(all...)
}
