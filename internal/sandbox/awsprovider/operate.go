package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/sandbox/store"
)

// Caller is who a call is made as.
type Caller = caller

// Root is the owner of an account: who changes it by hand.
func Root(account, region string) Caller { return root(account, region) }

// As assumes a role in an account, or is the provisioner if there is none.
func (b *Backend) As(ctx context.Context, region, roleARN, externalID string) (Caller, error) {
	who := provisioner(region)
	if roleARN == "" {
		return who, nil
	}
	return b.assume(ctx, who, assumption{roleARN: roleARN, externalID: externalID, session: "freehold"}, nil)
}

// Code returns the AWS error code of an error, "" if it has none.
func Code(err error) string {
	if e, is := errors.AsType[*apiError](err); is {
		return e.code
	}
	return ""
}

// Account returns an account's status ("" if there is no such account) and
// since when its services answer.
func (b *Backend) Account(ctx context.Context, id string) (status string, usable time.Time, err error) {
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		a, err := accountOf(tx, id)
		if errors.Is(err, errNoAccount) {
			return nil
		}
		status, usable = a.status, a.usable
		return err
	})
	return status, usable, err
}

// ClosedAtOnce is how many accounts AWS closes at a time.
// https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
const ClosedAtOnce = 3

// ErrCloseQueue is wrapped when it closes as many already.
var ErrCloseQueue = errors.New("CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED")

// CloseAccount answers organizations:CloseAccount. It reports whether there is
// such an account; closing a closed one does nothing.
func (b *Backend) CloseAccount(ctx context.Context, id string) (found bool, err error) {
	t := byToken[accountToken]
	r := &request{caller: provisioner(""), service: t.Service, action: t.API.Delete, token: t.Token, id: id}
	row, err := b.accountRow(ctx, id)
	if err != nil || row == nil || text(row.Outputs["status"]) != active {
		return row != nil, err
	}
	return true, b.do(ctx, r, func(tx *store.Tx) error {
		row, err := tx.Get(ManagementAccount, store.Global, accountToken, id)
		if err != nil || row == nil || text(row.Outputs["status"]) != active {
			return err
		}
		closing, err := tx.List(store.Filter{Type: accountToken})
		if err != nil {
			return err
		}
		closing = slices.DeleteFunc(closing, func(r store.Row) bool { return text(r.Outputs["status"]) != pendingClosure })
		if len(closing) >= ClosedAtOnce {
			return fmt.Errorf("ConstraintViolationException: %w: %d accounts are being closed", ErrCloseQueue, len(closing))
		}
		row.Outputs["status"] = pendingClosure
		row.Outputs["__closed"] = b.Env.Now().UTC().Format(time.RFC3339Nano)
		if b.Latency.Of(accountCloses) == 0 {
			row.Outputs["status"] = suspended
		}
		return rewrite(tx, *row)
	})
}

func (b *Backend) accountRow(ctx context.Context, id string) (row *store.Row, err error) {
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		row, err = tx.Get(ManagementAccount, store.Global, accountToken, id)
		return err
	})
	return row, err
}

// Settle moves accounts on whose closing has lasted long enough.
func (b *Backend) Settle(ctx context.Context) error {
	var due []store.Row
	err := b.Store.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.List(store.Filter{Type: accountToken})
		due = slices.DeleteFunc(rows, func(r store.Row) bool {
			at, err := time.Parse(time.RFC3339Nano, text(r.Outputs["__closed"]))
			return err != nil || text(r.Outputs["status"]) != pendingClosure || b.Env.Now().Before(at.Add(b.Latency.Of(accountCloses)))
		})
		return err
	})
	if err != nil || len(due) == 0 {
		return err
	}
	return b.Store.Write(ctx, func(tx *store.Tx) error {
		for _, r := range due {
			r.Outputs["status"] = suspended
			if err := rewrite(tx, r); err != nil {
				return err
			}
		}
		return nil
	})
}

// rewrite stores a row again with the identities that it has.
func rewrite(tx *store.Tx, r store.Row) error {
	keys, err := tx.Keys(r)
	if err != nil {
		return err
	}
	return tx.Put(r, keys...)
}

// Change lets f alter a row in a transaction, as a call of an API that has no
// resource type of its own; it reports whether there is such a row.
func (b *Backend) Change(ctx context.Context, who Caller, t *Type, id, action string, f func(outputs map[string]any)) (bool, error) {
	found := false
	acct, region, err := t.scope(who)
	if err != nil {
		return false, err
	}
	r := &request{caller: who, service: t.Service, action: action, token: t.Token, id: id, takes: ordinary[Updating]}
	return found, b.do(ctx, r, func(tx *store.Tx) error {
		row, err := tx.Get(acct, region, t.Token, id)
		if err != nil || row == nil || isGone(*row) {
			return err
		}
		found = true
		f(row.Outputs)
		return rewrite(tx, *row)
	})
}

// Look is one call that only lists: it changes nothing, and a fault can fail it.
func (b *Backend) Look(ctx context.Context, who Caller, service, action string) error {
	return b.do(ctx, &request{caller: who, service: service, action: action, reads: true}, nil)
}

// Rows lists what is there; what is gone is not.
func (b *Backend) Rows(ctx context.Context, f store.Filter) ([]store.Row, error) {
	var rows []store.Row
	err := b.Store.Read(ctx, func(tx *store.Tx) (err error) {
		rows, err = tx.List(f)
		return err
	})
	return slices.DeleteFunc(rows, isGone), err
}

// Public returns a row's properties as its API shows them.
func Public(r store.Row) map[string]any { return strip(r.Outputs) }

// Edit lets change alter a resource's properties, all of them or none, as the
// AWS console would: inputs and outputs stay one, what AWS computes or never
// changes is refused, and so is what a creation would refuse.
func (b *Backend) Edit(ctx context.Context, r store.Row, change func(properties map[string]any) error) (*store.Row, error) {
	t := byToken[r.Type]
	if t == nil {
		return nil, fmt.Errorf("%s cannot be edited", r.Type)
	}
	want := strip(cloneMap(r.Outputs))
	// What AWS has and the provider lacks is set by calls of its own.
	lacks := beside[r.Type]
	if lacks.property != "" {
		want[lacks.property], _ = r.Outputs[lacks.output].(bool)
	}
	if err := change(want); err != nil {
		return nil, err
	}
	if on, set := want[lacks.property].(bool); lacks.property != "" && set {
		delete(want, lacks.property)
		if _, err := b.Change(ctx, root(r.Account, r.Region), t, r.ID, lacks.action, func(out map[string]any) { out[lacks.output] = on }); err != nil {
			return nil, err
		}
		if reflect.DeepEqual(floats(cloneMap(want)), floats(strip(cloneMap(r.Outputs)))) {
			return &r, nil
		}
	}
	in, err := t.edited(r, floats(want).(map[string]any))
	if err != nil {
		return nil, err
	}
	return b.Update(ctx, root(r.Account, r.Region), t, r.URN, r.ID, in, nil)
}

// beside are what AWS can set on a type and its resource has no property for: as
// AWS calls it, where a row keeps it, and the call that sets it.
var beside = map[string]struct{ property, output, action string }{
	clusterToken: {"deletionProtection", DeletionProtection, "UpdateClusterConfig"},
}

// edited returns the inputs by which a row's outputs become what is wanted.
func (t *Type) edited(r store.Row, want map[string]any) (map[string]any, error) {
	s, in := shapesOf(t), cloneMap(r.Inputs)
	have := strip(r.Outputs)
	names := slices.Collect(maps.Keys(want))
	for k := range have {
		if _, is := want[k]; !is {
			names = append(names, k)
		}
	}
	var fails []string
	for _, k := range names {
		v, is := want[k]
		if is && equal(v, have[k]) {
			continue
		}
		_, input := s.inputs.props[k]
		_, known := s.outputs[k]
		switch {
		case !known && !input:
			fails = append(fails, k+": unknown property"+suggest(k, slices.Collect(maps.Keys(s.inputs.props))))
		case !input:
			fails = append(fails, k+": AWS computes it")
		case t.replaces(k):
			fails = append(fails, k+": it cannot be changed on what exists; remove it and create another")
		case is:
			in[k] = v
		default:
			delete(in, k)
		}
	}
	_, wrong := check(t, "", nil, in, in)
	for _, f := range wrong {
		fails = append(fails, f.path+": "+f.reason)
	}
	if len(fails) > 0 {
		slices.Sort(fails)
		return nil, fmt.Errorf("edit %s %s: %s", r.Type, r.ID, strings.Join(slices.Compact(fails), "; "))
	}
	return in, nil
}

// floats makes every number a float64, as JSON has it.
func floats(v any) any {
	switch v := v.(type) {
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case []any:
		for i := range v {
			v[i] = floats(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = floats(v[k])
		}
	}
	return v
}

// Make creates a resource by hand: under no URN, as whoever owns the account.
func (b *Backend) Make(ctx context.Context, account, region, token, name string, in map[string]any) (*store.Row, error) {
	t := byToken[token]
	if t == nil {
		return nil, fmt.Errorf("the sandbox cloud has no %s%s", token, suggest(token, Tokens()))
	}
	in, _ = floats(cloneMap(in)).(map[string]any)
	if p := t.Name.Property; p != "" && name != "" && in[p] == nil {
		in[p] = name
	} else if p == "" && t.Tags && name != "" {
		tags, _ := in["tags"].(map[string]any)
		tags = cloneMap(tags)
		if tags["Name"] == nil {
			tags["Name"] = name
		}
		in["tags"] = tags
	}
	in, fails := check(t, "urn:pulumi:by-hand::sandbox::"+token+"::"+name, []byte(name), nil, in)
	if len(fails) > 0 {
		var all []string
		for _, f := range fails {
			all = append(all, f.path+": "+f.reason)
		}
		return nil, fmt.Errorf("create %s %s: %s", token, name, strings.Join(all, "; "))
	}
	return b.Create(ctx, root(account, region), t, "", in, nil)
}

// Erase deletes a resource by hand. With force nothing can refuse it.
func (b *Backend) Erase(ctx context.Context, r store.Row, force bool) error {
	t := byToken[r.Type]
	if t == nil || force {
		c := &Call{Verb: Deleting, Type: t, Account: r.Account, Region: r.Region, ID: r.ID, ARN: r.ARN, In: r.Inputs, Out: r.Outputs, Env: &b.Env, ctx: ctx}
		err := b.Store.Write(ctx, func(tx *store.Tx) error {
			c.Tx = tx
			defer func() { c.Tx = nil }()
			if err := c.Drop(r); err != nil {
				return err
			}
			return tx.Journal(store.Entry{Time: b.Env.Now(), Account: r.Account, Region: r.Region, Service: "sandbox", Action: "ForceDelete", Type: r.Type, ID: r.ID, Outcome: "ok"})
		})
		if err == nil && t != nil && t.After != nil {
			err = t.After(ctx, c)
		}
		return err
	}
	return b.Delete(ctx, root(r.Account, r.Region), t, "", r.ID, nil)
}

// Adopt makes an account that is not of the organization: a customer's own,
// with a role that trusts the provisioner under an external id.
func (b *Backend) Adopt(ctx context.Context, id, role, externalID string) error {
	return b.Store.Write(ctx, func(tx *store.Tx) error {
		if _, err := accountOf(tx, id); !errors.Is(err, errNoAccount) {
			return errors.Join(err, fmt.Errorf("account %s exists", id))
		}
		now := b.Env.Now()
		if err := tx.Put(store.Row{Account: id, Type: OutsideAccount, ID: id, Inputs: map[string]any{}, Outputs: map[string]any{"status": active}, Created: now}); err != nil {
			return err
		}
		trust := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + Provisioner + `"},"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":` + strconv.Quote(externalID) + `}}}]}`
		in := map[string]any{"name": role, "path": "/", "assumeRolePolicy": trust, "maxSessionDuration": 3600.0}
		out := cloneMap(in)
		out["arn"], out["uniqueId"], out["tagsAll"] = "arn:aws:iam::"+id+":role/"+role, "AROA"+generate("upper:17", id+role), map[string]any{}
		// The customer made it, not Freehold: nobody may sweep it away.
		return tx.Put(store.Row{Account: id, Type: roleToken, ID: role, ARN: text(out["arn"]), ByCloud: true, Inputs: in, Outputs: out, Created: now}, id+"/role/"+strings.ToLower(role))
	})
}

// Usage is a quota, how much of it there is and how much is used.
type Usage struct {
	Name, Token string
	Limit, Used int
}

// Usages returns the quotas that a caller's account has, with their use.
func (b *Backend) Usages(ctx context.Context, who Caller) (out []Usage, err error) {
	err = b.Store.Read(ctx, func(tx *store.Tx) error {
		for _, t := range all {
			if t.Quota == nil || t.Management && who.Account() != ManagementAccount {
				continue
			}
			acct, region, err := t.scope(who)
			if err != nil {
				return err
			}
			c := &Call{Type: t, Account: acct, Region: region, Tx: tx, Env: &b.Env, ctx: ctx}
			limit, used, err := c.usage()
			if err != nil {
				return err
			}
			out = append(out, Usage{Name: t.Quota.Name, Token: t.Token, Limit: limit, Used: used})
		}
		return nil
	})
	return out, err
}

// SetQuota sets a service quota: "ec2:vpcs", 10.
func (b *Backend) SetQuota(ctx context.Context, name string, limit int) error {
	var known []string
	for _, t := range all {
		if t.Quota != nil {
			known = append(known, t.Quota.Name)
		}
	}
	if !slices.Contains(known, name) {
		return fmt.Errorf("unknown quota %q%s", name, suggest(name, known))
	}
	return b.Store.Write(ctx, func(tx *store.Tx) error { return tx.Set("quota/"+name, strconv.Itoa(limit)) })
}

// Empty removes what only holds data from a bucket that is to be removed.
func (b *Backend) Empty(ctx context.Context, who Caller, t *Type, id string) error {
	if t.Token != bucketToken {
		return nil
	}
	return b.Store.Write(ctx, func(tx *store.Tx) error {
		c := &Call{Verb: Deleting, Type: t, Account: who.account, Region: who.region, Tx: tx, Env: &b.Env, ctx: ctx}
		rows, err := c.List(objectToken)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if text(r.Outputs["bucket"]) == id {
				if err := c.Drop(r); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// Reset forgets everything, and makes anew what a cloud has from its start.
func (b *Backend) Reset(ctx context.Context) error {
	if err := b.Store.Reset(ctx); err != nil {
		return err
	}
	return b.Store.Write(ctx, func(tx *store.Tx) error { return seed(tx, b.Env.Now()) })
}
