package lifecycletest_test

import (
	"path/filepath"
	"testing"
	"time"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// A process is a holder of orgs, and a registry that it reaches is a registry.
var (
	_ operation.Holder = (*lifecycletest.Process)(nil)
	_ registry.Store   = (*lifecycletest.Store)(nil)
)

func openRegistry(t *testing.T, w *lifecycletest.World) *sqlite.Store {
	t.Helper()
	d, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "registry.db"), w.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Close() })
	return d
}

func TestARegistryIsWrittenToUntilTheProcessIsKilled(t *testing.T) {
	w := lifecycletest.New()
	d := openRegistry(t, w)
	p := start(t, w, "a")
	s := p.Store(d).Org(orgcontexttest.For("acme"))
	p.KillAfter(3)
	begun, err := s.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: p.Name(), TTL: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.PutOrg(t.Context(), begun.Lease, registry.Org{Org: "acme", State: "onboarding", Plan: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutLayer(t.Context(), begun.Lease, registry.Layer{Layer: "account", State: "making"}); err == nil || !p.Killed() {
		t.Fatalf("after the third write it goes on: %v", err)
	}
	if _, err := s.Append(t.Context(), begun.Lease, event.Event{Type: event.Diagnostic, Org: "acme", Operation: begun.Lease.Operation}); err == nil {
		t.Error("a dead process has written")
	}
	if _, err := s.End(t.Context(), begun.Lease, event.Event{Type: event.OperationFailed, Org: "acme", Operation: begun.Lease.Operation}); err == nil {
		t.Error("a dead process has ended its operation")
	}
	if _, err := s.Org(t.Context()); err == nil {
		t.Error("a dead process has read")
	}
	stored := d.Org(orgcontexttest.For("acme"))
	layers, err := stored.Layers(t.Context())
	if err != nil || layers["account"].State != "making" {
		t.Errorf("the last write of the dead process is not there: %v, %v", layers, err)
	}
	events, err := stored.Events(t.Context(), begun.Lease.Operation, 0)
	if err != nil || len(events) != 1 {
		t.Errorf("its log has %d events, want its start: %v", len(events), err)
	}
}

func TestADeadHolderIsKnownAsSuchOnItsOwnMachineOnly(t *testing.T) {
	w := lifecycletest.New()
	killed, alive := start(t, w, "a"), start(t, w, "a")
	killed.Kill()
	for reason, tc := range map[string]struct {
		from   *lifecycletest.Process
		holder string
		want   bool
	}{
		"a dead one of this machine":        {alive, killed.Name(), true},
		"one that lives":                    {alive, alive.Name(), false},
		"a dead one, seen from elsewhere":   {start(t, w, "b"), killed.Name(), false},
		"one that nobody has ever heard of": {alive, "a/99", false},
	} {
		if got := tc.from.Dead(tc.holder); got != tc.want {
			t.Errorf("%s: %t, want %t", reason, got, tc.want)
		}
	}
}
