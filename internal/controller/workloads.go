package controller

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// workload is a kind of Kubernetes' own that runs pods, and how one is stopped
// when its project hibernates. What a project runs by other kinds ends with its
// pods: the quota of a project that sleeps allows none.
type workload struct {
	object client.Object
	list   client.ObjectList
	// field of its spec stops it with the value stop, in JSON; empty: nothing
	// does. Such a one is only marked, so that taking the mark away makes
	// Kubernetes look at it again at once, and not when it is done backing off.
	field, stop string
	// controlled ones are stopped too where somebody else controls them: they run
	// on when their owner is stopped. Others follow their owner.
	controlled bool
}

// workloads are all that there are, in the order in which they are stopped: a
// cron job before the jobs that it makes. A pod by itself is not among them:
// it is deleted, and nobody makes it again.
var workloads = []workload{
	{object: &batchv1.CronJob{}, list: &batchv1.CronJobList{}, field: "suspend", stop: "true", controlled: true},
	{object: &batchv1.Job{}, list: &batchv1.JobList{}, field: "suspend", stop: "true", controlled: true},
	{object: &appsv1.Deployment{}, list: &appsv1.DeploymentList{}, field: "replicas", stop: "0"},
	{object: &appsv1.StatefulSet{}, list: &appsv1.StatefulSetList{}, field: "replicas", stop: "0"},
	{object: &appsv1.ReplicaSet{}, list: &appsv1.ReplicaSetList{}, field: "replicas", stop: "0"},
	{object: &corev1.ReplicationController{}, list: &corev1.ReplicationControllerList{}, field: "replicas", stop: "0"},
	{object: &appsv1.DaemonSet{}, list: &appsv1.DaemonSetList{}},
}

// +kubebuilder:rbac:groups=batch,resources=cronjobs;jobs,verbs=list;watch;patch
// +kubebuilder:rbac:groups=batch,resources=cronjobs/status,verbs=patch
// +kubebuilder:rbac:groups=apps,resources=daemonsets;deployments;replicasets;statefulsets,verbs=list;watch;patch
// +kubebuilder:rbac:groups="",resources=replicationcontrollers,verbs=list;watch;patch

// forgetWorkload leaves of a workload what is asked here. The templates of a
// cluster's pods are most of their size, and nobody's business.
func forgetWorkload(in any) (any, error) {
	o, ok := in.(client.Object)
	if !ok {
		return in, nil
	}
	o.SetLabels(nil)
	before, marked := o.GetAnnotations()[v1alpha1.AnnotationBeforeHibernation]
	o.SetAnnotations(nil)
	if marked {
		o.SetAnnotations(map[string]string{v1alpha1.AnnotationBeforeHibernation: before})
	}
	switch o := o.(type) {
	case *batchv1.CronJob:
		o.Spec, o.Status = batchv1.CronJobSpec{Suspend: o.Spec.Suspend}, batchv1.CronJobStatus{}
	case *batchv1.Job:
		o.Spec = batchv1.JobSpec{Suspend: o.Spec.Suspend, ManagedBy: o.Spec.ManagedBy}
		o.Status = batchv1.JobStatus{Conditions: o.Status.Conditions}
	case *appsv1.Deployment:
		o.Spec, o.Status = appsv1.DeploymentSpec{Replicas: o.Spec.Replicas}, appsv1.DeploymentStatus{}
	case *appsv1.StatefulSet:
		o.Spec, o.Status = appsv1.StatefulSetSpec{Replicas: o.Spec.Replicas}, appsv1.StatefulSetStatus{}
	case *appsv1.ReplicaSet:
		o.Spec, o.Status = appsv1.ReplicaSetSpec{Replicas: o.Spec.Replicas}, appsv1.ReplicaSetStatus{}
	case *corev1.ReplicationController:
		o.Spec, o.Status = corev1.ReplicationControllerSpec{Replicas: o.Spec.Replicas}, corev1.ReplicationControllerStatus{}
	case *appsv1.DaemonSet:
		o.Spec, o.Status = appsv1.DaemonSetSpec{}, appsv1.DaemonSetStatus{}
	}
	return forgetFields(o)
}

// setting is the value of the field that stops a workload, in JSON. Kubernetes'
// defaults for those that were left out are suspend: false, and one replica.
func setting(o client.Object) string {
	replicas := func(n *int32) string {
		if n == nil {
			return "1"
		}
		return strconv.Itoa(int(*n))
	}
	suspend := func(b *bool) string { return strconv.FormatBool(b != nil && *b) }
	switch o := o.(type) {
	case *batchv1.CronJob:
		return suspend(o.Spec.Suspend)
	case *batchv1.Job:
		return suspend(o.Spec.Suspend)
	case *appsv1.Deployment:
		return replicas(o.Spec.Replicas)
	case *appsv1.StatefulSet:
		return replicas(o.Spec.Replicas)
	case *appsv1.ReplicaSet:
		return replicas(o.Spec.Replicas)
	case *corev1.ReplicationController:
		return replicas(o.Spec.Replicas)
	}
	return ""
}

// restorable reports whether a mark says what the field can be set to: anybody
// who may write the workload may have written it.
func (w workload) restorable(mark string) bool {
	if w.field != "replicas" {
		return mark == "" || mark == "false"
	}
	n, err := strconv.ParseInt(mark, 10, 32)
	return err == nil && n > 0
}

// finished reports whether a job runs no more pods.
func finished(o client.Object) bool {
	job, ok := o.(*batchv1.Job)
	return ok && slices.ContainsFunc(job.Status.Conditions, func(c batchv1.JobCondition) bool {
		return c.Status == corev1.ConditionTrue && (c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed)
	})
}

// eachWorkload calls do for every workload in the namespace, as the cache has it.
// One that cannot be written does not keep the others from being.
func (l *look) eachWorkload(ctx context.Context, do func(workload, client.Object) error) error {
	var failures []error
	for _, w := range workloads {
		list := w.list.DeepCopyObject().(client.ObjectList)
		if err := l.client.List(ctx, list, client.InNamespace(l.p.Name), client.UnsafeDisableDeepCopy); err != nil {
			return fmt.Errorf("list workloads: %w", err)
		}
		for _, o := range itemsOf(list) {
			if o.GetDeletionTimestamp().IsZero() {
				failures = append(failures, do(w, o))
			}
		}
	}
	return errors.Join(failures...)
}

// itemsOf are the workloads of a list.
func itemsOf(list client.ObjectList) []client.Object {
	switch list := list.(type) {
	case *batchv1.CronJobList:
		return pointers[batchv1.CronJob](list.Items)
	case *batchv1.JobList:
		return pointers[batchv1.Job](list.Items)
	case *appsv1.DeploymentList:
		return pointers[appsv1.Deployment](list.Items)
	case *appsv1.StatefulSetList:
		return pointers[appsv1.StatefulSet](list.Items)
	case *appsv1.ReplicaSetList:
		return pointers[appsv1.ReplicaSet](list.Items)
	case *corev1.ReplicationControllerList:
		return pointers[corev1.ReplicationController](list.Items)
	case *appsv1.DaemonSetList:
		return pointers[appsv1.DaemonSet](list.Items)
	}
	panic(fmt.Sprintf("it is not known what is in a %T", list)) // a kind without a case is a mistake of ours
}

func pointers[T any, P interface {
	*T
	client.Object
}](items []T) []client.Object {
	all := make([]client.Object, len(items))
	for i := range items {
		all[i] = P(&items[i])
	}
	return all
}

// stopWorkloads stops what runs pods in a project that sleeps, and notes on each
// what it was: in one write, so that a kill leaves either. What somebody had
// stopped already gets no mark, and so is not started when the project wakes.
// It returns the jobs whose pods Kubernetes ends.
func (l *look) stopWorkloads(ctx context.Context) (jobs []types.UID, err error) {
	err = l.eachWorkload(ctx, func(w workload, o client.Object) error {
		if finished(o) || !w.controlled && metav1.GetControllerOf(o) != nil {
			return nil
		}
		if job, ok := o.(*batchv1.Job); ok && (job.Spec.ManagedBy == nil || *job.Spec.ManagedBy == batchv1.JobControllerName) {
			jobs = append(jobs, o.GetUID())
		}
		now := setting(o)
		_, marked := o.GetAnnotations()[v1alpha1.AnnotationBeforeHibernation]
		if now == w.stop && (w.field != "" || marked) {
			return nil
		}
		kind, err := l.kind(o)
		if err != nil {
			return err
		}
		// Somebody starts it again and again; it is stopped once a second.
		if marked && !l.mayStop(keyOf(kind, o)) {
			return nil
		}
		return l.patchWorkload(ctx, w, o, fmt.Sprintf("%q", now), w.stop, "stopped")
	})
	return jobs, err
}

// mayStop counts that somebody started what was stopped, and reports whether it may
// be stopped again now. No fence depends on it: the quota allows no pods meanwhile.
func (l *look) mayStop(key objectKey) bool {
	in := l.step
	defer func() { l.step = in }()
	l.step = v1alpha1.ConditionDegraded
	return l.mayRestore(key, "somebody", "starting")
}

// startWorkloads starts what was stopped, as it was. What somebody set
// differently meanwhile stays as they set it.
func (l *look) startWorkloads(ctx context.Context) error {
	return l.eachWorkload(ctx, func(w workload, o client.Object) error {
		mark, marked := o.GetAnnotations()[v1alpha1.AnnotationBeforeHibernation]
		if !marked {
			return l.disown(ctx, o)
		}
		if setting(o) != w.stop {
			return l.patchWorkload(ctx, w, o, "null", "", "left as it is")
		}
		if !w.restorable(mark) {
			l.events.Eventf(l.p, o, corev1.EventTypeWarning, "NotStarted", "Start",
				"%s was stopped while the project hibernated, and its annotation %s=%q does not say what it was: set it, and remove the annotation",
				o.GetName(), v1alpha1.AnnotationBeforeHibernation, mark)
			return nil
		}
		o, err := l.forgiveMissed(ctx, o)
		if o == nil || err != nil {
			return err
		}
		if w.field == "suspend" {
			mark = "false"
		}
		return l.patchWorkload(ctx, w, o, "null", mark, "started")
	})
}

// forgiveMissed makes a cron job begin to count anew. Kubernetes would start one
// job at once for all the times that passed while it was suspended, unless it
// has a deadline that is over: of each cron job, at the same moment.
// https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-suspension
//
// It returns the workload as it is then; nil: it is gone.
func (l *look) forgiveMissed(ctx context.Context, o client.Object) (client.Object, error) {
	if _, ok := o.(*batchv1.CronJob); !ok {
		return o, nil
	}
	live := &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: o.GetName(), Namespace: o.GetNamespace()}}
	body := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q},"status":{"lastScheduleTime":%q}}`, o.GetResourceVersion(), l.time().Format(time.RFC3339))
	l.meters.wrote("CronJob", "patch-status")
	err := l.client.Status().Patch(ctx, live, client.RawPatch(types.MergePatchType, body), client.FieldOwner(fieldManager))
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("let CronJob %s forget what it missed: %w", o.GetName(), err)
	}
	return live, nil
}

// patchWorkload sets or removes a workload's mark, and sets its field, unless
// somebody else was faster.
func (l *look) patchWorkload(ctx context.Context, w workload, o client.Object, mark, value, done string) error {
	kind, err := l.kind(o)
	if err != nil {
		return err
	}
	spec := ""
	if w.field != "" && value != "" {
		spec = fmt.Sprintf(`,"spec":{%q:%s}`, w.field, value)
	}
	body := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q,"annotations":{%q:%s}}%s}`,
		o.GetResourceVersion(), v1alpha1.AnnotationBeforeHibernation, mark, spec)
	return l.sendPatch(ctx, o, client.RawPatch(types.MergePatchType, body), kind.Kind, done)
}

// disown gives up what was written into a workload: its fields would be in the
// way of whoever applies it with other values later.
// https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts
func (l *look) disown(ctx context.Context, o client.Object) error {
	var steps []string
	for i, e := range slices.Backward(o.GetManagedFields()) {
		if e.Manager == fieldManager {
			steps = append(steps, fmt.Sprintf(`{"op":"remove","path":"/metadata/managedFields/%d"}`, i))
		}
	}
	if len(steps) == 0 {
		return nil
	}
	kind, err := l.kind(o)
	if err != nil {
		return err
	}
	// Another version would have its managers in another order.
	body := fmt.Sprintf(`[{"op":"replace","path":"/metadata/resourceVersion","value":%q},%s]`, o.GetResourceVersion(), strings.Join(steps, ","))
	return l.sendPatch(ctx, o, client.RawPatch(types.JSONPatchType, []byte(body)), kind.Kind, "disowned")
}

func (l *look) sendPatch(ctx context.Context, o client.Object, patch client.Patch, kind, done string) error {
	l.meters.wrote(kind, "patch")
	target := o.DeepCopyObject().(client.Object) // what is in the cache is nobody's to write to
	err := l.client.Patch(ctx, target, patch, client.FieldOwner(fieldManager))
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("%s %s: %w", kind, o.GetName(), err)
	}
	l.log.Info(done, "kind", kind, "name", o.GetName())
	return nil
}
