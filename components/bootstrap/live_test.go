package bootstrap_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/strays"
)

// The users that ask.
const (
	controllerAccount = "system:serviceaccount:freehold-system:namespace-controller"
	collector         = "system:serviceaccount:kube-system:generic-garbage-collector"
	janitor           = "system:serviceaccount:kube-system:namespace-controller"
	enforcer          = "eks:network-policy-controller"
	member            = "ada@acme.example"
	stranger          = "system:serviceaccount:kube-system:coredns"
)

// TestWhatIsMadeHoldsOnARealAPIServer applies every object that the component
// makes to a Kubernetes API server, and asks it who may do what.
func TestWhatIsMadeHoldsOnARealAPIServer(t *testing.T) {
	config := apiServer(t)
	admin := as(t, config, "admin", "system:masters")
	// What is there before the fences.
	for _, o := range []map[string]any{
		noted(annotated(namespace("shop", owned), "freehold.dev/registries", registry+"/,quay.io/acme/tools,registry.example,docker.io/acme/,index.docker.io/postgres,registry.example:443/tls/"), fields{
			"freehold.dev/hosts": "shop.example.com,*.shop.example.com", "freehold.dev/priority-classes": "batch", "freehold.dev/storage-classes": "efs", "freehold.dev/runtime-classes": "nvidia,tolerant",
		}),
		namespace("bare", owned),
		annotated(namespace("plain", owned), "freehold.dev/registries", "nginx.example"),
		namespace("theirs", nil),
		annotated(namespace("given", nil), "freehold.dev/adopt", "given"),
		annotated(namespace("misgiven", nil), "freehold.dev/adopt", "other"),
	} {
		if err := admin.Create(t.Context(), object(o)); err != nil {
			t.Fatal(err)
		}
	}
	before := []map[string]any{
		inNamespace("bare", "v1", "ResourceQuota", "left", nil),
		inNamespace("bare", "v1", "ResourceQuota", "quota", nil),
		filled(inNamespace("shop", "v1", "PersistentVolumeClaim", "old", nil), fields{"spec": fields{
			"accessModes": []any{"ReadWriteOnce"}, "resources": fields{"requests": fields{"storage": "1Gi"}},
		}}),
		filled(inNamespace("shop", "v1", "ConfigMap", "old", nil), fields{"data": fields{"a": strings.Repeat("x", 600<<10), "b": "b"}}),
		// RuntimeClasses of an administrator; one adds tolerations to each pod that uses it.
		filled(clusterObject("node.k8s.io/v1", "RuntimeClass", "nvidia"), fields{"handler": "nvidia"}),
		filled(clusterObject("node.k8s.io/v1", "RuntimeClass", "privileged"), fields{"handler": "runc"}),
		filled(clusterObject("node.k8s.io/v1", "RuntimeClass", "tolerant"), fields{"handler": "runc", "scheduling": fields{"tolerations": []any{fields{"operator": "Exists"}}}}),
		filled(inNamespace("bare", "v1", "Service", "front", nil), fields{"spec": fields{"type": "NodePort", "ports": []any{fields{"port": 80}}}}),
		called("old", pod("shop", running(registry+"/app"))),
		called("placed", pod("shop", with(running(registry+"/app"), fields{"nodeName": "n"}))),
		called("old", pod("theirs", running("nginx"))),
		called("old", pod("default", fields{"hostNetwork": true})),
		called("old", workload("shop", "apps/v1", "Deployment", fields{"hostPID": true})),
		called("sound", workload("shop", "apps/v1", "Deployment", running(registry+"/app"))),
		called("old", workload("theirs", "apps/v1", "Deployment", running("nginx"))),
	}
	unmarked := object(namespace("unmarked", nil))
	if err := admin.Create(t.Context(), unmarked, client.FieldOwner("freehold-namespace-controller")); err != nil {
		t.Fatal(err)
	}
	for _, ns := range []string{"shop", "bare", "plain", "theirs", "default", "kube-system"} {
		before = append([]map[string]any{inNamespace(ns, "v1", "ServiceAccount", "default", nil)}, before...)
	}
	for _, o := range before {
		eventually(t, "the namespaces", func() error { return admin.Create(t.Context(), object(o)) })
	}
	made := ordered(record(t).Resources)
	for _, res := range made {
		// As the provider does it.
		if err := admin.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object(res.Inputs)), client.FieldOwner(provider), client.ForceOwnership); err != nil {
			t.Fatalf("%s %s: %v", res.Type, res.Name, err)
		}
		if strings.HasSuffix(res.Type, ":CustomResourceDefinition") {
			eventually(t, "the Project kind", func() error {
				return admin.List(t.Context(), list("freehold.dev/v1alpha1", "ProjectList"))
			})
		}
	}
	for _, kind := range installedKinds() {
		if err := admin.Create(t.Context(), object(kind)); err != nil {
			t.Fatal(err)
		}
	}
	// Members get what they may do in a namespace by the controller's binding,
	// here in the same way.
	admin = as(t, config, "admin", "system:masters")
	for _, o := range []map[string]any{
		bounded("shop", owned, fields{
			"requests.nvidia.com/gpu": "0", "requests.aws.amazon.com/neuron": "2", "requests.hugepages-2Mi": "1Gi",
			"gpu.nvidia.com.deviceclass.resource.k8s.io/devices": "1", "tpu.example.com.deviceclass.resource.k8s.io/devices": "0",
		}),
		bounded("plain", owned, fields{"pods": "5"}),
		inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "fence", owned),
		inNamespace("theirs", "v1", "ResourceQuota", "quota", nil),
		binding("shop", "members", "freehold-project-admin", member, owned),
	} {
		if err := admin.Create(t.Context(), object(o)); err != nil {
			t.Fatal(err)
		}
	}
	// Admission learns of a policy a moment after it was made.
	eventually(t, "the fences", func() error {
		// Policies arrive in any order: each is tried.
		for policy, request := range probes {
			if err := request(as(t, config, stranger, all...)); err == nil || !strings.Contains(err.Error(), "'freehold-"+policy+"'") {
				return fmt.Errorf("%s does not refuse: %w", policy, err)
			}
		}
		for _, k := range strays.Installed {
			if err := admin.List(t.Context(), list(k.Group+"/"+versionOf(k), k.Kind+"List")); err != nil {
				return err
			}
		}
		if err := create(namespace("lab", nil))(as(t, config, controllerAccount, all...)); !apierrors.IsForbidden(err) {
			return fmt.Errorf("%s is not refused: %w", controllerAccount, err)
		}
		return nil
	})

	const fenced, role = "ValidatingAdmissionPolicy 'freehold-", "cannot"
	const notOwn, elsewhere = "may only write namespaces that are its own", "may only work in the namespaces of projects"
	for _, c := range slices.Concat(fenceAttempts, projectPodAttempts(), projectIngressAttempts(), []attempt{
		{"the controller makes a fenced namespace", controllerAccount, nil, create(namespace("lab", owned)), ""},
		{"the controller makes a namespace without its label", controllerAccount, nil, create(namespace("lab", nil)), notOwn},
		{"the controller changes its own quota", controllerAccount, nil, annotate(inNamespace("shop", "v1", "ResourceQuota", "quota", nil)), ""},
		{"the controller changes another's quota", controllerAccount, nil, annotate(inNamespace("theirs", "v1", "ResourceQuota", "quota", nil)), elsewhere},
		{"the controller removes another's namespace", controllerAccount, nil, remove(namespace("theirs", nil)), notOwn},
		{"the controller adopts another's namespace", controllerAccount, nil, label(namespace("theirs", nil)), notOwn},
		{"the controller binds a project's role", controllerAccount, nil, create(binding("shop", "more", "freehold-project-editor", "bo", owned)), ""},
		{"the controller binds a role that it was not given", controllerAccount, nil, create(binding("shop", "more", "cluster-admin", "bo", owned)), "permissions not currently held"},
		{"the controller reads a secret", controllerAccount, nil, get(inNamespace("shop", "v1", "Secret", "any", nil)), role},
		{"an administrator changes what the controller owns", "ops", []string{"freehold:administrators"}, annotate(namespace("shop", nil)), ""},
		{"the garbage collector removes it", collector, all, remove(inNamespace("shop", "v1", "ResourceQuota", "quota", nil)), ""},
		{"the namespace is emptied", janitor, all, remove(inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "fence", nil)), ""},
		{"EKS marks a network policy", enforcer, all, annotate(inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "fence", nil)), ""},
		{"another controller changes it", stranger, all, annotate(namespace("shop", nil)), fenced},
		{"another controller removes it", stranger, all, remove(inNamespace("shop", "v1", "ResourceQuota", "quota", nil)), fenced},
		{"another controller takes the label away", stranger, all, unlabel(namespace("shop", nil)), fenced},
		{"another controller puts the label on", stranger, all, label(namespace("theirs", nil)), fenced},
		{"another controller makes something that has it", stranger, all, create(namespace("fake", owned)), fenced},
		{"another controller changes what nobody owns", stranger, all, annotate(namespace("theirs", nil)), ""},
		{"a member makes a config map", member, nil, create(inNamespace("shop", "v1", "ConfigMap", "c", nil)), ""},
		{"a member opens the network", member, nil, create(inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "open", nil)), role},
		{"a member lets somebody in", member, nil, create(binding("shop", "guest", "freehold-project-viewer", "eve", nil)), role},
		{"a member raises the quota", member, nil, annotate(inNamespace("shop", "v1", "ResourceQuota", "quota", nil)), role},
		{"a member looks into another namespace", member, nil, get(inNamespace("theirs", "v1", "ResourceQuota", "quota", nil)), role},
		{"drift reads a project", "drift", []string{"freehold:readers"}, get(clusterObject("freehold.dev/v1alpha1", "Project", "shop")), ""},
		{"drift reads a secret", "drift", []string{"freehold:readers"}, get(inNamespace("shop", "v1", "Secret", "any", nil)), role},
	}) {
		t.Run(c.name, func(t *testing.T) {
			err := c.do(as(t, config, c.user, c.groups...))
			switch {
			case c.denied == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.denied != "" && (err == nil || !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), c.denied)):
				t.Errorf("got %v, want a refusal that says %q", err, c.denied)
			}
		})
	}

	t.Run("what somebody does to an object is found and put back", func(t *testing.T) { holdsEveryField(t, config, made) })
	t.Run("what somebody makes beside the objects is found and removed", func(t *testing.T) { findsWhatIsAdded(t, config, made) })
}

// attempt is a request and how it ends.
type attempt struct {
	name   string
	user   string
	groups []string
	do     func(client.Client) error
	denied string // what the refusal says; empty: allowed
}

// all is a group that this test gives every right, so that admission alone answers.
var all = []string{"freehold:cluster-admins-in-test"}

var owned = map[string]any{"freehold.dev/managed-by": "namespace-controller"}

// The requests. None of them changes anything: they are dry runs.

func create(o map[string]any) func(client.Client) error {
	return func(c client.Client) error { return c.Create(context.Background(), object(o), client.DryRunAll) }
}

func remove(o map[string]any) func(client.Client) error {
	return func(c client.Client) error { return c.Delete(context.Background(), object(o), client.DryRunAll) }
}

func get(o map[string]any) func(client.Client) error {
	return func(c client.Client) error {
		u := object(o)
		return c.Get(context.Background(), client.ObjectKeyFromObject(u), u)
	}
}

func patch(o map[string]any, body string) func(client.Client) error {
	return func(c client.Client) error {
		return c.Patch(context.Background(), object(o), client.RawPatch("application/merge-patch+json", []byte(body)), client.DryRunAll)
	}
}

func annotate(o map[string]any) func(client.Client) error {
	return patch(o, `{"metadata":{"annotations":{"touched":"true"}}}`)
}

func label(o map[string]any) func(client.Client) error {
	return patch(o, `{"metadata":{"labels":{"freehold.dev/managed-by":"namespace-controller"}}}`)
}

func unlabel(o map[string]any) func(client.Client) error {
	return patch(o, `{"metadata":{"labels":{"freehold.dev/managed-by":null}}}`)
}

// The objects.

func clusterObject(apiVersion, kind, name string) map[string]any {
	return map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name}}
}

func namespace(name string, labels map[string]any) map[string]any {
	o := clusterObject("v1", "Namespace", name)
	if labels != nil {
		o["metadata"].(map[string]any)["labels"] = labels
	}
	return o
}

func called(name string, o map[string]any) map[string]any {
	o["metadata"].(map[string]any)["name"] = name
	return o
}

func annotated(o map[string]any, key, value string) map[string]any {
	o["metadata"].(map[string]any)["annotations"] = map[string]any{key: value}
	return o
}

// noted adds annotations.
func noted(o, more map[string]any) map[string]any {
	meta := o["metadata"].(map[string]any)
	notes, _ := meta["annotations"].(map[string]any)
	if notes == nil {
		notes = map[string]any{}
	}
	maps.Copy(notes, more)
	meta["annotations"] = notes
	return o
}

func inNamespace(namespace, apiVersion, kind, name string, labels map[string]any) map[string]any {
	o := clusterObject(apiVersion, kind, name)
	meta := o["metadata"].(map[string]any)
	meta["namespace"] = namespace
	if labels != nil {
		meta["labels"] = labels
	}
	if kind == "NetworkPolicy" {
		o["spec"] = map[string]any{"podSelector": map[string]any{}}
	}
	return o
}

// bounded is the controller's quota in a namespace.
func bounded(namespace string, labels, hard map[string]any) map[string]any {
	o := inNamespace(namespace, "v1", "ResourceQuota", "quota", labels)
	o["spec"] = map[string]any{"hard": hard}
	return o
}

func binding(namespace, name, role, user string, labels map[string]any) map[string]any {
	o := inNamespace(namespace, "rbac.authorization.k8s.io/v1", "RoleBinding", name, labels)
	o["roleRef"] = map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
	o["subjects"] = []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}}
	return o
}

// object makes a copy, which the client may write to, with the whole numbers
// that Kubernetes wants where JSON has only one kind.
func object(fields map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: whole(fields).(map[string]any)}
}

func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, e := range v {
			m[k] = whole(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = whole(e)
		}
		return l
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	case int:
		return int64(v)
	}
	return v
}

func list(apiVersion, kind string) *unstructured.UnstructuredList {
	return &unstructured.UnstructuredList{Object: map[string]any{"apiVersion": apiVersion, "kind": kind}}
}

// ordered puts the objects behind those that they wait for.
func ordered(resources []componenttest.Resource) []componenttest.Resource {
	rank := func(r componenttest.Resource) int {
		for i, kind := range []string{":CustomResourceDefinition", ":Namespace", ":Project"} {
			if strings.HasSuffix(r.Type, kind) {
				return []int{0, 1, 3}[i]
			}
		}
		return 2
	}
	var sorted []componenttest.Resource
	for n := range 4 {
		for _, r := range resources {
			if strings.HasPrefix(r.Type, "kubernetes:") && rank(r) == n {
				sorted = append(sorted, r)
			}
		}
	}
	return sorted
}
