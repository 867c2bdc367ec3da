package controller

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// hibernates reports whether the project's pods are to be stopped, and why. One
// whose time will be over is looked at then.
func (l *look) hibernates() (sleeps bool, why string) {
	if l.p.Spec.Hibernate {
		return true, "the project hibernates, as it says"
	}
	if l.p.Spec.TTL == "" {
		return false, ""
	}
	ttl, err := time.ParseDuration(l.p.Spec.TTL)
	if err != nil {
		// The definition admits no such text. The fences do not depend on it.
		l.log.Warn("the project stays awake: its time to live cannot be read", "error", err)
		return false, ""
	}
	end := l.p.CreationTimestamp.Add(ttl)
	if left := end.Sub(l.now); left > 0 {
		l.soon(left)
		return false, ""
	}
	return true, fmt.Sprintf("the project hibernates since %s, when its time to live was over; nothing of it is deleted", end.UTC().Format(time.RFC3339))
}

// hibernate deletes the pods of a project that sleeps; the quota, which allows
// none, keeps their owners from making new ones until it wakes.
func (l *look) hibernate(ctx context.Context) error {
	if !l.sleeps {
		return nil
	}
	// The quota counts pods, and is watched; it has not counted yet when it has
	// no status. So pods are asked for only where there may be some.
	quota, err := l.cachedQuota(ctx)
	if err != nil {
		return err
	}
	if n, counted := used(quota, corev1.ResourcePods); counted && n == 0 {
		return nil
	}
	_, _, err = l.stopPods(ctx)
	return err
}

// +kubebuilder:rbac:groups="",resources=pods,verbs=list;deletecollection

// stopPods deletes the namespace's pods and returns some that are left, those
// that are on their way out among them, and how many they are.
func (l *look) stopPods(ctx context.Context) (some []string, left int64, err error) {
	pods := &metav1.PartialObjectMetadataList{}
	pods.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
	if err := l.live.List(ctx, pods, client.InNamespace(l.p.Name), client.Limit(100)); err != nil {
		return nil, 0, fmt.Errorf("list pods: %w", err)
	}
	running := false
	for _, pod := range pods.Items {
		some = append(some, pod.Name)
		running = running || pod.DeletionTimestamp.IsZero()
	}
	left = int64(len(some))
	if more := pods.RemainingItemCount; more != nil {
		left += *more
	}
	if running {
		l.meters.wrote("Pod", "deletecollection")
		if err := l.client.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(l.p.Name)); err != nil {
			return some, left, fmt.Errorf("delete pods: %w", err)
		}
		l.log.Info("stopped pods", "pods", left)
	}
	if left > 0 {
		l.soon(2 * time.Second)
	}
	return some, left, nil
}

// cachedQuota is the project's quota; nil: the cache has none.
func (l *look) cachedQuota(ctx context.Context) (*corev1.ResourceQuota, error) {
	want := l.resourceQuota()
	kind, err := l.kind(want)
	if err != nil {
		return nil, err
	}
	o, err := l.cached(ctx, kind, want)
	if o == nil || err != nil {
		return nil, err
	}
	return o.(*corev1.ResourceQuota), nil
}

// used is how much of a resource a quota has counted.
func used(q *corev1.ResourceQuota, name corev1.ResourceName) (n int64, counted bool) {
	if q == nil {
		return 0, false
	}
	u, ok := q.Status.Used[name]
	return u.Value(), ok
}
