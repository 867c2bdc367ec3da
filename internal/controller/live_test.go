package controller

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// TestProjects runs one controller against one control plane, and each case with
// projects of its own.
func TestProjects(t *testing.T) {
	k := start(t, definitionFile)
	r := run(t, k.rc)
	r.ready(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *cluster, *running)
	}{
		{"a project is made whole, and then nothing is written", madeWhole},
		{"a change arrives, and what is no longer asked for goes", changed},
		{"a member works in one project, and nowhere else", membersWork},
		{"the quota, the limits and the Pod Security Standard are enforced", quotaHolds},
		{"a container that states little of what it needs runs, or hears which field is wrong", littleStated},
		{"what is edited or deleted by hand is restored within a second", handsOff},
		{"somebody who keeps changing things is named, and not raced", rivalry},
		{"a condition is not true while somebody works against it", contestedOfEachKind},
		{"a namespace that is not ours is left alone until it is handed over", taken},
		{"a namespace that is handed over open is not called fenced", adopted},
		{"what an administrator adds to a project is seen", addedByAnAdministrator},
		{"what somebody installs counts from when it is there", installedLater},
		{"another org's project is refused", otherOrg},
		{"a project hibernates and wakes", hibernation},
		{"a pod that does not end keeps its project from being called hibernated, and not from going", podsThatDoNotEnd},
		{"a project whose time is over hibernates", timeToLive},
		{"a deleted project leaves its namespace, and another one of its name gets it", retained},
		{"a namespace is deleted only when that was confirmed, in order", deleted},
		{"a project may call the one that lets it in", callees},
		{"the cluster's API moves", apiMoves},
		{"the metrics show it", metricsShow},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := *k
			of.t = t
			c.test(t, &of, r)
		})
	}
}

func madeWhole(t *testing.T, k *cluster, r *running) {
	k.make(project("whole"))
	k.ready("whole")
	k.quiet(2 * time.Second)
	k.undisturbed(func() string {
		sent, looks := r.writes.n.Load(), r.metric(t, "freehold_reconcile_duration_seconds_count")
		for i := range 5 {
			k.change("whole", func(p *v1alpha1.Project) { p.Annotations = map[string]string{"touched": fmt.Sprint(i)} })
			time.Sleep(300 * time.Millisecond)
		}
		if n := r.metric(t, "freehold_reconcile_duration_seconds_count") - looks; n < 5 {
			t.Errorf("only %v looks", n)
		}
		if n := r.writes.n.Load() - sent; n > 0 {
			return fmt.Sprintf("the controller sent %d writes for a project that has not changed", n)
		}
		return ""
	})
	golden(t, "whole.golden", k.dump("whole"))
}

func changed(t *testing.T, k *cluster, _ *running) {
	k.make(project("moving"))
	k.ready("moving")
	next := project("moving", func(s *v1alpha1.ProjectSpec) {
		s.DisplayName, s.PodSecurity, s.Registries = "", v1alpha1.PodSecurityBaseline, nil
		s.Quota.Pods, s.Quota.Objects, s.Limits.MinCPU = 7, v1alpha1.ObjectCounts{Secrets: new(int32(9))}, v1alpha1.Quantity{}
		s.Members, s.Egress, s.Ingress = []v1alpha1.Member{{User: "bo", Role: v1alpha1.RoleViewer}}, nil, nil
		s.ServiceAccounts = []v1alpha1.ServiceAccount{{Name: "web"}}
	})
	k.change("moving", func(p *v1alpha1.Project) { p.Spec = next.Spec })
	k.ready("moving")
	k.settle(settled)
	golden(t, "changed.golden", k.dump("moving"))
}

func membersWork(t *testing.T, k *cluster, _ *running) {
	of := func(name string) *v1alpha1.Project {
		return project(name, func(s *v1alpha1.ProjectSpec) {
			s.Members = []v1alpha1.Member{
				{User: "dev-of-" + name, Role: v1alpha1.RoleEditor}, {User: "dev-of-" + name, Role: v1alpha1.RoleViewer},
				{Group: "readers-of-" + name, Role: v1alpha1.RoleViewer},
			}
		})
	}
	k.make(of("mine"))
	k.make(of("theirs"))
	k.ready("mine", "theirs")
	configMap := func(ns string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "c", Namespace: ns}}
	}
	dev, reader := k.as("dev-of-mine"), k.as("eve", "readers-of-mine")
	// The API server learns of a binding a moment later.
	eventually(t, "a member may work", func() bool { return dev.Create(t.Context(), configMap("mine")) == nil })
	for name, c := range map[string]struct {
		err     error
		allowed bool
	}{
		"an editor reads":                    {dev.List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), true},
		"a viewer reads":                     {reader.List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), true},
		"a viewer writes":                    {reader.Delete(t.Context(), configMap("mine")), false},
		"an editor reads another project":    {dev.List(t.Context(), &corev1.PodList{}, client.InNamespace("theirs")), false},
		"an editor writes another project":   {dev.Create(t.Context(), configMap("theirs")), false},
		"an editor reads the whole cluster":  {dev.List(t.Context(), &corev1.PodList{}), false},
		"an editor makes a namespace":        {dev.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "own"}}), false},
		"an editor changes the project":      {dev.Delete(t.Context(), project("mine")), false},
		"a stranger reads":                   {k.as("mallory").List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), false},
		"a member of another project enters": {k.as("dev-of-theirs").List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")), false},
	} {
		if c.allowed != (c.err == nil) || c.err != nil && !apierrors.IsForbidden(c.err) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	k.change("mine", func(p *v1alpha1.Project) { p.Spec.Members = nil })
	eventually(t, "who is no member any more is out", func() bool {
		return apierrors.IsForbidden(dev.List(t.Context(), &corev1.PodList{}, client.InNamespace("mine")))
	})
}

// pod meets the restricted standard.
func pod(ns, name string, changes ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: ns}, Spec: corev1.PodSpec{
		SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
		Containers: []corev1.Container{{Name: "c", Image: "public.ecr.aws/docker/library/c", SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		}}},
	}}
	for _, change := range changes {
		change(p)
	}
	return p
}

func quotaHolds(t *testing.T, k *cluster, _ *running) {
	k.make(project("bounded"))
	k.ready("bounded")
	counted := func(pods string) {
		k.until("bounded", pods+" pods are counted", func(p *v1alpha1.Project) bool {
			used := p.Status.Quota["pods"].Used
			return used.String() == pods
		})
	}
	counted("0")
	for i := range 5 {
		p := pod("bounded", fmt.Sprint("p", i))
		k.make(p)
		if p.Spec.AutomountServiceAccountToken != nil || slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool { return v.Projected != nil }) {
			t.Error("a pod of the default service account has its token")
		}
		got := p.Spec.Containers[0].Resources
		if cpu := got.Requests.Cpu().String(); cpu != "250m" {
			t.Errorf("a container that asks for nothing gets %s", cpu)
		}
		if cpu := got.Limits.Cpu().String(); cpu != "2" {
			t.Errorf("a container that asks for no limit gets %s", cpu)
		}
	}
	for says, p := range map[string]*corev1.Pod{
		"exceeded quota": pod("bounded", "one-more"),
		"maximum cpu usage per": pod("bounded", "large", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("3")}
		}),
		"violates PodSecurity": pod("bounded", "root", func(p *corev1.Pod) { p.Spec.SecurityContext.RunAsNonRoot = nil }),
	} {
		if err := k.Create(t.Context(), p); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("a pod is not refused for %q: %v", says, err)
		}
	}
	counted("5")
	k.settle(settled)
}

func otherOrg(t *testing.T, k *cluster, _ *running) {
	k.make(project("strange", func(s *v1alpha1.ProjectSpec) { s.Org = "globex" }))
	k.until("strange", "it is refused", func(p *v1alpha1.Project) bool {
		c := condition(p, v1alpha1.ConditionNamespaceReady)
		return c.Reason == "WrongOrg" && p.Status.Phase == v1alpha1.PhaseFailed && p.Status.Namespace == ""
	})
	if got := k.dump("strange"); !strings.HasPrefix(got, "no namespace: NotFound") {
		t.Errorf("something was made for it:\n%s", got)
	}
	k.gone("strange")
}

func callees(t *testing.T, k *cluster, _ *running) {
	wayTo := func(name string) bool {
		var p networkingv1.NetworkPolicy
		err := k.Get(t.Context(), client.ObjectKey{Namespace: "front", Name: "egress"}, &p)
		return err == nil && slices.ContainsFunc(p.Spec.Egress, func(r networkingv1.NetworkPolicyEgressRule) bool {
			s := r.To[0].NamespaceSelector
			return s != nil && s.MatchLabels[corev1.LabelMetadataName] == name && s.MatchLabels[v1alpha1.LabelOrg] == "acme" && r.Ports[0].Port.IntVal == 8080
		})
	}
	k.make(project("front"))
	k.make(project("back"))
	k.ready("front", "back")
	eventually(t, "front may call back", func() bool { return wayTo("back") })
	k.change("back", func(p *v1alpha1.Project) { p.Spec.Ingress = nil })
	eventually(t, "front may not call back any more", func() bool { return !wayTo("back") })
	k.change("back", func(p *v1alpha1.Project) { p.Spec.Ingress = project("back").Spec.Ingress })
	eventually(t, "front may call back again", func() bool { return wayTo("back") })
	k.gone("back")
	eventually(t, "front may not call what is gone", func() bool { return !wayTo("back") })
}

func apiMoves(t *testing.T, k *cluster, _ *running) {
	k.make(project("caller"))
	k.ready("caller")
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "kubernetes", Namespace: "default", Labels: map[string]string{discoveryv1.LabelServiceName: "kubernetes"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Endpoints:   []discoveryv1.Endpoint{{Addresses: []string{"10.1.2.4"}}, {Addresses: []string{"10.1.2.3"}}},
		Ports:       []discoveryv1.EndpointPort{{Name: new("https"), Port: new(int32(6443)), Protocol: new(corev1.ProtocolTCP)}},
	}
	ways := func() (all []string) {
		var p networkingv1.NetworkPolicy
		if err := k.Get(t.Context(), client.ObjectKey{Namespace: "caller", Name: "allow-api"}, &p); err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Spec.Egress {
			for _, to := range r.To {
				all = append(all, fmt.Sprintf("%s:%d", to.IPBlock.CIDR, r.Ports[0].Port.IntVal))
			}
		}
		return all
	}
	k.make(slice)
	want := []string{"172.20.0.1/32:443", "10.1.2.3/32:6443", "10.1.2.4/32:6443"}
	eventually(t, "its addresses are open", func() bool { return slices.Equal(ways(), want) })
	slice.Endpoints = slice.Endpoints[:1]
	if err := k.Client.Update(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an address that is no longer the API's is closed", func() bool { return slices.Equal(ways(), []string{want[0], want[2]}) })
	if err := k.Delete(t.Context(), slice); err != nil {
		t.Fatal(err)
	}
	eventually(t, "only the service's is left", func() bool { return slices.Equal(ways(), want[:1]) })
	if all := k.events("caller"); len(all) > 0 {
		t.Errorf("somebody is named as the cause: %v", all)
	}
}

func metricsShow(t *testing.T, k *cluster, r *running) {
	var all v1alpha1.ProjectList
	if err := k.List(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	ready := 0
	for _, p := range all.Items {
		if condition(&p, v1alpha1.ConditionReady).Status == metav1.ConditionTrue {
			ready++
		}
	}
	for name, c := range map[string]struct {
		got  float64
		fits func(float64) bool
	}{
		"ready projects":   {r.metric(t, "freehold_projects", `condition="Ready"`, `status="True"`), func(v float64) bool { return v == float64(ready) }},
		"all projects":     {r.metric(t, "freehold_projects", `condition="Ready"`), func(v float64) bool { return v == float64(len(all.Items)) }},
		"lag":              {r.metric(t, "freehold_observed_generation_lag"), func(v float64) bool { return v == 0 }},
		"applied policies": {r.metric(t, "freehold_writes_total", `kind="NetworkPolicy"`, `verb="apply"`), func(v float64) bool { return v >= 6 }},
		"restored":         {r.metric(t, "freehold_restored_total", `kind="RoleBinding"`), func(v float64) bool { return v >= 3 }},
		"looks":            {r.metric(t, "freehold_reconcile_duration_seconds_count", `result="done"`), func(v float64) bool { return v > 0 }},
		"last full pass": {r.metric(t, "freehold_last_full_pass_timestamp_seconds"), func(v float64) bool {
			return time.Since(time.Unix(int64(v), 0)) < 10*time.Minute
		}},
	} {
		if !c.fits(c.got) {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}
