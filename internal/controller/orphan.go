package controller

import (
	"context"
	"fmt"
	"sync"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

// A project can be gone though its finalizer was on it. The API server decides
// from what it has read whether an object has finalizers, and deletes what is
// there a moment later: a finalizer that arrives in between is deleted with the
// object, and its writer was told that it is in place. Somebody can also remove it
// by hand. Either way nobody asks for the project's namespace any more.
// https://github.com/kubernetes/kubernetes/blob/v1.35.4/staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go
//
// vanished are such projects, as they were last.
type vanished struct {
	mu sync.Mutex
	by map[string]*v1alpha1.Project
}

func newVanished() *vanished { return &vanished{by: map[string]*v1alpha1.Project{}} }

// notice keeps a project that goes with its finalizer on it.
func (v *vanished) notice() predicate.Predicate {
	return predicate.Funcs{DeleteFunc: func(e event.DeleteEvent) bool {
		p, ok := e.Object.(*v1alpha1.Project)
		if ok && controllerutil.ContainsFinalizer(p, v1alpha1.Finalizer) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.by[p.Name] = p
		}
		return true
	}}
}

func (v *vanished) of(name string) *v1alpha1.Project {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.by[name]
}

func (v *vanished) forget(name string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.by, name)
}

// orphaned reports whether a namespace was made for a project, is not retained
// after it, and stays unless somebody does something.
func orphaned(ns *corev1.Namespace) bool {
	return ns.Labels[v1alpha1.LabelManagedBy] == v1alpha1.ManagedBy && ns.Labels[v1alpha1.LabelProject] == ns.Name &&
		ns.Annotations[v1alpha1.AnnotationRetained] != "true" && ns.DeletionTimestamp.IsZero()
}

// orphan does for a project that is gone what should have been done before it
// went, and says when to look again; zero: there is nothing left to do.
func (r *projects) orphan(ctx context.Context, name string) (time.Duration, error) {
	was := r.vanished.of(name)
	l := &look{projects: r, p: was, now: r.now(), again: r.resync(name)}
	if was == nil {
		l.p = &v1alpha1.Project{}
		l.p.Name = name
		ns, err := l.cachedNamespace(ctx)
		if err != nil || ns == nil || !orphaned(ns) {
			return 0, err
		}
	}
	// The cache may not have heard yet of a namespace that was just made, or of a
	// project that was made again.
	ns, err := l.liveNamespace(ctx)
	if err != nil {
		return 0, err
	}
	if ns == nil || !orphaned(ns) {
		r.vanished.forget(name)
		return 0, nil
	}
	var again v1alpha1.ProjectList
	if err := r.live.List(ctx, &again, client.MatchingFields{"metadata.name": name}); err != nil {
		return 0, fmt.Errorf("look for the project: %w", err)
	}
	if len(again.Items) > 0 {
		return 0, nil // it is on its way to the cache, and is looked at then
	}
	l.log = r.log.With("org", l.org(), "project", name)
	confirmed := l.p.Spec.DeletionPolicy == v1alpha1.DeletionDelete && l.p.Annotations[v1alpha1.AnnotationConfirmDelete] == name
	if confirmed {
		_, err := l.drain(ctx, ns)
		l.soon(2 * time.Second) // until it is gone
		return l.again, err
	}
	if was == nil || l.p.Spec.DeletionPolicy == v1alpha1.DeletionDelete {
		// What the project wanted is not known, or is that nobody stays.
		if err := l.keep(ctx, &rbacv1.RoleBindingList{}); err != nil {
			return 0, err
		}
	}
	body := fmt.Appendf(nil, `{"metadata":{"resourceVersion":%q,"annotations":{%q:"true"}}}`, ns.ResourceVersion, v1alpha1.AnnotationRetained)
	if err := l.sendPatch(ctx, ns, client.RawPatch(types.MergePatchType, body), "Namespace", "retained"); err != nil {
		return 0, err
	}
	r.memory.forget(name)
	r.vanished.forget(name)
	l.log.Warn("the project went without its finalizer being asked; its namespace is retained, with its fences", "membersRemoved", was == nil || l.p.Spec.DeletionPolicy == v1alpha1.DeletionDelete)
	return 0, nil
}
