package lifecycle

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/spec"
)

// Several orgs in one process, over one engine, one cloud and one registry, are
// made as each is made alone, and no event of one comes to another.
func TestSeveralOrgsAreOnboardedSideBySide(t *testing.T) {
	const orgs = 8
	p := newPlace(t)
	together := p.here()
	alone := newPlace(t)
	docs, shown := make([]spec.Spec, orgs), make([][]event.Event, orgs)
	results := make([]event.Onboarding, orgs)
	var running sync.WaitGroup
	for i := range orgs {
		docs[i] = document(t, fmt.Sprintf("org: org-%d", i), fmt.Sprintf("account: {email: aws+%d@example.com}", i))
		running.Go(func() {
			out, err := together.Onboard(together.Context(), docs[i], OnboardOptions{}, func(e event.Event) { shown[i] = append(shown[i], e) })
			if err != nil {
				t.Errorf("org-%d: %v", i, err)
			}
			results[i] = out
		})
	}
	running.Wait()
	accounts := map[string]string{}
	for i, doc := range docs {
		by := alone.here()
		want := must[event.Onboarding](t)(by.onboard(doc))
		if diff := cmp.Diff(counts(want), counts(results[i])); diff != "" {
			t.Errorf("%s, alone and beside others (-alone +beside):\n%s", doc.Org, diff)
		}
		for n, e := range shown[i] {
			if e.Org != doc.Org || e.Operation != results[i].Operation || e.Seq != int64(n+1) || e.Type.Terminal() != (n == len(shown[i])-1) {
				t.Errorf("event %d of %s is %+v", n+1, doc.Org, e)
			}
		}
		if by := accounts[results[i].DataPlane.AccountID]; by != "" {
			t.Errorf("%s is in the account of %s", doc.Org, by)
		}
		accounts[results[i].DataPlane.AccountID] = doc.Org
		status := must[event.Status](t)(together.Status(t.Context(), doc.Org))
		if status.State != "ready" || status.DataPlane.AccountID != results[i].DataPlane.AccountID {
			t.Errorf("%s is %s in account %q, and was made in %q", doc.Org, status.State, status.DataPlane.AccountID, results[i].DataPlane.AccountID)
		}
	}
}

// counts are the changes of each layer.
func counts(o event.Onboarding) map[string]map[string]int {
	out := map[string]map[string]int{}
	for _, l := range o.Layers {
		out[l.Layer] = l.Changes
	}
	return out
}
