package lifecycletest_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/api/v1alpha1"
	"freehold.dev/freehold/internal/cloud"
	"freehold.dev/freehold/internal/lifecycle/lifecycletest"
	"freehold.dev/freehold/internal/plan"
	"freehold.dev/freehold/stacks"
)

// cluster reaches the org's cluster as the provision role.
func (d *dataPlane) cluster() cloud.Cluster {
	a := d.account()
	a.RoleARN, a.ExternalID = decode[stacks.BoundaryOut](d, plan.LayerBoundary).ProvisionRoleARN, d.plan.Boundary.ExternalID
	c := decode[stacks.ClusterOut](d, plan.LayerCluster)
	return cloud.Cluster{Account: a, Name: c.Name, ARN: c.ARN}
}

func (d *dataPlane) readRole() string {
	return decode[stacks.BoundaryOut](d, plan.LayerBoundary).ReadRoleARN
}

func client(t *testing.T, kubeconfig []byte) dynamic.ResourceInterface {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	c, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c.Resource(v1alpha1.GroupVersion.WithResource("projects"))
}

// list reads the projects of a cluster, as lifecycle does.
func list(t *testing.T, kubeconfig []byte) ([]v1alpha1.Project, error) {
	t.Helper()
	all, err := client(t, kubeconfig).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	out := make([]v1alpha1.Project, len(all.Items))
	for i := range all.Items {
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(all.Items[i].Object, &out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return out, nil
}

func TestAnAccountIsUsableAsItsProbesSay(t *testing.T) {
	w := lifecycletest.New()
	d := on(t, start(t, w, "a"), acme(t))
	if _, err := d.up(plan.LayerAccount); err != nil {
		t.Fatal(err)
	}
	w.SetProbes(false, true, false, true)
	for i, want := range []bool{false, true, false, true, true} {
		err := d.p.Cloud().Usable(t.Context(), d.account())
		if errors.Is(err, cloud.ErrNotUsable) == want || want && err != nil {
			t.Errorf("probe %d: %v", i, err)
		}
		if i == 1 {
			// One clean read says nothing about the next moment.
			if _, err := d.up(plan.LayerBoundary); err == nil {
				t.Error("the next layer runs in an account that flaps")
			}
		}
	}
	if _, err := d.up(plan.LayerBoundary); err != nil {
		t.Error(err)
	}
}

func TestNobodyGetsIntoAnAccountWithoutARoleThatLetsThemIn(t *testing.T) {
	w, d := made(t, acme(t))
	w.BringAccount("222222222222", "arn:aws:iam::222222222222:role/freehold", "secret")
	way := d.account()
	provision := d.cluster().Account
	for reason, tc := range map[string]struct {
		account cloud.Account
		want    bool
	}{
		"by the access role":                        {way, true},
		"by a phase role":                           {provision, true},
		"by a phase role without its external id":   {cloud.Account{ID: way.ID, RoleARN: provision.RoleARN}, false},
		"by no role":                                {cloud.Account{ID: way.ID}, false},
		"by a role that is not there":               {cloud.Account{ID: way.ID, RoleARN: way.RoleARN + "x"}, false},
		"by the customer's role":                    {cloud.Account{ID: "222222222222", RoleARN: "arn:aws:iam::222222222222:role/freehold", ExternalID: "secret"}, true},
		"by the customer's role and another secret": {cloud.Account{ID: "222222222222", RoleARN: "arn:aws:iam::222222222222:role/freehold", ExternalID: "no"}, false},
	} {
		if _, err := d.p.Cloud().Inventory(t.Context(), tc.account); (err == nil) != tc.want {
			t.Errorf("%s: %v", reason, err)
		}
	}
	if err := d.p.Cloud().CloseAccount(t.Context(), way.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.p.Cloud().Inventory(t.Context(), way); err == nil || !w.Closed(way.ID) {
		t.Errorf("into a closed account: %v", err)
	}
	if err := d.p.Cloud().CloseAccount(t.Context(), way.ID); err != nil {
		t.Errorf("closed twice: %v", err)
	}
}

func TestTheCloudRefusesToRemoveWhatIsInUse(t *testing.T) {
	w, d := made(t, acme(t))
	c, a := d.p.Cloud(), d.account()
	vpc := w.Things("aws:ec2/vpc:Vpc")[0]
	w.Put(lifecycletest.Thing{Where: a.ID, Type: "aws:ec2/securityGroup:SecurityGroup", Name: "of a balancer", With: vpc.ID, ByWorkload: true})
	if err := c.ProtectCluster(t.Context(), d.cluster(), true); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ typ, says string }{
		{"aws:ec2/vpc:Vpc", "DependencyViolation"},
		{addresses, "DependencyViolation"},
		{clusters, "deletion protection"},
	} {
		th := w.Things(tc.typ)[0]
		if err := c.Remove(t.Context(), a, cloud.Item{Type: th.Type, ID: th.ID}); err == nil || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.typ, err)
		}
	}
	if err := c.ProtectCluster(t.Context(), d.cluster(), false); err != nil {
		t.Fatal(err)
	}
	if err := c.Remove(t.Context(), a, cloud.Item{Type: clusters, ID: d.plan.Cluster.Name}); err != nil {
		t.Error(err)
	}
	if n := len(w.Things(projects)); n != 0 {
		t.Errorf("%d projects outlive their cluster", n)
	}
	// What the cloud made of itself goes with what it made it for.
	if n := len(w.Things("aws:ec2/securityGroup:SecurityGroup")); n != 2 {
		t.Errorf("%d security groups", n)
	}
}

func TestAClusterHasRoomForOneIdentityProvider(t *testing.T) {
	people := acme(t, `cluster: {identityProvider: {issuerUrl: "https://login.example.com", clientId: kubernetes}}`)
	w, d := made(t, acme(t))
	id := w.Put(lifecycletest.Thing{
		Where: d.account().ID, Type: "aws:eks/identityProviderConfig:IdentityProviderConfig", ID: d.plan.Cluster.Name + ":theirs", Name: "theirs",
		Inputs: map[string]any{"clusterName": d.plan.Cluster.Name},
	})
	d.plan = people
	if _, err := d.up(plan.LayerCluster); err == nil || !strings.Contains(err.Error(), "ResourceLimitExceeded") {
		t.Fatalf("a second one: %v", err)
	}
	if err := d.p.Cloud().Remove(t.Context(), d.account(), cloud.Item{Type: "aws:eks/identityProviderConfig:IdentityProviderConfig", ID: id}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.up(plan.LayerCluster); err != nil {
		t.Errorf("once it is gone: %v", err)
	}
}

func TestWhatNobodyDeclaresIsInTheInventory(t *testing.T) {
	w, d := made(t, acme(t))
	w.Put(lifecycletest.Thing{Where: d.account().ID, Type: roles, ID: "by-hand", Name: "by-hand"})
	w.Put(lifecycletest.Thing{Where: d.account().ID, Type: "aws:ebs/volume:Volume", Name: "data", ByWorkload: true})
	items, err := d.p.Cloud().Inventory(t.Context(), d.account())
	if err != nil {
		t.Fatal(err)
	}
	var hand, workload, aws int
	for _, it := range items {
		switch {
		case it.ByCloud:
			aws++
		case it.ByWorkload:
			workload++
		case it.ID == "by-hand":
			hand++
		}
	}
	if got := []int{hand, workload, aws}; !slices.Equal(got, []int{1, 1, 2}) {
		t.Errorf("by hand, by workloads, by AWS: %v", got)
	}
}

func TestQuotasCountWhatIsUsed(t *testing.T) {
	w, d := made(t, acme(t))
	w.SetQuota(addresses, 5)
	qs, err := d.p.Cloud().Quotas(t.Context(), d.account())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(qs, func(q cloud.Quota) bool { return q.Type == addresses })
	if i < 0 || qs[i].Limit != 5 || qs[i].Used != 1 {
		t.Errorf("got %+v", qs)
	}
}

func TestProjectsAreReadAndRemovedInTheirCluster(t *testing.T) {
	pl := acme(t)
	pl.Bootstrap.Projects[0].DeletionPolicy = "Delete"
	w, d := made(t, pl)
	kubeconfig, err := d.p.Cloud().Kubeconfig(t.Context(), d.cluster(), d.readRole())
	if err != nil {
		t.Fatal(err)
	}
	w.KeepBusy(1)
	for i, want := range []v1alpha1.Phase{v1alpha1.PhasePending, v1alpha1.PhaseReady} {
		all, err := list(t, kubeconfig)
		if err != nil || len(all) != 1 || all[0].Status.Phase != want || all[0].Name != "shop" {
			t.Errorf("look %d: %+v, %v", i, all, err)
		}
	}
	c := client(t, kubeconfig)
	if err := c.Delete(t.Context(), "shop", metav1.DeleteOptions{}); err == nil {
		t.Error("it goes with its namespace, and nobody has confirmed that")
	}
	patch := []byte(`{"metadata":{"annotations":{"` + v1alpha1.AnnotationConfirmDelete + `":"shop"}}}`)
	if _, err := c.Patch(t.Context(), "shop", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Delete(t.Context(), "shop", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, n := range w.Things(spaces) {
		if n.Name == "shop" {
			t.Error("its namespace is still there")
		}
	}
}

func TestANamespaceIsKeptUnlessItsProjectSaysOtherwise(t *testing.T) {
	w, d := made(t, acme(t))
	d.plan.Bootstrap.Projects = nil
	if _, err := d.up(plan.LayerBootstrap); err != nil {
		t.Fatal(err)
	}
	kept := slices.ContainsFunc(w.Things(spaces), func(n lifecycletest.Thing) bool { return n.Name == "shop" })
	if !kept || len(w.Things(projects)) != 0 {
		t.Errorf("the namespace is kept: %t", kept)
	}
}

func TestACopyIsAWorldOfItsOwn(t *testing.T) {
	w, d := made(t, acme(t))
	c := w.Copy()
	lifecycletest.Same(t, w, c)
	other := on(t, start(t, c, "a"), d.plan)
	other.outs = d.outs
	if _, err := other.p.Engine().Destroy(t.Context(), other.stack(plan.LayerBootstrap), nil); err != nil {
		t.Fatal(err)
	}
	if len(w.Things(projects)) != 1 || len(c.Things(projects)) != 0 {
		t.Error("what was done to the copy was done to both")
	}
}

func TestWorldsWithOtherIdsLookTheSameAndWithOtherThingsDoNot(t *testing.T) {
	a, _ := made(t, acme(t))
	b := lifecycletest.New()
	b.Put(lifecycletest.Thing{Type: "aws:ec2/vpc:Vpc"}) // uses up an id
	for _, th := range b.Things("") {
		b.Take(th.Type, th.ID)
	}
	d := on(t, start(t, b, "a"), acme(t))
	if err := d.make(false); err != nil {
		t.Fatal(err)
	}
	if x, y := a.Things(clusters)[0].Outputs["endpoint"], b.Things(clusters)[0].Outputs["endpoint"]; x == y {
		t.Fatalf("both have the endpoint %v", x)
	}
	lifecycletest.Same(t, a, b)
	for reason, change := range map[string]func(*lifecycletest.World){
		"one thing more": func(w *lifecycletest.World) {
			w.Put(lifecycletest.Thing{Where: "x", Type: addresses, ID: "eipalloc-1"})
		},
		"one thing less": func(w *lifecycletest.World) { w.Take(addresses, w.Things(addresses)[0].ID) },
		"no states":      func(w *lifecycletest.World) { w.LoseStates() },
		"another property": func(w *lifecycletest.World) {
			w.Edit(clusters, d.plan.Cluster.Name, func(c *lifecycletest.Thing) { c.Inputs["version"] = "1.0" })
		},
	} {
		other := b.Copy()
		change(other)
		probe := &testing.T{}
		lifecycletest.Same(probe, a, other)
		if !probe.Failed() {
			t.Errorf("%s makes no difference", reason)
		}
	}
}
