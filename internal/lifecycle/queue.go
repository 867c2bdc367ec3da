package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/wait"
)

// The kinds of slots that all orgs share.
const (
	createAccount = "create-account"
	closeAccount  = "close-account"
)

// queueIn is what to wait for: one of as many as the limit has.
type queueIn struct {
	Kind  string      `json:"kind"`
	Limit cloud.Limit `json:"limit"`
}

// queueToCreate waits until an account may be created, where the layer may create
// one. leave lets the next org have its turn, whatever became of this one.
func (r *run) queueToCreate(ctx context.Context, in layerIn) (leave func(error) error, err error) {
	d, l := in.DataPlane, in.Layer
	limit := r.Cloud.Limits().Create
	if l != plan.LayerAccount || !d.Plan.Account.Vended || d.Outputs(l) != nil || limit.AtOnce == 0 {
		return func(err error) error { return err }, nil
	}
	_, err = do(ctx, r.step("queue", l), r.queue, queueIn{createAccount, limit})
	return func(err error) error {
		if left := r.op.FreeSlot(context.WithoutCancel(ctx), createAccount); err == nil {
			err = left // and otherwise the operation's end gives it up
		}
		return err
	}, err
}

// queueToClose waits until an account may be closed, where its layer closes one.
// The slot is kept until the operation ends.
func (r *run) queueToClose(ctx context.Context, in removeIn) error {
	d, l := in.DataPlane, in.Layer
	limit := r.Cloud.Limits().Close
	if l != plan.LayerAccount || !in.Close || d.Outputs(l) == nil || limit.AtOnce == 0 {
		return nil
	}
	_, err := do(ctx, r.step("queue", l), r.queue, queueIn{closeAccount, limit})
	return err
}

// queue waits for a slot. One whose operation nobody renews, for as long as its
// lease lasts by this process's clock, is taken over.
func (r *run) queue(ctx context.Context, in queueIn) (none, error) {
	doing, reason := "created", event.CreationQueue
	if in.Kind == closeAccount {
		doing, reason = "closed", event.CloseQueue
	}
	first := map[registry.SlotSighting]time.Time{}
	var over []registry.SlotSighting
	err := wait.Until(ctx, wait.For{
		What:  fmt.Sprintf("other orgs' accounts to be %s: AWS does %d at a time for the whole organization", doing, in.Limit.AtOnce),
		Every: or(r.ProbeEvery, 3*time.Second), Within: or(r.QueueWithin, 30*time.Minute), Now: r.Now,
	}, func(ctx context.Context) (bool, error) {
		err := r.op.TakeSlot(ctx, registry.SlotRequest{
			Kind: in.Kind, Limit: in.Limit.AtOnce, Every: in.Limit.Every, Burst: in.Limit.Burst, Over: over,
		})
		full, ok := errors.AsType[*registry.FullError](err)
		if !ok {
			return err == nil, err
		}
		now := r.Now()
		over = nil
		for _, s := range full.Seen {
			if since, seen := first[s]; !seen {
				first[s] = now
			} else if now.Sub(since) >= s.TTL {
				over = append(over, s)
			}
		}
		return false, wait.NotYet(full)
	})
	if errors.Is(err, registry.ErrFull) {
		err = &cloud.PendingError{Reason: reason, Err: err}
	}
	return none{}, waited(ctx, err)
}
