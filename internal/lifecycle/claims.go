package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/audit"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// claimForeseen writes down what the org is about to have, before a layer is
// run: what another org owns is refused while nothing is touched. Claims that
// an earlier, mistaken plan of an org has left, of which nothing was made, go.
func (r *run) claimForeseen(ctx context.Context, d dataplane.DataPlane) error {
	ids, err := d.Foreseen()
	if err != nil {
		return err
	}
	if err := r.claim(ctx, d.Plan.Org, false, ids...); err != nil {
		return err
	}
	return r.release(ctx, d, ids)
}

// claim writes the org down as the owner, or refuses the request.
func (r *run) claim(ctx context.Context, org string, made bool, ids ...finding.Identity) error {
	err := r.op.Claim(ctx, made, ids...)
	if owned, ok := errors.AsType[*registry.OwnedError](err); ok {
		named, err := r.named(ctx, *owned)
		if err != nil {
			return err
		}
		return refuse(org, dataplane.Owned(org, named))
	}
	return err
}

// claimMade writes down what a run of a layer has made.
func (r *run) claimMade(ctx context.Context, org string, steps []engine.Step) error {
	var ids []finding.Identity
	for _, st := range steps {
		if !st.Custom || st.Op == "delete" || st.Op == "read" {
			continue
		}
		out := st.NewOutputs
		if out == nil {
			out = st.OldOutputs
		}
		ids = append(ids, audit.Identities(st.Type, st.ID, out)...)
	}
	return r.claim(ctx, org, true, ids...)
}

// release gives up the claims of what was never made, but for some.
func (r *run) release(ctx context.Context, d dataplane.DataPlane, but []finding.Identity) error {
	claims, err := r.of(d.Plan.Org).Claims(ctx)
	if err != nil {
		return err
	}
	if ids := d.Releasable(claims, but); len(ids) > 0 {
		return r.op.Release(ctx, ids...)
	}
	return nil
}

// checkValues refuses values that are another org's identities.
func (s *Service) checkValues(ctx context.Context, org string, values []string) error {
	owned, err := s.owned(ctx, org, values)
	if err != nil || len(owned) == 0 {
		return err
	}
	return refuse(org, dataplane.Owned(org, owned[0]))
}

// checkSteps refuses a plan whose steps would touch, or only name, an identity
// of another org.
func (s *Service) checkSteps(ctx context.Context, org string, steps []engine.Step) error {
	var values []string
	for _, st := range steps {
		if !st.Custom {
			continue
		}
		values = append(values, dataplane.Identities(audit.Identities(st.Type, st.ID, st.OldOutputs))...)
		values = append(values, audit.Mentions(st.NewInputs)...)
	}
	slices.Sort(values)
	return s.checkValues(ctx, org, slices.Compact(values))
}

// checkState refuses to run a layer whose stored state has a thing of another
// org in it: the run would change or remove that.
func (s *Service) checkState(ctx context.Context, org string, l plan.Layer) error {
	r, err := s.Engine.State(ctx, stackOf(org, l))
	if errors.Is(err, engine.ErrNoStack) {
		return nil
	}
	if err != nil {
		return err
	}
	ids, err := audit.StateIdentities(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return fmt.Errorf("stack %s: %w", plan.StackName(org, l), err)
	}
	return s.checkValues(ctx, org, dataplane.Identities(ids))
}

// Claims lists what the org owns, and which of it was never made.
func (s *Service) Claims(ctx context.Context, org string) (event.Claims, error) {
	claims, err := s.of(org).Claims(ctx)
	if err != nil {
		return event.Claims{Org: org}, fail(org, "", err)
	}
	if len(claims) == 0 {
		if _, err := s.of(org).Org(ctx); err != nil {
			return event.Claims{Org: org}, fail(org, "", err)
		}
	}
	return claimsOf(org, claims), nil
}

func claimsOf(org string, claims []registry.Claim) event.Claims {
	out := event.Claims{Org: org, Claims: []event.Claim{}}
	for _, c := range claims {
		out.Claims = append(out.Claims, event.Claim{Kind: c.Kind, Value: c.Value, Made: c.Made})
	}
	return out
}

// ReleaseClaims gives up the org's claims of what was never made, so that
// another org can have it. It refuses when the org has an account, or may have one.
func (s *Service) ReleaseClaims(ctx context.Context, org string, sink event.Sink) (event.Claims, error) {
	return s.releaseClaims(ctx, org, Call{}, sink)
}

func (s *Service) releaseClaims(ctx context.Context, org string, call Call, sink event.Sink) (event.Claims, error) {
	out := event.Claims{Org: org, Claims: []event.Claim{}}
	if _, err := s.Claims(ctx, org); err != nil {
		return out, err
	}
	req, err := request("release", call, struct{}{})
	if err != nil {
		return out, fail(org, "", err)
	}
	err = s.operate(ctx, org, req, sink, result(&out), func(ctx context.Context, r *run) (ending, error) {
		if out, err = do(ctx, r.step("release", ""), r.releaseUnmade, org); err != nil {
			out = event.Claims{Org: org, Claims: []event.Claim{}}
			return ending{}, fail(org, "", err)
		}
		return ending{result: out}, nil
	})
	return out, err
}

// releaseUnmade gives up the claims of an org without an account.
func (r *run) releaseUnmade(ctx context.Context, org string) (event.Claims, error) {
	d, err := r.unmade(ctx, org)
	if err != nil {
		return event.Claims{}, err
	}
	claims, err := r.of(org).Claims(ctx)
	if err != nil {
		return event.Claims{}, err
	}
	ids := d.Releasable(claims, nil)
	claims = slices.DeleteFunc(claims, func(c registry.Claim) bool { return !slices.Contains(ids, c.Identity) })
	return claimsOf(org, claims), r.op.Release(ctx, ids...)
}

// unmade is the data plane of an org without an account; for any other it is an
// error. An account that a killed run made, and could not record, counts.
func (s *Service) unmade(ctx context.Context, org string) (d dataplane.DataPlane, err error) {
	o, err := s.of(org).Org(ctx)
	if errors.Is(err, registry.ErrUnknownOrg) {
		d.Plan.Org = org
	} else if err != nil {
		return d, err
	} else if d, err = s.recorded(ctx, o); err != nil {
		return d, err
	}
	d, _, err = s.seen(ctx, d)
	if err != nil {
		return d, err
	}
	if d, err = s.withLostAccount(ctx, d, d.Plan); err != nil {
		return d, err
	}
	if d.HasAccount() {
		return d, &Error{
			Org: org, Err: fmt.Errorf("%w: the org has an account, or may have, and its claims belong to that", ErrInvalid),
			Next: "offboard the org: freehold offboard " + org,
		}
	}
	return d, nil
}

// withLostAccount looks for an account that an interrupted run with the plan
// was may have made without recording it. One that is there counts as made: it
// is adopted, and it binds its e-mail.
func (s *Service) withLostAccount(ctx context.Context, d dataplane.DataPlane, was plan.Plan) (dataplane.DataPlane, error) {
	rec := d.Layer(plan.LayerAccount)
	if !was.Account.Vended || was.Account.Email == "" || !rec.Unclean || d.HasAccount() {
		return d, nil
	}
	id, err := s.accountWithEmail(ctx, was)
	if err != nil || id == "" {
		return d, err
	}
	rec.Made = true
	return d.With(rec).WithBegun(plan.LayerAccount, slices.Concat(d.Begun[plan.LayerAccount], []string{accountType})), nil
}
