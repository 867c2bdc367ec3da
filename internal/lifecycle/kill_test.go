package lifecycle

import (
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
)

// useCase is something that an org goes through.
type useCase struct {
	from func(*testing.T) *place
	run  func(*testing.T, *process) error
}

const (
	oneGateway = "network: {nat: one}"
	zones      = "network: {nat: per-zone}"
	smallNodes = "cluster: {nodePools: [{name: default, instanceTypes: [m6i.large], min: 2, max: 6}]}"
	largeNodes = "cluster: {nodePools: [{name: default, instanceTypes: [m6i.xlarge], min: 2, max: 6}]}"
	// A project whose pods have a role, and whose namespace goes with it.
	shop = `{name: shop, deletionPolicy: Delete, serviceAccounts: [{name: web, podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}}]}`
)

// useCases are those that change something. Each has something to lose: an
// address that would be made twice, a name that would be taken.
var useCases = map[string]useCase{
	"onboard": {
		func(t *testing.T) *place {
			p := newPlace(t)
			p.world.SetProbes(false, true, false, true)
			p.world.KeepBusy(1)
			return p
		},
		func(t *testing.T, p *process) error {
			_, err := p.onboard(document(t, oneGateway, "projects: ["+shop+"]"))
			return err
		},
	},
	"onboard with more gateways": {
		func(t *testing.T) *place { return onboarded(t, oneGateway, source).pulling(pulledShop) },
		func(t *testing.T, p *process) error { _, err := p.onboard(document(t, zones, source)); return err },
	},
	"onboard with fewer gateways": {
		func(t *testing.T) *place { return onboarded(t, zones) },
		func(t *testing.T, p *process) error { _, err := p.onboard(document(t, oneGateway)); return err },
	},
	"onboard with other instances": {
		func(t *testing.T) *place { return onboarded(t, oneGateway, smallNodes) },
		func(t *testing.T, p *process) error {
			_, err := p.onboard(document(t, oneGateway, largeNodes))
			return err
		},
	},
	"projects add": {
		func(t *testing.T) *place { return onboarded(t, oneGateway, "projects: [{name: lab}]") },
		func(t *testing.T, p *process) error {
			added := document(t, "projects: ["+shop+"]").Projects[0]
			_, err := p.ChangeProjects(p.Context(), "acme", ProjectChange{Add: &added}, Call{}, p.Sink(p.sink))
			return err
		},
	},
	"projects remove": {
		func(t *testing.T) *place { return onboarded(t, oneGateway, "projects: [{name: lab}, "+shop+"]") },
		func(t *testing.T, p *process) error {
			_, err := p.ChangeProjects(p.Context(), "acme", ProjectChange{Remove: "shop"}, Call{}, p.Sink(p.sink))
			return err
		},
	},
	"projects add, pulled": {
		func(t *testing.T) *place {
			return onboarded(t, oneGateway, source, "projects: [{name: lab}]").withFew(10)
		},
		func(t *testing.T, p *process) error { _, err := p.change(pulledProject(t, pulledShop)); return err },
	},
	"projects change, pulled": {
		func(t *testing.T) *place { return pulledIn(t, `{name: shop}`).withFew(10) },
		func(t *testing.T, p *process) error { _, err := p.change(pulledProject(t, pulledShop)); return err },
	},
	"projects remove, pulled": {
		func(t *testing.T) *place { return pulledIn(t, pulledShop).withFew(10) },
		func(t *testing.T, p *process) error { _, err := p.change(ProjectChange{Remove: "shop"}); return err },
	},
	"offboard": {
		func(t *testing.T) *place {
			return onboarded(t, oneGateway, source, "projects: [{name: lab}, "+shop+"]").pulling(strings.Replace(pulledShop, "shop", "edge", 1))
		},
		func(t *testing.T, p *process) error { _, err := p.offboard("acme"); return err },
	},
}

var everyWrite = flag.Bool("every-write", false, "kill after every write, and not after one of each kind")

// TestAKillBetweenAnyTwoWritesEndsWhereAnUndisturbedRunEnds kills each use case
// after its writes in turn, to the cloud, to a state and to the registry, and
// runs it again: every second time on another machine. Of writes that do the
// same to things of one type, as of four roles, the first will do; -every-write
// takes all.
func TestAKillBetweenAnyTwoWritesEndsWhereAnUndisturbedRunEnds(t *testing.T) {
	for name, uc := range useCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := uc.from(t)
			want := undisturbed(t, start, uc)
			for _, n := range want.moments() {
				if !t.Run(fmt.Sprintf("%d, after %s", n, want.writes[n-1]), func(t *testing.T) {
					p := start.copied(t)
					if n%4 >= 2 {
						p.world.LeaveNoPending()
					}
					killed := p.killed(t, lifecycletest.Machine{Name: "a"}, uc, n)
					again := p.goesOn(t, uc, killed, []string{"a", "b"}[n%2])
					same(t, want, p, killed, again)
				}) {
					return // the others would say the same
				}
			}
		})
	}
}

// TestAnOperationThatIsKilledTwiceEndsWhereAnUndisturbedRunEnds kills what goes
// on as well, on the other machine.
func TestAnOperationThatIsKilledTwiceEndsWhereAnUndisturbedRunEnds(t *testing.T) {
	for name, uc := range useCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := uc.from(t)
			want := undisturbed(t, start, uc)
			for n := 3; n < len(want.writes); n += 29 {
				for m := 2; m < len(want.writes)-n; m += 31 {
					if !t.Run(fmt.Sprintf("%d, after %s, and then %d", n, want.writes[n-1], m), func(t *testing.T) {
						p := start.copied(t)
						first := p.killed(t, lifecycletest.Machine{Name: "a"}, uc, n)
						p.world.Sleep(first.Holding.TTL)
						second := p.killed(t, lifecycletest.Machine{Name: "b"}, uc, m)
						again := p.goesOn(t, uc, second, "a")
						same(t, want, p, first, second, again)
					}) {
						return
					}
				}
			}
		})
	}
}

// reference is a place in which nothing went wrong.
type reference struct {
	*place

	writes     []lifecycletest.Write // that it takes
	earlier    int                   // how many operations there were before
	remembered remembered            // what the registry has afterwards
}

// moments are the numbers of the writes after which there is a kill.
func (r reference) moments() (ns []int) {
	seen := map[lifecycletest.Write]bool{}
	for i, w := range r.writes {
		w.Name = ""
		if *everyWrite || !seen[w] {
			ns = append(ns, i+1)
		}
		seen[w] = true
	}
	return ns
}

// undisturbed runs the use case without a kill.
func undisturbed(t *testing.T, start *place, uc useCase) reference {
	t.Helper()
	p := start.copied(t)
	proc := p.here()
	earlier := must[[]event.Operation](t)(proc.store.Org(orgcontexttest.For("acme")).Operations(t.Context()))
	if err := uc.run(t, proc); err != nil {
		t.Fatal(err)
	}
	least := 20
	if start.few > 0 {
		least = start.few
	}
	if len(proc.Writes()) < least {
		t.Fatalf("it takes only %d writes", len(proc.Writes()))
	}
	return reference{p, proc.Writes(), len(earlier), p.remembered(t, proc)}
}

// killed is a process that was killed after n writes.
func (p *place) killed(t *testing.T, m lifecycletest.Machine, uc useCase, n int) *process {
	t.Helper()
	proc := p.start(m)
	before := p.world.Writes()
	proc.KillAfter(n)
	// What the dead process makes of it, nobody hears.
	_ = uc.run(t, proc)
	if got := p.world.Writes() - before; got != n || !proc.Killed() {
		t.Fatalf("it has written %d times, and was to be killed after %d", got, n)
	}
	return proc
}

// goesOn runs the use case once more, on a machine, to its end.
func (p *place) goesOn(t *testing.T, uc useCase, killed *process, machine string) *process {
	t.Helper()
	last := must[*event.Operation](t)(killed.store.Org(orgcontexttest.For("acme")).Last(t.Context()))
	done := last.State == "succeeded"
	again := p.start(lifecycletest.Machine{Name: machine})
	if again.Name() != killed.Name() && !again.Dead(killed.Name()) {
		// Only its own machine can tell that it is dead.
		p.world.Sleep(killed.Holding.TTL)
	}
	err := uc.run(t, again)
	if done && errors.Is(err, ErrInvalid) {
		return again // there was nothing left to do, as with a project that is gone
	}
	if err != nil {
		t.Fatalf("run again: %v", err)
	}
	return again
}

// same compares a place with one in which nothing went wrong, and checks that
// everything has come to an end. by are the processes that worked there.
func same(t *testing.T, want reference, got *place, by ...*process) {
	t.Helper()
	lifecycletest.Same(t, want.world, got.world)
	last := by[len(by)-1]
	has := got.remembered(t, last)
	if d := cmp.Diff(want.remembered, has, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("the registries differ (-want +got):\n%s", d)
	}
	for l, rec := range has.Layers {
		if rec.Unclean {
			t.Errorf("layer %s is unclean, and everything was looked through", l)
		}
	}
	shown := map[string]map[event.Type]bool{}
	for _, p := range by {
		for _, ev := range p.shown {
			if ev.Type.Terminal() {
				if shown[ev.Operation] == nil {
					shown[ev.Operation] = map[event.Type]bool{}
				}
				shown[ev.Operation][ev.Type] = true
			}
		}
	}
	for _, ev := range last.terminals(t, want.earlier) {
		if len(shown[ev.Operation]) != 1 || !shown[ev.Operation][ev.Type] {
			t.Errorf("operation %s ended with %s, and shown was %v", ev.Operation, ev.Type, shown[ev.Operation])
		}
	}
}

// terminals are the terminal events of acme's operations but for the earlier
// ones, the oldest first: exactly one for each.
func (p *process) terminals(t *testing.T, earlier int) (ends []event.Event) {
	t.Helper()
	ops := must[[]event.Operation](t)(p.store.Org(orgcontexttest.For("acme")).Operations(t.Context()))
	slices.Reverse(ops)
	for _, op := range ops[earlier:] {
		evs := must[[]event.Event](t)(p.store.Org(orgcontexttest.For("acme")).Events(t.Context(), op.ID, 0))
		evs = slices.DeleteFunc(evs, func(ev event.Event) bool { return !ev.Type.Terminal() })
		if len(evs) != 1 {
			t.Errorf("operation %s (%s) has %d terminal events in its log, want one", op.ID, op.State, len(evs))
			continue
		}
		ends = append(ends, evs[0])
	}
	return ends
}

// remembered is what a registry has of an org, without times, and with names in
// the place of ids.
type remembered struct {
	Org    registry.Org
	Layers map[string]registry.Layer
	Claims []registry.Claim
}

func (p *place) remembered(t *testing.T, by *process) remembered {
	t.Helper()
	r := lifecycletest.Named(p.world, remembered{
		Org:    must[registry.Org](t)(by.store.Org(orgcontexttest.For("acme")).Org(t.Context())),
		Layers: must[map[string]registry.Layer](t)(by.store.Org(orgcontexttest.For("acme")).Layers(t.Context())),
		Claims: must[[]registry.Claim](t)(by.store.Org(orgcontexttest.For("acme")).Claims(t.Context())),
	})
	r.Org.Updated = time.Time{}
	for l, rec := range r.Layers {
		rec.Updated, rec.Duration = time.Time{}, 0
		r.Layers[l] = rec
	}
	slices.SortFunc(r.Claims, func(a, b registry.Claim) int { return strings.Compare(a.Kind+" "+a.Value, b.Kind+" "+b.Value) })
	return r
}

// copied is a place of its own that is like this one now. Nobody may be writing.
func (p *place) copied(t *testing.T) *place {
	t.Helper()
	c := &place{t: t, world: p.world.Copy(), file: filepath.Join(t.TempDir(), "registry.db")}
	t.Cleanup(c.world.Close)
	// What the driver has not yet moved to its file is in the log beside it.
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(p.file + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(c.file+suffix, raw, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return c
}
