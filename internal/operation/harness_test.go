package operation_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/operation"
	"freehold.dev/freehold/internal/orgcontext"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/internal/registry/sqlite"
)

// TestMain lets this binary be the second process of the tests that need one.
func TestMain(m *testing.M) {
	if file := os.Getenv("OPERATION_TEST_HOLD"); file != "" {
		hold(file)
		return
	}
	os.Exit(m.Run())
}

func open(t *testing.T, file string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), file, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// world is a registry whose connection can be disturbed, and what the sink of
// its operations was shown.
type world struct {
	*screen

	disturbed *disturbed
	real      *sqlite.Store
	file      string
}

func newWorld(t *testing.T) world {
	t.Helper()
	file := filepath.Join(t.TempDir(), "registry.db")
	s := open(t, file)
	return world{screen: &screen{}, disturbed: &disturbed{Store: s}, real: s, file: file}
}

// options are those of a process with the name, which knows that some others are dead.
func (w world) options(name string, dead ...string) operation.Options {
	return operation.Options{Store: w.disturbed, Now: time.Now, Uptime: sinceEpoch, Holder: process{name: name, dead: dead}}
}

// sinceEpoch is an uptime that follows the clock of a synctest bubble.
func sinceEpoch() time.Duration { return time.Duration(time.Now().UnixNano()) }

// begin begins an operation on acme as the process with the name.
func (w world) begin(t *testing.T, name string, dead ...string) *operation.Operation {
	t.Helper()
	op, err := operation.Begin(t.Context(), w.options(name, dead...), orgcontexttest.For("acme"), onboard, w.show)
	if err != nil {
		t.Fatal(err)
	}
	return op
}

// stored are the events of an operation on acme in the registry.
func (w world) stored(t *testing.T, op string) []event.Event {
	t.Helper()
	events, err := of(w.real, "acme").Events(t.Context(), op, 0)
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// state is the state of acme's last operation.
func (w world) state(t *testing.T) string {
	t.Helper()
	last, err := of(w.real, "acme").Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return last.State
}

// process is a Holder by name.
type process struct {
	name string
	dead []string
	// elsewhere is true of a process on a machine of its own.
	elsewhere bool
}

func (p process) Name() string { return p.name }

func (p process) Dead(name string) bool {
	return slices.Contains(p.dead, name)
}

func (p process) SameClock(string) bool { return !p.elsewhere }

// of is the registry as an org has it.
func of(s registry.Store, org string) registry.OrgStore { return s.Org(orgcontexttest.For(org)) }

// onboard asks for an onboarding without an id.
var onboard = operation.Request{Kind: "onboard"}

// screen is a sink that remembers what it was shown.
type screen struct {
	mu     sync.Mutex
	events []event.Event
}

func (s *screen) show(ev event.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, ev)
}

func (s *screen) shown() []event.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// words are what was shown, each event in a word or two.
func (s *screen) words() []string {
	var out []string
	for _, ev := range s.shown() {
		word := string(ev.Type)
		if ev.Type == event.Diagnostic {
			word = ev.Message
		}
		out = append(out, word)
	}
	return out
}

// errDown is what a registry that cannot be reached answers.
var errDown = errors.New("the registry is down")

// disturbed is a registry of which some methods do not work.
type disturbed struct {
	registry.Store

	mu sync.Mutex
	// down are the methods that fail, hung those that only end with their context.
	down, hung map[string]bool
	// before is called before a Begin, with how many there were.
	before func(n int)
	begins int
	renews int
}

func (d *disturbed) set(down, hung []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down, d.hung = map[string]bool{}, map[string]bool{}
	for _, m := range down {
		d.down[m] = true
	}
	for _, m := range hung {
		d.hung[m] = true
	}
}

func (d *disturbed) fault(ctx context.Context, method string) error {
	d.mu.Lock()
	down, hung := d.down[method], d.hung[method]
	d.mu.Unlock()
	if hung {
		<-ctx.Done()
		return ctx.Err()
	}
	if down {
		return errDown
	}
	return nil
}

// Org is the registry as an org has it, with the same faults.
func (d *disturbed) Org(c orgcontext.Context) registry.OrgStore {
	return disturbedOrg{OrgStore: d.Store.Org(c), d: d}
}

type disturbedOrg struct {
	registry.OrgStore

	d *disturbed
}

func (o disturbedOrg) Begin(ctx context.Context, req registry.Request) (registry.Begun, error) {
	o.d.mu.Lock()
	n, before := o.d.begins, o.d.before
	o.d.begins++
	o.d.mu.Unlock()
	if before != nil {
		before(n)
	}
	return o.OrgStore.Begin(ctx, req)
}

func (o disturbedOrg) Holder(ctx context.Context) (*registry.BusyError, error) {
	if err := o.d.fault(ctx, "Holder"); err != nil {
		return nil, err
	}
	return o.OrgStore.Holder(ctx)
}

func (o disturbedOrg) Renew(ctx context.Context, l registry.Lease, holder string, ttl time.Duration) error {
	o.d.mu.Lock()
	o.d.renews++
	o.d.mu.Unlock()
	if err := o.d.fault(ctx, "Renew"); err != nil {
		return err
	}
	return o.OrgStore.Renew(ctx, l, holder, ttl)
}

func (o disturbedOrg) Append(ctx context.Context, l registry.Lease, events ...event.Event) ([]event.Event, error) {
	if err := o.d.fault(ctx, "Append"); err != nil {
		return nil, err
	}
	return o.OrgStore.Append(ctx, l, events...)
}

func (o disturbedOrg) End(ctx context.Context, l registry.Lease, terminal event.Event) (event.Event, error) {
	if err := o.d.fault(ctx, "End"); err != nil {
		return event.Event{}, err
	}
	return o.OrgStore.End(ctx, l, terminal)
}

func (o disturbedOrg) Delivered(ctx context.Context, op string) error {
	if err := o.d.fault(ctx, "Delivered"); err != nil {
		return err
	}
	return o.OrgStore.Delivered(ctx, op)
}

func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func diagnostic(message string) event.Event {
	return event.Event{Type: event.Diagnostic, Message: message}
}

func end(t *testing.T, op *operation.Operation) {
	t.Helper()
	if err := op.End(t.Context(), event.Event{Type: event.OperationSucceeded}); err != nil {
		t.Fatal(err)
	}
}
