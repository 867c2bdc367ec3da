package controller

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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
	k.looksOnce(k.blind(), name)
}

// looksOnce reconciles a project once by a client, without anything remembered.
func (k *cluster) looksOnce(c client.Client, name string) {
	k.t.Helper()
	r := &projects{
		client: c, live: k.Client, events: events.NewFakeRecorder(100), log: slog.New(slog.DiscardHandler), now: time.Now,
		options: Options{Config: k.rc, Org: "acme"}.withDefaults(),
		meters:  newMeters(c), memory: newMemory(), contests: newContests(), vanished: newVanished(),
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

// hasty is a client whose requests to change a project arrive when it is gone.
func (k *cluster) hasty() client.Client {
	watching, err := client.NewWithWatch(k.rc, client.Options{Scheme: k.Scheme()})
	if err != nil {
		k.t.Fatal(err)
	}
	return interceptor.NewClient(watching, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			if _, ok := o.(*v1alpha1.Project); ok {
				if err := c.Delete(ctx, project(o.GetName())); err != nil {
					return err
				}
			}
			return c.Patch(ctx, o, patch, opts...)
		},
	})
}

func TestNothingIsMadeForAProjectThatIsGoneBeforeItsFinalizer(t *testing.T) {
	k := start(t, definitionFile)
	k.make(project("gone"))
	k.looksOnce(k.hasty(), "gone")
	if err := k.Get(t.Context(), client.ObjectKey{Name: "gone"}, &v1alpha1.Project{}); !apierrors.IsNotFound(err) {
		t.Fatalf("the project is there still: %v", err)
	}
	if got := k.dump("gone"); !strings.HasPrefix(got, "no namespace: NotFound") {
		t.Errorf("this was made for a project that was gone:\n%s", got)
	}
}

// The API server may delete a project with the finalizer that it has just got, so
// what was made for it has to be found afterwards.
func TestProjectsThatAreDeletedAsSoonAsTheyAreMadeLeaveNoOrphans(t *testing.T) {
	k := start(t, definitionFile)
	run(t, k.rc).ready(t)
	policies := map[string]v1alpha1.DeletionPolicy{}
	var names []string
	for i := range 100 {
		name := fmt.Sprintf("brief-%d", i)
		names = append(names, name)
		policies[name] = []v1alpha1.DeletionPolicy{v1alpha1.DeletionRetain, v1alpha1.DeletionDelete}[i%2]
		p := project(name, func(s *v1alpha1.ProjectSpec) { s.DeletionPolicy = policies[name] })
		p.Annotations = map[string]string{v1alpha1.AnnotationConfirmDelete: name}
		k.make(p)
		// From before the controller has heard of it to after it has made it.
		time.Sleep(time.Duration(i%10) * 5 * time.Millisecond)
		if err := k.Delete(t.Context(), project(name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range names {
		k.gone(name)
	}
	k.make(project("last"))
	k.ready("last")
	k.quiet(2 * time.Second)
	made := 0
	for _, name := range names {
		if policies[name] == v1alpha1.DeletionDelete {
			eventually(t, "the namespace of "+name+" is gone", func() bool {
				return apierrors.IsNotFound(k.Get(t.Context(), client.ObjectKey{Name: name}, &corev1.Namespace{}))
			})
			continue
		}
		var ns corev1.Namespace
		err := k.Get(t.Context(), client.ObjectKey{Name: name}, &ns)
		switch {
		case apierrors.IsNotFound(err):
		case err != nil:
			t.Fatal(err)
		case ns.Annotations[v1alpha1.AnnotationRetained] != "true":
			t.Errorf("namespace %s belongs to nobody:\n%s", name, k.dump(name))
		default:
			made++
		}
	}
	t.Logf("of %d projects that retain theirs, %d had a namespace", len(names)/2, made)
	if made == 0 {
		t.Error("none had a namespace when it was deleted: the race was not tried")
	}
}

// A controller that was not there when a project went knows nothing of it but its
// namespace: nobody is let in any more, and nothing is lost.
func TestANamespaceThatSomebodyTookTheProjectFromIsRetainedWithoutItsMembers(t *testing.T) {
	k := start(t, definitionFile)
	before := run(t, k.rc)
	k.make(project("robbed"))
	k.ready("robbed")
	k.make(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "data", Namespace: "robbed"}})
	if err := before.end(); err != nil {
		t.Fatal(err)
	}
	k.change("robbed", func(p *v1alpha1.Project) { p.Finalizers = nil })
	if err := k.Delete(t.Context(), project("robbed")); err != nil {
		t.Fatal(err)
	}
	run(t, k.rc).ready(t)
	eventually(t, "the namespace is marked, and its members are out", func() bool {
		var ns corev1.Namespace
		var in rbacv1.RoleBindingList
		return k.Get(t.Context(), client.ObjectKey{Name: "robbed"}, &ns) == nil && ns.Annotations[v1alpha1.AnnotationRetained] == "true" &&
			k.List(t.Context(), &in, client.InNamespace("robbed")) == nil && len(in.Items) == 0
	})
	for _, o := range []client.Object{
		&networkingv1.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Name: "default-deny"}},
		&corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: quotaName}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "data"}},
	} {
		if err := k.Get(t.Context(), client.ObjectKey{Namespace: "robbed", Name: o.GetName()}, o); err != nil {
			t.Errorf("it is not there any more: %v", err)
		}
	}
	k.quiet(2 * time.Second)
	// A project of the name takes it back, whole.
	k.make(project("robbed"))
	k.ready("robbed")
	k.make(project("whole"))
	k.ready("whole")
	k.settle(settled)
	if diff := cmp.Diff(k.dump("whole"), strings.ReplaceAll(k.dump("robbed"), "robbed", "whole")); diff != "" {
		t.Errorf("the next project of the name (-new +taken back):\n%s", diff)
	}
}
