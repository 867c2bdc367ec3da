package lifecycle

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

func TestALockIsLeftOverOnlyFromAStepThatIsOver(t *testing.T) {
	const linux, darwin = "ci-7 31 9 boot pid:[1],time:[2]", "ci-7 31 9 boot -"
	took := time.Minute // the step
	for reason, tc := range map[string]struct {
		holder string
		end    bool // the step
		over   bool // somebody takes over
		asks   func(engine.Stack, engine.Lock) (engine.Stack, engine.Lock)
		want   bool
	}{
		"a step that has ended":                     {linux, true, false, nil, true},
		"a step of a process that is gone":          {linux, false, true, nil, true},
		"a step of one whose run may have outlived": {darwin, false, true, nil, false},
		"a step that has ended, on any system":      {darwin, true, false, nil, true},
		"a step that nobody has taken over":         {linux, false, false, nil, false},
		"a holder that does not say where it is":    {"worker-7", true, false, nil, false},
		"a lock of another host": {linux, true, false, func(s engine.Stack, l engine.Lock) (engine.Stack, engine.Lock) {
			l.Host = "laptop"
			return s, l
		}, false},
		"a lock that was made before": {linux, true, false, func(s engine.Stack, l engine.Lock) (engine.Stack, engine.Lock) {
			l.At = l.At.Add(-time.Minute)
			return s, l
		}, false},
		"a lock that somebody made by hand later": {linux, false, true, func(s engine.Stack, l engine.Lock) (engine.Stack, engine.Lock) {
			l.At = l.At.Add(time.Hour)
			return s, l
		}, false},
		"another layer": {linux, true, false, func(s engine.Stack, l engine.Lock) (engine.Stack, engine.Lock) {
			s.Layer = string(plan.LayerBoundary)
			return s, l
		}, false},
		"another org": {linux, true, false, func(s engine.Stack, l engine.Lock) (engine.Stack, engine.Lock) {
			s.Org = "globex"
			return s, l
		}, false},
	} {
		t.Run(reason, func(t *testing.T) {
			p := newPlace(t)
			proc := p.here()
			store := proc.registryOf("acme")
			b := must[registry.Begun](t)(store.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: tc.holder, TTL: 15 * time.Second}))
			step := must[event.Step](t)(store.BeginStep(t.Context(), b.Lease, event.Step{
				Name: "up", Layer: "account", Attempt: 1, State: event.StepRunning, Started: p.world.Now(), Holder: tc.holder,
			}))
			s, l := engine.Stack{Org: "acme", Layer: "account"}, engine.Lock{Host: "ci-7", PID: 44, At: p.world.Now().Truncate(time.Second).Add(5 * time.Second)}
			p.world.Sleep(took)
			if tc.end {
				step.State, step.Finished = event.StepFailed, p.world.Now()
				if err := store.EndStep(t.Context(), b.Lease, step); err != nil {
					t.Fatal(err)
				}
			}
			if tc.over {
				busy := must[*registry.BusyError](t)(store.Holder(t.Context()))
				must[registry.Begun](t)(store.Begin(t.Context(), registry.Request{Kind: "onboard", Holder: "b", TTL: time.Hour, Over: busy.Seen}))
			}
			if tc.asks != nil {
				s, l = tc.asks(s, l)
			}
			got, err := proc.records().Over(t.Context(), s, l)
			if err != nil || got != tc.want {
				t.Errorf("over: %v, %v; want %v", got, err, tc.want)
			}
		})
	}
}

// stopped is an engine whose process stops at the cluster, as by SIGSTOP, and
// wakes up when it is told to.
type stopped struct {
	Engine

	at, wakes chan struct{}
}

func (s stopped) Up(ctx context.Context, st engine.Stack, sink event.Sink) (engine.Result, error) {
	if st.Layer == string(plan.LayerCluster) {
		close(s.at)
		<-s.wakes
	}
	return s.Engine.Up(ctx, st, sink)
}

func TestASlowOwnerThatLostItsOrgWritesNothingMore(t *testing.T) {
	p := newPlace(t)
	slow := p.start(lifecycletest.Machine{Name: "a"})
	slow.Holding.TTL = 60 * time.Millisecond
	held := stopped{slow.Service.Engine, make(chan struct{}), make(chan struct{})}
	slow.Service.Engine = held
	done := make(chan error, 1)
	go func() {
		_, err := slow.onboard(document(t))
		done <- err
	}()
	<-held.at
	next := p.start(lifecycletest.Machine{Name: "b"})
	busy := must[*registry.BusyError](t)(next.registryOf("acme").Holder(t.Context()))
	for {
		// It renews its lease meanwhile: a stopped process would not.
		_, err := next.registryOf("acme").Begin(t.Context(), registry.Request{Kind: "onboard", Holder: next.Name(), TTL: time.Hour, Over: busy.Seen})
		if again, ok := errors.AsType[*registry.BusyError](err); ok {
			busy = again
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	time.Sleep(slow.Holding.TTL) // its next renewal is due within a third of that
	before := slices.Clone(slow.Writes())
	close(held.wakes)
	err := <-done
	if !errors.Is(err, ErrBusy) || !errors.Is(err, registry.ErrLost) {
		t.Errorf("got %v", err)
	}
	for _, w := range slow.Writes()[len(before):] {
		t.Errorf("it has written %v", w)
	}
}
