package controller

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// +kubebuilder:rbac:groups=freehold.dev,resources=projects,verbs=list;watch;patch
// +kubebuilder:rbac:groups=freehold.dev,resources=projects/status,verbs=patch;update
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create,namespace=default
// +kubebuilder:rbac:groups="",resources=events,verbs=create,namespace=freehold-system
// +kubebuilder:rbac:groups=coordination.k8s.io,resources=leases,verbs=create;get;update,namespace=freehold-system

// projects reconciles Projects.
//
// Fairness between projects is the queue's: a project is in it once however
// often it changes, one that fails comes back ever later, and what has just
// changed goes before what is only looked at again.
type projects struct {
	client    client.Client
	live      client.Reader // asks the API server, and not the cache
	events    events.EventRecorder
	log       *slog.Logger
	now       func() time.Time
	options   Options
	meters    *meters
	passes    *passes
	memory    *memory
	contests  *contests
	vanished  *vanished
	installed *installed
}

func newProjects(m ctrl.Manager, o Options, meters *meters, passes *passes) *projects {
	return &projects{
		client: m.GetClient(), live: m.GetAPIReader(), events: m.GetEventRecorder(v1alpha1.ManagedBy),
		log: o.Log, now: o.Now, options: o, meters: meters, passes: passes, memory: newMemory(), contests: newContests(), vanished: newVanished(),
	}
}

// setUp makes whatever can change what a project should be lead to a look at it.
func (r *projects) setUp(m ctrl.Manager) error {
	inNamespace := handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		return request(o.GetNamespace())
	})
	b := ctrl.NewControllerManagedBy(m).Named("project").
		For(&v1alpha1.Project{}, builder.WithPredicates(r.vanished.notice())).
		// What one project lets in is a way out of the other.
		Watches(&v1alpha1.Project{}, handler.EnqueueRequestsFromMapFunc(callersOf), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		Watches(&corev1.Namespace{}, handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
			return request(o.GetName())
		})).
		Watches(&corev1.Service{}, handler.EnqueueRequestsFromMapFunc(r.everyProject), builder.WithPredicates(predicate.NewPredicateFuncs(isAPI))).
		Watches(&corev1.Service{}, inNamespace, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&corev1.Pod{}, inNamespace, builder.WithPredicates(predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
			return podsEnter(e.ObjectOld, e.ObjectNew)
		}})).
		Watches(&rbacv1.Role{}, inNamespace).
		Watches(&networkingv1.Ingress{}, inNamespace, builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{}))).
		Watches(&networkingv1.IngressClass{}, handler.EnqueueRequestsFromMapFunc(r.everyProject)).
		WatchesRawSource(r.installed).
		Watches(&rbacv1.ClusterRoleBinding{}, handler.EnqueueRequestsFromMapFunc(ofPods)).
		Watches(&discoveryv1.EndpointSlice{}, handler.EnqueueRequestsFromMapFunc(r.everyProject)).
		WithOptions(controller.Options{
			MaxConcurrentReconciles: r.options.Workers,
			// A slot that waits for a silent API server is given to another project.
			ReconciliationTimeout: 30 * time.Second,
			RateLimiter:           workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](50*time.Millisecond, time.Minute),
		})
	for _, o := range owned() {
		b = b.Watches(o, inNamespace)
	}
	for _, w := range workloads {
		b = b.Watches(w.object, handler.EnqueueRequestsFromMapFunc(r.sleepers),
			builder.WithPredicates(predicate.Or(predicate.GenerationChangedPredicate{}, predicate.AnnotationChangedPredicate{})))
	}
	return b.Complete(r)
}

func request(name string) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: name}}}
}

// everyProject asks for all of them: the cluster's API moved.
func (r *projects) everyProject(ctx context.Context, _ client.Object) []reconcile.Request {
	var all v1alpha1.ProjectList
	if err := r.client.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		r.log.Error("list projects", "error", err)
		return nil
	}
	var requests []reconcile.Request
	for i := range all.Items {
		requests = append(requests, request(all.Items[i].Name)...)
	}
	return requests
}

// sleepers asks for the project of a workload that came or changed, where that
// is asleep: it is to be stopped, too. A project that is awake has many such
// changes, and none that would matter.
func (r *projects) sleepers(ctx context.Context, o client.Object) []reconcile.Request {
	var p v1alpha1.Project
	if err := r.client.Get(ctx, client.ObjectKey{Name: o.GetNamespace()}, &p, client.UnsafeDisableDeepCopy); err != nil {
		return nil // it is no project's
	}
	_, marked := o.GetAnnotations()[v1alpha1.AnnotationBeforeHibernation]
	written := slices.ContainsFunc(o.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == fieldManager })
	if sleeps, _, _, _ := hibernates(&p, r.now()); !sleeps && !marked && !written {
		return nil
	}
	return request(p.Name)
}

// Reconcile makes a project's namespace what the project says.
func (r *projects) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	began := r.now()
	again, err := r.reconcile(ctx, req.Name)
	r.passes.visit(req.Name)
	r.meters.reconciled(r.now().Sub(began), err)
	switch {
	case apierrors.IsConflict(err):
		// Somebody was faster; what they wrote is on its way to the cache.
		return ctrl.Result{RequeueAfter: 100 * time.Millisecond}, nil
	case err != nil:
		return ctrl.Result{}, fmt.Errorf("project %s: %w", req.Name, err)
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// reconcile says when to look again.
func (r *projects) reconcile(ctx context.Context, name string) (time.Duration, error) {
	var p v1alpha1.Project
	if err := r.client.Get(ctx, client.ObjectKey{Name: name}, &p); err != nil {
		if !apierrors.IsNotFound(err) {
			return 0, err
		}
		r.contests.forget(name)
		if r.vanished.of(name) == nil {
			r.memory.forget(name)
		}
		return r.orphan(ctx, name)
	}
	r.vanished.forget(name)
	l := &look{
		projects: r,
		p:        r.memory.newer(projectKey(name), &p).(*v1alpha1.Project),
		now:      r.now(),
		again:    r.resync(name),
	}
	l.log = r.log.With("org", l.org(), "project", name)
	l.sleeps, l.why = l.hibernates()
	if !l.p.DeletionTimestamp.IsZero() {
		gone, err := l.delete(ctx)
		if gone || err != nil {
			return 0, errors.Join(err, l.report(ctx, gone))
		}
		return l.again, l.report(ctx, false)
	}
	if there, err := l.finalizer(ctx); !there || err != nil {
		return 0, err
	}
	err := l.fence(ctx)
	return l.again, errors.Join(err, l.report(ctx, false))
}

// resync spreads the looks at projects to which nothing happens, so that they
// do not come all at once; the same project's always as far apart.
func (r *projects) resync(name string) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(name))
	return r.options.Resync + r.options.Resync*time.Duration(h.Sum32()%200)/1000
}

// look is one look at one project.
type look struct {
	*projects
	p   *v1alpha1.Project
	now time.Time
	log *slog.Logger

	sleeps bool   // its pods are to be stopped
	why    string // it sleeps
	ending string // the pods that have not ended yet, where it sleeps

	step    string        // the condition of the step that is being made
	there   bool          // the namespace is the project's, and others can be made in it
	again   time.Duration // until the next look
	answers []answer      // of the steps, in order
	waits   answer        // what a deletion waits for
	counts  v1alpha1.Counts
}

// answer says how far a step is; one with a reason does not hold.
type answer struct {
	condition string
	reason    string // a word for programs; empty: it holds
	message   string // for people
	ours      bool   // no person has to do something
	expected  bool   // and nothing is wrong: it only takes time
}

func (a answer) holds() bool { return a.reason == "" }

// step makes one part of a namespace. Its answer says what a person has to know
// or do; an error is what may be better the next time.
type step struct {
	condition string
	run       func(*look, context.Context) (answer, error)
	done      string // the condition's reason when it holds
}

// steps are in their order; the first is what the others are made in.
var steps = []step{
	{v1alpha1.ConditionNamespaceReady, (*look).namespace, "Labeled"},
	{v1alpha1.ConditionQuotaApplied, (*look).quota, "Applied"},
	{v1alpha1.ConditionNetworkFenced, (*look).network, "Fenced"},
	{v1alpha1.ConditionAccessApplied, (*look).access, "Applied"},
}

// fence goes through the steps. One that fails does not keep the others from
// being made: each is a fence of its own.
func (l *look) fence(ctx context.Context) error {
	defer func() { l.step = "" }()
	l.contests.carry(l.p.Name, l.p.Status.Conditions, l.now)
	var failures []error
	for i, s := range steps {
		if i > 0 && !l.there {
			l.answers = append(l.answers, answer{condition: s.condition, reason: "NamespaceNotReady", message: "there is no namespace to make it in"})
			continue
		}
		l.step = s.condition
		a, err := s.run(l, ctx)
		if err != nil {
			failures = append(failures, err)
			a = failed(err)
		}
		l.there = l.there || i == 0 && a.holds()
		if a.holds() {
			a = l.contested(s.condition)
		}
		if l.there && (a.holds() || a.expected) {
			beside, err := l.strays(ctx, s.condition)
			if err != nil {
				failures = append(failures, err)
				beside = failed(err)
			}
			if !beside.holds() {
				a = beside
			}
		}
		a.condition = s.condition
		l.answers = append(l.answers, a)
	}
	return errors.Join(failures...)
}

// fenced reports whether all steps so far are done. One that somebody works against
// is: members who are in lose nothing when theirs is among what is fought over.
func (l *look) fenced() bool {
	for _, a := range l.answers {
		if !a.holds() && a.reason != reasonContested {
			return false
		}
	}
	return true
}

// failed says what an error of the API server means for a project.
func failed(err error) answer {
	switch {
	case apierrors.IsInvalid(err):
		return answer{reason: "Refused", message: "the API server does not accept what the project asks for: " + err.Error()}
	case apierrors.IsForbidden(err):
		return answer{reason: "Forbidden", message: "the namespace controller may not do this: " + err.Error()}
	}
	return answer{reason: "WriteFailed", message: "it is tried again: " + err.Error(), ours: true}
}

// soon makes the next look come no later than that.
func (l *look) soon(d time.Duration) { l.again = min(l.again, d) }
