package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
	"freehold.dev/freehold/internal/spec"
)

// Every value that goes from one step to the next is read anew from its JSON,
// as by another process.
func init() {
	relay = func(v any) any {
		text, err := json.Marshal(v)
		if err != nil {
			panic(fmt.Sprintf("a step's value does not survive JSON: %v", err))
		}
		out := reflect.New(reflect.TypeOf(v))
		if err := json.Unmarshal(text, out.Interface()); err != nil {
			panic(fmt.Sprintf("a step's value does not survive JSON: %v", err))
		}
		return out.Elem().Interface()
	}
}

// place is a world with one registry, which any number of processes share.
type place struct {
	t     *testing.T
	world *lifecycletest.World
	file  string
	// few is how many writes a use case takes at least from here; 0: as many as most.
	few int
}

func (p *place) withFew(writes int) *place { p.few = writes; return p }

func newPlace(t *testing.T) *place {
	t.Helper()
	w := lifecycletest.New()
	t.Cleanup(w.Close)
	return &place{t: t, world: w, file: filepath.Join(t.TempDir(), "registry.db")}
}

// process is one run of Freehold in a place.
type process struct {
	*Service
	*lifecycletest.Process

	store *sqlite.Store
	// shown are the events that somebody saw.
	shown []event.Event
}

func (p *place) start(m lifecycletest.Machine) *process {
	p.t.Helper()
	store, err := sqlite.Open(p.t.Context(), p.file, p.world.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = store.Close() })
	proc := p.world.Start(p.t.Context(), m)
	reached := proc.Store(store)
	p.world.PullFrom(func(org string) (v1alpha1.ProjectSet, error) {
		return Records{Registry: store, Who: orgcontexttest.Everybody{}}.ProjectSet(context.WithoutCancel(p.t.Context()), org)
	})
	return &process{
		Process: proc, store: store,
		Service: &Service{
			Records: Records{Registry: reached, Who: orgcontexttest.Everybody{}},
			Engine:  proc.Engine(), Cloud: proc.Cloud(), Objects: proc.Objects(), Now: p.world.Now, Log: slog.New(slog.DiscardHandler),
			Holding: operation.Options{
				Store: reached, Now: p.world.Now, Holder: proc, TTL: time.Hour,
				Uptime: func() time.Duration { return time.Duration(p.world.Now().UnixNano()) },
			},
			ProbeEvery: time.Millisecond, RetryEvery: time.Millisecond, ProjectsWithin: time.Hour, UsableWithin: time.Hour,
		},
	}
}

// here is a process on the first machine.
func (p *place) here() *process { p.t.Helper(); return p.start(lifecycletest.Machine{Name: "a"}) }

// registryOf is the registry as an org has it, whatever became of the process.
func (p *process) registryOf(org string) registry.OrgStore {
	return p.store.Org(orgcontexttest.For(org))
}

// records is the registry for somebody who has it, and nothing else.
func (p *process) records() *Records {
	return &Records{Registry: p.store, Who: orgcontexttest.Everybody{}}
}

func (p *process) sink(ev event.Event) { p.shown = append(p.shown, ev) }

func (p *process) onboard(doc spec.Spec) (event.Onboarding, error) {
	return p.Onboard(p.Context(), doc, OnboardOptions{}, p.Sink(p.sink))
}

func (p *process) offboard(org string) (event.Offboarding, error) {
	return p.Offboard(p.Context(), org, OffboardOptions{CloseAccount: true}, p.Sink(p.sink))
}

// must fails the test unless err is nil.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// document is a spec: acme's, unprotected, with fields added or in the place of others.
func document(t *testing.T, fields ...string) spec.Spec {
	t.Helper()
	all := map[string]string{
		"org": "acme", "region": "eu-west-1", "account": "{email: aws+acme@example.com}", "deletionProtection": "false",
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		all[name] = value
	}
	text := "apiVersion: freehold.dev/v1alpha1\nkind: DataPlane\n"
	for name, value := range all {
		text += name + ": " + value + "\n"
	}
	s, err := spec.Parse("acme.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// onboarded is a place in which acme is onboarded.
func onboarded(t *testing.T, fields ...string) *place {
	t.Helper()
	p := newPlace(t)
	must[event.Onboarding](t)(p.here().onboard(document(t, fields...)))
	return p
}

// org is what the registry has of an org.
func (p *place) org(name string) (registry.Org, map[string]registry.Layer) {
	p.t.Helper()
	proc := p.here()
	o, err := proc.store.Org(orgcontexttest.For(name)).Org(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	layers, err := proc.store.Org(orgcontexttest.For(name)).Layers(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	return o, layers
}

// states are the states of an org's layers, in their order.
func (p *place) states(name string) string {
	p.t.Helper()
	_, layers := p.org(name)
	var out []string
	for _, l := range plan.Layers() {
		rec, ok := layers[string(l)]
		state := rec.State
		if !ok {
			state = dataplane.NotStarted
		}
		if rec.Unclean {
			state += "*"
		}
		out = append(out, state)
	}
	return strings.Join(out, " ")
}

// claimed are the values that an org has in the ledger; those that are made end in "!".
func (p *place) claimed(name string) []string {
	p.t.Helper()
	claims, err := p.here().store.Org(orgcontexttest.For(name)).Claims(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for _, c := range claims {
		v := c.Kind + " " + c.Value
		if c.Made {
			v += "!"
		}
		out = append(out, v)
	}
	return out
}

// ends are the stored terminal events of an org's operations, the oldest first.
func (p *place) ends(name string) []event.Type {
	p.t.Helper()
	store := p.here().store
	ops, err := store.Org(orgcontexttest.For(name)).Operations(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	var out []event.Type
	for _, op := range slices.Backward(ops) {
		evs, err := store.Org(orgcontexttest.For(name)).Events(p.t.Context(), op.ID, 0)
		if err != nil {
			p.t.Fatal(err)
		}
		n := 0
		for _, ev := range evs {
			if ev.Type.Terminal() {
				out = append(out, ev.Type)
				n++
			}
		}
		if n != 1 {
			p.t.Errorf("operation %s of %s has %d terminal events", op.ID, name, n)
		}
	}
	return out
}

// refused fails the test unless err is of the kind, and says something.
func refused(t *testing.T, err, kind error, says string) Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Fatalf("got %v\nwant %v, with %q in it", err, kind, says)
	}
	if e.Next == "" {
		t.Errorf("%v does not say what to do next", err)
	}
	return *e
}
