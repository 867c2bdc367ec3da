package dataplane_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/dataplane"
	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/internal/registry"
	"freehold.dev/freehold/stacks"
)

func TestADataPlaneSurvivesJSON(t *testing.T) {
	d := whole(planOf(t, "acme", region, vended, "projects: [{name: shop}]"))
	text, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var read dataplane.DataPlane
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d, read); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func TestAnotherRecordOfALayerLeavesTheFirstValueAlone(t *testing.T) {
	before := of(vendedPlan(t), made(plan.LayerAccount))
	after := before.With(registry.Layer{Layer: "account", State: dataplane.Removed})
	if before.Outputs(plan.LayerAccount) == nil || after.Outputs(plan.LayerAccount) != nil {
		t.Errorf("before %v, after %v", before.Layer(plan.LayerAccount), after.Layer(plan.LayerAccount))
	}
	var empty dataplane.DataPlane
	if got := empty.With(made(plan.LayerAccount)); !got.Made(plan.LayerAccount) || empty.Layers != nil {
		t.Errorf("with a first record: %v, and the empty one %v", got.Layers, empty.Layers)
	}
}

func TestWhatIsRecordedOfAnOrgIsReadBack(t *testing.T) {
	d := whole(vendedPlan(t))
	o, err := d.Record(dataplane.OrgReady)
	if err != nil {
		t.Fatal(err)
	}
	p, err := dataplane.Recorded(o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(d.Plan, p); diff != "" {
		t.Errorf("plan (-recorded +read):\n%s", diff)
	}
	o.Plan = nil
	want := registry.Org{Org: "acme", State: "ready", Hash: d.Plan.Hash, HashVersion: d.Plan.HashVersion, Management: management}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("org (-want +got):\n%s", diff)
	}
	if _, err := dataplane.Recorded(registry.Org{Org: "acme", Plan: []byte("{")}); err == nil {
		t.Error("a plan that is cut off was read")
	}
}

func TestWhatALayerGaveOutCountsUntilItIsRemoved(t *testing.T) {
	for reason, tc := range map[string]struct {
		rec        registry.Layer
		gave, made bool
	}{
		"never made":                      {registry.Layer{}, false, false},
		"done":                            {made(plan.LayerAccount), true, true},
		"failed after it was done once":   {registry.Layer{State: dataplane.Failed, Made: true, Outputs: outputs[plan.LayerAccount]}, true, true},
		"failed before anything was made": {registry.Layer{State: dataplane.Failed}, false, false},
		"being made":                      {registry.Layer{State: dataplane.Making, Made: true}, false, true},
		"being removed":                   {registry.Layer{State: dataplane.Removing, Made: true, Outputs: outputs[plan.LayerAccount]}, true, true},
		"removed":                         {registry.Layer{State: dataplane.Removed, Made: true, Outputs: outputs[plan.LayerAccount]}, false, false},
	} {
		t.Run(reason, func(t *testing.T) {
			tc.rec.Layer = "account"
			d := of(vendedPlan(t), tc.rec)
			if got := d.Outputs(plan.LayerAccount) != nil; got != tc.gave {
				t.Errorf("gave something out: %v, want %v", got, tc.gave)
			}
			if got := d.Made(plan.LayerAccount); got != tc.made {
				t.Errorf("made: %v, want %v", got, tc.made)
			}
		})
	}
}

func TestAnOrgHasAnAccountOnceOneMayHaveBeenMade(t *testing.T) {
	begun := func(l plan.Layer) registry.Layer {
		return registry.Layer{Layer: string(l), State: dataplane.Failed, Made: true, Unclean: true}
	}
	nothing := of(vendedPlan(t))
	for reason, tc := range map[string]struct {
		d    dataplane.DataPlane
		want bool
	}{
		"nothing was begun":                      {nothing, false},
		"the account layer is done":              {of(vendedPlan(t), made(plan.LayerAccount)), true},
		"policies were made, and no account":     {of(vendedPlan(t), begun(plan.LayerAccount)).WithBegun(plan.LayerAccount, []string{"aws:organizations/policy:Policy"}), false},
		"an account was begun":                   {of(vendedPlan(t), begun(plan.LayerAccount)).WithBegun(plan.LayerAccount, []string{"aws:organizations/account:Account"}), true},
		"an account was begun, and it was not":   {nothing.WithBegun(plan.LayerAccount, []string{"aws:organizations/account:Account"}).WithBegun(plan.LayerAccount, nil), false},
		"something was made in the account":      {of(vendedPlan(t), begun(plan.LayerBoundary)), true},
		"everything was removed":                 {of(vendedPlan(t), registry.Layer{Layer: "account", State: dataplane.Removed, Made: true}), false},
		"an account of its own, with nothing in": {of(planOf(t, "acme", region, brought), begun(plan.LayerAccount)), false},
		"an account of its own, with roles in":   {of(planOf(t, "acme", region, brought), begun(plan.LayerBoundary)), true},
	} {
		if got := tc.d.HasAccount(); got != tc.want {
			t.Errorf("%s: %v, want %v", reason, got, tc.want)
		}
	}
	if nothing.Begun != nil {
		t.Errorf("the first value was changed: %v", nothing.Begun)
	}
}

func TestTheWaysIntoAnOrg(t *testing.T) {
	d := whole(vendedPlan(t))
	access := cloud.Account{ID: account, Region: "eu-west-1", RoleARN: "arn:aws:iam::" + account + ":role/OrganizationAccountAccessRole"}
	if got, err := d.Account(); err != nil || got != access {
		t.Errorf("account: %+v, %v", got, err)
	}
	if got, err := d.Works(plan.LayerCluster); err != nil || got != access {
		t.Errorf("the cluster layer works in %+v, %v", got, err)
	}
	if got, err := d.Works(plan.LayerAccount); err != nil || got != (cloud.Account{Region: "eu-west-1"}) {
		t.Errorf("the account layer works in %+v, %v", got, err)
	}
	want := cloud.Cluster{
		Account: cloud.Account{
			ID: account, Region: "eu-west-1", RoleARN: "arn:aws:iam::" + account + ":role/freehold-acme-provision",
			ExternalID: d.Plan.Boundary.ExternalID,
		},
		Name: "freehold-acme", ARN: "arn:aws:eks:eu-west-1:" + account + ":cluster/freehold-acme", Endpoint: "https://acme.eks", CA: "Q0E=",
	}
	if got, err := d.Cluster(); err != nil || got != want {
		t.Errorf("cluster: %+v, %v", got, err)
	}
	own := of(planOf(t, "acme", region, brought)).Brought()
	if own != (cloud.Account{ID: account, Region: "eu-west-1", RoleARN: "arn:aws:iam::" + account + ":role/in", ExternalID: "0123456789abcdef"}) {
		t.Errorf("the account that the org brings: %+v", own)
	}
	for _, missing := range []plan.Layer{plan.LayerAccount, plan.LayerBoundary, plan.LayerCluster} {
		if _, err := d.With(registry.Layer{Layer: string(missing)}).Cluster(); !errors.Is(err, dataplane.ErrNotReady) {
			t.Errorf("a cluster without layer %s: %v", missing, err)
		}
	}
	if _, err := of(vendedPlan(t)).Account(); !errors.Is(err, dataplane.ErrNotReady) {
		t.Errorf("an account that is not made: %v", err)
	}
}

func TestALayerRunsOnWhatTheLayersBeforeItGaveOut(t *testing.T) {
	d := whole(vendedPlan(t))
	in, err := d.Input(plan.LayerBootstrap, "kubeconfig")
	if err != nil {
		t.Fatal(err)
	}
	boot, ok := in.(stacks.BootstrapIn)
	if !ok || boot.Kubeconfig != "kubeconfig" || boot.Cluster.VPCID != "vpc-1" || boot.Account.AccountID != account || boot.Boundary.DataKeyARN == "" {
		t.Errorf("bootstrap runs on %+v", in)
	}
	first, err := of(vendedPlan(t)).Input(plan.LayerAccount, "")
	if err != nil {
		t.Fatal(err)
	}
	want := stacks.AccountIn{Plan: d.Plan.Account, ManagementAccountID: management, ProvisionerARN: caller.ARN}
	if diff := cmp.Diff(want, first); diff != "" {
		t.Errorf("account (-want +got):\n%s", diff)
	}
	layers := plan.Layers()
	for i, l := range layers[1:] {
		before := layers[i]
		if _, err := d.With(registry.Layer{Layer: string(before)}).Input(l, ""); !errors.Is(err, dataplane.ErrNotReady) {
			t.Errorf("layer %s without %s: %v", l, before, err)
		}
		if _, err := d.Input(l, ""); err != nil {
			t.Errorf("layer %s: %v", l, err)
		}
	}
	if _, err := d.Input("attic", ""); err == nil {
		t.Error("a layer that does not exist has an input")
	}
	broken := d.With(registry.Layer{Layer: "account", State: dataplane.Done, Outputs: map[string]any{"accountId": ""}})
	if _, err := broken.Input(plan.LayerBoundary, ""); err == nil || errors.Is(err, dataplane.ErrNotReady) {
		t.Errorf("outputs with a hole in them: %v", err)
	}
}

func TestAScopeSaysWhoseALayersResourcesAre(t *testing.T) {
	d := whole(planOf(t, "acme", region, vended))
	got, err := d.Scope(plan.LayerCluster)
	if err != nil {
		t.Fatal(err)
	}
	if got.Org != "acme" || got.AccountID != account || got.ManagementAccountID != management ||
		got.BoundaryARN != "arn:aws:iam::"+account+":policy/freehold-acme-boundary" || got.Registry != account+".dkr.ecr.eu-west-1.amazonaws.com" {
		t.Errorf("scope of the cluster layer: %+v", got)
	}
	for _, own := range got.Owned {
		if own == "vpc-1" {
			t.Error("a layer owns what it made itself by its own outputs")
		}
	}
	made, err := dataplane.Decode[stacks.ClusterOut](d, plan.LayerCluster)
	if err != nil || made.Endpoint == "" || !slices.Contains(got.Owned, made.Endpoint) {
		t.Errorf("the cluster layer does not know its own cluster's endpoint %q (%v)", made.Endpoint, err)
	}
	nothing, err := of(vendedPlan(t)).Scope(plan.LayerAccount)
	if err != nil || nothing.AccountID != "" || nothing.BoundaryARN != "" {
		t.Errorf("before anything is made: %+v, %v", nothing, err)
	}
	own, err := of(planOf(t, "acme", region, brought)).Scope(plan.LayerAccount)
	if err != nil || own.AccountID != account || own.AccessRoleARN != "arn:aws:iam::"+account+":role/in" ||
		own.Registry != account+".dkr.ecr.eu-west-1.amazonaws.com" {
		t.Errorf("an account that the org brings is known before anything is made: %+v, %v", own, err)
	}
}

func TestASummaryShowsWhatIsMade(t *testing.T) {
	got := whole(vendedPlan(t)).Summary()
	want := event.DataPlane{
		Org: "acme", Region: "eu-west-1", AccountID: account, BoundaryARN: "arn:aws:iam::" + account + ":policy/freehold-acme-boundary",
		VPCID: "vpc-1", CIDR: "10.0.0.0/16", ClusterName: "freehold-acme", ClusterARN: "arn:aws:eks:eu-west-1:" + account + ":cluster/freehold-acme",
		ClusterEndpoint: "https://acme.eks", OIDCIssuer: "https://issuer/acme", DataKeyARN: "arn:aws:kms:eu-west-1:" + account + ":key/1",
		Projects: []string{"shop"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(event.DataPlane{Org: "acme", Region: "eu-west-1"}, of(vendedPlan(t)).Summary()); diff != "" {
		t.Errorf("before anything is made (-want +got):\n%s", diff)
	}
}

func TestAResultIsALayersRecord(t *testing.T) {
	d := of(vendedPlan(t), registry.Layer{Layer: "cluster", State: dataplane.Failed, Resources: 3, Duration: 5, Error: "no room"})
	want := []event.LayerResult{
		{Layer: "account", Stack: "acme.account", State: dataplane.NotStarted},
		{Layer: "cluster", Stack: "acme.cluster", State: dataplane.Failed, Resources: 3, Duration: 5, Error: "no room"},
	}
	if diff := cmp.Diff(want, []event.LayerResult{d.Result(plan.LayerAccount), d.Result(plan.LayerCluster)}); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
