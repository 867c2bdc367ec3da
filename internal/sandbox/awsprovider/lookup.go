package awsprovider

import (
	"context"
	"fmt"
	"slices"

	"freehold.dev/freehold/internal/sandbox/store"
)

// Lookup finds what a creation with these inputs would have made: by an
// identity that only one resource can have, or else by Freehold's tags and the
// name in them. It returns the ids by which the resources can be imported.
func (b *Backend) Lookup(ctx context.Context, who Caller, token string, in map[string]any) ([]string, error) {
	t := byToken[token]
	if t == nil {
		return nil, fmt.Errorf("the sandbox cloud has no %s", token)
	}
	acct, region, err := t.scope(who)
	if err != nil {
		return nil, err
	}
	in, _ = floats(cloneMap(in)).(map[string]any)
	var ids []string
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		c := &Call{Type: t, Account: acct, Region: region, In: in, Out: withDefaults(t, in), Tx: tx, Env: &b.Env, ctx: ctx}
		rows, err := c.same()
		for _, r := range rows {
			ids = append(ids, importID(t, r))
		}
		return err
	})
	return ids, err
}

// identityTags are the tags by which a resource without a name is known again.
var identityTags = []string{"Name", "freehold.dev/org", "freehold.dev/layer"}

func (c *Call) same() ([]store.Row, error) {
	for _, key := range c.keys() {
		owner, err := c.Tx.Owner(key)
		if err != nil {
			return nil, err
		}
		if owner != nil {
			mine := owner.Account == c.Account && owner.Type == c.Type.Token && !isGone(*owner)
			if !mine {
				return nil, nil
			}
			return []store.Row{*owner}, nil
		}
	}
	if len(c.Type.Unique) > 0 && len(c.keys()) > 0 {
		return nil, nil
	}
	if !generates(c.Type.ID) {
		row, err := c.Tx.Get(c.Account, c.Region, c.Type.Token, c.Expand(c.Type.ID))
		if err != nil || row == nil || isGone(*row) {
			return nil, err
		}
		return []store.Row{*row}, nil
	}
	rows, err := c.List(c.Type.Token)
	tags, _ := c.In["tags"].(map[string]any)
	return slices.DeleteFunc(rows, func(r store.Row) bool {
		have, _ := r.Outputs["tags"].(map[string]any)
		for _, k := range identityTags {
			if tags[k] == nil || have[k] != tags[k] {
				return true
			}
		}
		return false
	}), err
}
