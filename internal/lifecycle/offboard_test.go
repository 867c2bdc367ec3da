package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/awstype"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/finding"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
)

const allRemoved = "removed removed removed removed"

func TestAPlanOfAnOffboardingListsTheLayersInTheOrderOfTheirRemoval(t *testing.T) {
	p := onboarded(t)
	proc := p.here()
	got := must[event.Offboarding](t)(proc.OffboardPlan(t.Context(), "acme", OffboardOptions{}))
	if diff := cmp.Diff([]string{"bootstrap done", "cluster done", "boundary done", "account done"}, layersOf(got.Layers)); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	if !got.AccountKept || got.AccountClosed || got.DataPlane.ClusterName != "freehold-acme" || got.Operation != "" {
		t.Errorf("%+v", got)
	}
	if got := proc.Writes(); len(got) > 0 {
		t.Errorf("it wrote: %v", got)
	}
	closes := onboarded(t, "account: {email: aws+acme@example.com, closeOnOffboarding: true}")
	if got := must[event.Offboarding](t)(closes.here().OffboardPlan(t.Context(), "acme", OffboardOptions{})); got.AccountKept {
		t.Error("the spec closes the account, and the plan keeps it")
	}
	guarded := onboarded(t, "deletionProtection: true")
	got, err := guarded.here().OffboardPlan(t.Context(), "acme", OffboardOptions{})
	if e := refused(t, err, ErrProtected, "deletionProtection is on"); !strings.Contains(e.Next, "deletionProtection: false") || len(got.Layers) != 4 {
		t.Errorf("next: %s; layers: %v", e.Next, layersOf(got.Layers))
	}
}

func TestOffboardRemovesTheLastLayerFirstAndNothingIsLeft(t *testing.T) {
	p := onboarded(t, "projects: ["+shop+"]")
	account := p.world.AccountOf("aws+acme@example.com")
	proc := p.here()
	out := must[event.Offboarding](t)(proc.offboard("acme"))
	if diff := cmp.Diff([]string{"bootstrap", "cluster", "boundary", "account"}, proc.began()); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bootstrap removed", "cluster removed", "boundary removed", "account removed"}, layersOf(out.Layers)); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	for _, thing := range p.world.Things("") {
		if thing.Where == account && !thing.ByCloud {
			t.Errorf("left in the account: %s %s", thing.Type, thing.Name)
		}
	}
	if !out.AccountClosed || !p.world.Closed(account) || len(out.Left) > 0 || out.Operation == "" {
		t.Errorf("%+v", out)
	}
	o, layers := p.org("acme")
	for l, rec := range layers {
		if rec.Outputs != nil || rec.Resources != 0 {
			t.Errorf("layer %s still has %+v", l, rec)
		}
	}
	if o.State != dataplane.OrgOffboarded {
		t.Errorf("the org is %s", o.State)
	}

	again := p.here()
	out = must[event.Offboarding](t)(again.offboard("acme"))
	if slices.ContainsFunc(again.Writes(), func(w lifecycletest.Write) bool { return w.To != "registry" }) {
		t.Errorf("an org that is gone was touched once more: %v", again.Writes())
	}
	if diff := cmp.Diff([]string{"bootstrap removed", "cluster removed", "boundary removed", "account removed"}, layersOf(out.Layers)); diff != "" {
		t.Errorf("layers, the second time (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Repeat([]event.Type{event.OperationSucceeded}, 3), p.ends("acme")); diff != "" {
		t.Errorf("ends (-want +got):\n%s", diff)
	}
}

func TestTheAccountIsClosedOrKeptAsTheOperatorSaysAndElseAsTheSpecSays(t *testing.T) {
	const vended, closes = "account: {email: aws+acme@example.com}", "account: {email: aws+acme@example.com, closeOnOffboarding: true}"
	for _, tc := range []struct {
		spec   string
		opts   OffboardOptions
		closed bool
	}{
		{vended, OffboardOptions{}, false},
		{vended, OffboardOptions{CloseAccount: true}, true},
		{vended, OffboardOptions{KeepAccount: true}, false},
		{closes, OffboardOptions{}, true},
		{closes, OffboardOptions{CloseAccount: true}, true},
		{closes, OffboardOptions{KeepAccount: true}, false},
	} {
		t.Run(fmt.Sprintf("%s %+v", tc.spec, tc.opts), func(t *testing.T) {
			p := onboarded(t, tc.spec)
			account := p.world.AccountOf("aws+acme@example.com")
			planned := must[event.Offboarding](t)(p.here().OffboardPlan(t.Context(), "acme", tc.opts))
			if planned.AccountClosed != tc.closed || planned.AccountKept == tc.closed {
				t.Errorf("planned: closed %t, kept %t", planned.AccountClosed, planned.AccountKept)
			}
			out := must[event.Offboarding](t)(p.here().Offboard(t.Context(), "acme", tc.opts, nil))
			if out.AccountClosed != tc.closed || out.AccountKept == tc.closed {
				t.Errorf("reported: closed %t, kept %t", out.AccountClosed, out.AccountKept)
			}
			if got := p.world.Closed(account); got != tc.closed {
				t.Errorf("the account is closed: %t, want %t", got, tc.closed)
			}
			// Later, nobody reaches the account any more, and what was done is what is reported.
			for _, opts := range []OffboardOptions{{}, {CloseAccount: true}, {KeepAccount: true}} {
				again := must[event.Offboarding](t)(p.here().Offboard(t.Context(), "acme", opts, nil))
				if again.AccountClosed != tc.closed || again.AccountKept == tc.closed || p.world.Closed(account) != tc.closed {
					t.Errorf("once more, with %+v: closed %t, kept %t", opts, again.AccountClosed, again.AccountKept)
				}
			}
		})
	}
}

// The engine closes an account whose state says so, whatever anybody says later.
func TestAnAccountThatIsToBeKeptIsOpenWheneverTheRunIsKilled(t *testing.T) {
	start := onboarded(t, "account: {email: aws+acme@example.com, closeOnOffboarding: true}")
	keep := func(p *process) (event.Offboarding, error) {
		return p.Offboard(p.Context(), "acme", OffboardOptions{KeepAccount: true}, nil)
	}
	whole := start.copied(t).here()
	must[event.Offboarding](t)(keep(whole))
	total := len(whole.Writes())
	for n := 1; n < total; n++ {
		if n > 16 && n < total-24 {
			continue // between the two ends, the account is not concerned
		}
		p := start.copied(t)
		killed := p.here()
		killed.KillAfter(n)
		if _, err := keep(killed); err == nil {
			t.Fatalf("it was not killed after %d writes", n)
		}
		out := must[event.Offboarding](t)(keep(p.here()))
		if !out.AccountKept || p.world.Closed(p.world.AccountOf("aws+acme@example.com")) || len(p.world.Things(accountType)) != 1 || p.states("acme") != allRemoved {
			t.Fatalf("killed after %d writes, %s: kept %t, layers %s", n, whole.Writes()[n-1], out.AccountKept, p.states("acme"))
		}
	}
}

func TestAnAccountWhoseClosingHasBegunIsNotKept(t *testing.T) {
	p := onboarded(t, "account: {email: aws+acme@example.com, closeOnOffboarding: true}")
	p.world.Fail(lifecycletest.Fault{On: lifecycletest.Destroy, Layer: plan.LayerAccount, Made: 1, Err: errors.New("no")})
	if _, err := p.here().Offboard(t.Context(), "acme", OffboardOptions{}, nil); err == nil {
		t.Fatal("the fault was not met")
	}
	_, err := p.here().Offboard(t.Context(), "acme", OffboardOptions{KeepAccount: true}, nil)
	if e := refused(t, err, ErrInvalid, "the removal of the account has begun"); !strings.Contains(e.Next, "without --keep-account") {
		t.Errorf("next: %s", e.Next)
	}
	if out := must[event.Offboarding](t)(p.here().Offboard(t.Context(), "acme", OffboardOptions{}, nil)); !out.AccountClosed {
		t.Errorf("%+v", out)
	}
}

func TestAnAccountThatTheCustomerBroughtIsGivenBackOpen(t *testing.T) {
	p := newPlace(t)
	const id, role = "210987654321", "arn:aws:iam::210987654321:role/in"
	p.world.BringAccount(id, role, "0123456789abcdef")
	doc := document(t, "account: {mode: existing, roleArn: '"+role+"', externalId: 0123456789abcdef}")
	must[event.Onboarding](t)(p.here().onboard(doc))
	planned := must[event.Offboarding](t)(p.here().OffboardPlan(t.Context(), "acme", OffboardOptions{CloseAccount: true}))
	out := must[event.Offboarding](t)(p.here().offboard("acme"))
	if out.AccountClosed || !out.AccountKept || !planned.AccountKept || p.world.Closed(id) {
		t.Errorf("--close-account closed an account that is not ours: %+v", out)
	}
	for _, thing := range p.world.Things("") {
		if thing.Where == id {
			t.Errorf("left in it: %s %s", thing.Type, thing.Name)
		}
	}
	must[event.Onboarding](t)(p.here().onboard(doc))
}

// The policies that docs/aws.md has a customer attach are its way to let us in:
// no layer declares them, and removing them would lock us out.
func TestTheWayIntoABroughtAccountIsNamedAndLeft(t *testing.T) {
	p := newPlace(t)
	const id, role = "210987654321", "arn:aws:iam::210987654321:role/freehold-access"
	p.world.BringAccount(id, role, "0123456789abcdef")
	doc := document(t, "account: {mode: existing, roleArn: '"+role+"', externalId: 0123456789abcdef}")
	const policies = "arn:aws:iam::210987654321:policy/"
	for _, thing := range []lifecycletest.Thing{
		{Type: awstype.IAMRole, ID: "freehold-access", Name: "freehold-access", ARN: role, ByCloud: true},
		{Type: awstype.IAMRoleAttachment, ID: "freehold-access/" + policies + "onboarding-access-role", ByCloud: true},
		{Type: awstype.IAMRolePolicy, ID: "freehold-access:more", Name: "more", ByCloud: true},
		{Type: awstype.IAMPolicy, ID: policies + "onboarding-access-role", ARN: policies + "onboarding-access-role", ByCloud: true},
		// It lets somebody else in as well.
		{Type: awstype.IAMPolicy, ID: policies + "shared", Name: "shared", ARN: policies + "shared"},
	} {
		thing.Where, thing.WayIn = id, true
		p.world.Put(thing)
	}
	want := &finding.WayIn{Role: role, Policies: []string{policies + "onboarding-access-role", "inline more"}}

	onboarding := must[event.Onboarding](t)(p.here().Onboard(t.Context(), doc, OnboardOptions{Prune: true}, nil))
	drifted := must[event.Drift](t)(p.here().Drift(t.Context(), "acme", nil))
	for what, found := range map[string][]finding.Finding{"pruned": onboarding.Unmanaged, "drift": drifted.Findings} {
		if diff := cmp.Diff([]string{"unmanaged " + awstype.IAMPolicy + " shared"}, observed(found)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	if diff := cmp.Diff(want, drifted.WayIn); diff != "" {
		t.Errorf("drift names (-want +got):\n%s", diff)
	}
	before := len(p.world.Things(""))
	if out, err := p.here().offboard("acme"); err == nil || len(out.Left) != 1 {
		t.Errorf("offboarded with somebody else's policy in the account: %+v, %v", out.Left, err)
	}
	p.world.Take(awstype.IAMPolicy, policies+"shared")
	out := must[event.Offboarding](t)(p.here().offboard("acme"))
	if diff := cmp.Diff(want, out.WayIn); diff != "" || len(out.Left) > 0 {
		t.Errorf("left %v; offboard names (-want +got):\n%s", out.Left, diff)
	}
	if got := p.world.Things(""); len(got) != 4 || before < 5 {
		t.Errorf("of the way in there is left: %v", got)
	}
}

func TestAnAccountWithSomethingInItIsNotLetGo(t *testing.T) {
	p := onboarded(t)
	stray := p.stray("somebody-elses")
	out, err := p.here().offboard("acme")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Layer != "account" || !strings.Contains(err.Error(), "is not empty: 1 things that no layer made") {
		t.Fatalf("got %v", err)
	}
	want := []finding.Finding{{Kind: finding.Unmanaged, Type: stray.Type, Name: stray.Name, ID: stray.ID, Message: "no layer declares it"}}
	if diff := cmp.Diff(want, out.Left); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"bootstrap removed", "cluster removed", "boundary removed", "account failed"}, layersOf(out.Layers)); diff != "" {
		t.Errorf("layers (-want +got):\n%s", diff)
	}
	if out.AccountClosed || p.world.Closed(out.DataPlane.AccountID) || !p.has(stray) {
		t.Errorf("the account was closed over what is in it: %+v", out)
	}
	if o, _ := p.org("acme"); o.State != dataplane.OrgOffboarding {
		t.Errorf("the org is %s", o.State)
	}
	p.world.Take(stray.Type, stray.ID)
	out = must[event.Offboarding](t)(p.here().offboard("acme"))
	if !out.AccountClosed || len(out.Left) > 0 || p.states("acme") != allRemoved {
		t.Errorf("%+v; layers: %s", out, p.states("acme"))
	}
}

func TestAnOffboardingThatFailsAnywhereIsGoneOnWith(t *testing.T) {
	start := onboarded(t, "projects: ["+shop+"]")
	faults := map[string]lifecycletest.Fault{
		"the account is not closed":      {On: lifecycletest.CloseAccount, Err: errors.New("no")},
		"the cluster stays protected":    {On: lifecycletest.ProtectCluster, Err: errors.New("no")},
		"the cluster cannot be reached":  {On: lifecycletest.Kubeconfig, Err: errors.New("no")},
		"the account cannot be listed":   {On: lifecycletest.Inventory, Err: errors.New("no")},
		"a state cannot be looked at":    {On: lifecycletest.State, Layer: plan.LayerBoundary, Err: errors.New("no")},
		"a backend does not answer once": {On: lifecycletest.Stat, Layer: plan.LayerCluster, Skip: 1, Err: errors.New("no")},
	}
	for _, l := range plan.Layers() {
		for _, made := range []int{0, 1, -1} {
			faults[fmt.Sprintf("layer %s stops after %d", l, made)] = lifecycletest.Fault{On: lifecycletest.Destroy, Layer: l, Made: made, Err: errors.New("no")}
		}
	}
	for reason, fault := range faults {
		t.Run(reason, func(t *testing.T) {
			p := start.copied(t)
			p.world.Fail(fault)
			out, err := p.here().offboard("acme")
			if err == nil {
				t.Fatal("the fault was not met")
			}
			last := out.Layers[len(out.Layers)-1]
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Layer != last.Layer || e.Next == "" || last.State != dataplane.Failed || last.Error != err.Error() {
				t.Errorf("%v, and of its layer: %+v", err, last)
			}
			if o, _ := p.org("acme"); o.State != dataplane.OrgOffboarding {
				t.Errorf("the org is %s", o.State)
			}
			out = must[event.Offboarding](t)(p.here().offboard("acme"))
			if !out.AccountClosed || !p.world.Closed(p.world.AccountOf("aws+acme@example.com")) || p.states("acme") != allRemoved {
				t.Errorf("the second time: %+v; layers: %s", out, p.states("acme"))
			}
		})
	}
}

// What an interrupted offboarding has removed can be made anew instead.
func TestAnOrgIsOnboardedAgainAfterHalfAnOffboarding(t *testing.T) {
	for _, l := range plan.Layers() {
		t.Run(string(l), func(t *testing.T) {
			p := onboarded(t)
			p.world.Fail(lifecycletest.Fault{On: lifecycletest.Destroy, Layer: l, Err: errors.New("no")})
			if _, err := p.here().Offboard(t.Context(), "acme", OffboardOptions{}, nil); err == nil {
				t.Fatal("the fault was not met")
			}
			must[event.Onboarding](t)(p.here().onboard(document(t)))
			if got := p.states("acme"); got != allDone || len(p.world.Things(clusterType)) != 1 {
				t.Errorf("layers %s, clusters %v", got, p.world.Things(clusterType))
			}
		})
	}
}

func TestOffboardIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	p := onboarded(t)
	_, err := p.stranger().offboard("acme")
	refused(t, err, ErrInvalid, "the org was onboarded from account")
	err = p.here().holding(t, "acme", func(_ context.Context, _ *run) error {
		_, err := p.start(lifecycletest.Machine{Name: "b"}).offboard("acme")
		return err
	})
	refused(t, err, ErrBusy, "another operation holds")

	// Whether an account that was never finished is empty, nobody can look up.
	half := newPlace(t)
	half.world.Fail(lifecycletest.Fault{On: lifecycletest.Up, Layer: plan.LayerAccount, Made: 2, Err: errors.New("no")})
	if _, err := half.here().onboard(document(t)); err == nil {
		t.Fatal("the fault was not met")
	}
	_, err = half.here().offboard("acme")
	if e := refused(t, err, ErrInvalid, "it is unknown whether its account is empty"); !strings.Contains(e.Next, "freehold onboard once more") {
		t.Errorf("next: %s", e.Next)
	}
	if half.world.Closed(half.world.AccountOf("aws+acme@example.com")) {
		t.Error("the account was closed all the same")
	}
}
