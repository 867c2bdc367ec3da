package kubeprovider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
)

type object = map[string]any

// byForce lets an object take fields from other managers.
func byForce(o object) object {
	m := o["metadata"].(object)
	all, _ := m["annotations"].(object)
	if all == nil {
		all = object{}
	}
	all[patchForce] = "true"
	m["annotations"] = all
	return o
}

// byHand is someone with kubectl.
type byHand struct {
	t *testing.T
	c dynamic.Interface
}

func newByHand(t *testing.T, rc *rest.Config) byHand {
	t.Helper()
	c, err := dynamic.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	return byHand{t, c}
}

func (h byHand) at(resource, namespace string) dynamic.ResourceInterface {
	gvr := schema.GroupVersionResource{Version: "v1", Resource: resource}
	if parts := strings.Split(resource, "/"); len(parts) == 3 {
		gvr = schema.GroupVersionResource{Group: parts[0], Version: parts[1], Resource: parts[2]}
	}
	if namespace == "" {
		return h.c.Resource(gvr)
	}
	return h.c.Resource(gvr).Namespace(namespace)
}

func (h byHand) patch(resource, namespace, name string, change object, sub ...string) {
	h.t.Helper()
	b, err := json.Marshal(change)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := h.at(resource, namespace).Patch(h.t.Context(), name, types.MergePatchType, b, metav1.PatchOptions{FieldManager: "kubectl-edit"}, sub...); err != nil {
		h.t.Fatal(err)
	}
}

func (h byHand) get(resource, namespace, name string) (*unstructured.Unstructured, error) {
	return h.at(resource, namespace).Get(h.t.Context(), name, metav1.GetOptions{})
}

// rollOut does what the Deployment controller does when all of a Deployment's
// pods are ready at once.
func (h byHand) rollOut(namespace, name string) {
	h.t.Helper()
	d, err := h.get("apps/v1/deployments", namespace, name)
	if err != nil {
		h.t.Fatal(err)
	}
	rev := fmt.Sprint(d.GetGeneration())
	spec, _ := d.Object["spec"].(object)
	set := &unstructured.Unstructured{Object: object{
		"apiVersion": "apps/v1", "kind": "ReplicaSet",
		"metadata": object{
			"name": name + "-" + rev, "namespace": namespace, "annotations": object{revision: rev},
			"ownerReferences": []any{object{"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "uid": string(d.GetUID())}},
		},
		"spec": object{"replicas": spec["replicas"], "selector": spec["selector"], "template": spec["template"]},
	}}
	if _, err := h.at("apps/v1/replicasets", namespace).Create(h.t.Context(), set, metav1.CreateOptions{FieldManager: "kube-controller-manager"}); err != nil {
		h.t.Fatal(err)
	}
	n := spec["replicas"]
	h.patch("apps/v1/replicasets", namespace, name+"-"+rev, object{"status": object{"replicas": n, "readyReplicas": n, "availableReplicas": n}}, "status")
	// An annotation makes a new generation of a Deployment.
	d, err = h.at("apps/v1/deployments", namespace).Patch(h.t.Context(), name, types.MergePatchType,
		[]byte(`{"metadata":{"annotations":{"`+revision+`":"`+rev+`"}}}`), metav1.PatchOptions{FieldManager: "kube-controller-manager"})
	if err != nil {
		h.t.Fatal(err)
	}
	h.patch("apps/v1/deployments", namespace, name, object{"status": object{
		"observedGeneration": d.GetGeneration(), "replicas": n, "updatedReplicas": n, "readyReplicas": n, "availableReplicas": n,
		"conditions": []any{
			object{"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"},
			object{"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
		},
	}}, "status")
}

// roundTrip is a transport that is a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func namespaceObject(name string, labels object) object {
	return object{"apiVersion": "v1", "kind": "Namespace", "metadata": object{"name": name, "labels": labels}}
}

func configMap(ns, name string, data object) object {
	return object{"apiVersion": "v1", "kind": "ConfigMap", "metadata": object{"name": name, "namespace": ns}, "data": data}
}

func widgetDefinition() object {
	return object{
		"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": object{"name": "widgets.example.com"},
		"spec": object{
			"group": "example.com", "scope": "Cluster",
			"names": object{"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
			"versions": []any{object{
				"name": "v1", "served": true, "storage": true,
				"schema": object{"openAPIV3Schema": object{
					"type": "object",
					"properties": object{"spec": object{"type": "object", "properties": object{
						"size":  object{"type": "integer"},
						"color": object{"type": "string", "default": "red"},
					}}},
				}},
			}},
		},
	}
}

func role(rules ...any) object {
	return object{"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": object{"name": "reader"}, "rules": rules}
}

func rule(verbs ...any) object {
	return object{"apiGroups": []any{""}, "resources": []any{"pods"}, "verbs": verbs}
}

func deploymentObject(image string) object {
	return object{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": object{"name": "web", "namespace": "team-a"},
		"spec": object{
			"replicas": int64(1),
			"selector": object{"matchLabels": object{"app": "web"}},
			"template": object{
				"metadata": object{"labels": object{"app": "web"}},
				"spec": object{"containers": []any{object{
					"name": "web", "image": image,
					"ports":     []any{object{"containerPort": int64(8080), "name": "http"}},
					"resources": object{"requests": object{"cpu": "1000m", "memory": "1024Mi"}},
				}}},
			},
		},
	}
}

// The steps share one API server, and the objects that the steps before made.
func TestAgainstARealAPIServer(t *testing.T) {
	_, rc := controlplanetest.Start(t)
	e, h := newEngine(t, rc), newByHand(t, rc)

	ns := e.mustCreate("kubernetes:core/v1:Namespace", "ns", byForce(namespaceObject("team-a", object{"team": "a"})))
	if ns.id != "team-a" {
		t.Errorf("the namespace's id is %q", ns.id)
	}

	t.Run("what did not change is no drift", func(t *testing.T) {
		e := &engine{t, e.p}
		got := e.refresh(ns)
		if diff := cmp.Diff(e.values(ns.inputs), e.values(got.inputs)); diff != "" {
			t.Errorf("inputs (-applied +read):\n%s", diff)
		}
		if d := e.diff(got, byForce(namespaceObject("team-a", object{"team": "a"}))); d.Changes != pulumirpc.DiffResponse_DIFF_NONE {
			t.Errorf("diff %v", d)
		}
	})

	t.Run("an edit by hand is seen property by property, and an update puts it back", func(t *testing.T) {
		e, h := &engine{t, e.p}, byHand{t, h.c}
		h.patch("namespaces", "", "team-a", object{"metadata": object{"labels": object{"team": "evil", "byhand": "theirs"}}})
		if _, err := h.at("namespaces", "").Patch(t.Context(), "team-a", types.MergePatchType, []byte(`{"metadata":{"labels":{"extra":"theirs"}}}`), metav1.PatchOptions{FieldManager: "controller"}); err != nil {
			t.Fatal(err)
		}
		got := e.refresh(ns)
		want := byForce(namespaceObject("team-a", object{"team": "evil"}))
		if diff := cmp.Diff(want, e.values(got.inputs)); diff != "" {
			t.Errorf("inputs (-want +read):\n%s", diff)
		}
		program := byForce(namespaceObject("team-a", object{"team": "a"}))
		if diff := cmp.Diff(map[string]string{"metadata.labels.team": "UPDATE"}, kinds(e.diff(got, program))); diff != "" {
			t.Errorf("diff (-want +got):\n%s", diff)
		}
		var err error
		if ns, err = e.update(got, program); err != nil {
			t.Fatal(err)
		}
		live, err := h.get("namespaces", "", "team-a")
		if err != nil {
			t.Fatal(err)
		}
		// What kubectl added is the update's then, and the program does not say it.
		labels := map[string]string{"team": "a", "extra": "theirs", "kubernetes.io/metadata.name": "team-a"}
		if diff := cmp.Diff(labels, live.GetLabels()); diff != "" {
			t.Errorf("labels (-want +live):\n%s", diff)
		}
	})

	t.Run("what is put to a list is not seen, and an update takes it away", func(t *testing.T) {
		e, h := &engine{t, e.p}, byHand{t, h.c}
		program := byForce(role(rule("get")))
		s := e.mustCreate("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "reader", program)
		h.patch("rbac.authorization.k8s.io/v1/clusterroles", "", "reader", object{"rules": []any{rule("get", "delete"), rule("*")}})
		got := e.refresh(s)
		if diff := cmp.Diff(program, e.values(got.inputs)); diff != "" {
			t.Errorf("inputs (-want +read):\n%s", diff)
		}
		if diff := cmp.Diff(map[string]string{}, kinds(e.diff(got, program))); diff != "" {
			t.Errorf("diff (-want +got):\n%s", diff)
		}
		got, err := e.update(got, program)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(program, e.values(e.refresh(got).inputs)); diff != "" {
			t.Errorf("after the update (-want +read):\n%s", diff)
		}
	})

	t.Run("fields belong to managers", func(t *testing.T) { managers(t, e.p, h.c) })

	t.Run("a field that the program drops goes", func(t *testing.T) {
		e, h := &engine{t, e.p}, byHand{t, h.c}
		s := e.mustCreate("kubernetes:core/v1:ConfigMap", "two", configMap("team-a", "two", object{"a": "1", "b": "2"}))
		if _, err := e.update(s, configMap("team-a", "two", object{"a": "1"})); err != nil {
			t.Fatal(err)
		}
		live, err := h.get("configmaps", "team-a", "two")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(object{"a": "1"}, live.Object["data"]); diff != "" {
			t.Errorf("data (-want +live):\n%s", diff)
		}
	})

	t.Run("a custom kind can be used right after its definition", func(t *testing.T) {
		e, h := &engine{t, e.p}, byHand{t, h.c}
		widget := object{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": object{"name": "w"}, "spec": object{"size": int64(2)}}
		// In a preview neither is there yet.
		inputs := e.check(urnOf("kubernetes:example.com/v1:Widget", "w"), nil, widget)
		previewed, err := e.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: string(urnOf("kubernetes:example.com/v1:Widget", "w")), Properties: inputs, Preview: true})
		if err != nil {
			t.Fatal(err)
		}
		// Whether it is in a namespace nobody can know then.
		assumed := object{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": object{"name": "w", "namespace": "default"}, "spec": object{"size": int64(2)}}
		if diff := cmp.Diff(assumed, e.values(previewed.Properties)); diff != "" {
			t.Errorf("previewed (-want +got):\n%s", diff)
		}
		d := e.mustCreate("kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition", "d", widgetDefinition())
		w := e.mustCreate("kubernetes:example.com/v1:Widget", "w", widget)
		if color := e.values(w.outputs)["spec"].(object)["color"]; color != "red" {
			t.Errorf("the default is not among the outputs: %v", color)
		}
		if diff := cmp.Diff(widget, e.values(e.refresh(w).inputs)); diff != "" {
			t.Errorf("refreshed (-want +got):\n%s", diff)
		}
		if _, err := e.create("kubernetes:example.com/v1:Widget", "bad", object{"apiVersion": "example.com/v1", "kind": "Widget", "metadata": object{"name": "bad"}, "spec": object{"sise": int64(2)}}); err == nil || !strings.Contains(err.Error(), "sise") {
			t.Errorf("a field that is not in the schema: %v", err)
		}
		if err := e.delete(d, 20); err != nil {
			t.Fatal(err)
		}
		if got := e.refresh(w); got.id != "" {
			t.Errorf("the widget is there without its definition: %v", got.id)
		}
		if err := e.delete(w, 20); err != nil {
			t.Errorf("deleting what went with its definition: %v", err)
		}
		if _, err := h.get("apiextensions.k8s.io/v1/customresourcedefinitions", "", "widgets.example.com"); !apierrors.IsNotFound(err) {
			t.Errorf("the definition is there: %v", err)
		}
	})

	t.Run("a rollout that does not end is an error that keeps the deployment", func(t *testing.T) {
		e, h := &engine{t, e.p}, byHand{t, h.c}
		urn := urnOf("kubernetes:apps/v1:Deployment", "web")
		inputs := e.check(urn, nil, deploymentObject("example.com/web:1"))
		_, err := e.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: string(urn), Properties: inputs, Timeout: 1})
		failed := initFailure(t, err)
		if failed.Id != "team-a/web" || len(failed.Reasons) < 2 || !strings.Contains(failed.Reasons[0], "'web' timed out waiting to be Ready") ||
			!slices.Contains(failed.Reasons, "Minimum number of live Pods was not attained") {
			t.Errorf("the failure is %v", failed)
		}
		s := resourceState{urn: urn, id: failed.Id, inputs: inputs, outputs: failed.Properties}
		// A refresh says the same, and quantities and defaults are no drift.
		_, err = e.p.Read(t.Context(), &pulumirpc.ReadRequest{Urn: string(s.urn), Id: s.id, Properties: s.outputs, Inputs: s.inputs})
		if read := initFailure(t, err); read.Reasons[0] != "Resource 'web' was created but failed to initialize" {
			t.Errorf("the refresh says %v", read.Reasons)
		} else if diff := cmp.Diff(e.values(inputs), e.values(read.Inputs)); diff != "" {
			t.Errorf("quantities and defaults look like drift (-want +read):\n%s", diff)
		}
		h.rollOut("team-a", "web")
		if s, err = e.update(s, deploymentObject("example.com/web:1")); err != nil {
			t.Fatalf("the rollout is complete: %v: %v", err, initFailure(t, err).GetReasons())
		}

		h.patch("apps/v1/deployments", "team-a", "web", object{"spec": object{"replicas": int64(3), "template": object{"spec": object{"containers": []any{
			object{"name": "web", "image": "example.com/evil", "ports": []any{object{"containerPort": int64(8080), "name": "http"}}, "resources": object{"requests": object{"cpu": "1", "memory": "1Gi"}}},
			object{"name": "sidecar", "image": "example.com/sidecar"},
		}}}}})
		h.rollOut("team-a", "web")
		got := e.refresh(s)
		want := map[string]string{"spec.replicas": "UPDATE", "spec.template.spec.containers[0].image": "UPDATE"}
		if diff := cmp.Diff(want, kinds(e.diff(got, deploymentObject("example.com/web:1")))); diff != "" {
			t.Errorf("drift (-want +got):\n%s", diff)
		}
	})

	t.Run("a delete waits for finalizers and names them", func(t *testing.T) {
		e, h := &engine{t, e.p}, byHand{t, h.c}
		s := e.mustCreate("kubernetes:core/v1:ConfigMap", "held", configMap("team-a", "held", object{"k": "v"}))
		h.patch("configmaps", "team-a", "held", object{"metadata": object{"finalizers": []any{"example.com/hold"}}})
		if err := e.delete(s, 1); err == nil || !strings.Contains(err.Error(), "example.com/hold") {
			t.Errorf("the delete says %v", err)
		}
		// It is released when the provider has asked for the delete and found it there.
		looked, released := make(chan struct{}, 1), make(chan struct{})
		watched := rest.CopyConfig(rc)
		watched.Wrap(func(next http.RoundTripper) http.RoundTripper {
			return roundTrip(func(r *http.Request) (*http.Response, error) {
				answer, err := next.RoundTrip(r)
				if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/configmaps/held") {
					select {
					case looked <- struct{}{}:
					default:
					}
				}
				return answer, err
			})
		})
		go func() {
			defer close(released)
			<-looked
			h.patch("configmaps", "team-a", "held", object{"metadata": object{"finalizers": nil}})
		}()
		if err := newEngine(t, watched).delete(s, 20); err != nil {
			t.Error(err)
		}
		<-released
		if got := e.refresh(s); got.id != "" {
			t.Errorf("it is still there: %s", got.id)
		}
	})

	t.Run("a namespace is deleted with all that is in it", func(t *testing.T) {
		e, h := &engine{t, e.p}, byHand{t, h.c}
		if err := e.delete(ns, 30); err != nil {
			t.Fatal(err)
		}
		if _, err := h.get("namespaces", "", "team-a"); !apierrors.IsNotFound(err) {
			t.Errorf("the namespace is there: %v", err)
		}
		if err := e.delete(ns, 30); err != nil {
			t.Errorf("deleting what is gone: %v", err)
		}
	})
}

func initFailure(t *testing.T, err error) *pulumirpc.ErrorResourceInitFailed {
	t.Helper()
	known, ok := rpcerror.FromError(err)
	if !ok {
		t.Fatalf("not an init failure: %v", err)
	}
	for _, d := range known.Details() {
		if f, ok := d.(*pulumirpc.ErrorResourceInitFailed); ok {
			return f
		}
	}
	t.Fatalf("not an init failure: %v", err)
	return nil
}

func TestWithoutAClusterPreviewsPassAndTheRestIsAnError(t *testing.T) {
	e := configured(t, func(context.Context, string) (*rest.Config, error) { return nil, errors.New("no such cluster") })
	inputs := e.check(urnOf("kubernetes:core/v1:Namespace", "ns"), nil, namespaceObject("a", nil))
	urn := string(urnOf("kubernetes:core/v1:Namespace", "ns"))
	resp, err := e.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs, Preview: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e.values(inputs), e.values(resp.Properties)); diff != "" {
		t.Errorf("preview (-inputs +got):\n%s", diff)
	}
	s := resourceState{urn: urnOf("kubernetes:core/v1:Namespace", "ns"), id: "a", inputs: inputs, outputs: inputs}
	_, createErr := e.p.Create(t.Context(), &pulumirpc.CreateRequest{Urn: urn, Properties: inputs})
	_, readErr := e.p.Read(t.Context(), &pulumirpc.ReadRequest{Urn: urn, Id: "a", Inputs: inputs, Properties: inputs})
	for what, err := range map[string]error{"create": createErr, "read": readErr, "delete": e.delete(s, 1)} {
		if !errors.Is(err, errUnreachable) || !strings.Contains(fmt.Sprint(err), "no such cluster") {
			t.Errorf("%s says %v", what, err)
		}
	}
}
