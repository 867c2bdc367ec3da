package identity

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

// records are a registry that can be away.
type records struct {
	registry.OrgStore

	orgs  map[string]registry.Org
	err   error
	asked int
}

func (r *records) Org(c orgcontext.Context) registry.OrgStore { return &recordsOf{r, c.Org()} }

func (r *records) Fleet(orgcontext.Fleet) registry.FleetStore { return nil } // nobody asks

type recordsOf struct {
	*records

	name string
}

func (r *recordsOf) Org(context.Context) (registry.Org, error) {
	r.asked++
	if r.err != nil {
		return registry.Org{}, r.err
	}
	o, ok := r.orgs[r.name]
	if !ok {
		return o, registry.ErrUnknownOrg
	}
	return o, nil
}

func (r *recordsOf) DataPlane(context.Context) (event.DataPlane, error) {
	return event.DataPlane{}, registry.ErrUnknownOrg
}

func newOrgs(r *records, now *time.Time) *orgs {
	return &orgs{records: r, now: func() time.Time { return *now }, all: map[string]*remembered{}, build: func(string, plan.Access, string, string) map[string]*issuer {
		return map[string]*issuer{}
	}}
}

func TestARegistryThatIsAwayIsNotTakenForAnOrgThatThereIsNot(t *testing.T) {
	now := time.Now()
	r := &records{orgs: map[string]registry.Org{"acme": {Org: "acme", State: "ready", Plan: []byte("{}")}}}
	o := newOrgs(r, &now)
	get := func() (bool, error) {
		found, err := o.of(t.Context(), "acme", "")
		return found != nil, err
	}
	if there, err := get(); !there || err != nil {
		t.Fatal(there, err)
	}
	r.err = errors.New("connection refused")
	if there, err := get(); !there || err != nil {
		t.Errorf("within the time that it is remembered: %v, %v", there, err)
	}
	now = now.Add(Remembered)
	if there, err := get(); there || !errors.Is(err, r.err) {
		t.Errorf("afterwards: %v, %v", there, err)
	}
	r.err = nil
	if there, err := get(); !there || err != nil {
		t.Errorf("when it is back: %v, %v", there, err)
	}
	r.orgs["acme"] = registry.Org{Org: "acme", State: "ready", Plan: []byte("no JSON"), Hash: "2"}
	now = now.Add(Remembered)
	if there, err := get(); there || err == nil {
		t.Errorf("with a plan that cannot be read: %v, %v", there, err)
	}
}

func TestNamesOfNoOrgFillNoMemoryAndAreAskedForOnceAWhile(t *testing.T) {
	now := time.Now()
	r := &records{orgs: map[string]registry.Org{}}
	o := newOrgs(r, &now)
	for n := range 3 * maxRemembered {
		for range 2 {
			if found, err := o.of(t.Context(), fmt.Sprintf("org-%d", n), ""); found != nil || err != nil {
				t.Fatal(found, err)
			}
		}
		if len(o.all) > maxRemembered {
			t.Fatalf("%d are remembered", len(o.all))
		}
	}
	if r.asked != 3*maxRemembered {
		t.Errorf("asked %d times", r.asked)
	}
}
