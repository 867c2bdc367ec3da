package bootstrap_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/kubelive"
)

// provider is a field manager as pulumi-kubernetes makes them up.
const provider = "pulumi-kubernetes-1a2b3c4d"

// hand is how somebody changes an object.
type hand func(t *testing.T, c client.Client, o *unstructured.Unstructured, patch string)

// hands are the ways to change an object, and to hide that.
var hands = map[string]hand{
	"edits it":               edit("kubectl-edit"),
	"applies it":             applying("somebody"),
	"applies it as Freehold": applying(provider),
	"edits it as Freehold":   edit(provider),
	"edits it and takes every owner off the record": func(t *testing.T, c client.Client, o *unstructured.Unstructured, patch string) {
		edit("kubectl-edit")(t, c, o, patch)
		own(t, c, o, []metav1.ManagedFieldsEntry{{}})
	},
	"edits it and takes themselves off the record": func(t *testing.T, c client.Client, o *unstructured.Unstructured, patch string) {
		edit("kubectl-edit")(t, c, o, patch)
		own(t, c, o, slices.DeleteFunc(o.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool { return e.Manager == "kubectl-edit" }))
	},
}

func edit(manager string) hand {
	return func(t *testing.T, c client.Client, o *unstructured.Unstructured, patch string) {
		t.Helper()
		kind := types.MergePatchType
		if strings.HasPrefix(patch, "[") {
			kind = types.JSONPatchType
		}
		if err := c.Patch(t.Context(), o, client.RawPatch(kind, []byte(patch)), client.FieldOwner(manager)); err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// applying sends the object as it is with the change in it, as "kubectl apply
// --server-side --force-conflicts" does.
func applying(manager string) hand {
	return func(t *testing.T, c client.Client, o *unstructured.Unstructured, patch string) {
		t.Helper()
		next := o.DeepCopy()
		kind := types.MergePatchType
		if strings.HasPrefix(patch, "[") {
			kind = types.JSONPatchType
		}
		if err := c.Patch(t.Context(), next, client.RawPatch(kind, []byte(patch)), client.DryRunAll); err != nil {
			t.Fatal(err)
		}
		next.SetManagedFields(nil)
		next.SetResourceVersion("")
		next.SetUID("")
		delete(next.Object, "status")
		if err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(next), client.FieldOwner(manager), client.ForceOwnership); err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
	}
}

// own writes who owns what.
func own(t *testing.T, c client.Client, o *unstructured.Unstructured, entries []metav1.ManagedFieldsEntry) {
	t.Helper()
	body, err := json.Marshal([]map[string]any{{"op": "replace", "path": "/metadata/managedFields", "value": entries}})
	if err == nil {
		err = c.Patch(t.Context(), o, client.RawPatch(types.JSONPatchType, body))
	}
	if err != nil {
		t.Fatal(err)
	}
}

// additions are what people add to the objects of bootstrap, by kind: a patch,
// and the path that has to be named.
var additions = map[string][][2]string{
	"": {
		{`{"metadata":{"labels":{"by-hand":"yes"}}}`, `metadata.labels["by-hand"]`},
		{`{"metadata":{"annotations":{"by-hand":"yes"}}}`, `metadata.annotations`},
		{`[{"op":"add","path":"/metadata/finalizers","value":["by.hand/stays"]}]`, `metadata.finalizers`},
		{`{"metadata":{"labels":{"freehold.dev/org":"globex"}}}`, `metadata.labels["freehold.dev/org"]`},
	},
	"ClusterRole":        {{`[{"op":"add","path":"/rules/-","value":{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]`, "rules"}},
	"Role":               {{`[{"op":"add","path":"/rules/-","value":{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]`, "rules"}},
	"ClusterRoleBinding": {{`[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"mallory"}}]`, "subjects"}},
	"RoleBinding":        {{`[{"op":"add","path":"/subjects/-","value":{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"mallory"}}]`, "subjects"}},
	"NetworkPolicy": {
		{`[{"op":"add","path":"/spec/ingress/-","value":{}}]`, "spec.ingress"},
		{`{"spec":{"podSelector":{"matchLabels":{"a":"b"}}}}`, "spec.podSelector"},
	},
	"Deployment": {
		{`[{"op":"add","path":"/spec/template/spec/containers/0/env/-","value":{"name":"EVIL","value":"1"}}]`, "spec.template.spec.containers[0].env[2]"},
		{`[{"op":"add","path":"/spec/template/spec/containers/-","value":{"name":"side","image":"nginx"}}]`, "spec.template.spec.containers[1]"},
		{`[{"op":"add","path":"/spec/template/spec/initContainers","value":[{"name":"first","image":"nginx"}]}]`, "spec.template.spec.initContainers"},
		{`{"spec":{"template":{"spec":{"volumes":[{"name":"more","emptyDir":{"sizeLimit":"1Gi"}}]}}}}`, "spec.template.spec.volumes"},
		{`{"spec":{"template":{"spec":{"tolerations":[{"operator":"Exists"}]}}}}`, "spec.template.spec.tolerations"},
		{`{"spec":{"template":{"spec":{"shareProcessNamespace":true}}}}`, "spec.template.spec.shareProcessNamespace"},
		{`{"spec":{"template":{"spec":{"securityContext":{"fsGroup":0}}}}}`, "spec.template.spec.securityContext.fsGroup"},
		{`[{"op":"add","path":"/spec/template/spec/containers/0/securityContext/capabilities/add","value":["NET_BIND_SERVICE"]}]`, "spec.template.spec.containers[0].securityContext.capabilities.add"},
		{`{"spec":{"template":{"metadata":{"annotations":{"kubectl.kubernetes.io/restartedAt":"now"}}}}}`, "spec.template.metadata.annotations"},
		{`{"spec":{"paused":true}}`, "spec.paused"},
		{`{"spec":{"replicas":0}}`, "spec.replicas"},
		{`[{"op":"replace","path":"/spec/template/spec/terminationGracePeriodSeconds","value":1}]`, "spec.template.spec.terminationGracePeriodSeconds"},
		{`[{"op":"replace","path":"/spec/template/spec/containers/0/imagePullPolicy","value":"Always"}]`, "spec.template.spec.containers[0].imagePullPolicy"},
	},
	"PodDisruptionBudget": {{`{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}`, "spec.unhealthyPodEvictionPolicy"}},
	"ServiceAccount": {
		{`{"imagePullSecrets":[{"name":"theirs"}]}`, "imagePullSecrets"},
		{`{"automountServiceAccountToken":true}`, "automountServiceAccountToken"},
	},
	"Namespace":    {{`{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"privileged"}}}`, `metadata.labels["pod-security.kubernetes.io/enforce"]`}},
	"StorageClass": {{`{"mountOptions":["noexec"]}`, "mountOptions"}, {`{"allowVolumeExpansion":false}`, "allowVolumeExpansion"}},
	"ValidatingAdmissionPolicy": {
		{`[{"op":"add","path":"/spec/matchConditions","value":[{"name":"never","expression":"false"}]}]`, "spec.matchConditions"},
		{`{"spec":{"matchConstraints":{"excludeResourceRules":[{"apiGroups":["*"],"apiVersions":["*"],"operations":["*"],"resources":["*"]}]}}}`, "spec.matchConstraints.excludeResourceRules"},
		{`{"spec":{"failurePolicy":"Ignore"}}`, "spec.failurePolicy"},
	},
	"ValidatingAdmissionPolicyBinding": {{`{"spec":{"matchResources":{"namespaceSelector":{"matchLabels":{"a":"b"}}}}}`, "spec.matchResources"}},
	"CustomResourceDefinition": {
		{`[{"op":"add","path":"/spec/versions/0/schema/openAPIV3Schema/properties/extra","value":{"type":"string"}}]`, "spec.versions[0].schema.openAPIV3Schema.properties.extra"},
		{`[{"op":"add","path":"/spec/names/categories","value":["all"]}]`, "spec.names.categories"},
	},
	"Project": {{`{"spec":{"members":[{"user":"mallory","role":"admin"}]}}`, "spec.members"}, {`{"spec":{"hibernate":true}}`, "spec.hibernate"}},
}

// holdsEveryField changes each object in each way and by each hand.
func holdsEveryField(t *testing.T, config *rest.Config, made []componenttest.Resource) {
	admin := as(t, config, "admin", "system:masters")
	reader := rest.CopyConfig(config)
	reader.Impersonate = rest.ImpersonationConfig{UserName: "drift", Groups: []string{"system:authenticated", "freehold:readers"}}
	read, err := kubelive.Over(reader)
	if err != nil {
		t.Fatal(err)
	}
	write, err := kubelive.Over(config)
	if err != nil {
		t.Fatal(err)
	}
	var objects []kubelive.Object
	was := map[string]*unstructured.Unstructured{}
	for _, res := range made {
		live := object(res.Inputs)
		if err := admin.Get(t.Context(), client.ObjectKeyFromObject(live), live); err != nil {
			t.Fatal(err)
		}
		id := strings.TrimPrefix(live.GetNamespace()+"/"+live.GetName(), "/")
		outputs := live.DeepCopy().Object
		outputs["__fieldManager"] = provider
		o, ok := kubelive.Of("urn::"+res.Name, res.Type, res.Name, id, res.Inputs, outputs)
		if !ok {
			t.Fatalf("%s %s is no object", res.Type, res.Name)
		}
		was[id+live.GetKind()] = live.DeepCopy()
		objects = append(objects, o)
	}
	same := func(t *testing.T, reason string) {
		t.Helper()
		got, err := read.Compare(context.Background(), objects)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			t.Errorf("%s: %s %s: %+v %s", reason, r.Object.Type, r.Object.ID, r.Differences, r.Why())
		}
	}
	same(t, "as they were made")

	touched, order, turn := map[string]bool{}, slices.Sorted(maps.Keys(hands)), 0
	for i, o := range objects {
		live := object(made[i].Inputs)
		kind := live.GetKind()
		if touched[kind] {
			continue
		}
		touched[kind] = true
		for n, addition := range slices.Concat(additions[""], additions[kind]) {
			// The hands take turns, and what people are after is tried by each.
			by := []string{order[turn%len(order)]}
			if turn++; n == len(additions[""]) && (kind == "ClusterRoleBinding" || kind == "Deployment") {
				by = order
			}
			for _, how := range by {
				name := fmt.Sprintf("somebody %s: %s %s: %s", how, kind, o.ID, addition[0])
				fetch(t, admin, live)
				hands[how](t, admin, live, addition[0])
				got, err := read.Compare(t.Context(), []kubelive.Object{o})
				if err != nil {
					t.Fatal(err)
				}
				// Without owners on record, a list is seen as a whole.
				named := func(p string) bool { return strings.HasPrefix(p, addition[1]) || strings.HasPrefix(addition[1], p+"[") }
				if len(got) != 1 || !slices.ContainsFunc(paths(got[0]), named) {
					t.Fatalf("%s\nwant %s, got %s", name, addition[1], summary(got))
				}
				if err := write.Expose(t.Context(), got); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if err := write.PutBack(t.Context(), []kubelive.Object{o}); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				fetch(t, admin, live)
				if d := cmp.Diff(content(was[o.ID+kind]), content(live)); d != "" {
					t.Fatalf("%s (-was +put back):\n%s", name, d)
				}
				if r := kubelive.Compare(o, live); len(r.Differences) > 0 {
					t.Fatalf("%s: it differs still: %+v", name, r)
				}
			}
		}
	}
	for kind := range additions {
		if kind != "" && !touched[kind] {
			t.Errorf("bootstrap makes no %s", kind)
		}
	}
	same(t, "after all of it")

	// What the cluster itself writes is nobody's change, and stays.
	writes := map[string]string{
		"Deployment":    `{"metadata":{"annotations":{"deployment.kubernetes.io/revision":"7"}}}`,
		"NetworkPolicy": `{"metadata":{"finalizers":["networking.k8s.aws/resources"]}}`,
		"Project":       `{"metadata":{"finalizers":["freehold.dev/namespace"]}}`,
	}
	for i, o := range objects {
		live := object(made[i].Inputs)
		patch, ok := writes[live.GetKind()]
		if !ok {
			continue
		}
		edit("the-cluster")(t, admin, live, patch)
		same(t, patch)
		edit("kubectl-edit")(t, admin, live, `{"metadata":{"annotations":{"by-hand":"yes"}}}`)
		if err := write.PutBack(t.Context(), []kubelive.Object{o}); err != nil {
			t.Fatal(err)
		}
		fetch(t, admin, live)
		text, err := json.Marshal(live.Object["metadata"])
		if err != nil || !strings.Contains(string(text), strings.Trim(patch[strings.LastIndex(patch, ":{")+2:], "{}")[:20]) {
			t.Errorf("%s %s: what the cluster wrote was taken away: %s, %v", live.GetKind(), o.ID, text, err)
		}
		same(t, patch+", after something was put back")
	}

	// A storage class that somebody makes again cannot be changed back, and holds nothing.
	for i, o := range objects {
		live := object(made[i].Inputs)
		if live.GetKind() != "StorageClass" {
			continue
		}
		fetch(t, admin, live)
		again := live.DeepCopy()
		if err := admin.Delete(t.Context(), live); err != nil {
			t.Fatal(err)
		}
		again.SetResourceVersion("")
		again.SetUID("")
		if err := unstructured.SetNestedField(again.Object, "false", "parameters", "encrypted"); err != nil {
			t.Fatal(err)
		}
		if err := admin.Create(t.Context(), again, client.FieldOwner("kubectl-create")); err != nil {
			t.Fatal(err)
		}
		if got, err := read.Compare(t.Context(), []kubelive.Object{o}); err != nil || len(got) != 1 || !got[0].Remade() {
			t.Errorf("a storage class that was made again: %s, %v", summary(got), err)
		}
		if err := write.PutBack(t.Context(), []kubelive.Object{o}); err != nil {
			t.Fatal(err)
		}
		same(t, "a storage class that somebody made again")

		// It makes way for another one, and nothing does together with what holds something.
		deployment := objects[slices.IndexFunc(objects, func(o kubelive.Object) bool { return strings.HasSuffix(o.Type, ":Deployment") })]
		if err := write.MakeWay(t.Context(), []kubelive.Object{o, deployment}); err == nil {
			t.Error("a Deployment makes way")
		}
		fetch(t, admin, live)
		for range 2 {
			if err := write.MakeWay(t.Context(), []kubelive.Object{o}); err != nil {
				t.Fatal(err)
			}
			if err := admin.Get(t.Context(), client.ObjectKeyFromObject(live), live); !apierrors.IsNotFound(err) {
				t.Errorf("the class that made way: %v", err)
			}
		}
		if err := write.PutBack(t.Context(), []kubelive.Object{o}); err != nil {
			t.Fatal(err)
		}
		same(t, "a storage class that made way")
	}
}

func fetch(t *testing.T, c client.Client, o *unstructured.Unstructured) {
	t.Helper()
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(o), o); err != nil {
		t.Fatal(err)
	}
}

func paths(r kubelive.Result) []string {
	var out []string
	for _, d := range r.Differences {
		out = append(out, d.Path)
	}
	return out
}

func summary(rs []kubelive.Result) string {
	var lines []string
	for _, r := range rs {
		lines = append(lines, fmt.Sprintf("%s: %q (%s)", r.Object.ID, paths(r), r.Why()))
	}
	return strings.Join(lines, "\n")
}

// content is an object without what the API server counts.
func content(o *unstructured.Unstructured) string {
	o = o.DeepCopy()
	o.SetManagedFields(nil)
	o.SetResourceVersion("")
	o.SetGeneration(0)
	delete(o.Object, "status")
	for _, empty := range []string{"annotations", "finalizers", "labels"} {
		if v, ok, _ := unstructured.NestedFieldNoCopy(o.Object, "metadata", empty); ok && fmt.Sprint(v) == "map[]" || fmt.Sprint(v) == "[]" {
			unstructured.RemoveNestedField(o.Object, "metadata", empty)
		}
	}
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("", " ")
	if err := enc.Encode(o.Object); err != nil {
		return err.Error()
	}
	return text.String()
}
