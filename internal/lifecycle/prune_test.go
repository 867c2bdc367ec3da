package lifecycle

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

// stray puts something into acme's account that no layer made.
func (p *place) stray(name string) lifecycletest.Thing {
	p.t.Helper()
	thing := lifecycletest.Thing{
		Where: p.world.AccountOf("aws+acme@example.com"), Type: "aws:s3/bucketV2:BucketV2", Name: name, ID: name,
	}
	thing.ID = p.world.Put(thing)
	return thing
}

func (p *place) has(thing lifecycletest.Thing) bool {
	for _, t := range p.world.Things(thing.Type) {
		if t.ID == thing.ID {
			return true
		}
	}
	return false
}

func TestWhatNoLayerDeclaresIsListedAndRemovedOnlyWhenAsked(t *testing.T) {
	p := onboarded(t)
	stray := p.stray("somebody-elses")
	want := []finding.Finding{{Kind: finding.Unmanaged, Type: stray.Type, Name: stray.Name, ID: stray.ID, Message: "no layer declares it"}}

	got := must[event.Plan](t)(p.here().Plan(t.Context(), document(t), PlanOptions{}, nil))
	if len(got.Prune) > 0 {
		t.Errorf("a plan that was not asked for it lists %v", got.Prune)
	}
	got = must[event.Plan](t)(p.here().Plan(t.Context(), document(t), PlanOptions{Prune: true}, nil))
	if diff := cmp.Diff(want, got.Prune); diff != "" {
		t.Errorf("plan --prune (-want +got):\n%s", diff)
	}
	out := must[event.Onboarding](t)(p.here().onboard(document(t)))
	if diff := cmp.Diff(want, out.Unmanaged); diff != "" || !p.has(stray) {
		t.Errorf("onboard, with the thing still there: %v (-want +got):\n%s", p.has(stray), diff)
	}
	proc := p.here()
	out = must[event.Onboarding](t)(proc.Onboard(t.Context(), document(t), OnboardOptions{Prune: true}, nil))
	if p.has(stray) || len(out.Unmanaged) > 0 {
		t.Errorf("onboard --prune left %v", out.Unmanaged)
	}
	if diff := cmp.Diff(want, out.Pruned); diff != "" || !out.Changed {
		t.Errorf("what onboard --prune says it removed, changed %v (-want +got):\n%s", out.Changed, diff)
	}
}

func TestAPlanOfANewOrgHasNothingToPrune(t *testing.T) {
	got := must[event.Plan](t)(newPlace(t).here().Plan(t.Context(), document(t), PlanOptions{Prune: true}, nil))
	if len(got.Prune) > 0 || !got.Different() {
		t.Errorf("%+v", got)
	}
}

func TestAnAccountThatCannotBeListedDoesNotLeaveTheOrgOnboarding(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Inventory, Err: errors.New("no answer")})
	_, err := p.here().onboard(document(t))
	if err == nil {
		t.Fatal("the fault was not met")
	}
	if o, _ := p.org("acme"); o.State != dataplane.OrgFailed || p.states("acme") != allDone {
		t.Errorf("the org is %s, its layers %s", o.State, p.states("acme"))
	}
	must[event.Onboarding](t)(p.here().onboard(document(t)))
	if o, _ := p.org("acme"); o.State != dataplane.OrgReady {
		t.Errorf("after the next run the org is %s", o.State)
	}
}

func TestALayerThatFailedSaysHowMuchOfItIsThere(t *testing.T) {
	p := newPlace(t)
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerCluster, Made: 3, Err: errors.New("no")})
	out, err := p.here().onboard(document(t))
	if err == nil {
		t.Fatal("the fault was not met")
	}
	_, layers := p.org("acme")
	cluster := layers["cluster"]
	if cluster.Resources != 3 || !cluster.Made || !cluster.Unclean || cluster.State != dataplane.Failed || cluster.Error == "" {
		t.Errorf("recorded: %+v", cluster)
	}
	last := out.Layers[len(out.Layers)-1]
	if last.Resources != 3 || last.State != dataplane.Failed || last.Error == "" {
		t.Errorf("reported: %+v", last)
	}
}

func TestAFailureOfOneLayerIsRepairedByTheNextRun(t *testing.T) {
	for _, l := range plan.Layers() {
		for _, made := range []int{0, 1, -1} {
			p := newPlace(t)
			p.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: l, Made: made, Err: errors.New("no")})
			if _, err := p.here().onboard(document(t)); err == nil {
				t.Fatalf("%s: the fault was not met", l)
			}
			must[event.Onboarding](t)(p.here().onboard(document(t)))
			if got := p.states("acme"); got != allDone {
				t.Errorf("%s failed after %d: %s", l, made, got)
			}
			if n := len(p.world.Things(addressType)); n != 1 {
				t.Errorf("%s failed after %d: %d addresses", l, made, n)
			}
		}
	}
}

// Somebody's thing in a place with room for one would make the layer fail
// before anything is pruned.
func TestWhatTakesAPlaceThatALayerNeedsGoesBeforeTheLayer(t *testing.T) {
	const people = "cluster: {identityProvider: {issuerUrl: 'https://login.example.com', clientId: acme}}"
	for reason, tc := range map[string]struct {
		typ    string
		fields []string
		other  func(*lifecycletest.Thing)
	}{
		"a cluster's identity provider": {
			"aws:eks/identityProviderConfig:IdentityProviderConfig", []string{people},
			func(thing *lifecycletest.Thing) { thing.Name = "somebody-elses" },
		},
		"the identity of a project's pods": {
			"aws:eks/podIdentityAssociation:PodIdentityAssociation", []string{"projects: [" + shop + "]"},
			func(thing *lifecycletest.Thing) { thing.Inputs["roleArn"] = "arn:aws:iam::999999999999:role/x" },
		},
	} {
		t.Run(reason, func(t *testing.T) {
			p := onboarded(t, tc.fields...)
			ours := p.world.Things(tc.typ)
			if len(ours) != 1 {
				t.Fatalf("the layer makes %d of %s, want one", len(ours), tc.typ)
			}
			p.world.Take(tc.typ, ours[0].ID)
			theirs := ours[0]
			theirs.ID, theirs.Inputs = "", maps.Clone(ours[0].Inputs)
			delete(theirs.Inputs, "tags")
			tc.other(&theirs)
			theirs.ID = p.world.Put(theirs)
			if _, err := p.copied(t).here().onboard(document(t, tc.fields...)); err == nil {
				t.Fatal("the layer was made although its place was taken")
			}
			out := must[event.Onboarding](t)(p.here().Onboard(t.Context(), document(t, tc.fields...), OnboardOptions{Prune: true}, nil))
			if len(out.Pruned) != 1 || out.Pruned[0].Type != tc.typ || out.Pruned[0].ID != theirs.ID {
				t.Errorf("it says that it removed %+v", out.Pruned)
			}
			if got := p.world.Things(tc.typ); len(got) != 1 || got[0].ID == theirs.ID {
				t.Errorf("after --prune there is %+v", got)
			}
		})
	}
}

// added puts an object into acme's cluster that no layer made.
func (p *place) added(typ, id string, inputs map[string]any) lifecycletest.Thing {
	p.t.Helper()
	thing := lifecycletest.Thing{Where: p.world.Things(clusterType)[0].ARN, Type: typ, ID: id, Name: id, Inputs: inputs, Outputs: map[string]any{}}
	thing.ID = p.world.Put(thing)
	return thing
}

func TestWhatSomebodyAddsToTheClusterIsListedAndRemovedOnlyWhenAsked(t *testing.T) {
	const rights, secret = "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "kubernetes:core/v1:Secret"
	p := onboarded(t)
	binding, stolen := p.added(rights, "mallory", nil), p.added(secret, "freehold-system/stolen", nil)
	doomed := p.added(projectType, "doomed", map[string]any{"spec": map[string]any{"deletionPolicy": "Delete"}})
	unmanaged := func(things ...lifecycletest.Thing) []finding.Finding {
		var out []finding.Finding
		for _, thing := range things {
			out = append(out, finding.Finding{Kind: finding.Unmanaged, Type: thing.Type, Name: thing.Name, ID: thing.ID, Message: "no layer declares it"})
		}
		return out
	}
	want := unmanaged(binding, stolen, doomed)

	found := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
	if diff := cmp.Diff(observed(want), observed(found.Findings)); diff != "" || !found.Drifted() || !found.Complete() {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	planned := must[event.Plan](t)(p.here().Plan(t.Context(), document(t), PlanOptions{}, nil))
	if len(planned.Prune) > 0 || planned.Different() {
		t.Errorf("a plan that was not asked for it: %v, %v", planned.Prune, planned.Changes)
	}
	planned = must[event.Plan](t)(p.here().Plan(t.Context(), document(t), PlanOptions{Prune: true}, nil))
	if diff := cmp.Diff(want, planned.Prune); diff != "" {
		t.Errorf("plan --prune (-want +got):\n%s", diff)
	}
	out := must[event.Onboarding](t)(p.here().onboard(document(t)))
	if diff := cmp.Diff(want, out.Unmanaged); diff != "" || !p.has(binding) || !p.has(stolen) {
		t.Errorf("onboard (-want +got):\n%s", diff)
	}

	whole := p.copied(t)
	pruner := whole.here()
	out = must[event.Onboarding](t)(pruner.Onboard(pruner.Context(), document(t), OnboardOptions{Prune: true}, nil))
	// A project whose namespace would go with it is for people to remove.
	if diff := cmp.Diff(unmanaged(doomed), out.Unmanaged); diff != "" || whole.has(binding) || whole.has(stolen) || !whole.has(doomed) {
		t.Errorf("onboard --prune (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(unmanaged(binding, stolen), out.Pruned); diff != "" || !out.Changed {
		t.Errorf("what onboard --prune says it removed, changed %v (-want +got):\n%s", out.Changed, diff)
	}
	for n, write := range pruner.Writes() {
		if write.What != "remove" {
			continue
		}
		again := p.copied(t)
		killed := again.here()
		killed.KillAfter(n + 1)
		_, _ = killed.Onboard(killed.Context(), document(t), OnboardOptions{Prune: true}, nil)
		must[event.Onboarding](t)(again.here().Onboard(t.Context(), document(t), OnboardOptions{Prune: true}, nil))
		if again.has(binding) || again.has(stolen) || !again.has(doomed) {
			t.Errorf("killed after %v: something is left, or too much is gone", write)
		}
	}
}

func TestAddedObjectsThatCannotBeListedAreNotNoDrift(t *testing.T) {
	p := onboarded(t)
	stray := p.stray("somebody-elses")
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Strays, Times: -1, Err: errors.New("no answer")})
	got := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
	// The account was listed all the same.
	want := []string{"unmanaged " + stray.Type + " " + stray.Name, "unreadable objects cluster"}
	if diff := cmp.Diff(want, observed(got.Findings)); diff != "" || got.Complete() {
		t.Errorf("drift (-want +got):\n%s", diff)
	}
	if _, err := p.here().onboard(document(t)); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("onboard says that nothing was added: %v", err)
	}
	if _, err := p.here().Plan(t.Context(), document(t), PlanOptions{Prune: true}, nil); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("plan --prune says that nothing was added: %v", err)
	}
}
