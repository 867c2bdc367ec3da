package controller

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// amounts are pairs of a resource and an amount of it.
func amounts(pairs ...string) corev1.ResourceList {
	list := corev1.ResourceList{}
	for i := 0; i < len(pairs); i += 2 {
		list[corev1.ResourceName(pairs[i])] = resource.MustParse(pairs[i+1])
	}
	return list
}

// littleStated makes the pods that Kubernetes would refuse for a limit that
// their container did not state, and one of each kind beside them.
func littleStated(t *testing.T, k *cluster, _ *running) {
	k.make(project("terse", func(s *v1alpha1.ProjectSpec) {
		s.Limits.MaxCPU, s.Limits.MaxMemory = s.Quota.CPU, s.Quota.Memory
	}))
	k.ready("terse")
	eventually(t, "the quota is counted", func() bool { return len(k.read("terse").Status.Quota) > 0 })
	states := func(requests, limits corev1.ResourceList) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: requests, Limits: limits}
		}
	}
	for name, c := range map[string]struct {
		pod     func(*corev1.Pod)
		refused string // what the refusal says; empty: it runs
	}{
		"nothing":                                    {states(nil, nil), ""},
		"a CPU request above the default":            {states(amounts("cpu", "500m"), nil), ""},
		"a CPU request of all that there is":         {states(amounts("cpu", "4"), nil), ""},
		"a memory request above the default":         {states(amounts("memory", "512Mi"), nil), ""},
		"a disk request above the default":           {states(amounts("ephemeral-storage", "5Gi"), nil), ""},
		"requests of all three":                      {states(amounts("cpu", "1", "memory", "1Gi", "ephemeral-storage", "1Gi"), nil), ""},
		"a limit below the default":                  {states(nil, amounts("cpu", "100m", "memory", "64Mi", "ephemeral-storage", "64Mi")), ""},
		"a limit above the default":                  {states(nil, amounts("cpu", "3")), ""},
		"a request of one, and a limit of the other": {states(amounts("cpu", "1"), amounts("memory", "4Gi")), ""},
		"an init container that requests more than the default": {func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{*p.Spec.Containers[0].DeepCopy()}
			p.Spec.InitContainers[0].Name = "first"
			p.Spec.InitContainers[0].Resources.Requests = amounts("cpu", "500m", "memory", "512Mi")
		}, ""},
		"resources of the pod, and of its containers": {func(p *corev1.Pod) {
			p.Spec.Resources = &corev1.ResourceRequirements{Requests: amounts("cpu", "1"), Limits: amounts("cpu", "1")}
			p.Spec.Containers[0].Resources.Limits = amounts("cpu", "500m")
		}, ""},
		"resources of the pod alone": {func(p *corev1.Pod) {
			p.Spec.Resources = &corev1.ResourceRequirements{Limits: amounts("cpu", "1")}
		}, "spec.resources.containers[0][cpu].limits"},
		"a request above the most":      {states(amounts("cpu", "5"), nil), "spec.containers[0].resources.requests"},
		"a disk request above the most": {states(amounts("ephemeral-storage", "11Gi"), nil), "spec.containers[0].resources.requests"},
		"a disk limit above the most":   {states(nil, amounts("ephemeral-storage", "11Gi")), "maximum ephemeral-storage usage per Container is 10Gi, but limit is 11Gi"},
	} {
		p := pod("terse", "p")
		c.pod(p)
		err := k.Create(t.Context(), p, client.DryRunAll)
		if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
			t.Errorf("a container that states %s: %v, want a refusal that says %q", name, err, c.refused)
		}
	}
	// What nobody states is counted all the same.
	k.make(pod("terse", "counted"))
	k.until("terse", "its disk is counted", func(p *v1alpha1.Project) bool {
		u := p.Status.Quota["requests.ephemeral-storage"]
		l := p.Status.Quota["limits.ephemeral-storage"]
		return u.Used.String() == "256Mi" && u.Hard.String() == "10Gi" && l.Used.String() == "10Gi" && l.Hard.String() == "50Gi"
	})
	// Its limits are bounded all the same, by the most for each of its pods: five.
	greedy := pod("terse", "greedy")
	for i := range 4 {
		c := *greedy.Spec.Containers[0].DeepCopy()
		c.Name = "beside-" + string(rune('a'+i))
		greedy.Spec.Containers = append(greedy.Spec.Containers, c)
	}
	if err := k.Create(t.Context(), greedy, client.DryRunAll); err == nil || !strings.Contains(err.Error(), "exceeded quota: quota") || !strings.Contains(err.Error(), "limits.cpu") {
		t.Errorf("five containers that state nothing, beside another: %v, want limits.cpu to be exceeded", err)
	}
}

func TestTheLimitsOfAProjectAreBoundedByTheMostForEachOfItsPods(t *testing.T) {
	q := v1alpha1.MustQuantity
	quota := v1alpha1.Quota{CPU: q("4"), Memory: q("8Gi"), Pods: 50}
	for name, c := range map[string]struct {
		limits v1alpha1.Limits
		pods   int32
		want   [3]string
	}{
		"as a project is by default":            {v1alpha1.Limits{MaxCPU: q("4"), MaxMemory: q("8Gi")}, 50, [3]string{"200", "400Gi", "500Gi"}},
		"with a smaller most of a container":    {v1alpha1.Limits{MaxCPU: q("500m"), MaxMemory: q("1Gi"), MaxEphemeralStorage: q("2Gi")}, 50, [3]string{"25", "50Gi", "100Gi"}},
		"and never by less than it may request": {v1alpha1.Limits{MaxCPU: q("1"), MaxMemory: q("1Gi")}, 2, [3]string{"4", "8Gi", "8Gi"}},
	} {
		quota.Pods = c.pods
		got := hard(quota, c.limits, true)
		sum := func(name corev1.ResourceName) string { amount := got[name]; return amount.String() }
		if d := cmp.Diff(c.want, [3]string{sum("limits.cpu"), sum("limits.memory"), sum("limits.ephemeral-storage")}); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

func TestWhatAProjectMayUseOfItsNodesDisks(t *testing.T) {
	q := v1alpha1.MustQuantity
	type bounds struct{ Quota, Request, Limit string }
	for name, c := range map[string]struct {
		quota  v1alpha1.Quota
		limits v1alpha1.Limits
		want   bounds
	}{
		"follows from its pods":                      {v1alpha1.Quota{Pods: 50}, v1alpha1.Limits{}, bounds{"100Gi", "256Mi", "10Gi"}},
		"is no more for one container than for all":  {v1alpha1.Quota{Pods: 1}, v1alpha1.Limits{}, bounds{"2Gi", "256Mi", "2Gi"}},
		"is nothing without pods":                    {v1alpha1.Quota{}, v1alpha1.Limits{}, bounds{"0", "0", "0"}},
		"is what the spec says":                      {v1alpha1.Quota{Pods: 5, EphemeralStorage: q("1Ti")}, v1alpha1.Limits{DefaultEphemeralStorage: q("1Gi"), MaxEphemeralStorage: q("100Gi")}, bounds{"1Ti", "1Gi", "100Gi"}},
		"has a default request within a small limit": {v1alpha1.Quota{Pods: 5}, v1alpha1.Limits{MaxEphemeralStorage: q("100Mi")}, bounds{"10Gi", "100Mi", "100Mi"}},
		"has a limit above a large default request":  {v1alpha1.Quota{Pods: 50}, v1alpha1.Limits{DefaultEphemeralStorage: q("20Gi")}, bounds{"100Gi", "20Gi", "20Gi"}},
	} {
		sum := hard(c.quota, c.limits, false)[corev1.ResourceRequestsEphemeralStorage]
		item := containerLimits(c.limits, c.quota)
		got := bounds{sum.String(), item.DefaultRequest.StorageEphemeral().String(), item.Default.StorageEphemeral().String()}
		if diff := cmp.Diff(c.want, got); diff != "" || item.Max.StorageEphemeral().String() != got.Limit {
			t.Errorf("what a project may use of its nodes' disks %s: at most %s (-want +got):\n%s", name, item.Max.StorageEphemeral(), diff)
		}
	}
}

func TestAQuotaNamesWhatTheProjectLists(t *testing.T) {
	got := hard(v1alpha1.Quota{
		Resources:     map[string]v1alpha1.Quantity{"aws.amazon.com/neuron": v1alpha1.MustQuantity("2"), "hugepages-2Mi": v1alpha1.MustQuantity("1Gi")},
		DeviceClasses: map[string]int32{"gpu.nvidia.com": 3},
	}, v1alpha1.Limits{}, false)
	for name, want := range map[corev1.ResourceName]string{
		"requests.aws.amazon.com/neuron":                     "2",
		"requests.hugepages-2Mi":                             "1Gi",
		"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": "3",
		"requests.nvidia.com/gpu":                            "0",
	} {
		if amount, ok := got[name]; !ok || amount.String() != want {
			t.Errorf("%s: %s, %v, want %s", name, amount.String(), ok, want)
		}
	}
}
