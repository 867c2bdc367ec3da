package controller

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// fieldManager is who writes, in the managed fields of everything written here.
const fieldManager = "freehold-namespace-controller"

// annotations are those of ours that must not be where they are not meant.
var annotations = []string{
	v1alpha1.AnnotationRegistries, v1alpha1.AnnotationHosts, v1alpha1.AnnotationPriorityClasses, v1alpha1.AnnotationStorageClasses, v1alpha1.AnnotationRuntimeClasses,
	v1alpha1.AnnotationDisplayName, v1alpha1.AnnotationPodIdentityRole, v1alpha1.AnnotationRetained,
}

// labels are those of everything that is the project's.
func (l *look) labels() map[string]string {
	set := map[string]string{v1alpha1.LabelManagedBy: v1alpha1.ManagedBy, v1alpha1.LabelProject: l.p.Name}
	if org := l.org(); org != "" {
		set[v1alpha1.LabelOrg] = org
	}
	return set
}

// org is whose the project is: a cluster's projects are its org's.
func (l *look) org() string {
	if l.p.Spec.Org != "" {
		return l.p.Spec.Org
	}
	return l.options.Org
}

// named is the metadata of an object in the project's namespace.
func (l *look) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: l.p.Name, Labels: l.labels()}
}

// keep makes the objects of a kind in the project's namespace those that are
// given, all of them as they are given.
func (l *look) keep(ctx context.Context, list client.ObjectList, want ...client.Object) error {
	var failures []error
	names := map[string]bool{}
	for _, o := range want {
		names[o.GetName()] = true
		if err := l.ensure(ctx, o); err != nil {
			failures = append(failures, err)
		}
	}
	if err := l.client.List(ctx, list, client.InNamespace(l.p.Name)); err != nil {
		return errors.Join(append(failures, fmt.Errorf("list what is in the namespace: %w", err))...)
	}
	failures = append(failures, meta.EachListItem(list, func(o runtime.Object) error {
		extra := o.(client.Object)
		// What does not carry the label was not made for the project: see strays.go.
		if names[extra.GetName()] || extra.GetLabels()[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy {
			return nil
		}
		return l.removeExtra(ctx, extra)
	}))
	return errors.Join(failures...)
}

// ensure makes one object what it should be, and writes nothing if it is.
func (l *look) ensure(ctx context.Context, want client.Object) error {
	kind, err := l.kind(want)
	if err != nil {
		return err
	}
	found, err := l.cached(ctx, kind, want)
	if err != nil {
		return err
	}
	if found != nil && same(want, found) {
		return nil
	}
	payload, sum, err := payload(kind, want)
	if err != nil {
		return err
	}
	key := keyOf(kind, want)
	if found == nil && l.memory.justWrote(key, sum, l.now) {
		// The cache does not show it yet; if it was deleted again, we shall see.
		l.soon(unseen)
		return nil
	}
	who, undo := l.changed(key, sum, found)
	does := "changing"
	if found == nil {
		does = "deleting"
	}
	if undo && !l.mayRestore(key, who, does) {
		return nil
	}
	got, err := l.write(ctx, kind, want, payload)
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind.Kind, want.GetName(), err)
	}
	l.memory.wrote(key, sum, got, l.now)
	if undo {
		l.undone(kind, got, found == nil, who)
	}
	if !same(want, got) {
		return fmt.Errorf("%s %s: the API server has stored something else than what was written: an admission webhook or policy changes it", kind.Kind, want.GetName())
	}
	return nil
}

// removeExtra deletes an object that carries the project's labels and is none of
// its own. One that was not made here is somebody's, who may make it again.
func (l *look) removeExtra(ctx context.Context, extra client.Object) error {
	kind, err := l.kind(extra)
	if err != nil {
		return err
	}
	key := keyOf(kind, extra)
	if l.memory.last(key) == 0 && !l.mayRestore(key, cmp.Or(lastOther(extra.GetManagedFields()), "somebody"), "making") {
		return nil
	}
	return l.remove(ctx, extra)
}

func (l *look) kind(o client.Object) (schema.GroupVersionKind, error) {
	return apiutil.GVKForObject(o, l.client.Scheme())
}

// cached returns an object as the cache has it, or as it was written here since;
// nil: there is none that is ours.
func (l *look) cached(ctx context.Context, kind schema.GroupVersionKind, want client.Object) (client.Object, error) {
	found := want.DeepCopyObject().(client.Object)
	err := l.client.Get(ctx, client.ObjectKeyFromObject(want), found, client.UnsafeDisableDeepCopy)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", kind.Kind, want.GetName(), err)
	}
	return l.memory.newer(keyOf(kind, want), found), nil
}

// write applies an object. If what is there then is something else all the same,
// another's fields are in it, and it is replaced.
func (l *look) write(ctx context.Context, kind schema.GroupVersionKind, want client.Object, payload *unstructured.Unstructured) (client.Object, error) {
	got, err := l.apply(ctx, kind, payload)
	if apierrors.IsInvalid(err) {
		return l.remake(ctx, kind, want, payload, err)
	}
	if err != nil || same(want, got) {
		return got, err
	}
	put(want, got)
	l.meters.wrote(kind.Kind, "update")
	err = l.client.Update(ctx, got, client.FieldOwner(fieldManager))
	if apierrors.IsInvalid(err) {
		return l.remake(ctx, kind, want, payload, err)
	}
	return got, err
}

func (l *look) apply(ctx context.Context, kind schema.GroupVersionKind, payload *unstructured.Unstructured) (client.Object, error) {
	u := payload.DeepCopy()
	l.meters.wrote(kind.Kind, "apply")
	if err := l.client.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(fieldManager), client.ForceOwnership); err != nil {
		return nil, err
	}
	got, err := l.client.Scheme().New(kind)
	if err != nil {
		return nil, err
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, got); err != nil {
		return nil, fmt.Errorf("read what was written: %w", err)
	}
	return got.(client.Object), nil
}

// remake deletes an object whose difference cannot be written, and makes it
// again. Only what is known to be immutable justifies it: what the API server
// refuses for itself would be refused again, with the fence already gone.
func (l *look) remake(ctx context.Context, kind schema.GroupVersionKind, want client.Object, payload *unstructured.Unstructured, why error) (client.Object, error) {
	live := want.DeepCopyObject().(client.Object)
	if err := l.live.Get(ctx, client.ObjectKeyFromObject(want), live); err != nil {
		return nil, errors.Join(why, err)
	}
	if !immutablyOther(want, live) {
		return nil, why
	}
	if err := l.remove(ctx, live); err != nil {
		return nil, err
	}
	return l.apply(ctx, kind, payload)
}

// remove deletes an object, and no other of its name.
func (l *look) remove(ctx context.Context, o client.Object) error {
	kind, err := l.kind(o)
	if err != nil {
		return err
	}
	l.meters.wrote(kind.Kind, "delete")
	uid := o.GetUID()
	err = l.client.Delete(ctx, o, client.Preconditions{UID: &uid})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete %s %s: %w", kind.Kind, o.GetName(), err)
	}
	l.memory.drop(keyOf(kind, o))
	l.log.Info("removed", "kind", kind.Kind, "name", o.GetName())
	return nil
}

// same reports whether an object is as it should be. What others may add to it
// without opening a fence is left to them: labels, annotations, the secrets of a
// service account. An owner and a finalizer are not among it.
func same(want, found client.Object) bool {
	if !contains(found.GetLabels(), want.GetLabels()) || !contains(found.GetAnnotations(), want.GetAnnotations()) {
		return false
	}
	for _, name := range annotations {
		_, has := found.GetAnnotations()[name]
		if _, should := want.GetAnnotations()[name]; has != should {
			return false
		}
	}
	if len(found.GetOwnerReferences()) > 0 || len(finalizers(found)) < len(found.GetFinalizers()) {
		return false
	}
	switch want := want.(type) {
	case *corev1.Namespace:
		return true
	case *corev1.ResourceQuota:
		return equality.Semantic.DeepEqual(want.Spec, found.(*corev1.ResourceQuota).Spec)
	case *corev1.LimitRange:
		return equality.Semantic.DeepEqual(want.Spec, found.(*corev1.LimitRange).Spec)
	case *networkingv1.NetworkPolicy:
		return equality.Semantic.DeepEqual(want.Spec, found.(*networkingv1.NetworkPolicy).Spec)
	case *corev1.ServiceAccount:
		return equality.Semantic.DeepEqual(want.AutomountServiceAccountToken, found.(*corev1.ServiceAccount).AutomountServiceAccountToken)
	case *rbacv1.RoleBinding:
		found := found.(*rbacv1.RoleBinding)
		return want.RoleRef == found.RoleRef && equality.Semantic.DeepEqual(want.Subjects, found.Subjects)
	}
	panic(fmt.Sprintf("it is not known when a %T is the same", want)) // a kind without a case is a mistake of ours
}

func contains(all, some map[string]string) bool {
	for k, v := range some {
		if got, ok := all[k]; !ok || got != v {
			return false
		}
	}
	return true
}

// policyFinalizer is EKS's, by which a network policy's rules leave the nodes
// before the policy does (aws/aws-network-policy-agent, issue 568).
const policyFinalizer = "networking.k8s.aws/resources"

// finalizers are those of an object that may stay. With any other one a fence
// that somebody deletes is neither there nor gone. Namespaces have those of
// whoever works in them.
func finalizers(o client.Object) []string {
	if _, is := o.(*corev1.Namespace); is {
		return o.GetFinalizers()
	}
	return slices.DeleteFunc(slices.Clone(o.GetFinalizers()), func(f string) bool { return f != policyFinalizer })
}

// put makes an object the same as another. An owner would take it along when it goes.
func put(want, into client.Object) {
	into.SetOwnerReferences(nil)
	into.SetFinalizers(finalizers(into))
	into.SetLabels(merged(into.GetLabels(), want.GetLabels()))
	all := merged(into.GetAnnotations(), want.GetAnnotations())
	for _, name := range annotations {
		if _, should := want.GetAnnotations()[name]; !should {
			delete(all, name)
		}
	}
	into.SetAnnotations(all)
	switch want := want.(type) {
	case *corev1.ResourceQuota:
		into.(*corev1.ResourceQuota).Spec = want.Spec
	case *corev1.LimitRange:
		into.(*corev1.LimitRange).Spec = want.Spec
	case *networkingv1.NetworkPolicy:
		into.(*networkingv1.NetworkPolicy).Spec = want.Spec
	case *corev1.ServiceAccount:
		into.(*corev1.ServiceAccount).AutomountServiceAccountToken = want.AutomountServiceAccountToken
	case *rbacv1.RoleBinding:
		into.(*rbacv1.RoleBinding).Subjects = want.Subjects
	}
}

func merged(a, b map[string]string) map[string]string {
	m := make(map[string]string, len(a)+len(b))
	maps.Copy(m, a)
	maps.Copy(m, b)
	return m
}

// immutablyOther reports whether an object differs in what Kubernetes lets nobody change.
func immutablyOther(want, live client.Object) bool {
	switch want := want.(type) {
	case *rbacv1.RoleBinding:
		return want.RoleRef != live.(*rbacv1.RoleBinding).RoleRef
	case *corev1.ResourceQuota:
		was := live.(*corev1.ResourceQuota).Spec
		return !equality.Semantic.DeepEqual(want.Spec.Scopes, was.Scopes) || !equality.Semantic.DeepEqual(want.Spec.ScopeSelector, was.ScopeSelector)
	}
	return false
}

// payload is what is applied, and a sum of it.
func payload(kind schema.GroupVersionKind, want client.Object) (*unstructured.Unstructured, uint64, error) {
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(want)
	if err != nil {
		return nil, 0, fmt.Errorf("write %s %s: %w", kind.Kind, want.GetName(), err)
	}
	u := &unstructured.Unstructured{Object: fields}
	u.SetGroupVersionKind(kind)
	// These are the API server's; a type writes them though they are empty.
	unstructured.RemoveNestedField(u.Object, "status")
	unstructured.RemoveNestedField(u.Object, "metadata", "creationTimestamp")
	if kind.Kind == "Namespace" {
		unstructured.RemoveNestedField(u.Object, "spec")
	}
	// What it should be does not depend on which one it is.
	uid := u.GetUID()
	unstructured.RemoveNestedField(u.Object, "metadata", "uid")
	text, err := json.Marshal(u.Object)
	if uid != "" {
		u.SetUID(uid)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("write %s %s: %w", kind.Kind, want.GetName(), err)
	}
	h := fnv.New64a()
	h.Write(text)
	return u, h.Sum64(), nil
}

// changed reports whether somebody else made an object differ from what it should
// be, and who. When it is the project that changed, nobody did.
func (l *look) changed(key objectKey, sum uint64, found client.Object) (who string, undo bool) {
	if found != nil {
		who = lastOther(found.GetManagedFields())
	}
	// What was written here last is what should be there now.
	known := l.memory.last(key)
	if known == 0 {
		// Written by an earlier process: a spec that was done, and is not done now.
		undo = l.p.Status.ObservedGeneration == l.p.Generation && meta.IsStatusConditionTrue(l.p.Status.Conditions, v1alpha1.ConditionReady) &&
			(found == nil || who != "")
	} else {
		undo = known == sum
	}
	if who == "" {
		who = "somebody"
	}
	return who, undo
}

// lastOther is who wrote last, of those that are not us. Controllers that write
// a status are not meant.
func lastOther(entries []metav1.ManagedFieldsEntry) string {
	var last *metav1.ManagedFieldsEntry
	for i := range entries {
		e := &entries[i]
		if e.Manager == fieldManager || e.Subresource != "" {
			continue
		}
		if last == nil || e.Time != nil && (last.Time == nil || !e.Time.Before(last.Time)) {
			last = e
		}
	}
	if last == nil {
		return ""
	}
	return last.Manager
}

// undone tells in the log and in an Event whose change did not last. Each names
// another version of the object, so that no Event repeats one before, and none
// is ever patched.
func (l *look) undone(kind schema.GroupVersionKind, o client.Object, deleted bool, who string) {
	done, verb := "changed", "restored"
	if deleted {
		done, verb = "deleted", "made again"
		// The API server does not tell who deleted an object.
		if others := lastOther(o.GetManagedFields()); others != "" {
			who, done, verb = others, "taken out of Freehold's hands", "taken back"
		}
	}
	l.meters.undone.WithLabelValues(kind.Kind).Inc()
	l.log.Warn("undone", "kind", kind.Kind, "name", o.GetName(), "who", who, "what", done)
	l.events.Eventf(l.p, o, corev1.EventTypeWarning, "Restored", "Restore",
		"%s %s was %s by %s, and was %s: change the Project instead", kind.Kind, o.GetName(), done, who, verb)
}
