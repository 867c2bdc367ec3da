package controller

import (
	"context"
	"log/slog"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"freehold.dev/freehold/internal/api/v1alpha1"
)

// blind is a client whose cache has not heard of any namespace yet.
func (k *cluster) blind() client.Client {
	watching, err := client.NewWithWatch(k.rc, client.Options{Scheme: k.Scheme()})
	if err != nil {
		k.t.Fatal(err)
	}
	return interceptor.NewClient(watching, interceptor.Funcs{
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if _, ok := o.(*corev1.Namespace); ok {
				return apierrors.NewNotFound(corev1.Resource("namespaces"), key.Name)
			}
			return c.Get(ctx, key, o, opts...)
		},
	})
}

// blindly reconciles a project once, as a process does that has just begun.
func (k *cluster) blindly(name string) {
	k.t.Helper()
	c := k.blind()
	r := &projects{
		client: c, live: k.Client, events: events.NewFakeRecorder(100), log: slog.New(slog.DiscardHandler), now: time.Now,
		options: Options{Config: k.rc, Org: "acme"}.withDefaults(),
		meters:  newMeters(c), memory: newMemory(), contests: newContests(),
	}
	if _, err := r.reconcile(k.t.Context(), name); err != nil {
		k.t.Fatal(err)
	}
}

// Between the making of a namespace and its arrival in the cache the project can
// be deleted, and the process can be another: all that it has is the API server.
func TestANamespaceThatTheCacheHasNotSeenYetIsNotLeftBehind(t *testing.T) {
	k := start(t, definitionFile)
	before := run(t, k.rc)
	policies := map[string]v1alpha1.DeletionPolicy{"kept": v1alpha1.DeletionRetain, "doomed": v1alpha1.DeletionDelete}
	for name, policy := range policies {
		p := project(name, func(s *v1alpha1.ProjectSpec) { s.DeletionPolicy = policy })
		p.Annotations = map[string]string{v1alpha1.AnnotationConfirmDelete: name}
		k.make(p)
		k.ready(name)
	}
	if err := before.end(); err != nil {
		t.Fatal(err)
	}
	for name := range policies {
		if err := k.Delete(t.Context(), project(name)); err != nil {
			t.Fatal(err)
		}
		eventually(t, name+" is gone", func() bool {
			k.blindly(name)
			return apierrors.IsNotFound(k.Get(t.Context(), client.ObjectKey{Name: name}, &v1alpha1.Project{}))
		})
	}
	var kept, doomed corev1.Namespace
	if err := k.Get(t.Context(), client.ObjectKey{Name: "kept"}, &kept); err != nil || kept.Annotations[v1alpha1.AnnotationRetained] != "true" {
		t.Errorf("the project is gone, and the namespace that it retains is %+v, %v", kept.ObjectMeta, err)
	}
	if err := k.Get(t.Context(), client.ObjectKey{Name: "doomed"}, &doomed); !apierrors.IsNotFound(err) {
		t.Errorf("the project is gone, and its namespace is left: %+v, %v", doomed.ObjectMeta, err)
	}
}
