package controller

import (
	"context"
	"fmt"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

// finalizer is put on a project before anything is made for it. It reports whether
// it is there: a project that was deleted before it could be is gone, nobody would
// look at it again, and whatever were made for it then would stay, open to the
// members of a project that no longer exists.
func (l *look) finalizer(ctx context.Context) (there bool, err error) {
	if controllerutil.ContainsFinalizer(l.p, v1alpha1.Finalizer) {
		return true, nil
	}
	if err := l.patchFinalizer(ctx, controllerutil.AddFinalizer); err != nil {
		return false, client.IgnoreNotFound(err)
	}
	return true, nil
}

// patchFinalizer changes the project's finalizers, unless somebody else changed
// the project meanwhile: a list is written as a whole.
func (l *look) patchFinalizer(ctx context.Context, change func(client.Object, string) bool) error {
	was := l.p
	next := was.DeepCopy()
	if !change(next, v1alpha1.Finalizer) {
		return nil
	}
	l.meters.wrote("Project", "patch")
	patch := client.MergeFromWithOptions(was, client.MergeFromWithOptimisticLock{})
	if err := l.client.Patch(ctx, next, patch, client.FieldOwner(fieldManager)); err != nil {
		return err
	}
	l.memory.wrote(projectKey(next.Name), 0, next, l.now)
	l.p = next
	return nil
}

// delete does what a deleted project's policy says, and tells when there is
// nothing left to do.
func (l *look) delete(ctx context.Context) (gone bool, err error) {
	if !controllerutil.ContainsFinalizer(l.p, v1alpha1.Finalizer) {
		return true, nil
	}
	ns, err := l.cachedNamespace(ctx)
	if err == nil && (ns == nil || !l.owns(ns)) {
		// The cache may not have heard yet of what was just made or taken over,
		// and nobody looks again once the finalizer is gone.
		ns, err = l.liveNamespace(ctx)
	}
	switch {
	case err != nil:
		return false, err
	case ns == nil, !l.owns(ns):
		return true, l.release(ctx, "there is no namespace of its own")
	case l.p.Spec.DeletionPolicy != v1alpha1.DeletionDelete:
		if err := l.retain(ctx, ns); err != nil {
			return false, err
		}
		return true, l.release(ctx, "the namespace is retained, with its fences")
	case l.p.Annotations[v1alpha1.AnnotationConfirmDelete] != l.p.Name && ns.DeletionTimestamp.IsZero():
		// It may wait for long, and people may still work in it.
		l.waits = answer{
			reason: "ConfirmationNeeded",
			message: fmt.Sprintf("the namespace is deleted with all that is in it when the project is annotated with %s=%s; to keep it, set deletionPolicy to %s",
				v1alpha1.AnnotationConfirmDelete, l.p.Name, v1alpha1.DeletionRetain),
		}
		return false, l.fence(ctx)
	}
	for _, s := range steps {
		l.answers = append(l.answers, answer{condition: s.condition, reason: "Terminating", message: "the project is being deleted", ours: true, expected: true})
	}
	l.waits, err = l.drain(ctx, ns)
	return false, err
}

// release lets a project go.
func (l *look) release(ctx context.Context, why string) error {
	if err := l.patchFinalizer(ctx, controllerutil.RemoveFinalizer); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("remove the finalizer: %w", err)
	}
	l.log.Info("project is gone", "because", why)
	return nil
}

// retain marks a namespace whose project goes. Its labels stay, and so does
// whoever keeps everybody's hands off what carries them.
func (l *look) retain(ctx context.Context, ns *corev1.Namespace) error {
	if !ns.DeletionTimestamp.IsZero() {
		return nil // somebody deletes it; there is nothing to retain
	}
	want := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns.Name, UID: ns.UID, Labels: l.namespaceLabels(), Annotations: l.namespaceAnnotations()}}
	want.Annotations[v1alpha1.AnnotationRetained] = "true"
	return l.ensure(ctx, want)
}

// drain empties and deletes a namespace, in an order: nobody is in it any more
// before its pods end, and no pod runs any more when its fences go.
func (l *look) drain(ctx context.Context, ns *corev1.Namespace) (answer, error) {
	if !ns.DeletionTimestamp.IsZero() {
		return answer{reason: "NamespaceEmptying", message: "waits for the namespace to be empty: " + remains(ns), ours: true, expected: true}, nil
	}
	if err := l.keep(ctx, &rbacv1.RoleBindingList{}); err != nil {
		return answer{}, err
	}
	l.sleeps = true
	if err := l.ensure(ctx, l.resourceQuota()); err != nil {
		return answer{}, err
	}
	pods, left, err := l.stopPods(ctx, true)
	if err != nil {
		return answer{}, err
	}
	if left > 0 {
		message := podsEnding(pods, left)
		return answer{reason: "PodsEnding", message: message, ours: true, expected: true}, nil
	}
	if err := l.remove(ctx, ns.DeepCopy()); err != nil {
		return answer{}, err
	}
	return answer{reason: "NamespaceEmptying", message: "waits for the namespace to be empty: Kubernetes empties it", ours: true, expected: true}, nil
}
