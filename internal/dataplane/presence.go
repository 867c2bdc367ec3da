package dataplane

import (
	"errors"
	"fmt"

	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// ErrStateMissing is wrapped when the registry has a layer as made and the
// backend has no stack of it. Which of the two is right is unknown
// here: taking the layer for gone would lose it, or make it twice.
var ErrStateMissing = errors.New("the layer's state is missing")

// ErrRecordMissing is wrapped when the backend has stacks of an org that the
// registry does not know.
var ErrRecordMissing = errors.New("the org's record is missing")

// Stack is what the backend holds of a layer's stack.
type Stack struct {
	Exists bool `json:"exists"`
	// Resources are those of providers in its state, Pending the operations
	// that a killed run had begun and not recorded.
	Resources int `json:"resources"`
	Pending   int `json:"pending"`
	// Types are the types of both, where the layer was never finished.
	Types []string `json:"types,omitempty"`
	// Fresh is true for a backend in which no stack was ever made: a new one, or
	// a folder on which a shared file system is not mounted.
	Fresh bool `json:"fresh,omitempty"`
}

// Presence says whether a layer is there, given what the backend answered. It
// has three answers: yes, no, and an error when neither is certain.
//
//	recorded                        stack there   no stack
//	never, removed                  yes           no
//	making, failed; nothing made    yes           no
//	making, failed, done; made      yes           cannot tell
//	removing                        yes           no: its removal had begun; in a
//	                                              fresh backend: cannot tell
func (d DataPlane) Presence(l plan.Layer, s Stack) (bool, error) {
	if s.Exists {
		return true, nil
	}
	rec, known := d.Layers[l]
	if !known || rec.State == Removed || rec.State == Removing && !s.Fresh || !rec.Made {
		return false, nil
	}
	return false, fmt.Errorf("%w: the registry has layer %s of org %s as %s with %d resources, and the backend has no stack %s",
		ErrStateMissing, l, d.Plan.Org, rec.State, rec.Resources, plan.StackName(d.Plan.Org, l))
}

// Seen is the data plane with what the backends' answers add to what is
// recorded: a stack with something in it was made, recorded or not.
func (d DataPlane) Seen(stacks map[plan.Layer]Stack) (DataPlane, error) {
	for _, l := range plan.Layers() {
		s := stacks[l]
		there, err := d.Presence(l, s)
		if err != nil {
			return d, err
		}
		d = d.WithBegun(l, s.Types)
		rec := d.Layer(l)
		switch {
		case there && rec.State == Removed:
			// A run that was killed before its first record has begun it anew.
			rec.State, rec.Outputs, rec.Unclean, rec.Made = Making, nil, true, s.Resources+s.Pending > 0
		case there && rec.Outputs == nil:
			// It has never been done: what its state holds is what it made.
			if rec.State == "" {
				rec.State = Making
			}
			rec.Made = s.Resources+s.Pending > 0
			rec.Unclean = rec.Unclean || rec.Made
		default:
			continue
		}
		d = d.With(rec)
	}
	return d, nil
}

// WithoutGone is the data plane with layers as removed whose removal has begun
// and whose stacks are gone: onboarding makes them anew.
func (d DataPlane) WithoutGone(stacks map[plan.Layer]Stack) DataPlane {
	for _, l := range plan.Layers() {
		if rec := d.Layer(l); rec.State == Removing && !stacks[l].Exists {
			d = d.With(registry.Layer{Layer: string(l), State: Removed, Updated: rec.Updated})
		}
	}
	return d
}
