package awsprovider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"freehold.dev/freehold/internal/cloud/sandbox/store"
)

// Options are what a Backend is made from.
type Options struct {
	Store   *store.Store
	Env     Env
	Latency Latency
	// Faults without a count hold for this process; counted ones go to the
	// store, where all processes use them up together.
	Faults []Fault
	Log    *slog.Logger
}

// Backend answers AWS's calls. It is safe for concurrent use.
type Backend struct {
	Options
	faults map[string]Kind // "service:Action", for each time
}

// New returns a backend and makes what a cloud has from its start.
func New(ctx context.Context, o Options) (*Backend, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	o.Env.Latency = o.Latency.Of
	b := &Backend{Options: o, faults: map[string]Kind{}}
	for _, f := range o.Faults {
		if f.Count == 0 {
			b.faults[f.Service+":"+f.Action] = f.Kind
			continue
		}
		if err := o.Store.SetFault(ctx, store.Fault{Service: f.Service, Action: f.Action, Kind: string(f.Kind), Remaining: f.Count}); err != nil {
			return nil, err
		}
	}
	return b, o.Store.Write(ctx, func(tx *store.Tx) error { return seed(tx, o.Env.Now()) })
}

// request is one call of an API: who calls what, and whom to tell of retries.
type request struct {
	caller  caller
	service string
	action  string
	takes   time.Duration
	token   string
	urn     string
	warn    func(text string)
	id      string
	// reads is true if there is no effect, and nothing to journal.
	reads bool
	// before runs ahead of the effect, outside of its transaction.
	before func(ctx context.Context) error
}

// maxAttempts is after how many throttled calls the provider gives up.
const maxAttempts = 8

var errThrottled = errors.New("throttled")

// do runs one call: injected faults first, then its effect with the journal's
// entry in one transaction, then the time that it takes. The effect comes
// before the wait, as with AWS: who is killed while waiting finds it done.
func (b *Backend) do(ctx context.Context, r *request, effect func(tx *store.Tx) error) error {
	timeouts := 0
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval = max(b.Latency.hang(time.Second), time.Millisecond)
	wait.MaxInterval = max(b.Latency.hang(20*time.Second), 10*time.Millisecond)
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := b.once(ctx, r, effect)
		var e *apiError
		switch {
		case errors.As(err, &e) && e.code == "ThrottlingException":
			return struct{}{}, fmt.Errorf("%w: %w", errThrottled, err)
		case errors.As(err, &e) && e.code == "RequestTimeout":
			if timeouts++; timeouts > 1 {
				return struct{}{}, backoff.Permanent(err)
			}
			return struct{}{}, err
		case err != nil:
			return struct{}{}, backoff.Permanent(err)
		}
		return struct{}{}, nil
	}, backoff.WithBackOff(wait), backoff.WithMaxTries(maxAttempts), backoff.WithMaxElapsedTime(0), backoff.WithNotify(func(err error, d time.Duration) {
		kind := "Throttling"
		if !errors.Is(err, errThrottled) {
			kind = "Timeout"
		}
		b.Log.Warn("retrying", "call", r.service+":"+r.action, "reason", kind, "in", d)
		if r.warn != nil {
			r.warn(fmt.Sprintf("%s: retrying %s:%s in %s", kind, r.service, r.action, d.Round(time.Millisecond)))
		}
	}))
	var e *apiError
	if errors.As(err, &e) {
		return e
	}
	return err
}

func (b *Backend) once(ctx context.Context, r *request, effect func(tx *store.Tx) error) error {
	kind, err := b.fault(ctx, r.service, r.action)
	if err != nil {
		return err
	}
	switch kind {
	case FaultThrottle:
		return b.refuse(ctx, r, errf("ThrottlingException", "Rate exceeded"))
	case FaultError:
		return b.refuse(ctx, r, errf("InternalFailure", "We encountered an internal error. Please try again. (injected)"))
	case FaultTimeout:
		if err := sleep(ctx, b.Latency.hang(30*time.Second)); err != nil {
			return err
		}
		return b.refuse(ctx, r, errf("RequestTimeout", "request send failed: context deadline exceeded (injected)"))
	}
	takes := b.Latency.Of(r.takes)
	if r.reads {
		return sleep(ctx, takes)
	}
	if r.before != nil {
		if err := r.before(ctx); err != nil {
			return err
		}
	}
	err = b.Store.Write(ctx, func(tx *store.Tx) error {
		if err := effect(tx); err != nil {
			return err
		}
		return tx.Journal(b.entry(r, "ok", takes))
	})
	var e *apiError
	if errors.As(err, &e) {
		return b.refuse(ctx, r, e)
	}
	if err != nil {
		return err
	}
	if kind == FaultLost {
		return errf("RequestError", "send request failed: read: connection reset by peer; whether it happened is not known (injected)")
	}
	return sleep(ctx, takes)
}

// refuse journals a call that had no effect.
func (b *Backend) refuse(ctx context.Context, r *request, why error) error {
	if err := b.Store.Write(ctx, func(tx *store.Tx) error { return tx.Journal(b.entry(r, codeOf(why), 0)) }); err != nil {
		return errors.Join(why, err)
	}
	return why
}

func (b *Backend) entry(r *request, outcome string, takes time.Duration) store.Entry {
	return store.Entry{Time: b.Env.Now(), Account: r.caller.account, Region: r.caller.region, Service: r.service, Action: r.action,
		Type: r.token, ID: r.id, URN: r.urn, Outcome: outcome, Latency: takes}
}

func (b *Backend) fault(ctx context.Context, service, action string) (Kind, error) {
	if k, is := b.faults[service+":"+action]; is {
		return k, nil
	}
	k, err := b.Store.TakeFault(ctx, service, action)
	return Kind(k), err
}

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
		return nil, b.tell(Creating, t, label(t, in), t.API.Create, urn, err)
	}
	c := &Call{Verb: Creating, Type: t, Account: acct, Region: region, URN: urn, Caller: who.arn, In: in, Env: &b.Env, ctx: ctx}
	r := &request{caller: who, service: t.Service, action: t.API.Create, takes: t.takes(Creating), token: t.Token, urn: urn, warn: warn}
	// Before needs the id, and the id the counter; a creation that fails after
	// it leaves a gap in the counter and nothing else.
	if err := b.Store.Write(ctx, func(tx *store.Tx) error { return c.begin(tx) }); err != nil {
		return nil, b.tell(Creating, t, label(t, in), t.API.Create, urn, err)
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
		return &row, &partialError{b.tell(Creating, t, c.ID, t.API.Create, urn, err)}
	}
	if err != nil {
		return nil, b.tell(Creating, t, label(t, in), t.API.Create, urn, err)
	}
	return &row, nil
}

// partialError says that a creation has happened but was not waited for.
type partialError struct{ error }

func (e *partialError) Unwrap() error { return e.error }

// begin makes the outputs that a creation knows before it happens.
func (c *Call) begin(tx *store.Tx) error {
	n, err := tx.Next("made/" + c.Account + "/" + c.Region + "/" + c.Type.Token + "/" + c.URN)
	if err != nil {
		return err
	}
	c.seed = c.Account + "/" + c.Region + "/" + c.Type.Token + "/" + c.URN + "/" + strconv.FormatInt(n, 10)
	c.Out = map[string]any{}
	c.fill(true)
	if c.ID == "" {
		return fmt.Errorf("the id %q of %s has no value", c.Type.ID, c.Type.Token)
	}
	return nil
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
		return nil, b.tell(Reading, t, id, t.API.Read, "", err)
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
	c := &Call{Type: t, Account: r.Account, Region: r.Region, ID: r.ID, ARN: r.ARN, In: r.Inputs, Out: r.Outputs, Env: &Env{Now: time.Now}}
	return c.Expand(t.Import)
}

// Read is Get as an API call, with its faults and its time.
func (b *Backend) Read(ctx context.Context, who caller, t *Type, urn, id string, warn func(string)) (*store.Row, error) {
	r := &request{caller: who, service: t.Service, action: t.API.Read, takes: t.takes(Reading), token: t.Token, urn: urn, id: id, warn: warn, reads: true}
	if err := b.do(ctx, r, nil); err != nil {
		return nil, b.tell(Reading, t, id, t.API.Read, urn, err)
	}
	return b.Get(ctx, who, t, id)
}

// Update changes a resource in place. Paths that changed decide which calls are made.
func (b *Backend) Update(ctx context.Context, who caller, t *Type, urn, id string, in map[string]any, warn func(string)) (*store.Row, error) {
	acct, region, err := t.scope(who)
	if err != nil {
		return nil, b.tell(Updating, t, id, t.API.Update, urn, err)
	}
	old, err := b.Get(ctx, who, t, id)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, b.tell(Updating, t, id, t.API.Update, urn, notThere(t, id))
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
			return nil, b.tell(Updating, t, id, action, urn, err)
		}
	}
	if t.After != nil {
		if err := t.After(ctx, c); err != nil {
			return nil, b.tell(Updating, t, id, t.API.Update, urn, err)
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
		return b.tell(Deleting, t, id, t.API.Delete, urn, err)
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
		return b.tell(Deleting, t, id, r.action, urn, err)
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
	if c.Type.Deleted != nil {
		return c.Type.Deleted(c)
	}
	return nil
}

func notThere(t *Type, id string) error {
	code := missing[t.Service]
	if code == "" {
		code = "ResourceNotFoundException"
	}
	return errf(code, "%s %s cannot be found.", t.Noun, id)
}

// tell words an error as the genuine provider does.
func (b *Backend) tell(verb Verb, t *Type, id, action, urn string, err error) error {
	return told(verb, t, id, action, generate("uuid", strings.Join([]string{urn, id, action}, "/")), err)
}

// label is how a resource without an id is called in errors.
func label(t *Type, in map[string]any) string {
	for _, p := range []string{t.Name.Property, "name", "bucket", "role", "email"} {
		if s := text(in[p]); p != "" && s != "" {
			return s
		}
	}
	return "new"
}

func first(words ...string) string {
	for _, w := range words {
		if w != "" {
			return w
		}
	}
	return ""
}
