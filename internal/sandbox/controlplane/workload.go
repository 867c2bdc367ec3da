package controlplane

import (
	"context"
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	appsclient "k8s.io/client-go/kubernetes/typed/apps/v1"
	coreclient "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

// The one Deployment that is run.
const (
	workloadNamespace = "freehold-system"
	workloadName      = "namespace-controller"
)

// workload stands for the Deployment controller and the kubelet, for one
// Deployment: it runs as many processes as the Deployment has replicas, and
// writes the Deployment's status from what they answer.
type workload struct {
	supervisor *supervisor
	admin      *rest.Config
	apps       appsclient.DeploymentInterface
	core       coreclient.CoreV1Interface
	rollout    rollout
	changed    chan struct{} // something to look at: an object, a replica

	template *corev1.PodTemplateSpec // of the replicas that run
	since    time.Time               // when the template last changed
	replicas []*replica
}

func newWorkload(s *supervisor, admin *rest.Config) (*workload, error) {
	apps, err := appsclient.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	core, err := coreclient.NewForConfig(admin)
	if err != nil {
		return nil, err
	}
	rollout, err := newRollout(admin, workloadNamespace)
	if err != nil {
		return nil, err
	}
	return &workload{
		supervisor: s,
		admin:      admin,
		apps:       apps.Deployments(workloadNamespace),
		core:       core,
		rollout:    rollout,
		changed:    make(chan struct{}, 1),
	}, nil
}

// begin looks at the Deployment once, so that a status of the cluster's last run
// is corrected before anyone reads it, and then follows it until end is called.
func (w *workload) begin(ctx context.Context) (end func(), err error) {
	d, err := w.apps.Get(ctx, workloadName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		d, err = nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read deployment %s/%s: %w", workloadNamespace, workloadName, err)
	}
	// Like the other children, the replicas end in their turn and not with ctx.
	running, cancel := context.WithCancel(context.Background())
	w.reconcile(running, d)
	if d != nil {
		w.restored(ctx, running, int(d.Status.ReadyReplicas))
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		w.follow(running)
	}()
	return func() { cancel(); <-done }, nil
}

// restoreWithin bounds the wait for replicas that were ready before the cluster
// stopped. One that is not ready any more is found to be so after it.
const restoreWithin = 10 * time.Second

// restored waits until as many replicas are ready as were when the cluster stopped.
// A cluster of EKS never stops: nobody is to see that this one did, and a
// Deployment that is not available for a moment is a difference to whoever reads it.
func (w *workload) restored(ctx, running context.Context, ready int) {
	ctx, cancel := context.WithTimeout(ctx, restoreWithin)
	defer cancel()
	for w.ready() < min(ready, len(w.replicas)) {
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		case <-time.After(100 * time.Millisecond):
		}
	}
	if d, err := w.apps.Get(ctx, workloadName, metav1.GetOptions{}); err == nil {
		w.reconcile(running, d)
	} // else whoever follows it sees to it
}

// ready counts the replicas that answer.
func (w *workload) ready() (n int) {
	for _, r := range w.replicas {
		if ok, _ := r.state(); ok {
			n++
		}
	}
	return n
}

// follow reconciles whenever the Deployment or a replica changes.
func (w *workload) follow(ctx context.Context) {
	defer w.scale(ctx, nil, 0)
	selector := fields.OneTermEqualSelector("metadata.name", workloadName).String()
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = selector
			return w.apps.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return w.apps.Watch(ctx, o)
		},
	}, &appsv1.Deployment{}, 0, cache.Indexers{})
	if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { w.poke() },
		UpdateFunc: func(any, any) { w.poke() },
		DeleteFunc: func(any) { w.poke() },
	}); err != nil {
		w.supervisor.log.Error("cannot follow the namespace controller's deployment", "error", err)
		return
	}
	go informer.RunWithContext(ctx)
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return
	}
	// The tick notices a progress deadline that has passed.
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		obj, _, err := informer.GetStore().GetByKey(workloadNamespace + "/" + workloadName)
		if err != nil {
			w.supervisor.log.Error("read the deployment", "error", err)
		}
		d, _ := obj.(*appsv1.Deployment)
		w.reconcile(ctx, d)
		select {
		case <-ctx.Done():
			return
		case <-w.changed:
		case <-tick.C:
		}
	}
}

func (w *workload) poke() {
	select {
	case w.changed <- struct{}{}:
	default: // a look is due already
	}
}

// reconcile makes the processes those that the Deployment asks for, and tells
// in its status how they are.
func (w *workload) reconcile(ctx context.Context, d *appsv1.Deployment) {
	if d == nil || d.DeletionTimestamp != nil {
		w.scale(ctx, nil, 0)
		return
	}
	want := int32(1)
	if d.Spec.Replicas != nil {
		want = *d.Spec.Replicas
	}
	w.scale(ctx, &d.Spec.Template, int(want))
	if err := w.write(ctx, d, want); err != nil && ctx.Err() == nil {
		// Conflicts are usual: the newer object comes by the watch.
		w.supervisor.log.Debug("write the deployment's status", "error", err)
		time.AfterFunc(200*time.Millisecond, w.poke)
	}
}

// write brings the ReplicaSets and the Deployment's status up to date. The
// revision goes with the status, as the Deployment controller writes it: of the
// metadata, annotations can be changed that way.
func (w *workload) write(ctx context.Context, d *appsv1.Deployment, want int32) error {
	status, revision := w.status(d, want), d.Annotations[revisionAnnotation]
	switch set, err := w.rollout.sync(ctx, d, want, status.ReadyReplicas); {
	case err == nil:
		revision = set.Annotations[revisionAnnotation]
	case apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err):
		return err
	default:
		w.refused(d, &status, err)
	}
	if equality.Semantic.DeepEqual(d.Status, status) && d.Annotations[revisionAnnotation] == revision {
		return nil
	}
	d = d.DeepCopy()
	d.Status = status
	metav1.SetMetaDataAnnotation(&d.ObjectMeta, revisionAnnotation, revision)
	_, err := w.rollout.deployments.UpdateStatus(ctx, d, metav1.UpdateOptions{})
	return err
}

// refused says in a status why there is no ReplicaSet, and so no pod, of the
// Deployment's template: what admission policies refuse, for one.
func (w *workload) refused(d *appsv1.Deployment, s *appsv1.DeploymentStatus, err error) {
	s.Replicas, s.UpdatedReplicas, s.ReadyReplicas, s.AvailableReplicas = 0, 0, 0, 0
	s.Conditions = nil
	for _, c := range []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionFalse, Reason: "MinimumReplicasUnavailable", Message: err.Error()},
		{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: "ReplicaSetCreateError", Message: err.Error()},
	} {
		s.Conditions = append(s.Conditions, w.dated(d.Status.Conditions, c))
	}
}

// scale starts and ends replicas. A new template ends those of the old one first.
func (w *workload) scale(ctx context.Context, template *corev1.PodTemplateSpec, n int) {
	if template == nil || w.template == nil || !equality.Semantic.DeepEqual(template, w.template) {
		for _, r := range w.replicas {
			r.end()
		}
		w.replicas, w.template, w.since = nil, template.DeepCopy(), w.supervisor.options.Now()
	}
	for len(w.replicas) > n {
		last := len(w.replicas) - 1
		w.replicas[last].end()
		w.replicas = w.replicas[:last]
	}
	for len(w.replicas) < n && ctx.Err() == nil {
		r := newReplica(w, len(w.replicas), w.template)
		r.begin()
		w.replicas = append(w.replicas, r)
	}
}

// status tells what the Deployment controller would tell of pods like these processes.
func (w *workload) status(d *appsv1.Deployment, want int32) appsv1.DeploymentStatus {
	var ready int32
	var why string
	for _, r := range w.replicas {
		if ok, message := r.state(); ok {
			ready++
		} else {
			why = message
		}
	}
	s := appsv1.DeploymentStatus{
		ObservedGeneration:  d.Generation,
		Replicas:            want,
		UpdatedReplicas:     want,
		ReadyReplicas:       ready,
		AvailableReplicas:   ready,
		UnavailableReplicas: want - ready,
		CollisionCount:      d.Status.CollisionCount,
	}
	available := appsv1.DeploymentCondition{Type: appsv1.DeploymentAvailable, Status: corev1.ConditionTrue, Reason: "MinimumReplicasAvailable", Message: "Deployment has minimum availability."}
	progressing := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionTrue, Reason: "NewReplicaSetAvailable", Message: "Every replica answers on /readyz."}
	if ready < want {
		available.Status, available.Reason, available.Message = corev1.ConditionFalse, "MinimumReplicasUnavailable", why
		progressing.Reason, progressing.Message = "ReplicaSetUpdated", why
		if w.late(d) {
			progressing.Status, progressing.Reason = corev1.ConditionFalse, "ProgressDeadlineExceeded"
		}
	}
	for _, c := range []appsv1.DeploymentCondition{available, progressing} {
		s.Conditions = append(s.Conditions, w.dated(d.Status.Conditions, c))
	}
	return s
}

// late reports whether the progress deadline has passed since the template changed.
func (w *workload) late(d *appsv1.Deployment) bool {
	seconds := int32(600) // the API's own default
	if d.Spec.ProgressDeadlineSeconds != nil {
		seconds = *d.Spec.ProgressDeadlineSeconds
	}
	return w.supervisor.options.Now().Sub(w.since) > time.Duration(seconds)*time.Second
}

// dated gives a condition its times: those it had, as far as it has not changed.
func (w *workload) dated(had []appsv1.DeploymentCondition, c appsv1.DeploymentCondition) appsv1.DeploymentCondition {
	now := metav1.NewTime(w.supervisor.options.Now().UTC().Truncate(time.Second))
	c.LastTransitionTime, c.LastUpdateTime = now, now
	for _, old := range had {
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		if old.Status == c.Status && old.Reason == c.Reason && old.Message == c.Message {
			c.LastUpdateTime = old.LastUpdateTime
		}
	}
	return c
}
