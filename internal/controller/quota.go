package controller

import (
	"context"
	"errors"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// The names of the objects that bound a project.
const (
	quotaName  = "quota"
	limitsName = "limits"
)

// +kubebuilder:rbac:groups="",resources=resourcequotas,verbs=get;list;watch;create;patch;update;delete
// +kubebuilder:rbac:groups="",resources=limitranges,verbs=list;watch;create;patch;update;delete

// quota bounds what the project and each of its containers may use.
func (l *look) quota(ctx context.Context) (answer, error) {
	err := errors.Join(
		l.keep(ctx, &corev1.ResourceQuotaList{}, l.resourceQuota()),
		l.keep(ctx, &corev1.LimitRangeList{}, &corev1.LimitRange{
			ObjectMeta: l.named(limitsName),
			Spec:       corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{containerLimits(l.p.Spec.Limits, l.p.Spec.Quota)}},
		}),
	)
	if err != nil {
		return answer{}, err
	}
	return answer{}, l.hibernate(ctx)
}

func (l *look) resourceQuota() *corev1.ResourceQuota {
	return &corev1.ResourceQuota{ObjectMeta: l.named(quotaName), Spec: corev1.ResourceQuotaSpec{Hard: hard(l.p.Spec.Quota, l.p.Spec.Limits, l.sleeps)}}
}

// hard are a quota's bounds by Kubernetes' names. A hibernated project may have
// no pods.
//
// Requests are bounded by what the project has: that is what the scheduler sets
// aside and what a node keeps for a pod when it runs short, so one project's limits
// take nothing from another's requests. Limits are bounded by the most of one
// container for each pod that the project may have. Less would refuse a pod for a
// limit that it does not state: a container that states none gets the most that one
// may have (see containerLimits), and the quota counts that.
// https://kubernetes.io/docs/concepts/policy/resource-quotas/
func hard(q v1alpha1.Quota, l v1alpha1.Limits, sleeps bool) corev1.ResourceList {
	pods := q.Pods
	if sleeps {
		pods = 0
	}
	bounds := corev1.ResourceList{
		corev1.ResourceRequestsCPU:                     q.CPU.Value(),
		corev1.ResourceRequestsMemory:                  q.Memory.Value(),
		corev1.ResourceRequestsStorage:                 q.Storage.Value(),
		corev1.ResourceRequestsEphemeralStorage:        q.Ephemeral(),
		corev1.ResourcePods:                            count(pods),
		corev1.ResourceName("requests.nvidia.com/gpu"): count(q.GPUs),
	}
	for name, most := range containerLimits(l, q).Max {
		sum, all := most.DeepCopy(), bounds[corev1.DefaultResourceRequestsPrefix+name]
		sum.Mul(int64(q.Pods))
		if sum.Cmp(all) < 0 {
			sum = all
		}
		bounds["limits."+name] = sum
	}
	// A quota denies no resource that it does not name; the admission policy
	// freehold-project-resources does, and goes by what is named here.
	for name, most := range q.Resources {
		bounds[corev1.ResourceName(corev1.DefaultResourceRequestsPrefix+name)] = most.Value()
	}
	for class, most := range q.DeviceClasses {
		bounds[corev1.ResourceName(class+corev1.ResourceClaimsPerClass)] = count(most)
	}
	for name, most := range q.Counts() {
		bounds[corev1.ResourceName(name)] = count(most)
	}
	return bounds
}

func count(n int32) resource.Quantity { return *resource.NewQuantity(int64(n), resource.DecimalSI) }

// containerLimits are what a container gets that states nothing, and the least
// and the most that one may have.
//
// The default limit is the most that a container may have. With a smaller one,
// Kubernetes would refuse a container that requests more than it and states no
// limit; without one, it would refuse every container that states no limit.
// https://kubernetes.io/docs/concepts/policy/limit-range/#resource-limits-and-requests
func containerLimits(l v1alpha1.Limits, q v1alpha1.Quota) corev1.LimitRangeItem {
	ephemeral, mostEphemeral := l.Ephemeral(q)
	most := corev1.ResourceList{
		corev1.ResourceCPU: l.MaxCPU.Value(), corev1.ResourceMemory: l.MaxMemory.Value(), corev1.ResourceEphemeralStorage: mostEphemeral,
	}
	item := corev1.LimitRangeItem{
		Type:    corev1.LimitTypeContainer,
		Max:     most,
		Default: most,
		DefaultRequest: corev1.ResourceList{
			corev1.ResourceCPU: l.DefaultCPU.Value(), corev1.ResourceMemory: l.DefaultMemory.Value(), corev1.ResourceEphemeralStorage: ephemeral,
		},
	}
	for name, least := range map[corev1.ResourceName]v1alpha1.Quantity{corev1.ResourceCPU: l.MinCPU, corev1.ResourceMemory: l.MinMemory} {
		if least.Text == "" {
			continue
		}
		if item.Min == nil {
			item.Min = corev1.ResourceList{}
		}
		item.Min[name] = least.Value()
	}
	return item
}
