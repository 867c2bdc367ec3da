package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// hibernates reports whether the project's pods are to be stopped, and why. One
// whose time will be over is looked at then.
func (l *look) hibernates() (sleeps bool, why string) {
	sleeps, why, left, err := hibernates(l.p, l.now)
	if err != nil {
		// The definition admits no such text. The fences do not depend on it.
		l.log.Warn("the project stays awake: its time to live cannot be read", "error", err)
	}
	if left > 0 {
		l.soon(left)
	}
	return sleeps, why
}

// hibernates reports whether a project sleeps at a time, and why, or how long it
// will be until it does; zero: it is not known.
func hibernates(p *v1alpha1.Project, now time.Time) (sleeps bool, why string, left time.Duration, err error) {
	if p.Spec.Hibernate {
		return true, "the project hibernates, as it says", 0, nil
	}
	if p.Spec.TTL == "" {
		return false, "", 0, nil
	}
	ttl, err := time.ParseDuration(p.Spec.TTL)
	if err != nil {
		return false, "", 0, err
	}
	end := p.CreationTimestamp.Add(ttl)
	if left := end.Sub(now); left > 0 {
		return false, "", left, nil
	}
	return true, fmt.Sprintf("the project hibernates since %s, when its time to live was over; nothing of it is deleted", end.UTC().Format(time.RFC3339)), 0, nil
}

// hibernate stops what runs pods in a project that sleeps, and deletes the pods;
// the quota, which allows none, keeps everybody from making new ones until it
// wakes. One that is awake gets back what was stopped.
func (l *look) hibernate(ctx context.Context) error {
	if !l.sleeps {
		return l.startWorkloads(ctx)
	}
	jobs, err := l.stopWorkloads(ctx)
	if err != nil {
		return err
	}
	// The quota counts pods, and is watched; it has not counted yet when it has
	// no status, and one that should have ended and has not it counts no more. So
	// pods are asked for until none was left, and then only where there may be some.
	quota, err := l.cachedQuota(ctx)
	if err != nil {
		return err
	}
	if n, counted := used(quota, corev1.ResourcePods); counted && n == 0 && l.p.Status.Phase == v1alpha1.PhaseHibernated {
		return nil
	}
	pods, left, err := l.stopPods(ctx, false, jobs...)
	if left > 0 {
		l.ending = podsEnding(pods, left)
	}
	return err
}

// podsEnding names the pods that are waited for.
func podsEnding(pods []string, left int64) string {
	slices.Sort(pods)
	some := pods[:min(3, len(pods))]
	message := fmt.Sprintf("waits for %d pods to end: %s", left, strings.Join(some, ", "))
	if int64(len(some)) < left {
		message += " and others"
	}
	return message
}

// +kubebuilder:rbac:groups="",resources=pods,verbs=list;deletecollection

// alive selects pods that have not ended by themselves. Those that have use
// nothing, and people still read their logs.
var alive = fields.AndSelectors(
	fields.OneTermNotEqualSelector("status.phase", string(corev1.PodSucceeded)),
	fields.OneTermNotEqualSelector("status.phase", string(corev1.PodFailed)),
)

// stopPods deletes the namespace's pods and returns some that are left, those
// that are on their way out among them, and how many they are. With force it ends
// at once those that were asked to end long ago: a pod may say that it needs ten
// years. Its name is free then, and the node's kubelet ends it when it hears of it.
// https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-forced
//
// The pods of some
// jobs are left to Kubernetes, which ends them because the job is suspended: one
// that somebody else deletes counts as a failure of its job.
// https://kubernetes.io/docs/concepts/workloads/controllers/job/#suspending-a-job
func (l *look) stopPods(ctx context.Context, force bool, jobs ...types.UID) (some []string, left int64, err error) {
	pods := &metav1.PartialObjectMetadataList{}
	pods.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("PodList"))
	if err := l.live.List(ctx, pods, client.InNamespace(l.p.Name), client.Limit(100), client.MatchingFieldsSelector{Selector: alive}); err != nil {
		return nil, 0, fmt.Errorf("list pods: %w", err)
	}
	stop, overdue := false, false
	for i := range pods.Items {
		pod := &pods.Items[i]
		some = append(some, pod.Name+held(pod))
		overdue = overdue || l.overdue(pod)
		stop = stop || pod.DeletionTimestamp.IsZero() && !slices.Contains(jobs, types.UID(pod.Labels[batchv1.ControllerUidLabel]))
	}
	left = int64(len(some))
	if more := pods.RemainingItemCount; more != nil {
		left += *more
		stop = true
	}
	if force = force && overdue; stop || force {
		which := []client.DeleteAllOfOption{client.InNamespace(l.p.Name), client.MatchingFieldsSelector{Selector: alive}}
		if force {
			which = append(which, client.GracePeriodSeconds(0))
			l.events.Eventf(l.p, nil, corev1.EventTypeWarning, "PodsForced", "Delete",
				"pods that were asked to end %s ago and have not are deleted without a grace period: %s", l.options.podsWithin, strings.Join(some[:min(3, len(some))], ", "))
		}
		if len(jobs) > 0 {
			others, err := othersThan(jobs)
			if err != nil {
				return some, left, err
			}
			which = append(which, client.MatchingLabelsSelector{Selector: others})
		}
		l.meters.wrote("Pod", "deletecollection")
		if err := l.client.DeleteAllOf(ctx, &corev1.Pod{}, which...); err != nil {
			return some, left, fmt.Errorf("delete pods: %w", err)
		}
		l.log.Info("stopped pods", "pods", left, "forced", force)
	}
	if left > 0 {
		l.soon(2 * time.Second)
	}
	return some, left, nil
}

// held says what keeps a pod that is to end.
func held(pod *metav1.PartialObjectMetadata) string {
	if len(pod.Finalizers) == 0 || pod.DeletionTimestamp.IsZero() {
		return ""
	}
	return " (finalizers " + strings.Join(pod.Finalizers, ", ") + ")"
}

// overdue reports whether a pod was asked to end so long ago that it is not waited
// for any more. What Kubernetes notes is when it will have ended.
func (l *look) overdue(pod *metav1.PartialObjectMetadata) bool {
	if pod.DeletionTimestamp.IsZero() || pod.DeletionGracePeriodSeconds == nil || *pod.DeletionGracePeriodSeconds == 0 {
		return false
	}
	asked := pod.DeletionTimestamp.Add(-time.Duration(*pod.DeletionGracePeriodSeconds) * time.Second)
	left := asked.Add(l.options.podsWithin).Sub(l.now)
	if left > 0 {
		l.soon(left)
	}
	return left <= 0
}

// othersThan selects the pods that are of none of some jobs.
func othersThan(jobs []types.UID) (labels.Selector, error) {
	names := make([]string, len(jobs))
	for i, id := range jobs {
		names[i] = string(id)
	}
	no, err := labels.NewRequirement(batchv1.ControllerUidLabel, selection.NotIn, names)
	if err != nil {
		return nil, fmt.Errorf("select pods: %w", err)
	}
	return labels.NewSelector().Add(*no), nil
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
