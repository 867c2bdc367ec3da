package registrytest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/registry"
)

var recording = map[string]func(*testing.T, world){
	"an org is read as it was last written": func(t *testing.T, w world) {
		if _, err := of(w.a, "acme").Org(t.Context()); !errors.Is(err, registry.ErrUnknownOrg) {
			t.Fatalf("an org that never was: %v, want ErrUnknownOrg", err)
		}
		l := begin(t, w.a, "acme").Lease
		if _, err := of(w.a, "acme").Org(t.Context()); !errors.Is(err, registry.ErrUnknownOrg) {
			t.Fatalf("an org that only has an operation: %v, want ErrUnknownOrg", err)
		}
		for _, o := range []registry.Org{
			{Org: "acme", State: "onboarding", Plan: []byte(`{"org":"acme"}`), Hash: "h", HashVersion: 1, Management: "111122223333"},
			{Org: "acme", State: "ready", Plan: []byte(`{}`), Hash: "i", HashVersion: 2},
		} {
			o.Updated = w.pass(time.Second)
			if err := of(w.a, l.Org).PutOrg(t.Context(), l, o); err != nil {
				t.Fatal(err)
			}
			same(t, "org", o, must[registry.Org](t)(of(w.b, "acme").Org(t.Context())))
			same(t, "orgs", []registry.Org{o}, must[[]registry.Org](t)(all(w.b).Orgs(t.Context())))
		}
	},

	"orgs are listed by name": func(t *testing.T, w world) {
		for _, org := range []string{"globex", "acme", "initech"} {
			onOrg(t, w.a, org)
		}
		var got []string
		for _, o := range must[[]registry.Org](t)(all(w.b).Orgs(t.Context())) {
			got = append(got, o.Org)
		}
		same(t, "orgs", []string{"acme", "globex", "initech"}, got)
	},

	"an operation writes for its own org only": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		begin(t, w.a, "globex")
		if err := of(w.a, l.Org).PutOrg(t.Context(), l, registry.Org{Org: "globex", State: "ready", Plan: []byte("{}")}); err == nil {
			t.Error("acme's operation wrote globex")
		}
		if orgs := must[[]registry.Org](t)(all(w.a).Orgs(t.Context())); len(orgs) > 0 {
			t.Errorf("%+v", orgs)
		}
	},

	"a layer is read as it was last written, and another org's is not touched": func(t *testing.T, w world) {
		l, other := onOrg(t, w.a, "acme"), onOrg(t, w.a, "globex")
		theirs := registry.Layer{Layer: "cluster", State: "done", Made: true, Outputs: map[string]any{"name": "theirs"}, Updated: w.now()}
		if err := of(w.a, other.Org).PutLayer(t.Context(), other, theirs); err != nil {
			t.Fatal(err)
		}
		for _, layer := range []registry.Layer{
			{
				Layer: "cluster", State: "failed", Unclean: true, Made: true, Resources: 3, Duration: time.Second, Error: "no",
				Outputs: map[string]any{"name": "ours", "zones": []any{"a", "b"}, "count": 2.0, "nested": map[string]any{"deep": true}},
			},
			{Layer: "cluster", State: "removed"},
			{Layer: "cluster", State: "making", Outputs: map[string]any{}},
		} {
			layer.Updated = w.pass(time.Second)
			if err := of(w.a, l.Org).PutLayer(t.Context(), l, layer); err != nil {
				t.Fatal(err)
			}
			same(t, "layers", map[string]registry.Layer{"cluster": layer}, must[map[string]registry.Layer](t)(of(w.b, "acme").Layers(t.Context())))
		}
		same(t, "the other's", map[string]registry.Layer{"cluster": theirs}, must[map[string]registry.Layer](t)(of(w.b, "globex").Layers(t.Context())))
		same(t, "nobody's", map[string]registry.Layer{}, must[map[string]registry.Layer](t)(of(w.b, "initech").Layers(t.Context())))
	},

	"shared is what the outputs of two orgs have in common": func(t *testing.T, w world) {
		for org, key := range map[string]string{"acme": "arn:key/1", "globex": "arn:key/1", "initech": "arn:key/2", "hooli": "arn:key/2"} {
			l := onOrg(t, w.a, org)
			state := "done"
			if org == "hooli" {
				state = "removed"
			}
			if err := errors.Join(
				of(w.a, l.Org).PutLayer(t.Context(), l, registry.Layer{Layer: "account", State: state, Outputs: map[string]any{"accountId": org, "region": "same"}}),
				of(w.a, l.Org).PutLayer(t.Context(), l, registry.Layer{Layer: "boundary", State: state, Outputs: map[string]any{"accountId": org, "dataKeyArn": key}}),
				of(w.a, l.Org).PutLayer(t.Context(), l, registry.Layer{Layer: "cluster", State: "making"}),
			); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "shared", []finding.Shared{{Kind: "dataKeyArn", Value: "arn:key/1", Owners: []string{"acme", "globex"}}},
			must[[]finding.Shared](t)(all(w.b).Shared(t.Context())))
	},
}

// onOrg begins an operation on the org and records the org.
func onOrg(t *testing.T, s registry.Store, org string) registry.Lease {
	t.Helper()
	l := begin(t, s, org).Lease
	if err := of(s, l.Org).PutOrg(t.Context(), l, registry.Org{Org: org, State: "onboarding", Plan: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	return l
}

var (
	account = finding.Identity{Kind: "account", Value: "111122223333"}
	mail    = finding.Identity{Kind: "e-mail", Value: "a@example.com"}
	vpc     = finding.Identity{Kind: "VPC", Value: "vpc-1"}
)

var owning = map[string]func(*testing.T, world){
	"an identity has one owner, and a claim is all or none": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme").Lease, begin(t, w.b, "globex").Lease
		for range 2 {
			if err := of(w.a, acme.Org).Claim(t.Context(), acme, true, account); err != nil {
				t.Fatal(err)
			}
		}
		err := of(w.b, globex.Org).Claim(t.Context(), globex, true, mail, account, vpc)
		var owned *registry.OwnedError
		if !errors.As(err, &owned) {
			t.Fatalf("a second owner: %v, want an OwnedError", err)
		}
		same(t, "owned, by whom an org does not hear", &registry.OwnedError{Identity: account}, owned)
		for id, want := range map[finding.Identity]string{account: "acme", mail: "", vpc: ""} {
			same(t, "owner of "+id.Value, want, must[string](t)(all(w.a).Owner(t.Context(), id)))
		}
		same(t, "claims", []registry.Claim{{Identity: account, Made: true}}, must[[]registry.Claim](t)(of(w.b, "acme").Claims(t.Context())))
		if claims := must[[]registry.Claim](t)(of(w.b, "globex").Claims(t.Context())); len(claims) > 0 {
			t.Errorf("a refused claim left %v", claims)
		}
	},

	"of two orgs that claim the same at once, in whatever order, one gets all of it": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme").Lease, begin(t, w.b, "globex").Lease
		for round := range 10 {
			var ids []finding.Identity
			for i := range 8 {
				ids = append(ids, finding.Identity{Kind: "vpc", Value: fmt.Sprintf("vpc-%d-%d", round, i)})
			}
			backwards := slices.Clone(ids)
			slices.Reverse(backwards)
			var one, other error
			var both sync.WaitGroup
			both.Go(func() { one = of(w.a, acme.Org).Claim(t.Context(), acme, false, ids...) })
			both.Go(func() { other = of(w.b, globex.Org).Claim(t.Context(), globex, false, backwards...) })
			both.Wait()
			refused := one
			if one == nil {
				refused = other
			}
			if _, ok := errors.AsType[*registry.OwnedError](refused); !ok || one != nil && other != nil {
				t.Errorf("acme: %v\nglobex: %v\nexpected that one gets all, and the other hears that it is taken", one, other)
			}
		}
	},
	"what is only foreseen belongs to the org too": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme").Lease, begin(t, w.b, "globex").Lease
		if err := of(w.a, acme.Org).Claim(t.Context(), acme, false, mail); err != nil {
			t.Fatal(err)
		}
		var owned *registry.OwnedError
		if err := of(w.b, globex.Org).Claim(t.Context(), globex, false, mail); !errors.As(err, &owned) || owned.Owner != "" {
			t.Errorf("%v, want an OwnedError that names nobody", err)
		}
	},

	"what was foreseen becomes made, and never foreseen again": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		for _, step := range []struct{ made, want bool }{{false, false}, {false, false}, {true, true}, {false, true}} {
			if err := of(w.a, l.Org).Claim(t.Context(), l, step.made, mail); err != nil {
				t.Fatal(err)
			}
			same(t, "claims", []registry.Claim{{Identity: mail, Made: step.want}}, must[[]registry.Claim](t)(of(w.b, "acme").Claims(t.Context())))
		}
	},

	"claims are in the order of kinds and values": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		if err := errors.Join(of(w.a, l.Org).Claim(t.Context(), l, false, mail, vpc), of(w.a, l.Org).Claim(t.Context(), l, true, account)); err != nil {
			t.Fatal(err)
		}
		same(t, "claims", []registry.Claim{{Identity: vpc}, {Identity: account, Made: true}, {Identity: mail}},
			must[[]registry.Claim](t)(of(w.b, "acme").Claims(t.Context())))
	},

	"what was foreseen can be released, and claimed by another": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme").Lease, begin(t, w.b, "globex").Lease
		if err := errors.Join(of(w.a, acme.Org).Claim(t.Context(), acme, false, mail, vpc), of(w.a, acme.Org).Release(t.Context(), acme, mail, account)); err != nil {
			t.Fatal(err)
		}
		if err := of(w.b, globex.Org).Claim(t.Context(), globex, true, mail); err != nil {
			t.Fatal(err)
		}
		same(t, "claims", []registry.Claim{{Identity: vpc}}, must[[]registry.Claim](t)(of(w.b, "acme").Claims(t.Context())))
	},

	"what was made is never released, and then nothing is": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		if err := errors.Join(of(w.a, l.Org).Claim(t.Context(), l, false, mail), of(w.a, l.Org).Claim(t.Context(), l, true, account)); err != nil {
			t.Fatal(err)
		}
		if err := of(w.a, l.Org).Release(t.Context(), l, mail, account); err == nil || errors.Is(err, registry.ErrLost) {
			t.Errorf("%v, want an error, and not ErrLost", err)
		}
		same(t, "claims", []registry.Claim{{Identity: account, Made: true}, {Identity: mail}}, must[[]registry.Claim](t)(of(w.b, "acme").Claims(t.Context())))
	},

	"another's claim is not released": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme").Lease, begin(t, w.b, "globex").Lease
		if err := errors.Join(of(w.a, acme.Org).Claim(t.Context(), acme, false, mail), of(w.b, globex.Org).Release(t.Context(), globex, mail)); err != nil {
			t.Fatal(err)
		}
		same(t, "owner", "acme", must[string](t)(all(w.a).Owner(t.Context(), mail)))
	},

	"an identity stays its org's over the end of the operation": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		if err := of(w.a, l.Org).Claim(t.Context(), l, true, account); err != nil {
			t.Fatal(err)
		}
		end(t, w.a, l, event.OperationSucceeded)
		same(t, "owner", "acme", must[string](t)(all(w.b).Owner(t.Context(), account)))
	},

	"the ledger says which of many values others own": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme").Lease, begin(t, w.b, "globex").Lease
		if err := errors.Join(of(w.a, acme.Org).Claim(t.Context(), acme, true, vpc), of(w.b, globex.Org).Claim(t.Context(), globex, true, account), of(w.b, globex.Org).Claim(t.Context(), globex, false, mail)); err != nil {
			t.Fatal(err)
		}
		values := []string{mail.Value, vpc.Value, account.Value}
		for i := range 1200 { // more than one statement may have
			values = append(values, fmt.Sprint("nobody's ", i))
		}
		same(t, "owned", []registry.OwnedError{{Identity: account}, {Identity: mail}},
			must[[]registry.OwnedError](t)(of(w.a, "acme").Taken(t.Context(), values)))
		if got := must[[]registry.OwnedError](t)(of(w.a, "acme").Taken(t.Context(), nil)); len(got) > 0 {
			t.Errorf("of no values: %v", got)
		}
	},
}

var declaring = map[string]func(*testing.T, world){
	"what the plan declares is written with the org, in place of what was": func(t *testing.T, w world) {
		l := onOrg(t, w.a, "acme")
		onOrg(t, w.a, "globex")
		for _, o := range []registry.Org{
			{
				Org: "acme", State: "ready", Plan: []byte("{}"),
				Projects: []registry.Project{{Name: "api", Spec: []byte(`{"cpu":"2"}`)}, {Name: "web", Spec: []byte(`{}`)}},
				Exceptions: []registry.Exception{
					{Rule: "FH101", Resource: "role/a", Reason: "why", Approver: "ada", Expires: "2027-01-01"},
					{Rule: "FH101", Resource: "role/b", Reason: "why", Approver: "ada", Expires: "2027-01-01"},
				},
			},
			{
				Org: "acme", State: "ready", Plan: []byte("{}"), Projects: []registry.Project{{Name: "web", Spec: []byte(`{"cpu":"4"}`)}},
			},
		} {
			if err := of(w.a, "acme").PutOrg(t.Context(), l, o); err != nil {
				t.Fatal(err)
			}
			same(t, "projects", o.Projects, must[[]registry.Project](t)(of(w.b, "acme").Projects(t.Context())))
			same(t, "exceptions", o.Exceptions, must[[]registry.Exception](t)(of(w.b, "acme").Exceptions(t.Context())))
			same(t, "another's", 0, len(must[[]registry.Project](t)(of(w.b, "globex").Projects(t.Context()))))
		}
	},

	"a data plane is read as it was last written": func(t *testing.T, w world) {
		l := onOrg(t, w.a, "acme")
		if _, err := of(w.a, "acme").DataPlane(t.Context()); !errors.Is(err, registry.ErrUnknownOrg) {
			t.Errorf("before anything is known: %v, want ErrUnknownOrg", err)
		}
		for _, account := range []string{"", "111122223333"} {
			d := event.DataPlane{Org: "acme", Region: "eu-west-1", AccountID: account, Projects: []string{"api"}}
			if err := of(w.a, "acme").PutDataPlane(t.Context(), l, d); err != nil {
				t.Fatal(err)
			}
			same(t, "data plane", d, must[event.DataPlane](t)(of(w.b, "acme").DataPlane(t.Context())))
		}
	},

	"the fleet knows how many resources a layer has where it is made": func(t *testing.T, w world) {
		for org, layer := range map[string]registry.Layer{
			"acme": {Layer: "cluster", State: "done", Resources: 7}, "globex": {Layer: "cluster", State: "failed", Resources: 90},
			"initech": {Layer: "account", State: "done", Resources: 80},
		} {
			l := onOrg(t, w.a, org)
			if err := of(w.a, org).PutLayer(t.Context(), l, layer); err != nil {
				t.Fatal(err)
			}
		}
		for layer, want := range map[string]int{"cluster": 7, "account": 80, "bootstrap": 0} {
			same(t, layer, want, must[int](t)(all(w.b).Resources(t.Context(), layer)))
		}
	},
}
