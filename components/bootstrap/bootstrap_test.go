package bootstrap_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"freehold.dev/freehold/components/bootstrap"
	"freehold.dev/freehold/components/componenttest"
	"freehold.dev/freehold/internal/api/v1alpha1"
)

const image = "210987654321.dkr.ecr.eu-central-1.amazonaws.com/freehold-acme/namespace-controller@sha256:" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

func args() bootstrap.Args {
	q := v1alpha1.MustQuantity
	return bootstrap.Args{
		Namespace: "freehold-system",
		Image:     image,
		Org:       "acme",
		Registry:  "210987654321.dkr.ecr.eu-central-1.amazonaws.com/",
		Labels: map[string]string{
			"freehold.dev/org": "acme", "freehold.dev/layer": "bootstrap",
			"freehold.dev/managed-by": "freehold", "app.kubernetes.io/managed-by": "freehold",
		},
		Administrators: []string{"freehold:administrators"},
		Readers:        "freehold:readers",
		StorageClass:   "freehold-gp3",
		VolumeKeyARN:   "arn:aws:kms:eu-central-1:210987654321:key/data",
		VolumeTags:     map[string]string{"freehold.dev/org": "acme", "cost": "42"},
		Projects: []v1alpha1.NamedProject{
			{
				Name: "shop",
				Spec: v1alpha1.ProjectSpec{
					Org: "acme",
					ProjectSettings: v1alpha1.ProjectSettings{
						Quota:   v1alpha1.Quota{CPU: q("4"), Memory: q("8Gi"), Storage: q("50Gi"), Pods: 50, Objects: v1alpha1.ObjectCounts{Services: new(int32(20))}},
						Limits:  v1alpha1.Limits{DefaultCPU: q("250m"), DefaultMemory: q("256Mi"), MaxCPU: q("4"), MaxMemory: q("8Gi"), MinCPU: q("50m")},
						Members: []v1alpha1.Member{{Group: "shop-devs", Role: "editor"}, {User: "ada@acme.example", Role: "admin"}},
						Egress:  []v1alpha1.Egress{{CIDR: "198.51.100.0/24", Ports: []int32{443}, Protocol: "TCP"}},
						Ingress: []v1alpha1.Ingress{{Project: "lab", Ports: []int32{8080}, Protocol: "TCP"}},

						DisplayName: "The shop", PodSecurity: "baseline", TTL: "72h", Hibernate: true, DeletionPolicy: "Delete",
						Registries: []string{"quay.io/acme/"},
					},
					ServiceAccounts: []v1alpha1.ServiceAccount{{Name: "worker"}},
				},
			},
			{
				Name: "lab",
				Spec: v1alpha1.ProjectSpec{Org: "acme", ProjectSettings: v1alpha1.ProjectSettings{
					Quota:  v1alpha1.Quota{CPU: q("500m"), Memory: q("1Gi"), Storage: q("1Gi"), Pods: 5, GPUs: 1},
					Limits: v1alpha1.Limits{DefaultCPU: q("100m"), DefaultMemory: q("64Mi"), MaxCPU: q("500m"), MaxMemory: q("1Gi")},
				}},
			},
		},
	}
}

func program(a bootstrap.Args) pulumi.RunFunc {
	return func(ctx *pulumi.Context) error {
		p, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		b, err := bootstrap.New(ctx, "bootstrap", a, pulumi.Providers(p))
		if err != nil {
			return err
		}
		ctx.Export("namespace", b.Namespace)
		ctx.Export("controllerImage", b.ControllerImage)
		ctx.Export("projects", b.Projects)
		return nil
	}
}

func record(t *testing.T) *componenttest.Recorder {
	t.Helper()
	return componenttest.Record(t, program(args()))
}

// at returns the value at a path of an object's fields.
func at(object map[string]any, path ...string) any {
	var v any = object
	for _, key := range path {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	return v
}

func TestInventory(t *testing.T) {
	made := record(t).Resources
	for _, res := range made {
		if strings.HasSuffix(res.Type, ":CustomResourceDefinition") {
			res.Inputs["spec"] = "as in project-crd.yaml"
		}
	}
	componenttest.Golden(t, "bootstrap.json", made)
}

func TestTheOutputsNameWhatWasMade(t *testing.T) {
	want := map[string]any{"namespace": "freehold-system", "controllerImage": image, "projects": []any{"shop", "lab"}}
	got := record(t).Exports
	if names, ok := got["projects"].([]string); ok {
		got["projects"] = []any{names[0], names[1]}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
}

func TestEveryObjectIsAppliedAsItsOwner(t *testing.T) {
	a := args()
	a.ProjectSource = &bootstrap.ProjectSource{URL: "https://api.example.com:8443/projects", CABundle: sourceBundle, Interval: "30s"}
	objects := 0
	for _, res := range componenttest.Record(t, program(a)).Resources {
		if !strings.HasPrefix(res.Type, "kubernetes:") {
			continue
		}
		objects++
		for name, want := range map[string]any{"pulumi.com/patchForce": "true", "pulumi.com/patchFieldManager": "freehold"} {
			if got := at(res.Inputs, "metadata", "annotations", name); got != want {
				t.Errorf("%s %s: %s is %v, and another manager's field would be in the way for ever", res.Type, res.Name, name, got)
			}
		}
	}
	if objects < 40 {
		t.Errorf("only %d objects are looked at", objects)
	}
}

func TestAnImageWithoutADigestIsRefused(t *testing.T) {
	repository, digest, _ := strings.Cut(image, "@")
	for _, bad := range []string{"", repository, repository + ":v1", repository + "@", "@" + digest, image[:len(image)-1]} {
		a := args()
		a.Image = bad
		_, err := componenttest.Run(program(a))
		if err == nil || !strings.Contains(err.Error(), "not given by digest") {
			t.Errorf("image %q: %v", bad, err)
		}
	}
}

func TestTheControllersPodsAreRestricted(t *testing.T) {
	r := record(t)
	pod := at(r.One(t, "kubernetes:apps/v1:Deployment", "bootstrap-namespace-controller").Inputs, "spec", "template", "spec").(map[string]any)
	container := pod["containers"].([]any)[0].(map[string]any)
	got := map[string]any{
		"containers": len(pod["containers"].([]any)), "volumes": pod["volumes"], "hostNetwork": pod["hostNetwork"],
		"pod": pod["securityContext"], "container": container["securityContext"], "image": container["image"],
	}
	want := map[string]any{
		"containers": 1, "volumes": nil, "hostNetwork": nil, "image": image,
		"pod": map[string]any{
			"runAsNonRoot": true, "runAsUser": 65532.0, "runAsGroup": 65532.0, "seccompProfile": map[string]any{"type": "RuntimeDefault"},
		},
		"container": map[string]any{
			"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []any{"ALL"}},
			"privileged": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pod (-want +got):\n%s", diff)
	}
	namespace := r.One(t, "kubernetes:core/v1:Namespace", "bootstrap-namespace")
	if enforced := at(namespace.Inputs, "metadata", "labels", "pod-security.kubernetes.io/enforce"); enforced != "restricted" {
		t.Errorf("the namespace enforces %v", enforced)
	}
}

func TestOnlyMetricsReachTheControllerOverTheNetwork(t *testing.T) {
	spec := record(t).One(t, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "bootstrap-fence").Inputs["spec"].(map[string]any)
	if diff := cmp.Diff([]any{"Ingress", "Egress"}, spec["policyTypes"]); diff != "" {
		t.Errorf("policy types (-want +got):\n%s", diff)
	}
	want := []any{map[string]any{
		"ports": []any{map[string]any{"port": 8080.0, "protocol": "TCP"}},
		"from": []any{map[string]any{
			"namespaceSelector": map[string]any{"matchLabels": map[string]any{"freehold.dev/scrape-metrics": "true"}},
			"podSelector":       map[string]any{"matchLabels": map[string]any{"app.kubernetes.io/name": "prometheus"}},
		}},
	}}
	if diff := cmp.Diff(want, spec["ingress"]); diff != "" {
		t.Errorf("ingress (-want +got):\n%s", diff)
	}
}

func TestARegistryThatIsTheBeginningOfAnothersIsRefused(t *testing.T) {
	for _, bad := range []string{"", "registry.example", "/", "https://registry.example/", "registry.example/path/"} {
		a := args()
		a.Registry = bad
		if _, err := componenttest.Run(program(a)); err == nil || !strings.Contains(err.Error(), "not a host and a slash") {
			t.Errorf("registry %q: %v", bad, err)
		}
	}
}

// grant is one line of a role: verbs on one resource.
type grant struct{ resource, verb string }

// grants lists what a role holds.
func grants(role componenttest.Resource) map[grant]bool {
	held := map[grant]bool{}
	for _, r := range role.Inputs["rules"].([]any) {
		rule := r.(map[string]any)
		for _, group := range rule["apiGroups"].([]any) {
			for _, resource := range rule["resources"].([]any) {
				for _, verb := range rule["verbs"].([]any) {
					name := resource.(string)
					if group != "" {
						name += "." + group.(string)
					}
					held[grant{name, verb.(string)}] = true
				}
			}
		}
	}
	return held
}

const rbac = ".rbac.authorization.k8s.io"

func TestTheControllerBindsThreeRolesByNameAndWritesNone(t *testing.T) {
	role := record(t).One(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "bootstrap-namespace-controller")
	held := grants(role)
	for g := range held {
		if strings.Contains(g.resource, "*") || g.verb == "*" || g.verb == "escalate" || g.verb == "impersonate" {
			t.Errorf("holds %s on %s", g.verb, g.resource)
		}
		// It sees roles and pods that undo a fence, and removes them; it makes none.
		sees := g.verb == "list" || g.verb == "watch" || g.verb == "delete"
		if strings.HasSuffix(g.resource, "clusterroles"+rbac) && g.verb != "bind" || g.resource == "roles"+rbac && !sees {
			t.Errorf("holds %s on %s", g.verb, g.resource)
		}
		if strings.HasPrefix(g.resource, "secrets") || strings.HasPrefix(g.resource, "pods") && !sees && g.verb != "deletecollection" {
			t.Errorf("holds %s on %s", g.verb, g.resource)
		}
	}
	for _, r := range role.Inputs["rules"].([]any) {
		rule := r.(map[string]any)
		if !slices.Contains(rule["verbs"].([]any), any("bind")) {
			continue
		}
		want := []any{"freehold-project-admin", "freehold-project-editor", "freehold-project-viewer"}
		if diff := cmp.Diff(want, rule["resourceNames"]); diff != "" {
			t.Errorf("binds (-want +got):\n%s", diff)
		}
	}
	if !held[grant{"clusterroles" + rbac, "bind"}] {
		t.Error("binds no role")
	}
}

func TestMembersCannotOpenTheirFence(t *testing.T) {
	r := record(t)
	for _, role := range []string{"viewer", "editor", "admin"} {
		for g := range grants(r.One(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "bootstrap-project-"+role)) {
			if strings.Contains(g.resource, "*") || g.verb == "*" {
				t.Errorf("%s holds %s on %s", role, g.verb, g.resource)
			}
			fence := []string{"networkpolicies.networking.k8s.io", "resourcequotas", "limitranges", "roles" + rbac, "rolebindings" + rbac, "namespaces"}
			if slices.Contains(fence, g.resource) && !slices.Contains([]string{"get", "list", "watch"}, g.verb) {
				t.Errorf("%s holds %s on %s", role, g.verb, g.resource)
			}
			if role == "viewer" && (strings.HasPrefix(g.resource, "secrets") || !slices.Contains([]string{"get", "list", "watch"}, g.verb)) {
				t.Errorf("viewer holds %s on %s", g.verb, g.resource)
			}
		}
	}
}

func TestReadersSeeNoSecretAndWriteNothing(t *testing.T) {
	r := record(t)
	for g := range grants(r.One(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "bootstrap-reader")) {
		if strings.HasPrefix(g.resource, "secrets") || strings.Contains(g.resource, "*") || !slices.Contains([]string{"get", "list", "watch"}, g.verb) {
			t.Errorf("readers hold %s on %s", g.verb, g.resource)
		}
	}
	binding := r.One(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding", "bootstrap-reader")
	want := []any{map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "freehold:readers"}}
	if diff := cmp.Diff(want, binding.Inputs["subjects"]); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
}

func TestReadersCanReadEveryKindThatIsMade(t *testing.T) {
	r := record(t)
	held := grants(r.One(t, "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "bootstrap-reader"))
	for _, res := range r.Resources {
		kind, ok := strings.CutPrefix(res.Type, "kubernetes:")
		if !ok {
			continue
		}
		apiVersion, name, _ := strings.Cut(kind, ":")
		group, _, _ := strings.Cut(apiVersion, "/")
		plural := strings.ToLower(name) + "s"
		switch {
		case strings.HasSuffix(name, "y"):
			plural = strings.ToLower(strings.TrimSuffix(name, "y")) + "ies"
		case strings.HasSuffix(name, "ss"):
			plural = strings.ToLower(name) + "es"
		}
		if group != "core" {
			plural += "." + group
		}
		if !held[grant{plural, "get"}] {
			t.Errorf("readers cannot get %s", plural)
		}
	}
}

func TestVolumesAreEncryptedWithTheOrgsKeyByDefault(t *testing.T) {
	class := record(t).One(t, "kubernetes:storage.k8s.io/v1:StorageClass", "bootstrap-storage").Inputs
	want := map[string]any{
		"type": "gp3", "encrypted": "true", "kmsKeyId": "arn:aws:kms:eu-central-1:210987654321:key/data",
		"tagSpecification_1": "cost=42", "tagSpecification_2": "freehold.dev/org=acme",
	}
	if diff := cmp.Diff(want, class["parameters"]); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
	if at(class, "metadata", "annotations", "storageclass.kubernetes.io/is-default-class") != "true" || class["provisioner"] != "ebs.csi.aws.com" {
		t.Errorf("class: %v", class)
	}
}

func TestProjectsComeAfterTheControllerAndItsFences(t *testing.T) {
	r := record(t)
	project := r.One(t, "kubernetes:freehold.dev/v1alpha1:Project", "bootstrap-project-shop")
	want := []string{
		"bootstrap-bindings", "bootstrap-controller", "bootstrap-controller-reach", "bootstrap-controller-workloads", "bootstrap-everybody", "bootstrap-namespace-controller",
		"bootstrap-namespaces", "bootstrap-node-access", "bootstrap-node-volumes", "bootstrap-owned-objects", "bootstrap-project-budgets", "bootstrap-project-definition",
		"bootstrap-project-devices", "bootstrap-project-fences", "bootstrap-project-images", "bootstrap-project-ingress", "bootstrap-project-marks", "bootstrap-project-objects", "bootstrap-project-pods",
		"bootstrap-project-resources", "bootstrap-project-services",
	}
	if diff := cmp.Diff(want, project.DependsOn); diff != "" {
		t.Errorf("waits for (-want +got):\n%s", diff)
	}
	wantSpec := map[string]any{
		"org":    "acme",
		"quota":  map[string]any{"cpu": "4", "memory": "8Gi", "storage": "50Gi", "pods": 50.0, "gpus": 0.0, "objects": map[string]any{"services": 20.0}},
		"limits": map[string]any{"defaultCpu": "250m", "defaultMemory": "256Mi", "maxCpu": "4", "maxMemory": "8Gi", "minCpu": "50m"},
		"members": []any{
			map[string]any{"group": "shop-devs", "role": "editor"}, map[string]any{"user": "ada@acme.example", "role": "admin"},
		},
		"egress":      []any{map[string]any{"cidr": "198.51.100.0/24", "ports": []any{443.0}, "protocol": "TCP"}},
		"ingress":     []any{map[string]any{"project": "lab", "ports": []any{8080.0}, "protocol": "TCP"}},
		"displayName": "The shop", "podSecurity": "baseline", "ttl": "72h", "hibernate": true, "deletionPolicy": "Delete",
		"serviceAccounts": []any{map[string]any{"name": "worker"}}, "registries": []any{"quay.io/acme/"},
	}
	if diff := cmp.Diff(wantSpec, project.Inputs["spec"]); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
	deployment := r.One(t, "kubernetes:apps/v1:Deployment", "bootstrap-namespace-controller")
	for _, first := range []string{"bootstrap-namespace", "bootstrap-namespace-controller", "bootstrap-project-admin", "bootstrap-project-definition"} {
		if !slices.Contains(deployment.DependsOn, first) {
			t.Errorf("the controller does not wait for %s but for %v", first, deployment.DependsOn)
		}
	}
}

func TestEveryObjectHasItsNameAndTheLabels(t *testing.T) {
	for _, res := range record(t).Resources {
		if !strings.HasPrefix(res.Type, "kubernetes:") {
			continue
		}
		if name, _ := at(res.Inputs, "metadata", "name").(string); name == "" {
			t.Errorf("%s %s has no name of its own", res.Type, res.Name)
		}
		for key, want := range args().Labels {
			if got := at(res.Inputs, "metadata", "labels", key); got != want {
				t.Errorf("%s %s: label %s is %v", res.Type, res.Name, key, got)
			}
		}
		if res.Provider != "cluster" {
			t.Errorf("%s %s uses provider %q", res.Type, res.Name, res.Provider)
		}
	}
}
