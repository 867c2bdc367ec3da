package engine

import (
	"context"
	"errors"

	"freehold.dev/freehold/internal/event"
)

// Forget takes all resources out of the stack's state, and leaves alone what they
// stand for: the caller knows that it is gone for good, and that nobody can be
// asked to remove it. The stack stays. It wraps ErrNoStack when there is none.
func (e *Engine) Forget(ctx context.Context, s Stack, sink event.Sink) error {
	return e.editState(ctx, s, sink, forgetAll)
}

// forgetAll keeps of a deployment the stack's own resource only.
func forgetAll(d map[string]any) error {
	resources, ok := d["resources"].([]any)
	if !ok {
		return errors.New("it has no resources")
	}
	kept := []any{}
	for _, r := range resources {
		if m, ok := r.(map[string]any); ok && m["type"] == stackType {
			kept = append(kept, m)
		}
	}
	d["resources"] = kept
	delete(d, "pending_operations")
	return nil
}
