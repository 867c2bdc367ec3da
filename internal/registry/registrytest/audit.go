package registrytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

// done are what the entries say, each in a few words.
func done(entries []event.AuditEntry) []string {
	var out []string
	for _, e := range entries {
		out = append(out, e.What+": "+e.Result)
	}
	return out
}

var auditing = map[string]func(*testing.T, world){
	"what is done for an org is in its audit log, with who did it, and in no other's": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		furnish(t, w.a, l)
		_, busy := of(w.b, "acme").Begin(t.Context(), request())
		if !errors.Is(busy, registry.ErrBusy) {
			t.Fatal(busy)
		}
		if err := of(w.a, "acme").Cancel(t.Context(), l.Operation); err != nil {
			t.Fatal(err)
		}
		end(t, w.a, l, event.OperationFailed)
		entries := must[[]event.AuditEntry](t)(of(w.b, "acme").Audited(t.Context(), 0))
		same(t, "the log", []string{
			"begin onboard: operation " + l.Operation + ": done",
			"record the org as onboarding: done", "record layer account as making: done", "claim 1 identities: done",
			"begin onboard: " + busyText(busy), "cancel operation " + l.Operation + ": done", "end operation " + l.Operation + ": failed",
		}, done(entries))
		for _, e := range entries {
			if e.Org != "acme" || e.Actor != orgcontexttest.Actor || !e.At.Equal(w.now()) {
				t.Errorf("%+v is not who did it, when and for whom", e)
			}
		}
		same(t, "after the fifth", done(entries[5:]), done(must[[]event.AuditEntry](t)(of(w.a, "acme").Audited(t.Context(), 5))))
		same(t, "another's", 0, len(must[[]event.AuditEntry](t)(of(w.a, "globex").Audited(t.Context(), 0))))
		if err := registry.Verify(event.AuditEntry{}, entries); err != nil {
			t.Error(err)
		}
	},

	"a claim that is refused is undone, and stays in the log": func(t *testing.T, w world) {
		acme, globex := begin(t, w.a, "acme").Lease, begin(t, w.a, "globex").Lease
		if err := of(w.a, "acme").Claim(t.Context(), acme, true, account); err != nil {
			t.Fatal(err)
		}
		if err := of(w.b, "globex").Claim(t.Context(), globex, true, mail, account); err == nil {
			t.Fatal("a second owner")
		}
		entries := must[[]event.AuditEntry](t)(of(w.b, "globex").Audited(t.Context(), 1))
		same(t, "the log", []string{"claim account 111122223333: taken"}, done(entries))
	},

	"a change of any part of an entry, and of their order, is found": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		furnish(t, w.a, l)
		end(t, w.a, l, event.OperationSucceeded)
		whole := must[[]event.AuditEntry](t)(of(w.b, "acme").Audited(t.Context(), 0))
		for what, change := range map[string]func([]event.AuditEntry) []event.AuditEntry{
			"org":      func(e []event.AuditEntry) []event.AuditEntry { e[1].Org = "globex"; return e },
			"time":     func(e []event.AuditEntry) []event.AuditEntry { e[1].At = e[1].At.Add(1); return e },
			"actor":    func(e []event.AuditEntry) []event.AuditEntry { e[1].Actor = "x"; return e },
			"request":  func(e []event.AuditEntry) []event.AuditEntry { e[1].Request = "x"; return e },
			"what":     func(e []event.AuditEntry) []event.AuditEntry { e[1].What = "x"; return e },
			"result":   func(e []event.AuditEntry) []event.AuditEntry { e[1].Result = "x"; return e },
			"previous": func(e []event.AuditEntry) []event.AuditEntry { e[1].Previous = "x"; return e },
			"hash":     func(e []event.AuditEntry) []event.AuditEntry { e[1].Hash = "x"; return e },
			"removed":  func(e []event.AuditEntry) []event.AuditEntry { return slices.Delete(e, 1, 2) },
			"cut off":  func(e []event.AuditEntry) []event.AuditEntry { return e[1:] },
			"twice":    func(e []event.AuditEntry) []event.AuditEntry { return slices.Insert(e, 1, e[1]) },
			"swapped":  func(e []event.AuditEntry) []event.AuditEntry { e[1], e[2] = e[2], e[1]; return e },
			"hashed again": func(e []event.AuditEntry) []event.AuditEntry {
				e[1].Actor = "x"
				e[1].Hash, _ = registry.Chain(e[1])
				return e
			},
		} {
			if err := registry.Verify(event.AuditEntry{}, change(slices.Clone(whole))); !errors.Is(err, registry.ErrAppended) {
				t.Errorf("%s: %v, want ErrAppended", what, err)
			}
		}
		if err := registry.Verify(whole[1], whole[2:]); err != nil {
			t.Errorf("the rest of the log after an entry that was verified: %v", err)
		}
	},

	"how requests were decided is noted in order, by whoever asked, in one chain with the rest": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		ada, bob := orgcontexttest.By("acme", "user:ada", "req-1"), orgcontexttest.By("acme", "user:bob", "req-2")
		// More than one statement holds, and no multiple of that.
		var notes []registry.Note
		for i := range 37 {
			notes = append(notes, registry.Note{By: []orgcontext.Context{ada, bob}[i%2], What: fmt.Sprint("/x/", i), Result: "allowed: y"})
		}
		if err := of(w.a, "acme").Note(t.Context(), notes...); err != nil {
			t.Fatal(err)
		}
		if err := of(w.b, "acme").Note(t.Context(), registry.Note{By: bob, What: "/x/last", Result: "denied: z"}); err != nil {
			t.Fatal(err)
		}
		if err := of(w.b, "acme").Note(t.Context()); err != nil {
			t.Errorf("no notes: %v", err)
		}
		end(t, w.a, l, event.OperationFailed)
		entries := must[[]event.AuditEntry](t)(of(w.b, "acme").Audited(t.Context(), 0))
		same(t, "entries", 40, len(entries))
		for i, n := range append(notes, registry.Note{By: bob, What: "/x/last", Result: "denied: z"}) {
			e := entries[1+i]
			got := []string{e.Org, e.Actor, e.Request, e.What, e.Result}
			same(t, "an entry", []string{"acme", n.By.Actor(), n.By.Request(), n.What, n.Result}, got)
			if !e.At.Equal(w.now()) {
				t.Errorf("entry %d is of %s", e.Seq, e.At)
			}
		}
		if err := registry.Verify(event.AuditEntry{}, entries); err != nil {
			t.Error(err)
		}
		same(t, "another's", 0, len(must[[]event.AuditEntry](t)(of(w.a, "globex").Audited(t.Context(), 0))))
	},

	"a long log is read a page at a time": func(t *testing.T, w world) {
		n := registry.Note{By: orgcontexttest.For("acme"), What: "/x", Result: "allowed: y"}
		f := registry.FleetNote{By: orgcontexttest.Fleet(), What: "/x", Result: "allowed: y"}
		if err := of(w.a, "acme").Note(t.Context(), slices.Repeat([]registry.Note{n}, registry.AuditPage+7)...); err != nil {
			t.Fatal(err)
		}
		if err := all(w.a).Note(t.Context(), slices.Repeat([]registry.FleetNote{f}, registry.AuditPage+7)...); err != nil {
			t.Fatal(err)
		}
		first := must[[]event.AuditEntry](t)(of(w.b, "acme").Audited(t.Context(), 0))
		second := must[[]event.AuditEntry](t)(of(w.b, "acme").Audited(t.Context(), registry.AuditPage))
		same(t, "pages", []int{registry.AuditPage, 7}, []int{len(first), len(second)})
		if err := errors.Join(registry.Verify(event.AuditEntry{}, first), registry.Verify(first[len(first)-1], second)); err != nil {
			t.Error(err)
		}
		same(t, "a page of the fleet's", registry.AuditPage, len(must[[]event.AuditEntry](t)(all(w.b).Audited(t.Context(), 0))))
	},

	"notes by somebody of another org, or by nobody, are refused together with the rest": func(t *testing.T, w world) {
		ada := registry.Note{By: orgcontexttest.By("acme", "user:ada", "req-1"), What: "/x", Result: "allowed: y"}
		for _, other := range []orgcontext.Context{orgcontexttest.For("globex"), {}, orgcontexttest.By("acme", "", "")} {
			if err := of(w.a, "acme").Note(t.Context(), ada, registry.Note{By: other, What: "/x"}); !errors.Is(err, registry.ErrNoOrg) {
				t.Errorf("%+v: %v, want ErrNoOrg", other, err)
			}
		}
		if err := all(w.a).Note(t.Context(), registry.FleetNote{By: orgcontexttest.Fleet(), What: "/x"}, registry.FleetNote{What: "/x"}); !errors.Is(err, registry.ErrNoOrg) {
			t.Errorf("nobody's, of the fleet: %v, want ErrNoOrg", err)
		}
		same(t, "acme's log", 0, len(must[[]event.AuditEntry](t)(of(w.b, "acme").Audited(t.Context(), 0))))
		same(t, "globex's log", 0, len(must[[]event.AuditEntry](t)(of(w.b, "globex").Audited(t.Context(), 0))))
		same(t, "the fleet's log", []string{"read the fleet's audit log: done"}, done(must[[]event.AuditEntry](t)(all(w.b).Audited(t.Context(), 0))))
	},

	"many who note at once, for one org and for several, leave whole chains": func(t *testing.T, w world) {
		orgs := []string{"acme", "globex", "initech"}
		var wg sync.WaitGroup
		for i := range 12 {
			wg.Go(func() {
				org, store := orgs[i%3], []registry.Store{w.a, w.b}[i%2]
				n := registry.Note{By: orgcontexttest.For(org), What: "/x", Result: "allowed: y"}
				for range 3 {
					if err := of(store, org).Note(t.Context(), n, n); err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		for _, org := range orgs {
			entries := must[[]event.AuditEntry](t)(of(w.a, org).Audited(t.Context(), 0))
			if err := registry.Verify(event.AuditEntry{}, entries); err != nil || len(entries) != 24 {
				t.Errorf("%s has %d entries: %v", org, len(entries), err)
			}
		}
	},

	"requests for the fleet are noted in its own log": func(t *testing.T, w world) {
		n := registry.FleetNote{By: orgcontexttest.Fleet(), What: "/f", Result: "allowed: y"}
		if err := all(w.a).Note(t.Context(), n, n); err != nil {
			t.Fatal(err)
		}
		entries := must[[]event.AuditEntry](t)(all(w.b).Audited(t.Context(), 0))
		same(t, "the log", []string{"/f: allowed: y", "/f: allowed: y", "read the fleet's audit log: done"}, done(entries))
		if err := registry.Verify(event.AuditEntry{}, entries); err != nil {
			t.Error(err)
		}
	},

	"whoever was refused without being known is in the log of the org that was asked, or in the fleet's": func(t *testing.T, w world) {
		if err := w.a.Refused(t.Context(), orgcontexttest.Witness("acme", "somebody at 192.0.2.1"), "/x", "denied: expired"); err != nil {
			t.Fatal(err)
		}
		if err := w.a.Refused(t.Context(), orgcontexttest.Witness("", "somebody at 192.0.2.1"), "/x", "denied: no such host"); err != nil {
			t.Fatal(err)
		}
		for _, nobody := range []orgcontext.Witness{{}, orgcontexttest.Witness("acme", ""), orgcontexttest.Witness("Acme'", "x")} {
			if err := w.a.Refused(t.Context(), nobody, "/x", "denied"); !errors.Is(err, registry.ErrNoOrg) {
				t.Errorf("%+v: %v, want ErrNoOrg", nobody, err)
			}
		}
		entries := must[[]event.AuditEntry](t)(of(w.b, "acme").Audited(t.Context(), 0))
		same(t, "acme's log", []string{"/x: denied: expired"}, done(entries))
		same(t, "who", "somebody at 192.0.2.1", entries[0].Actor)
		fleet := must[[]event.AuditEntry](t)(all(w.b).Audited(t.Context(), 0))
		same(t, "the fleet's log", []string{"/x: denied: no such host", "read the fleet's audit log: done"}, done(fleet))
		for _, log := range [][]event.AuditEntry{entries, fleet} {
			if err := registry.Verify(event.AuditEntry{}, log); err != nil {
				t.Error(err)
			}
		}
	},

	"each read over all orgs is in the fleet's own log": func(t *testing.T, w world) {
		onOrg(t, w.a, "acme")
		fleet := all(w.a)
		must[[]registry.Org](t)(fleet.Orgs(t.Context()))
		must[int](t)(fleet.Resources(t.Context(), "cluster"))
		must[string](t)(fleet.Owner(t.Context(), account))
		must[[]finding.Shared](t)(fleet.Shared(t.Context()))
		entries := must[[]event.AuditEntry](t)(all(w.b).Audited(t.Context(), 0))
		same(t, "the log", []string{
			"list the orgs: done", "ask how many resources layer cluster has: done", "ask who owns account 111122223333: done",
			"compare the orgs: done", "read the fleet's audit log: done",
		}, done(entries))
		if err := registry.Verify(event.AuditEntry{}, entries); err != nil {
			t.Error(err)
		}
	},

	"a context that is nobody's reads and writes nothing": func(t *testing.T, w world) {
		l := onOrg(t, w.a, "acme")
		before := read(t, w.b, "acme")
		nobody := w.a.Org(orgcontext.Context{})
		for write, err := range writesOf(t, nobody, l) {
			if !errors.Is(err, registry.ErrNoOrg) {
				t.Errorf("%s: %v, want ErrNoOrg", write, err)
			}
		}
		ctx := t.Context()
		for read, err := range map[string]error{
			"Begin": second(nobody.Begin(ctx, request())), "Holder": second(nobody.Holder(ctx)), "Cancel": nobody.Cancel(ctx, l.Operation),
			"Last": second(nobody.Last(ctx)), "Operations": second(nobody.Operations(ctx)), "Operation": second(nobody.Operation(ctx, l.Operation)),
			"Events": second(nobody.Events(ctx, l.Operation, 0)), "Delivered": nobody.Delivered(ctx, l.Operation),
			"Org": second(nobody.Org(ctx)), "Layers": second(nobody.Layers(ctx)), "DataPlane": second(nobody.DataPlane(ctx)),
			"Projects": second(nobody.Projects(ctx)), "Exceptions": second(nobody.Exceptions(ctx)), "Claims": second(nobody.Claims(ctx)),
			"Taken": second(nobody.Taken(ctx, []string{"x"})), "PutDrift": nobody.PutDrift(ctx, event.Drift{Org: "acme"}),
			"Drifts": second(nobody.Drifts(ctx, 1)), "Audited": second(nobody.Audited(ctx, 0)),
			"Note": nobody.Note(ctx, registry.Note{By: orgcontexttest.For("acme"), What: "/x"}),
		} {
			if !errors.Is(err, registry.ErrNoOrg) {
				t.Errorf("%s: %v, want ErrNoOrg", read, err)
			}
		}
		fleet := w.a.Fleet(orgcontext.Fleet{})
		for read, err := range map[string]error{
			"Orgs": second(fleet.Orgs(ctx)), "Resources": second(fleet.Resources(ctx, "cluster")), "Owner": second(fleet.Owner(ctx, account)),
			"Shared": second(fleet.Shared(ctx)), "Audited": second(fleet.Audited(ctx, 0)),
			"Note":          fleet.Note(ctx, registry.FleetNote{By: orgcontexttest.Fleet(), What: "/x"}),
			"FollowRunning": second(fleet.FollowRunning(ctx)),
		} {
			if !errors.Is(err, registry.ErrNoOrg) {
				t.Errorf("%s over all orgs: %v, want ErrNoOrg", read, err)
			}
		}
		same(t, "the registry", before, read(t, w.b, "acme"))
	},
}

func second[T any](_ T, err error) error { return err }

// busyText is what a *registry.BusyError among the causes says.
func busyText(err error) string {
	if busy, ok := errors.AsType[*registry.BusyError](err); ok {
		return busy.Error()
	}
	return ""
}

var reporting = map[string]func(*testing.T, world){
	"drift runs are read as they were written, the newest first, and hold no lease": func(t *testing.T, w world) {
		l := begin(t, w.a, "acme").Lease
		var want []event.Drift
		for i := range 3 {
			d := event.Drift{
				Org: "acme", At: w.pass(time.Hour), Duration: time.Second, Layers: []event.LayerResult{{Layer: "cluster", State: "done"}},
				Findings: []finding.Finding{{Kind: finding.Unreadable, Layer: "cluster", URN: string(rune('a' + i))}},
			}
			if err := of(w.b, "acme").PutDrift(t.Context(), d); err != nil {
				t.Fatal(err)
			}
			want = slices.Insert(want, 0, d)
		}
		same(t, "all", want, must[[]event.Drift](t)(of(w.a, "acme").Drifts(t.Context(), 9)))
		same(t, "the newest", want[:1], must[[]event.Drift](t)(of(w.a, "acme").Drifts(t.Context(), 1)))
		same(t, "another's", 0, len(must[[]event.Drift](t)(of(w.a, "globex").Drifts(t.Context(), 9))))
		end(t, w.a, l, event.OperationSucceeded)
	},

	"the reports of drift runs are kept for a year of days": func(t *testing.T, w world) {
		begin(t, w.a, "globex")
		if err := of(w.a, "globex").PutDrift(t.Context(), event.Drift{Org: "globex", At: w.now()}); err != nil {
			t.Fatal(err)
		}
		for range 370 {
			if err := of(w.a, "acme").PutDrift(context.WithoutCancel(t.Context()), event.Drift{Org: "acme", At: w.pass(time.Hour)}); err != nil {
				t.Fatal(err)
			}
		}
		kept := must[[]event.Drift](t)(of(w.b, "acme").Drifts(t.Context(), 1000))
		same(t, "kept", 365, len(kept))
		same(t, "the newest", w.now(), kept[0].At)
		same(t, "another's", 1, len(must[[]event.Drift](t)(of(w.b, "globex").Drifts(t.Context(), 1000))))
	},
}
