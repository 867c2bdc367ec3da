package sandbox

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/sandbox/awsprovider"
	"freehold.dev/freehold/internal/sandbox/store"
)

// What follows changes the cloud behind the engine's back. An owner is an org
// or an account's id; an org owns its account and what the management account
// has under its tag.

const orgTag = "freehold.dev/org"

var accountID = regexp.MustCompile(`^\d{12}$`)

// account returns the account of an owner.
func (c *Cloud) account(ctx context.Context, owner string) (string, error) {
	if accountID.MatchString(owner) {
		return owner, nil
	}
	rows, err := c.backend.Rows(ctx, store.Filter{Type: awstype.OrganizationsAccount})
	if err != nil {
		return "", err
	}
	for _, r := range rows {
		if tagsOf(r)[orgTag] == owner {
			return r.ID, nil
		}
	}
	return "", fmt.Errorf("%s has no account in the sandbox: %w", owner, cloud.ErrNotFound)
}

// rows lists what an owner has.
func (c *Cloud) rows(ctx context.Context, owner, typ string) ([]store.Row, error) {
	if err := c.backend.Settle(ctx); err != nil {
		return nil, err
	}
	if owner == "" {
		return c.backend.Rows(ctx, store.Filter{Type: typ})
	}
	account, err := c.account(ctx, owner)
	if err != nil {
		return nil, err
	}
	rows, err := c.backend.Rows(ctx, store.Filter{Account: account, Type: typ})
	if err != nil || account == awsprovider.ManagementAccount {
		return rows, err
	}
	central, err := c.backend.Rows(ctx, store.Filter{Account: awsprovider.ManagementAccount, Type: typ})
	central = slices.DeleteFunc(central, func(r store.Row) bool {
		return tagsOf(r)[orgTag] != owner && r.ID != account && r.Outputs["targetId"] != account
	})
	return append(central, rows...), err
}

// orgs maps accounts to their orgs.
func (c *Cloud) orgs(ctx context.Context) (map[string]string, error) {
	rows, err := c.backend.Rows(ctx, store.Filter{Type: awstype.OrganizationsAccount})
	out := map[string]string{}
	for _, r := range rows {
		out[r.ID] = tagsOf(r)[orgTag]
	}
	return out, err
}

func (c *Cloud) shown(ctx context.Context, r store.Row, whole bool) (event.SandboxItem, error) {
	orgs, err := c.orgs(ctx)
	return shownIn(orgs, r, whole), err
}

func shownIn(orgs map[string]string, r store.Row, whole bool) event.SandboxItem {
	it := event.SandboxItem{Org: tagsOf(r)[orgTag], Account: r.Account, Type: r.Type, ID: r.ID, Name: nameOf(r), ARN: r.ARN}
	if it.Org == "" {
		it.Org = orgs[r.Account]
	}
	if whole {
		it.Properties = awsprovider.Public(r)
	}
	return it
}

// List lists what an owner has, or everybody; typ may be empty.
func (c *Cloud) List(ctx context.Context, owner, typ string) ([]event.SandboxItem, error) {
	rows, err := c.rows(ctx, owner, typ)
	if err != nil {
		return nil, err
	}
	orgs, err := c.orgs(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]event.SandboxItem, 0, len(rows))
	for _, r := range rows {
		out = append(out, shownIn(orgs, r, false))
	}
	return out, nil
}

// one finds the row that an id, an ARN or a name means.
func (c *Cloud) one(ctx context.Context, owner, typ, what string) (store.Row, error) {
	rows, err := c.rows(ctx, owner, typ)
	if err != nil {
		return store.Row{}, err
	}
	var fit []store.Row
	for _, r := range rows {
		if r.ID == what || r.ARN == what {
			return r, nil
		}
		if nameOf(r) == what {
			fit = append(fit, r)
		}
	}
	switch len(fit) {
	case 0:
		return store.Row{}, fmt.Errorf("%s %s of %s: %w", typ, what, owner, cloud.ErrNotFound)
	case 1:
		return fit[0], nil
	}
	var ids []string
	for _, r := range fit {
		ids = append(ids, r.ID)
	}
	return store.Row{}, fmt.Errorf("%s %s of %s: more than one has the name: %q", typ, what, owner, ids)
}

// Show returns one item with its properties.
func (c *Cloud) Show(ctx context.Context, owner, typ, what string) (event.SandboxItem, error) {
	r, err := c.one(ctx, owner, typ, what)
	if err != nil {
		return event.SandboxItem{}, err
	}
	return c.shown(ctx, r, true)
}

// Edit lets change alter an item's properties, all or none.
func (c *Cloud) Edit(ctx context.Context, owner, typ, what string, change func(properties map[string]any) error) (event.SandboxItem, error) {
	r, err := c.one(ctx, owner, typ, what)
	if err != nil {
		return event.SandboxItem{}, err
	}
	row, err := c.backend.Edit(ctx, r, change)
	if err != nil {
		return event.SandboxItem{}, err
	}
	return c.shown(ctx, *row, true)
}

// Erase deletes an item; force skips what AWS would refuse.
func (c *Cloud) Erase(ctx context.Context, owner, typ, what string, force bool) error {
	r, err := c.one(ctx, owner, typ, what)
	if err != nil {
		return err
	}
	return c.backend.Erase(ctx, r, force)
}

// Create makes an item under no stack, in the region where the owner has most.
func (c *Cloud) Create(ctx context.Context, owner, typ, name string, properties map[string]any) (event.SandboxItem, error) {
	account, err := c.account(ctx, owner)
	if err != nil {
		return event.SandboxItem{}, err
	}
	rows, err := c.backend.Rows(ctx, store.Filter{Account: account})
	if err != nil {
		return event.SandboxItem{}, err
	}
	count, region := map[string]int{}, ""
	for _, r := range rows {
		if r.Region == store.Global {
			continue
		}
		if count[r.Region]++; count[r.Region] > count[region] {
			region = r.Region
		}
	}
	if t := awsprovider.TypeOf(typ); t != nil && t.Management {
		account = awsprovider.ManagementAccount
	}
	row, err := c.backend.Make(ctx, account, region, typ, name, properties)
	if err != nil {
		return event.SandboxItem{}, err
	}
	return c.shown(ctx, *row, true)
}

// AdoptAccount makes an account that is not of the organization, with a role
// that the provisioner may assume under an external id.
func (c *Cloud) AdoptAccount(ctx context.Context, id, role, externalID string) error {
	if !accountID.MatchString(id) {
		return fmt.Errorf("%q is not an account's id: want 12 digits", id)
	}
	return c.backend.Adopt(ctx, id, role, externalID)
}

// Reset forgets everything: accounts, clusters and their data.
func (c *Cloud) Reset(ctx context.Context) error {
	if c.clusters != nil {
		all, err := c.clusters.List()
		if err != nil {
			return err
		}
		errs := make([]error, 0, len(all))
		for _, at := range all {
			errs = append(errs, c.clusters.Delete(ctx, at))
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return c.backend.Reset(ctx)
}
