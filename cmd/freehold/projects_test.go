package main_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"freehold.dev/freehold/internal/event"
	"freehold.dev/freehold/internal/oidctest"
)

// cluster reaches the org's cluster as kubectl does, and as somebody else over
// the same RBAC.
type cluster struct {
	t      *testing.T
	config *rest.Config
}

func (h home) cluster(t *testing.T, org string) cluster {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig([]byte(h.want(0, "kubeconfig", org).stdout))
	if err != nil {
		t.Fatal(err)
	}
	return cluster{t, config}
}

// administrator is a client for whom the org's kubeconfig is.
func (c cluster) administrator() kubernetes.Interface {
	c.t.Helper()
	return c.client(c.config)
}

// with is a client for whoever a token is of: it has no certificate, and asks
// nobody to stand for it.
func (c cluster) with(token string) kubernetes.Interface {
	c.t.Helper()
	config := rest.AnonymousClientConfig(c.config)
	config.BearerToken = token
	return c.client(config)
}

func (c cluster) client(config *rest.Config) kubernetes.Interface {
	c.t.Helper()
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		c.t.Fatal(err)
	}
	return client
}

// restricted is a pod that Pod Security lets in, of an image, with CPUs.
func restricted(name, image, cpu string) *corev1.Pod {
	cpus := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse("64Mi")}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{
			SecurityContext: &corev1.PodSecurityContext{RunAsNonRoot: new(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}},
			Containers: []corev1.Container{{
				Name: "app", Image: image,
				Resources:       corev1.ResourceRequirements{Requests: cpus, Limits: cpus},
				SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: new(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}},
			}},
		},
	}
}

func refused(t *testing.T, what string, err error, says string) {
	t.Helper()
	if !apierrors.IsForbidden(err) || !strings.Contains(err.Error(), says) {
		t.Errorf("%s: %v, want a refusal that says %q", what, err, says)
	}
}

func allowed(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// TestProjectsAreFencedFromEachOtherAndFromTheNode onboards the demo's customer
// with an identity provider, and has its members try what they may and what they
// may not: with tokens of that provider, over the authentication, the RBAC, the
// quota and the admission of the customer's own API server.
func TestProjectsAreFencedFromEachOtherAndFromTheNode(t *testing.T) {
	t.Parallel()
	h, provider := newHome(t), newPeople(t)
	h.roots = provider.Roots
	ctx := t.Context()
	example, err := os.ReadFile(filepath.Join("..", "..", "docs", "examples", "acme.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, "acme.yaml")
	if err := os.WriteFile(file, provider.provided(example), 0o600); err != nil {
		t.Fatal(err)
	}
	made := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json"))

	// Onboard has waited: every project is ready now.
	states := func() map[string]string {
		got := map[string]string{}
		for _, p := range decode[event.Projects](t, h.want(0, "projects", "list", "acme", "-o", "json")).Projects {
			got[p.Name] = p.Phase + " " + p.Message
		}
		return got
	}
	if got := states(); len(got) != 2 || got["shop"] != "Ready " || got["billing"] != "Ready " {
		t.Errorf("projects: %v", got)
	}
	h.want(0, "drift", "acme")

	kubeconfig := filepath.Join(h.dir, "acme.kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(h.want(0, "kubeconfig", "acme").stdout), 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl := exec.CommandContext(ctx, filepath.Join(bin, "freehold-kube"), "kubectl", "--kubeconfig", kubeconfig,
		"get", "projects,ns,quota,limits,networkpolicy,rolebinding", "-A")
	shown, err := kubectl.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	for _, want := range []string{
		"project.freehold.dev/shop", "namespace/shop", "resourcequota/", "limitrange/", "networkpolicy.networking.k8s.io/default-deny",
		"ClusterRole/freehold-project-editor", "ClusterRole/freehold-project-viewer",
	} {
		if !strings.Contains(string(shown), want) {
			t.Errorf("kubectl get shows no %s:\n%s", want, shown)
		}
	}

	c := h.cluster(t, "acme")
	shopper := c.with(provider.token("ada@acme.example", "shop"))
	who, err := shopper.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		t.Fatalf("a member logs in: %v", err)
	}
	if is := who.Status.UserInfo; is.Username != "acme:ada@acme.example" || !slices.Equal(is.Groups, []string{"acme:shop", "system:authenticated"}) {
		t.Errorf("the cluster takes a member for %s of %v", is.Username, is.Groups)
	}
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "settings"}}
	_, err = shopper.CoreV1().ConfigMaps("shop").Create(ctx, config, metav1.CreateOptions{})
	allowed(t, "a member works in the project", err)
	_, err = shopper.CoreV1().ConfigMaps("billing").Create(ctx, config, metav1.CreateOptions{})
	refused(t, "a member works in another project", err, "cannot create")
	_, err = shopper.CoreV1().ConfigMaps("billing").List(ctx, metav1.ListOptions{})
	refused(t, "a member looks into another project", err, "cannot list")
	_, err = shopper.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	refused(t, "a member looks into all namespaces", err, "cannot list")
	_, err = shopper.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	refused(t, "a member lists namespaces", err, "cannot list")
	_, err = shopper.RbacV1().RoleBindings("shop").Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "guest"}, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "view"},
	}, metav1.CreateOptions{})
	refused(t, "a member lets somebody in", err, "cannot create")

	// Who is not whom the provider sent is nobody, and nobody of its is one of Kubernetes or Freehold.
	other := oidctest.Serve(t)
	for what, token := range map[string]string{
		"a token for another application":        provider.but(map[string]any{"aud": "wiki"}, "ada@acme.example", "shop"),
		"a token whose time is over":             provider.but(map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, "ada@acme.example", "shop"),
		"a token of another issuer":              people{other}.token("ada@acme.example", "shop"),
		"a token that another issuer has forged": people{other}.but(map[string]any{"iss": provider.URL}, "ada@acme.example", "shop"),
		"a token of another company":             provider.but(map[string]any{"hd": "globex.example"}, "ada@acme.example", "shop"),
		"a token with an unproved address":       provider.but(map[string]any{"email_verified": false}, "ada@acme.example", "shop"),
	} {
		_, err := c.with(token).CoreV1().ConfigMaps("shop").List(ctx, metav1.ListOptions{})
		unauthorized(t, what, err)
	}
	for _, claim := range []string{"system:masters", "freehold:administrators", "eks:addon-manager"} {
		boss := c.with(provider.token(claim, claim))
		_, err = boss.CoreV1().ConfigMaps("shop").List(ctx, metav1.ListOptions{})
		refused(t, "who claims "+claim+" looks into a project", err, `User "acme:`+claim+`" cannot list`)
		_, err = boss.CoreV1().Secrets("").List(ctx, metav1.ListOptions{})
		refused(t, "who claims "+claim+" looks at all secrets", err, `User "acme:`+claim+`" cannot list`)
	}

	registry := made.DataPlane.AccountID + ".dkr.ecr.eu-central-1.amazonaws.com"
	own := registry + "/freehold-acme/app:v1"
	pods := shopper.CoreV1().Pods("shop")
	_, err = pods.Create(ctx, restricted("first", own, "3"), metav1.CreateOptions{})
	allowed(t, "a pod within the quota", err)
	_, err = pods.Create(ctx, restricted("second", own, "3"), metav1.CreateOptions{})
	refused(t, "a pod over the quota", err, "exceeded quota")
	_, err = pods.Create(ctx, restricted("large", own, "5"), metav1.CreateOptions{})
	refused(t, "a container over the limits", err, "maximum cpu usage per Container is 4")
	_, err = pods.Create(ctx, restricted("foreign", "docker.io/library/nginx:latest", "100m"), metav1.CreateOptions{})
	refused(t, "an image of somebody else", err, "freehold-project-images")
	_, err = pods.Create(ctx, restricted("lookalike", registry+".evil.example/app", "100m"), metav1.CreateOptions{})
	refused(t, "an image of a host that looks like the org's", err, "freehold-project-images")
	onHost := restricted("host", own, "100m")
	onHost.Spec.Volumes = []corev1.Volume{{Name: "root", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
	_, err = pods.Create(ctx, onHost, metav1.CreateOptions{})
	refused(t, "a pod with the node's files", err, "hostPath")
	_, err = c.administrator().CoreV1().Pods("default").Create(ctx, onHost, metav1.CreateOptions{})
	refused(t, "an administrator's pod with the node's files", err, "freehold-node-access")

	// What the pod and the settings left is the project's own, and no drift.
	h.want(0, "drift", "acme")

	t.Run("one is added and removed", func(t *testing.T) {
		h.want(2, "projects", "add", "acme", "--name", "lab", "--dry-run")
		h.want(0, "projects", "add", "acme", "--name", "lab", "--cpu", "1", "--member", "admin=user:acme:bo@acme.example", "--spec", file)
		if got := states(); got["lab"] != "Ready " {
			t.Errorf("projects: %v", got)
		}
		h.want(0, "plan", "-f", file)
		h.want(0, "drift", "acme")
		_, err := c.with(provider.token("bo@acme.example")).CoreV1().ConfigMaps("lab").Create(ctx, config, metav1.CreateOptions{})
		allowed(t, "its member works in it", err)
		h.want(0, "projects", "remove", "acme", "lab", "--yes=lab", "--spec", file)
		if got := states(); got["lab"] != "" {
			t.Errorf("projects: %v", got)
		}
		ns, err := c.administrator().CoreV1().Namespaces().Get(ctx, "lab", metav1.GetOptions{})
		if err != nil || ns.Annotations["freehold.dev/retained"] != "true" {
			t.Errorf("its namespace is not retained: %v, %v", ns.Annotations, err)
		}
		h.want(0, "plan", "-f", file)
		h.want(0, "drift", "acme")
	})

	t.Run("one that takes its namespace along has to be named", func(t *testing.T) {
		own := filepath.Join(h.dir, "brief.yaml")
		if err := os.WriteFile(own, []byte("name: brief\ndeletionPolicy: Delete\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		h.want(0, "projects", "add", "acme", "-f", own)
		// The spec file does not have it: an onboard would lose what is in it.
		if r := h.want(4, "onboard", "-f", file); !strings.Contains(r.stderr, "freehold projects remove acme brief") {
			t.Errorf("onboard says:\n%s", r.stderr)
		}
		h.want(0, "projects", "remove", "acme", "brief", "--yes=brief")
		if _, err := c.administrator().CoreV1().Namespaces().Get(ctx, "brief", metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("its namespace is there: %v", err)
		}
	})

	t.Run("one that cannot be made is named with the reason", func(t *testing.T) {
		if _, err := c.administrator().CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "taken"}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		r := h.want(1, "projects", "add", "acme", "--name", "taken")
		if !strings.Contains(r.stderr, "project taken") || !strings.Contains(r.stderr, "freehold.dev/adopt=taken") || r.took > 90*time.Second {
			t.Errorf("after %s it says:\n%s", r.took, r.stderr)
		}
		h.want(0, "projects", "remove", "acme", "taken", "--yes=taken")
		if _, err := c.administrator().CoreV1().Namespaces().Get(ctx, "taken", metav1.GetOptions{}); err != nil {
			t.Errorf("the namespace that it did not own: %v", err)
		}
		h.want(0, "onboard", "-f", file)
	})
}

// TestPodsGetARoleOfTheirOwn gives a service account a role by the spec and by
// the command, and takes both away again.
func TestPodsGetARoleOfTheirOwn(t *testing.T) {
	t.Parallel()
	h, without := onboarded(t)
	ctx := t.Context()
	const withRole = `serviceAccounts: [{name: uploader, podIdentity: {policies: ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]}}]`
	document, err := os.ReadFile(without)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(h.dir, "with.yaml")
	document = bytes.Replace(document, []byte("serviceAccounts: [{name: uploader}]"), []byte(withRole), 1)
	// And other tags, one of which only the storage class can give to volumes:
	// nobody can change that.
	document = bytes.Replace(document, []byte("tags: {team: blue}"), []byte(`tags: {team: red, cost: "42", city: Köln}`), 1)
	if err := os.WriteFile(file, document, 0o600); err != nil {
		t.Fatal(err)
	}
	// The cluster is there, and the role that the plan of bootstrap names is not.
	planned := decode[event.Plan](t, h.want(2, "plan", "-f", file, "-o", "json"))
	const class = "kubernetes:storage.k8s.io/v1:StorageClass"
	if i := slices.IndexFunc(planned.Changes, func(c event.Change) bool { return c.Type == class }); i < 0 || planned.Changes[i].Op != "replace" || len(planned.Changes[i].Properties) == 0 {
		t.Errorf("the class is not planned to be replaced: %+v", planned.Changes)
	}
	made := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json"))
	roleOf := func(project string) string {
		return "arn:aws:iam::" + made.DataPlane.AccountID + ":role/freehold-acme-pod-" + project + ".uploader"
	}
	c := h.cluster(t, "acme")
	now, err := c.administrator().StorageV1().StorageClasses().Get(ctx, "freehold-gp3", metav1.GetOptions{})
	if err != nil || !slices.Contains(slices.Collect(maps.Values(now.Parameters)), "city=Köln") || slices.Contains(slices.Collect(maps.Values(now.Parameters)), "team=blue") {
		t.Errorf("the class is %v, %v", now.Parameters, err)
	}
	driver := decode[event.SandboxItem](t, h.want(0, "sandbox", "show", "acme", "aws:eks/addon:Addon", "freehold-acme:aws-ebs-csi-driver", "-o", "json"))
	const tagged = `{"controller":{"extraVolumeTags":{"cost":"42","freehold.dev/managed-by":"freehold","freehold.dev/org":"acme","team":"red"}}}`
	if got := driver.Properties["configurationValues"]; got != tagged {
		t.Errorf("the EBS driver's settings: %v", got)
	}
	annotated := func(project string) string {
		t.Helper()
		a, err := c.administrator().CoreV1().ServiceAccounts(project).Get(ctx, "uploader", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return a.Annotations["freehold.dev/pod-identity-role"]
	}
	// podThings are the roles of pods and all associations, the EBS driver's too.
	podThings := func() string {
		var got []string
		for _, it := range h.made(made.DataPlane.AccountID) {
			if strings.Contains(it, "PodIdentityAssociation") || strings.Contains(it, "-pod-") {
				got = append(got, strings.TrimSpace(it))
			}
		}
		slices.Sort(got)
		return strings.Join(got, ", ")
	}
	const association, role = "aws:eks/podIdentityAssociation:PodIdentityAssociation", "aws:iam/role:Role freehold-acme-pod-"
	if got, want := podThings(), association+", "+association+", "+role+"web.uploader"; got != want {
		t.Errorf("in the account: %s; want %s", got, want)
	}
	if got := annotated("web"); got != roleOf("web") {
		t.Errorf("the service account says %q, want %s", got, roleOf("web"))
	}
	if again := decode[event.Onboarding](t, h.want(0, "onboard", "-f", file, "-o", "json")); again.Changed || len(again.Unmanaged) > 0 {
		t.Errorf("onboard again: changed %t, unmanaged %v", again.Changed, again.Unmanaged)
	}
	h.want(0, "drift", "acme")

	lab := filepath.Join(h.dir, "lab.yaml")
	if err := os.WriteFile(lab, []byte("name: lab\n"+withRole+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// layers are those that ran, with how many resources each made or deleted.
	layers := func(r result, op string) string {
		t.Helper()
		var ran []string
		for _, l := range decode[event.Onboarding](t, r).Layers {
			ran = append(ran, fmt.Sprintf("%s %d", l.Layer, l.Changes[op]))
		}
		return strings.Join(ran, ", ")
	}
	// A role, an attachment, an association; the Project.
	h.want(2, "projects", "add", "acme", "-f", lab, "--dry-run")
	if got, want := layers(h.want(0, "projects", "add", "acme", "-f", lab, "-o", "json"), "create"), "cluster 3, bootstrap 1"; got != want {
		t.Errorf("projects add made %s, want %s", got, want)
	}
	if got := annotated("lab"); got != roleOf("lab") {
		t.Errorf("the service account of the project that was added says %q, want %s", got, roleOf("lab"))
	}
	h.want(0, "drift", "acme")
	if got, want := layers(h.want(0, "projects", "remove", "acme", "lab", "--yes=lab", "-o", "json"), "delete"), "bootstrap 1, cluster 3"; got != want {
		t.Errorf("projects remove deleted %s, want %s", got, want)
	}
	h.want(0, "drift", "acme")

	t.Run("a kill as a layer starts is made up for by the next run", func(t *testing.T) {
		h := home{t: t, dir: h.dir}
		before := podThings()
		for _, layer := range []string{"cluster", "bootstrap"} {
			h.killedWhen(starts(layer), "projects", "add", "acme", "-f", lab)
			h.want(0, "projects", "add", "acme", "-f", lab)
			if got := annotated("lab"); got != roleOf("lab") {
				t.Errorf("added again after a kill as %s starts, the service account says %q, want %s", layer, got, roleOf("lab"))
			}
			if got, want := podThings(), association+", "+strings.Replace(before, role, role+"lab.uploader, "+role, 1); got != want {
				t.Errorf("added again after a kill as %s starts, there are %s, want %s", layer, got, want)
			}
			h.want(0, "drift", "acme")
			h.killedWhen(starts(layer), "projects", "remove", "acme", "lab", "--yes=lab")
			h.want(0, "projects", "remove", "acme", "lab", "--yes=lab")
			if got := podThings(); got != before {
				t.Errorf("removed again after a kill as %s starts, there are %s, want %s", layer, got, before)
			}
			h.want(0, "drift", "acme")
		}
	})

	if got, want := layers(h.want(0, "onboard", "-f", without, "-o", "json"), "delete"), "account 0, boundary 0, cluster 3, bootstrap 0"; got != want {
		t.Errorf("onboard without it deleted %s, want %s", got, want)
	}
	if got := annotated("web"); got != "" {
		t.Errorf("the service account still says %s", got)
	}
	if got := podThings(); got != association {
		t.Errorf("left in the account: %s", got)
	}
	h.want(0, "drift", "acme")
}
