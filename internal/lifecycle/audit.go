package lifecycle

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/audit"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/policies"
)

// Audit holds the rules against what was made for some orgs, from the stored
// states, and looks for what they share with any other org. It runs no engine,
// changes nothing and waits for nobody.
//
// A state says what was made and not what was changed by hand since, and a
// peering or a grant that somebody made by hand is in no state at all. So the
// accounts of these orgs are listed as well, unless o.Stored.
func (s *Service) Audit(ctx context.Context, o AuditOptions) (finding.Audit, error) {
	orgs, err := s.fleet().Orgs(ctx)
	if err != nil {
		return finding.Audit{}, fail("", "", err)
	}
	known := map[string]registry.Org{}
	var names []string
	for _, org := range orgs {
		known[org.Org] = org
		if org.State != dataplane.OrgOffboarded {
			names = append(names, org.Org)
		}
	}
	about := finding.EveryOrg
	if len(o.Orgs) > 0 {
		for _, name := range o.Orgs {
			if _, ok := known[name]; !ok {
				return finding.Audit{Org: name}, fail(name, "", fmt.Errorf("%w %q", registry.ErrUnknownOrg, name))
			}
			if !slices.Contains(names, name) {
				return finding.Audit{Org: name}, &Error{
					Org: name, Err: fmt.Errorf("%w: the org is offboarded, and nothing of it is left to audit", ErrInvalid),
					Next: "list the orgs with: freehold status",
				}
			}
		}
		about = strings.Join(o.Orgs, ",")
	}
	us, err := s.caller(ctx)
	if err != nil {
		return finding.Audit{Org: about}, fail("", "", err)
	}
	asked := func(name string) bool { return len(o.Orgs) == 0 || slices.Contains(o.Orgs, name) }
	out, err := audit.Run(ctx, audit.Options{
		About: about, Orgs: names, Asked: asked, Rules: policies.All(), Now: s.Now,
		Load: func(ctx context.Context, name string) (audit.Org, error) {
			return s.audited(ctx, known[name], us, asked(name) && !o.Stored)
		},
	})
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", ErrCancelled, err)
		}
		return finding.Audit{Org: about}, fail("", "", err)
	}
	return out, nil
}

// audited is one org as an audit reads it.
func (s *Service) audited(ctx context.Context, o registry.Org, us cloud.Identity, live bool) (audit.Org, error) {
	out := audit.Org{Name: o.Org}
	if refused := dataplane.CheckCaller(us, o.Management); refused != nil {
		return out, fmt.Errorf("%s: %s", refused.Message, refused.Next)
	}
	d, err := s.recorded(ctx, o)
	if err != nil {
		return out, err
	}
	d.Caller = us
	for _, f := range d.Unfinished(o.State) {
		out.Unfinished = append(out.Unfinished, strings.TrimLeft(f.Layer+": ", ": ")+f.Message)
	}
	for _, l := range plan.Layers() {
		// What was never made, or is being removed and may be gone, has no state to read.
		rec := d.Layer(l)
		if rec.State == "" || rec.State == dataplane.Removed {
			continue
		}
		if !rec.Made || rec.State == dataplane.Removing {
			info, err := s.Engine.Stat(ctx, stackOf(o.Org, l))
			if err != nil {
				return out, fmt.Errorf("layer %s: %w", l, err)
			}
			if !info.Exists {
				continue
			}
		}
		scope, err := d.Scope(l)
		if err != nil {
			return out, err
		}
		out.AccountID = scope.AccountID
		out.Layers = append(out.Layers, audit.Layer{
			Name: string(l), Scope: scope,
			Open: func(ctx context.Context) (io.ReadCloser, error) { return s.Engine.State(ctx, stackOf(o.Org, l)) },
		})
	}
	if live && d.Outputs(plan.LayerAccount) != nil {
		out.Live = func(ctx context.Context) ([]audit.Thing, error) { return s.things(ctx, d) }
	}
	return out, nil
}

// things lists what is in the org's account now and can lead out of it. What
// could not be listed is an error beside what could.
func (s *Service) things(ctx context.Context, d dataplane.DataPlane) ([]audit.Thing, error) {
	a, items, err := s.listed(ctx, d)
	if err != nil {
		return nil, err
	}
	shares, err := s.Cloud.Shares(ctx, a)
	return thingsOf(slices.Concat(items, shares)), err
}

func thingsOf(items []cloud.Item) []audit.Thing {
	out := make([]audit.Thing, 0, len(items))
	for _, it := range items {
		out = append(out, audit.Thing{Type: it.Type, ID: it.ID, Name: it.Name, ARN: it.ARN, ByCloud: it.ByCloud, Properties: it.Properties})
	}
	return out
}
