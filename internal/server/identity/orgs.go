package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"freehold.dev/freehold/internal/iam"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/service"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// Remembered is how long what is recorded of an org is remembered, and that there
// is no such org: a change of its access takes effect within that time.
const Remembered = 5 * time.Second

const (
	// maxRemembered bounds the memory: whoever asks for names of no org has others
	// looked up again, and nothing more.
	maxRemembered = 4096
	readTimeout   = 5 * time.Second
	// offboarded is the state of an org of which only the records are left.
	offboarded = "offboarded"
)

// Records is the registry: registry.Store.
type Records interface {
	Org(c orgcontext.Context) registry.OrgStore
	Fleet(f orgcontext.Fleet) registry.FleetStore
}

// org is who may call for an org. One without issuers refuses everybody.
type org struct {
	hash    string
	cluster string
	issuers map[string]*issuer // by iss, to the letter
}

// orgs remembers what is recorded of orgs.
type orgs struct {
	records Records
	now     func() time.Time
	build   func(name string, access plan.Access, cluster, account string) map[string]*issuer

	mu  sync.Mutex
	all map[string]*remembered
}

type remembered struct {
	until time.Time
	org   *org // nil: there is none
	err   error
	ready chan struct{} // closed when the rest is there
}

// of returns an org, nil if there is none. One lookup serves all who ask at once.
func (o *orgs) of(ctx context.Context, name, request string) (*org, error) {
	o.mu.Lock()
	known, ok := o.all[name]
	if ok && (known.until.IsZero() || o.now().Before(known.until)) {
		o.mu.Unlock()
		select {
		case <-known.ready:
			return known.org, known.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	var before *org
	if ok {
		before = known.org
	}
	if !ok && len(o.all) >= maxRemembered {
		o.forget()
	}
	next := &remembered{ready: make(chan struct{})}
	o.all[name] = next
	o.mu.Unlock()

	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer stop()
	found, err := o.read(ctx, name, request, before)
	o.mu.Lock()
	defer o.mu.Unlock()
	next.org, next.err, next.until = found, err, o.now().Add(Remembered)
	if err != nil {
		next.until = o.now() // the next call asks again
	}
	close(next.ready)
	return found, err
}

// forget makes room: of what is over if there is any, and else of something.
func (o *orgs) forget() {
	now := o.now()
	for name, r := range o.all {
		if !r.until.IsZero() && !now.Before(r.until) {
			delete(o.all, name)
		}
	}
	for name, r := range o.all {
		if len(o.all) < maxRemembered {
			return
		}
		if !r.until.IsZero() {
			delete(o.all, name)
		}
	}
}

func (o *orgs) read(ctx context.Context, name, request string, before *org) (*org, error) {
	store := o.records.Org(service.For(name, "identity", request))
	rec, err := store.Org(ctx)
	if errors.Is(err, registry.ErrUnknownOrg) || err == nil && rec.State == offboarded {
		return nil, nil //nolint:nilnil // there is none
	}
	if err != nil {
		return nil, fmt.Errorf("read who may call for %s: %w", name, err)
	}
	has, err := store.DataPlane(ctx)
	if err != nil && !errors.Is(err, registry.ErrUnknownOrg) {
		return nil, fmt.Errorf("read the data plane of %s: %w", name, err)
	}
	mark := rec.Hash + " " + has.AccountID
	if before != nil && before.hash == mark && before.cluster == has.OIDCIssuer {
		return before, nil
	}
	var p struct {
		Access  *plan.Access `json:"access"`
		Account plan.Account `json:"account"`
	}
	if err := json.Unmarshal(rec.Plan, &p); err != nil {
		return nil, fmt.Errorf("read the plan that %s was onboarded with: %w", name, err)
	}
	if p.Access == nil {
		p.Access = &plan.Access{}
	}
	account := has.AccountID
	if !p.Account.Vended {
		account = iam.AccountIn(p.Account.RoleARN)
	}
	return &org{hash: mark, cluster: has.OIDCIssuer, issuers: o.build(name, *p.Access, has.OIDCIssuer, account)}, nil
}
