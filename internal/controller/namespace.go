package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"freehold.dev/freehold/internal/api/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reasons why there is no namespace for a project.
const (
	reasonTaken       = "NamespaceTaken"
	reasonOtherOrg    = "WrongOrg"
	reasonTerminating = "NamespaceTerminating"
)

// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;list;watch;create;patch;update;delete

// namespace makes the project's namespace, or finds that it is ours. One that is
// there and is not is never written to.
func (l *look) namespace(ctx context.Context) (answer, error) {
	if l.options.Org != "" && l.org() != l.options.Org {
		return answer{reason: reasonOtherOrg, message: fmt.Sprintf("this cluster is %s's, and the project says that it is %s's: nothing is made for it", l.options.Org, l.org())}, nil
	}
	want := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: l.p.Name, Labels: l.namespaceLabels(), Annotations: l.namespaceAnnotations()}}
	found, err := l.cachedNamespace(ctx)
	switch {
	case err != nil:
		return answer{}, err
	case found == nil:
		return l.makeNamespace(ctx, want)
	case !found.DeletionTimestamp.IsZero():
		return answer{
			reason:  reasonTerminating,
			message: "the namespace is being deleted, and is made again when it is gone: " + remains(found),
			ours:    true, expected: true,
		}, nil
	case !l.owns(found):
		if found.Annotations[v1alpha1.AnnotationAdopt] != l.p.Name {
			return answer{
				reason: reasonTaken,
				message: fmt.Sprintf("there is a namespace %s that is not this project's, and it is left alone; to hand it over, annotate it with %s=%s",
					l.p.Name, v1alpha1.AnnotationAdopt, l.p.Name),
			}, nil
		}
		l.log.Info("adopting the namespace")
		l.events.Eventf(l.p, found, corev1.EventTypeNormal, "Adopted", "Adopt", "namespace %s was there, and is taken over as its annotation says", l.p.Name)
	}
	// The id keeps a namespace that is deleted meanwhile from being made with
	// nothing but what is applied here.
	want.UID = found.UID
	return answer{}, l.ensure(ctx, want)
}

// makeNamespace creates it, and never applies: whoever makes a namespace of that
// name at this moment keeps it.
func (l *look) makeNamespace(ctx context.Context, want *corev1.Namespace) (answer, error) {
	kind, err := l.kind(want)
	if err != nil {
		return answer{}, err
	}
	_, sum, err := payload(kind, want)
	if err != nil {
		return answer{}, err
	}
	key := keyOf(kind, want)
	if l.memory.justWrote(key, sum, l.now) {
		return answer{}, nil
	}
	l.meters.wrote(kind.Kind, "create")
	err = l.client.Create(ctx, want, client.FieldOwner(fieldManager))
	if apierrors.IsAlreadyExists(err) {
		l.soon(200 * time.Millisecond)
		return answer{reason: reasonTaken, message: "a namespace of this name was just made; it is looked at in a moment", ours: true, expected: true}, nil
	}
	if err != nil {
		return answer{}, fmt.Errorf("create the namespace: %w", err)
	}
	again := l.memory.last(key) != 0
	l.memory.wrote(key, sum, want, l.now)
	l.log.Info("made the namespace", "again", again)
	return answer{}, nil
}

// cachedNamespace returns the namespace of the project's name; nil: the cache has none.
func (l *look) cachedNamespace(ctx context.Context) (*corev1.Namespace, error) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: l.p.Name}}
	kind, err := l.kind(ns)
	if err != nil {
		return nil, err
	}
	o, err := l.cached(ctx, kind, ns)
	if o == nil || err != nil {
		return nil, err
	}
	return o.(*corev1.Namespace), nil
}

// liveNamespace returns the namespace of the project's name; nil: there is none.
func (l *look) liveNamespace(ctx context.Context) (*corev1.Namespace, error) {
	var ns corev1.Namespace
	if err := l.live.Get(ctx, client.ObjectKey{Name: l.p.Name}, &ns); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil
		}
		return nil, fmt.Errorf("read the namespace: %w", err)
	}
	return &ns, nil
}

// owns reports whether a namespace is the project's. The label says so, and when
// somebody took it off, that we have written to it. One that another org's
// project left here is not for this one, whatever its name.
func (l *look) owns(ns *corev1.Namespace) bool {
	written := slices.ContainsFunc(ns.ManagedFields, func(e metav1.ManagedFieldsEntry) bool { return e.Manager == fieldManager })
	if ns.Labels[v1alpha1.LabelManagedBy] != v1alpha1.ManagedBy && !written {
		return false
	}
	org := ns.Labels[v1alpha1.LabelOrg]
	return org == "" || org == l.org() || l.p.Status.Namespace == ns.Name
}

func (l *look) namespaceLabels() map[string]string {
	set := l.labels()
	maps.Copy(set, podSecurity(l.p.Spec.PodSecurity))
	return set
}

func (l *look) namespaceAnnotations() map[string]string {
	var registries []string
	if l.options.Registry != "" {
		registries = append(registries, l.options.Registry)
	}
	set := map[string]string{v1alpha1.AnnotationRegistries: strings.Join(append(registries, l.p.Spec.Registries...), ",")}
	for annotation, list := range map[string][]string{
		v1alpha1.AnnotationHosts:           l.p.Spec.Hosts,
		v1alpha1.AnnotationPriorityClasses: l.p.Spec.PriorityClasses,
		v1alpha1.AnnotationStorageClasses:  l.p.Spec.StorageClasses,
		v1alpha1.AnnotationRuntimeClasses:  l.p.Spec.RuntimeClasses,
	} {
		if len(list) > 0 {
			set[annotation] = strings.Join(list, ",")
		}
	}
	if l.p.Spec.DisplayName != "" {
		set[v1alpha1.AnnotationDisplayName] = l.p.Spec.DisplayName
	}
	return set
}

// remains says what a namespace that is being deleted waits for, in Kubernetes' words.
func remains(ns *corev1.Namespace) string {
	var said []string
	for _, c := range ns.Status.Conditions {
		if c.Status == corev1.ConditionTrue && c.Message != "" {
			said = append(said, c.Message)
		}
	}
	if len(said) == 0 {
		return "Kubernetes empties it"
	}
	slices.Sort(said)
	return strings.Join(said, "; ")
}
