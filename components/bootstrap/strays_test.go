package bootstrap_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/kubelive"
)

const (
	system     = "freehold-system"
	rbacV1     = "rbac.authorization.k8s.io/v1"
	admission  = "admissionregistration.k8s.io/v1"
	madeByHand = "no layer declares it"
)

// addition is an object that somebody makes, and the line that lists it; empty:
// it belongs, or gives nothing to anybody.
type addition struct {
	object map[string]any
	line   string
}

// filled sets fields of an object.
func filled(o map[string]any, fields map[string]any) map[string]any {
	maps.Copy(o, fields)
	return o
}

func labelled(o map[string]any, key, value string) map[string]any {
	o["metadata"].(map[string]any)["labels"] = map[string]any{key: value}
	return o
}

// grantTo binds a ClusterRole in the whole cluster.
func grantTo(name, role string, subjects ...any) map[string]any {
	return filled(clusterObject(rbacV1, "ClusterRoleBinding", name), map[string]any{
		"roleRef": map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}, "subjects": subjects,
	})
}

func subject(kind, name string) map[string]any {
	return map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
}

func account(namespace, name string) map[string]any {
	return map[string]any{"kind": "ServiceAccount", "namespace": namespace, "name": name}
}

// webhook asks somebody about every pod.
func webhook(kind, name string, config map[string]any) map[string]any {
	return filled(clusterObject(admission, kind, name), map[string]any{"webhooks": []any{map[string]any{
		"name": "pods.mallory.example", "clientConfig": config, "sideEffects": "None", "admissionReviewVersions": []any{"v1"}, "failurePolicy": "Ignore",
		"rules":             []any{map[string]any{"apiGroups": []any{"nothing.example"}, "apiVersions": []any{"*"}, "operations": []any{"CREATE"}, "resources": []any{"pods"}}},
		"namespaceSelector": map[string]any{"matchLabels": map[string]any{"none": "such"}},
	}}})
}

// sound is a pod's spec that Kubernetes lets into the controller's namespace.
func sound() map[string]any {
	return map[string]any{
		"securityContext": map[string]any{"runAsNonRoot": true, "runAsUser": 1, "seccompProfile": map[string]any{"type": "RuntimeDefault"}},
		"containers": []any{map[string]any{"name": "c", "image": "mallory.example/miner", "securityContext": map[string]any{
			"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}},
		}}},
	}
}

func template(name string) map[string]any {
	return map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": name}}, "spec": sound()}
}

// runs is a Deployment or a ReplicaSet.
func runs(kind, name string) map[string]any {
	return filled(inNamespace(system, "apps/v1", kind, name, nil), map[string]any{"spec": map[string]any{
		"selector": map[string]any{"matchLabels": map[string]any{"app": name}}, "template": template(name),
	}})
}

func aPod(name string) map[string]any {
	return filled(inNamespace(system, "v1", "Pod", name, nil), map[string]any{"spec": sound()})
}

// of gives an object to the controller of another.
func of(o map[string]any, owner *unstructured.Unstructured) map[string]any {
	o["metadata"].(map[string]any)["ownerReferences"] = []any{map[string]any{
		"apiVersion": owner.GetAPIVersion(), "kind": owner.GetKind(), "name": owner.GetName(), "uid": string(owner.GetUID()), "controller": true,
	}}
	return o
}

// runOtherwise makes pods that say that they are a ReplicaSet's, and run something
// else than it says, and returns the lines that list them.
func runOtherwise(t *testing.T, admin client.Client, set *unstructured.Unstructured) []string {
	t.Helper()
	other, debugged := object(of(aPod("other"), set)), object(of(aPod("debugged"), set))
	other.Object["spec"].(map[string]any)["containers"].([]any)[0].(map[string]any)["image"] = "mallory.example/other"
	for _, pod := range []*unstructured.Unstructured{other, debugged} {
		if err := admin.Create(t.Context(), pod); err != nil {
			t.Fatal(err)
		}
	}
	const debug = `{"spec":{"ephemeralContainers":[{"name":"shell","image":"busybox","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}`
	if err := admin.SubResource("ephemeralcontainers").Patch(t.Context(), debugged, client.RawPatch("application/strategic-merge-patch+json", []byte(debug))); err != nil {
		t.Fatal(err)
	}
	says := ": it does not run what ReplicaSet " + set.GetName() + " says "
	return []string{
		"core/v1:Pod " + system + "/other" + says + "[spec.containers[0].image]",
		"core/v1:Pod " + system + "/debugged" + says + "[spec.ephemeralContainers[0]]",
	}
}

// soughtIn is what a look for strays knows of a cluster with these objects.
func soughtIn(t *testing.T, made []componenttest.Resource) kubelive.Sought {
	t.Helper()
	s := kubelive.Sought{Namespace: system, Administrators: "freehold:administrators", Readers: "freehold:readers"}
	for _, res := range made {
		o := object(res.Inputs)
		known, ok := kubelive.Of("urn::"+res.Name, res.Type, res.Name, strings.TrimPrefix(o.GetNamespace()+"/"+o.GetName(), "/"), res.Inputs, nil)
		if !ok {
			t.Fatalf("%s %s is not an object", res.Type, res.Name)
		}
		s.Objects = append(s.Objects, known)
	}
	return s
}

func linesOf(found kubelive.Found) []string {
	var out []string
	for _, s := range found.Strays {
		line := s.Type + " " + s.ID + ": " + s.Why
		for _, d := range s.Differences {
			line += " [" + d.Path + "]"
		}
		out = append(out, strings.TrimPrefix(line, "kubernetes:"))
	}
	slices.Sort(out)
	return out
}

func looker(t *testing.T, config *rest.Config, user string, groups ...string) *kubelive.Client {
	t.Helper()
	as := rest.CopyConfig(config)
	as.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append([]string{"system:authenticated"}, groups...)}
	c, err := kubelive.Over(as)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// findsWhatIsAdded has somebody make whole objects, and looks for them as the
// drift schedule does.
func findsWhatIsAdded(t *testing.T, config *rest.Config, made []componenttest.Resource) {
	admin := as(t, config, "admin", "system:masters")
	read, write := looker(t, config, "drift", "freehold:readers"), looker(t, config, "bootstrap", "freehold:administrators")
	sought := soughtIn(t, made)
	strays := func() kubelive.Found {
		t.Helper()
		found, err := read.Strays(t.Context(), sought)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before := strays()
	// The test's own administrators, and what it made before the fences.
	want := []string{
		"core/v1:Namespace bare: it was made for project bare, which does not exist, and it is not retained by one: add the project again, or delete the namespace with kubectl",
		"core/v1:Namespace plain: it was made for project plain, which does not exist, and it is not retained by one: add the project again, or delete the namespace with kubectl",
		"core/v1:ResourceQuota bare/left: a fence of a project that is not the namespace controller's",
		"core/v1:ResourceQuota bare/quota: a fence of a project that is not the namespace controller's",
		"core/v1:Service bare/front: it undoes a fence of its project: it is of type NodePort",
		"rbac.authorization.k8s.io/v1:ClusterRoleBinding test-admins: no layer declares it: it gives rights in the whole cluster, ClusterRole/cluster-admin",
	}
	if d := cmp.Diff(want, linesOf(before)); d != "" || len(before.Unread) > 0 {
		t.Fatalf("before anybody added anything (-want +got):\n%s\nunread: %v", d, before.Unread)
	}

	controller := object(inNamespace(system, "apps/v1", "Deployment", "namespace-controller", nil))
	fetch(t, admin, controller)
	custom := clusterObject("apiextensions.k8s.io/v1", "CustomResourceDefinition", "backdoors.mallory.example")
	custom["spec"] = map[string]any{
		"group": "mallory.example", "scope": "Namespaced", "names": map[string]any{"kind": "Backdoor", "plural": "backdoors"},
		"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true, "schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object"}}}},
	}
	fence := "a fence of a project that is not the namespace controller's"
	binds := func(ns, name, role string, subjects ...any) map[string]any {
		return filled(inNamespace(ns, rbacV1, "RoleBinding", name, nil), map[string]any{
			"roleRef": map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role}, "subjects": subjects,
		})
	}
	wide := func(name, role string) string {
		return "rbac.authorization.k8s.io/v1:ClusterRoleBinding " + name + ": no layer declares it: it gives rights in the whole cluster, ClusterRole/" + role
	}
	policySpec := map[string]any{
		"matchConstraints": map[string]any{"resourceRules": []any{map[string]any{"apiGroups": []any{"nothing.example"}, "apiVersions": []any{"*"}, "operations": []any{"CREATE"}, "resources": []any{"x"}}}},
		"validations":      []any{map[string]any{"expression": "true"}},
	}
	mallory := subject("User", "mallory")
	evil := object(runs("Deployment", "evil"))
	i := slices.IndexFunc(made, func(r componenttest.Resource) bool { return strings.HasSuffix(r.Type, ":Project") })
	extra := filled(clusterObject("freehold.dev/v1alpha1", "Project", "extra"), map[string]any{"spec": made[i].Inputs["spec"]})
	additions := []addition{
		{inNamespace(system, "v1", "ServiceAccount", "default", nil), ""},
		// In the controller's namespace nothing is anybody else's.
		{evil.Object, "apps/v1:Deployment " + system + "/evil: no layer declares it; Kubernetes made of it: ReplicaSet evil-1, Pod evil-1-x"},
		{aPod("miner"), "core/v1:Pod " + system + "/miner: " + madeByHand},
		{inNamespace(system, "v1", "Secret", "stolen", nil), "core/v1:Secret " + system + "/stolen: " + madeByHand},
		{inNamespace(system, "v1", "ConfigMap", "more", nil), "core/v1:ConfigMap " + system + "/more: " + madeByHand},
		{inNamespace(system, "v1", "ServiceAccount", "other", nil), "core/v1:ServiceAccount " + system + "/other: " + madeByHand},
		{inNamespace(system, rbacV1, "Role", "more", nil), "rbac.authorization.k8s.io/v1:Role " + system + "/more: " + madeByHand},
		{binds(system, "more", "namespace-controller", mallory), "rbac.authorization.k8s.io/v1:RoleBinding " + system + "/more: " + madeByHand},
		{inNamespace(system, "networking.k8s.io/v1", "NetworkPolicy", "open", nil), "networking.k8s.io/v1:NetworkPolicy " + system + "/open: " + madeByHand},
		{filled(inNamespace(system, "batch/v1", "CronJob", "nightly", nil), map[string]any{"spec": map[string]any{
			"schedule": "0 0 * * *", "jobTemplate": map[string]any{"spec": map[string]any{"template": filled(template("nightly"), map[string]any{"spec": filled(sound(), map[string]any{"restartPolicy": "Never"})})}},
		}}), "batch/v1:CronJob " + system + "/nightly: " + madeByHand},
		{inNamespace(system, "coordination.k8s.io/v1", "Lease", "other", nil), "coordination.k8s.io/v1:Lease " + system + "/other: " + madeByHand},
		{inNamespace(system, "mallory.example/v1", "Backdoor", "one", nil), "mallory.example/v1:Backdoor " + system + "/one: " + madeByHand},
		// What only says that it was made of the controller's Deployment.
		{of(inNamespace(system, "v1", "Secret", "owned", nil), controller), "core/v1:Secret " + system + "/owned: " + madeByHand},
		{of(aPod("claimed"), controller), "core/v1:Pod " + system + "/claimed: " + madeByHand},
		// What Kubernetes and the controller make there.
		{inNamespace(system, "v1", "ConfigMap", "kube-root-ca.crt", nil), ""},
		{inNamespace(system, "coordination.k8s.io/v1", "Lease", "namespace-controller", nil), ""},
		{inNamespace(system, "v1", "Event", "started", nil), ""},

		// Rights in the whole cluster, whatever they are called.
		{labelled(grantTo("system:mallory", "cluster-admin", mallory), "kubernetes.io/bootstrapping", "rbac-defaults"), wide("system:mallory", "cluster-admin")},
		{grantTo("eks:mallory", "view", account("shop", "app")), wide("eks:mallory", "view")},
		{grantTo("system:controller:mallory", "system:controller:mallory", account("kube-system", "mallory")), wide("system:controller:mallory", "system:controller:mallory")},
		{grantTo("aws-node", "cluster-admin", account("kube-system", "aws-node")), wide("aws-node", "cluster-admin")},
		{grantTo("readers-of-all", "cluster-admin", subject("Group", "freehold:readers")), wide("readers-of-all", "cluster-admin")},
		{grantTo("nodes", "edit", subject("Group", "system:nodes")), wide("nodes", "edit")},
		// The cluster's own, and what gives nobody anything.
		{grantTo("eks:addon-cluster-admin", "cluster-admin", subject("User", "eks:addon-manager")), ""},
		{grantTo("eks:kube-proxy", "system:node-proxier", account("kube-system", "kube-proxy")), ""},
		{grantTo("eks:node-bootstrapper", "eks:node-bootstrapper", subject("Group", "system:bootstrappers"), subject("Group", "system:nodes")), ""},
		{grantTo("vpc-resource-controller-rolebinding", "vpc-resource-controller-role", subject("User", "eks:vpc-resource-controller"), account("kube-system", "eks-vpc-resource-controller")), ""},
		{grantTo("administrators-again", "admin", subject("Group", "freehold:administrators")), ""},
		{grantTo("nobody", "cluster-admin"), ""},
		{grantTo("freehold:readers", "view", subject("Group", "freehold:readers")), ""},
		{clusterObject(rbacV1, "ClusterRole", "an-operator"), ""},
		{custom, ""},
		// An add-on's binding with one subject more.
		{
			grantTo("ebs-csi-attacher-binding", "ebs-external-attacher-role", account("kube-system", "ebs-csi-controller-sa"), mallory),
			"rbac.authorization.k8s.io/v1:ClusterRoleBinding ebs-csi-attacher-binding: the cluster's own binding of ClusterRole/ebs-external-attacher-role; somebody was added to it [subjects]",
		},

		{binds("kube-system", "mallory", "extension-apiserver-authentication-reader", mallory), "rbac.authorization.k8s.io/v1:RoleBinding kube-system/mallory: no layer declares it: it gives rights in kube-system, Role/extension-apiserver-authentication-reader"},
		{binds("kube-system", "ebs-csi-leases-rolebinding", "ebs-csi-leases-role", account("kube-system", "ebs-csi-controller-sa")), ""},
		{binds("default", "theirs", "any", mallory), ""},

		// What stands in the API server's way.
		{webhook("MutatingWebhookConfiguration", "sidecar", map[string]any{"url": "https://mallory.example/"}), "admissionregistration.k8s.io/v1:MutatingWebhookConfiguration sidecar: no layer declares it: it sees and changes what is sent to the API server"},
		{webhook("ValidatingWebhookConfiguration", "spy", map[string]any{"service": map[string]any{"namespace": "shop", "name": "spy"}}), "admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration spy: no layer declares it: it sees and refuses what is sent to the API server"},
		{webhook("MutatingWebhookConfiguration", "vpc-resource-mutating-webhook", map[string]any{"url": "https://mallory.example/"}), "admissionregistration.k8s.io/v1:MutatingWebhookConfiguration vpc-resource-mutating-webhook: no layer declares it: it sees and changes what is sent to the API server"},
		{webhook("MutatingWebhookConfiguration", "pod-identity-webhook", map[string]any{"url": "https://127.0.0.1:23443/mutate"}), ""},
		{filled(clusterObject(admission, "ValidatingAdmissionPolicy", "stop"), map[string]any{"spec": policySpec}), "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicy stop: no layer declares it: it refuses what is sent to the API server"},
		{filled(clusterObject(admission, "ValidatingAdmissionPolicyBinding", "stop"), map[string]any{"spec": map[string]any{"policyName": "stop", "validationActions": []any{"Deny"}}}), "admissionregistration.k8s.io/v1:ValidatingAdmissionPolicyBinding stop: no layer declares it: it refuses what is sent to the API server"},

		{filled(annotated(clusterObject("storage.k8s.io/v1", "StorageClass", "plain"), "storageclass.kubernetes.io/is-default-class", "true"), map[string]any{"provisioner": "ebs.csi.aws.com"}), "storage.k8s.io/v1:StorageClass plain: no layer declares it: volumes that name no class are made by it, and not with the org's key"},
		{filled(clusterObject("storage.k8s.io/v1", "StorageClass", "gp2"), map[string]any{"provisioner": "kubernetes.io/aws-ebs"}), ""},

		// Fences of a project, beside the controller's.
		{inNamespace("shop", "networking.k8s.io/v1", "NetworkPolicy", "open", nil), "networking.k8s.io/v1:NetworkPolicy shop/open: " + fence},
		{binds("shop", "guest", "any", subject("Group", "globex:devs")), "rbac.authorization.k8s.io/v1:RoleBinding shop/guest: " + fence},
		{inNamespace("shop", rbacV1, "Role", "any", nil), "rbac.authorization.k8s.io/v1:Role shop/any: " + fence},
		{inNamespace("shop", "v1", "LimitRange", "looser", nil), "core/v1:LimitRange shop/looser: " + fence},
		{inNamespace("theirs", "networking.k8s.io/v1", "NetworkPolicy", "open", nil), ""},
		// Of kinds that others install, and names of others. Who made them was there
		// before the fences, or is past them.
		{inNamespace("shop", "cilium.io/v1", "CiliumNetworkPolicy", "open", nil), "cilium.io/v1:CiliumNetworkPolicy shop/open: " + fence},
		{filled(clusterObject("policy.networking.k8s.io/v1", "AdminNetworkPolicy", "open"), fields{"spec": fields{"subject": fields{"namespaces": fields{}}, "egress": []any{fields{"action": "Allow"}}}}), "policy.networking.k8s.io/v1:AdminNetworkPolicy open: it undoes a fence of project bare: it lets traffic through, past the network policies of namespaces"},
		{filled(clusterObject("policy.networking.k8s.io/v1", "AdminNetworkPolicy", "closed"), fields{"spec": fields{"subject": fields{"namespaces": fields{}}, "egress": []any{fields{"action": "Deny"}}}}), ""},
		{filled(clusterObject("elbv2.k8s.aws/v1", "IngressClassParams", "public"), fields{"spec": fields{"scheme": "internet-facing"}}), ""},
		{filled(clusterObject("networking.k8s.io/v1", "IngressClass", "public"), fields{"spec": fields{"controller": "ingress.k8s.aws/alb", "parameters": fields{"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "public"}}}), ""},
		{func() fields {
			o := ingress("shop.example.com", nil)
			o["spec"].(fields)["ingressClassName"] = "public"
			return called("public", o)
		}(), "networking.k8s.io/v1:Ingress shop/public: it undoes a fence of its project: it faces the internet: the scheme of IngressClassParams public is internet-facing, which IngressClass public has"},
		{called("sound", ingress("shop.example.com", nil)), ""},
		{inNamespace("shop", "v1", "ConfigMap", "settings", nil), ""},
		{filled(inNamespace("shop", "v1", "Service", "app", nil), fields{"spec": fields{"ports": []any{fields{"port": 80}}}}), ""},

		{extra, "freehold.dev/v1alpha1:Project extra: no layer declares it: the controller keeps a namespace for it, and lets its members in"},
	}
	// The kind comes before its object.
	if err := admin.Create(t.Context(), object(custom)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the kind", func() error { return admin.List(t.Context(), list("mallory.example/v1", "BackdoorList")) })
	var added []*unstructured.Unstructured
	for _, a := range additions {
		if a.line != "" {
			want = append(want, a.line)
		}
		o := object(a.object)
		if a.object["kind"] == "CustomResourceDefinition" {
			continue
		}
		if o.GetKind() == "Event" {
			o.Object["involvedObject"] = map[string]any{"namespace": system}
		}
		if err := admin.Create(t.Context(), o); err != nil {
			t.Fatalf("%s %s: %v", o.GetKind(), o.GetName(), err)
		}
		added = append(added, o)
	}
	// What Kubernetes makes of two Deployments, one ours and one not.
	for _, d := range []*unstructured.Unstructured{controller, added[1]} {
		set := object(of(runs("ReplicaSet", d.GetName()+"-1"), d))
		if err := admin.Create(t.Context(), set); err != nil {
			t.Fatal(err)
		}
		if err := admin.Create(t.Context(), object(of(aPod(d.GetName()+"-1-x"), set))); err != nil {
			t.Fatal(err)
		}
		if d == controller {
			want = append(want, runOtherwise(t, admin, set)...)
		}
	}
	// What Kubernetes itself has, with more in it.
	for _, c := range []struct{ kind, name, patch, line string }{
		{
			"ClusterRoleBinding", "cluster-admin", `[{"op":"add","path":"/subjects/-","value":{"kind":"ServiceAccount","namespace":"shop","name":"app"}}]`,
			"the cluster's own binding of ClusterRole/cluster-admin; somebody was added to it [subjects]",
		},
		{
			"ClusterRole", "system:basic-user", `[{"op":"add","path":"/rules/-","value":{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}}]`,
			"a role of Kubernetes' own that everybody has; somebody added to it [rules]",
		},
	} {
		o := object(clusterObject(rbacV1, c.kind, c.name))
		edit("kubectl-edit")(t, admin, o, c.patch)
		want = append(want, "rbac.authorization.k8s.io/v1:"+c.kind+" "+c.name+": "+c.line)
	}
	slices.Sort(want)
	found := strays()
	if d := cmp.Diff(want, linesOf(found)); d != "" || len(found.Unread) > 0 {
		t.Errorf("after it (-want +got):\n%s\nunread: %v", d, found.Unread)
	}

	// All of it goes, and nothing else; what the cluster has stays as it was.
	known := linesOf(before)
	for _, s := range found.Strays {
		if slices.Contains(known, linesOf(kubelive.Found{Strays: []kubelive.Stray{s}})[0]) {
			continue
		}
		if err := write.Remove(t.Context(), s); err != nil {
			t.Errorf("remove %s %s: %v", s.Type, s.ID, err)
		}
		if err := write.Remove(t.Context(), s); err != nil && len(s.Differences) == 0 {
			t.Errorf("remove %s %s once more: %v", s.Type, s.ID, err)
		}
	}
	if d := cmp.Diff(known, linesOf(strays())); d != "" {
		t.Errorf("after it was removed (-want +got):\n%s", d)
	}
	for _, a := range additions {
		o := object(a.object)
		err := admin.Get(t.Context(), client.ObjectKeyFromObject(o), o)
		if gone := client.IgnoreNotFound(err) == nil && err != nil; gone != (a.line != "" && !strings.HasSuffix(a.line, "]")) {
			t.Errorf("%s %s: gone: %t, %v", o.GetKind(), o.GetName(), gone, err)
		}
	}

	// A stray of the same name that somebody made since is another one.
	secret := object(inNamespace(system, "v1", "Secret", "stolen", nil))
	if err := admin.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	i = slices.IndexFunc(found.Strays, func(s kubelive.Stray) bool { return s.ID == system+"/stolen" })
	if err := write.Remove(t.Context(), found.Strays[i]); err != nil {
		t.Error(err)
	}
	fetch(t, admin, secret)
	// One that waits for somebody's finalizer says so.
	secret.SetFinalizers([]string{"by.hand/stays"})
	if err := admin.Update(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	if err := admin.Delete(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
	waits := "core/v1:Secret " + system + `/stolen: no layer declares it; it is being removed, and waits for the finalizers ["by.hand/stays"]`
	if got := linesOf(strays()); !slices.Contains(got, waits) {
		t.Errorf("want %s in %q", waits, got)
	}
	secret.SetFinalizers(nil)
	if err := admin.Patch(t.Context(), secret, client.RawPatch("application/merge-patch+json", []byte(`{"metadata":{"finalizers":null}}`))); err != nil {
		t.Fatal(err)
	}

	// Who may not list has found nothing, and says so.
	blind, err := looker(t, config, "blind").Strays(t.Context(), sought)
	text := ""
	for _, u := range blind.Unread {
		text += u.What + ": " + u.Why + "\n"
	}
	if err != nil || len(blind.Strays) > 0 || !strings.Contains(text, "secrets") || !strings.Contains(text, "clusterrolebindings") || !strings.Contains(text, "namespaces") {
		t.Errorf("somebody who may list nothing: %v, %v, unread:\n%s", blind.Strays, err, text)
	}
	// A kind whose server does not answer, and what it answers for.
	remote := clusterObject("apiregistration.k8s.io/v1", "APIService", "v1.spy.example")
	remote["spec"] = map[string]any{
		"group": "spy.example", "version": "v1", "groupPriorityMinimum": 1000, "versionPriority": 15, "insecureSkipTLSVerify": true,
		"service": map[string]any{"namespace": "shop", "name": "spy"},
	}
	if err := admin.Create(t.Context(), object(remote)); err != nil {
		t.Fatal(err)
	}
	asked := "apiregistration.k8s.io/v1:APIService v1.spy.example: no layer declares it: service shop/spy answers requests in the API server's place"
	eventually(t, "the service", func() error {
		found := strays()
		if slices.Contains(linesOf(found), asked) && slices.ContainsFunc(found.Unread, func(u kubelive.Unread) bool { return u.What == "the kinds of spy.example/v1" }) {
			return nil
		}
		return fmt.Errorf("found %q, unread %v", linesOf(found), found.Unread)
	})
	if err := admin.Delete(t.Context(), object(remote)); err != nil {
		t.Fatal(err)
	}
}
