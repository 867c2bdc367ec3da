package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"freehold.dev/freehold/internal/sandbox/store"
)

// scope returns the account and region in which a caller's resource of a type is.
func (t *Type) scope(who caller) (string, string, error) {
	switch {
	case t.Management && who.account != ManagementAccount:
		return "", "", errf("AccessDeniedException", "You don't have permissions to access this resource.")
	case t.Global:
		return who.account, store.Global, nil
	case who.region == "":
		return "", "", errf("MissingRegion", "Invalid Configuration: Missing Region")
	}
	return who.account, who.region, nil
}

// open refuses calls in an account that does not answer them.
func open(tx *store.Tx, t *Type, id string, now time.Time) error {
	a, err := accountOf(tx, id)
	switch {
	case errors.Is(err, errNoAccount):
		return errf("UnrecognizedClientException", "The security token included in the request is invalid.")
	case err != nil:
		return err
	case a.status != active:
		return errf("AccessDeniedException", "The account %s is %s", id, a.status)
	case !t.Global && now.Before(a.usable):
		return errf("OptInRequired", "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.")
	}
	return nil
}

// Create makes a resource from checked inputs.
func (b *Backend) Create(ctx context.Context, who caller, t *Type, urn string, in map[string]any, warn func(string)) (*store.Row, error) {
	acct, region, err := t.scope(who)
	if err != nil {
		return nil, b.operationError(Creating, t, label(t, in), t.API.Create, urn, err)
	}
	c := &Call{Verb: Creating, Type: t, Account: acct, Region: region, URN: urn, Caller: who.arn, In: in, Env: &b.Env, ctx: ctx}
	r := &request{caller: who, service: t.Service, action: t.API.Create, takes: t.takes(Creating), token: t.Token, urn: urn, warn: warn}
	if err := b.Store.Read(ctx, c.begin); err != nil {
		return nil, b.operationError(Creating, t, label(t, in), t.API.Create, urn, err)
	}
	r.id, r.before = c.ID, c.before
	var row store.Row
	err = b.do(ctx, r, func(tx *store.Tx) error {
		c.Tx = tx
		defer func() { c.Tx = nil }()
		if err := open(tx, t, acct, b.Env.Now()); err != nil {
			return err
		}
		row, err = c.create()
		return err
	})
	if err == nil && t.After != nil {
		err = t.After(ctx, c)
	}
	if err != nil && row.ID != "" && ctx.Err() != nil {
		return &row, &partialError{b.operationError(Creating, t, c.ID, t.API.Create, urn, err)}
	}
	if err != nil {
		return nil, b.operationError(Creating, t, label(t, in), t.API.Create, urn, err)
	}
	return &row, nil
}

// partialError says that a creation has happened but was not waited for.
type partialError struct{ error }

func (e *partialError) Unwrap() error { return e.error }

// begin makes the outputs that a creation knows before it happens. The seed of
// generated values counts the creations of this URN that did happen, so that one
// that failed or was killed, and is tried again, gives the same ids.
func (c *Call) begin(tx *store.Tx) error {
	n, err := tx.Count(c.counter())
	if err != nil {
		return err
	}
	c.seed = c.counter() + "/" + strconv.FormatInt(n+1, 10)
	c.Out = map[string]any{}
	c.fill(true)
	if c.ID == "" {
		return fmt.Errorf("the id %q of %s has no value", c.Type.ID, c.Type.Token)
	}
	return nil
}

func (c *Call) counter() string {
	return "made/" + c.Account + "/" + c.Region + "/" + c.Type.Token + "/" + c.URN
}

func (c *Call) before(ctx context.Context) error {
	if c.Type.Before == nil {
		return nil
	}
	return c.Type.Before(ctx, c)
}

func (c *Call) create() (store.Row, error) {
	if err := c.quota(); err != nil {
		return store.Row{}, err
	}
	if err := c.verify(); err != nil {
		return store.Row{}, err
	}
	old, err := c.Tx.Get(c.Account, c.Region, c.Type.Token, c.ID)
	if err != nil {
		return store.Row{}, err
	}
	row := store.Row{Account: c.Account, Region: c.Region, Type: c.Type.Token, ID: c.ID, ARN: c.ARN, URN: c.URN,
		Inputs: c.In, Outputs: c.Out, Created: c.Env.Now()}
	if old != nil && !c.Type.Upsert {
		// The identity's own error is AWS's wording; the id's is ours.
		if err := c.taken(); err != nil {
			return store.Row{}, err
		}
		return store.Row{}, errf("ResourceAlreadyExists", "%s %s already exists", c.Type.Noun, c.ID)
	}
	if _, err := c.Tx.Next(c.counter()); err != nil {
		return store.Row{}, err
	}
	if err := c.claim(row); err != nil {
		return store.Row{}, err
	}
	if c.Type.Created != nil {
		if err := c.Type.Created(c); err != nil {
			return store.Row{}, err
		}
		row.Outputs = c.Out
		if err := c.claim(row); err != nil {
			return store.Row{}, err
		}
	}
	return row, nil
}

// taken is the error of the first identity that another resource has.
func (c *Call) taken() error {
	for _, u := range c.Type.Unique {
		k := c.key(u)
		if k == "" {
			continue
		}
		owner, err := c.Tx.Owner(k)
		if err != nil {
			return err
		}
		if owner != nil {
			return parseError(c.Expand(u.Error))
		}
	}
	return nil
}

// Get returns a resource by its id or by what an import names it, nil if there is none.
func (b *Backend) Get(ctx context.Context, who caller, t *Type, id string) (*store.Row, error) {
	acct, region, err := t.scope(who)
	if err != nil {
		return nil, b.operationError(Reading, t, id, t.API.Read, "", err)
	}
	var row *store.Row
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		row, err = b.find(tx, t, acct, region, id)
		return err
	})
	return row, err
}

func (b *Backend) find(tx *store.Tx, t *Type, acct, region, id string) (*store.Row, error) {
	row, err := tx.Get(acct, region, t.Token, id)
	if err != nil || row != nil || t.Import == "" {
		if row != nil && isGone(*row) {
			row = nil
		}
		return row, err
	}
	rows, err := tx.List(store.Filter{Account: acct, Region: region, Type: t.Token})
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if !isGone(r) && importID(t, r) == id {
			return &r, nil
		}
	}
	return nil, nil
}

// importID is the id by which a resource can be imported.
func importID(t *Type, r store.Row) string {
	if t.Import == "" {
		return r.ID
	}
	c := &Call{Type: t, Account: r.Account, Region: r.Region, ID: r.ID, ARN: r.ARN, In: r.Inputs, Out: r.Outputs}
	return c.Expand(t.Import)
}

// Read is Get as an API call, with its faults and its time.
func (b *Backend) Read(ctx context.Context, who caller, t *Type, urn, id string, warn func(string)) (*store.Row, error) {
	r := &request{caller: who, service: t.Service, action: t.API.Read, takes: t.takes(Reading), token: t.Token, urn: urn, id: id, warn: warn, reads: true}
	if err := b.do(ctx, r, nil); err != nil {
		return nil, b.operationError(Reading, t, id, t.API.Read, urn, err)
	}
	return b.Get(ctx, who, t, id)
}

// Update changes a resource in place. Paths that changed decide which calls are made.
func (b *Backend) Update(ctx context.Context, who caller, t *Type, urn, id string, in map[string]any, warn func(string)) (*store.Row, error) {
	acct, region, err := t.scope(who)
	if err != nil {
		return nil, b.operationError(Updating, t, id, t.API.Update, urn, err)
	}
	old, err := b.Get(ctx, who, t, id)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, b.operationError(Updating, t, id, t.API.Update, urn, notThere(t, id))
	}
	c := &Call{Verb: Updating, Type: t, Account: acct, Region: region, URN: urn, ID: old.ID, ARN: old.ARN, In: in, OldIn: old.Inputs,
		OldOut: old.Outputs, Out: cloneMap(old.Outputs), Env: &b.Env, ctx: ctx, seed: old.ID}
	c.forget()
	c.fill(false)
	var row store.Row
	calls := t.updates(old.Inputs, in)
	for i, action := range calls {
		r := &request{caller: who, service: t.Service, action: action, token: t.Token, urn: urn, id: id, warn: warn, takes: ordinary[Updating]}
		if action == t.API.Update {
			r.takes = t.takes(Updating)
		}
		if i == len(calls)-1 {
			r.before = c.before
		}
		err := b.do(ctx, r, func(tx *store.Tx) error {
			if i < len(calls)-1 {
				return nil // the last call carries the effect of all
			}
			c.Tx = tx
			defer func() { c.Tx = nil }()
			row, err = c.update(b.Env.Now())
			return err
		})
		if err != nil {
			return nil, b.operationError(Updating, t, id, action, urn, err)
		}
	}
	if t.After != nil {
		if err := t.After(ctx, c); err != nil {
			return nil, b.operationError(Updating, t, id, t.API.Update, urn, err)
		}
	}
	return &row, nil
}

func (c *Call) update(now time.Time) (store.Row, error) {
	if err := open(c.Tx, c.Type, c.Account, now); err != nil {
		return store.Row{}, err
	}
	row, err := c.Tx.Get(c.Account, c.Region, c.Type.Token, c.ID)
	if err != nil {
		return store.Row{}, err
	}
	if row == nil || isGone(*row) {
		return store.Row{}, notThere(c.Type, c.ID)
	}
	if err := c.verify(); err != nil {
		return store.Row{}, err
	}
	row.ARN, row.Inputs, row.Outputs = c.ARN, c.In, c.Out
	if c.URN != "" {
		row.URN = c.URN
	}
	if err := c.claim(*row); err != nil {
		return store.Row{}, err
	}
	if c.Type.Updated != nil {
		if err := c.Type.Updated(c); err != nil {
			return store.Row{}, err
		}
		row.Outputs = c.Out
		if err := c.claim(*row); err != nil {
			return store.Row{}, err
		}
	}
	return *row, nil
}

// updates are the calls that change what differs.
func (t *Type) updates(old, in map[string]any) []string {
	var out []string
	for _, d := range differences(t, old, in) {
		top := steps(d.path)[0]
		action := t.API.Updates[top]
		if action == "" {
			action = t.API.Update
		}
		if action != "" && !slices.Contains(out, action) {
			out = append(out, action)
		}
	}
	if len(out) == 0 { // an engine that repairs a half-made creation updates without a difference
		return []string{first(t.API.Update, t.API.Create)}
	}
	return out
}

// Delete removes a resource; one that is not there is deleted already.
func (b *Backend) Delete(ctx context.Context, who caller, t *Type, urn, id string, warn func(string)) error {
	acct, region, err := t.scope(who)
	if err != nil {
		return b.operationError(Deleting, t, id, t.API.Delete, urn, err)
	}
	row, err := b.Get(ctx, who, t, id)
	if err != nil || row == nil {
		return err
	}
	c := &Call{Verb: Deleting, Type: t, Account: acct, Region: region, URN: urn, ID: row.ID, ARN: row.ARN, In: row.Inputs, Out: row.Outputs, Env: &b.Env, ctx: ctx}
	r := &request{caller: who, service: t.Service, action: first(t.API.Delete, t.API.Update, t.API.Create), takes: t.takes(Deleting), token: t.Token, urn: urn, id: id, warn: warn}
	r.before = c.before
	err = b.do(ctx, r, func(tx *store.Tx) error {
		c.Tx = tx
		defer func() { c.Tx = nil }()
		if err := open(tx, t, acct, b.Env.Now()); err != nil {
			return err
		}
		return c.delete()
	})
	if err == nil && t.After != nil {
		err = t.After(ctx, c)
	}
	if err != nil {
		return b.operationError(Deleting, t, id, r.action, urn, err)
	}
	return nil
}

func (c *Call) delete() error {
	row, err := c.Tx.Get(c.Account, c.Region, c.Type.Token, c.ID)
	if err != nil || row == nil || isGone(*row) {
		return err
	}
	c.In, c.Out = row.Inputs, row.Outputs
	if err := c.blocked(); err != nil {
		return err
	}
	if err := c.dropOwned(); err != nil {
		return err
	}
	if c.Type.Retires {
		c.Out[gone] = true
		if c.Type.Deleted != nil {
			if err := c.Type.Deleted(c); err != nil {
				return err
			}
		}
		row.Outputs = c.Out
		return c.claim(*row)
	}
	if err := c.Tx.Delete(*row); err != nil {
		return err
	}
	if err := c.ended(*row); err != nil {
		return err
	}
	if c.Type.Deleted != nil {
		return c.Type.Deleted(c)
	}
	return nil
}
