package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/spec"
	"freehold.dev/freehold/policies"
)

// facts gathers, once, all that has to be known to admit a plan. It changes nothing.
// The plan is that of the document, in the words of the one that the org was
// onboarded with.
func (s *Service) facts(ctx context.Context, doc spec.Spec) (f dataplane.Facts, err error) {
	f = dataplane.Facts{Now: s.Now(), Rules: policies.All(), Listed: projectNames(doc)}
	p := plan.Build(doc)
	f.DataPlane.Plan = p
	o, err := s.of(p.Org).Org(ctx)
	switch {
	case errors.Is(err, registry.ErrUnknownOrg):
	case err != nil:
		return f, err
	case o.State != dataplane.OrgOffboarded:
		was, err := dataplane.Recorded(o)
		if err != nil {
			return f, err
		}
		f.Recorded, f.Management = &was, o.Management
		p = plan.Again(doc, was)
		f.DataPlane.Plan = p
	}
	caller, err := s.caller(ctx)
	if err != nil {
		return f, err
	}
	layers, err := s.of(p.Org).Layers(ctx)
	if err != nil {
		return f, err
	}
	f.DataPlane = dataplane.Of(p, caller, layers)
	if dataplane.CheckCaller(caller, f.Management) != nil {
		return f, nil // what these credentials see says nothing about the org
	}
	found, err := s.look(ctx, f.DataPlane)
	if err != nil {
		return f, err
	}
	if err := known(p.Org, o, found); err != nil {
		return f, err
	}
	if f.DataPlane, err = f.DataPlane.Seen(found); err != nil {
		return f, err
	}
	f.DataPlane = f.DataPlane.WithoutGone(found)
	if f.Recorded != nil {
		if f.DataPlane, err = s.withLostAccount(ctx, f.DataPlane, *f.Recorded); err != nil {
			return f, err
		}
	}
	if f.RegionOff, err = s.regionOff(ctx, f.DataPlane); err != nil {
		return f, err
	}
	if dataplane.CheckRegion(f.DataPlane, f.RegionOff) != nil {
		return f, nil // nothing that is asked there is answered
	}
	ids, err := f.DataPlane.Foreseen()
	if err != nil {
		return f, err
	}
	if f.Owned, err = s.owned(ctx, p.Org, dataplane.Identities(ids)); err != nil {
		return f, err
	}
	if dataplane.HasEntry(f.Owned, p) {
		return f, nil // whose account it is has been answered
	}
	if f.EmailOf, err = s.emailOf(ctx, f); err != nil {
		return f, err
	}
	if f.Shut, err = s.shut(ctx, f.DataPlane); err != nil {
		return f, err
	}
	if f.Shut == "" {
		if f.DataPlane, f.Zones, err = s.inZones(ctx, f.DataPlane); err != nil {
			return f, err
		}
	}
	if f.Running, err = s.running(ctx, f.DataPlane); err != nil {
		return f, err
	}
	f.DataPlane = f.DataPlane.Running(f.Running)
	err = s.Cloud.CheckRelease(ctx, dataplane.Release(f.DataPlane, f.Recorded))
	if missing, ok := errors.AsType[*cloud.UnsupportedError](err); ok {
		f.Unsupported, err = missing, nil
	}
	return f, err
}

// projectNames are the names of a document's projects.
func projectNames(doc spec.Spec) []string {
	var names []string
	for _, p := range doc.Projects {
		names = append(names, p.Name)
	}
	return names
}

// known refuses an org of which the backend has stacks and the registry has
// nothing: an org is recorded before anything of it is made. Whoever has the one
// and not the other would take the org for new, with none of its claims.
func known(org string, o registry.Org, found map[plan.Layer]dataplane.Stack) error {
	if o.Org != "" {
		return nil
	}
	for _, l := range plan.Layers() {
		if found[l].Exists {
			return &Error{
				Org: org, Layer: string(l),
				Err:  fmt.Errorf("%w: the backend has stack %s, and the registry knows no org %s", dataplane.ErrRecordMissing, plan.StackName(org, l), org),
				Next: "use the --registry that the org was onboarded with, or restore it from a backup; nothing was touched",
			}
		}
	}
	return nil
}

// emailOf looks for an account in the organization that has the plan's e-mail
// and is not the org's own.
func (s *Service) emailOf(ctx context.Context, f dataplane.Facts) (string, error) {
	p := f.DataPlane.Plan
	if !p.Account.Vended || f.DataPlane.HasAccount() {
		return "", nil
	}
	return s.accountWithEmail(ctx, p)
}

// accountWithEmail is the account in the organization that has the plan's
// e-mail, "" when there is none.
func (s *Service) accountWithEmail(ctx context.Context, p plan.Plan) (string, error) {
	id, err := s.Cloud.Find(ctx, cloud.Account{Region: p.Region}, accountType, map[string]any{"email": p.Account.Email, "name": p.Account.Name})
	switch {
	case errors.Is(err, cloud.ErrNotFound):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("look for an account with e-mail %s: %w", p.Account.Email, err)
	}
	return id, nil
}

const accountType = awstype.OrganizationsAccount

// regionOff is an account in which the plan's region is off.
func (s *Service) regionOff(ctx context.Context, d dataplane.DataPlane) (*cloud.Account, error) {
	ask, err := d.AsksForRegion()
	if err != nil {
		return nil, err
	}
	for _, a := range ask {
		on, err := s.Cloud.RegionEnabled(ctx, a, d.Plan.Region)
		if err != nil {
			return nil, err
		}
		if !on {
			return &a, nil
		}
	}
	return nil, nil //nolint:nilnil // it is on in all of them
}

// inZones asks the org's account for its zones, and is the data plane in them;
// none where nobody has to be asked, or can be yet.
func (s *Service) inZones(ctx context.Context, d dataplane.DataPlane) (dataplane.DataPlane, []cloud.Zone, error) {
	a, ask, err := d.AsksForZones()
	if err != nil || !ask {
		return d, nil, err
	}
	zones, err := s.Cloud.Zones(ctx, a)
	return d.InZones(zones), zones, err
}

// running asks the org's cluster what it runs: nil where there is nobody to ask.
func (s *Service) running(ctx context.Context, d dataplane.DataPlane) (*cloud.Running, error) {
	a, somewhere, err := d.RunsSomewhere()
	if err != nil || !somewhere {
		return nil, err
	}
	running, err := s.Cloud.Running(ctx, a, d.Plan.Cluster.Name)
	if errors.Is(err, cloud.ErrNotFound) {
		return &cloud.Running{}, nil
	}
	return &running, err
}

// shut tries the role of an account that the org brings. A role that does not
// let Freehold in will not by itself: waiting, as for a new account, is no help.
func (s *Service) shut(ctx context.Context, d dataplane.DataPlane) (string, error) {
	if d.Plan.Account.Vended {
		return "", nil
	}
	err := s.Cloud.Usable(ctx, d.Brought())
	if !errors.Is(err, cloud.ErrNotUsable) {
		return "", err
	}
	unsaid := cloud.ErrNotUsable.Error() // it would say "yet"
	return strings.NewReplacer(unsaid+": ", "", ": "+unsaid, "").Replace(err.Error()), nil
}

// admit refuses what cannot be done before anything is touched.
func (s *Service) admit(ctx context.Context, doc spec.Spec) (dataplane.DataPlane, error) {
	f, err := s.facts(ctx, doc)
	if err != nil {
		return f.DataPlane, fail(doc.Org, "", err)
	}
	return f.DataPlane, refuse(doc.Org, dataplane.Admit(f)...)
}

// refuse makes one error of all reasons; none is no error.
func refuse(org string, reasons ...dataplane.Refusal) error {
	switch len(reasons) {
	case 0:
		return nil
	case 1:
		r := reasons[0]
		if r.Outside {
			return &Error{Org: org, Next: r.Next, Refusals: reasons, Err: errors.New(r.Message)}
		}
		err := ErrInvalid
		if r.Owned != nil {
			err = errors.Join(ErrInvalid, r.Owned)
		}
		return &Error{
			Org: org, Next: r.Next, Refusals: reasons,
			Err: &because{text: ErrInvalid.Error() + ": " + r.Message, err: err},
		}
	}
	lines := []string{fmt.Sprintf("%v, for %d reasons:", ErrInvalid, len(reasons))}
	errs := []error{ErrInvalid}
	for _, r := range reasons {
		lines = append(lines, "  "+r.Message, "    next: "+r.Next)
		if r.Owned != nil {
			errs = append(errs, r.Owned)
		}
	}
	return &Error{
		Org: org, Next: "do what each of them says, then run the same command again", Refusals: reasons,
		Err: &because{text: strings.Join(lines, "\n"), err: errors.Join(errs...)},
	}
}
