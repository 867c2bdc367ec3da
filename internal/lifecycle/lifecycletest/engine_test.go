package lifecycletest_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"freehold.dev/freehold/internal/engine"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

const (
	addresses = "aws:ec2/eip:Eip"
	gateways  = "aws:ec2/natGateway:NatGateway"
	roles     = "aws:iam/role:Role"
	clusters  = "aws:eks/cluster:Cluster"
	projects  = "kubernetes:freehold.dev/v1alpha1:Project"
	spaces    = "kubernetes:core/v1:Namespace"
)

func TestWhatThePlanNoLongerHasIsRemoved(t *testing.T) {
	w, d := made(t, acme(t, "network: {nat: per-zone}"))
	fewer := on(t, d.p, acme(t))
	fewer.outs = d.outs
	res, err := fewer.up(plan.LayerCluster)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(w.Things(addresses)) + len(w.Things(gateways)); got != 2 || res.Changes["delete"] != 4 {
		t.Errorf("%d addresses and gateways are left, changes %v", got, res.Changes)
	}
}

func TestARunFailsAtTheInjectedFault(t *testing.T) {
	boom := errors.New("boom")
	for reason, tc := range map[string]struct {
		fault     lifecycletest.Fault
		addresses int
		fails     int // how many runs of the layer fail
	}{
		"before anything is made":  {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: boom}, 0, 1},
		"after some of it is made": {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: boom, Made: 5}, 1, 1},
		"after all of it is made":  {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: boom, Made: -1}, 1, 1},
		"twice":                    {lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: boom, Times: 2}, 0, 2},
		"for a quota": {
			lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Made: 4, Err: lifecycletest.QuotaError("acme", plan.LayerCluster)}, 0, 1,
		},
	} {
		t.Run(reason, func(t *testing.T) {
			w := lifecycletest.New()
			w.Fail(tc.fault)
			d := on(t, start(t, w, "a"), acme(t))
			if err := d.make(false); !errors.Is(err, tc.fault.Err) {
				t.Fatalf("got %v, want %v", err, tc.fault.Err)
			}
			if got := len(w.Things(addresses)); got != tc.addresses {
				t.Errorf("%d addresses were made, want %d", got, tc.addresses)
			}
			for range tc.fails - 1 {
				if _, err := d.up(plan.LayerCluster); !errors.Is(err, tc.fault.Err) {
					t.Errorf("again: %v", err)
				}
			}
			if err := d.make(false); err != nil {
				t.Fatalf("once the fault is over: %v", err)
			}
			want, _ := made(t, acme(t))
			lifecycletest.Same(t, want, w)
		})
	}
}

func TestAFaultOfALaterRunLetsTheFirstOnesPass(t *testing.T) {
	w := lifecycletest.New()
	w.Fail(lifecycletest.Fault{On: lifecycletest.Up, Skip: 2, Err: lifecycletest.CredentialsError("acme", plan.LayerCluster)})
	d := on(t, start(t, w, "a"), acme(t))
	if err := d.make(false); !errors.Is(err, engine.ErrCredentials) || d.outs[plan.LayerBoundary] == nil || d.outs[plan.LayerCluster] != nil {
		t.Errorf("got %v after layers %v", err, d.outs)
	}
}

func TestARuleBlocksBeforeAnythingIsMade(t *testing.T) {
	w := lifecycletest.New()
	violation := lifecycletest.Violation("acme", plan.LayerBoundary, "FH301")
	w.Block(plan.LayerBoundary, violation)
	d := on(t, start(t, w, "a"), acme(t))
	err := d.make(false)
	var failed *engine.Error
	if !errors.As(err, &failed) || !errors.Is(err, engine.ErrPolicy) || len(failed.Policy) != 1 || !failed.Policy[0].Blocks() {
		t.Fatalf("got %v", err)
	}
	if info, err := d.p.Engine().Stat(t.Context(), d.stack(plan.LayerBoundary)); err != nil || info.Exists {
		t.Errorf("the stack is there: %+v, %v", info, err)
	}
	if _, err := d.p.Engine().Preview(t.Context(), d.stack(plan.LayerBoundary), nil); !errors.Is(err, engine.ErrPolicy) {
		t.Errorf("a preview says %v", err)
	}
	w.Block(plan.LayerBoundary)
	if err := d.make(false); err != nil {
		t.Error(err)
	}
}

func TestTheCloudsQuotaStopsARunHalfWay(t *testing.T) {
	w := lifecycletest.New()
	w.SetQuota(addresses, 2)
	d := on(t, start(t, w, "a"), acme(t, "network: {nat: per-zone}"))
	err := d.make(false)
	var failed *engine.Error
	if !errors.As(err, &failed) || !errors.Is(err, engine.ErrQuota) || len(failed.Failures) != 1 || failed.Failures[0].Type != addresses {
		t.Fatalf("got %v", err)
	}
	if n := len(w.Things(addresses)); n != 2 {
		t.Errorf("%d addresses", n)
	}
	// Failed once more, it still says how many resources there are.
	if res, err := d.up(plan.LayerCluster); err == nil || res.Recorded == nil || *res.Recorded != 9 {
		t.Errorf("recorded: %v, %v", res.Recorded, err)
	}
}

func TestAPreviewSaysWhatAnUpWouldDoAndDoesNothing(t *testing.T) {
	pl := acme(t)
	w := lifecycletest.New()
	d := on(t, start(t, w, "a"), pl)
	for _, l := range plan.Layers() {
		before := w.Writes()
		seen, err := d.p.Engine().Preview(t.Context(), d.stack(l), nil)
		if err != nil || w.Writes() != before {
			t.Fatalf("layer %s: %v, %d writes", l, err, w.Writes()-before)
		}
		done, err := d.up(l)
		if err != nil {
			t.Fatal(err)
		}
		urns := func(steps []engine.Step) (out []string) {
			for _, st := range steps {
				out = append(out, st.Op+" "+st.URN)
			}
			return out
		}
		if a, b := urns(seen.Steps), urns(done.Steps); !slices.Equal(a, b) {
			t.Errorf("layer %s: foreseen\n%s\ndone\n%s", l, strings.Join(a, "\n"), strings.Join(b, "\n"))
		}
	}
}

func TestARefreshFindsWhatWasChangedByHand(t *testing.T) {
	w, d := made(t, acme(t))
	node := d.plan.Cluster.NodeRole
	w.Edit(roles, node, func(r *lifecycletest.Thing) { r.Inputs["permissionsBoundary"] = "none" })
	w.Take(gateways, w.Things(gateways)[0].ID)
	before := w.Writes()
	res, err := d.p.Engine().PreviewRefresh(t.Context(), d.stack(plan.LayerCluster), nil)
	if err != nil || w.Writes() != before {
		t.Fatalf("%v, %d writes", err, w.Writes()-before)
	}
	if res.Changes["update"] != 1 || res.Changes["delete"] != 1 {
		t.Errorf("changes %v", res.Changes)
	}
	res, err = d.up(plan.LayerCluster)
	if err != nil || res.Changes["update"] != 1 || res.Changes["create"] != 1 {
		t.Errorf("an up changes %v: %v", res.Changes, err)
	}
	want, _ := made(t, acme(t))
	lifecycletest.Same(t, want, w)
}

func TestDestroyRemovesEverythingAndTheStack(t *testing.T) {
	w, d := made(t, acme(t))
	account := w.AccountOf("aws+acme@example.com")
	ls := plan.Layers()
	slices.Reverse(ls)
	for _, l := range ls {
		if _, err := d.p.Engine().Destroy(t.Context(), d.stack(l), nil); err != nil {
			t.Fatal(err)
		}
		if info, err := d.p.Engine().Stat(t.Context(), d.stack(l)); err != nil || info.Exists {
			t.Errorf("stack %s: %+v, %v", l, info, err)
		}
	}
	items, err := d.p.Cloud().Inventory(t.Context(), d.account())
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		if !it.ByCloud {
			t.Errorf("%s %s is left", it.Type, it.ID)
		}
	}
	// The spec does not say that the account is closed.
	if w.Closed(account) {
		t.Error("the account is closed")
	}
	if _, err := d.p.Engine().Destroy(t.Context(), d.stack(plan.LayerCluster), nil); !errors.Is(err, engine.ErrNoStack) {
		t.Errorf("once more: %v", err)
	}
	if _, err := d.p.Engine().State(t.Context(), d.stack(plan.LayerCluster)); !errors.Is(err, engine.ErrNoStack) {
		t.Errorf("its state: %v", err)
	}
}

func TestAKilledDestroyIsGoneOnWith(t *testing.T) {
	_, d := made(t, acme(t))
	before := len(d.p.Writes())
	w, _ := made(t, acme(t))
	whole := on(t, start(t, w, "a"), d.plan)
	whole.outs = d.outs
	if _, err := whole.p.Engine().Destroy(t.Context(), whole.stack(plan.LayerBootstrap), nil); err != nil {
		t.Fatal(err)
	}
	if before == 0 || len(whole.p.Writes()) < 9 {
		t.Fatalf("%d writes", len(whole.p.Writes()))
	}
	for n := 1; n < len(whole.p.Writes()); n++ {
		w, _ := made(t, acme(t))
		killed := on(t, start(t, w, "a"), d.plan)
		killed.outs = d.outs
		killed.p.KillAfter(n)
		if _, err := killed.p.Engine().Destroy(t.Context(), killed.stack(plan.LayerBootstrap), nil); err == nil {
			t.Fatalf("kill %d: no error", n)
		}
		again := on(t, start(t, w, "b"), d.plan)
		again.outs = d.outs
		if _, err := again.p.Engine().Destroy(t.Context(), again.stack(plan.LayerBootstrap), nil); err != nil {
			t.Fatalf("after kill %d: %v", n, err)
		}
		if left := len(w.Things(projects)); left != 0 {
			t.Errorf("after kill %d: %d projects are left", n, left)
		}
	}
}

func TestWhatIsProtectedIsNotDestroyed(t *testing.T) {
	w := lifecycletest.New()
	d := on(t, start(t, w, "a"), acme(t))
	d.plan.Boundary.Protected = true
	if err := d.make(false); err != nil {
		t.Fatal(err)
	}
	before := w.Writes()
	if _, err := d.p.Engine().Destroy(t.Context(), d.stack(plan.LayerBoundary), nil); !errors.Is(err, engine.ErrProtected) || w.Writes() != before {
		t.Errorf("%v, %d writes", err, w.Writes()-before)
	}
}

func TestAKilledCreationLeavesAPendingOperationUnlessItDiedTooEarly(t *testing.T) {
	for reason, tc := range map[string]struct {
		silent  bool
		pending int
	}{"as the engine does": {false, 1}, "with the state not stored": {true, 0}} {
		t.Run(reason, func(t *testing.T) {
			w := lifecycletest.New()
			if tc.silent {
				w.LeaveNoPending()
			}
			p := start(t, w, "a")
			p.KillAfter(4) // the stack, a policy and its record, and then the account
			if err := on(t, p, acme(t)).make(false); err == nil {
				t.Fatal("it was not killed")
			}
			d := on(t, start(t, w, "a"), acme(t))
			info, err := d.p.Engine().Stat(t.Context(), d.stack(plan.LayerAccount))
			if err != nil || info != (engine.Info{Exists: true, Resources: 1, Pending: tc.pending}) {
				t.Errorf("got %+v, %v", info, err)
			}
			lost, err := d.p.Engine().Adopt(t.Context(), d.stack(plan.LayerAccount), d.find(plan.LayerAccount), nil)
			if err != nil || len(lost) != 1 || lost[0].ID != w.AccountOf("aws+acme@example.com") {
				t.Errorf("adopted %+v, %v", lost, err)
			}
			info, err = d.p.Engine().Stat(t.Context(), d.stack(plan.LayerAccount))
			if err != nil || info != (engine.Info{Exists: true, Resources: 2}) {
				t.Errorf("then %+v, %v", info, err)
			}
		})
	}
}

func TestAPendingOperationStaysUntilSomebodyHasLooked(t *testing.T) {
	w := lifecycletest.New()
	p := start(t, w, "a")
	p.KillAfter(8 + 2) // the account layer, the boundary's stack and, in the cloud only, its policy
	if err := on(t, p, acme(t)).make(false); err == nil {
		t.Fatal("it was not killed")
	}
	w.Take("aws:iam/policy:Policy", w.Things("aws:iam/policy:Policy")[0].ID)
	d := on(t, start(t, w, "a"), acme(t))
	if err := d.make(false); err != nil {
		t.Fatal(err)
	}
	if info, err := d.p.Engine().Stat(t.Context(), d.stack(plan.LayerBoundary)); err != nil || info.Pending != 1 {
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestWhetherAStackExistsHasThreeAnswers(t *testing.T) {
	w, d := made(t, acme(t))
	ask := func() (engine.Info, error) { return d.p.Engine().Stat(t.Context(), d.stack(plan.LayerAccount)) }
	if info, err := ask(); err != nil || info != (engine.Info{Exists: true, Resources: 3}) {
		t.Errorf("got %+v, %v", info, err)
	}
	w.Fail(lifecycletest.Fault{On: lifecycletest.Stat, Err: lifecycletest.UnreachableError("acme", plan.LayerAccount)})
	if info, err := ask(); !errors.Is(err, engine.ErrUnreachable) || info.Exists {
		t.Errorf("got %+v, %v", info, err)
	}
	w.LoseStates()
	if info, err := ask(); err != nil || info.Exists || !info.Fresh {
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestAnotherMachineSeesTheSameUnlessItLacksSomething(t *testing.T) {
	pl := acme(t)
	w, d := made(t, pl)
	for reason, tc := range map[string]struct {
		machine lifecycletest.Machine
		exists  bool
		check   error
	}{
		"one that shares everything":       {lifecycletest.Machine{Name: "b"}, true, nil},
		"one without the secrets":          {lifecycletest.Machine{Name: "b", Secrets: "b's passphrase"}, true, engine.ErrSecrets},
		"one with a backend of its own":    {lifecycletest.Machine{Name: "b", Backend: "b's folder"}, false, nil},
		"one that has nothing in common":   {lifecycletest.Machine{Name: "b", Backend: "another folder", Secrets: "b's passphrase"}, false, nil},
		"the same one, in another process": {lifecycletest.Machine{Name: "a"}, true, nil},
	} {
		t.Run(reason, func(t *testing.T) {
			e := w.Start(t.Context(), tc.machine).Engine()
			st := d.stack(plan.LayerBoundary)
			if info, err := e.Stat(t.Context(), st); err != nil || info.Exists != tc.exists {
				t.Errorf("Stat: %+v, %v", info, err)
			}
			if err := e.Check(t.Context(), st); !errors.Is(err, tc.check) {
				t.Errorf("Check: %v, want %v", err, tc.check)
			}
			if _, err := e.PreviewRefresh(t.Context(), st, nil); !errors.Is(err, tc.check) {
				t.Errorf("PreviewRefresh: %v, want %v", err, tc.check)
			}
			before := w.Writes()
			if _, err := e.Up(t.Context(), st, nil); tc.check != nil && (!errors.Is(err, tc.check) || w.Writes() != before) {
				t.Errorf("Up: %v, want %v and no write", err, tc.check)
			}
		})
	}
}

func TestAStackRunsOnceAtATime(t *testing.T) {
	_, d := made(t, acme(t))
	w := d.p
	var second error
	d.plan.Boundary.TrailName = "another"
	_, err := w.Engine().Up(t.Context(), d.stack(plan.LayerBoundary), func(ev event.Event) {
		if ev.Type == event.ResourceStarted {
			_, second = w.Engine().Up(t.Context(), d.stack(plan.LayerBoundary), nil)
		}
	})
	if err != nil || !errors.Is(second, engine.ErrLocked) {
		t.Errorf("the first run: %v; the second: %v, want ErrLocked", err, second)
	}
}

func TestACancelledRunLeavesAValidState(t *testing.T) {
	w := lifecycletest.New()
	d := on(t, start(t, w, "a"), acme(t))
	ctx, cancel := context.WithCancel(t.Context())
	_, err := d.p.Engine().Up(ctx, d.stack(plan.LayerAccount), func(ev event.Event) {
		if ev.Type == event.ResourceFinished && ev.ResourceType == "aws:organizations/account:Account" {
			cancel()
		}
	})
	if !errors.Is(err, engine.ErrCancelled) {
		t.Fatalf("got %v", err)
	}
	if info, err := d.p.Engine().Stat(t.Context(), d.stack(plan.LayerAccount)); err != nil || info != (engine.Info{Exists: true, Resources: 2}) {
		t.Errorf("got %+v, %v", info, err)
	}
}

func TestEventsTellOfEachResource(t *testing.T) {
	w := lifecycletest.New()
	d := on(t, start(t, w, "a"), acme(t))
	var got []string
	if _, err := d.p.Engine().Up(t.Context(), d.stack(plan.LayerAccount), func(ev event.Event) {
		got = append(got, string(ev.Type)+" "+ev.Op+" "+ev.ResourceName)
	}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"resource.finished create org",
		"resource.started create service-policy", "resource.finished create service-policy",
		"resource.started create account", "resource.finished create account",
		"resource.started create service-policy", "resource.finished create service-policy",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s", strings.Join(got, "\n"))
	}
}

func TestADeadProcessReachesNothing(t *testing.T) {
	w, d := made(t, acme(t))
	st, a := d.stack(plan.LayerCluster), d.account()
	kubeconfig, err := d.p.Cloud().Kubeconfig(t.Context(), d.cluster(), d.readRole())
	if err != nil {
		t.Fatal(err)
	}
	d.p.Kill()
	if d.p.Context().Err() == nil {
		t.Error("its context goes on")
	}
	shown := 0
	d.p.Sink(func(event.Event) { shown++ })(event.Event{})
	if shown != 0 {
		t.Error("it shows events")
	}
	before := w.Writes()
	e, c := d.p.Engine(), d.p.Cloud()
	for call, err := range map[string]error{
		"Up":         second(e.Up(t.Context(), st, nil)),
		"Preview":    second(e.Preview(t.Context(), st, nil)),
		"Refresh":    second(e.PreviewRefresh(t.Context(), st, nil)),
		"Destroy":    second(e.Destroy(t.Context(), st, nil)),
		"Adopt":      second(e.Adopt(t.Context(), st, nil, nil)),
		"Stat":       second(e.Stat(t.Context(), st)),
		"State":      second(e.State(t.Context(), st)),
		"Check":      e.Check(t.Context(), st),
		"Identity":   second(c.Identity(t.Context())),
		"Inventory":  second(c.Inventory(t.Context(), a)),
		"Shares":     second(c.Shares(t.Context(), a)),
		"Quotas":     second(c.Quotas(t.Context(), a)),
		"Usable":     c.Usable(t.Context(), a),
		"Close":      c.CloseAccount(t.Context(), a.ID),
		"Protect":    c.ProtectCluster(t.Context(), d.cluster(), true),
		"kubernetes": second(list(t, kubeconfig)),
	} {
		if err == nil {
			t.Errorf("%s is answered", call)
		}
	}
	if w.Writes() != before {
		t.Error("it writes")
	}
}

func second[T any](_ T, err error) error { return err }
