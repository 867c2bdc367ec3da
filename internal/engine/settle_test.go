package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/internal/engine"
)

// What a killed run had begun is looked for once. The CLI carries it over to every
// later state, which nobody could take for whole then.
func TestWhatAKilledRunHadBegunIsSettledWhenItWasLookedFor(t *testing.T) {
	shared := newShared(t)
	e := shared.machine(t)
	if _, err := e.Up(t.Context(), secretStack("one"), nil); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(shared.file("acme.account"))
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	latest := state["checkpoint"].(map[string]any)["latest"].(map[string]any)
	latest["pending_operations"] = []any{map[string]any{"type": "creating", "resource": map[string]any{
		"urn": "urn:pulumi:acme.account::freehold::test:index:Thing::thing", "custom": true, "type": "test:index:Thing",
	}}}
	if text, err = json.Marshal(state); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(shared.file("acme.account"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	pending := func() int {
		info, err := e.Stat(t.Context(), secretStack("one"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Pending
	}
	if n := pending(); n != 1 {
		t.Fatalf("%d operations are pending, want 1", n)
	}
	none := func(context.Context, engine.Step) (engine.Found, bool, error) { return engine.Found{}, false, nil }
	broken := secretStack("one")
	broken.Program = func(*pulumi.Context) error { return errors.New("no program") }
	// Whoever went on to an Up that ends well would make twice what was not seen.
	if _, err := e.Adopt(t.Context(), broken, none, nil); !errors.Is(err, engine.ErrFailed) {
		t.Errorf("what a preview that failed did not show counts as not there: %v", err)
	}
	if n := pending(); n != 1 {
		t.Errorf("after a preview that failed %d operations are pending, want 1", n)
	}
	if _, err := e.Adopt(t.Context(), secretStack("one"), none, nil); err != nil {
		t.Fatal(err)
	}
	if n := pending(); n != 0 {
		t.Errorf("%d operations are still pending", n)
	}
	if _, err := e.Up(t.Context(), secretStack("two"), nil); err != nil {
		t.Fatal(err)
	}
	if n := pending(); n != 0 {
		t.Errorf("after the next run %d operations are pending", n)
	}
}

// A preview that fails half-way has shown something, and not everything.
func TestWhatAFailedPreviewShowsIsTakenOverAndTheRestIsNotTakenForMissing(t *testing.T) {
	e, f := fleetEngine(t)
	of := func(end error, names ...string) engine.Stack {
		return fleetStack("", func(s *engine.Stack) {
			s.Program = func(ctx *pulumi.Context) error {
				var p pulumi.ProviderResourceState
				if err := ctx.RegisterResource("pulumi:providers:fleet", "fleet", pulumi.Map{}, &p); err != nil {
					return err
				}
				for _, name := range names {
					var s ship
					if err := ctx.RegisterResource("fleet:index:Ship", name, pulumi.Map{"kind": pulumi.String("sail")}, &s, pulumi.Provider(&p)); err != nil {
						return err
					}
				}
				return end
			}
		})
	}
	if _, err := e.Up(t.Context(), of(nil, "one"), nil); err != nil {
		t.Fatal(err)
	}
	f.taken()
	find := func(_ context.Context, planned engine.Step) (engine.Found, bool, error) {
		return engine.Found{ID: planned.Name}, true, nil
	}
	failing := of(errors.New("and then no more"), "one", "two")
	for run, want := range []int{1, 0} {
		taken, err := e.Adopt(t.Context(), failing, find, nil)
		if !errors.Is(err, engine.ErrFailed) || len(taken) != want {
			t.Errorf("run %d took over %d, want %d, and failed by %v", run, len(taken), want, err)
		}
	}
	whole := of(nil, "one", "two", "three")
	if taken, err := e.Adopt(t.Context(), whole, find, nil); err != nil || len(taken) != 1 {
		t.Errorf("the run that sees everything took over %d, want 1: %v", len(taken), err)
	}
	if _, err := e.Up(t.Context(), whole, nil); err != nil {
		t.Fatal(err)
	}
	if made := f.taken(); len(made) > 0 {
		t.Errorf("made twice: %v", made)
	}
}
