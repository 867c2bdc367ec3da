package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Resource is one resource of a stored state.
type Resource struct {
	URN    string
	Type   string
	Name   string
	ID     string
	Inputs map[string]any
	// Outputs are as they are stored: what is secret in them is encrypted.
	Outputs map[string]any
}

// Resources returns what the stored state of a stack has of some types, or of all
// where none is given, in the order of the state, without what is only left to be
// deleted. There are none in a stack that does not exist; an error means that
// nobody can tell.
func (e *Engine) Resources(ctx context.Context, s Stack, types ...string) ([]Resource, error) {
	r, err := e.State(ctx, s)
	if errors.Is(err, ErrNoStack) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	var out []Resource
	c := checkpoint{visit: func(raw json.RawMessage) error {
		var m struct {
			URN    string         `json:"urn"`
			Type   string         `json:"type"`
			ID     string         `json:"id"`
			Delete bool           `json:"delete"`
			Inputs map[string]any `json:"inputs"`

			Outputs map[string]any `json:"outputs"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return err
		}
		if !m.Delete && (len(types) == 0 || slices.Contains(types, m.Type)) {
			out = append(out, Resource{URN: m.URN, Type: m.Type, Name: urnName(m.URN), ID: m.ID, Inputs: m.Inputs, Outputs: m.Outputs})
		}
		return nil
	}}
	if err := c.read(r); err != nil {
		return nil, unreachable(s, fmt.Errorf("its stored state is damaged: %w", err),
			"restore it from the backend's own backups or versions")
	}
	return out, nil
}
