package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"freehold.dev/freehold/internal/api/freehold/v1/freeholdv1connect"
	internalv1 "freehold.dev/freehold/internal/api/freeholdinternal/v1"
	"freehold.dev/freehold/internal/api/freeholdinternal/v1/internalv1connect"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle"
	"freehold.dev/freehold/internal/orgcontext/delegation"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/server/authz"
	"freehold.dev/freehold/internal/server/mtls"
	"freehold.dev/freehold/internal/server/route"
)

// lookEvery is the pause between two looks for operations that nobody runs.
const lookEvery = 15 * time.Second

// resumer continues operations whose process is gone. A worker that was killed
// leaves some behind, and nobody else would ask for them.
type resumer struct {
	*server

	identity internalv1connect.IdentityServiceClient
	verifier *delegation.Verifier
	gate     *authz.Guard
}

// resume looks for such operations until ctx ends. What fails is tried again: the
// server has other things to do as well.
func (s *server) resume(ctx context.Context) error {
	source, err := s.source(ctx, route.Worker)
	if err != nil {
		return err
	}
	td := s.Config.Internal.TrustDomain
	gate, err := s.guard(route.Worker, source)
	if err != nil {
		return err
	}
	r := &resumer{
		server: s, identity: s.identityFor(source), gate: gate,
		verifier: delegation.NewVerifier(source, mtls.ID(td, string(route.Identity)), mtls.ID(td, string(route.Worker)), s.Now),
	}
	for {
		if err := r.look(ctx); err != nil && ctx.Err() == nil {
			s.Log.WarnContext(ctx, "cannot look for operations that nobody runs; trying again", "error", err, "in", lookEvery)
		}
		if !pause(ctx) {
			return nil
		}
	}
}

// pause waits until it is time to look again, and reports whether ctx still goes on.
func pause(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(lookEvery):
		return true
	}
}

// look follows every operation of others, and continues it once nobody runs it.
func (r *resumer) look(ctx context.Context) error {
	fleet, err := r.assume(ctx, "", "find operations that nobody runs")
	if err != nil {
		return err
	}
	// To ask for the right anew each time would be an entry of the audit log each time.
	running, err := r.Registry.Fleet(fleet.Fleet()).FollowRunning(ctx)
	if err != nil {
		return err
	}
	followed := sync.Map{}
	for {
		all, err := running(ctx)
		if err != nil {
			return err
		}
		for _, op := range all {
			if _, already := followed.LoadOrStore(op.ID, true); already || r.runs.Has(op.ID) {
				continue
			}
			go func() {
				defer followed.Delete(op.ID)
				if err := r.follow(ctx, op); err != nil && ctx.Err() == nil {
					r.Log.WarnContext(ctx, "cannot continue an operation; trying again", "org", op.Org, "operation", op.ID, "error", err)
				}
			}()
		}
		if !pause(ctx) {
			return nil
		}
	}
}

// follow waits until an operation has ended, or nobody runs it, and continues it then.
func (r *resumer) follow(ctx context.Context, op event.Operation) error {
	v, err := r.assume(ctx, op.Org, fmt.Sprintf("follow %s %s, and continue it if its process is gone", op.Kind, op.ID))
	if err != nil {
		return err
	}
	cases := r.As(v)
	ctx = delegation.Into(ctx, v)
	if err := cases.Follow(ctx, op.Org, op.ID, 0, func(event.Event) {}); !errors.Is(err, lifecycle.ErrAbandoned) {
		return err
	}
	if err := r.gate.Act(ctx, v, freeholdv1connect.OperationServiceResumeOperationProcedure); err != nil {
		return fmt.Errorf("continue operation %s of org %s: %w", op.ID, op.Org, err)
	}
	r.Log.InfoContext(ctx, "continuing an operation whose process is gone", "org", op.Org, "operation", op.ID, "kind", op.Kind)
	_, err = r.runs.Begin(ctx, func(ctx context.Context, sink event.Sink) error {
		_, err := cases.Resume(ctx, op.Org, op.ID, sink)
		return err
	})
	// Somebody else was faster.
	if errors.Is(err, registry.ErrBusy) || errors.Is(err, lifecycle.ErrInvalid) {
		return nil
	}
	return err
}

// assume returns the context by which the worker acts in its own name, for an org
// or, without one, for reading over all.
func (r *resumer) assume(ctx context.Context, org, purpose string) (delegation.Verified, error) {
	resp, err := r.identity.Assume(ctx, &internalv1.AssumeRequest{Org: org, Purpose: purpose})
	if err != nil {
		return delegation.Verified{}, fmt.Errorf("act for %s: %w", org, err)
	}
	return r.verifier.Verify(ctx, resp.GetToken(), org, mtls.ID(r.Config.Internal.TrustDomain, string(route.Worker)))
}
