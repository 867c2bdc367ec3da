package config

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes/scheme"

	"freehold.dev/freehold/internal/sandbox/controlplane/controlplanetest"
	"freehold.dev/freehold/internal/server/route"
)

// filled replaces what an operator has to fill in.
var filled = strings.NewReplacer(
	"<version>", "v1.2.3", "<image>", "registry.example.com/freehold/server@sha256:"+strings.Repeat("ab", 32),
	"<domain>", "freehold.example.com", "<operators-issuer>", "https://login.example.com", "<registry-cidr>", "10.0.0.0/24",
	"<backend>", "s3://freehold-state-111122223333/freehold?region=eu-central-1",
	"<secrets-provider>", "awskms://alias/freehold-{org}?region=eu-central-1",
)

// documents are those of a file, as it is.
func documents(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(deployment, "kubernetes", name))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for doc := range strings.SplitSeq(string(text), "---\n") {
		if strings.Contains(doc, "apiVersion:") {
			out = append(out, doc)
		}
	}
	return out
}

// layout is all of one way to run Freehold in a cluster.
type layout struct {
	deployments map[string]*appsv1.Deployment
	services    map[string]*corev1.Service
	budgets     map[string]*policyv1.PodDisruptionBudget
	policies    map[string]*networkingv1.NetworkPolicy
	maps        map[string]*corev1.ConfigMap
	claims      map[string]*corev1.PersistentVolumeClaim
	jobs        map[string]*batchv1.CronJob
	accounts    map[string]*corev1.ServiceAccount
	namespaces  map[string]*corev1.Namespace
}

// read decodes a file as strictly as an API server that is asked to.
func read(t *testing.T, name string) layout {
	t.Helper()
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme.Scheme, scheme.Scheme, json.SerializerOptions{Yaml: true, Strict: true})
	l := layout{
		map[string]*appsv1.Deployment{}, map[string]*corev1.Service{}, map[string]*policyv1.PodDisruptionBudget{},
		map[string]*networkingv1.NetworkPolicy{}, map[string]*corev1.ConfigMap{}, map[string]*corev1.PersistentVolumeClaim{}, map[string]*batchv1.CronJob{}, map[string]*corev1.ServiceAccount{}, map[string]*corev1.Namespace{},
	}
	for _, doc := range documents(t, name) {
		object, _, err := decoder.Decode([]byte(filled.Replace(doc)), nil, nil)
		if err != nil {
			t.Fatalf("%s: %v in\n%s", name, err, doc)
		}
		switch o := object.(type) {
		case *appsv1.Deployment:
			l.deployments[o.Name] = o
		case *corev1.Service:
			l.services[o.Name] = o
		case *policyv1.PodDisruptionBudget:
			l.budgets[o.Name] = o
		case *networkingv1.NetworkPolicy:
			l.policies[o.Name] = o
		case *corev1.ConfigMap:
			l.maps[o.Name] = o
		case *corev1.PersistentVolumeClaim:
			l.claims[o.Name] = o
		case *batchv1.CronJob:
			l.jobs[o.Name] = o
		case *corev1.ServiceAccount:
			l.accounts[o.Name] = o
		case *corev1.Namespace:
			l.namespaces[o.Name] = o
		default:
			t.Errorf("%s: nobody looks at %T", name, object)
		}
		if ns := object.(metav1.Object).GetNamespace(); ns != "freehold" && ns+object.(metav1.Object).GetName() != "freehold" {
			t.Errorf("%s: %T is in namespace %q", name, object, ns)
		}
	}
	return l
}

// configured is the configuration that a Deployment's process has.
func (l layout) configured(t *testing.T, d *appsv1.Deployment) Config {
	t.Helper()
	c := d.Spec.Template.Spec.Containers[0]
	environ := map[string]string{}
	for _, from := range c.EnvFrom {
		settings, ok := l.maps[from.ConfigMapRef.Name]
		if !ok {
			t.Fatalf("%s: there is no ConfigMap %s", d.Name, from.ConfigMapRef.Name)
		}
		maps.Copy(environ, settings.Data)
	}
	for _, v := range c.Env {
		environ[v.Name] = v.Value
	}
	i := slices.Index(c.Args, "--services")
	base := Config{}
	if i >= 0 {
		base.Services = strings.Split(c.Args[i+1], ",")
	}
	file := filepath.Join(t.TempDir(), "freehold.yaml")
	if err := os.WriteFile(file, []byte(l.maps["freehold"].Data["freehold.yaml"]), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(base, file, environ)
	if err != nil {
		t.Fatalf("%s: %v", d.Name, err)
	}
	return got
}

func TestTheManifestsRunWhatTheyConfigure(t *testing.T) {
	for name, want := range map[string]map[string][]string{
		"one.yaml":   {"freehold": {"gateway", "identity", "control", "worker", "drift"}},
		"apart.yaml": {"gateway": {"gateway"}, "identity": {"identity"}, "control": {"control"}, "worker": {"worker"}, "drift": {"drift"}},
	} {
		t.Run(name, func(t *testing.T) {
			l := read(t, name)
			got := map[string][]string{}
			for at, d := range l.deployments {
				c := l.configured(t, d)
				got[at] = c.Services
				l.check(t, d, c)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("services (-want +got):\n%s", diff)
			}
			if ns := l.namespaces["freehold"]; ns == nil || ns.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
				t.Errorf("namespace: %+v", ns)
			}
			for _, kind := range []struct {
				what string
				all  []string
			}{
				{"service accounts", slices.Collect(maps.Keys(l.accounts))},
				{"budgets", slices.Collect(maps.Keys(l.budgets))},
				{"services", slices.Collect(maps.Keys(l.services))},
			} {
				if diff := cmp.Diff(slices.Sorted(maps.Keys(l.deployments)), slices.Sorted(slices.Values(kind.all))); diff != "" {
					t.Errorf("%s (-deployments +%s):\n%s", kind.what, kind.what, diff)
				}
			}
		})
	}
}

// check holds a Deployment against the configuration of its process.
func (l layout) check(t *testing.T, d *appsv1.Deployment, c Config) {
	t.Helper()
	pod := d.Spec.Template.Spec
	container := pod.Containers[0]
	port := func(name string) string {
		for _, p := range container.Ports {
			if p.Name == name {
				return fmt.Sprintf(":%d", p.ContainerPort)
			}
		}
		return "no port " + name
	}
	if got := port("operations"); got != c.Listen.Operations {
		t.Errorf("%s: probes go to %s, and it answers them at %s", d.Name, got, c.Listen.Operations)
	}
	for _, p := range []*corev1.Probe{container.StartupProbe, container.LivenessProbe, container.ReadinessProbe} {
		if p == nil || p.HTTPGet == nil || p.HTTPGet.Port != intstr.FromString("operations") {
			t.Errorf("%s: probe %+v", d.Name, p)
		}
	}
	if container.LivenessProbe.HTTPGet.Path != "/healthz" || container.ReadinessProbe.HTTPGet.Path != "/readyz" {
		t.Errorf("%s: probes ask for %s and %s", d.Name, container.LivenessProbe.HTTPGet.Path, container.ReadinessProbe.HTTPGet.Path)
	}
	pause := time.Duration(container.Lifecycle.PreStop.Sleep.Seconds) * time.Second
	grace := time.Duration(*pod.TerminationGracePeriodSeconds) * time.Second
	if need := pause + c.StopWithin; grace < need+10*time.Second || grace > need+time.Minute {
		t.Errorf("%s: it is killed after %s, and needs %s to stop", d.Name, grace, need)
	}
	service := l.services[d.Name]
	if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(d.Spec.Template.Labels)) {
		t.Errorf("%s: its Service selects %v", d.Name, service.Spec.Selector)
	}
	budget, err := metav1.LabelSelectorAsSelector(l.budgets[d.Name].Spec.Selector)
	if err != nil || !budget.Matches(labels.Set(d.Spec.Template.Labels)) {
		t.Errorf("%s: its budget selects %v, %v", d.Name, budget, err)
	}
	if pod.ServiceAccountName != d.Name || l.accounts[d.Name] == nil || *l.accounts[d.Name].AutomountServiceAccountToken {
		t.Errorf("%s: service account %s", d.Name, pod.ServiceAccountName)
	}
	if c.Runs(route.Gateway) {
		if got := port("https"); got != c.Listen.Address || int(service.Spec.Ports[0].Port) != c.Listen.Port {
			t.Errorf("%s: clients connect to %s by way of %d, and it expects %s and %d", d.Name, got, service.Spec.Ports[0].Port, c.Listen.Address, c.Listen.Port)
		}
		mounted(t, d, c.TLS.Certificate, c.TLS.Key)
	} else if got, address := port("internal"), c.Address(route.Service(d.Name)); got != address || service.Spec.ClusterIP != "None" {
		t.Errorf("%s: it is reached at %s, and listens at %s", d.Name, got, address)
	}
	if c.Internal.WorkloadAPI != "" {
		mounted(t, d, strings.TrimPrefix(c.Internal.WorkloadAPI, "unix://"))
	} else if !c.Whole() {
		t.Errorf("%s: services apart have no common issuer of SPIFFE IDs", d.Name)
	}
	for _, from := range container.Env {
		has := from.Name == "FREEHOLD_REGISTRY"
		if has && (from.ValueFrom == nil || from.ValueFrom.SecretKeyRef == nil) {
			t.Errorf("%s: the registry's URL is not in a Secret", d.Name)
		}
	}
	if d.Name == "gateway" && slices.ContainsFunc(container.Env, func(v corev1.EnvVar) bool { return v.ValueFrom != nil }) {
		t.Errorf("the gateway has a secret: %+v", container.Env)
	}
	mounted(t, d, "/var/lib/freehold/x", "/tmp/x", "/etc/freehold/freehold.yaml")
}

// mounted fails for a file that no volume of the pod has.
func mounted(t *testing.T, d *appsv1.Deployment, files ...string) {
	t.Helper()
	pod := d.Spec.Template.Spec
	for _, file := range files {
		if !slices.ContainsFunc(pod.Containers[0].VolumeMounts, func(m corev1.VolumeMount) bool {
			return m.MountPath == filepath.Dir(file) && slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		}) {
			t.Errorf("%s: no volume holds %s", d.Name, file)
		}
	}
}

// Each row is what one pod may send to another, or to the outside, and where.
func TestPodsReachWhatTheyNeedAndNothingElse(t *testing.T) {
	for name, want := range map[string][]string{
		"one.yaml": {
			"freehold -> 0.0.0.0/0 but 169.254.169.254/32 TCP 443", "freehold -> 10.0.0.0/24 TCP 5432", "freehold -> 169.254.170.23/32 TCP 80",
			"0.0.0.0/0 -> freehold TCP 8443",
		},
		"apart.yaml": {
			"0.0.0.0/0 -> gateway TCP 8443",
			"gateway -> identity TCP 8601", "gateway -> control TCP 8602", "gateway -> worker TCP 8603", "gateway -> drift TCP 8604",
			"control -> identity TCP 8601", "worker -> identity TCP 8601", "drift -> identity TCP 8601",
			"identity -> 10.0.0.0/24 TCP 5432", "control -> 10.0.0.0/24 TCP 5432", "worker -> 10.0.0.0/24 TCP 5432", "drift -> 10.0.0.0/24 TCP 5432",
			"identity -> 0.0.0.0/0 but 169.254.169.254/32 TCP 443", "worker -> 0.0.0.0/0 but 169.254.169.254/32 TCP 443", "drift -> 0.0.0.0/0 but 169.254.169.254/32 TCP 443",
			"worker -> 169.254.170.23/32 TCP 80", "drift -> 169.254.170.23/32 TCP 80",
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := read(t, name)
			everybody := []string{"any -> kube-dns TCP 53", "any -> kube-dns UDP 53", "namespace monitoring -> any TCP 8445"}
			sends, takes := l.paths()
			inside := func(path string) bool {
				from, to, _ := strings.Cut(path, " -> ")
				to, _, _ = strings.Cut(to, " ")
				return l.deployments[from] != nil && l.deployments[to] != nil
			}
			for path := range sends {
				if inside(path) && !takes[path] {
					t.Errorf("%s is let out and not let in", path)
				}
			}
			for path := range takes {
				if inside(path) && !sends[path] {
					t.Errorf("%s is let in and not let out", path)
				}
			}
			maps.Copy(sends, takes)
			if diff := cmp.Diff(slices.Sorted(slices.Values(append(want, everybody...))), slices.Sorted(maps.Keys(sends))); diff != "" {
				t.Errorf("paths (-want +got):\n%s", diff)
			}
			deny := l.policies["default-deny"].Spec
			if len(deny.PodSelector.MatchLabels) > 0 || len(deny.PolicyTypes) != 2 || len(deny.Ingress)+len(deny.Egress) > 0 {
				t.Errorf("default-deny: %+v", deny)
			}
			// Each service is called by the name and the port of its Service.
			for at, d := range l.deployments {
				c := l.configured(t, d)
				for name, service := range l.services {
					want := fmt.Sprintf("%s:%d", name, service.Spec.Ports[0].Port)
					if s := route.Service(name); !c.Whole() && name != at && s != route.Gateway && c.Address(s) != want {
						t.Errorf("%s calls %s at %s, want %s", at, name, c.Address(s), want)
					}
				}
			}
		})
	}
}

// paths are all that the policies let out of a pod, and into one.
func (l layout) paths() (sends, takes map[string]bool) {
	sends, takes = map[string]bool{}, map[string]bool{}
	for _, p := range l.policies {
		self := "any"
		if s := p.Spec.PodSelector.MatchLabels["app.kubernetes.io/component"]; s != "" {
			self = s
		}
		for _, rule := range p.Spec.Egress {
			for _, port := range rule.Ports {
				for _, peer := range rule.To {
					sends[fmt.Sprintf("%s -> %s %s %d", self, peerOf(peer), *port.Protocol, port.Port.IntVal)] = true
				}
			}
		}
		for _, rule := range p.Spec.Ingress {
			for _, port := range rule.Ports {
				for _, peer := range rule.From {
					takes[fmt.Sprintf("%s -> %s %s %d", peerOf(peer), self, *port.Protocol, port.Port.IntVal)] = true
				}
			}
		}
	}
	return sends, takes
}

func peerOf(p networkingv1.NetworkPolicyPeer) string {
	switch {
	case p.IPBlock != nil && len(p.IPBlock.Except) > 0:
		return p.IPBlock.CIDR + " but " + strings.Join(p.IPBlock.Except, ", ")
	case p.IPBlock != nil:
		return p.IPBlock.CIDR
	case p.PodSelector != nil && p.PodSelector.MatchLabels["k8s-app"] != "":
		return p.PodSelector.MatchLabels["k8s-app"]
	case p.PodSelector != nil:
		return p.PodSelector.MatchLabels["app.kubernetes.io/component"]
	default:
		return "namespace " + p.NamespaceSelector.MatchLabels["kubernetes.io/metadata.name"]
	}
}

func TestTheNightlyBackupReachesTheRegistryAndNothingElse(t *testing.T) {
	l := read(t, "backup.yaml")
	pod := l.jobs["backup"].Spec.JobTemplate.Spec.Template
	container := pod.Spec.Containers[0]
	if diff := cmp.Diff([]string{"registry", "backup", "--to", "/backups"}, container.Args); diff != "" {
		t.Errorf("arguments (-want +got):\n%s", diff)
	}
	sends, takes := l.paths()
	if len(takes) > 0 || len(sends) != 1 || !sends["backup -> 10.0.0.0/24 TCP 5432"] {
		t.Errorf("it sends %v and takes %v", sends, takes)
	}
	selector, err := metav1.LabelSelectorAsSelector(&l.policies["backup"].Spec.PodSelector)
	if err != nil || !selector.Matches(labels.Set(pod.Labels)) {
		t.Errorf("its policy selects %v, %v", selector, err)
	}
	if l.claims["backups"] == nil || l.accounts[pod.Spec.ServiceAccountName] == nil {
		t.Errorf("claims %v, accounts %v", l.claims, l.accounts)
	}
	// It is in the namespace of either layout, and no Service or budget of theirs has it.
	for _, name := range []string{"one.yaml", "apart.yaml"} {
		for _, s := range read(t, name).services {
			if labels.SelectorFromSet(s.Spec.Selector).Matches(labels.Set(pod.Labels)) {
				t.Errorf("%s: Service %s sends requests to it", name, s.Name)
			}
		}
	}
}

// A variable that is spelt wrong is ignored, and a state would then be kept in a
// folder that ends with its pod.
func TestVariablesOfTheFilesAreRead(t *testing.T) {
	known := map[string]bool{}
	for _, v := range Variables() {
		known[v] = true
	}
	name := regexp.MustCompile(`\bFREEHOLD_[A-Z_]+\b`)
	for _, pattern := range []string{"../../cli/*.go", "../../environ/*.go", "../../sandbox/controlplane/*.go", "../../../cmd/freehold/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(f, "_test.go") {
				for _, v := range name.FindAllString(string(text), -1) {
					known[v] = true
				}
			}
		}
	}
	files, err := filepath.Glob(deployment + "*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range append(files, deployment+"freehold.service", deployment+"README.md") {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range name.FindAllString(string(text), -1) {
			if !known[v] {
				t.Errorf("%s: nobody reads %s", f, v)
			}
		}
	}
}

// The registration that apart.yaml needs is of a type that this module does not
// have: what matters in it is that each service is named as the services expect.
func TestSPIRENamesEachServiceAsTheOthersExpect(t *testing.T) {
	docs := documents(t, "spire.yaml")
	if len(docs) != 1 {
		t.Fatalf("%d documents", len(docs))
	}
	object := decoded(t, docs[0])
	template, _, err := unstructured.NestedString(object.Object, "spec", "spiffeIDTemplate")
	if err != nil {
		t.Fatal(err)
	}
	l := read(t, "apart.yaml")
	for name, d := range l.deployments {
		c := l.configured(t, d)
		got := strings.NewReplacer("{{ .TrustDomain }}", c.Internal.TrustDomain, "{{ .PodSpec.ServiceAccountName }}", d.Spec.Template.Spec.ServiceAccountName).Replace(template)
		if want := "spiffe://freehold.example.com/freehold/" + name; got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
		selected, _, err := unstructured.NestedStringMap(object.Object, "spec", "podSelector", "matchLabels")
		if err != nil || len(selected) == 0 || !labels.SelectorFromSet(selected).Matches(labels.Set(d.Spec.Template.Labels)) {
			t.Errorf("%s is not selected by %v: %v", name, selected, err)
		}
	}
}

func decoded(t *testing.T, doc string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, runtime.NewScheme(), runtime.NewScheme(), json.SerializerOptions{Yaml: true})
	if _, _, err := decoder.Decode([]byte(doc), nil, object); err != nil {
		t.Fatal(err)
	}
	return object
}

func TestAConfigurationThatIsNotFilledInIsRefused(t *testing.T) {
	for _, name := range []string{"one.yaml", "apart.yaml"} {
		for _, doc := range documents(t, name) {
			_, text, ok := strings.Cut(doc, "freehold.yaml: |\n")
			if !ok {
				continue
			}
			_, err := load(t, strings.ReplaceAll(text, "\n    ", "\n")[4:], nil)
			for _, field := range []string{"domain", "operators.issuerUrl"} {
				if err == nil || !strings.Contains(err.Error(), field) {
					t.Errorf("%s: %v, want it to name %s", name, err, field)
				}
			}
		}
	}
}

var resources = map[string]string{
	"Namespace": "namespaces", "ServiceAccount": "serviceaccounts", "ConfigMap": "configmaps", "Deployment": "deployments", "Service": "services",
	"PersistentVolumeClaim": "persistentvolumeclaims", "CronJob": "cronjobs", "PodDisruptionBudget": "poddisruptionbudgets", "NetworkPolicy": "networkpolicies", "Pod": "pods",
}

// An API server has the last word: it knows its own defaults and its admission.
func TestAnAPIServerTakesTheManifestsOnceTheyAreFilledIn(t *testing.T) {
	_, rc := controlplanetest.Start(t)
	client, err := dynamic.NewForConfig(rc)
	if err != nil {
		t.Fatal(err)
	}
	create := func(o *unstructured.Unstructured, dry bool) error {
		gv, err := schema.ParseGroupVersion(o.GetAPIVersion())
		if err != nil {
			return err
		}
		options := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
		if dry {
			options.DryRun = []string{metav1.DryRunAll}
		}
		var to dynamic.ResourceInterface = client.Resource(gv.WithResource(resources[o.GetKind()]))
		if o.GetNamespace() != "" {
			to = client.Resource(gv.WithResource(resources[o.GetKind()])).Namespace(o.GetNamespace())
		}
		_, err = to.Create(context.WithoutCancel(t.Context()), o, options)
		return err
	}
	made := map[string]bool{}
	for _, name := range []string{"one.yaml", "apart.yaml", "backup.yaml"} {
		for _, doc := range documents(t, name) {
			o := decoded(t, filled.Replace(doc))
			what := fmt.Sprintf("%s: %s %s", name, o.GetKind(), o.GetName())
			// What others depend on is made, once; all else is only tried.
			dry := !slices.Contains([]string{"Namespace", "ServiceAccount"}, o.GetKind())
			if key := o.GetKind() + o.GetName(); !dry && made[key] {
				continue
			} else if !dry {
				made[key] = true
			}
			if err := create(o, dry); err != nil {
				t.Errorf("%s: %v", what, err)
			}
			if strings.Contains(doc, "<") && o.GetKind() != "ConfigMap" {
				if err := create(decoded(t, doc), true); err == nil {
					t.Errorf("%s is taken as it is in the file", what)
				}
			}
			if path, ok := templates[o.GetKind()]; ok {
				if err := create(podOf(t, o, path...), true); err != nil {
					t.Errorf("%s: its pods: %v", what, err)
				}
			}
		}
	}
}

// templates are where the pods of a kind are described.
var templates = map[string][]string{
	"Deployment": {"spec", "template"}, "CronJob": {"spec", "jobTemplate", "spec", "template"},
}

// podOf is a pod as it is made from a template, which the namespace's admission judges.
func podOf(t *testing.T, d *unstructured.Unstructured, path ...string) *unstructured.Unstructured {
	t.Helper()
	template, _, err := unstructured.NestedMap(d.Object, path...)
	if err != nil {
		t.Fatal(err)
	}
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(d.GetName() + "-x")
	pod.SetNamespace(d.GetNamespace())
	return pod
}

// A manifest that nobody tries is one that nobody keeps.
func TestEachManifestIsTried(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(deployment, "kubernetes", "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var names bytes.Buffer
	for _, f := range files {
		fmt.Fprintln(&names, filepath.Base(f))
	}
	if names.String() != "apart.yaml\nbackup.yaml\none.yaml\nspire.yaml\n" {
		t.Errorf("there is %s", names.String())
	}
}
