package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
)

// TestMain lets the test binary be the controller that a sandbox cluster runs.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "namespace-controller" {
		os.Exit(run(context.Background(), os.Args[1:], os.Stderr))
	}
	os.Exit(m.Run())
}

func TestBadFlagsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"an unknown flag":      {[]string{"--nope"}, 2, "flag provided but not defined: -nope\n"},
		"help":                 {[]string{"--help"}, 0, "-leader-elect"},
		"an argument":          {[]string{"x"}, 2, `unexpected argument "x"`},
		"a server, no token":   {[]string{"--server=https://a"}, 1, "--token-file"},
		"not in a cluster":     {nil, 1, "cluster"},
		"a set in the clear":   {[]string{"--server=https://a", "--token-file=t", "--org=acme", "--projects-url=http://a", "--projects-token-file=t"}, 1, "not https://"},
		"a set of no org":      {[]string{"--server=https://a", "--token-file=t", "--projects-url=https://a", "--projects-token-file=t"}, 1, "needs the org"},
		"a set by nobody":      {[]string{"--server=https://a", "--token-file=t", "--org=acme", "--projects-url=https://a"}, 1, "needs a token file"},
		"a token for no set":   {[]string{"--server=https://a", "--token-file=t", "--projects-token-file=t"}, 1, "need --projects-url"},
		"a kubeconfig, absent": {[]string{"--kubeconfig=/nonexistent"}, 1, "/nonexistent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", "")
			var out strings.Builder
			if code := run(t.Context(), c.args, &out); code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit %d, %s", code, out.String())
			}
		})
	}
}

// The role is the one that bootstrap gives it.
const installed = `
- {apiVersion: v1, kind: Namespace, metadata: {name: freehold-system}}
- {apiVersion: v1, kind: ServiceAccount, metadata: {name: namespace-controller, namespace: freehold-system}}
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: nc}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: namespace-controller}
  subjects: [{kind: ServiceAccount, name: namespace-controller, namespace: freehold-system}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: nc, namespace: default}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: namespace-controller}
  subjects: [{kind: ServiceAccount, name: namespace-controller, namespace: freehold-system}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: RoleBinding
  metadata: {name: nc, namespace: freehold-system}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: namespace-controller}
  subjects: [{kind: ServiceAccount, name: namespace-controller, namespace: freehold-system}]
- apiVersion: apps/v1
  kind: Deployment
  metadata: {name: namespace-controller, namespace: freehold-system}
  spec:
    replicas: 2
    selector: {matchLabels: {app: nc}}
    template:
      metadata: {labels: {app: nc}}
      spec:
        serviceAccountName: namespace-controller
        containers:
        - name: controller
          image: example.com/nc@sha256:0000000000000000000000000000000000000000000000000000000000000000
          args: [--leader-elect, "--health-probe-bind-address=:8081"]
          env: [{name: POD_NAMESPACE, valueFrom: {fieldRef: {fieldPath: metadata.namespace}}}]
`

// It is installed as bootstrap does, and run by the sandbox with a token of its
// own service account: the whole way from a Deployment to a project's status.
func TestASandboxClusterRunsItFromItsDeployment(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	controlplanetest.UseController(t, self)
	_, rc := controlplanetest.Start(t)
	c, err := dynamic.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	create := func(o map[string]any) error {
		u := &unstructured.Unstructured{Object: o}
		gvk := u.GroupVersionKind()
		gvr := schema.GroupVersionResource{Group: gvk.Group, Version: gvk.Version, Resource: strings.ToLower(gvk.Kind) + "s"}
		_, err := c.Resource(gvr).Namespace(u.GetNamespace()).Create(t.Context(), u, metav1.CreateOptions{})
		return err
	}
	var objects []map[string]any
	if err := yaml.Unmarshal([]byte(installed), &objects); err != nil {
		t.Fatal(err)
	}
	for _, o := range append(objects, documents(t, "controller-role.yaml")...) {
		if err := create(o); err != nil {
			t.Fatal(err)
		}
	}
	status := func() map[string]any {
		gvr := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
		d, err := c.Resource(gvr).Namespace("freehold-system").Get(t.Context(), "namespace-controller", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s, _, _ := unstructured.NestedMap(d.Object, "status")
		return s
	}
	// Without its kind it lives, and never gets ready.
	eventually(t, "the deployment is observed", func() bool { return status()["observedGeneration"] == int64(1) })
	time.Sleep(2 * time.Second)
	if s := status(); s["readyReplicas"] != nil {
		t.Errorf("it is ready without the Project kind: %v", s)
	}
	for _, crd := range documents(t, "project-crd.yaml") {
		if err := create(crd); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	eventually(t, "both replicas are available", func() bool { return status()["availableReplicas"] == int64(2) })
	t.Logf("available %s after the definition", time.Since(begin).Round(time.Millisecond))
	project := map[string]any{
		"apiVersion": "freehold.dev/v1alpha1", "kind": "Project", "metadata": map[string]any{"name": "team-a"},
		"spec": map[string]any{
			"quota":  map[string]any{"cpu": "4", "memory": "8Gi", "storage": "1Gi", "pods": int64(5)},
			"limits": map[string]any{"defaultCpu": "1", "defaultMemory": "1Gi", "maxCpu": "4", "maxMemory": "8Gi"},
		},
	}
	if err := create(project); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the leader fences the project", func() bool {
		gvr := schema.GroupVersionResource{Group: "freehold.dev", Version: "v1alpha1", Resource: "projects"}
		p, err := c.Resource(gvr).Get(t.Context(), "team-a", metav1.GetOptions{})
		if err != nil {
			return false
		}
		phase, _, _ := unstructured.NestedString(p.Object, "status", "phase")
		return phase == "Ready"
	})
}

// documents are the objects of a file of the bootstrap component.
func documents(t *testing.T, name string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "components", "bootstrap", name))
	if err != nil {
		t.Fatal(err)
	}
	var objects []map[string]any
	for document := range strings.SplitSeq(string(text), "---\n") {
		if strings.TrimSpace(document) == "" {
			continue
		}
		var o map[string]any
		if err := yaml.Unmarshal([]byte(document), &o); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		objects = append(objects, o)
	}
	return objects
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("not within 30 s: %s", what)
}
