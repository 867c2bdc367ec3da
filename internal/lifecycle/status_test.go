package lifecycle

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/orgcontext/orgcontexttest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
)

func TestAStatusIsWhatIsRecordedAndAsksNoCloud(t *testing.T) {
	p := onboarded(t, "projects: [{name: shop}]")
	offline := p.here()
	offline.Service.Cloud, offline.Service.Engine = nil, nil
	got := must[event.Status](t)(offline.Status(t.Context(), "acme"))
	if got.State != dataplane.OrgReady || got.Hash == "" || got.Last == nil || got.Last.State != "succeeded" || got.Last.Kind != "onboard" {
		t.Errorf("%+v", got)
	}
	if diff := cmp.Diff([]string{"account done", "boundary done", "cluster done", "bootstrap done"}, layersOf(got.Layers)); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	d := got.DataPlane
	if d.AccountID != p.world.AccountOf("aws+acme@example.com") || d.ClusterName != "freehold-acme" || cmp.Diff([]string{"shop"}, d.Projects) != "" {
		t.Errorf("data plane: %+v", d)
	}

	half := newPlace(t)
	half.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerBoundary, Err: errors.New("no way")})
	if _, err := half.here().onboard(document(t)); err == nil {
		t.Fatal("the fault was not met")
	}
	got = must[event.Status](t)(half.here().Status(t.Context(), "acme"))
	if diff := cmp.Diff([]string{"account done", "boundary failed", "cluster not-started", "bootstrap not-started"}, layersOf(got.Layers)); diff != "" {
		t.Errorf("layers of one that failed (-want +got):\n%s", diff)
	}
	if got.State != dataplane.OrgFailed || got.Last.State != "failed" || !strings.Contains(got.Layers[1].Error, "no way") || got.DataPlane.ClusterARN != "" {
		t.Errorf("%+v", got)
	}
}

func TestTheStatusOfEveryOrgIsByName(t *testing.T) {
	p := newPlace(t)
	if got := must[[]event.Status](t)(p.here().Orgs(t.Context())); got == nil || len(got) > 0 {
		t.Errorf("with no org: %#v", got)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t, "org: globex", "account: {email: aws+globex@example.com}")))
	must[event.Onboarding](t)(p.here().onboard(document(t)))
	must[event.Offboarding](t)(p.here().offboard("globex"))
	got := map[string]string{}
	var names []string
	for _, st := range must[[]event.Status](t)(p.here().Orgs(t.Context())) {
		names, got[st.Org] = append(names, st.Org), st.State+" "+st.Last.Kind
	}
	if diff := cmp.Diff(map[string]string{"acme": "ready onboard", "globex": "offboarded offboard"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"acme", "globex"}, names); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestWhatIsAskedOfAnOrgThatNeverWasIsInvalid(t *testing.T) {
	proc := newPlace(t).here()
	for use, ask := range map[string]func() error{
		"status":          func() error { _, err := proc.Status(t.Context(), "nobody"); return err },
		"operations":      func() error { _, err := proc.Operations(t.Context(), "nobody"); return err },
		"events":          func() error { _, err := proc.Events(t.Context(), "nobody", "", 0); return err },
		"kubeconfig":      func() error { _, err := proc.Kubeconfig(t.Context(), "nobody"); return err },
		"projects":        func() error { _, err := proc.Projects(t.Context(), "nobody"); return err },
		"claims":          func() error { _, err := proc.Claims(t.Context(), "nobody"); return err },
		"drift":           func() error { _, err := proc.Drift(t.Context(), "nobody", nil); return err },
		"offboard":        func() error { _, err := proc.offboard("nobody"); return err },
		"offboard's plan": func() error { _, err := proc.OffboardPlan(t.Context(), "nobody", OffboardOptions{}); return err },
	} {
		t.Run(use, func(t *testing.T) {
			if e := refused(t, ask(), ErrInvalid, `unknown org "nobody"`); e.Org != "nobody" || e.Next != "list the orgs with: freehold status" {
				t.Errorf("%+v", e)
			}
			if got := proc.Writes(); len(got) > 0 {
				t.Errorf("it wrote: %v", got)
			}
		})
	}
}

func TestTheLogOfAnOperationIsReadFromWhereItWasLeft(t *testing.T) {
	p := onboarded(t)
	again := p.here()
	out := must[event.Onboarding](t)(again.onboard(document(t)))
	ops := must[[]event.Operation](t)(p.here().Operations(t.Context(), "acme"))
	if len(ops) != 2 || ops[0].ID != out.Operation || ops[0].State != "succeeded" {
		t.Fatalf("operations, the newest first: %+v", ops)
	}
	all := must[[]event.Event](t)(p.here().Events(t.Context(), "acme", out.Operation, 0))
	if diff := cmp.Diff(again.shown, all, cmpopts.IgnoreFields(event.Event{}, "Result"), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what was shown is not what was stored (-shown +stored):\n%s", diff)
	}
	newest := must[[]event.Event](t)(p.here().Events(t.Context(), "acme", "", 0))
	if diff := cmp.Diff(all, newest); diff != "" {
		t.Errorf("without an id it is the newest (-want +got):\n%s", diff)
	}
	rest := must[[]event.Event](t)(p.here().Events(t.Context(), "acme", out.Operation, all[2].Seq))
	if diff := cmp.Diff(all[3:], rest); diff != "" {
		t.Errorf("after the third (-want +got):\n%s", diff)
	}
	if got := must[[]event.Event](t)(p.here().Events(t.Context(), "acme", "", all[len(all)-1].Seq)); len(got) > 0 {
		t.Errorf("after the last: %v", got)
	}
	first := must[[]event.Event](t)(p.here().Events(t.Context(), "acme", ops[1].ID, 0))
	if len(first) <= len(all) || first[0].Operation != ops[1].ID {
		t.Errorf("the first one's log has %d events, the second's %d", len(first), len(all))
	}
	if _, err := p.here().Events(t.Context(), "acme", "nothing", 0); !errors.Is(err, registry.ErrUnknownOperation) {
		t.Errorf("an operation that never was: %v", err)
	}
}

func TestAKilledOperationRunsUntilItsEndIsWritten(t *testing.T) {
	p := onboarded(t)
	killed := p.here()
	killed.KillAfter(5)
	if _, err := killed.onboard(document(t)); err == nil {
		t.Fatal("it was not killed")
	}
	st := must[event.Status](t)(p.here().Status(t.Context(), "acme"))
	if st.Last.State != "running" || !st.Last.Finished.IsZero() || st.State != dataplane.OrgOnboarding {
		t.Errorf("after the kill: %s, %+v", st.State, st.Last)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t)))
	ops := must[[]event.Operation](t)(p.here().Operations(t.Context(), "acme"))
	if ops[1].State != "failed" || ops[1].Error == "" || ops[1].Finished.IsZero() {
		t.Errorf("the killed one: %+v", ops[1])
	}
}

func TestAKubeconfigIsGivenOnceThereIsACluster(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Err: errors.New("no")})
	if _, err := p.here().onboard(document(t)); err == nil {
		t.Fatal("the fault was not met")
	}
	_, err := p.here().Kubeconfig(t.Context(), "acme")
	if e := refused(t, err, ErrInvalid, "the org has no cluster yet"); e.Layer != "cluster" || e.Next != "onboard it first" {
		t.Errorf("%+v", e)
	}
	must[event.Onboarding](t)(p.here().onboard(document(t)))
	raw := must[[]byte](t)(p.here().Kubeconfig(t.Context(), "acme"))
	if _, err := clientcmd.Load(raw); err != nil {
		t.Errorf("%v in:\n%s", err, raw)
	}
	must[event.Offboarding](t)(p.here().offboard("acme"))
	_, err = p.here().Kubeconfig(t.Context(), "acme")
	refused(t, err, ErrInvalid, "the org has no cluster yet")
}

func TestWhatTwoOrgsOwnIsShared(t *testing.T) {
	p := twoOrgs(t)
	// All clusters of the world have one certificate authority.
	want := []finding.Shared{{Kind: "certificateAuthority", Value: "Q0E=", Owners: []string{"acme", "globex"}}}
	if diff := cmp.Diff(want, must[[]finding.Shared](t)(p.here().Shared(t.Context()))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	must[event.Offboarding](t)(p.here().offboard("globex"))
	if got := must[[]finding.Shared](t)(p.here().Shared(t.Context())); len(got) > 0 {
		t.Errorf("with an org that is gone: %v", got)
	}
}

func TestAnOperationHasItsTimes(t *testing.T) {
	p := newPlace(t)
	proc := p.here()
	began := p.world.Now()
	err := proc.holding(t, "acme", func(context.Context, *run) error { p.world.Sleep(time.Minute); return nil })
	if err != nil {
		t.Fatal(err)
	}
	op := must[*event.Operation](t)(proc.store.Org(orgcontexttest.For("acme")).Last(t.Context()))
	if !op.Started.Equal(began) || op.Finished.Sub(op.Started) != time.Minute {
		t.Errorf("from %s to %s", op.Started, op.Finished)
	}
}
