package sandbox

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/store"
)

// Shares lists what the services' own lists show of what the account shares: one
// list after the other, by the calls that the table of ways names. A list that
// fails is an error, and the others are read all the same.
func (c *Cloud) Shares(ctx context.Context, a cloud.Account) ([]cloud.Item, error) {
	who, err := c.as(ctx, a)
	if err != nil {
		return nil, err
	}
	rows, err := c.backend.Rows(ctx, store.Filter{Account: who.Account()})
	if err != nil {
		return nil, fmt.Errorf("shares of %s: %w", a.ID, err)
	}
	rows = slices.DeleteFunc(rows, func(r store.Row) bool { return r.Region != store.Global && r.Region != a.Region })
	var items []cloud.Item
	var failed []error
	for _, list := range awstype.SharingLists() {
		if err := c.called(ctx, a, who, list); err != nil {
			failed = append(failed, fmt.Errorf("account %s in %s: list of %s: %w", a.ID, a.Region, list, err))
			continue
		}
		for _, w := range awstype.Ways() {
			if w.List == list {
				items = append(items, shown(w, rows)...)
			}
		}
	}
	return items, errors.Join(failed...)
}

// called makes the calls of a list, which a fault may fail: in the region in
// which the service answers.
func (c *Cloud) called(ctx context.Context, a cloud.Account, who awsprovider.Caller, list string) error {
	for _, w := range awstype.Ways() {
		if w.List != list {
			continue
		}
		if w.Region != "" {
			a.Region = w.Region
			var err error
			if who, err = c.as(ctx, a); err != nil {
				return err
			}
		}
		for _, call := range w.Calls {
			service, action, _ := strings.Cut(call, ":")
			if err := c.backend.Look(ctx, who, service, action); err != nil {
				return fmt.Errorf("%s: %w", call, err)
			}
		}
	}
	return nil
}

// shown are the rows that a way's list shows: of its types, and of others that
// have in themselves what a type of the way says of them, as a queue its policy.
func shown(w awstype.Way, rows []store.Row) []cloud.Item {
	var items []cloud.Item
	for _, r := range rows {
		it := item(r)
		switch {
		case slices.Contains(w.Types, r.Type):
		case w.Has(r.Type) && slices.ContainsFunc(w.Ends, func(e awstype.End) bool { return it.Properties[e.Path] != nil }):
			it.Type = w.Types[0]
		default:
			continue
		}
		items = append(items, it)
	}
	return items
}

// listed reports whether an inventory of AWS would show a row: of what has no
// list of its own the Tagging API shows what is tagged, and nothing of how it is set.
func listed(it cloud.Item) (cloud.Item, bool) {
	row, known := awstype.Of(it.Type)
	if known && row.List != awstype.Tagged {
		return it, true
	}
	if _, shares := awstype.WayOf(it.Type); known || shares {
		it.Properties = nil
		return it, len(it.Tags) > 0
	}
	return it, true
}
